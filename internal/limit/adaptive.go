package limit

import "time"

// Adaptive is a rate that finds what the other side takes: each throttle halves it, quiet time gives it back bit by bit (additive
// increase, multiplicative decrease). It settles just below the true limit, wherever that moves.
type Adaptive struct {
	Floor   float64       // per second; never slower
	Ceiling float64       // per second; never faster
	Climb   time.Duration // of quiet to get from nothing to Ceiling
	Settle  time.Duration // throttles this close together are one: they were under way at the same time

	cut   time.Time // of the last decrease; zero: there was none
	atCut float64   // rate just after it
}

// Rate returns what may be used now, per second.
func (a *Adaptive) Rate(now time.Time) float64 {
	if a.cut.IsZero() {
		return a.Ceiling
	}
	gained := 0.0
	if quiet := now.Sub(a.cut); quiet > 0 && a.Climb > 0 {
		gained = a.Ceiling * float64(quiet) / float64(a.Climb)
	}
	return min(a.Ceiling, max(a.Floor, a.atCut+gained))
}

// Throttled takes note that the other side found the rate too high, and reports whether that changed it.
func (a *Adaptive) Throttled(now time.Time) bool {
	if !a.cut.IsZero() && now.Sub(a.cut) < a.Settle {
		return false
	}
	a.atCut = max(a.Floor, a.Rate(now)/2)
	a.cut = now
	return true
}
