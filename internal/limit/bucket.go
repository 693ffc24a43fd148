// Package limit holds the arithmetic of speed: token buckets for known limits, and rates that find an unknown one.
//
// Everything but Keyed is a plain value that is told the time and takes no lock.
package limit

import "time"

// Bucket lets a steady rate pass, and a burst after a quiet time. It is the generic cell rate algorithm: one moment in time
// says it all, nothing has to be refilled. The zero value lets nothing pass.
type Bucket struct {
	interval time.Duration // between two at the steady rate
	slack    time.Duration // how far ahead of the steady rate a burst may run
	due      time.Time     // when the bucket is full again
}

// NewBucket returns a full bucket of rate per second that holds burst, at least one. A rate of 0 or less lets nothing pass.
func NewBucket(rate, burst float64) Bucket {
	var b Bucket
	b.set(rate, burst)
	return b
}

func (b *Bucket) set(rate, burst float64) {
	b.interval, b.slack = 0, 0
	if rate <= 0 {
		return
	}
	b.interval = clamp(float64(time.Second) / rate)
	if burst > 1 {
		b.slack = clamp(float64(b.interval) * (burst - 1))
	}
}

// clamp keeps what a float says within durations that can be added without overflow.
func clamp(d float64) time.Duration {
	const longest = 100 * 365 * 24 * time.Hour
	if !(d < float64(longest)) {
		return longest
	}
	return max(time.Duration(d), 1)
}

// Take lets one pass and returns 0, or returns how long until the next may, and takes nothing. For a bucket that lets nothing
// pass the answer is a second, again and again: its rate may be raised.
func (b *Bucket) Take(now time.Time) time.Duration {
	wait := b.Wait(now)
	if wait > 0 {
		return wait
	}
	if b.due.Before(now) {
		b.due = now
	}
	b.due = b.due.Add(b.interval)
	return 0
}

// Wait returns how long until one may pass, without taking it.
func (b *Bucket) Wait(now time.Time) time.Duration {
	if b.interval == 0 {
		return time.Second
	}
	if b.Full(now) {
		return 0
	}
	return max(0, b.due.Sub(now)-b.slack)
}

// Full reports whether nothing is owed: a new bucket would do as well.
func (b *Bucket) Full(now time.Time) bool { return !b.due.After(now) }

// SetRate changes the rate and the burst. What was taken stays taken: the debt is worth as many as before, not as long.
func (b *Bucket) SetRate(now time.Time, rate, burst float64) {
	debt := 0.0
	if b.interval > 0 && b.due.After(now) {
		debt = float64(b.due.Sub(now)) / float64(b.interval)
	}
	b.set(rate, burst)
	b.due = now
	if debt > 0 {
		b.due = now.Add(clamp(debt * float64(b.interval)))
	}
}
