package app

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

const eventsTopic = "arn:aws:sns:us-east-1:000000000000:whatsapp-events"

// sns calls an action of SNS.
func (n *node) sns(t *testing.T, action string, parameters ...string) string {
	t.Helper()
	form := url.Values{"Action": {action}, "Version": {"2010-03-31"}}
	for i := 0; i < len(parameters); i += 2 {
		form.Set(parameters[i], parameters[i+1])
	}
	return n.call(t, "sns", form)
}

// subscribe adds an HTTP subscriber of the topic of events and waits until it is confirmed.
func (n *node) subscribe(t *testing.T, endpoint string) {
	t.Helper()
	n.sns(t, "Subscribe", "TopicArn", eventsTopic, "Protocol", "http", "Endpoint", endpoint)
	waitFor(t, "confirmation", func() bool {
		return !strings.Contains(n.sns(t, "ListSubscriptionsByTopic", "TopicArn", eventsTopic), "PendingConfirmation")
	})
}

// bury stops the node and makes dead letters of all events that wait for the topic of events.
func (n *node) bury(t *testing.T) {
	t.Helper()
	n.stop()
	db, _, err := openStore(t.Context(), n.cfg, sqlite.Options{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	l, err := db.AcquireLease(t.Context(), "destination/"+eventsTopic, "test", time.Now(), lease.TTL)
	if err != nil || !l.Held() {
		t.Fatal(l, err)
	}
	waiting, err := db.Undelivered(t.Context(), eventsTopic, time.Now(), 100)
	if err != nil {
		t.Fatal(err)
	}
	s := event.Settlement{AccountID: config.DevAccountID, At: time.Now()}
	for _, d := range waiting {
		s.Outcomes = append(s.Outcomes, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Dead, Reason: "the topic does not exist"})
	}
	if held, err := db.SettleEvents(t.Context(), l, eventsTopic, s); err != nil || !held {
		t.Fatal(held, err)
	}
}

// buried is a dead letter as ListDeadLetters shows it.
type buried struct {
	DeadLetterID, Source, EventID, NotificationType, WabaID, PhoneNumberID, MessageID, Field, Status, Destination, Reason string
	Attempts                                                                                                              int
	Timestamp, DeadSince                                                                                                  float64
}

func (n *node) deadLetters(t *testing.T, parameters ...string) (list []buried, next string) {
	t.Helper()
	var out struct {
		DeadLetters []buried
		NextToken   string
	}
	n.ask(t, "GET", path("events/dead-letters", parameters...), nil, &out)
	return out.DeadLetters, out.NextToken
}

type again struct {
	Requeued, Skipped, Discarded, Replayed, Waiting, Undirected int
	NextToken                                                   string
}

func unlimited(c *config.Config) {
	c.Limits = map[string]float64{"ListDeadLetters": 1000, "RequeueDeadLetters": 1000, "DiscardDeadLetters": 1000, "ReplayEvents": 1000,
		"GetMessage": 1000}
}

// TestEventsAgain loses events with their topic, and has them published after all, and once more.
func TestEventsAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first := start(t, dir, unlimited)
	first.sns(t, "DeleteTopic", "TopicArn", eventsTopic)
	id := first.send(t, template)
	first.await(t, id, "delivered")
	first.bury(t)
	n := start(t, dir, unlimited)

	list, next := n.deadLetters(t)
	if len(list) != 3 || next != "" {
		t.Fatalf("dead letters = %+v, %q", list, next)
	}
	var statuses, ids []string
	for _, l := range list {
		statuses, ids = append(statuses, l.Status), append(ids, l.DeadLetterID)
		if l.Source != "event" || l.EventID == "" || l.MessageID != id || l.PhoneNumberID != seededPhone || !strings.HasPrefix(l.WabaID, "waba-") ||
			l.Field != "messages" || l.Destination != eventsTopic || l.Reason != "the topic does not exist" || l.Attempts == 0 ||
			l.Timestamp == 0 || l.DeadSince < l.Timestamp || l.NotificationType != "" {
			t.Errorf("dead letter = %+v", l)
		}
	}
	if got := strings.Join(statuses, " "); got != "accepted sent delivered" {
		t.Errorf("dead letters are about %s", got)
	}
	var whole struct {
		DeadLetter buried
		Envelope   string
	}
	n.ask(t, "GET", path("events/dead-letters/details", "deadLetterId", list[0].DeadLetterID), nil, &whole)
	if got := describe(t, whole.Envelope); whole.DeadLetter != list[0] || !strings.HasSuffix(got, list[0].MessageID) {
		t.Errorf("%+v carries %q, want %+v", whole.DeadLetter, got, list[0])
	}
	page, next := n.deadLetters(t, "maxResults", "2")
	rest, end := n.deadLetters(t, "maxResults", "2", "nextToken", next)
	if len(page) != 2 || len(rest) != 1 || rest[0] != list[2] || end != "" {
		t.Errorf("pages = %+v, %+v, %q", page, rest, end)
	}
	if none, _ := n.deadLetters(t, "destination", eventsTopic+"-2"); len(none) != 0 {
		t.Errorf("of another destination: %+v", none)
	}

	other := n.stranger(t)
	if res := other.Do(t, "GET", path("events/dead-letters"), nil); string(res.Body) != `{"deadLetters":[]}` {
		t.Errorf("another account sees %s", res.Body)
	}
	choice := map[string]any{"deadLetterIds": ids}
	if res := other.Do(t, "POST", "/v1/waxwing/events/dead-letters/requeue", choice); string(res.Body) != `{"requeued":0,"skipped":3}` {
		t.Errorf("another account requeues: %s", res.Body)
	}
	if res := other.Do(t, "POST", "/v1/waxwing/events/dead-letters/discard", choice); string(res.Body) != `{"discarded":0}` {
		t.Errorf("another account discards: %s", res.Body)
	}
	if res := other.Do(t, "GET", path("events/dead-letters", "nextToken", next), nil); res.Code() != "InvalidParametersException" {
		t.Errorf("another account's token: %d %s", res.Status, res.Code())
	}

	endpoint, told := sink(t)
	n.subscribe(t, endpoint)
	var out again
	n.ask(t, "POST", "/v1/waxwing/events/dead-letters/discard", map[string]any{"deadLetterIds": ids[1:2]}, &out)
	n.ask(t, "POST", "/v1/waxwing/events/dead-letters/requeue", map[string]any{"destination": eventsTopic}, &out)
	if out != (again{Requeued: 2, Discarded: 1}) {
		t.Errorf("requeued: %+v", out)
	}
	expect(t, told, "accepted "+id, "delivered "+id)
	if left, _ := n.deadLetters(t); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}

	// What was discarded is history still. By the way a message is replayed by either id.
	wamid := n.await(t, id, "delivered").WAMID
	for _, q := range []map[string]any{{"messageId": id}, {"messageId": wamid, "from": time.Now().Add(-time.Hour).Format(time.RFC3339)}} {
		out = again{}
		waitFor(t, "empty queue", func() bool {
			n.ask(t, "POST", "/v1/waxwing/events/replay", q, &out)
			return out.Waiting == 0
		})
		if out.Replayed != 3 {
			t.Errorf("replay of %v = %+v", q, out)
		}
		expect(t, told, "accepted "+id, "sent "+id, "delivered "+id)
	}
	if res := other.Do(t, "POST", "/v1/waxwing/events/replay", map[string]any{"messageId": id}); res.Code() != "ResourceNotFoundException" {
		t.Errorf("another account's message: %d %s", res.Status, res.Code())
	}
}

