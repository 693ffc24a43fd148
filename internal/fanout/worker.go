package fanout

import (
	"context"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// worker drives one queue. Everything but the requests, reads and writes it starts happens on its own goroutine.
type worker struct {
	*Engine
	key    int64
	wake   chan struct{}
	keeper *lease.Keeper
	pace   pace

	to     queue.Subscriber // nil: it is gone
	name   string           // of the last one there was
	retry  queue.Retry      // its own, or the engine's
	ready  []queue.Waiting  // read, not begun
	readAt time.Time        // when the newest of them and the subscriber were read
	held   map[int64]bool   // read, not settled
	next   time.Time        // when something comes due, as far as the last read knew
	more   bool             // the queue may have something that is not held
	idle   time.Time        // since when there has been nothing to do

	flying   int
	landed   chan attempt
	outcomes []queue.Outcome
	settled  chan settlement
	settling bool
	stuck    bool // the last settlement was not written: nothing more is delivered before it is
	dead     int  // outcomes that make dead letters, not yet reported
	found    chan reading
	reading  bool
}

// attempt is one delivery and how it ended.
type attempt struct {
	message queue.Waiting
	start   time.Time
	err     error
	cut     bool // ended by our own shutdown
}

type settlement struct {
	outcomes []queue.Outcome
	held     bool
	err      error
}

type reading struct {
	due queue.Due
	err error
}

func newWorker(e *Engine, key int64) *worker {
	return &worker{Engine: e, key: key, wake: make(chan struct{}, 1), pace: newPace(e.PerQueue),
		keeper: lease.NewKeeper(e.Store, leaseName(key), e.Owner), held: make(map[int64]bool), more: true,
		landed: make(chan attempt, e.PerQueue), settled: make(chan settlement, 1), found: make(chan reading, 1)}
}

// run works until the queue has been empty for a while, the lease is lost, or ctx ends.
func (w *worker) run(ctx context.Context) {
	deliver, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	w.idle = time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		held, changed, err := w.keeper.Hold(ctx)
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			w.stop(cut)
			return
		case err != nil && !changed: // nobody has taken the queue: what came of deliveries is kept until it can be recorded
			fault.Log(ctx, w.Logger, "hold queue", err, "queue", w.key)
			timer.Reset(time.Second)
		case !held.Held() || (changed && len(w.held) > 0):
			w.abandon()
			return
		default:
			w.work(ctx, deliver, held, now)
			if w.resting() && now.Sub(w.idle) >= idleFor {
				w.keeper.Release(ctx)
				if w.retire(w) {
					return
				}
				w.more = true
				continue
			}
			timer.Reset(w.nap(now))
		}
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-w.wake:
			w.more = true
		case a := <-w.landed:
			w.land(a)
			for len(w.landed) > 0 {
				w.land(<-w.landed)
			}
		case s := <-w.settled:
			if !w.finish(ctx, s) {
				w.abandon()
				return
			}
		case r := <-w.found:
			w.take(ctx, r)
		}
	}
}

// work does what can be done now. Requests end with the context deliver.
func (w *worker) work(ctx, deliver context.Context, held lease.Lease, now time.Time) {
	if !w.next.IsZero() && !w.next.After(now) {
		w.more, w.next = true, time.Time{}
	}
	if now.Sub(w.readAt) > staleAfter {
		w.unread()
	}
	w.settle(ctx, held)
	w.read(ctx, now)
	if !w.stuck {
		w.deliver(deliver, now)
	}
	w.settle(ctx, held)
}

// resting reports whether there is nothing to do now, and notes since when.
func (w *worker) resting() bool {
	if len(w.held) > 0 || w.more || w.reading || w.settling {
		w.idle = time.Now()
		return false
	}
	return true
}

// nap is how long nothing needs to happen by itself.
func (w *worker) nap(now time.Time) time.Duration {
	d := lease.Renew
	if p := w.pace.paused(now); p > 0 && (len(w.ready) > 0 || w.more) {
		d = min(d, p)
	}
	if !w.next.IsZero() {
		d = min(d, w.next.Sub(now))
	}
	return max(d, time.Millisecond)
}

