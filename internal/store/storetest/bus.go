package storetest

import (
	"fmt"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/bus"
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

	for name, want := range map[string]int{mine: 2, others: 1} {
		if list, err := w.Undelivered(w.ctx, name, w.now, 10); err != nil || len(list) != want {
			t.Errorf("%d wait for %s, want %d (%v)", len(list), name, want, err)
		}
	}
	names, err := w.Destinations(w.ctx)
	must(t, err)
	same(t, "queues with work", names, []string{topicARN, mine, others})
}

// RunBusWithRules holds an engine to what it promises when events are for the buses of accounts that have rules.
func RunBusWithRules(t *testing.T, open func(t *testing.T, bus func(accountID string) string) Store) {
	w := newWorld(t, open(t, func(accountID string) string { return "bus of " + accountID }))
	rules := w.Store.(bus.Store)
	rule := bus.Rule{ARN: "arn", AccountID: w.waba.AccountID, Name: "r", Pattern: "{}", State: bus.Enabled}
	for i, step := range []struct {
		what   string
		change func() error
		wanted bool
	}{
		{"without rules", func() error { return nil }, false},
		{"with another account's rule", func() error {
			other := rule
			other.ARN, other.AccountID = "other", stranger
			return rules.PutBusRule(w.ctx, other, 1)
		}, false},
		{"with a rule", func() error { return rules.PutBusRule(w.ctx, rule, 1) }, true},
		{"with a disabled rule", func() error { return rules.SetBusRuleState(w.ctx, rule.ARN, bus.Disabled) }, false},
		{"with an enabled rule", func() error { return rules.SetBusRuleState(w.ctx, rule.ARN, bus.EnabledAll) }, true},
		{"without a rule once more", func() error { return rules.DeleteBusRule(w.ctx, rule.ARN) }, false},
	} {
		must(t, step.change())
		e := &event.Event{ID: fmt.Sprintf("0199b3c0-0000-7000-8000-00000000001%d", i), AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: w.phone.Key,
			Field: "calls", Status: "accepted", At: w.now, Entry: []byte("sealed")}
		must(t, w.Publish(w.ctx, e))
		want := []string{topicARN}
		if step.wanted {
			want = append(want, "bus of "+w.waba.AccountID)
		}
		same(t, step.what, e.Destinations, want)
	}
}