func TestReplayInPages(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unlimited)
	endpoint, told := sink(t)
	n.subscribe(t, endpoint)
	before := time.Now().Add(-time.Minute).Unix()
	var want []string
	for range 3 {
		id := n.send(t, template)
		want = append(want, "delivered "+id)
	}
	expect(t, told, want...)

	q := map[string]any{"from": fmt.Sprint(before), "field": "messages", "status": "delivered", "maxEvents": 2}
	var first, second, none again
	n.ask(t, "POST", "/v1/waxwing/events/replay", q, &first)
	q["nextToken"] = first.NextToken
	n.ask(t, "POST", "/v1/waxwing/events/replay", q, &second)
	if first.Replayed+first.Waiting != 2 || first.NextToken == "" || second.Replayed+second.Waiting != 1 || second.NextToken != "" {
		t.Errorf("pages = %+v, %+v", first, second)
	}
	expect(t, told, want...)
	n.ask(t, "POST", "/v1/waxwing/events/replay", map[string]any{"to": fmt.Sprint(before)}, &none)
	if none != (again{}) {
		t.Errorf("before anything happened: %+v", none)
	}

	other := n.stranger(t)
	for _, tc := range []struct {
		name, operation string
		body            map[string]any
		code            string
	}{
		{"no selection", "replay", map[string]any{"maxEvents": 10}, "InvalidParametersException"},
		{"no time", "replay", map[string]any{"from": "yesterday"}, "InvalidParametersException"},
		{"too many", "replay", map[string]any{"status": "sent", "maxEvents": 501}, "ValidationException"},
		{"a token for another selection", "replay", map[string]any{"status": "sent", "nextToken": first.NextToken}, "InvalidParametersException"},
		{"an unknown message", "replay", map[string]any{"messageId": "0199f0c4-0000-7000-8000-000000000000"}, "ResourceNotFoundException"},
		{"an unknown destination", "replay", map[string]any{"status": "sent", "eventDestinationId": eventsTopic + "s"}, "ResourceNotFoundException"},
		{"no choice", "dead-letters/requeue", map[string]any{}, "InvalidParametersException"},
		{"two choices", "dead-letters/discard", map[string]any{"all": true, "destination": eventsTopic}, "InvalidParametersException"},
		{"no id", "dead-letters/discard", map[string]any{"deadLetterIds": []string{"event-x"}}, "InvalidParametersException"},
		{"an id of no kind", "dead-letters/requeue", map[string]any{"deadLetterIds": []string{"letter-1"}}, "InvalidParametersException"},
	} {
		if res := n.api.Do(t, "POST", "/v1/waxwing/events/"+tc.operation, tc.body); res.Code() != tc.code {
			t.Errorf("%s: %d %s %s, want %s", tc.name, res.Status, res.Code(), res.Body, tc.code)
		}
	}
	delete(q, "nextToken")
	if res := other.Do(t, "POST", "/v1/waxwing/events/replay", q); string(res.Body) != `{"replayed":0,"waiting":0,"undirected":0}` {
		t.Errorf("another account replays %s", res.Body)
	}
}

