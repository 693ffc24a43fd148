package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// eventsAdmin is what people can do about events: see those that were given up, and have events published once more.
type eventsAdmin interface {
	DeadEvents(ctx context.Context, accountID string, after int64, limit int) ([]event.DeadLetter, error)
	DeadEvent(ctx context.Context, accountID string, key int64) (event.DeadLetter, event.Delivery, error)
	RequeueDeadEvents(ctx context.Context, accountID string, keys []int64) (requeued int, destinations []string, err error)
	DiscardDeadEvents(ctx context.Context, accountID string, keys []int64) (discarded int, err error)
	PruneDeadEvents(ctx context.Context, cutoff time.Time) (more bool, err error)
	Replay(ctx context.Context, accountID string, q event.Replay) (event.Replayed, error)
	UnclaimedWebhook(ctx context.Context, seq int64) (u event.Unclaimed, ok bool, err error)
}

// fanoutAdmin is the same for what waits in the queues of the fan-out.
type fanoutAdmin interface {
	DeadMessages(ctx context.Context, accountID string, after int64, limit int) ([]queue.DeadLetter, error)
	DeadMessage(ctx context.Context, accountID string, key int64) (queue.DeadLetter, queue.Record, error)
	RequeueDeadMessages(ctx context.Context, accountID string, keys []int64, now time.Time) (requeued int, queues []int64, err error)
	DiscardDeadMessages(ctx context.Context, accountID string, keys []int64) (discarded int, err error)
}

const stranger = "111122223333"

// bury makes dead letters of everything that waits for the world's topic, and returns them.
func (w *world) bury(t *testing.T) []event.DeadLetter {
	t.Helper()
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 1000)
	must(t, err)
	var dead []event.Outcome
	for _, d := range list {
		dead = append(dead, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Dead, Reason: "too large"})
	}
	w.settle(t, dead...)
	letters, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 1000)
	must(t, err)
	return letters
}

func keysOf(letters []event.DeadLetter) (keys []int64) {
	for _, l := range letters {
		keys = append(keys, l.Key)
	}
	return keys
}

func deadEvents(t *testing.T, w *world) {
	w.link(t, stranger, 2)
	m := w.handOver(t, "wamid.1")
	w.publish(t, 2)
	letters := w.bury(t)
	if len(letters) != 3 {
		t.Fatalf("dead letters = %+v, want 3", letters)
	}
	got := letters[0]
	if got.Key == 0 || got.ID == "" {
		t.Errorf("dead letter without identity: %+v", got)
	}
	got.Key, got.ID = 0, ""
	same(t, "dead letter", got, event.DeadLetter{WABAKey: w.waba.Key, PhoneKey: w.phone.Key, MessageID: m.ID, Field: "messages",
		Status: "accepted", At: w.now, Destination: topicARN, Attempts: 1, Reason: "too large", DiedAt: w.now})
	letter, d, err := w.DeadEvent(w.ctx, w.waba.AccountID, letters[1].Key)
	must(t, err)
	same(t, "one dead letter", letter, letters[1])
	if d.ID != letter.ID || d.WABAMetaID != w.waba.MetaID || d.PhoneMetaID != w.phone.MetaID || string(d.Entry) != "sealed received" || d.Destination != topicARN {
		t.Errorf("its event: %+v", d)
	}
	_, _, err = w.DeadEvent(w.ctx, stranger, letters[1].Key)
	isNotFound(t, "another account's dead letter", err)
	_, _, err = w.DeadEvent(w.ctx, w.waba.AccountID, letters[2].Key+1)
	isNotFound(t, "no dead letter", err)
	rest, err := w.DeadEvents(w.ctx, w.waba.AccountID, letters[0].Key, 1)
	must(t, err)
	same(t, "page", rest, letters[1:2])
	if others, err := w.DeadEvents(w.ctx, stranger, 0, 10); err != nil || len(others) != 0 {
		t.Errorf("another account sees %+v, %v", others, err)
	}
}

func requeueDeadEvents(t *testing.T, w *world) {
	w.link(t, stranger, 2)
	w.publish(t, 3)
	keys := keysOf(w.bury(t))
	if n, arns, err := w.RequeueDeadEvents(w.ctx, stranger, keys); err != nil || n != 0 || len(arns) != 0 {
		t.Errorf("another account requeued %d to %v, %v", n, arns, err)
	}
	elsewhere := account.Destination{ARN: topicARN + "-2"}
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &elsewhere))
	n, arns, err := w.RequeueDeadEvents(w.ctx, w.waba.AccountID, append(keys[1:], 987654))
	must(t, err)
	same(t, "destinations", arns, []string{elsewhere.ARN})
	waiting, err := w.Undelivered(w.ctx, elsewhere.ARN, w.now, 10)
	must(t, err)
	if n != 2 || len(waiting) != 2 || waiting[0].Attempts != 0 || waiting[0].WAMID != "wamid.1" {
		t.Errorf("requeued %d: %+v", n, waiting)
	}
	left, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 10)
	must(t, err)
	same(t, "left", keysOf(left), keys[:1])
	if n, _, err := w.RequeueDeadEvents(w.ctx, w.waba.AccountID, keys[1:]); err != nil || n != 0 {
		t.Errorf("requeued %d once more, %v", n, err)
	}

	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, nil))
	if n, arns, err := w.RequeueDeadEvents(w.ctx, w.waba.AccountID, keys[:1]); err != nil || n != 0 || len(arns) != 0 {
		t.Errorf("without a destination requeued %d to %v, %v", n, arns, err)
	}
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, w.waba.Destination))
	if n, _, err := w.RequeueDeadEvents(w.ctx, w.waba.AccountID, keys[:1]); err != nil || n != 1 {
		t.Errorf("requeued %d, %v", n, err)
	}
	if again := w.bury(t); len(again) != 1 || again[0].Key <= keys[2] {
		t.Errorf("an event that died twice = %+v, want it behind %v", again, keys)
	}
}

