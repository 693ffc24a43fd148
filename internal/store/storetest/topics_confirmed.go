package storetest

import (
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// confirmedAtOnce is about endpoints that nobody has to be asked for, such as queues of the same account.
func confirmedAtOnce(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	asked := h.subscribe(t, arn, "arn:aws:sqs:us-east-1:000000000000:pending")
	ready := func(endpoint string) topic.Subscription {
		return topic.Subscription{ARN: arn + ":" + endpoint, TopicARN: arn, AccountID: h.account, Protocol: topic.SQS, Endpoint: endpoint,
			State: topic.Confirmed, TokenHash: []byte("token of " + endpoint), Authenticated: true, CreatedAt: h.now}
	}
	s, err := h.Subscribe(h.ctx, ready("arn:aws:sqs:us-east-1:000000000000:q"), nil)
	must(t, err)
	stored, err := h.Subscription(h.ctx, s.ARN)
	must(t, err)
	same(t, "stored", stored, s)
	same(t, "confirmed", stored.State, topic.Confirmed)
	same(t, "queue without a confirmation message", len(h.due(t, s.Key).Messages), 0)

	again, err := h.Subscribe(h.ctx, ready("arn:aws:sqs:us-east-1:000000000000:q"), nil)
	must(t, err)
	same(t, "subscribed again", again, s)

	sooner := ready(asked.Endpoint)
	sooner.Protocol = asked.Protocol
	sooner, err = h.Subscribe(h.ctx, sooner, nil)
	must(t, err)
	same(t, "the one that was pending", []any{sooner.ARN, sooner.State, sooner.ExpiresAt, sooner.Authenticated},
		[]any{asked.ARN, topic.Confirmed, time.Time{}, true})

	published := h.publish(t, arn, 1)
	same(t, "published", ids(h.due(t, s.Key).Messages), published)
	key, err := h.Unsubscribe(h.ctx, s.ARN, nil, time.Time{}, nil)
	must(t, err)
	same(t, "ended without a farewell", key, s.Key)
	_, err = h.Subscription(h.ctx, s.ARN)
	isNotFound(t, "it", err)
	if due := h.due(t, s.Key); due.Subscriber != nil {
		t.Errorf("the queue is still that of %v", due.Subscriber.Name())
	}
	h.settle(t, h.claim(t, s.Key, "node"), s.Key, queue.Done, h.due(t, s.Key).Messages...)
	_, err = h.Subscribe(h.ctx, ready("arn:aws:sqs:us-east-1:000000000000:q"), nil)
	must(t, err) // the endpoint is free again
}
