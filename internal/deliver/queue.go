package deliver

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/limit"
)

// queue drives one destination.
type queue struct {
	*Engine
	name    string
	wake    chan struct{}
	hurry   chan struct{} // try at once, whatever the breaker says
	keeper  *lease.Keeper
	breaker breaker
	kind    event.Kind // of the destination; "" until its state has been read
	resumed time.Time  // when people last let it run again: nothing in it counts as older
	rate    float64
	bucket  limit.Bucket // when rate > 0
}

func newQueue(e *Engine, name string) *queue {
	return &queue{Engine: e, name: name, wake: make(chan struct{}, 1), hurry: make(chan struct{}, 1), keeper: lease.NewKeeper(e.Store, "destination/"+name, e.Owner)}
}

func (q *queue) signal() { signal(q.wake) }

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// step is what to do after a turn.
type step struct {
	again  bool          // there may be more to do at once
	wait   time.Duration // else: until something comes due; 0 when nothing will by itself
	rest   bool          // nothing to do
	halted bool          // not allowed to
}

// haltedFor is how long a queue that may not publish waits before it looks again. Hurry ends it sooner.
const haltedFor = time.Minute

// run works until the queue has been empty for a while or ctx ends.
func (q *queue) run(ctx context.Context) {
	defer q.keeper.Release(ctx)
	idleSince := time.Now()
	for ctx.Err() == nil {
		next, err := q.turn(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			fault.Log(ctx, q.Logger, "deliver", err, "destination", q.name)
			q.sleep(ctx, time.Second, nil)
			continue
		case next.halted:
			q.keeper.Release(ctx)
			q.sleep(ctx, haltedFor, nil)
			continue
		case !next.rest:
			idleSince = time.Now()
		case time.Since(idleSince) >= idleFor:
			// The lease goes first: a new queue of this destination must not find it held by us and have it released under it.
			q.keeper.Release(ctx)
			if q.retire(q) {
				return
			}
			continue
		}
		switch {
		case next.again:
		case q.breaker.wait(time.Now()) > 0: // new events do not hurry a destination that takes none
			q.sleep(ctx, next.wait, nil)
		default:
			q.sleep(ctx, next.wait, q.wake)
		}
	}
}

// turn does what can be done for the destination now.
func (q *queue) turn(ctx context.Context) (step, error) {
	state, err := q.Store.QueueState(ctx, q.name)
	if err != nil {
		return step{}, err
	}
	if q.kind == "" {
		if q.kind = event.KindOf(q.name); state.Additional != nil {
			q.kind = state.Additional.Kind
		}
		if !state.FailingSince.IsZero() {
			q.breaker.streak = 1 // it took nothing when it was last tried: begin with a probe
		}
	}
	q.resumed = state.ResumedAt
	if state.Halt == event.Paused && !state.Gone { // it may have been paused while it was deleted
		return step{halted: true}, nil
	}
	held, _, err := q.keeper.Hold(ctx)
	if err != nil || !held.Held() {
		return step{rest: true, wait: idleFor}, err
	}
	if state.Gone {
		return q.purge(ctx, held)
	}
	if state.Halt == event.Disabled {
		return q.expire(ctx, "the destination is disabled", step{halted: true})
	}
	now := time.Now()
	if wait := q.breaker.wait(now); wait > 0 {
		return step{wait: min(wait, lease.Renew)}, nil
	}
	return q.round(ctx, held, &state, now)
}

// purge forgets what waits for a destination that was deleted.
func (q *queue) purge(ctx context.Context, held lease.Lease) (step, error) {
	n, ours, err := q.Store.PurgeEvents(ctx, held, q.name, 1000)
	if err != nil || !ours {
		return q.lost(ctx, err)
	}
	return step{again: n > 0, rest: n == 0, wait: idleFor}, nil
}

// expire makes dead letters of all events that are too old, a part at a time, and then goes on with otherwise.
func (q *queue) expire(ctx context.Context, reason string, otherwise step) (step, error) {
	const part = 500
	for {
		held, _, err := q.keeper.Hold(ctx)
		if err != nil || !held.Held() {
			return step{rest: true, wait: idleFor}, err
		}
		now := time.Now()
		if q.young(time.Time{}, now) { // whatever their own age
			return otherwise, nil
		}
		n, ours, err := q.Store.BuryEvents(ctx, held, q.name, now.Add(-q.RetryWindow), reason, now, part)
		if err != nil || !ours {
			return q.lost(ctx, err)
		}
		q.died(n, reason)
		if n < part {
			return otherwise, nil
		}
	}
}

// young reports whether an event of a time is still to be tried.
func (q *queue) young(at, now time.Time) bool {
	if at.Before(q.resumed) {
		at = q.resumed
	}
	return now.Sub(at) <= q.RetryWindow
}

// lost gives the lease back when another node has the queue: let it.
func (q *queue) lost(ctx context.Context, err error) (step, error) {
	if err != nil {
		return step{}, err
	}
	q.keeper.Release(ctx)
	return step{rest: true, wait: idleFor}, nil
}

func (q *queue) died(n int, reason string) {
	if n == 0 {
		return
	}
	q.Logger.Warn("events became dead letters", "destination", q.name, "count", n, "reason", reason)
	if q.Observer.Died != nil {
		q.Observer.Died(q.kind, n)
	}
}

func (q *queue) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	case <-q.hurry:
		q.breaker.until = time.Time{}
	}
}