// TestNotificationsAgain has a subscriber that is broken for a while.
func TestNotificationsAgain(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) {
		unlimited(c)
		c.Topics.RetryWindow = time.Millisecond
	})
	working, told := sink(t)
	target, err := url.Parse(working)
	if err != nil {
		t.Fatal(err)
	}
	var broken atomic.Bool
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if broken.Load() {
			http.Error(w, "broken", http.StatusInternalServerError)
			return
		}
		proxy(w, r, target)
	}))
	t.Cleanup(front.Close)
	n.subscribe(t, front.URL)

	broken.Store(true)
	entry := `{"messageId":"%s","whatsAppWebhookEntry":"{\"changes\":[{\"value\":{}}]}","context":{"MetaWabaIds":[{}]}}`
	var list []buried
	for i := range 2 {
		n.sns(t, "Publish", "TopicArn", eventsTopic, "Message", fmt.Sprintf(entry, fmt.Sprint(" ", i)))
		waitFor(t, "dead letter", func() bool {
			list, _ = n.deadLetters(t)
			return len(list) == i+1
		})
	}
	l := list[0]
	if l.Source != "notification" || l.NotificationType != "Notification" || l.EventID == "" || !strings.HasPrefix(l.Destination, eventsTopic+":") ||
		!strings.Contains(l.Reason, "500") || l.MessageID != "" || l.Timestamp == 0 || l.DeadSince < l.Timestamp {
		t.Errorf("dead letter = %+v", l)
	}
	var whole struct {
		DeadLetter buried
		Envelope   string
	}
	n.ask(t, "GET", path("events/dead-letters/details", "deadLetterId", l.DeadLetterID), nil, &whole)
	if whole.DeadLetter != l || whole.Envelope != fmt.Sprintf(entry, " 0") {
		t.Errorf("shown: %+v", whole)
	}
	if err := Operate(t.Context(), *n.cfg, config.DevAccountID, func(o *Operator) error { return showsAll(t, o, entry) }); err != nil {
		t.Error(err)
	}
	page, next := n.deadLetters(t, "maxResults", "1", "destination", l.Destination)
	rest, end := n.deadLetters(t, "maxResults", "10", "destination", l.Destination, "nextToken", next)
	if !slices.Equal(slices.Concat(page, rest), list) || end != "" {
		t.Errorf("pages = %+v, %+v, %q", page, rest, end)
	}

	broken.Store(false)
	var out again
	n.ask(t, "POST", "/v1/waxwing/events/dead-letters/requeue", map[string]any{"deadLetterIds": []string{l.DeadLetterID}}, &out)
	expect(t, told, "received 0")
	n.ask(t, "POST", "/v1/waxwing/events/dead-letters/discard", map[string]any{"all": true}, &out)
	if out != (again{Requeued: 1, Discarded: 1}) {
		t.Errorf("requeued and discarded: %+v", out)
	}
	if left, _ := n.deadLetters(t); len(left) != 0 {
		t.Errorf("left: %+v", left)
	}
}

// showsAll has an operator look at dead letters, which must carry what was published, in order.
func showsAll(t *testing.T, o *Operator, entry string) error {
	t.Helper()
	letters, err := o.Letters(t.Context(), "", 10)
	for i, l := range letters {
		carried, err := o.ShowLetter(t.Context(), l.ID)
		if want := fmt.Sprintf(entry, fmt.Sprint(" ", i)); err != nil || string(carried) != want {
			t.Errorf("%s carries %s, %v, want %s", l.ID, carried, err, want)
		}
	}
	if len(letters) != 2 {
		t.Errorf("an operator sees %+v", letters)
	}
	return err
}

// proxy passes a request on.
func proxy(w http.ResponseWriter, r *http.Request, target *url.URL) {
	req := r.Clone(r.Context())
	req.URL.Scheme, req.URL.Host, req.RequestURI = target.Scheme, target.Host, ""
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	res.Body.Close()
	w.WriteHeader(res.StatusCode)
}