// read starts reading the queue when little is left of the last batch.
func (w *worker) read(ctx context.Context, now time.Time) {
	if !w.more || w.reading || len(w.ready) >= w.PerQueue || len(w.held) >= maxHeld || w.pace.paused(now) > 0 {
		return
	}
	w.more, w.reading = false, true
	held := make([]int64, 0, len(w.held))
	for seq := range w.held {
		held = append(held, seq)
	}
	go func() {
		due, err := w.Store.DueMessages(ctx, w.key, now, held, batchRows, batchBytes)
		w.found <- reading{due, err}
	}()
}

// unread lets go of what was read and not begun. It is read again when its turn comes: the subscription may have changed.
func (w *worker) unread() {
	for i := range w.ready {
		delete(w.held, w.ready[i].Seq)
		w.more = true
	}
	w.ready = nil
}

// take accepts what was read.
func (w *worker) take(ctx context.Context, r reading) {
	w.reading = false
	if r.err != nil {
		fault.Log(ctx, w.Logger, "read queue", r.err, "queue", w.key)
		w.schedule(time.Now().Add(time.Second))
		return
	}
	w.to, w.readAt = r.due.Subscriber, time.Now()
	if w.to != nil {
		w.name, w.retry = w.to.Name(), w.to.Retry().Or(w.Retry)
	}
	w.schedule(r.due.Next)
	for _, m := range r.due.Messages {
		w.held[m.Seq] = true
		if !w.wanted(m.Kind) {
			w.outcomes = append(w.outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: queue.Done})
			continue
		}
		w.ready = append(w.ready, m)
	}
	if len(r.due.Messages) > 0 {
		w.more = true // until a read finds nothing
	}
}

// wanted reports whether the subscriber is there and takes messages of a kind.
func (w *worker) wanted(kind uint8) bool { return w.to != nil && w.to.Wants(kind) }

// schedule has the queue read at a time, if not before.
func (w *worker) schedule(at time.Time) {
	if !at.IsZero() && (w.next.IsZero() || at.Before(w.next)) {
		w.next = at
	}
}

// deliver starts as many requests as the pace allows.
func (w *worker) deliver(ctx context.Context, now time.Time) {
	for len(w.ready) > 0 && w.flying < w.pace.limit && w.pace.paused(now) == 0 {
		m := w.ready[0]
		w.ready[0] = queue.Waiting{}
		w.ready = w.ready[1:]
		if !w.wanted(m.Kind) { // it has changed since m was read
			w.outcomes = append(w.outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: queue.Done})
			continue
		}
		if w.pace.down() && w.retry.Over(m.PublishedAt, now, m.Attempts) {
			w.giveUp(m, "the subscriber did not take messages until the retry window was over")
			continue
		}
		w.flying++
		to := w.to
		go func() {
			a := attempt{message: m, start: time.Now()}
			a.err = w.Courier.Deliver(ctx, to, &a.message)
			a.cut = a.err != nil && ctx.Err() != nil
			w.landed <- a
		}()
	}
}

// land turns a finished attempt into an outcome.
func (w *worker) land(a attempt) {
	w.flying--
	if a.cut {
		return // it stays in the queue as it was
	}
	now := time.Now()
	m := &a.message
	if a.err == nil {
		if w.pace.succeeded() {
			w.Logger.Info("subscriber is back", "subscriber", w.name)
		}
		w.outcomes = append(w.outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: queue.Done})
		count(w.OnDelivered, 1)
		return
	}
	count(w.OnFailed, 1)
	reason, permanent, wait := explain(a.err)
	if permanent {
		w.giveUp(*m, reason)
		w.Logger.Warn("message cannot be delivered", "subscriber", w.name, "message_id", m.ID, "error", a.err)
		return
	}
	if w.retry.Over(m.PublishedAt, now, m.Attempts+1) {
		w.giveUp(*m, reason)
	} else {
		next := now.Add(max(wait, w.retry.Delay(m.Attempts+1, jitter())))
		w.outcomes = append(w.outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: queue.Again, Next: next})
		w.schedule(next)
	}
	if w.pace.failed(a.start, now, jitter()) {
		w.Logger.Warn("subscriber does not take messages", "subscriber", w.name, "reason", reason)
	}
	w.pace.hold(now.Add(wait))
	w.Logger.Debug("delivery failed", "subscriber", w.name, "message_id", m.ID, "attempt", m.Attempts+1, "reason", reason)
}

