package storetest

import (
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// RunBus holds an engine to what it promises when every account has an event bus. open is as Run's, for a store that names the buses
// with a function.
func RunBus(t *testing.T, open func(t *testing.T, bus func(accountID string) string) Store) {
	w := newWorld(t, open(t, func(accountID string) string { return "bus of " + accountID }))
	const mine, others = "bus of 000000000000", "bus of 111122223333"
	other, _ := w.link(t, "111122223333", 2)

	e := &event.Event{ID: "0199b3c0-0000-7000-8000-000000000001", AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: w.phone.Key,
		Field: "calls", Status: "accepted", At: w.now, Entry: []byte("sealed")}
	must(t, w.Publish(w.ctx, e))
	same(t, "destinations", e.Destinations, []string{topicARN, mine})
	// Without an event destination the bus still gets it.
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, nil))
	e.ID = "0199b3c0-0000-7000-8000-000000000002"
	must(t, w.Publish(w.ctx, e))
	same(t, "destinations without an event destination", e.Destinations, []string{mine})
	e = &event.Event{ID: "0199b3c0-0000-7000-8000-000000000003", AccountID: other.AccountID, WABAKey: other.Key, Field: "flows", At: w.now, Entry: []byte("sealed")}
	must(t, w.Publish(w.ctx, e))
	same(t, "destinations of another account", e.Destinations, []string{topicARN, others})

	for bus, want := range map[string]int{mine: 2, others: 1} {
		if list, err := w.Undelivered(w.ctx, bus, w.now, 10); err != nil || len(list) != want {
			t.Errorf("%d wait for %s, want %d (%v)", len(list), bus, want, err)
		}
	}
	names, err := w.Destinations(w.ctx)
	must(t, err)
	same(t, "queues with work", names, []string{topicARN, mine, others})
}
