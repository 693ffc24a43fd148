package storetest

import (
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

func subscriptionLife(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.subscribe(t, arn, "https://a.example/")
	stored, err := h.Subscription(h.ctx, s.ARN)
	must(t, err)
	same(t, "stored", stored, s)
	d := h.due(t, s.Key)
	if len(d.Messages) != 1 || d.Messages[0].Kind != uint8(topic.SubscriptionConfirmation) {
		t.Fatalf("due = %+v, want one confirmation message", d)
	}
	same(t, "whom it is for", d.Subscriber, &topic.Subscriber{Subscription: s, SignatureVersion: topic.SHA1})

	_, err = h.ConfirmSubscription(h.ctx, arn, []byte("guess"), false, false, h.now)
	isNotFound(t, "a wrong token", err)
	h.topic(t, "other")
	_, err = h.ConfirmSubscription(h.ctx, h.arn("other"), s.TokenHash, false, false, h.now)
	isNotFound(t, "a token at another topic", err)

	got, err := h.ConfirmSubscription(h.ctx, arn, s.TokenHash, true, true, h.now)
	must(t, err)
	want := s
	want.State, want.ExpiresAt, want.Authenticated, want.OwnerOnly = topic.Confirmed, time.Time{}, true, true
	same(t, "confirmed", got, want)
	again, err := h.ConfirmSubscription(h.ctx, arn, s.TokenHash, false, false, h.now.Add(100*time.Hour))
	must(t, err)
	same(t, "confirmed twice", again, want)

	must(t, h.UpdateSubscription(h.ctx, s.ARN, func(x *topic.Subscription) error { return x.Set(topic.AttrRaw, "true") }))
	got, err = h.Subscription(h.ctx, s.ARN)
	must(t, err)
	if !got.Raw {
		t.Error("raw delivery was not stored")
	}
	h.subscribe(t, arn, "https://b.example/")
	c, err := h.SubscriptionCounts(h.ctx, arn)
	must(t, err)
	same(t, "counts", c, topic.Counts{Confirmed: 1, Pending: 1})

	_, err = h.Subscribe(h.ctx, topic.Subscription{ARN: h.arn("gone") + ":x", TopicARN: h.arn("gone")}, h.message(topic.SubscriptionConfirmation))
	isNotFound(t, "subscribing to nothing", err)
}

func subscribeAgain(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	first := h.subscribe(t, arn, "https://a.example/")
	second := h.subscribe(t, arn, "https://a.example/")
	same(t, "asked again", second.ARN, first.ARN)
	if n := len(h.due(t, first.Key).Messages); n != 2 {
		t.Errorf("%d confirmation messages, want 2", n)
	}
	confirmed := h.confirmed(t, arn, "https://a.example/")
	third := h.subscribe(t, arn, "https://a.example/")
	same(t, "subscribed already", third, confirmed)
	if n := len(h.due(t, first.Key).Messages); n != 0 {
		t.Errorf("a confirmed subscription was asked again %d times", n)
	}
	list, err := h.Subscriptions(h.ctx, h.account, arn, "", 10)
	must(t, err)
	if len(list) != 1 {
		t.Errorf("%d subscriptions listed, want 1", len(list))
	}
}

func unsubscribe(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	expires := h.now.Add(time.Hour)
	key, err := h.Unsubscribe(h.ctx, s.ARN, []byte("restore"), expires, h.message(topic.UnsubscribeConfirmation))
	must(t, err)
	same(t, "key", key, s.Key)
	d := h.due(t, s.Key)
	if len(d.Messages) != 1 || d.Messages[0].Kind != uint8(topic.UnsubscribeConfirmation) || subscription(d).State != topic.Deactivated {
		t.Fatalf("due = %+v, want the farewell of a deactivated subscription", d)
	}
	h.publish(t, arn, 1)
	if n := len(h.due(t, s.Key).Messages); n != 1 {
		t.Errorf("%d messages due, want only the farewell", n)
	}
	again, err := h.Unsubscribe(h.ctx, s.ARN, []byte("x"), expires, h.message(topic.UnsubscribeConfirmation))
	must(t, err)
	same(t, "ending it twice", again, int64(0))
	_, err = h.Unsubscribe(h.ctx, arn+":unknown", []byte("x"), expires, h.message(topic.UnsubscribeConfirmation))
	isNotFound(t, "ending an unknown one", err)

	_, err = h.ConfirmSubscription(h.ctx, arn, []byte("restore"), false, false, expires)
	isNotFound(t, "restoring too late", err)
	restored, err := h.ConfirmSubscription(h.ctx, arn, []byte("restore"), false, false, h.now)
	must(t, err)
	if restored.ARN != s.ARN || restored.State != topic.Confirmed {
		t.Errorf("restored %+v, want %s confirmed", restored, s.ARN)
	}

	_, err = h.Unsubscribe(h.ctx, s.ARN, []byte("restore-2"), expires, h.message(topic.UnsubscribeConfirmation))
	must(t, err)
	newer := h.subscribe(t, arn, "https://a.example/")
	if newer.ARN == s.ARN {
		t.Fatal("a deactivated subscription was taken for a live one")
	}
	restored, err = h.ConfirmSubscription(h.ctx, arn, []byte("restore-2"), false, false, h.now)
	must(t, err)
	if restored.ARN != newer.ARN || restored.State != topic.Confirmed {
		t.Errorf("restored %+v, want the newer %s confirmed", restored, newer.ARN)
	}

	// A newer one that is Confirmed stays as its owner confirmed it: the link in an old farewell proves less.
	must(t, h.UpdateSubscription(h.ctx, newer.ARN, func(s *topic.Subscription) error { s.Authenticated, s.OwnerOnly = true, true; return nil }))
	restored, err = h.ConfirmSubscription(h.ctx, arn, []byte("restore-2"), false, false, h.now)
	must(t, err)
	if restored.ARN != newer.ARN || !restored.Authenticated || !restored.OwnerOnly {
		t.Errorf("restored over a confirmed one %+v, want it as it was", restored)
	}
}

func subscriptionExpiry(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.subscribe(t, arn, "https://a.example/")
	h.now = h.now.Add(topic.ConfirmWithin)
	_, err := h.ConfirmSubscription(h.ctx, arn, s.TokenHash, false, false, h.now)
	isNotFound(t, "an expired token", err)
	must(t, h.SweepQueues(h.ctx, h.now, h.now))
	_, err = h.Subscription(h.ctx, s.ARN)
	isNotFound(t, "an expired subscription", err)
	d := h.due(t, s.Key)
	if d.Subscriber != nil || len(d.Messages) != 1 {
		t.Fatalf("due = %+v, want the message of nobody", d)
	}
	h.settle(t, h.claim(t, s.Key, "node"), s.Key, queue.Done, d.Messages...)
	must(t, h.SweepQueues(h.ctx, h.now, h.now))
	same(t, "after the last message", h.due(t, s.Key), queue.Due{})
	h.subscribe(t, arn, "https://a.example/") // the endpoint is free again
}

func publishConfirmed(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	h.subscribe(t, arn, "https://pending.example/")
	queued, err := h.PublishToTopic(h.ctx, arn, []queue.Record{h.record(topic.Notification)}, nil)
	must(t, err)
	if len(queued) != 0 {
		t.Errorf("queued for %v, want nobody", queued)
	}
	s := h.confirmed(t, arn, "https://a.example/")
	r := h.record(topic.Notification)
	queued, err = h.PublishToTopic(h.ctx, arn, []queue.Record{r}, nil)
	must(t, err)
	same(t, "queued", queued, []int64{s.Key})
	d := h.due(t, s.Key)
	if len(d.Messages) != 1 {
		t.Fatalf("due = %+v, want one message", d)
	}
	same(t, "message", d.Messages[0].Record, r)
	_, err = h.PublishToTopic(h.ctx, h.arn("gone"), []queue.Record{r}, nil)
	isNotFound(t, "publishing to nothing", err)
}

func deleteTopic(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	h.publish(t, arn, 3)
	keys, err := h.DeleteTopic(h.ctx, arn)
	must(t, err)
	same(t, "ended", keys, []int64{s.Key})
	_, err = h.Subscription(h.ctx, s.ARN)
	isNotFound(t, "its subscription", err)
	list, err := h.Subscriptions(h.ctx, h.account, "", "", 10)
	must(t, err)
	if len(list) != 0 {
		t.Errorf("%d subscriptions listed, want none", len(list))
	}
	d := h.due(t, s.Key)
	if d.Subscriber != nil || len(d.Messages) != 3 {
		t.Fatalf("due = %+v, want three messages of nobody", d)
	}
	must(t, h.SweepQueues(h.ctx, h.now, h.now)) // not before its queue is empty
	same(t, "swept early", len(h.due(t, s.Key).Messages), 3)

	h.topic(t, "orders") // a new topic of the same name starts empty
	queued, err := h.PublishToTopic(h.ctx, arn, []queue.Record{h.record(topic.Notification)}, nil)
	must(t, err)
	if len(queued) != 0 {
		t.Errorf("a new topic inherited subscriptions %v", queued)
	}
}
