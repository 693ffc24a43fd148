package queue

import (
	"cmp"
	"math"
	"time"
)

// Retry says when a delivery that failed is tried again. The shape is SNS's policy for endpoints that customers run: two
// quick retries, ten that grow exponentially, then one every Max until the window is over. Ours starts faster.
type Retry struct {
	Window   time.Duration // how long after publishing a message is given up
	Min      time.Duration
	Max      time.Duration
	Attempts int // how many there are at most, the first one included; 0: any number
}

// DefaultRetry gives up after 6 hours and waits between 1 second and 10 minutes.
func DefaultRetry() Retry {
	return Retry{Window: 6 * time.Hour, Min: time.Second, Max: 10 * time.Minute}
}

// Or fills in what is zero.
func (r Retry) Or(usual Retry) Retry {
	return Retry{Window: cmp.Or(r.Window, usual.Window), Min: cmp.Or(r.Min, usual.Min), Max: cmp.Or(r.Max, usual.Max),
		Attempts: cmp.Or(r.Attempts, usual.Attempts)}
}

const (
	quickRetries   = 2
	growingRetries = 10
)

// Delay returns the pause after the given number of failed attempts, at least 1. Jitter in [0,1) spreads it over the upper
// half of the pause, so that deliveries which failed together do not come back together.
func (r Retry) Delay(failed int, jitter float64) time.Duration {
	d := float64(r.Max)
	if step := failed - quickRetries; step <= 0 {
		d = float64(r.Min)
	} else if step < growingRetries {
		d = float64(r.Min) * math.Pow(float64(r.Max)/float64(r.Min), float64(step)/growingRetries)
	}
	return time.Duration(d/2 + d/2*jitter)
}

// Over reports whether a message is not to be tried again after the given number of failed attempts.
func (r Retry) Over(published, now time.Time, failed int) bool {
	return now.Sub(published) >= r.Window || r.Attempts > 0 && failed >= r.Attempts
}
