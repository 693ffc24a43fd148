package limit

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var start = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// passed counts what gets through in a span when the caller comes back exactly when told.
func passed(b *Bucket, from time.Time, span time.Duration) int {
	n := 0
	for now := from; now.Before(from.Add(span)); {
		if wait := b.Take(now); wait > 0 {
			now = now.Add(wait)
			continue
		}
		n++
	}
	return n
}

func TestBucket(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name        string
		rate, burst float64
		span        time.Duration
		want        int
	}{
		{"steady", 80, 1, time.Second, 80},
		{"a number's throughput", 80, 8, 10 * time.Second, 807},
		{"upgraded", 1000, 1, time.Second, 1000},
		{"burst only", 10, 10, time.Millisecond, 10},
		{"burst and steady", 10, 10, time.Second, 19},
		{"less than one a second", 0.1, 1, 30 * time.Second, 3},
		{"burst below one is one", 10, 0, time.Second, 10},
		{"nothing passes", 0, 5, 3 * time.Second, 0},
		{"negative rate", -1, 5, 3 * time.Second, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b := NewBucket(tt.rate, tt.burst)
			if got := passed(&b, start, tt.span); got != tt.want {
				t.Errorf("%d passed, want %d", got, tt.want)
			}
		})
	}
}

func TestBucketWaitTakesNothing(t *testing.T) {
	t.Parallel()
	b := NewBucket(10, 1)
	for range 3 {
		if w := b.Wait(start); w != 0 {
			t.Fatalf("wait %s, want 0", w)
		}
	}
	if !b.Full(start) || b.Take(start) != 0 || b.Full(start) {
		t.Error("a bucket is full until something is taken")
	}
	if w := b.Wait(start); w != 100*time.Millisecond {
		t.Errorf("wait %s, want 100ms", w)
	}
	if w := b.Take(start); w != 100*time.Millisecond {
		t.Errorf("take %s, want 100ms", w)
	}
	if w := b.Wait(start.Add(30 * time.Millisecond)); w != 70*time.Millisecond {
		t.Errorf("wait %s, want 70ms: a refused take must cost nothing", w)
	}
}

func TestBucketSetRateKeepsTheDebt(t *testing.T) {
	t.Parallel()
	b := NewBucket(10, 10)
	for range 10 {
		b.Take(start)
	}
	b.SetRate(start, 1000, 10)
	if w := b.Wait(start); w != time.Millisecond {
		t.Errorf("wait %s, want 1ms: ten are owed at the new rate too", w)
	}
	b.SetRate(start, 0, 1)
	if w := b.Take(start.Add(time.Hour)); w != time.Second {
		t.Errorf("a stopped bucket says %s, want 1s", w)
	}
	b.SetRate(start, 1, 1)
	if w := b.Take(start); w != 0 {
		t.Errorf("started again: wait %s", w)
	}
}

// FuzzBucket holds the bucket's promise over any sequence of arrivals: never more than burst + rate·time, and whoever waits as
// told passes.
func FuzzBucket(f *testing.F) {
	f.Add(80.0, 8.0, []byte{0, 0, 1, 200, 3})
	f.Add(0.01, 1.0, []byte{255, 255})
	f.Fuzz(func(t *testing.T, rate, burst float64, gaps []byte) {
		if !(rate >= 1e-3 && rate <= 1e6 && burst >= 1 && burst <= 1e4) {
			t.Skip("not a rate anyone sets")
		}
		b := NewBucket(rate, burst)
		now, n := start, 0
		for _, gap := range gaps {
			now = now.Add(time.Duration(gap) * time.Second / (64 * time.Duration(math.Ceil(rate))))
			if wait := b.Take(now); wait == 0 {
				n++
			} else if wait < 0 {
				t.Fatalf("wait %s", wait)
			} else if later := b; later.Take(now.Add(wait)) != 0 {
				t.Fatalf("waiting %s as told was not enough", wait)
			}
			interval := math.Trunc(1e9/rate) / 1e9 // intervals are whole nanoseconds
			if most := burst + now.Sub(start).Seconds()/interval + 1e-3; float64(n) > most {
				t.Fatalf("%d passed in %s, at most %f may", n, now.Sub(start), most)
			}
		}
	})
}

