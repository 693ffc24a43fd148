// Package dispatch hands accepted messages to WhatsApp.
//
// Every phone number is a lane of its own: its own rate, its own back-off, its own order. A lane keeps a window of the work
// that waits in the outbox table in memory and hands over what is due; the table is the truth, and after a crash or on
// another node the lane goes on from there. One slow or blocked lane never delays another.
//
// WhatsApp has no idempotency key. Before an attempt leaves, the table says so; if its outcome never comes back, the message
// is in doubt and waits for a status that proves the hand-over before it is tried again. See docs/adr.
package dispatch

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/grace"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Store is the outbox. Begin, Postpone and Finish report false, and change nothing, when the job is not in the state the
// caller believes: another attempt was begun, or a status has proved the hand-over. Begin also needs the lane's lease, and is
// refused as fault.Unavailable while there may be no room to record what would come of the attempt.
type Store interface {
	lease.Store
	Lanes(ctx context.Context) ([]string, error)
	// Jobs reads what is due, in order and behind a place.
	Jobs(ctx context.Context, phoneKey string, p message.Priority, after int64, limit int) ([]message.Job, error)
	// Expired reads what is not in doubt and not valid any more.
	Expired(ctx context.Context, phoneKey string, now time.Time, limit int) ([]message.Job, error)
	// Release gives scheduled messages that are due their places, and says which lanes have them and when the next one is due.
	Release(ctx context.Context, now time.Time, limit int) (lanes []string, next time.Time, err error)
	Body(ctx context.Context, seq int64) (sealed []byte, err error)
	Begin(ctx context.Context, l lease.Lease, j *message.Job, now time.Time) (bool, error)
	Postpone(ctx context.Context, j *message.Job, notBefore time.Time, inDoubt bool) (bool, error)
	Finish(ctx context.Context, j *message.Job, s message.State, wamid string, e *event.Event, now time.Time) (bool, error)
	// Block and Unblock note that WhatsApp takes no messages of a number for now, and that it does again. Where that begins or ends an
	// incident, alert makes the event about it, and the destinations that have to publish it are returned.
	Block(ctx context.Context, b message.Block, now time.Time, alert Alert) (destinations []string, err error)
	Unblock(ctx context.Context, wabaKey, phoneKey string, alert Alert) (destinations []string, err error)
	// Blocked returns what keeps a number from sending, of its own or as one of its business account's.
	Blocked(ctx context.Context, phoneKey string) (b message.Block, blocked bool, err error)
	// Understood reports whether every callback that came before a time has been applied.
	Understood(ctx context.Context, before time.Time) (bool, error)
}

// Alert makes the event about the beginning or the end of a block.
type Alert = func(b message.Block, over bool) (*event.Event, error)

// Upstream is WhatsApp. HandOver makes exactly one attempt and never retries by itself.
type Upstream interface {
	HandOver(ctx context.Context, line account.Line, j *message.Job, body []byte) Outcome
}

// Lines knows how to reach WhatsApp as a number.
type Lines interface {
	Line(ctx context.Context, accountID, phoneKey string) (account.Line, error)
}

// Sealer protects what is stored.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Options configure a Dispatcher. Every field is required unless it says otherwise.
type Options struct {
	Store       Store
	Upstream    Upstream
	Lines       Lines
	Sealer      Sealer
	Owner       string // names this node in leases
	RetryWindow time.Duration
	BackoffMin  time.Duration
	BackoffMax  time.Duration
	InDoubtWait time.Duration
	Concurrency int                                      // attempts in flight on this node
	Hearing     func() time.Time                         // since when every callback of Meta's has been taken; nil: since Run began
	OnEvent     func(destinations ...string)             // optional: an event waits for them
	OnAttempt   func(a Attempt)                          // optional: for metrics
	OnAlert     func(kind event.AlertKind, state string) // optional, for metrics: an alert was stored
	OnBlocked   func(c message.Cause, lanes int)         // optional, for metrics: so many lanes more are blocked, or less
	Logger      *slog.Logger
}

