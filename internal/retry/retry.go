// Package retry says how long to wait before another attempt. It is arithmetic: the caller has the clock and the chance.
package retry

import (
	"math"
	"time"
)

// Backoff grows a delay from Min to Max, Factor times with every attempt. Jitter keeps many callers that failed together from
// coming back together.
type Backoff struct {
	Min    time.Duration // before the second attempt
	Max    time.Duration // never longer
	Factor float64       // 2 when it is less than 1
}

// Ceiling returns the delay after attempt (the first is 1) without jitter: Min·Factor^(attempt−1), at most Max.
func (b Backoff) Ceiling(attempt int) time.Duration {
	factor := b.Factor
	if factor < 1 {
		factor = 2
	}
	d := float64(b.Min) * math.Pow(factor, float64(max(attempt-1, 0)))
	if !(d < float64(b.Max)) { // so written that overflow to infinity, and infinity times nothing, end here too
		return max(b.Max, 0)
	}
	return max(time.Duration(d), 0)
}

// Full returns a delay between nothing and Ceiling: the widest spread, for many callers of one thing. Chance is in [0, 1).
func (b Backoff) Full(attempt int, chance float64) time.Duration {
	return scale(b.Ceiling(attempt), chance)
}

// Equal returns a delay between half of Ceiling and Ceiling: a pause that is certain to be one. Chance is in [0, 1).
func (b Backoff) Equal(attempt int, chance float64) time.Duration {
	ceiling := b.Ceiling(attempt)
	return ceiling/2 + scale(ceiling-ceiling/2, chance)
}

func scale(d time.Duration, by float64) time.Duration {
	if !(by > 0) {
		return 0
	}
	return min(d, time.Duration(float64(d)*min(by, 1)))
}
