package lease

import (
	"context"
	"time"
)

// Store keeps leases. Its methods take the caller's clock, so that all of one node's decisions use the same one.
type Store interface {
	AcquireLease(ctx context.Context, name, owner string, now time.Time, ttl time.Duration) (Lease, error)
	RenewLease(ctx context.Context, l Lease, now time.Time, ttl time.Duration) (bool, error)
	ReleaseLease(ctx context.Context, l Lease) error
}

// Keeper obtains one lease and keeps it. It is for one goroutine.
type Keeper struct {
	store       Store
	name, owner string
	lease       Lease
	asked       time.Time // just before the lease was last obtained or renewed
}

// NewKeeper returns a Keeper that holds nothing yet.
func NewKeeper(store Store, name, owner string) *Keeper {
	return &Keeper{store: store, name: name, owner: owner}
}

// Hold returns the lease if it may be trusted now, obtaining or renewing it as needed. changed reports that the lease was
// lost or newly obtained since the last call: what was known about the work may be out of date. An error says that the store cannot
// tell; until it can, nothing may be done, and nothing has been lost.
func (k *Keeper) Hold(ctx context.Context) (l Lease, changed bool, err error) {
	now := time.Now()
	if k.lease.Held() && now.Sub(k.asked) < Renew {
		return k.lease, false, nil
	}
	if k.lease.Held() {
		held, err := k.store.RenewLease(ctx, k.lease, now, TTL)
		switch {
		case err != nil && now.Sub(k.asked) < Trust:
			return k.lease, false, nil // still ours for a while; asked again at the next call
		case err != nil:
			return Lease{}, false, err // perhaps still ours, if nobody has taken it meanwhile
		case held:
			k.asked = now
			return k.lease, false, nil
		}
		k.lease = Lease{}
		return k.lease, true, nil
	}
	l, err = k.store.AcquireLease(ctx, k.name, k.owner, now, TTL)
	if err != nil || !l.Held() {
		return Lease{}, false, err
	}
	k.lease, k.asked = l, now
	return l, true, nil
}

// Release gives the lease back so that another node need not wait for it to expire.
func (k *Keeper) Release(ctx context.Context) {
	if k.lease.Held() {
		k.store.ReleaseLease(context.WithoutCancel(ctx), k.lease) //nolint:errcheck // it expires by itself
		k.lease = Lease{}
	}
}
