package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

func dueInOrder(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s, other := h.confirmed(t, arn, "https://a.example/"), h.confirmed(t, arn, "https://b.example/")
	published := h.publish(t, arn, 5)
	d := h.due(t, s.Key)
	same(t, "all", ids(d.Messages), published)
	same(t, "other subscription", ids(h.due(t, other.Key).Messages), published)
	same(t, "without what is held", ids(h.due(t, s.Key, d.Messages[0].Seq, d.Messages[3].Seq).Messages),
		[]string{published[1], published[2], published[4]})
	few, err := h.DueMessages(h.ctx, s.Key, h.now, nil, 2, 1<<20)
	must(t, err)
	same(t, "limit", ids(few.Messages), published[:2])
	small, err := h.DueMessages(h.ctx, s.Key, h.now, nil, 100, 1)
	must(t, err)
	same(t, "size", ids(small.Messages), published[:1])
	same(t, "nobody", h.due(t, 987654), queue.Due{})

	// What one subscription has done with says nothing about the other.
	h.settle(t, h.claim(t, s.Key, "node"), s.Key, queue.Done, d.Messages...)
	same(t, "settled", len(h.due(t, s.Key).Messages), 0)
	kept := h.due(t, other.Key).Messages
	same(t, "still there", ids(kept), published)
	same(t, "body", string(kept[0].Sealed), "sealed "+published[0])
}

func claimRace(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	h.publish(t, arn, 1)
	m := h.due(t, s.Key).Messages
	leases := parallel(8, func(i int) lease.Lease {
		l, err := h.AcquireLease(h.ctx, fmt.Sprint("queue/", s.Key), fmt.Sprint("node-", i), h.now, lease.TTL)
		if err != nil {
			return lease.Lease{}
		}
		return l
	})
	winners := 0
	for _, l := range leases {
		if held := h.settle(t, l, s.Key, queue.Again, m...); held {
			winners++
		}
	}
	same(t, "claimers whose settle counted", winners, 1)
	h.now = h.now.Add(time.Hour)
	same(t, "failed attempts", h.due(t, s.Key).Messages[0].Attempts, 1)
}

func lateTopicSettle(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	published := h.publish(t, arn, 1)
	m := h.due(t, s.Key).Messages
	old := h.claim(t, s.Key, "slow")
	h.now = h.now.Add(lease.TTL + time.Second)
	current := h.claim(t, s.Key, "fast")
	for _, fate := range []queue.Fate{queue.Done, queue.Again, queue.Undone} {
		if h.settle(t, old, s.Key, fate, m...) {
			t.Errorf("fate %d was settled under a lease that had moved", fate)
		}
	}
	same(t, "still due", ids(h.due(t, s.Key).Messages), published)
	if !h.settle(t, current, s.Key, queue.Done, m...) {
		t.Error("the holder could not settle")
	}
	same(t, "settled", len(h.due(t, s.Key).Messages), 0)
	if !h.settle(t, current, s.Key, queue.Done, m...) { // repeating it changes nothing
		t.Error("the holder could not settle again")
	}
}

func retryLater(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	published := h.publish(t, arn, 2)
	l := h.claim(t, s.Key, "node")
	h.settle(t, l, s.Key, queue.Again, h.due(t, s.Key).Messages[0])
	same(t, "now", ids(h.due(t, s.Key).Messages), published[1:])
	h.settle(t, l, s.Key, queue.Done, h.due(t, s.Key).Messages...)
	d := h.due(t, s.Key)
	same(t, "next", d.Next, h.now.Add(time.Minute))
	h.now = d.Next
	d = h.due(t, s.Key)
	same(t, "later", ids(d.Messages), published[:1])
	same(t, "attempts", d.Messages[0].Attempts, 1)
	if !h.settle(t, l, s.Key, queue.Done, d.Messages...) {
		t.Error("settling a retried message was refused")
	}
	same(t, "in the end", len(h.due(t, s.Key).Messages), 0)
}

func topicDeadLetters(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s, other := h.confirmed(t, arn, "https://a.example/"), h.confirmed(t, arn, "https://b.example/")
	published := h.publish(t, arn, 2)
	l := h.claim(t, s.Key, "node")
	h.settle(t, l, s.Key, queue.Undone, h.due(t, s.Key).Messages...)
	same(t, "left in the queue", len(h.due(t, s.Key).Messages), 0)
	h.settle(t, h.claim(t, other.Key, "node"), other.Key, queue.Done, h.due(t, other.Key).Messages...)

	letters, err := h.DeadMessages(h.ctx, h.account, 0, 10)
	must(t, err)
	if len(letters) != 2 {
		t.Fatalf("dead letters %+v, want 2", letters)
	}
	got := letters[0]
	got.Key, got.PublishedAt = 0, time.Time{}
	same(t, "dead letter", got, queue.DeadLetter{Subscriber: s.ARN, MessageID: published[0], At: h.now, Reason: "refused"})
	rest, err := h.DeadMessages(h.ctx, h.account, letters[0].Key, 10)
	must(t, err)
	same(t, "page", rest, letters[1:])

	must(t, h.SweepQueues(h.ctx, h.now, h.now.Add(-time.Second)))
	kept, err := h.DeadMessages(h.ctx, h.account, 0, 10)
	must(t, err)
	same(t, "young ones stay", kept, letters)
	must(t, h.SweepQueues(h.ctx, h.now, h.now))
	kept, err = h.DeadMessages(h.ctx, h.account, 0, 10)
	must(t, err)
	same(t, "old ones go", len(kept), 0)
}

func waiting(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	h.confirmed(t, h.topic(t, "quiet").ARN, "https://a.example/")
	keys, err := h.WaitingQueues(h.ctx, h.now)
	must(t, err)
	same(t, "without messages", len(keys), 0)
	h.publish(t, arn, 3)
	keys, err = h.WaitingQueues(h.ctx, h.now)
	must(t, err)
	same(t, "with messages", keys, []int64{s.Key})
	h.settle(t, h.claim(t, s.Key, "node"), s.Key, queue.Again, h.due(t, s.Key).Messages...)
	keys, err = h.WaitingQueues(h.ctx, h.now)
	must(t, err)
	same(t, "before they are due", len(keys), 0)
	keys, err = h.WaitingQueues(h.ctx, h.now.Add(time.Minute))
	must(t, err)
	same(t, "when they are due", keys, []int64{s.Key})
}
