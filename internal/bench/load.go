package bench

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is a stream of calls.
type load struct {
	connections int
	duration    time.Duration
	calls       int     // how many, instead of a duration; 0 for as long as that lasts
	rate        float64 // calls a second; 0 makes every connection call again as soon as it is answered
	call        func(ctx context.Context) error
}

// outcome is what came of a load.
type outcome struct {
	ok     uint64
	took   time.Duration
	times  Histogram         // of successful calls
	errors map[string]uint64 // by code
}

// drive makes the calls and waits for those under way. With a rate, a call's time counts from when it was due, so that a server
// that stalls is charged for everyone who had to wait. Calls that ctx cut short are not counted.
func (l load) drive(ctx context.Context) outcome {
	var (
		workers sync.WaitGroup
		mu      sync.Mutex
		total   = outcome{errors: map[string]uint64{}}
		next    atomic.Int64
		start   = time.Now()
		end     = start.Add(l.duration)
	)
	for range l.connections {
		workers.Go(func() {
			own := outcome{errors: map[string]uint64{}}
			for ctx.Err() == nil {
				due, n := time.Now(), next.Add(1)-1
				if l.rate > 0 {
					due = start.Add(time.Duration(float64(n) / l.rate * float64(time.Second)))
				}
				over := !due.Before(end)
				if l.calls > 0 {
					over = n >= int64(l.calls)
				}
				if over || !wait(ctx, due) {
					break
				}
				err := l.call(ctx)
				switch {
				case err == nil:
					own.times.Record(time.Since(due))
					own.ok++
				case ctx.Err() == nil:
					own.errors[codeOf(err)]++
				}
			}
			mu.Lock()
			defer mu.Unlock()
			total.add(&own)
		})
	}
	workers.Wait()
	total.took = time.Since(start)
	return total
}

// wait returns at a time, or false when ctx ended first.
func wait(ctx context.Context, at time.Time) bool {
	left := time.Until(at)
	if left <= 0 {
		return true
	}
	timer := time.NewTimer(left)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func (o *outcome) add(other *outcome) {
	o.ok += other.ok
	o.took += other.took
	o.times.Add(&other.times)
	for code, n := range other.errors {
		o.errors[code] += n
	}
}

func (o *outcome) perSecond() float64 { return float64(o.ok) / max(o.took.Seconds(), 1e-9) }

// failed counts the calls that were refused or not answered.
func (o *outcome) failed() (n uint64) {
	for _, count := range o.errors {
		n += count
	}
	return n
}

// print writes a line of figures, and one for every code of error.
func (o *outcome) print(w io.Writer, what string) {
	fmt.Fprintf(w, "%-10s %9.0f/s  %s  %d in %.1fs\n", what, o.perSecond(), latencies(&o.times), o.ok, o.took.Seconds())
	for _, code := range slices.Sorted(maps.Keys(o.errors)) {
		fmt.Fprintf(w, "%-10s %9d    %s\n", "errors", o.errors[code], code)
	}
}

func latencies(h *Histogram) string {
	return fmt.Sprintf("p50 %7s  p99 %7s  max %7s", milliseconds(h.Quantile(0.5)), milliseconds(h.Quantile(0.99)), milliseconds(h.Max()))
}

// milliseconds prints a time with three digits that mean something.
func milliseconds(d time.Duration) string {
	ms := float64(d) / float64(time.Millisecond)
	switch {
	case ms < 10:
		return fmt.Sprintf("%.2fms", ms)
	case ms < 100:
		return fmt.Sprintf("%.1fms", ms)
	default:
		return fmt.Sprintf("%.0fms", ms)
	}
}
