package sns

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const topicARN = "arn:aws:sns:us-east-1:000000000000:events"

func publisher(endpoint string, client aws.HTTPClient) *Publisher {
	return New(endpoint, aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(destinationtest.KeyID, destinationtest.Secret, "")})
}

// read returns the messages of a Publish or PublishBatch, in order.
func read(t testing.TB, r *http.Request, body []byte) (list []string) {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		t.Error(err)
	}
	if got := destinationtest.SignedFor(r); got != "sns" || form.Get("TopicArn") != topicARN {
		t.Errorf("signed for %s, topic %s", got, form.Get("TopicArn"))
	}
	switch form.Get("Action") {
	case "Publish":
		return []string{form.Get("Message")}
	case "PublishBatch":
		for i := 1; ; i++ {
			prefix := "PublishBatchRequestEntries.member." + strconv.Itoa(i)
			if !form.Has(prefix + ".Id") {
				return list
			}
			list = append(list, form.Get(prefix+".Message"))
		}
	default:
		t.Errorf("action %s", form.Get("Action"))
		return nil
	}
}

// taken answers that n messages have arrived, for both operations at once.
func taken(w http.ResponseWriter, n int, failed ...string) {
	if n == 1 && len(failed) == 0 {
		fmt.Fprint(w, `<PublishResponse><PublishResult><MessageId>m</MessageId></PublishResult></PublishResponse>`)
		return
	}
	fmt.Fprint(w, `<PublishBatchResponse><PublishBatchResult><Successful>`)
	for i := range n {
		fmt.Fprintf(w, `<member><Id>%d</Id><MessageId>m</MessageId></member>`, i)
	}
	fmt.Fprint(w, `</Successful><Failed>`, strings.Join(failed, ""), `</Failed></PublishBatchResult></PublishBatchResponse>`)
}

func failedEntry(id int, code, message string, senderFault bool) string {
	return fmt.Sprintf(`<member><Id>%d</Id><Code>%s</Code><Message>%s</Message><SenderFault>%t</SenderFault></member>`, id, code, message, senderFault)
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	var text bytes.Buffer
	xml.EscapeText(&text, []byte(message)) //nolint:errcheck // a buffer takes everything
	w.WriteHeader(status)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, &text)
}

