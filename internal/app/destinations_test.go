package app

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

// described is an event destination as the API describes it.
type described struct {
	EventDestinationID, ARN, Name, Type, Address, BusinessAccountID string
	Concurrency                                                     int
	MaxEventsPerSecond                                              float64
	HeaderNames                                                     []string
	Filter                                                          *struct{ Fields, Statuses, PhoneNumberIDs []string }
	Health                                                          struct {
		State, Reason, LastFailure string
		WaitingEvents              int
		LastDeliveryAt             float64
	}
}

// destination makes an additional event destination and returns its id.
func (n *node) destination(t *testing.T, body string) (id, secret string) {
	t.Helper()
	var out struct{ EventDestinationID, ARN, Secret string }
	n.ask(t, http.MethodPost, "/v1/waxwing/event-destinations", json.RawMessage(body), &out)
	if !strings.HasPrefix(out.EventDestinationID, "event-destination-") || !strings.HasSuffix(out.ARN, strings.TrimPrefix(out.EventDestinationID, "event-destination-")) {
		t.Fatalf("made %+v", out)
	}
	return out.EventDestinationID, out.Secret
}

func (n *node) look(t *testing.T, id string) (d described) {
	t.Helper()
	n.ask(t, http.MethodGet, "/v1/waxwing/event-destinations/details?eventDestinationId="+url.QueryEscape(id), nil, &d)
	return d
}

// act calls one of the operations that take the id of a destination.
func (n *node) act(t *testing.T, action, id string, out any) {
	t.Helper()
	n.ask(t, http.MethodPost, "/v1/waxwing/event-destinations/"+action, map[string]string{"eventDestinationId": id}, out)
}

// A copy of some events goes to another topic; it is paused, resumed, tried, and taken away.
func TestAdditionalDestination(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	const second = "arn:aws:sns:us-east-1:000000000000:failures"
	n.sns(t, "CreateTopic", "Name", "failures")
	endpoint, told := sink(t)
	n.sns(t, "Subscribe", "TopicArn", second, "Protocol", "http", "Endpoint", endpoint)
	waitFor(t, "confirmation", func() bool {
		list := n.sns(t, "ListSubscriptionsByTopic", "TopicArn", second)
		return strings.Contains(list, endpoint) && !strings.Contains(list, "PendingConfirmation")
	})
	id, _ := n.destination(t, `{"name":"failures","type":"sns","address":"`+second+`","filter":{"fields":["messages"],"statuses":["failed"]}}`)

	fine := n.send(t, template)
	n.waitState(t, fine, "delivered", 0)
	refused := n.send(t, strings.Replace(template, "hello_world", "no_such_template", 1))
	if got := <-told; got != "failed "+refused {
		t.Errorf("the first copy is %q", got)
	}

	n.act(t, "pause", id, new(struct{}))
	paused := n.send(t, strings.Replace(template, "hello_world", "no_such_template", 1))
	n.waitState(t, paused, "failed", 0)
	waitFor(t, "event that waits", func() bool { return n.look(t, id).Health.WaitingEvents == 1 })
	if d := n.look(t, id); d.Health.State != "paused" || d.Name != "failures" || d.Address != second || d.Filter.Statuses[0] != "failed" {
		t.Errorf("paused: %+v", d)
	}
	n.act(t, "resume", id, new(struct{}))
	if got := <-told; got != "failed "+paused {
		t.Errorf("after resuming comes %q", got)
	}
	waitFor(t, "an empty queue", func() bool { return n.look(t, id).Health.WaitingEvents == 0 })
	if d := n.look(t, id); d.Health.State != "working" || d.Health.LastDeliveryAt == 0 {
		t.Errorf("resumed: %+v", d)
	}

	var trial struct {
		EventID, Reason string
		Delivered       bool
	}
	n.act(t, "test", id, &trial)
	if got := <-told; !trial.Delivered || trial.EventID == "" || got != "received" {
		t.Errorf("test event: %+v, told %q", trial, got)
	}

	var list struct{ EventDestinations []described }
	n.ask(t, http.MethodGet, "/v1/waxwing/event-destinations/list", nil, &list)
	if len(list.EventDestinations) != 2 || list.EventDestinations[0].Address != eventsTopic || list.EventDestinations[1].EventDestinationID != id {
		t.Errorf("list = %+v", list)
	}
	var log struct {
		Attempts []struct {
			Result        string
			Calls, Events int
		}
	}
	n.ask(t, http.MethodGet, "/v1/waxwing/event-destinations/attempts?eventDestinationId="+id, nil, &log)
	delivered := 0
	for _, a := range log.Attempts {
		if a.Result == "delivered" {
			delivered += a.Events
		}
	}
	if delivered != 2 {
		t.Errorf("attempts = %+v, want 2 events in them", log)
	}

	var replayed struct{ Replayed int }
	n.ask(t, http.MethodPost, "/v1/waxwing/events/replay", map[string]string{"messageId": refused, "eventDestinationId": id}, &replayed)
	if got := <-told; replayed.Replayed != 1 || got != "failed "+refused {
		t.Errorf("replayed %d, told %q", replayed.Replayed, got)
	}

	n.ask(t, http.MethodDelete, "/v1/waxwing/event-destinations?eventDestinationId="+id, nil, new(struct{}))
	if res := n.api.Do(t, http.MethodGet, "/v1/waxwing/event-destinations/details?eventDestinationId="+id, nil); res.Status != http.StatusNotFound {
		t.Errorf("after deletion: %d %s", res.Status, res.Body)
	}
}

