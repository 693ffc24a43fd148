// Package deliver publishes events to the destinations of their business accounts.
//
// Every destination has a queue of its own, driven by one worker on one node at a time, so that a dead destination delays
// neither another nor the ingest of new events. Delivery is at least once: an event leaves the queue only after its
// destination took it.
package deliver

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/grace"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// Store is the queue of events. Settling does nothing and reports false when the lease has changed hands.
type Store interface {
	lease.Store
	Destinations(ctx context.Context) ([]string, error)
	Undelivered(ctx context.Context, destination string, limit int) ([]event.Delivery, error)
	Delivered(ctx context.Context, l lease.Lease, seqs []int64) (held bool, err error)
	Undeliverable(ctx context.Context, l lease.Lease, failed []event.Undelivered, now time.Time) (held bool, err error)
}

// Publisher sends messages to one kind of destination. It returns one error a message, nil for those that arrived. A
// fault.InvalidParameters says that this message can never arrive, an event.GoneError that nothing ever will; anything else is
// trouble with the destination, with the RetryAfter of a fault if it has said when to come back.
type Publisher interface {
	Publish(ctx context.Context, destination event.Destination, messages []event.Outgoing) []error
}

// Opener undoes the protection of what is stored.
type Opener interface {
	Open(sealed, associated []byte) ([]byte, error)
}

// Options configure an Engine.
type Options struct {
	Store       Store
	Publisher   Publisher
	Opener      Opener
	Scope       account.Scope                          // partition and Region of the ARNs in envelopes
	Owner       string                                 // names this node in leases
	RetryWindow time.Duration                          // how old an event gets before it becomes a dead letter
	OnDelivered func(n int, sinceChange time.Duration) // optional: for metrics
	OnFailed    func(n int)                            // optional: for metrics
	Logger      *slog.Logger
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
	pauseMin  = 200 * time.Millisecond
	pauseMax  = time.Minute
)

// Wake tells the engine that events wait for destinations. It never blocks.
func (e *Engine) Wake(destinations ...string) {
	for _, d := range destinations {
		e.wake(d)
	}
}

func (e *Engine) wake(arn string) {
	e.mu.Lock()
	q := e.queues[arn]
	if q != nil {
		q.signal() // under the lock, so that the queue does not retire without noticing
	}
	e.mu.Unlock()
	if q != nil {
		return
	}
	select {
	case e.fresh <- arn:
	default: // the scan will find it
	}
}

// Run publishes until ctx ends and returns nil. Publishing that is under way finishes first.
func (e *Engine) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	scan := time.NewTicker(scanEvery)
	defer scan.Stop()
	start := func(arn string) {
		e.mu.Lock()
		defer e.mu.Unlock()
		if q := e.queues[arn]; q != nil {
			q.signal()
			return
		}
		q := &queue{e: e, arn: arn, wake: make(chan struct{}, 1), keeper: lease.NewKeeper(e.Store, "destination/"+arn, e.Owner)}
		e.queues[arn] = q
		wg.Go(func() { q.run(ctx) })
	}
	for {
		arns, err := e.Store.Destinations(ctx)
		if err != nil && ctx.Err() == nil {
			e.Logger.Error("read destinations", "error", err)
		}
		for _, arn := range arns {
			start(arn)
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil
			case arn := <-e.fresh:
				start(arn)
			case <-scan.C:
				waiting = false
			}
		}
	}
}

// queue drives one destination.
type queue struct {
	e      *Engine
	arn    string
	wake   chan struct{}
	keeper *lease.Keeper
	streak int // consecutive rounds in which the destination took nothing
}

func (q *queue) signal() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) run(ctx context.Context) {
	defer q.keeper.Release(ctx)
	idleSince := time.Now()
	for ctx.Err() == nil {
		held, _, err := q.keeper.Hold(ctx)
		n, more := 0, false
		if err == nil && held.Held() {
			n, more, err = q.round(ctx, held)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			q.e.Logger.Error("deliver", "destination", q.arn, "error", err)
			q.sleep(ctx, time.Second, nil)
		case q.streak > 0:
			q.sleep(ctx, pause(q.streak), nil)
		case more:
			idleSince = time.Now()
		case n > 0:
			idleSince = time.Now()
			q.sleep(ctx, idleFor, q.wake)
		case time.Since(idleSince) >= idleFor:
			// The lease goes first: a new queue of this destination must not find it held by us and have it released under it.
			q.keeper.Release(ctx)
			if q.retire() {
				return
			}
		default:
			q.sleep(ctx, idleFor, q.wake)
		}
	}
}

