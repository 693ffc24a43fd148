package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// publish stores n inbound events.
func (w *world) publish(t *testing.T, n int) {
	t.Helper()
	changes := make([]event.Change, n)
	for i := range changes {
		changes[i] = w.change(event.InboundChange, fmt.Sprint("wamid.", i), event.Received)
	}
	w.receive(t, changes...)
}

func (w *world) queueLease(t *testing.T) lease.Lease {
	t.Helper()
	l, err := w.AcquireLease(w.ctx, "destination/"+topicARN, "node", w.now, lease.TTL)
	must(t, err)
	return l
}

// settled fails the test unless the lease was held.
func settled(t *testing.T) func(held bool, err error) {
	return func(held bool, err error) {
		t.Helper()
		must(t, err)
		if !held {
			t.Fatal("the lease is said to have moved")
		}
	}
}

func deliveries(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	w.publish(t, 5)
	arns, err := w.Destinations(w.ctx)
	must(t, err)
	if fmt.Sprint(arns) != "["+topicARN+"]" {
		t.Fatalf("destinations = %v", arns)
	}
	list, err := w.Undelivered(w.ctx, topicARN, 3)
	must(t, err)
	if len(list) != 3 || list[0].MessageID != m.ID {
		t.Fatalf("undelivered = %+v", list)
	}
	d := list[0]
	if d.WABAMetaID != w.waba.MetaID || d.PhoneMetaID != w.phone.MetaID || d.WABAKey != w.waba.Key || d.PhoneKey != w.phone.Key ||
		d.AccountID != w.waba.AccountID || d.Destination != topicARN || string(d.Entry) != "sealed accepted" || !d.At.Equal(w.now) {
		t.Errorf("delivery = %+v", d)
	}
	var seqs []int64
	for i, d := range list {
		if i > 0 && d.Seq <= list[i-1].Seq {
			t.Errorf("delivery %d is out of order", i)
		}
		seqs = append(seqs, d.Seq)
	}
	settled(t)(w.Delivered(w.ctx, w.queueLease(t), seqs))
	list, err = w.Undelivered(w.ctx, topicARN, 10)
	must(t, err)
	if len(list) != 3 || list[0].Seq <= seqs[2] {
		t.Errorf("after three were delivered: %+v", list)
	}
}

func noDestination(t *testing.T, w *world) {
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, nil))
	if res := w.receive(t, w.change(event.InboundChange, "wamid.1", event.Received)); res.Events != 1 || len(res.Destinations) != 0 {
		t.Errorf("%+v", res)
	}
	if arns, err := w.Destinations(w.ctx); err != nil || len(arns) != 0 {
		t.Errorf("destinations = %v, %v", arns, err)
	}
}

func deadLetters(t *testing.T, w *world) {
	w.publish(t, 2)
	list, err := w.Undelivered(w.ctx, topicARN, 10)
	must(t, err)
	settled(t)(w.Undeliverable(w.ctx, w.queueLease(t), []event.Undelivered{{Seq: list[0].Seq, Reason: "busy"},
		{Seq: list[1].Seq, Reason: "too large", Dead: "too large"}}, w.now))
	list2, err := w.Undelivered(w.ctx, topicARN, 10)
	must(t, err)
	if len(list2) != 1 || list2[0].Seq != list[0].Seq || list2[0].Attempts != 1 {
		t.Errorf("queue = %+v, want the first event after one attempt", list2)
	}
}

func deliveryFence(t *testing.T, w *world) {
	w.publish(t, 1)
	old := w.queueLease(t)
	_, err := w.AcquireLease(w.ctx, old.Name, "other", w.now.Add(2*lease.TTL), lease.TTL)
	must(t, err)
	list, err := w.Undelivered(w.ctx, topicARN, 10)
	must(t, err)
	if held, err := w.Delivered(w.ctx, old, []int64{list[0].Seq}); err != nil || held {
		t.Errorf("Delivered under a lease that has moved: %v, %v", held, err)
	}
	if held, err := w.Undeliverable(w.ctx, old, []event.Undelivered{{Seq: list[0].Seq, Dead: "late"}}, w.now); err != nil || held {
		t.Errorf("Undeliverable under a lease that has moved: %v, %v", held, err)
	}
	if list, err := w.Undelivered(w.ctx, topicARN, 10); err != nil || len(list) != 1 || list[0].Attempts != 0 {
		t.Errorf("a node without the lease changed the queue: %+v, %v", list, err)
	}
}

// pruneBehind has more events that cannot be forgotten than are looked at together, and one behind them that can.
func pruneBehind(t *testing.T, w *world) {
	const waiting = 3000
	changes := make([]event.Change, waiting+1)
	for i := range changes {
		changes[i] = w.change(event.InboundChange, fmt.Sprint("wamid.", i), event.Received)
	}
	w.receive(t, changes...)
	list, err := w.Undelivered(w.ctx, topicARN, waiting+1)
	must(t, err)
	last := list[waiting]
	settled(t)(w.Delivered(w.ctx, w.queueLease(t), []int64{last.Seq}))
	for more := true; more; {
		more, err = w.PruneEvents(w.ctx, w.now)
		must(t, err)
	}
	res, err := w.Replay(w.ctx, w.waba.AccountID, event.Replay{Limit: 2 * waiting})
	must(t, err)
	same(t, "what is left", res, event.Replayed{Waiting: waiting})
}

func prune(t *testing.T, w *world) {
	w.publish(t, 3)
	list, err := w.Undelivered(w.ctx, topicARN, 10)
	must(t, err)
	settled(t)(w.Delivered(w.ctx, w.queueLease(t), []int64{list[0].Seq}))
	if _, err := w.PruneEvents(w.ctx, w.now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Undelivered(w.ctx, topicARN, 10); err != nil || len(list) != 2 {
		t.Errorf("%d events wait, %v; want 2", len(list), err)
	}
	// What made repeats recognisable is gone with age.
	if res := w.receive(t, w.change(event.InboundChange, "wamid.0", event.Received)); res.Events != 1 {
		t.Errorf("after pruning: %+v", res)
	}
}
