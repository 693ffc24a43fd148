// Package lease names the right to drive a piece of work: the messages of one phone number, the queue of one destination.
//
// A lease has one owner at a time and expires by itself. Its fence grows with every change of hands; whatever the holder
// writes carries the fence, so work finished after the lease was lost changes nothing.
package lease

import "time"

// Lease is the right to drive the named work.
type Lease struct {
	Name  string
	Owner string
	Fence int64
}

// Held reports whether the lease was obtained.
func (l Lease) Held() bool { return l.Fence > 0 }

// TTL is how long a lease lasts without renewal, and thus the longest a dead node's work waits for another.
const TTL = 10 * time.Second

// Trust is how long a holder may act on a lease, counted from just before it asked. It is shorter than TTL by more than the
// clocks and pauses of one node can differ, so that two nodes never both believe they hold it.
const Trust = TTL - 2*time.Second

// Renew is how often a holder asks for more time.
const Renew = TTL / 3
