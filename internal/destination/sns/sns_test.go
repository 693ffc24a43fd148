package sns

import (
	"bytes"
	"context"
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

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const (
	topicARN = "arn:aws:sns:us-east-1:000000000000:events"
	roleARN  = "arn:aws:iam::000000000000:role/publish"
	secret   = "a-secret-that-nobody-may-see"
)

// server is an SNS and STS endpoint that answers as a test says.
type server struct {
	t      *testing.T
	url    string
	answer func(w http.ResponseWriter, messages []string) bool // false answers as SNS does

	mu      sync.Mutex
	batches [][]string // messages of every PublishBatch
	keys    []string   // access keys that published
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t}
	h := httptest.NewServer(s)
	t.Cleanup(h.Close)
	s.url = h.URL
	return s
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil {
		s.t.Error(err)
	}
	_, rest, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(rest, "/")
	switch r.Form.Get("Action") {
	case "AssumeRole":
		if got := r.Form.Get("RoleArn"); got != roleARN || key != "AKIATEST" {
			s.t.Errorf("role %s assumed by %s", got, key)
		}
		fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>x</SecretAccessKey>`+
			`<SessionToken>y</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`)
	case "PublishBatch":
		messages := entries(r.Form)
		s.mu.Lock()
		s.batches, s.keys = append(s.batches, messages), append(s.keys, key)
		s.mu.Unlock()
		if got := r.Form.Get("TopicArn"); got != topicARN {
			s.t.Errorf("topic %s", got)
		}
		if s.answer != nil && s.answer(w, messages) {
			return
		}
		publishBatch(w, len(messages))
	default:
		s.t.Errorf("action %s", r.Form.Get("Action"))
	}
}

// entries returns the messages of a batch in order.
func entries(form url.Values) (list []string) {
	for i := 1; ; i++ {
		prefix := "PublishBatchRequestEntries.member." + strconv.Itoa(i)
		if !form.Has(prefix + ".Id") {
			return list
		}
		list = append(list, form.Get(prefix+".Message"))
	}
}

// publishBatch answers that the first n entries arrived; more is put into the result.
func publishBatch(w http.ResponseWriter, n int, failed ...string) {
	fmt.Fprint(w, `<PublishBatchResponse><PublishBatchResult><Successful>`)
	for i := range n {
		fmt.Fprintf(w, `<member><Id>%d</Id><MessageId>m</MessageId></member>`, i)
	}
	fmt.Fprint(w, `</Successful><Failed>`, strings.Join(failed, ""), `</Failed></PublishBatchResult></PublishBatchResponse>`)
}

func failedEntry(id int, code string, senderFault bool) string {
	return fmt.Sprintf(`<member><Id>%d</Id><Code>%s</Code><Message>because</Message><SenderFault>%t</SenderFault></member>`, id, code, senderFault)
}

func (s *server) publisher(t *testing.T) *Publisher {
	t.Helper()
	p, err := New(t.Context(), Options{Endpoint: s.url, Config: &aws.Config{Region: "us-east-1", BaseEndpoint: &s.url, RetryMaxAttempts: 1,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", secret, "")}})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func outgoing(bodies ...string) (list []event.Outgoing) {
	for i, b := range bodies {
		list = append(list, event.Outgoing{Delivery: event.Delivery{Event: event.Event{ID: fmt.Sprint("e", i)}}, Opened: []byte(b)})
	}
	return list
}

func TestBatches(t *testing.T) {
	t.Parallel()
	frame := len(outgoing("")[0].Envelope()) // what an envelope has around an entry
	large := strings.Repeat("x", maxBytes/2-frame)
	whole := strings.Repeat("x", maxBytes-frame)
	var many []string
	for i := range maxEntries + 3 {
		many = append(many, fmt.Sprint("m", i))
	}
	for name, tc := range map[string]struct {
		bodies []string
		want   [][]string
		failed []int
	}{
		"nothing":                {},
		"one":                    {bodies: []string{`{"ünï": "<&>"}`}, want: [][]string{{`{"ünï": "<&>"}`}}},
		"more than ten":          {bodies: many, want: [][]string{many[:maxEntries], many[maxEntries:]}},
		"more than SNS takes":    {bodies: []string{large, large, "small"}, want: [][]string{{large, large}, {"small"}}},
		"one that never fits":    {bodies: []string{"a", whole + "x", "b"}, want: [][]string{{"a"}, {"b"}}, failed: []int{1}},
		"exactly what SNS takes": {bodies: []string{whole}, want: [][]string{{whole}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			errs := s.publisher(t).Publish(t.Context(), event.Destination{Address: topicARN}, outgoing(tc.bodies...))
			for _, batch := range tc.want {
				for i := range batch {
					batch[i] = string(outgoing(batch[i])[0].Envelope())
				}
			}
			if diff := cmp.Diff(tc.want, s.batches); diff != "" {
				t.Errorf("batches (-want +got):\n%.2000s", diff)
			}
			if len(errs) != len(tc.bodies) {
				t.Fatalf("%d errors for %d messages", len(errs), len(tc.bodies))
			}
			for i, err := range errs {
				if want := slices.Contains(tc.failed, i); want != fault.Is(err, fault.InvalidParameters) || !want && err != nil {
					t.Errorf("message %d: %v", i, err)
				}
			}
		})
	}
}

// Every message has its own end: what SNS takes is done, what it calls the sender's fault can never arrive, the rest is tried
// again, and so is what the answer does not mention.
func TestPartialFailure(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.answer = func(w http.ResponseWriter, _ []string) bool {
		publishBatch(w, 1, failedEntry(1, "InvalidParameter", true), failedEntry(2, "InternalError", false), failedEntry(99, "Nonsense", true))
		return true
	}
	var got []fault.Kind
	for _, err := range s.publisher(t).Publish(t.Context(), event.Destination{Address: topicARN}, outgoing("a", "b", "c", "d")) {
		kind := fault.Kind("")
		if err != nil {
			kind = fault.KindOf(err)
		}
		got = append(got, kind)
	}
	if diff := cmp.Diff([]fault.Kind{"", fault.InvalidParameters, fault.Dependency, fault.Dependency}, got); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
}

// Trouble with the topic concerns every message, is worth another try, and shows no secret.
func TestTroubleWithTheTopic(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		answer func(w http.ResponseWriter)
		want   string
	}{
		"no such topic": {func(w http.ResponseWriter) { refuse(w, 404, "NotFound", "Topic does not exist") }, "NotFound: Topic does not exist"},
		"not allowed":   {func(w http.ResponseWriter) { refuse(w, 403, "AuthorizationError", "no") }, "AuthorizationError: no"},
		"key of KMS":    {func(w http.ResponseWriter) { refuse(w, 400, "KMSAccessDenied", "no") }, "KMSAccessDenied"},
		"out of order":  {func(w http.ResponseWriter) { w.WriteHeader(503) }, "SNS"},
		"nonsense":      {func(w http.ResponseWriter) { fmt.Fprint(w, "<html>") }, "SNS"},
		"hang-up":       {func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, "SNS could not be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.answer = func(w http.ResponseWriter, _ []string) bool { tc.answer(w); return true }
			errs := s.publisher(t).Publish(t.Context(), event.Destination{Address: topicARN}, outgoing("a", "b"))
			for _, err := range errs {
				if !fault.Is(err, fault.Dependency) || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), secret) {
					t.Errorf("error %v, want a dependency's with %q", err, tc.want)
				}
			}
		})
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	var text bytes.Buffer
	xml.EscapeText(&text, []byte(message)) //nolint:errcheck // a buffer takes everything
	w.WriteHeader(status)
	fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error></ErrorResponse>`, code, &text)
}

// With a role, its credentials publish, and are fetched once.
func TestRole(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	p := s.publisher(t)
	for _, role := range []string{roleARN, roleARN, ""} {
		if errs := p.Publish(t.Context(), event.Destination{Address: topicARN, RoleARN: role}, outgoing("a")); errs[0] != nil {
			t.Fatal(errs[0])
		}
	}
	if diff := cmp.Diff([]string{"ASIAROLE", "ASIAROLE", "AKIATEST"}, s.keys); diff != "" {
		t.Errorf("keys that published (-want +got):\n%s", diff)
	}
}

// The order to stop ends a call that hangs.
func TestCancel(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	s.answer = func(http.ResponseWriter, []string) bool { cancel(); <-release; return true }
	errs := s.publisher(t).Publish(ctx, event.Destination{Address: topicARN}, outgoing("a"))
	close(release)
	if !fault.Is(errs[0], fault.Dependency) {
		t.Errorf("cancelled: %v", errs[0])
	}
}
