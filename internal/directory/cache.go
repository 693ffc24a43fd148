package directory

import (
	"context"
	"sync"
	"time"
)

// cache remembers answers for a short while. Errors are not remembered.
type cache[V any] struct {
	mu      sync.RWMutex
	entries map[string]entry[V]
	cleared int // times; what was loaded across one may be out of date
}

type entry[V any] struct {
	value   V
	expires time.Time
}

// life is how long a change made by another process goes unnoticed; our own are noticed at once.
const life = 3 * time.Second

// maxEntries bounds memory: past it the cache starts anew.
const maxEntries = 10_000

func (c *cache[V]) get(ctx context.Context, key string, load func(context.Context) (V, error)) (V, error) {
	now := time.Now()
	c.mu.RLock()
	e, ok := c.entries[key]
	cleared := c.cleared
	c.mu.RUnlock()
	if ok && now.Before(e.expires) {
		return e.value, nil
	}
	v, err := load(ctx)
	if err != nil {
		return v, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cleared != cleared {
		return v, nil
	}
	if c.entries == nil || len(c.entries) >= maxEntries {
		c.entries = make(map[string]entry[V])
	}
	c.entries[key] = entry[V]{value: v, expires: now.Add(life)}
	return v, nil
}

func (c *cache[V]) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries = nil
	c.cleared++
}
