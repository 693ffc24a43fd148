package dispatch

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/limit"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// A lane that believes in 80 messages a second meets an upstream that takes fewer: one that counts strictly, one that lets a
// second's worth through at once, one that is slow to answer. It finds the true rate and stays just below. Many more limits are
// tried on limit.Adaptive alone.
func TestSpeedFindsTheTrueLimit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		truth, burst  float64
		latency, span time.Duration
	}{
		{20, 1, 50 * time.Millisecond, 40 * time.Second},
		{20, 20, 50 * time.Millisecond, 40 * time.Second},
		{20, 2, 400 * time.Millisecond, time.Minute}, // whose first answer comes after 32 messages too many
	} {
		t.Run(fmt.Sprintf("%g a second in bursts of %g answered after %v", tc.truth, tc.burst, tc.latency), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t)
				theirs := limit.NewBucket(tc.truth, tc.burst)
				taken, throttled := 0, 0
				r.script(func(j *message.Job) Outcome {
					time.Sleep(tc.latency / 2)
					r.mu.Lock()
					wait := theirs.Take(time.Now())
					if wait > 0 {
						throttled++
					} else {
						taken++
					}
					r.mu.Unlock()
					time.Sleep(tc.latency / 2)
					if wait > 0 {
						return Outcome{Verdict: Throttled, Scope: Number, Failure: message.Failure{Code: 130429}}
					}
					return r.take(j)
				})
				for i := range int(tc.truth * tc.span.Seconds() * 1.1) {
					r.accept("m", "phone", fmt.Sprint(i), message.Bulk)
				}
				time.Sleep(tc.span)
				r.mu.Lock()
				defer r.mu.Unlock()
				rate := float64(taken) / tc.span.Seconds()
				if share := rate / tc.truth; share < 0.9 {
					t.Errorf("%.1f a second of %g", rate, tc.truth)
				}
				if share := float64(throttled) / float64(taken+throttled); share > 0.1 {
					t.Errorf("%.1f%% of %d attempts throttled", share*100, taken+throttled)
				}
				t.Logf("%.1f%% of the limit, %.2f%% throttled", 100*rate/tc.truth, 100*float64(throttled)/float64(taken+throttled))
			})
		})
	}
}