func answer(status int, code, message string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) }
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	destinationtest.Run(t, destinationtest.Suite{
		New: func(client *http.Client) (destinationtest.Publisher, event.Destination) {
			return publisher("https://sns.test", client), event.Destination{Kind: event.SNS, Address: topicARN, AccountID: "000000000000",
				RoleARN: destinationtest.RoleARN}
		},
		Form: func(o *event.Outgoing) string { return string(o.Envelope()) },
		Read: func(t testing.TB, r *http.Request, body []byte) []string {
			if got := destinationtest.SignedBy(r); got != destinationtest.RoleKeyID {
				t.Errorf("published by %s", got)
			}
			return read(t, r, body)
		},
		Taken: func(w http.ResponseWriter, n int) { taken(w, n) },
		Aside: func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			return destinationtest.AssumeRole(t, w, r, body)
		},
		Batch:    limits.Entries,
		MaxBytes: limits.Entry,
		Partial: func(w http.ResponseWriter) {
			taken(w, 1, failedEntry(1, "InvalidParameter", "Message Reason: Invalid characters", true), failedEntry(2, "InternalError", "", false),
				failedEntry(99, "InvalidParameter", "", true))
		},
		Answers: []destinationtest.Answer{
			{Name: "no such topic", Respond: answer(404, "NotFound", "Topic does not exist"), Want: destinationtest.Later, Text: "NotFound: Topic does not exist. Create"},
			{Name: "not allowed", Respond: answer(403, "AuthorizationError", "not authorized"), Want: destinationtest.Later, Text: "Allow sns:Publish"},
			{Name: "an invalid message", Respond: answer(400, "InvalidParameter", "Invalid parameter: Message"), Want: destinationtest.Dead, Text: "Invalid parameter: Message"},
			{Name: "an invalid value", Respond: answer(400, "ParameterValueInvalid", "no"), Want: destinationtest.Dead},
			{Name: "not a topic", Respond: answer(400, "InvalidParameter", "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements"),
				Want: destinationtest.Later, Text: "correct the event destination"},
			{Name: "a FIFO topic", Respond: answer(400, "InvalidParameter", "The MessageGroupId parameter is required for FIFO topics"),
				Want: destinationtest.Later, Text: "standard topics"},
			{Name: "KMS: no access", Respond: answer(400, "KMSAccessDenied", "no"), Want: destinationtest.Later, Text: "kms:GenerateDataKey* and kms:Decrypt"},
			{Name: "KMS: disabled", Respond: answer(400, "KMSDisabled", "no"), Want: destinationtest.Later, Text: "enable it"},
			{Name: "KMS: state", Respond: answer(400, "KMSInvalidState", "no"), Want: destinationtest.Later, Text: "will be deleted"},
			{Name: "KMS: not found", Respond: answer(400, "KMSNotFound", "no"), Want: destinationtest.Later, Text: "symmetric key"},
			{Name: "KMS: not activated", Respond: answer(403, "KMSOptInRequired", "no"), Want: destinationtest.Later, Text: "complete its registration"},
			{Name: "KMS: throttled", Respond: answer(400, "KMSThrottling", "no"), Want: destinationtest.Throttled, Text: "data key reuse period"},
			{Name: "throttled", Respond: answer(400, "Throttling", "Rate exceeded"), Want: destinationtest.Throttled},
			{Name: "throttled by its newer name", Respond: answer(429, "Throttled", "Rate exceeded"), Want: destinationtest.Throttled},
			{Name: "throttled for a time", Respond: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				refuse(w, 429, "Throttling", "Rate exceeded")
			}, Want: destinationtest.Throttled, After: 30e9},
			{Name: "trouble inside", Respond: answer(500, "InternalError", ""), Want: destinationtest.Later, Text: "SNS answered InternalError"},
			{Name: "no HTTPS", Respond: answer(403, "InvalidSecurity", "no"), Want: destinationtest.Later, Text: "Use an HTTPS endpoint"},
			{Name: "an unknown key", Respond: answer(403, "InvalidClientTokenId", "The security token included in the request is invalid."),
				Want: destinationtest.Later, Text: "does not know the AWS credentials"},
			{Name: "a wrong signature", Respond: func(w http.ResponseWriter, r *http.Request) {
				refuse(w, 403, "SignatureDoesNotMatch", "The canonical string should have been: "+r.Header.Get("X-Amz-Security-Token")+destinationtest.Echo(r))
			}, Want: destinationtest.Later, Text: "another signature"},
			{Name: "a careless service", Respond: func(w http.ResponseWriter, r *http.Request) {
				refuse(w, 500, "InternalError", "request was:"+destinationtest.Echo(r))
			}, Want: destinationtest.Later},
			{Name: "nonsense", Respond: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, Want: destinationtest.Later},
			{Name: "an empty answer", Respond: func(http.ResponseWriter, *http.Request) {}, Want: destinationtest.Later, Text: "did not say"},
		},
		Statuses: func(status int) destinationtest.Verdict {
			if status == http.StatusTooManyRequests {
				return destinationtest.Throttled
			}
			return destinationtest.Later
		},
		Secrets: []string{destinationtest.Secret, destinationtest.RoleSecret, destinationtest.SessionToken},
	})
}

// server is an SNS endpoint on a real connection.
type server struct {
	t   testing.TB
	url string
	// respond answers instead of SNS, unless it returns false.
	respond func(w http.ResponseWriter, action string, messages []string) bool

	mu       sync.Mutex
	requests []string // "action: n"
	arrived  []string
}

