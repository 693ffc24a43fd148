package awsapi

import (
	"sync"
	"time"
)

// Limits decides whether a call is within its account's quota.
type Limits interface {
	// Allow counts a call. When the quota is used up it says how long until the next one may pass, and counts nothing.
	Allow(account, operation string, now time.Time) (ok bool, retryAfter time.Duration)
}

// Quotas are token buckets, one for each account and operation, that hold one second's worth of the rate (at least one call).
// They are this process's own: several nodes together allow as many times the rate.
type Quotas struct {
	rates map[string]float64 // by operation; complete before the first call, never changed after
	mu    sync.Mutex
	due   map[bucket]time.Time
	sweep int // size of due at which idle buckets are dropped
}

type bucket struct{ account, operation string }

// NewQuotas takes the default rates of the services' operations; overrides, in requests per second by operation name, win.
// A rate of 0 or less refuses every call.
func NewQuotas(services []Service, overrides map[string]float64) *Quotas {
	q := &Quotas{rates: make(map[string]float64), due: make(map[bucket]time.Time), sweep: 1024}
	for _, s := range services {
		for _, op := range s.Operations {
			rate := op.Rate
			if rate == 0 {
				rate = DefaultRate
			}
			if override, ok := overrides[op.Name]; ok {
				rate = override
			}
			q.rates[op.Name] = rate
		}
	}
	return q
}

// Allow implements Limits with the generic cell rate algorithm: due is when the bucket would be full again.
func (q *Quotas) Allow(account, operation string, now time.Time) (bool, time.Duration) {
	rate := q.rates[operation]
	if rate <= 0 {
		return false, time.Second
	}
	interval := max(time.Duration(float64(time.Second)/rate), 1)
	slack := max(time.Second-interval, 0)

	q.mu.Lock()
	defer q.mu.Unlock()
	b := bucket{account, operation}
	due := q.due[b]
	if due.Before(now) {
		due = now
	}
	if wait := due.Sub(now) - slack; wait > 0 {
		return false, wait
	}
	if len(q.due) >= q.sweep {
		q.forget(now)
	}
	q.due[b] = due.Add(interval)
	return true, 0
}

// forget drops the buckets that are full, which are as good as new ones.
func (q *Quotas) forget(now time.Time) {
	for b, due := range q.due {
		if !due.After(now) {
			delete(q.due, b)
		}
	}
	q.sweep = max(1024, 2*len(q.due))
}
