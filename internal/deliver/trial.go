package deliver

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Test publishes a test event to a destination of the account, once and at once, also to one that is paused or disabled. It is
// not stored.
func (m *Manager) Test(ctx context.Context, accountID, destination string) (event.Trial, error) {
	if err := m.Own(ctx, accountID, destination); err != nil {
		return event.Trial{}, err
	}
	list, err := m.Store.Senders(ctx, accountID, destination)
	if err != nil {
		return event.Trial{}, err
	}
	if len(list) == 0 {
		return event.Trial{}, fault.New(fault.Conflict, "No business account of this account publishes to %s.", destination)
	}
	w := list[0]
	now := m.Now().UTC()
	d := event.Destination{Name: destination, Kind: event.KindOf(destination), Address: destination, AccountID: accountID, WABAKey: w.Key, Concurrency: 1}
	if w.Destination != nil && w.Destination.ARN == destination {
		d.RoleARN = w.Destination.RoleARN
	}
	if key, ok := additionalKey(destination); ok {
		a, err := m.Store.Additional(ctx, accountID, key)
		if err != nil {
			return event.Trial{}, err
		}
		if d, err = describe(m.Sealer, &a, now); err != nil {
			return event.Trial{}, err
		}
	}
	scope := m.Scope
	scope.AccountID = accountID
	o := event.Outgoing{Scope: scope, Opened: event.TestEntry(w.MetaID, now), Delivery: event.Delivery{Destination: destination, WABAMetaID: w.MetaID,
		Event: event.Event{ID: uuid.NewString(), AccountID: accountID, WABAKey: w.Key, Field: event.TestField, At: now}}}
	start := time.Now()
	t := event.Trial{EventID: o.ID}
	if err := m.Publisher.Publish(ctx, d, []event.Outgoing{o})[0]; err != nil {
		t.Failure = brief(err.Error())
	}
	t.Took = time.Since(start)
	return t, nil
}