// retire forgets the queue, unless work has been announced. Work that is announced from here on starts a new one.
func (q *queue) retire() bool {
	q.e.mu.Lock()
	defer q.e.mu.Unlock()
	select {
	case <-q.wake:
		return false
	default:
		delete(q.e.queues, q.arn)
		return true
	}
}

// round publishes the oldest events and returns how many there were, and whether more may be waiting. An error is about our own
// store.
func (q *queue) round(ctx context.Context, held lease.Lease) (n int, more bool, err error) {
	list, err := q.e.Store.Undelivered(ctx, q.arn, batchSize)
	if err != nil || len(list) == 0 {
		return 0, false, err
	}
	more = len(list) == batchSize
	for i := range list {
		if list[i].RoleARN != list[0].RoleARN { // business accounts share the destination, and not the right to publish
			list, more = list[:i], true
			break
		}
	}
	ctx, cancel := grace.Extend(ctx) // what has begun is finished
	defer cancel()
	now := time.Now()
	messages := make([]event.Outgoing, 0, len(list))
	var sent []*event.Delivery
	var failed []event.Undelivered
	for i := range list {
		d := &list[i]
		entry, err := q.e.Opener.Open(d.Entry, []byte(d.ID))
		if err != nil {
			failed = append(failed, event.Undelivered{Seq: d.Seq, Dead: "cannot be decrypted: " + err.Error()})
			continue
		}
		scope := q.e.Scope
		scope.AccountID = d.AccountID
		messages = append(messages, event.Outgoing{Delivery: *d, Scope: scope, Opened: entry})
		sent = append(sent, d)
	}
	var done []int64
	if len(sent) > 0 {
		dest := event.Destination{Name: q.arn, Kind: event.KindOf(q.arn), Address: q.arn, Concurrency: 1, RoleARN: sent[0].RoleARN, AccountID: sent[0].AccountID, WABAKey: sent[0].WABAKey}
		for i, err := range q.e.Publisher.Publish(ctx, dest, messages) {
			if err == nil {
				done = append(done, sent[i].Seq)
				if q.e.OnDelivered != nil {
					q.e.OnDelivered(1, time.Since(sent[i].At))
				}
				continue
			}
			u := event.Undelivered{Seq: sent[i].Seq, Reason: err.Error()}
			if fault.Is(err, fault.InvalidParameters) || now.Sub(sent[i].At) > q.e.RetryWindow {
				u.Dead = err.Error()
			}
			failed = append(failed, u)
		}
	}
	ours, err := q.e.Store.Delivered(ctx, held, done)
	if err == nil && ours && len(failed) > 0 {
		ours, err = q.e.Store.Undeliverable(ctx, held, failed, now)
	}
	if err != nil {
		return 0, false, err
	}
	if !ours { // another node has the queue, and will publish these again: let it
		q.keeper.Release(ctx)
		return 0, false, nil
	}
	if len(failed) > 0 && q.e.OnFailed != nil {
		q.e.OnFailed(len(failed))
	}
	q.count(len(done), failed)
	return len(list), more, nil
}

// count judges how the destination is doing.
func (q *queue) count(done int, failed []event.Undelivered) {
	stuck := 0
	for _, u := range failed {
		if u.Dead == "" {
			stuck++
		} else {
			q.e.Logger.Warn("event became a dead letter", "destination", q.arn, "reason", u.Dead)
		}
	}
	switch {
	case stuck == 0:
		q.streak = 0
	case done > 0:
		q.streak = 1 // it takes some: a short breath
	default:
		if q.streak == 0 {
			q.e.Logger.Warn("destination does not take events", "destination", q.arn, "reason", failed[len(failed)-1].Reason)
		}
		q.streak++
	}
}

// pause grows with every round in which the destination took nothing.
func pause(streak int) time.Duration {
	d := pauseMin
	for range streak - 1 {
		if d >= pauseMax/2 {
			return pauseMax
		}
		d *= 2
	}
	return d
}

func (q *queue) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	}
}
