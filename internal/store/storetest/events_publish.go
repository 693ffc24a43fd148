package storetest

import (
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// publishOne stores an event that no webhook brought: it waits for the destination its business account has now.
func publishOne(t *testing.T, w *world) {
	e := &event.Event{ID: "0199b3c0-0000-7000-8000-000000000001", AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: w.phone.Key,
		Field: "calls", Status: "accepted", At: w.now, Entry: []byte("sealed")}
	must(t, w.Publish(w.ctx, e))
	same(t, "destinations", e.Destinations, []string{topicARN})
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	if len(list) != 1 || list[0].ID != e.ID || list[0].Field != "calls" || list[0].MessageID != "" || string(list[0].Entry) != "sealed" ||
		!list[0].At.Equal(w.now) {
		t.Fatalf("undelivered = %+v", list)
	}
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, nil))
	e.ID, e.Destinations = "0199b3c0-0000-7000-8000-000000000002", []string{"stale"}
	must(t, w.Publish(w.ctx, e))
	if list, err = w.Undelivered(w.ctx, topicARN, w.now, 10); err != nil || len(list) != 1 || len(e.Destinations) != 0 {
		t.Errorf("without a destination: %+v, %v, event for %q", list, err, e.Destinations)
	}
}
