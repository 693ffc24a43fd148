package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// destinations is what is kept of destinations themselves: additional ones, and how each is doing.
type destinations interface {
	CreateAdditional(ctx context.Context, a *event.Additional, most int) error
	UpdateAdditional(ctx context.Context, accountID, key string, change func(*event.Additional) error) (event.Additional, error)
	DeleteAdditional(ctx context.Context, accountID, key string) error
	Additional(ctx context.Context, accountID, key string) (event.Additional, error)
	Additionals(ctx context.Context, accountID string) ([]event.Additional, error)
	AWSDestinations(ctx context.Context, accountID string) ([]string, error)
	Halt(ctx context.Context, accountID, destination string, h event.Halt, reason string, now time.Time, alerts []*event.Event) (changed bool, err error)
	Health(ctx context.Context, destination string) (event.Health, error)
	Attempts(ctx context.Context, destination string, before time.Time, limit int) ([]event.Attempts, error)
	PruneAttempts(ctx context.Context, cutoff time.Time) (more bool, err error)
}

// copies adds an additional destination to the world's account and returns the name of its queue.
func (w *world) copies(t *testing.T, n int, change func(*event.Additional)) (name string) {
	t.Helper()
	a := &event.Additional{Key: fmt.Sprintf("%032d", n), AccountID: w.waba.AccountID, Name: fmt.Sprint("copies ", n), Kind: event.HTTPS,
		Address: "https://example.com/hook", Concurrency: 4, Sealed: []byte("sealed"), CreatedAt: w.now, UpdatedAt: w.now}
	if change != nil {
		change(a)
	}
	must(t, w.CreateAdditional(w.ctx, a, 50))
	return account.ID(account.KindEventDestination, a.Key)
}

// waiting lists what may be published to a destination now, as "field status".
func (w *world) waiting(t *testing.T, destination string) (list []string) {
	t.Helper()
	found, err := w.Undelivered(w.ctx, destination, w.now, 1000)
	must(t, err)
	for _, d := range found {
		list = append(list, d.Field+" "+d.Status)
	}
	return list
}

func (w *world) leaseOf(t *testing.T, destination string) lease.Lease {
	t.Helper()
	l, err := w.AcquireLease(w.ctx, "destination/"+destination, "node", w.now, lease.TTL)
	must(t, err)
	return l
}

func postponed(t *testing.T, w *world) {
	w.publish(t, 8)
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 4)
	must(t, err)
	next := w.now.Add(time.Minute)
	w.settle(t, event.Outcome{Seq: list[0].Seq, Fate: event.Again, Next: next}, event.Outcome{Seq: list[1].Seq, Fate: event.Again, Next: next.Add(1)},
		event.Outcome{Seq: list[2].Seq, Fate: event.Again, Next: next.Add(-time.Second)}, event.Outcome{Seq: list[3].Seq, Fate: event.Again})
	fresh, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	if len(fresh) != 5 || fresh[0].Seq != list[3].Seq || fresh[0].Attempts != 1 {
		t.Errorf("before its time %+v is offered", fresh)
	}
	due, err := w.NextDelivery(w.ctx, topicARN)
	must(t, err)
	same(t, "next", due, next.Add(-time.Second))
	w.now = next
	both, err := w.Undelivered(w.ctx, topicARN, w.now, 4)
	must(t, err)
	if len(both) != 4 || both[0].Seq != list[2].Seq || both[1].Seq != list[3].Seq {
		t.Errorf("repetitions do not share with others: %+v", both)
	}
	w.deliver(t, both...)
	rest, err := w.Undelivered(w.ctx, topicARN, w.now, 100)
	must(t, err)
	if len(rest) != 4 || rest[0].Seq != list[0].Seq || !rest[0].Due.Equal(next) {
		t.Errorf("after these were delivered: %+v", rest)
	}
	if due, err = w.NextDelivery(w.ctx, "arn:aws:sns:us-east-1:000000000000:another"); err != nil || !due.IsZero() {
		t.Errorf("of another destination: %v, %v", due, err)
	}
}

func buryOld(t *testing.T, w *world) {
	w.publish(t, 3)
	cutoff := w.now
	w.now = w.now.Add(time.Hour)
	w.receive(t, w.change(event.InboundChange, "wamid.young", event.Received))
	l := w.queueLease(t)
	for _, want := range []int{2, 1, 0} {
		n, held, err := w.BuryEvents(w.ctx, l, topicARN, cutoff, "too old", w.now, 2)
		settled(t)(held, err)
		same(t, "buried", n, want)
	}
	letters, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 10)
	must(t, err)
	if len(letters) != 3 || letters[0].Reason != "too old" || letters[0].Attempts != 0 || !letters[0].DiedAt.Equal(w.now) {
		t.Errorf("dead letters = %+v", letters)
	}
	same(t, "left", len(w.waiting(t, topicARN)), 1)
}