// What cannot be meant is refused with the member at fault, and another account's destinations are not there.
func TestAdditionalDestinationRefusals(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.Outbound.AllowPrivate = false
		c.Limits = map[string]float64{"CreateEventDestination": 1000}
	})
	for name, tc := range map[string]struct{ body, want string }{
		"no address":          {`{"type":"https"}`, "address"},
		"an unknown type":     {`{"type":"smoke","address":"https://example.com"}`, "type"},
		"no TLS":              {`{"type":"https","address":"http://example.com/"}`, "https://"},
		"a password":          {`{"type":"https","address":"https://u:p@example.com/"}`, "password"},
		"a header of ours":    {`{"type":"https","address":"https://example.com/","headers":[{"name":"Webhook-Id","value":"x"}]}`, "Webhook-Id"},
		"a header twice":      {`{"type":"https","address":"https://example.com/","headers":[{"name":"A","value":"x"},{"name":"a","value":"x"}]}`, "more than once"},
		"a broken header":     {`{"type":"https","address":"https://example.com/","headers":[{"name":"A","value":"x\r\ny"}]}`, "printable"},
		"a short secret":      {`{"type":"https","address":"https://example.com/","secret":"whsec_eA=="}`, "secret"},
		"a secret of a topic": {`{"type":"sns","address":"arn:aws:sns:us-east-1:000000000000:t","secret":"whsec_eA=="}`, "secret"},
		"a FIFO queue":        {`{"type":"sqs","address":"arn:aws:sqs:us-east-1:000000000000:q.fifo"}`, "FIFO"},
		"another account's":   {`{"type":"sns","address":"arn:aws:sns:us-east-1:111122223333:t"}`, "this account"},
		"another Region's":    {`{"type":"sns","address":"arn:aws:sns:eu-west-1:000000000000:t"}`, "Region"},
		"another kind":        {`{"type":"sqs","address":"arn:aws:sns:us-east-1:000000000000:t"}`, "ARN"},
		"too eager":           {`{"type":"https","address":"https://example.com/","concurrency":65}`, "concurrency"},
		"too fast":            {`{"type":"https","address":"https://example.com/","maxEventsPerSecond":-1}`, "maxEventsPerSecond"},
		"an unknown account":  {`{"type":"https","address":"https://example.com/","businessAccountId":"waba-1"}`, "waba-1"},
	} {
		t.Run(name, func(t *testing.T) {
			res := n.api.Do(t, http.MethodPost, "/v1/waxwing/event-destinations", json.RawMessage(tc.body))
			if res.Status/100 != 4 || !strings.Contains(string(res.Body), tc.want) {
				t.Errorf("%d %s, want a refusal with %q", res.Status, res.Body, tc.want)
			}
		})
	}
	for _, action := range []string{"pause", "resume", "test", "rotate-secret"} {
		for _, id := range []string{"event-destination-unknown", "arn:aws:sns:us-east-1:111122223333:t", "nonsense"} {
			res := n.api.Do(t, http.MethodPost, "/v1/waxwing/event-destinations/"+action, map[string]string{"eventDestinationId": id})
			if res.Status != http.StatusNotFound {
				t.Errorf("%s of %s: %d %s", action, id, res.Status, res.Body)
			}
		}
	}
}

