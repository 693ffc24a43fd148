package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs/sqstest"
)

// events is the SDK's client of the node's event bus.
func (n *node) events() *eventbridge.Client {
	return eventbridge.New(eventbridge.Options{Region: "us-east-1", BaseEndpoint: aws.String("http://" + n.APIAddr()),
		Credentials: credentials.NewStaticCredentialsProvider(config.DevAccessKeyID, string(config.DevSecretAccessKey), "")})
}

// rule makes a rule with targets on the node's event bus.
func (n *node) rule(t *testing.T, name, pattern string, targets ...types.Target) {
	t.Helper()
	client := n.events()
	if _, err := client.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: &pattern}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &name, Targets: targets}); err != nil {
		t.Fatal(err)
	}
}

// hook is an API destination of the node that passes on the bodies it receives, if they come with its key.
func (n *node) hook(t *testing.T, name string) (arn string, bodies <-chan string) {
	t.Helper()
	all := make(chan string, 100)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Api-Key") != "s3cret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		all <- string(body)
	}))
	t.Cleanup(s.Close)
	client := n.events()
	c, err := client.CreateConnection(t.Context(), &eventbridge.CreateConnectionInput{Name: &name, AuthorizationType: types.ConnectionAuthorizationTypeApiKey,
		AuthParameters: &types.CreateConnectionAuthRequestParameters{ApiKeyAuthParameters: &types.CreateConnectionApiKeyAuthRequestParameters{
			ApiKeyName: aws.String("X-Api-Key"), ApiKeyValue: aws.String("s3cret")}}})
	if err != nil {
		t.Fatal(err)
	}
	d, err := client.CreateApiDestination(t.Context(), &eventbridge.CreateApiDestinationInput{Name: &name, ConnectionArn: c.ConnectionArn,
		InvocationEndpoint: aws.String(s.URL + "/in"), HttpMethod: types.ApiDestinationHttpMethodPost})
	if err != nil {
		t.Fatal(err)
	}
	return *d.ApiDestinationArn, all
}

func await(t *testing.T, bodies <-chan string) string {
	t.Helper()
	select {
	case body := <-bodies:
		return body
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
		return ""
	}
}

// Rules of the built-in bus get WhatsApp events without an event destination, in EventBridge's form, and survive a restart.
func TestBuiltinEventBus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	n := start(t, dir, nil)
	n.send(t, template) // nobody listens: nothing is queued for the bus
	arn, bodies := n.hook(t, "crm")
	n.rule(t, "delivered", `{"source":["aws.social-messaging"],"detail-type":["WhatsApp Message Delivered"]}`,
		types.Target{Id: aws.String("crm"), Arn: &arn})
	check := func(id string) {
		t.Helper()
		for {
			var e struct {
				ID, Source, Account, Region string
				Type                        string `json:"detail-type"`
				Detail                      struct{ MessageID, Status, WabaID string }
			}
			body := await(t, bodies)
			if err := json.Unmarshal([]byte(body), &e); err != nil {
				t.Fatal(err)
			}
			if e.Source != "aws.social-messaging" || e.Type != "WhatsApp Message Delivered" || e.Account != "000000000000" || e.Detail.Status != "delivered" {
				t.Fatalf("event %s", body)
			}
			if e.Detail.MessageID == id {
				return
			}
		}
	}
	check(n.send(t, template))
	n.stop()
	n = start(t, dir, nil)
	check(n.send(t, template))

	// What the service says of itself nobody else may say.
	out, err := n.events().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{{Source: aws.String("aws.social-messaging"),
		DetailType: aws.String("WhatsApp Message Delivered"), Detail: aws.String("{}")}}})
	if err != nil || out.FailedEntryCount != 1 || aws.ToString(out.Entries[0].ErrorCode) != "NotAuthorizedForSourceException" {
		t.Errorf("a forged event: %+v, %v", out, err)
	}
}