func additional(t *testing.T, w *world) {
	other, _ := w.link(t, stranger, 2)
	all := w.copies(t, 1, nil)
	accounts := w.copies(t, 2, func(a *event.Additional) { a.Filter.Fields = []string{"account_update", "security"} })
	failures := w.copies(t, 3, func(a *event.Additional) {
		a.WABAKey, a.Filter = w.waba.Key, event.Filter{Statuses: []string{"failed", event.Received}, Numbers: []string{w.phone.Key}}
	})
	foreign := &event.Additional{Key: "f", AccountID: stranger, WABAKey: other.Key, Kind: event.HTTPS, CreatedAt: w.now}
	must(t, w.CreateAdditional(w.ctx, foreign, 1))

	update := w.change(event.OtherChange, "", "")
	update.Field, update.PhoneMetaID, update.Key = "account_update", "", []byte("update")
	res := w.receive(t, w.change(event.InboundChange, "wamid.1", event.Received), update)
	same(t, "destinations", res.Destinations, []string{topicARN, all, failures, accounts})
	for name, want := range map[string][]string{topicARN: {"messages received", "account_update "}, all: {"messages received", "account_update "},
		accounts: {"account_update "}, failures: {"messages received"}, account.ID(account.KindEventDestination, "f"): nil} {
		same(t, name, w.waiting(t, name), want)
	}
	names, err := w.Destinations(w.ctx)
	must(t, err)
	same(t, "with work", len(names), 4)

	// Each has its own queue: what one has taken still waits for the others.
	list, err := w.Undelivered(w.ctx, all, w.now, 10)
	must(t, err)
	settled(t)(w.SettleEvents(w.ctx, w.leaseOf(t, all), all, event.Settlement{AccountID: w.waba.AccountID, At: w.now,
		Outcomes: []event.Outcome{{Seq: list[0].Seq, Fate: event.Done}, {Seq: list[1].Seq, Fate: event.Dead, Reason: "no"}}}))
	same(t, "left of copies", len(w.waiting(t, all)), 0)
	same(t, "left of the topic", len(w.waiting(t, topicARN)), 2)
	if _, err := w.PruneEvents(w.ctx, w.now.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	same(t, "after pruning", len(w.waiting(t, topicARN)), 2)
}

func additionalRefused(t *testing.T, w *world) {
	other, _ := w.link(t, stranger, 2)
	w.copies(t, 1, nil)
	a := &event.Additional{Key: "second", AccountID: w.waba.AccountID, Kind: event.HTTPS, CreatedAt: w.now}
	if err := w.CreateAdditional(w.ctx, a, 1); !fault.Is(err, fault.LimitExceeded) {
		t.Errorf("one too many: %v", err)
	}
	a.WABAKey = other.Key
	if err := w.CreateAdditional(w.ctx, a, 2); !fault.Is(err, fault.NotFound) {
		t.Errorf("of another account's business account: %v", err)
	}
	list, err := w.Additionals(w.ctx, w.waba.AccountID)
	must(t, err)
	same(t, "additional destinations", len(list), 1)
}

func additionalChanged(t *testing.T, w *world) {
	w.link(t, stranger, 2)
	w.copies(t, 1, nil)
	key := fmt.Sprintf("%032d", 1)
	later := w.now.Add(time.Hour)
	got, err := w.UpdateAdditional(w.ctx, w.waba.AccountID, key, func(a *event.Additional) error {
		a.Name, a.Address, a.Filter.Fields, a.PerSecond, a.Sealed, a.UpdatedAt = "renamed", "https://example.com/2", []string{"messages"}, 7.5, []byte("new"), later
		return nil
	})
	must(t, err)
	want := event.Additional{Key: key, AccountID: w.waba.AccountID, Name: "renamed", Kind: event.HTTPS, Address: "https://example.com/2", Concurrency: 4,
		Filter: event.Filter{Fields: []string{"messages"}}, PerSecond: 7.5, Sealed: []byte("new"), CreatedAt: w.now, UpdatedAt: later}
	same(t, "changed", got, want)
	read, err := w.Additional(w.ctx, w.waba.AccountID, key)
	must(t, err)
	same(t, "read back", read, want)

	no := errors.New("no")
	if _, err := w.UpdateAdditional(w.ctx, w.waba.AccountID, key, func(a *event.Additional) error { a.Name = "x"; return no }); !errors.Is(err, no) {
		t.Errorf("a change that fails: %v", err)
	}
	_, err = w.UpdateAdditional(w.ctx, w.waba.AccountID, key, func(a *event.Additional) error { a.WABAKey = "nobody's"; return nil })
	isNotFound(t, "a business account that is not there", err)
	_, err = w.UpdateAdditional(w.ctx, stranger, key, func(*event.Additional) error { t.Error("called"); return nil })
	isNotFound(t, "another account's change", err)
	_, err = w.Additional(w.ctx, stranger, key)
	isNotFound(t, "another account's look", err)
	isNotFound(t, "another account's deletion", w.DeleteAdditional(w.ctx, stranger, key))
	if read, err = w.Additional(w.ctx, w.waba.AccountID, key); err != nil || read.Name != "renamed" || read.WABAKey != "" {
		t.Errorf("after refused changes: %+v, %v", read, err)
	}

	_, err = w.UpdateAdditional(w.ctx, w.waba.AccountID, key, func(a *event.Additional) error { a.WABAKey = w.waba.Key; return nil })
	must(t, err)
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	if got, err = w.UpdateAdditional(w.ctx, w.waba.AccountID, key, func(a *event.Additional) error { a.Sealed = []byte("rotated"); return nil }); err != nil ||
		string(got.Sealed) != "rotated" {
		t.Errorf("a change when its business account is unlinked: %+v, %v", got, err)
	}
}

func additionalDeleted(t *testing.T, w *world) {
	name := w.copies(t, 1, nil)
	w.publish(t, 3)
	must(t, w.DeleteAdditional(w.ctx, w.waba.AccountID, fmt.Sprintf("%032d", 1)))
	isNotFound(t, "deleting again", w.DeleteAdditional(w.ctx, w.waba.AccountID, fmt.Sprintf("%032d", 1)))
	s, err := w.QueueState(w.ctx, name)
	must(t, err)
	same(t, "state", s, event.QueueState{Gone: true})
	l := w.leaseOf(t, name)
	for _, want := range []int{2, 1, 0} {
		n, held, err := w.PurgeEvents(w.ctx, l, name, 2)
		settled(t)(held, err)
		same(t, "purged", n, want)
	}
	same(t, "left of the topic", len(w.waiting(t, topicARN)), 3)
	w.receive(t, w.change(event.InboundChange, "wamid.later", event.Received))
	same(t, "after deletion", len(w.waiting(t, name)), 0)
}

func queueState(t *testing.T, w *world) {
	name := w.copies(t, 1, nil)
	s, err := w.QueueState(w.ctx, name)
	must(t, err)
	if s.Halt != event.Running || s.Gone || s.Additional == nil || s.Additional.Name != "copies 1" || !s.FailingSince.IsZero() {
		t.Errorf("a new one: %+v", s)
	}
	h, err := w.Health(w.ctx, topicARN)
	must(t, err)
	same(t, "health before any event", h, event.Health{Name: topicARN})

	begin := w.now
	w.publish(t, 4)
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	round := func(fate event.Fate, reason string, i int) {
		t.Helper()
		w.now = w.now.Add(time.Minute)
		settled(t)(w.SettleEvents(w.ctx, w.queueLease(t), topicARN, event.Settlement{AccountID: w.waba.AccountID, At: w.now, Reason: reason,
			Trouble: fate == event.Again, Outcomes: []event.Outcome{{Seq: list[i].Seq, Fate: fate, Reason: reason}}}))
	}
	round(event.Again, "down", 0)
	round(event.Again, "still down", 0)
	h, err = w.Health(w.ctx, topicARN)
	must(t, err)
	same(t, "failing", h, event.Health{Name: topicARN, Waiting: 4, Oldest: begin, FailingSince: begin.Add(time.Minute), Failure: "still down", FailedAt: w.now})
	if s, err = w.QueueState(w.ctx, topicARN); err != nil || !s.FailingSince.Equal(begin.Add(time.Minute)) || s.Additional != nil || s.Gone {
		t.Errorf("state = %+v, %v", s, err)
	}
	round(event.Done, "", 0)
	h, err = w.Health(w.ctx, topicARN)
	must(t, err)
	same(t, "working", h, event.Health{Name: topicARN, Waiting: 3, Oldest: begin, Failure: "still down", FailedAt: w.now.Add(-time.Minute), DeliveredAt: w.now})
	round(event.Dead, "too large", 3)
	h, err = w.Health(w.ctx, topicARN)
	must(t, err)
	same(t, "working but for an event", h, event.Health{Name: topicARN, Waiting: 2, Oldest: begin, Failure: "too large", FailedAt: w.now, DeliveredAt: w.now.Add(-time.Minute)})

	w.now = w.now.Add(time.Minute)
	settled(t)(w.SettleEvents(w.ctx, w.queueLease(t), topicARN, event.Settlement{AccountID: w.waba.AccountID, At: w.now, Reason: "410", Disable: "gone",
		Outcomes: []event.Outcome{{Seq: list[1].Seq, Fate: event.Again}}}))
	h, err = w.Health(w.ctx, topicARN)
	must(t, err)
	if h.Halt != event.Disabled || h.HaltReason != "gone" || !h.HaltedAt.Equal(w.now) || h.Waiting != 2 {
		t.Errorf("disabled: %+v", h)
	}
	arns, err := w.AWSDestinations(w.ctx, w.waba.AccountID)
	must(t, err)
	same(t, "AWS destinations", arns, []string{topicARN})
}

func halts(t *testing.T, w *world) {
	halt := func(h event.Halt, reason string) bool {
		t.Helper()
		changed, err := w.Halt(w.ctx, w.waba.AccountID, topicARN, h, reason, w.now, nil)
		must(t, err)
		return changed
	}
	if !halt(event.Paused, "maintenance") || halt(event.Paused, "again") {
		t.Error("pausing changes a running destination, and a paused one not")
	}
	h, err := w.Health(w.ctx, topicARN)
	must(t, err)
	same(t, "paused", h, event.Health{Name: topicARN, Halt: event.Paused, HaltReason: "maintenance", HaltedAt: w.now})
	w.publish(t, 1)
	same(t, "events of a paused destination", len(w.waiting(t, topicARN)), 1)
	if !halt(event.Running, "") {
		t.Error("resuming changed nothing")
	}
	s, err := w.QueueState(w.ctx, topicARN)
	must(t, err)
	same(t, "resumed", s, event.QueueState{ResumedAt: w.now})
}

func alertsElsewhere(t *testing.T, w *world) {
	name := w.copies(t, 1, nil)
	alert := func(id string) *event.Event {
		e := w.event("", "", event.Raised)
		e.ID, e.Field = id, event.AlertField
		return e
	}
	w.publish(t, 1)
	list, err := w.Undelivered(w.ctx, name, w.now, 1)
	must(t, err)
	raised := alert("raised")
	settled(t)(w.SettleEvents(w.ctx, w.leaseOf(t, name), name, event.Settlement{AccountID: w.waba.AccountID, At: w.now, Reason: "410", Disable: "gone",
		Alerts: []*event.Event{raised}, Outcomes: []event.Outcome{{Seq: list[0].Seq, Fate: event.Again}}}))
	same(t, "alert goes to", raised.Destinations, []string{topicARN})
	same(t, "at the destination", w.waiting(t, name), []string{"messages received"})
	same(t, "at the topic", w.waiting(t, topicARN), []string{"messages received", "waxwing_alert raised"})

	cleared := alert("cleared")
	if changed, err := w.Halt(w.ctx, w.waba.AccountID, name, event.Running, "", w.now, []*event.Event{cleared}); err != nil || !changed {
		t.Fatal(changed, err)
	}
	same(t, "the end goes to", cleared.Destinations, []string{topicARN})
	again := alert("again")
	if changed, err := w.Halt(w.ctx, w.waba.AccountID, name, event.Running, "", w.now, []*event.Event{again}); err != nil || changed {
		t.Fatal(changed, err)
	}
	same(t, "without a change, alerts at the topic", len(w.waiting(t, topicARN)), 3)

	senders, err := w.Senders(w.ctx, w.waba.AccountID, name)
	must(t, err)
	ofTopic, err := w.Senders(w.ctx, w.waba.AccountID, topicARN)
	must(t, err)
	want := []account.WABA{{Key: w.waba.Key, AccountID: w.waba.AccountID, MetaID: w.waba.MetaID, Destination: &account.Destination{ARN: topicARN}}}
	same(t, "senders", senders, want)
	same(t, "senders of the topic", ofTopic, want)
	if none, err := w.Senders(w.ctx, stranger, name); err != nil || len(none) != 0 {
		t.Errorf("another account's senders: %+v, %v", none, err)
	}
}

func attemptLog(t *testing.T, w *world) {
	w.publish(t, 6)
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	round := func(at time.Time, took time.Duration, reason string, outcomes ...event.Outcome) {
		t.Helper()
		settled(t)(w.SettleEvents(w.ctx, w.queueLease(t), topicARN, event.Settlement{AccountID: w.waba.AccountID, At: at, Took: took, Reason: reason, Outcomes: outcomes}))
	}
	first := w.now.Add(10 * time.Second)
	round(first, time.Second, "", event.Outcome{Seq: list[0].Seq}, event.Outcome{Seq: list[1].Seq})
	round(first.Add(time.Second), 3*time.Second, "busy", event.Outcome{Seq: list[2].Seq}, event.Outcome{Seq: list[3].Seq, Fate: event.Again})
	second := w.now.Add(time.Minute)
	round(second, time.Second, "busy", event.Outcome{Seq: list[3].Seq, Fate: event.Again})
	got, err := w.Attempts(w.ctx, topicARN, time.Time{}, 10)
	must(t, err)
	want := []event.Attempts{{Minute: second, Reason: "busy", Rounds: 1, Events: 1, Slowest: time.Second, LastAt: second},
		{Minute: w.now, Reason: "busy", Rounds: 1, Events: 1, Slowest: 3 * time.Second, LastAt: first.Add(time.Second)},
		{Minute: w.now, Rounds: 2, Events: 3, Slowest: 3 * time.Second, LastAt: first.Add(time.Second)}}
	same(t, "attempts", got, want)
	page, err := w.Attempts(w.ctx, topicARN, second, 1)
	must(t, err)
	same(t, "page", page, want[1:2])
	if more, err := w.PruneAttempts(w.ctx, w.now); err != nil || more {
		t.Fatal(more, err)
	}
	left, err := w.Attempts(w.ctx, topicARN, time.Time{}, 10)
	must(t, err)
	same(t, "after pruning", left, want[:1])
}

func requeueCopies(t *testing.T, w *world) {
	name := w.copies(t, 1, nil)
	w.publish(t, 1)
	list, err := w.Undelivered(w.ctx, name, w.now, 1)
	must(t, err)
	settled(t)(w.SettleEvents(w.ctx, w.leaseOf(t, name), name, event.Settlement{AccountID: w.waba.AccountID, At: w.now,
		Outcomes: []event.Outcome{{Seq: list[0].Seq, Fate: event.Dead, Reason: "no"}}}))
	w.bury(t)
	letters, err := w.DeadEvents(w.ctx, w.waba.AccountID, 0, 10)
	must(t, err)
	same(t, "dead letters of one event", []string{letters[0].Destination, letters[1].Destination}, []string{name, topicARN})
	n, names, err := w.RequeueDeadEvents(w.ctx, w.waba.AccountID, keysOf(letters[:1]))
	must(t, err)
	if n != 1 || len(names) != 1 || names[0] != name || len(w.waiting(t, topicARN)) != 0 || len(w.waiting(t, name)) != 1 {
		t.Errorf("requeued %d to %v", n, names)
	}
	must(t, w.DeleteAdditional(w.ctx, w.waba.AccountID, fmt.Sprintf("%032d", 1)))
	again := w.bury(t)
	if n, _, err := w.RequeueDeadEvents(w.ctx, w.waba.AccountID, keysOf(again)); err != nil || n != 1 || len(w.waiting(t, topicARN)) != 1 {
		t.Errorf("requeued %d, %v", n, err)
	}
}

func replayToOne(t *testing.T, w *world) {
	w.publish(t, 2)
	w.told(t)
	name := w.copies(t, 1, func(a *event.Additional) { a.Filter.Statuses = []string{event.Received} })
	res, err := w.Replay(w.ctx, w.waba.AccountID, event.Replay{Destination: name, Limit: 10})
	must(t, err)
	same(t, "to one", res, event.Replayed{Queued: 2, Destinations: []string{name}})
	same(t, "the others", len(w.waiting(t, topicARN)), 0)
	res, err = w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 10})
	must(t, err)
	same(t, "to all", res, event.Replayed{Queued: 2, Destinations: []string{topicARN}})
	res, err = w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 10})
	must(t, err)
	same(t, "again", res, event.Replayed{Waiting: 2})
	res, err = w.Replay(w.ctx, w.waba.AccountID, event.Replay{Destination: "event-destination-unknown", Limit: 10})
	must(t, err)
	same(t, "to nobody", res, event.Replayed{Undirected: 2})
}
