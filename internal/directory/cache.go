package directory

import (
	"context"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// cache remembers answers for a short while, and for a shorter one that there is nothing. Other errors are not remembered.
type cache[V any] struct {
	mu      sync.RWMutex
	entries map[string]entry[V]
	misses  map[string]miss
	cleared int // times; what was loaded across one may be out of date
}

// miss is a fault.NotFound.
type miss struct {
	err     error
	expires time.Time
}

type entry[V any] struct {
	value   V
	expires time.Time
}

// life is how long a change made by another process goes unnoticed; our own are noticed at once.
const life = 3 * time.Second

// missLife is how long something made by another process is not found if it was asked for before. Whoever asks again and again for
// what is not there costs one read in that time.
const missLife = time.Second

// maxEntries and maxMisses bound memory: past one, its entries start anew. They are apart, so that nobody drives out what is there by
// asking for what is not.
const (
	maxEntries = 10_000
	maxMisses  = 1000
)

func (c *cache[V]) get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	now := time.Now()
	c.mu.RLock()
	e, ok := c.entries[key]
	m, missed := c.misses[key]
	cleared := c.cleared
	c.mu.RUnlock()
	switch {
	case ok && now.Before(e.expires):
		return e.value, nil
	case missed && now.Before(m.expires):
		return e.value, m.err
	}
	v, err := load(ctx)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cleared != cleared {
		return v, err
	}
	if err != nil {
		if c.misses == nil || len(c.misses) >= maxMisses {
			c.misses = make(map[string]miss)
		}
		c.misses[key] = miss{err, now.Add(missLife)}
		delete(c.entries, key)
		return v, err
	}
	delete(c.misses, key)
	if c.entries == nil || len(c.entries) >= maxEntries {
		c.entries = make(map[string]entry[V])
	}
	c.entries[key] = entry[V]{value: v, expires: now.Add(life)}
	return v, nil
}

func (c *cache[V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries, c.misses = nil, nil
	c.cleared++
}