func newServer(t testing.TB) *server {
	t.Helper()
	s := &server{t: t}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body bytes.Buffer
	if _, err := body.ReadFrom(r.Body); err != nil {
		s.t.Error(err)
	}
	action := "Publish"
	if bytes.Contains(body.Bytes(), []byte("Action=PublishBatch")) {
		action = "PublishBatch"
	}
	messages := read(s.t, r, body.Bytes())
	s.mu.Lock()
	s.requests = append(s.requests, fmt.Sprintf("%s: %d", action, len(messages)))
	s.mu.Unlock()
	if s.respond != nil && s.respond(w, action, messages) {
		return
	}
	s.mu.Lock()
	s.arrived = append(s.arrived, messages...)
	s.mu.Unlock()
	taken(w, len(messages))
}

func (s *server) publish(p *Publisher, n int) []error {
	return p.Publish(s.t.Context(), event.Destination{Address: topicARN, Concurrency: 1}, destinationtest.Events(n))
}

// A compatible service without PublishBatch gets single messages, and is not asked again.
func TestServiceWithoutBatches(t *testing.T) {
	t.Parallel()
	for name, refusal := range map[string]func(w http.ResponseWriter){
		"InvalidAction":             func(w http.ResponseWriter) { refuse(w, 400, "InvalidAction", "The action PublishBatch is not valid") },
		"UnknownOperationException": func(w http.ResponseWriter) { refuse(w, 404, "UnknownOperationException", "") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.respond = func(w http.ResponseWriter, action string, _ []string) bool {
				if action == "PublishBatch" {
					refusal(w)
				}
				return action == "PublishBatch"
			}
			p := publisher(s.url, nil)
			for range 2 {
				for i, err := range s.publish(p, 3) {
					if err != nil {
						t.Errorf("event %d: %v", i, err)
					}
				}
			}
			one := "Publish: 1"
			if diff := cmp.Diff([]string{"PublishBatch: 3", one, one, one, one, one, one}, s.requests); diff != "" || len(s.arrived) != 6 {
				t.Errorf("%d arrived; requests (-want +got):\n%s", len(s.arrived), diff)
			}
		})
	}
}

// A batch that is refused as a whole for what it holds is taken apart, so that one event does not take the others down.
func TestBatchRefusedForOneEvent(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.respond = func(w http.ResponseWriter, _ string, messages []string) bool {
		bad := slices.ContainsFunc(messages, func(m string) bool { return strings.Contains(m, "number 1,") })
		if bad {
			refuse(w, 400, "InvalidParameter", "Invalid parameter: Message")
		}
		return bad
	}
	var got []destinationtest.Verdict
	for _, err := range s.publish(publisher(s.url, nil), 3) {
		got = append(got, destinationtest.VerdictOf(err))
	}
	want := []destinationtest.Verdict{destinationtest.Arrived, destinationtest.Dead, destinationtest.Arrived}
	if diff := cmp.Diff(want, got); diff != "" || len(s.arrived) != 2 {
		t.Errorf("%d arrived; verdicts (-want +got):\n%s", len(s.arrived), diff)
	}
}

// An entry that failed for reasons of the topic is not the event's fault, even where SNS says that it is the sender's.
func TestEntriesFailForTheTopic(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.respond = func(w http.ResponseWriter, _ string, _ []string) bool {
		taken(w, 0, failedEntry(0, "KMSAccessDenied", "no", true), failedEntry(1, "AuthorizationError", "no", true),
			failedEntry(2, "InvalidParameter", "The MessageGroupId parameter is required for FIFO topics", true), failedEntry(3, "Throttled", "", true))
		return true
	}
	var got []destinationtest.Verdict
	for _, err := range s.publish(publisher(s.url, nil), 4) {
		got = append(got, destinationtest.VerdictOf(err))
	}
	want := []destinationtest.Verdict{destinationtest.Later, destinationtest.Later, destinationtest.Later, destinationtest.Throttled}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// Nothing listens at the endpoint.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	down := httptest.NewServer(nil)
	down.Close()
	err := s.publish(publisher(down.URL, nil), 1)[0]
	if !fault.Is(err, fault.Dependency) || !strings.Contains(err.Error(), "SNS cannot be reached: dial tcp") {
		t.Errorf("%v", err)
	}
}