// explain returns what may be shown of a failure, whether the message will never be delivered, and how long the subscriber wants to
// be left alone.
func explain(err error) (reason string, permanent bool, wait time.Duration) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return err.Error(), false, 0
	}
	permanent = f.Kind == fault.Validation || f.Kind == fault.InvalidParameters || f.Kind == fault.NotFound
	return f.Message, permanent, min(f.RetryAfter, maxWait)
}

func (w *worker) giveUp(m queue.Waiting, reason string) {
	w.outcomes = append(w.outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: queue.Undone, Reason: reason})
	w.dead++
}

// settle starts writing outcomes back. Those that come in meanwhile make up the next batch.
func (w *worker) settle(ctx context.Context, l lease.Lease) {
	if w.settling || len(w.outcomes) == 0 {
		return
	}
	w.settling = true
	if w.dead > 0 {
		w.Logger.Warn("messages became dead letters", "subscriber", w.name, "count", w.dead)
		count(w.OnDeadLetter, w.dead)
		w.dead = 0
	}
	outcomes := w.outcomes
	w.outcomes = nil
	go func() { w.settled <- w.write(ctx, l, outcomes) }()
}

func (w *worker) write(ctx context.Context, l lease.Lease, outcomes []queue.Outcome) settlement {
	held, err := w.Store.SettleMessages(context.WithoutCancel(ctx), l, w.key, outcomes, time.Now())
	return settlement{outcomes, held, err}
}

// finish lets go of what has been settled. It reports whether the work is still ours.
func (w *worker) finish(ctx context.Context, s settlement) bool {
	w.settling, w.stuck = false, s.err != nil
	if s.err != nil {
		// Nothing was written. Keep the outcomes: repeating a settlement is better than repeating a delivery.
		w.outcomes = append(s.outcomes, w.outcomes...)
		fault.Log(ctx, w.Logger, "settle deliveries", s.err, "queue", w.key)
		select {
		case <-ctx.Done():
		case <-time.After(time.Second):
		}
		return true
	}
	for i := range s.outcomes {
		delete(w.held, s.outcomes[i].Seq)
	}
	return s.held
}

// abandon waits for what was begun and leaves the queue to whoever holds the lease.
func (w *worker) abandon() {
	w.wait()
	w.forget(w)
}

// stop ends the worker with the process: what is in flight may finish for a moment and is settled.
func (w *worker) stop(cut context.CancelFunc) {
	timer := time.AfterFunc(grace, cut)
	defer timer.Stop()
	w.wait()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if l, _, err := w.keeper.Hold(ctx); err == nil && l.Held() && len(w.outcomes) > 0 {
		if s := w.write(ctx, l, w.outcomes); s.err != nil {
			fault.Log(ctx, w.Logger, "settle deliveries", s.err, "queue", w.key)
		}
	}
	w.keeper.Release(ctx)
	w.forget(w)
}

// wait lets every goroutine of the worker end.
func (w *worker) wait() {
	for w.flying > 0 || w.settling || w.reading {
		select {
		case a := <-w.landed:
			w.land(a)
		case s := <-w.settled:
			w.settling = false
			if s.err != nil {
				w.outcomes = append(s.outcomes, w.outcomes...)
			}
		case <-w.found:
			w.reading = false
		}
	}
}