func TestAdaptive(t *testing.T) {
	t.Parallel()
	a := Adaptive{Floor: 1, Ceiling: 80, Climb: 20 * time.Second, Settle: 200 * time.Millisecond}
	at := func(d time.Duration) time.Time { return start.Add(d) }
	expect := func(d time.Duration, want float64) {
		t.Helper()
		if got := a.Rate(at(d)); math.Abs(got-want) > 1e-9 {
			t.Errorf("after %s: %f, want %f", d, got, want)
		}
	}
	expect(0, 80)
	if !a.Throttled(at(0)) {
		t.Error("the first throttle changed nothing")
	}
	expect(0, 0.85*80)
	if a.Throttled(at(100 * time.Millisecond)) {
		t.Error("a throttle of the same moment counted again")
	}
	expect(time.Second, 0.97*80)
	expect(10*time.Second, 0.97*80)
	expect(11*time.Second, 80)
	expect(time.Hour, 80)
	if !a.Throttled(at(time.Hour)) || !a.Throttled(at(time.Hour+time.Second)) {
		t.Error("throttles a second apart did not count each")
	}
	cut := 0.97 * 80 // what a second of quiet gives back
	expect(time.Hour+time.Second, 0.7*cut)
	expect(time.Hour+2*time.Second, 0.97*0.85*cut)
	expect(time.Hour+11*time.Second, 0.97*0.85*cut)
	expect(time.Hour+12*time.Second, (0.97+0.1)*0.85*cut)
	expect(2*time.Hour, 80)
	for i := range 40 {
		a.Throttled(at(2*time.Hour + time.Duration(i)*time.Second/4))
	}
	if got := a.Rate(at(2*time.Hour + 39*time.Second/4)); got < 1 || got > 2 {
		t.Errorf("throttled all the time: %f, want about the floor", got)
	}
	if got := a.Rate(at(2*time.Hour + time.Minute)); got != 80 {
		t.Errorf("a minute after the last of many throttles: %f, want all of it back", got)
	}
	if got := a.Rate(at(-time.Hour)); got < 1 {
		t.Errorf("a clock set back: %f", got)
	}
}

// TestAdaptiveSettles runs the rate against limits it does not know: of upstreams that count strictly and of such that let a
// second's worth through at once.
func TestAdaptiveSettles(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ ceiling, truth, burst float64 }{
		{80, 50, 5}, {80, 20, 1}, {80, 20, 20}, {80, 79, 1}, {80, 5, 1}, {80, 5, 5}, {1000, 20, 20}, {1000, 80, 80}, {1000, 300, 300}, {1000, 900, 1}, {20, 15, 1},
	} {
		t.Run(fmt.Sprintf("%g of %g in bursts of %g", tc.truth, tc.ceiling, tc.burst), func(t *testing.T) {
			t.Parallel()
			a := Adaptive{Floor: 1, Ceiling: tc.ceiling, Climb: 20 * time.Second, Settle: 200 * time.Millisecond}
			b, theirs := NewBucket(a.Ceiling, 1), NewBucket(tc.truth, tc.burst)
			ok, refused := 0, 0
			const span = 10 * time.Minute
			for now := start; now.Before(start.Add(span)); {
				b.SetRate(now, a.Rate(now), 1)
				if wait := b.Take(now); wait > 0 {
					now = now.Add(wait)
					continue
				}
				if theirs.Take(now) == 0 {
					ok++
					continue
				}
				refused++
				a.Throttled(now)
			}
			if rate := float64(ok) / span.Seconds(); rate < 0.9*tc.truth || rate > tc.truth*1.02 {
				t.Errorf("%.1f/s get through", rate)
			}
			if share := float64(refused) / float64(ok); share > 0.06 {
				t.Errorf("%.1f%% refused", share*100)
			}
		})
	}
}

func TestKeyed(t *testing.T) {
	t.Parallel()
	k := NewKeyed[string](100)
	for i := range 10 {
		if wait := k.Take("a", 10, 10, start); wait != 0 {
			t.Fatalf("call %d waits %s", i, wait)
		}
	}
	if wait := k.Take("a", 10, 10, start); wait != 100*time.Millisecond {
		t.Errorf("call 11 waits %s, want 100ms", wait)
	}
	if wait := k.Take("b", 10, 10, start); wait != 0 {
		t.Errorf("another key waits %s", wait)
	}
	if wait := k.Take("c", 0, 10, start); wait != time.Second || len(k.buckets) != 2 {
		t.Errorf("a key without a rate waits %s; %d keys kept", wait, len(k.buckets))
	}
	if wait := k.Take("a", 10, 10, start.Add(100*time.Millisecond)); wait != 0 {
		t.Errorf("after waiting: %s", wait)
	}
}

func TestKeyedIsBounded(t *testing.T) {
	t.Parallel()
	k := NewKeyed[int](100)
	for i := range 10_000 {
		k.Take(i, 0.001, 1, start) // none of these is ever full again
		if len(k.buckets) > 100 {
			t.Fatalf("%d keys kept", len(k.buckets))
		}
	}
	k = NewKeyed[int](100)
	k.Take(0, 0.001, 1, start)
	for i := range 99 {
		k.Take(i+1, 1000, 1, start)
	}
	k.Take(100, 1, 1, start.Add(time.Second))
	if wait := k.Take(0, 0.001, 1, start.Add(time.Second)); wait == 0 {
		t.Error("a key that owes was forgotten although full ones made room")
	}
}

func TestKeyedConcurrently(t *testing.T) {
	t.Parallel()
	k := NewKeyed[string](100)
	var n atomic.Int64
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				if k.Take("a", 1, 500, start) == 0 {
					n.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n.Load() != 500 {
		t.Errorf("%d passed, want 500", n.Load())
	}
}

func BenchmarkKeyed(b *testing.B) {
	k := NewKeyed[[2]string](4096)
	keys := make([][2]string, 1024)
	for i := range keys {
		keys[i] = [2]string{fmt.Sprintf("%012d", i), "SendWhatsAppMessage"}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	now := start
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Microsecond)
		k.Take(keys[rng.IntN(len(keys))], 1000, 1000, now)
	}
}
