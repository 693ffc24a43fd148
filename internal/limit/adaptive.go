package limit

import "time"

// Adaptive is a rate that finds what the other side takes: additive increase, multiplicative decrease. A throttle that comes after
// quiet trims it a little, since the limit is about where it was, and the rate rests just below for a while before it tries for
// more. Throttles in quick succession cut it: the limit is somewhere else. Once it is well past the limit it last knew, it climbs
// as if there were none.
type Adaptive struct {
	Floor   float64       // per second; never slower
	Ceiling float64       // per second; never faster
	Climb   time.Duration // to get from nothing to Ceiling, where no limit is near
	Settle  time.Duration // throttles this close together are one: they were under way at the same time

	cut  time.Time // of the last decrease; zero: there was none
	low  float64   // rate just after it
	edge float64   // where the limit seems to be
}

const (
	trim    = 0.85                    // what a throttle after quiet leaves of the rate
	slash   = 0.7                     // what one leaves that comes soon after another
	near    = 0.97                    // of the limit: where the rate rests
	regain  = time.Second             // to get there
	rest    = 10 * time.Second        // from the decrease until more is tried
	careful = 10 * time.Second        // of trying for more in steps that fit the limit, a tenth of it a second
	again   = 1500 * time.Millisecond // a throttle this soon after the last decrease says that it was too small
)

// Rate returns what may be used now, per second.
func (a *Adaptive) Rate(now time.Time) float64 {
	if a.cut.IsZero() {
		return a.Ceiling
	}
	quiet := max(now.Sub(a.cut), 0)
	rate := max(a.low, a.edge*near)
	switch {
	case quiet < regain:
		rate = a.low + (rate-a.low)*quiet.Seconds()/regain.Seconds()
	case quiet > rest:
		step := a.edge / 10
		rate += step * min(quiet-rest, careful).Seconds()
		if free := quiet - rest - careful; free > 0 && a.Climb > 0 {
			rate += max(step, a.Ceiling/a.Climb.Seconds()) * free.Seconds()
		}
	}
	return min(a.Ceiling, max(a.Floor, rate))
}

// Throttled takes note that the other side found the rate too high, and reports whether that changed it.
func (a *Adaptive) Throttled(now time.Time) bool {
	rate := a.Rate(now)
	first, since := a.cut.IsZero(), now.Sub(a.cut)
	switch {
	case !first && since < max(a.Settle, clamp(float64(time.Second)/rate)):
		return false // or a single message since: it says nothing about the new rate
	case !first && since < again:
		a.low, a.edge = rate*slash, rate*(1+slash)/2
	default:
		a.low, a.edge = rate*trim, rate
	}
	a.low, a.edge, a.cut = max(a.Floor, a.low), max(a.Floor, a.edge), now
	return true
}
