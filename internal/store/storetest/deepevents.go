package storetest

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Backlog is how many events RunBacklog wants to wait for one destination. An engine puts them there by its own means: each is of
// QueueAccount and QueueWABA, with BacklogEntry, and waits for BacklogDestination.
const (
	Backlog            = 1_000_000
	BacklogDestination = topicARN
	BacklogEntry       = `{"id":"1200000000000001","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001",` +
		`"phone_number_id":"1100000000000001"},"statuses":[{"id":"wamid.HBgLMTQyNTU1NTAxNTAVAgARGBI","status":"delivered","timestamp":"1763800000",` +
		`"recipient_id":"14255550150"}]},"field":"messages"}]}`
)

// What publishing may take on top, whatever waits.
const backlogHeap = 64 << 20

// RunBacklog holds an engine, and publishing on it, to what is promised about a destination that has been dead for long: its
// queue costs no memory, its events do not hold up those of others, neither while it is dead nor when it is back. open returns a
// store with the backlog. The test measures memory and must not run beside others.
func RunBacklog(t *testing.T, open func(t *testing.T) Store) {
	w := newWorld(t, open(t))
	other, _ := w.link(t, stranger, 2)
	live := account.Destination{ARN: "arn:aws:sns:us-east-1:" + stranger + ":live"}
	must(t, w.SetDestination(w.ctx, stranger, other.Key, &live))
	before := held()
	spy := &receivers{down: true, got: map[string]int{}}
	e := deliver.New(deliver.Options{Store: w.Store, Publisher: spy, Sealer: unsealed{}, Scope: account.Scope{Partition: "aws", Region: "us-east-1"}, Owner: "node",
		RetryWindow: 100 * 365 * 24 * time.Hour, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		if err := e.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		stop()
		<-stopped
	})

	publish := func(n int) time.Duration {
		t.Helper()
		start, want := time.Now(), spy.count(live.ARN)+n
		for range n {
			ev := &event.Event{ID: uuid.NewString(), AccountID: stranger, WABAKey: other.Key, Field: "messages", Status: "delivered", At: time.Now(), Entry: []byte(BacklogEntry)}
			must(t, w.Publish(w.ctx, ev))
			e.Wake(ev.Destinations...)
		}
		spy.await(t, live.ARN, want)
		return time.Since(start)
	}
	const some = 500
	dead := publish(some)
	if spy.count(BacklogDestination) != 0 {
		t.Fatal("a dead destination took events")
	}
	spy.recover()
	e.Hurry(BacklogDestination)
	spy.await(t, BacklogDestination, 1)
	drained := spy.count(BacklogDestination)
	back := publish(some)
	drained = spy.count(BacklogDestination) - drained
	spy.await(t, BacklogDestination, 10_000)
	after := held()
	t.Logf("%d live events took %v beside a dead destination with %d waiting, %v while %d of them left; %d KiB more in memory",
		some, dead, Backlog, back, drained, (after-before)>>10)
	if drained == 0 {
		t.Error("nothing of the backlog left meanwhile")
	}
	if spy.count(BacklogDestination) > Backlog/2 {
		t.Error("live events waited for most of the backlog")
	}
	if after-before > backlogHeap {
		t.Errorf("publishing holds %d KiB with %d events waiting, want at most %d", (after-before)>>10, Backlog, backlogHeap>>10)
	}
}

// receivers stand for all destinations; the one with the backlog is down at first.
type receivers struct {
	mu   sync.Mutex
	down bool
	got  map[string]int
}

// Publish implements deliver.Publisher.
func (r *receivers) Publish(_ context.Context, d event.Destination, messages []event.Outgoing) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := make([]error, len(messages))
	if d.Name == BacklogDestination && r.down {
		for i := range errs {
			errs[i] = fault.New(fault.Dependency, "down")
		}
		return errs
	}
	for i := range messages {
		messages[i].Envelope()
	}
	r.got[d.Name] += len(messages)
	return errs
}

func (r *receivers) recover() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down = false
}

func (r *receivers) count(name string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.got[name]
}

// await waits until a destination has got so many events.
func (r *receivers) await(t *testing.T, name string, n int) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(2 * time.Minute)
	for r.count(name) < n {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s got %d of %d events", name, r.count(name), n)
		}
	}
}
