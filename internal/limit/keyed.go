package limit

import (
	"sync"
	"time"
)

// Keyed is a bucket for each of many keys, such as account and operation. It is safe for concurrent use. Its memory is bounded:
// full buckets are forgotten, and if there are too many others some lose what they owe.
type Keyed[K comparable] struct {
	mu      sync.Mutex
	buckets map[K]Bucket
	most    int
}

// NewKeyed returns an empty set that remembers at most the given number of keys, at least 16.
func NewKeyed[K comparable](most int) *Keyed[K] {
	return &Keyed[K]{buckets: make(map[K]Bucket), most: max(most, 16)}
}

// Take lets one of key pass and returns 0, or returns how long until the next may: the Retry-After of an answer. Rate and burst
// are those of a key not seen lately; a key in use keeps the ones it started with.
func (k *Keyed[K]) Take(key K, rate, burst float64, now time.Time) (retryAfter time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b, known := k.buckets[key]
	if !known {
		if len(k.buckets) >= k.most {
			k.forget(now)
		}
		b = NewBucket(rate, burst)
	}
	wait := b.Take(now)
	if wait == 0 {
		k.buckets[key] = b
	}
	return wait
}

// forget makes room for a quarter of the keys, so that its cost is shared by as many new ones.
func (k *Keyed[K]) forget(now time.Time) {
	for key, b := range k.buckets {
		if b.Full(now) {
			delete(k.buckets, key)
		}
	}
	for key := range k.buckets {
		if len(k.buckets) <= k.most*3/4 {
			return
		}
		delete(k.buckets, key)
	}
}
