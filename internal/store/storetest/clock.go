package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// clocks can be set back.
type clocks interface {
	SetBack(ctx context.Context, now time.Time) (more bool, err error)
}

// pastOf makes everything due at a time that is an hour before what the store has seen.
func pastOf(ctx context.Context, t *testing.T, c clocks, now time.Time) (back time.Time) {
	t.Helper()
	back = now.Add(-time.Hour)
	for more := true; more; {
		var err error
		more, err = c.SetBack(ctx, back)
		must(t, err)
	}
	return back
}

// After the clock was set back nothing waits for longer than it would have, except for what has a time of its own.
func setBack(t *testing.T, w *world) {
	postponed, fresh, later := w.accept(t, w.outbound()), w.accept(t, w.outbound()), w.schedule(t, time.Minute)
	l := w.lane(t)
	w.begin(t, l, &postponed)
	if ok, err := w.Postpone(w.ctx, &postponed, w.now.Add(time.Minute), false); err != nil || !ok {
		t.Fatalf("Postpone = %v, %v", ok, err)
	}
	w.publish(t, 2)
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 10)
	must(t, err)
	settled(t)(w.SettleEvents(w.ctx, w.queueLease(t), topicARN, event.Settlement{AccountID: w.waba.AccountID, At: w.now,
		Outcomes: []event.Outcome{{Seq: list[0].Seq, Fate: event.Again, Next: w.now.Add(time.Minute)}}}))

	back := pastOf(w.ctx, t, w, w.now)
	jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, 0, 10)
	must(t, err)
	if len(jobs) != 2 || jobs[0].ID != postponed.ID || !jobs[0].NotBefore.Equal(back) || jobs[1].ID != fresh.ID || !jobs[1].NotBefore.IsZero() {
		t.Errorf("jobs = %+v, want both due", jobs)
	}
	if lanes, next, err := w.Release(w.ctx, back, 10); err != nil || len(lanes) != 0 || !next.Equal(later.SendAt) {
		t.Errorf("the scheduled message: %v, next %v, %v; want it to keep its time", lanes, next, err)
	}
	if list, err := w.Undelivered(w.ctx, topicARN, back, 10); err != nil || len(list) != 2 {
		t.Errorf("%d events are due, %v, want both", len(list), err)
	}
}

// The same for the queues of subscribers, of which everything waits for a time.
func setBackFanout(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	const many = 1200 // more than fits into a step
	h.publish(t, arn, many)
	h.now = pastOf(h.ctx, t, h, h.now)
	due, err := h.DueMessages(h.ctx, s.Key, h.now, nil, 2*many, 1<<30)
	must(t, err)
	if len(due.Messages) < many {
		t.Errorf("%d messages are due, want %d", len(due.Messages), many)
	}
	if keys, err := h.WaitingQueues(h.ctx, h.now); err != nil || len(keys) != 1 {
		t.Errorf("queues %v wait, %v, want one", keys, err)
	}
}