// Attempt is what an attempt came to, for metrics.
type Attempt struct {
	Verdict Verdict
	Took    time.Duration
	Waited  time.Duration // since the message was accepted
}

// Dispatcher runs the lanes of one node.
type Dispatcher struct {
	Options
	slots   chan struct{}   // one for each attempt in flight beyond the lanes' own
	begun   context.Context // of attempts: it outlives the order to stop for a while
	fresh   chan string     // lanes to look at now
	sooner  chan struct{}   // a message was scheduled that is due before nextDue
	nextDue atomic.Int64    // when the scheduler looks again, in unix nanoseconds

	mu      sync.Mutex
	lanes   map[string]*lane
	running atomic.Int32 // lanes, for those who hold a lane's lock and must not wait for mu
}

// New returns a Dispatcher; Run makes it work.
func New(o Options) *Dispatcher {
	return &Dispatcher{Options: o, slots: make(chan struct{}, o.Concurrency), fresh: make(chan string, 1024), sooner: make(chan struct{}, 1), lanes: map[string]*lane{}}
}

// scanEvery is how often the table is asked for lanes that nobody told us about: those of nodes that died.
const scanEvery = lease.TTL / 2

// Run drives lanes until ctx ends, then lets attempts in flight finish. It returns nil.
func (d *Dispatcher) Run(ctx context.Context) error {
	if d.Hearing == nil {
		started := time.Now()
		d.Hearing = func() time.Time { return started }
	}
	var cancel context.CancelFunc
	d.begun, cancel = grace.Extend(ctx)
	defer cancel()
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() { d.schedule(ctx) })
	scan := time.NewTicker(scanEvery)
	defer scan.Stop()
	start := func(key string) {
		if l, created := d.lane(key); created {
			wg.Go(func() { l.run(ctx) })
		} else {
			l.poke()
		}
	}
	for {
		if keys, err := d.Store.Lanes(ctx); err == nil {
			for _, key := range keys {
				start(key)
			}
		} else {
			fault.Log(ctx, d.Logger, "read lanes", err)
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case key := <-d.fresh:
				start(key)
			case <-scan.C:
				waiting = false
			}
		}
	}
}

// Offer passes a message on right after it was committed, so that it need not be read back. It never blocks and may be
// ignored: the table has the message.
func (d *Dispatcher) Offer(j message.Job) {
	if !j.SendAt.IsZero() {
		d.expect(j.SendAt)
		return
	}
	if d.offer(j) {
		return
	}
	select {
	case d.fresh <- j.PhoneKey:
	default: // the scan will find it
	}
}

// offer gives a job to its lane, if there is one. The lane cannot retire meanwhile.
func (d *Dispatcher) offer(j message.Job) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.lanes[j.PhoneKey]
	if l != nil {
		l.offer(j)
	}
	return l != nil
}

// Forget drops a job from memory that its sender has taken back, so that it holds up no others.
func (d *Dispatcher) Forget(phoneKey string, seq int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l := d.lanes[phoneKey]; l != nil {
		l.forget(seq)
	}
}

func (d *Dispatcher) lane(key string) (l *lane, created bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if l = d.lanes[key]; l == nil {
		l, created = newLane(d, key), true
		d.lanes[key] = l
		d.running.Store(int32(len(d.lanes)))
	}
	return l, created
}

// Reread lets every lane forget what it knows of its queue: the times in it are not right any more.
func (d *Dispatcher) Reread() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		l.mu.Lock()
		l.stale = true
		l.signal()
		l.mu.Unlock()
	}
}

// share is how many jobs one lane may have in memory now. A few lanes get all they can use; with very many, what each keeps
// shrinks, so that a node needs no more memory for a million messages than for some thousands.
func (d *Dispatcher) share() int {
	return min(windowMax, max(windowMin, nodeMax/max(1, int(d.running.Load()))))
}

// retire forgets an idle lane unless work has been offered to it meanwhile.
func (d *Dispatcher) retire(l *lane) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !l.empty() {
		return false
	}
	delete(d.lanes, l.key)
	d.running.Store(int32(len(d.lanes)))
	return true
}