// A target can be a topic, and what it does not take is a dead letter that can be requeued.
func TestEventsToTopics(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	const topicARN = "arn:aws:sns:us-east-1:000000000000:orders"
	n.rule(t, "orders", `{"source":["shop"]}`, types.Target{Id: aws.String("t"), Arn: aws.String(topicARN), InputPath: aws.String("$.detail")})
	put := func(detail string) {
		t.Helper()
		out, err := n.events().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
			{Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: &detail}}})
		if err != nil || out.FailedEntryCount != 0 {
			t.Fatalf("put %+v, %v", out, err)
		}
	}
	put(`{"n":1}`) // there is no such topic yet
	type letters struct {
		DeadLetters []struct {
			ID          string `json:"deadLetterId"`
			Source      string
			Destination string
			Reason      string
		}
	}
	var dead letters
	waitFor(t, "dead letter", func() bool {
		n.api.Do(t, http.MethodGet, "/v1/waxwing/events/dead-letters", nil).JSON(t, &dead)
		return len(dead.DeadLetters) == 1
	})
	if d := dead.DeadLetters[0]; d.Destination != "arn:aws:events:us-east-1:000000000000:rule/orders/target/t" || d.Reason != "Topic does not exist" || d.Source != "target" {
		t.Errorf("dead letter %+v", d)
	}
	var shown struct{ Envelope string }
	n.api.Do(t, http.MethodGet, "/v1/waxwing/events/dead-letters/details?deadLetterId="+dead.DeadLetters[0].ID, nil).JSON(t, &shown)
	if !strings.Contains(shown.Envelope, `"detail":{"n":1}`) || !strings.Contains(shown.Envelope, `"source":"shop"`) {
		t.Errorf("it carries %s, want the event as it was put", shown.Envelope)
	}

	bodies := make(chan string, 10)
	subscriber := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var doc struct{ Type, SubscribeURL, Message string }
		if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
			t.Error(err)
		}
		if doc.SubscribeURL == "" {
			bodies <- doc.Message
		} else if res, err := http.Get(doc.SubscribeURL); err == nil {
			res.Body.Close()
		}
	}))
	t.Cleanup(subscriber.Close)
	n.call(t, "sns", url.Values{"Action": {"CreateTopic"}, "Name": {"orders"}})
	n.call(t, "sns", url.Values{"Action": {"Subscribe"}, "TopicArn": {topicARN}, "Protocol": {"http"}, "Endpoint": {subscriber.URL}})
	waitFor(t, "confirmation", func() bool {
		return !strings.Contains(n.call(t, "sns", url.Values{"Action": {"ListSubscriptions"}}), "PendingConfirmation")
	})
	if list := n.call(t, "sns", url.Values{"Action": {"ListSubscriptions"}}); strings.Count(list, "<member>") != 1 || strings.Contains(list, "rule/") {
		t.Errorf("subscriptions %s, want the topic's only", list)
	}
	put(`{"n":2}`)
	if got := await(t, bodies); got != `{"n":2}` {
		t.Errorf("arrived %s", got)
	}
	res := n.api.Do(t, http.MethodPost, "/v1/waxwing/events/dead-letters/requeue", map[string]any{"deadLetterIds": []string{dead.DeadLetters[0].ID}})
	if res.Status != http.StatusOK || !strings.Contains(string(res.Body), `"requeued":1`) {
		t.Fatalf("requeue: %d %s", res.Status, res.Body)
	}
	if got := await(t, bodies); got != `{"n":1}` {
		t.Errorf("arrived %s", got)
	}
}

// A target can be a queue, and receives what its template makes of an event.
func TestEventsToQueues(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	remote := sqstest.New(t, "events")
	n := start(t, t.TempDir(), func(c *config.Config) { c.SQS.Endpoint = remote.URL })
	n.rule(t, "orders", `{"source":["shop"]}`, types.Target{Id: aws.String("q"), Arn: aws.String(sqstest.ARN("events")),
		InputTransformer: &types.InputTransformer{InputPathsMap: map[string]string{"n": "$.detail.n"}, InputTemplate: aws.String(`{"order": <n>}`)}})
	if _, err := n.events().PutEvents(t.Context(), &eventbridge.PutEventsInput{Entries: []types.PutEventsRequestEntry{
		{Source: aws.String("shop"), DetailType: aws.String("Order"), Detail: aws.String(`{"n":7}`)}}}); err != nil {
		t.Fatal(err)
	}
	if m := remote.Wait(t, "events", 1); len(m) != 1 || m[0].Body != `{"order": 7}` {
		t.Errorf("messages %+v", m)
	}
}
