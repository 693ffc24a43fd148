package dispatch

import (
	"context"
	"math"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// releaseSize is how many scheduled messages get their places at a time.
const releaseSize = 500

// schedule sees to it that scheduled messages get their places in the queue when they are due, to the millisecond if they were
// accepted by this node. Until then they are rows of a table and nothing else: they hold up no others and need no memory.
func (d *Dispatcher) schedule(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.sooner:
		case <-timer.C:
		}
		d.nextDue.Store(math.MaxInt64) // what is accepted from here on may be missed by the read, and says so
		lanes, next, err := d.Store.Release(ctx, time.Now(), releaseSize)
		if err != nil {
			fault.Log(ctx, d.Logger, "release scheduled messages", err)
		}
		for _, key := range lanes {
			select {
			case d.fresh <- key:
			case <-ctx.Done():
				return
			}
		}
		at := time.Now().Add(scanEvery) // for what other nodes accept
		if !next.IsZero() && next.Before(at) {
			at = next
		}
		d.dueBy(at)
		timer.Reset(max(time.Until(at), 0))
	}
}

// expect makes the scheduler look at a time, if it would look later.
func (d *Dispatcher) expect(at time.Time) {
	if d.dueBy(at) {
		select {
		case d.sooner <- struct{}{}:
		default:
		}
	}
}

// dueBy notes when the scheduler has to look, and reports whether that is sooner than what was noted.
func (d *Dispatcher) dueBy(at time.Time) bool {
	for n := at.UnixNano(); ; {
		have := d.nextDue.Load()
		if n >= have {
			return false
		}
		if d.nextDue.CompareAndSwap(have, n) {
			return true
		}
	}
}
