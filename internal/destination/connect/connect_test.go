package connect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/connect/connecttest"
	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

func publisher(endpoint string, client aws.HTTPClient) *Publisher {
	return New(endpoint, aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(destinationtest.KeyID, destinationtest.Secret, "")})
}

func instance() event.Destination {
	return event.Destination{Name: connecttest.Instance, Kind: event.Connect, Address: connecttest.Instance, AccountID: "000000000000", Concurrency: 1}
}

func form(e *connecttest.Event) string {
	return fmt.Sprint(e.SourceID, " to ", e.DestinationID, " ", e.Event, " ", e.Session.ParticipantDetails.DisplayName, e.Session.Attributes)
}

func refuse(status int, code, message string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { connecttest.Refuse(w, status, code, message) }
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	destinationtest.Run(t, destinationtest.Suite{
		New: func(client *http.Client) (destinationtest.Publisher, event.Destination) {
			d := instance()
			d.RoleARN = destinationtest.RoleARN
			return publisher("https://connect.test", client), d
		},
		Form: func(o *event.Outgoing) string {
			c, _ := o.Chat()
			return fmt.Sprint(c.Customer, " to ", c.Number, " ", struct{ Type, ContentType, Content string }{string(c.Kind), c.ContentType, c.Content}, " ", c.Name, c.Attributes)
		},
		Read: func(t testing.TB, r *http.Request, body []byte) []string {
			var e connecttest.Event
			if err := json.Unmarshal(body, &e); err != nil || e.Check() != "" || r.Method != http.MethodPost || r.URL.Path != "/chat-integration-event" {
				t.Errorf("%s %s: %s %v", r.Method, r.URL, e.Check(), err)
			}
			if destinationtest.SignedFor(r) != "connect" || destinationtest.SignedBy(r) != destinationtest.RoleKeyID {
				t.Errorf("signed for %s by %s", destinationtest.SignedFor(r), destinationtest.SignedBy(r))
			}
			return []string{form(&e)}
		},
		Taken: func(w http.ResponseWriter, _ int) { fmt.Fprint(w, `{"InitialContactId":"c","NewChatCreated":true}`) },
		Aside: func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			return destinationtest.AssumeRole(t, w, r, body)
		},
		Batch: 1,
		Answers: []destinationtest.Answer{
			{Name: "not allowed", Respond: refuse(403, "AccessDeniedException", "no"), Want: destinationtest.Later, Text: "Allow connect:SendIntegrationEvent"},
			{Name: "not imported", Respond: refuse(404, "ResourceNotFoundException", "no"), Want: destinationtest.Later, Text: "The number is not in the instance yet"},
			{Name: "content", Respond: refuse(400, "InvalidRequestException", "Content is not valid"), Want: destinationtest.Dead, Text: "Content is not valid"},
			{Name: "no flow", Respond: refuse(400, "InvalidRequestException", "no flow for the number"), Want: destinationtest.Later, Text: "no flow"},
			{Name: "throttled", Respond: func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "3")
				refuse(429, "ThrottlingException", "Rate exceeded")(w, r)
			}, Want: destinationtest.Throttled, After: 3 * time.Second},
			{Name: "trouble inside", Respond: refuse(500, "InternalServiceException", ""), Want: destinationtest.Later, Text: "Amazon Connect answered InternalServiceException"},
			{Name: "a careless service", Respond: func(w http.ResponseWriter, r *http.Request) {
				refuse(500, "InternalServiceException", "request was:"+destinationtest.Echo(r))(w, r)
			}, Want: destinationtest.Later},
			{Name: "nonsense", Respond: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, Want: destinationtest.Later},
			{Name: "an empty answer", Respond: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }, Want: destinationtest.Later, Text: "did not say"},
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

// Only what belongs to a chat goes to an instance, and what one number lacks keeps nothing from another's chats.
func TestChats(t *testing.T) {
	t.Parallel()
	s := connecttest.New(t)
	p := publisher(s.URL, nil)
	list := destinationtest.Events(5)
	list[4].Field, list[4].Status = event.TestField, ""
	list[1].Field, list[1].Status = "message_template_status_update", ""
	list[2].PhoneKey = strings.Repeat("0", 31) + "2" // is not imported
	list[3].Status, list[3].Opened = "read", []byte(`{"changes":[{"value":{"statuses":[{"recipient_id":"14255550150"}]}}]}`)
	importInto(t, p, "00000000000000000000000000000001")
	var got []destinationtest.Verdict
	for _, err := range p.Publish(t.Context(), instance(), list) {
		got = append(got, destinationtest.VerdictOf(err))
	}
	if diff := cmp.Diff([]destinationtest.Verdict{destinationtest.Arrived, destinationtest.Unwanted, destinationtest.Later, destinationtest.Arrived,
		destinationtest.Dead}, got); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	events := s.Events()
	if len(events) != 2 || events[0].Event.Type != "MESSAGE" || events[1].Event.Type != "EVENT" || events[1].Session != nil {
		t.Errorf("%+v", events)
	}
}

func TestInstances(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		strings.Replace(connecttest.Instance, "us-east-1", "eu-west-1", 1): "the instance is in eu-west-1",
		"arn:aws:sns:us-east-1:000000000000:topic":                         "is no instance of Amazon Connect",
		"arn:aws:connect:us-east-1:000000000000:instance/a/queue/b":        "is no instance of Amazon Connect",
		"instance/a": "is no instance of Amazon Connect",
	} {
		d := instance()
		d.Address = arn
		err := publisher("http://127.0.0.1:1", nil).Publish(t.Context(), d, destinationtest.Events(1))[0]
		if destinationtest.VerdictOf(err) != destinationtest.Later || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", arn, err)
		}
	}
}