func discardDeadEvents(t *testing.T, w *world) {
	w.link(t, stranger, 2)
	w.publish(t, 3)
	keys := keysOf(w.bury(t))
	if n, err := w.DiscardDeadEvents(w.ctx, stranger, keys); err != nil || n != 0 {
		t.Errorf("another account discarded %d, %v", n, err)
	}
	if n, err := w.DiscardDeadEvents(w.ctx, w.waba.AccountID, keys[:1]); err != nil || n != 1 {
		t.Errorf("discarded %d, %v", n, err)
	}
	left, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 10)
	must(t, err)
	same(t, "left", keysOf(left), keys[1:])
	if w.published(t) != "" {
		t.Error("a discarded event is published")
	}

	for _, tc := range []struct {
		cutoff time.Time
		left   int
	}{{w.now.Add(-time.Second), 2}, {w.now, 0}} {
		if more, err := w.PruneDeadEvents(w.ctx, tc.cutoff); err != nil || more {
			t.Errorf("PruneDeadEvents = %v, %v", more, err)
		}
		if left, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 10); err != nil || len(left) != tc.left {
			t.Errorf("%d dead letters left, %v; want %d", len(left), err, tc.left)
		}
	}
}

// told delivers everything that waits for the world's topic and returns it as "status wamid".
func (w *world) told(t *testing.T) (list []string) {
	t.Helper()
	waiting, err := w.Undelivered(w.ctx, topicARN, w.now, 1000)
	must(t, err)
	for _, d := range waiting {
		list = append(list, d.Status+" "+d.WAMID)
	}
	w.deliver(t, waiting...)
	return list
}

func replay(t *testing.T, w *world) {
	w.link(t, stranger, 2)
	begin := w.now
	m := w.handOver(t, "wamid.1")
	for _, c := range []event.Change{w.change(event.StatusChange, "wamid.1", "sent"), w.change(event.StatusChange, "wamid.1", "delivered"),
		w.change(event.InboundChange, "wamid.in", event.Received), w.change(event.OtherChange, "", "")} {
		w.now = w.now.Add(time.Minute)
		if c.Field == "messages" && c.Kind == event.OtherChange {
			c.Field, c.Key = "account_update", []byte("other")
		}
		w.receive(t, c)
	}
	all := w.told(t)
	same(t, "history", all, []string{"accepted wamid.1", "sent wamid.1", "delivered wamid.1", "received wamid.in", " "})

	for _, tc := range []struct {
		name    string
		account string
		q       event.Replay
		want    []string
	}{
		{"everything", "", event.Replay{}, all},
		{"from", "", event.Replay{From: begin.Add(2 * time.Minute)}, all[2:]},
		{"to", "", event.Replay{To: begin.Add(2 * time.Minute)}, all[:2]},
		{"a field", "", event.Replay{Field: "account_update"}, all[4:]},
		{"a status", "", event.Replay{Status: "sent"}, all[1:2]},
		{"a message", "", event.Replay{MessageID: m.ID}, all[:3]},
		{"a message's status", "", event.Replay{MessageID: m.ID, Status: "delivered"}, all[2:3]},
		{"a message's last minute", "", event.Replay{MessageID: m.ID, From: begin.Add(2 * time.Minute)}, all[2:3]},
		{"an unknown message", "", event.Replay{MessageID: "unknown"}, nil},
		{"another account", stranger, event.Replay{}, nil},
		{"another account's message", stranger, event.Replay{MessageID: m.ID}, nil},
	} {
		if tc.account == "" {
			tc.account = w.waba.AccountID
		}
		tc.q.Limit = 100
		res, err := w.Replay(w.ctx, tc.account, tc.q)
		must(t, err)
		var arns []string
		if len(tc.want) > 0 {
			arns = []string{topicARN}
		}
		same(t, tc.name, res, event.Replayed{Queued: len(tc.want), Destinations: arns})
		same(t, tc.name+", told", w.told(t), tc.want)
	}
}