// Every event is posted to an HTTPS destination, which disables itself by saying that it is gone.
func TestHTTPSDestination(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	told := make(chan string, 100)
	var gone atomic.Bool
	hook := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Header.Get("Webhook-Id") == "" || r.Header.Get("Webhook-Signature") == "" || r.Header.Get("X-Shop") != "7" {
			t.Errorf("%v with %v", err, r.Header)
		}
		if gone.Load() {
			w.WriteHeader(http.StatusGone)
			return
		}
		told <- describe(t, string(body))
	}))
	t.Cleanup(hook.Close)
	id, _ := n.destination(t, `{"type":"https","address":"`+hook.URL+`","concurrency":8,"headers":[{"name":"X-Shop","value":"7"}]}`)
	message := n.send(t, template)
	expect(t, told, "accepted "+message, "sent "+message, "delivered "+message)

	gone.Store(true)
	n.send(t, template)
	waitFor(t, "disabled destination", func() bool { return n.look(t, id).Health.State == "disabled" })
	waitFor(t, "metric of the alert", func() bool {
		_, text := n.get(t, "http://"+n.OpsAddr()+"/metrics")
		return strings.Contains(text, `waxwing_alerts_total{alert="destination_disabled",state="raised"} 1`+"\n")
	})
	gone.Store(false)
	n.act(t, "resume", id, new(struct{}))
	last := n.send(t, template)
	expect(t, told, "delivered "+last)
}

// The signing secret of an HTTPS destination is told once; the values of its headers never.
func TestDestinationSecretsStaySecret(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	id, secret := n.destination(t, `{"type":"https","address":"https://example.com/hook","headers":[{"name":"Authorization","value":"Bearer hidden"}]}`)
	if !strings.HasPrefix(secret, "whsec_") {
		t.Fatalf("secret %q", secret)
	}
	d := n.look(t, id)
	if len(d.HeaderNames) != 1 || d.HeaderNames[0] != "Authorization" {
		t.Errorf("headers %v", d.HeaderNames)
	}
	var next struct{ Secret string }
	n.act(t, "rotate-secret", id, &next)
	if next.Secret == secret || !strings.HasPrefix(next.Secret, "whsec_") {
		t.Errorf("rotated to %q", next.Secret)
	}
	n.ask(t, http.MethodPut, "/v1/waxwing/event-destinations?eventDestinationId="+id, map[string]any{"name": "renamed", "maxEventsPerSecond": 5}, &d)
	if d.Name != "renamed" || d.MaxEventsPerSecond != 5 || d.Address != "https://example.com/hook" || len(d.HeaderNames) != 1 {
		t.Errorf("changed to %+v", d)
	}
	for _, path := range []string{"list", "details?eventDestinationId=" + id, "attempts?eventDestinationId=" + id} {
		res := n.api.Do(t, http.MethodGet, "/v1/waxwing/event-destinations/"+path, nil)
		if strings.Contains(string(res.Body), "hidden") || strings.Contains(string(res.Body), "whsec_") {
			t.Errorf("%s tells a secret: %s", path, res.Body)
		}
	}
}
