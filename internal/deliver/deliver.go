// Package deliver publishes events to their destinations.
//
// Every destination has a queue of its own, driven by one worker on one node at a time, so that a sick destination delays
// neither another nor the ingest of new events, and costs no memory: its queue is a table. Delivery is at least once: an event
// leaves the queue only after its destination took it, or as a dead letter with the reason. A destination that takes nothing is
// probed with one event, and another in case that one is at fault, at growing intervals; one that is gone, or has taken nothing for
// too long, is disabled and an alert says so. People pause and resume destinations, and see how each is doing and what was tried.
package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// Store is the queues of events. What a lease guards does nothing and reports false when the lease has changed hands.
type Store interface {
	lease.Store
	Destinations(ctx context.Context) ([]string, error)
	QueueState(ctx context.Context, destination string) (event.QueueState, error)
	Undelivered(ctx context.Context, destination string, now time.Time, limit int) ([]event.Delivery, error)
	NextDelivery(ctx context.Context, destination string) (time.Time, error)
	SettleEvents(ctx context.Context, l lease.Lease, destination string, s event.Settlement) (held bool, err error)
	BuryEvents(ctx context.Context, l lease.Lease, destination string, cutoff time.Time, reason string, now time.Time, limit int) (n int, held bool, err error)
	PurgeEvents(ctx context.Context, l lease.Lease, destination string, limit int) (n int, held bool, err error)
	Senders(ctx context.Context, accountID, destination string) ([]account.WABA, error)
}

// Publisher sends messages to one kind of destination. It returns one error a message, nil for those that arrived. A
// fault.InvalidParameters says that this message can never arrive, an event.GoneError that nothing ever will, event.ErrUnwanted that
// this one is not for it, event.ErrUntried that there was no time for it; anything else is trouble with the destination, with the
// RetryAfter of a fault if it has said when to come back.
type Publisher interface {
	Publish(ctx context.Context, destination event.Destination, messages []event.Outgoing) []error
}

// Sealer protects what is stored.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Options configure an Engine.
type Options struct {
	Store        Store
	Publisher    Publisher
	Sealer       Sealer
	Scope        account.Scope // partition and Region of the ARNs in envelopes
	Owner        string        // names this node in leases
	RetryWindow  time.Duration // how old an event gets before it becomes a dead letter
	DisableAfter time.Duration // how long an additional destination may take nothing before it is disabled; 0: for ever
	Observer     Observer      // optional: for metrics
	Logger       *slog.Logger
}

// Observer is told what happens, for metrics. Its functions may be nil.
type Observer struct {
	Delivered func(k event.Kind, sinceChange time.Duration) // an event arrived
	Failed    func(k event.Kind, n int)                     // attempts failed
	Died      func(k event.Kind, n int)                     // events became dead letters
	Alerted   func(k event.AlertKind, state string)
}

// Engine runs the queues of one node.
type Engine struct {
	Options
	fresh chan string

	mu     sync.Mutex
	queues map[string]*queue
}

// New returns an Engine; Run makes it work.
func New(o Options) *Engine {
	return &Engine{Options: o, fresh: make(chan string, 1024), queues: map[string]*queue{}}
}

const (
	batchSize = 100
	idleFor   = 5 * time.Second
	scanEvery = lease.TTL / 2
)

// Wake tells the engine that events wait for destinations, or that a destination has changed. It never blocks.
func (e *Engine) Wake(destinations ...string) {
	for _, name := range destinations {
		if e.signal(name) {
			continue
		}
		select {
		case e.fresh <- name:
		default: // the scan will find it
		}
	}
}

// Hurry has a destination tried at once: someone has changed it, or repaired it.
func (e *Engine) Hurry(destination string) {
	e.mu.Lock()
	if q := e.queues[destination]; q != nil {
		signal(q.hurry)
	}
	e.mu.Unlock()
	e.Wake(destination)
}

// signal wakes the queue of a destination, if there is one. The queue cannot retire without noticing.
func (e *Engine) signal(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	q := e.queues[name]
	if q != nil {
		q.signal()
	}
	return q != nil
}

// Run publishes until ctx ends and returns nil. Publishing that is under way finishes first.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	scan := time.NewTicker(scanEvery)
	defer scan.Stop()
	start := func(name string) {
		if e.signal(name) {
			return
		}
		q := newQueue(e, name)
		e.mu.Lock()
		e.queues[name] = q
		e.mu.Unlock()
		wg.Go(func() { q.run(ctx) })
	}
	for {
		names, err := e.Store.Destinations(ctx)
		if err != nil {
			fault.Log(ctx, e.Logger, "read destinations", err)
		}
		for _, name := range names {
			start(name)
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case name := <-e.fresh:
				start(name)
			case <-scan.C:
				waiting = false
			}
		}
	}
}

// retire forgets a queue, unless work has been announced. Work that is announced from here on starts a new one.
func (e *Engine) retire(q *queue) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-q.wake:
		return false
	default:
		delete(e.queues, q.name)
		return true
	}
}
