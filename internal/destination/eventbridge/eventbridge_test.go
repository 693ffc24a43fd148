package eventbridge

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

const (
	bus    = "arn:aws:events:us-east-1:000000000000:event-bus/orders"
	source = "waxwing.social-messaging"
)

func publisher(endpoint string, client aws.HTTPClient) *Publisher {
	return New(Options{Endpoint: endpoint, Source: source, Bus: "shared"}, aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(destinationtest.KeyID, destinationtest.Secret, "")})
}

type entry struct {
	Time                                     float64
	Source, DetailType, Detail, EventBusName string
	Resources                                []string
}

func read(t testing.TB, r *http.Request, body []byte) (list []entry) {
	if got := r.Header.Get("X-Amz-Target"); got != "AWSEvents.PutEvents" || destinationtest.SignedFor(r) != "events" {
		t.Errorf("%s, signed for %s", got, destinationtest.SignedFor(r))
	}
	var in struct{ Entries []entry }
	if err := json.Unmarshal(body, &in); err != nil {
		t.Error(err)
	}
	return in.Entries
}

func form(e entry) string {
	return fmt.Sprintf("%s from %s at %v: %s", e.DetailType, e.Source, int64(e.Time), e.Detail)
}

func taken(w http.ResponseWriter, n int) {
	answer(w, 200, `{"FailedEntryCount":0,"Entries":[`+strings.TrimSuffix(strings.Repeat(`{"EventId":"e"},`, n), ",")+`]}`)
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	fmt.Fprint(w, body)
}

// refuse refuses the whole request, entryFails its only entry.
func refuse(status int, code, message string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, status, fmt.Sprintf(`{"__type":%q,"message":%q}`, code, message))
	}
}

func entryFails(code, message string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		answer(w, 200, fmt.Sprintf(`{"FailedEntryCount":1,"Entries":[{"ErrorCode":%q,"ErrorMessage":%q}]}`, code, message))
	}
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	destinationtest.Run(t, destinationtest.Suite{
		New: func(client *http.Client) (destinationtest.Publisher, event.Destination) {
			return publisher("https://events.test", client), event.Destination{Name: "dst-1", Kind: event.EventBridge, Address: bus, AccountID: "000000000000",
				RoleARN: destinationtest.RoleARN}
		},
		Form: func(o *event.Outgoing) string {
			kind, detail := o.Bridge()
			return form(entry{DetailType: kind, Source: source, Time: float64(o.At.Unix()), Detail: string(detail)})
		},
		Read: func(t testing.TB, r *http.Request, body []byte) (forms []string) {
			for _, e := range read(t, r, body) {
				if e.EventBusName != bus || e.Resources != nil || destinationtest.SignedBy(r) != destinationtest.RoleKeyID {
					t.Errorf("%+v by %s", e, destinationtest.SignedBy(r))
				}
				forms = append(forms, form(e))
			}
			return forms
		},
		Taken: taken,
		Aside: func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			return destinationtest.AssumeRole(t, w, r, body)
		},
		Batch: limits.Entries,
		Partial: func(w http.ResponseWriter) {
			answer(w, 200, `{"FailedEntryCount":2,"Entries":[{"EventId":"e"},{"ErrorCode":"MalformedDetail","ErrorMessage":"Detail is malformed."},`+
				`{"ErrorCode":"InternalFailure","ErrorMessage":""}]}`)
		},
		Answers: []destinationtest.Answer{
			{Name: "malformed", Respond: entryFails("MalformedDetail", "Detail is malformed."), Want: destinationtest.Dead, Text: "Detail is malformed."},
			{Name: "throttled", Respond: entryFails("ThrottlingException", "Rate exceeded"), Want: destinationtest.Throttled},
			{Name: "trouble inside", Respond: entryFails("InternalFailure", ""), Want: destinationtest.Later},
			{Name: "an invalid argument", Respond: entryFails("InvalidArgument", "Parameter is not valid"), Want: destinationtest.Later, Text: "InvalidArgument"},
			{Name: "a source of AWS's", Respond: entryFails("NotAuthorizedForSourceException", "Not authorized for the source."), Want: destinationtest.Later,
				Text: "AWS keeps sources that begin with aws. to itself"},
			{Name: "a detail-type that is not allowed", Respond: entryFails("NotAuthorizedForDetailTypeException", "no"), Want: destinationtest.Later, Text: "detail-types"},
			{Name: "a wrong account", Respond: entryFails("InvalidAccountIdException", "no"), Want: destinationtest.Later, Text: "correct the destination"},
			{Name: "CloudTrail", Respond: entryFails("RedactionFailure", "no"), Want: destinationtest.Later},
			{Name: "an entry without a result", Respond: func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, `{"Entries":[{}]}`) }, Want: destinationtest.Later, Text: "did not say"},
			{Name: "no such bus", Respond: refuse(400, "ResourceNotFoundException", "Event bus orders does not exist."), Want: destinationtest.Later, Text: "Create the event bus"},
			{Name: "not allowed", Respond: refuse(400, "AccessDeniedException", "no"), Want: destinationtest.Later, Text: "Allow events:PutEvents"},
			{Name: "invalid", Respond: refuse(400, "ValidationException", "1 validation error detected: Value at 'entries.1.member.detailType' failed to satisfy constraint"),
				Want: destinationtest.Dead},
			{Name: "an invalid bus", Respond: refuse(400, "ValidationException", "1 validation error detected: Value at 'entries.1.member.eventBusName' failed"),
				Want: destinationtest.Later, Text: "Correct the destination's bus"},
			{Name: "too many", Respond: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "5")
				refuse(400, "ThrottlingException", "Rate exceeded")(w, r)
			}, Want: destinationtest.Throttled, After: 5 * time.Second},
			{Name: "out of order", Respond: refuse(500, "InternalException", ""), Want: destinationtest.Later, Text: "EventBridge answered InternalException"},
			{Name: "a wrong signature", Respond: func(w http.ResponseWriter, r *http.Request) {
				refuse(400, "InvalidSignatureException", "The string should have been "+r.Header.Get("X-Amz-Security-Token")+destinationtest.Echo(r))(w, r)
			}, Want: destinationtest.Later, Text: "another signature"},
			{Name: "nonsense", Respond: func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "<html>") }, Want: destinationtest.Later},
			{Name: "an empty answer", Respond: func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, "{}") }, Want: destinationtest.Later, Text: "did not say"},
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

