package awsapi

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/limit"
)

// Limits decides whether a call is within its account's quota.
type Limits interface {
	// Allow counts a call. When the quota is used up it says how long until the next one may pass, and counts nothing.
	Allow(account, service, operation string, now time.Time) (ok bool, retryAfter time.Duration)
}

// Quotas are token buckets, one for each account and operation of a service, that hold one second's worth of the rate (at least one call).
// They are this process's own: several nodes together allow as many times the rate.
type Quotas struct {
	rates   map[quota]float64 // complete before the first call, never changed after
	buckets *limit.Keyed[bucket]
}

// quota is what has a rate. Services share names such as TagResource, not what is allowed of them.
type quota struct{ service, operation string }

type bucket struct {
	account string
	quota
}

// maxBuckets is how many pairs of account and operation are remembered while they are in use.
const maxBuckets = 1 << 16

// NewQuotas takes the default rates of the services' operations; overrides, in requests per second by operation name, win.
// A rate of 0 or less refuses every call.
func NewQuotas(services []Service, overrides map[string]float64) *Quotas {
	q := &Quotas{rates: make(map[quota]float64), buckets: limit.NewKeyed[bucket](maxBuckets)}
	for _, s := range services {
		for _, op := range s.Operations {
			rate := op.Rate
			if rate == 0 {
				rate = DefaultRate
			}
			if override, ok := overrides[op.Name]; ok {
				rate = override
			}
			q.rates[quota{s.Name, op.Name}] = rate
		}
	}
	return q
}

// Allow implements Limits.
func (q *Quotas) Allow(account, service, operation string, now time.Time) (bool, time.Duration) {
	of := quota{service, operation}
	rate := q.rates[of]
	wait := q.buckets.Take(bucket{account, of}, rate, max(rate, 1), now)
	return wait == 0, wait
}
