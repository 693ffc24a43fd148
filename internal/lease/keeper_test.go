package lease

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// ledger is a store of one lease, which can be out of order.
type ledger struct {
	fence int64
	owner string
	err   error
}

func (s *ledger) AcquireLease(_ context.Context, name, owner string, _ time.Time, _ time.Duration) (Lease, error) {
	if s.err != nil || s.owner != "" && s.owner != owner {
		return Lease{}, s.err
	}
	s.fence, s.owner = s.fence+1, owner
	return Lease{Name: name, Owner: owner, Fence: s.fence}, nil
}

func (s *ledger) RenewLease(_ context.Context, l Lease, _ time.Time, _ time.Duration) (bool, error) {
	return s.err == nil && s.owner == l.Owner && s.fence == l.Fence, s.err
}

func (s *ledger) ReleaseLease(context.Context, Lease) error { return s.err }

// While the store is out of order a lease is trusted for a while, and then not; but it is lost only when another has taken it.
func TestKeeperOutlivesTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &ledger{}
		k := NewKeeper(s, "work", "me")
		want := func(held, changed, failing bool) {
			t.Helper()
			l, c, err := k.Hold(t.Context())
			if l.Held() != held || c != changed || (err != nil) != failing {
				t.Errorf("hold = %+v, changed %v, %v; want held %v, changed %v, an error %v", l, c, err, held, changed, failing)
			}
		}
		want(true, true, false)
		s.err = errors.New("out of order")
		time.Sleep(Trust - time.Second)
		want(true, false, false)
		time.Sleep(2 * time.Second)
		want(false, false, true)
		time.Sleep(time.Minute)
		want(false, false, true)
		s.err = nil
		want(true, false, false)

		s.err = errors.New("out of order")
		time.Sleep(time.Minute)
		want(false, false, true)
		s.err, s.owner = nil, "another"
		want(false, true, false)
		want(false, false, false)
		s.owner = ""
		want(true, true, false)
	})
}
