// Package fanout delivers what is published to the built-in topics and what matches the rules of the built-in event bus.
//
// Every subscription and every target of a rule has a queue of its own, driven by one worker on one node at a time, so that a
// slow or dead subscriber delays nobody else. A worker keeps a few requests in flight, reads its queue and writes results back
// in batches, and backs off when its subscriber fails. What cannot be delivered within the retry window becomes a dead letter.
// Delivery is at least once and not in order. How a message reaches a subscriber is a Courier's business.
package fanout

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Store is the queue of every subscriber.
type Store interface {
	lease.Store
	// WaitingQueues returns the keys of queues that have something due.
	WaitingQueues(ctx context.Context, now time.Time) ([]int64, error)
	// DueMessages reads what is due in a queue, oldest first, except the messages held: at most limit, and no more once their
	// bodies have reached size bytes. When nothing is due it says when something will be.
	DueMessages(ctx context.Context, key int64, now time.Time, held []int64, limit, size int) (queue.Due, error)
	// SettleMessages records outcomes. It does nothing and reports false when the lease has changed hands.
	SettleMessages(ctx context.Context, l lease.Lease, key int64, outcomes []queue.Outcome, now time.Time) (held bool, err error)
	// SweepQueues forgets expired subscriptions, queues that have ended, and dead letters that are older than cutoff.
	SweepQueues(ctx context.Context, now, cutoff time.Time) error
}

// Courier takes messages to subscribers.
type Courier interface {
	// Deliver takes one message to its subscriber; nil means that it arrived. It returns soon after ctx ends. A fault.Validation,
	// fault.InvalidParameters or fault.NotFound says that the message can never be delivered. A fault's
	// RetryAfter asks to leave the subscriber alone. The text of an error, of a fault without its cause, is shown to the owner, so it
	// carries neither bodies nor secrets.
	Deliver(ctx context.Context, to queue.Subscriber, m *queue.Waiting) error
}

// Options configure an Engine.
type Options struct {
	Store   Store
	Courier Courier
	Owner   string      // names this node in leases
	Retry   queue.Retry // for subscribers that have no policy of their own; what is zero comes from queue.DefaultRetry
	// PerQueue is the most deliveries in flight to one subscriber; zero: 16.
	PerQueue int
	// KeepDeadLetters is how long dead letters stay visible; zero: 14 days.
	KeepDeadLetters time.Duration
	OnDelivered     func(n int) // optional: for metrics
	OnFailed        func(n int) // optional: failed attempts, for metrics
	OnDeadLetter    func(n int) // optional: for metrics
	Logger          *slog.Logger
}

const (
	batchRows  = 100
	batchBytes = 128 << 10
	maxHeld    = 4 * batchRows   // messages of one queue in memory, when results are slow to write
	staleAfter = 5 * time.Second // how long what was read may wait for its turn
	idleFor    = 5 * time.Second // how long a worker without work keeps its lease
	maxWait    = time.Hour       // what a subscriber may ask for with Retry-After
	scanEvery  = lease.TTL / 2
	sweepEvery = time.Minute
	grace      = 3 * time.Second // what requests in flight get when the process stops
)

// Engine runs the queues of one node.
type Engine struct {
	Options

	mu      sync.Mutex
	workers map[int64]*worker
	fresh   map[int64]struct{} // announced, not yet started
	wake    chan struct{}      // fresh has something
}

// New returns an Engine; Run makes it work.
func New(o Options) *Engine {
	o.Retry = o.Retry.Or(queue.DefaultRetry())
	if o.PerQueue == 0 {
		o.PerQueue = 16
	}
	if o.KeepDeadLetters == 0 {
		o.KeepDeadLetters = 14 * 24 * time.Hour
	}
	return &Engine{Options: o, workers: make(map[int64]*worker), fresh: make(map[int64]struct{}), wake: make(chan struct{}, 1)}
}

// Wake tells the engine that queues have something to deliver. It never blocks.
func (e *Engine) Wake(queues ...int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	announced := false
	for _, key := range queues {
		if w := e.workers[key]; w != nil {
			signal(w.wake)
			continue
		}
		e.fresh[key] = struct{}{}
		announced = true
	}
	if announced {
		signal(e.wake)
	}
}

// Run delivers until ctx ends and returns nil. Requests in flight get a moment to finish; what they did not finish is
// delivered after the next start.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	scan := time.NewTicker(scanEvery)
	defer scan.Stop()
	sweep := time.NewTicker(sweepEvery)
	defer sweep.Stop()
	e.scan(ctx)
	for {
		e.start(ctx, &wg)
		select {
		case <-ctx.Done():
			return nil
		case <-e.wake:
		case <-scan.C:
			e.scan(ctx)
		case <-sweep.C:
			now := time.Now()
			if err := e.Store.SweepQueues(ctx, now, now.Add(-e.KeepDeadLetters)); err != nil {
				fault.Log(ctx, e.Logger, "sweep queues", err)
			}
		}
	}
}

// scan finds work that nobody announced here: from before the start, of another node, or scheduled for later.
func (e *Engine) scan(ctx context.Context) {
	keys, err := e.Store.WaitingQueues(ctx, time.Now())
	if err != nil {
		fault.Log(ctx, e.Logger, "read waiting queues", err)
	}
	e.Wake(keys...)
}

// start runs a worker for every announced queue.
func (e *Engine) start(ctx context.Context, wg *sync.WaitGroup) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for key := range e.fresh {
		delete(e.fresh, key)
		if w := e.workers[key]; w != nil {
			signal(w.wake)
			continue
		}
		w := newWorker(e, key)
		e.workers[key] = w
		wg.Go(func() { w.run(ctx) })
	}
}

// retire forgets a worker unless something was announced to it meanwhile.
func (e *Engine) retire(w *worker) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	select {
	case <-w.wake:
		return false
	default:
		delete(e.workers, w.key)
		return true
	}
}

// forget drops a worker that cannot go on. The scan starts another if there is work.
func (e *Engine) forget(w *worker) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.workers, w.key)
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func count(f func(int), n int) {
	if f != nil && n > 0 {
		f(n)
	}
}

// jitter spreads retries; it needs no secrecy.
func jitter() float64 { return rand.Float64() }

func leaseName(key int64) string { return "queue/" + strconv.FormatInt(key, 10) }