// server is an EventBridge on a real connection. It refuses requests that hold a word.
func server(t *testing.T, refused string) (url string, buses func() []string) {
	var mu sync.Mutex
	var seen []string
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		entries := read(t, r, body)
		mu.Lock()
		seen = append(seen, fmt.Sprint(entries[0].EventBusName, ": ", len(entries)))
		mu.Unlock()
		if refused != "" && strings.Contains(string(body), refused) {
			refuse(400, "ValidationException", "one of them")(w, r)
			return
		}
		taken(w, len(entries))
	}))
	t.Cleanup(h.Close)
	return h.URL, func() []string { mu.Lock(); defer mu.Unlock(); return seen }
}

// An account's own bus is the one of the settings; a bus that someone has named is that one.
func TestBus(t *testing.T) {
	t.Parallel()
	url, buses := server(t, "")
	p := publisher(url, nil)
	for _, name := range []string{bus, "dst-1"} {
		if errs := p.Publish(t.Context(), event.Destination{Name: name, Address: bus}, destinationtest.Events(1)); errs[0] != nil {
			t.Fatal(errs[0])
		}
	}
	if diff := cmp.Diff([]string{"shared: 1", bus + ": 1"}, buses()); diff != "" {
		t.Errorf("buses (-want +got):\n%s", diff)
	}
}

// A request that is refused for one event is taken apart, so that it does not take the others down.
func TestRequestRefusedForOneEvent(t *testing.T) {
	t.Parallel()
	url, buses := server(t, "wamid.000001")
	var got []destinationtest.Verdict
	for _, err := range publisher(url, nil).Publish(t.Context(), event.Destination{Name: bus, Address: bus, Concurrency: 1}, destinationtest.Events(3)) {
		got = append(got, destinationtest.VerdictOf(err))
	}
	if diff := cmp.Diff([]destinationtest.Verdict{destinationtest.Arrived, destinationtest.Dead, destinationtest.Arrived}, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"shared: 3", "shared: 1", "shared: 1", "shared: 1"}, buses()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	url, buses := server(t, "")
	list := destinationtest.Events(2)
	list[0].Status, list[0].Opened = "failed", []byte(`{"changes":[{"value":{"statuses":[{"errors":[{"title":"`+strings.Repeat("x", limits.Entry)+`"}]}]}}]}`)
	errs := publisher(url, nil).Publish(t.Context(), event.Destination{Name: bus, Address: bus}, list)
	if destinationtest.VerdictOf(errs[0]) != destinationtest.Dead || errs[1] != nil || len(buses()) != 1 {
		t.Errorf("%v after %v", errs, buses())
	}
}
