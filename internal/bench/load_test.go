package bench

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func durationOf(ns int) time.Duration { return time.Duration(ns) }

func TestClosedLoopKeepsEveryConnectionBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		got := load{connections: 3, duration: time.Second, call: func(context.Context) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}}.drive(t.Context())
		if got.ok != 30 || got.took != time.Second || got.perSecond() != 30 || got.times.Max() != 100*time.Millisecond {
			t.Errorf("%d in %v, longest %v", got.ok, got.took, got.times.Max())
		}
	})
}

// A server that stalls once is charged for every call that was due meanwhile.
func TestRateCountsFromWhenACallWasDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		got := load{connections: 1, duration: time.Second, rate: 100, call: func(context.Context) error {
			if calls.Add(1) == 1 {
				time.Sleep(500 * time.Millisecond)
			}
			return nil
		}}.drive(t.Context())
		if got.ok != 100 || got.times.Max() != 500*time.Millisecond {
			t.Errorf("%d calls, longest %v", got.ok, got.times.Max())
		}
		if p := got.times.Quantile(0.75); p < 200*time.Millisecond {
			t.Errorf("three quarters took up to %v: the stall is hidden", p)
		}
	})
}

func TestErrorsAreCountedByCode(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answers := []error{nil, &Refusal{Status: 429, Code: "ThrottledRequestException"}, &Refusal{Status: 418}, context.DeadlineExceeded, errors.New("reset")}
		var n atomic.Int64
		got := load{connections: 1, duration: time.Second, rate: 10, call: func(context.Context) error {
			return answers[int(n.Add(1)-1)%len(answers)]
		}}.drive(t.Context())
		for code, want := range map[string]uint64{"ThrottledRequestException": 2, "HTTP 418": 2, "no answer in time": 2, "no answer": 2} {
			if got.errors[code] != want {
				t.Errorf("%s: %d, want %d", code, got.errors[code], want)
			}
		}
		if got.ok != 2 || got.failed() != 8 {
			t.Errorf("%d accepted, %d failed", got.ok, got.failed())
		}
	})
}

func TestDriveEndsWithItsContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		got := load{connections: 2, duration: time.Hour, rate: 0.001, call: func(ctx context.Context) error {
			<-ctx.Done()
			return ctx.Err()
		}}.drive(ctx)
		if got.took != time.Second || got.ok != 0 || got.failed() != 0 {
			t.Errorf("ended after %v with %d calls, %d failed", got.took, got.ok, got.failed())
		}
	})
}

func TestAlternateGivesBothTheirTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := func(each time.Duration) load {
			return load{connections: 1, duration: time.Second, call: func(context.Context) error { time.Sleep(each); return nil }}
		}
		a, b := alternate(t.Context(), calls(20*time.Millisecond), calls(10*time.Millisecond))
		if a.ok != 50 || b.ok != 100 || a.took != time.Second || b.took != time.Second {
			t.Errorf("%d in %v, %d in %v", a.ok, a.took, b.ok, b.took)
		}
	})
}