func replayPages(t *testing.T, w *world) {
	w.publish(t, 5) // at one moment
	w.now = w.now.Add(time.Minute)
	w.receive(t, w.change(event.InboundChange, "wamid.later", event.Received))
	all := w.told(t)
	var pages []string
	q := event.Replay{Limit: 2}
	for range 4 {
		res, err := w.Replay(w.ctx, w.waba.AccountID, q)
		must(t, err)
		pages = append(pages, strings.Join(w.told(t), ","))
		if q.After = res.Next; q.After == (event.Place{}) {
			break
		}
	}
	same(t, "pages", pages, []string{strings.Join(all[:2], ","), strings.Join(all[2:4], ","), strings.Join(all[4:], ",")})
}

func replayKinds(t *testing.T, w *world) {
	w.publish(t, 3)
	waiting, err := w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 10})
	must(t, err)
	same(t, "of what waits", waiting, event.Replayed{Waiting: 3})
	if letters := w.bury(t); len(letters) != 3 {
		t.Fatalf("dead letters = %+v", letters)
	}
	dead, err := w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 10})
	must(t, err)
	same(t, "of what died", dead, event.Replayed{Queued: 3, Destinations: []string{topicARN}})
	letters, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 10)
	must(t, err)
	same(t, "dead letters left", len(letters), 0)
	same(t, "dead again", len(w.bury(t)), 3)

	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, nil))
	lost, err := w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 10})
	must(t, err)
	same(t, "without a destination", lost, event.Replayed{Undirected: 3})
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	lost, err = w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 10})
	must(t, err)
	same(t, "after unlinking", lost, event.Replayed{Undirected: 3})
}

func unclaimedWebhook(t *testing.T, w *world) {
	for i := range 2 {
		c := w.change(event.StatusChange, fmt.Sprint("wamid.", i), "sent")
		c.WABAMetaID = "999"
		w.receive(t, c)
	}
	list, err := w.Unclaimed(w.ctx, 10)
	must(t, err)
	got, ok, err := w.UnclaimedWebhook(w.ctx, list[1].Seq)
	must(t, err)
	if !ok {
		t.Fatal("what is listed cannot be read")
	}
	same(t, "unclaimed", got, list[1])
	if _, ok, err := w.UnclaimedWebhook(w.ctx, 987654); ok || err != nil {
		t.Errorf("what was never there: %v, %v", ok, err)
	}
}

func requeueDeadMessages(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s, gone := h.confirmed(t, arn, "https://a.example/"), h.confirmed(t, arn, "https://b.example/")
	pending := h.subscribe(t, arn, "https://c.example/")
	published := h.publish(t, arn, 3)
	second := h.due(t, s.Key).Messages[1].Record
	for _, sub := range []topic.Subscription{s, gone, pending} {
		h.settle(t, h.claim(t, sub.Key, "node"), sub.Key, queue.Undone, h.due(t, sub.Key).Messages...)
	}
	letters, err := h.DeadMessages(h.ctx, h.account, 0, 10)
	must(t, err)
	if len(letters) != 7 {
		t.Fatalf("dead letters %+v, want 3 of each subscriber and a confirmation", letters)
	}
	var keys []int64
	for _, l := range letters {
		keys = append(keys, l.Key)
	}
	if n, subs, err := h.RequeueDeadMessages(h.ctx, stranger, keys, h.now); err != nil || n != 0 || len(subs) != 0 {
		t.Errorf("another account requeued %d for %v, %v", n, subs, err)
	}
	if n, err := h.DiscardDeadMessages(h.ctx, stranger, keys); err != nil || n != 0 {
		t.Errorf("another account discarded %d, %v", n, err)
	}
	letter, record, err := h.DeadMessage(h.ctx, h.account, keys[1])
	must(t, err)
	same(t, "shown", letter, letters[1])
	same(t, "record", record, second)
	if _, _, err := h.DeadMessage(h.ctx, stranger, keys[1]); !fault.Is(err, fault.NotFound) {
		t.Errorf("shown to another account: %v", err)
	}
	_, err = h.Unsubscribe(h.ctx, gone.ARN, []byte("token"), h.now.Add(time.Hour), h.message(topic.UnsubscribeConfirmation))
	must(t, err)

	n, subs, err := h.RequeueDeadMessages(h.ctx, h.account, append(keys, 987654), h.now)
	must(t, err)
	same(t, "requeued", n, 4)
	same(t, "subscriptions", subs, []int64{s.Key, pending.Key})
	due := h.due(t, s.Key).Messages
	same(t, "due", ids(due), published)
	same(t, "attempts", due[0].Attempts, 0)
	same(t, "confirmation", len(h.due(t, pending.Key).Messages), 1)

	left, err := h.DeadMessages(h.ctx, h.account, 0, 10)
	must(t, err)
	if len(left) != 3 || left[0].Subscriber != gone.ARN {
		t.Errorf("left %+v, want what is for nobody now", left)
	}
	n, err = h.DiscardDeadMessages(h.ctx, h.account, keys)
	must(t, err)
	same(t, "discarded", n, 3)
	// What was discarded for one is still there for the other.
	h.settle(t, h.claim(t, s.Key, "node"), s.Key, queue.Done, h.due(t, s.Key).Messages...)
	same(t, "delivered", len(h.due(t, s.Key).Messages), 0)
	if left, err := h.DeadMessages(h.ctx, h.account, 0, 10); err != nil || len(left) != 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}
