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

// settle records outcomes of the world's topic.
func (w *world) settle(t *testing.T, outcomes ...event.Outcome) {
	t.Helper()
	settled(t)(w.SettleEvents(w.ctx, w.queueLease(t), topicARN, event.Settlement{AccountID: w.waba.AccountID, At: w.now, Outcomes: outcomes}))
}

// deliver records that deliveries to the world's topic arrived.
func (w *world) deliver(t *testing.T, list ...event.Delivery) {
	t.Helper()
	var outcomes []event.Outcome
	for _, d := range list {
		outcomes = append(outcomes, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Done})
	}
	w.settle(t, outcomes...)
}

func deliveries(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	w.publish(t, 5)
	arns, err := w.Destinations(w.ctx)
	must(t, err)
	if fmt.Sprint(arns) != "["+topicARN+"]" {
		t.Fatalf("destinations = %v", arns)
	}
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 3)
	must(t, err)
	if len(list) != 3 || list[0].MessageID != m.ID {
		t.Fatalf("undelivered = %+v", list)
	}
	d := list[0]
	if d.WABAMetaID != w.waba.MetaID || d.PhoneMetaID != w.phone.MetaID || d.WABAKey != w.waba.Key || d.PhoneKey != w.phone.Key ||
		d.AccountID != w.waba.AccountID || d.Destination != topicARN || string(d.Entry) != "sealed accepted" || !d.At.Equal(w.now) {
		t.Errorf("delivery = %+v", d)
	}
	for i, d := range list {
		if i > 0 && d.Seq <= list[i-1].Seq {
			t.Errorf("delivery %d is out of order", i)
		}
	}
	w.deliver(t, list...)
	list, err = w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	if len(list) != 3 || list[0].Seq <= d.Seq {
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
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	w.settle(t, event.Outcome{Seq: list[0].Seq, Fate: event.Again}, event.Outcome{Seq: list[1].Seq, Fate: event.Dead, Reason: "too large"})
	list2, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
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
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	for _, fate := range []event.Fate{event.Done, event.Again, event.Dead} {
		late := event.Settlement{AccountID: w.waba.AccountID, At: w.now, Outcomes: []event.Outcome{{Seq: list[0].Seq, Fate: fate}}, Disable: "late"}
		if held, err := w.SettleEvents(w.ctx, old, topicARN, late); err != nil || held {
			t.Errorf("SettleEvents under a lease that has moved: %v, %v", held, err)
		}
	}
	if n, held, err := w.BuryEvents(w.ctx, old, topicARN, w.now, "late", w.now, 10); err != nil || held || n != 0 {
		t.Errorf("BuryEvents under a lease that has moved: %d, %v, %v", n, held, err)
	}
	if n, held, err := w.PurgeEvents(w.ctx, old, topicARN, 10); err != nil || held || n != 0 {
		t.Errorf("PurgeEvents under a lease that has moved: %d, %v, %v", n, held, err)
	}
	if s, err := w.QueueState(w.ctx, topicARN); err != nil || s.Halt != event.Running {
		t.Errorf("a node without the lease left %+v, %v", s, err)
	}
	if list, err := w.Undelivered(w.ctx, topicARN, w.now, 10); err != nil || len(list) != 1 || list[0].Attempts != 0 {
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
	list, err := w.Undelivered(w.ctx, topicARN, w.now, waiting+1)
	must(t, err)
	last := list[waiting]
	w.deliver(t, last)
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
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	w.deliver(t, list[0])
	if _, err := w.PruneEvents(w.ctx, w.now.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if list, err := w.Undelivered(w.ctx, topicARN, w.now, 10); err != nil || len(list) != 2 {
		t.Errorf("%d events wait, %v; want 2", len(list), err)
	}
	// What made repeats recognisable is gone with age.
	if res := w.receive(t, w.change(event.InboundChange, "wamid.0", event.Received)); res.Events != 1 {
		t.Errorf("after pruning: %+v", res)
	}
}
