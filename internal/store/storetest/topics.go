package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// TopicStore is what the built-in topics ask of an engine.
type TopicStore interface {
	topic.Store
	fanout.Store
	fanoutAdmin
	clocks
}

// RunTopics holds an engine to the part of the contract that concerns the built-in topics.
func RunTopics(t *testing.T, open func(t *testing.T) TopicStore) {
	for name, test := range map[string]func(*testing.T, *hub){
		"creating a topic is idempotent":             topicOnce,
		"topics are changed, listed and deleted":     topicLife,
		"accounts do not see each other's topics":    topicTenants,
		"subscriptions are confirmed by their token": subscriptionLife,
		"subscribing again keeps the subscription":   subscribeAgain,
		"what needs no confirmation is confirmed":    confirmedAtOnce,
		"filters keep messages out of queues":        filtered,
		"a filter has a number of its own":           filterNumbers,
		"filters of a topic are limited":             manyFilters,
		"unsubscribing can be undone":                unsubscribe,
		"unconfirmed subscriptions expire":           subscriptionExpiry,
		"only confirmed subscriptions are queued":    publishConfirmed,
		"due messages come in order and in bounds":   dueInOrder,
		"two claimers, one settles":                  claimRace,
		"a lease that moved makes late settles void": lateTopicSettle,
		"retries wait, then come back":               retryLater,
		"given up messages become dead letters":      topicDeadLetters,
		"dead letters can be delivered after all":    requeueDeadMessages,
		"a deleted topic's queues can be emptied":    deleteTopic,
		"waiting subscriptions are found once due":   waiting,
		"concurrent publishers lose nothing":         publishConcurrently,
		"a clock that was set back delays nothing":   setBackFanout,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &hub{TopicStore: open(t), ctx: t.Context(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), account: "000000000000"})
		})
	}
}

// hub is a store in which topics are tried out.
type hub struct {
	TopicStore
	ctx     context.Context
	now     time.Time
	account string
}

func (h *hub) arn(name string) string { return "arn:aws:sns:us-east-1:" + h.account + ":" + name }

func (h *hub) topic(t *testing.T, name string) topic.Topic {
	t.Helper()
	stored, _, err := h.CreateTopic(h.ctx, topic.Topic{ARN: h.arn(name), AccountID: h.account, SignatureVersion: topic.SHA1, CreatedAt: h.now})
	must(t, err)
	return stored
}

func (h *hub) record(kind topic.Kind) queue.Record {
	id := uuid.NewString()
	return queue.Record{ID: id, Kind: uint8(kind), PublishedAt: h.now, Sealed: []byte("sealed " + id)}
}

func (h *hub) message(kind topic.Kind) *queue.Record {
	r := h.record(kind)
	return &r
}

func (h *hub) subscribe(t *testing.T, topicARN, endpoint string) topic.Subscription {
	t.Helper()
	s, err := h.Subscribe(h.ctx, topic.Subscription{ARN: topicARN + ":" + uuid.NewString(), TopicARN: topicARN, AccountID: h.account,
		Protocol: topic.HTTPS, Endpoint: endpoint, Password: []byte("sealed"), State: topic.Pending, TokenHash: []byte("token " + endpoint),
		CreatedAt: h.now, ExpiresAt: h.now.Add(topic.ConfirmWithin)}, h.message(topic.SubscriptionConfirmation))
	must(t, err)
	return s
}

// confirmed adds a subscription that receives, with its confirmation message out of the way.
func (h *hub) confirmed(t *testing.T, topicARN, endpoint string) topic.Subscription {
	t.Helper()
	s := h.subscribe(t, topicARN, endpoint)
	s, err := h.ConfirmSubscription(h.ctx, topicARN, s.TokenHash, false, false, h.now)
	must(t, err)
	l := h.claim(t, s.Key, "setup")
	h.settle(t, l, s.Key, queue.Done, h.due(t, s.Key).Messages...)
	must(t, h.ReleaseLease(h.ctx, l))
	return s
}

func (h *hub) publish(t *testing.T, topicARN string, n int) []string {
	t.Helper()
	var ids []string
	for range n {
		h.now = h.now.Add(time.Millisecond)
		r := h.record(topic.Notification)
		_, err := h.PublishToTopic(h.ctx, topicARN, []queue.Record{r}, nil)
		must(t, err)
		ids = append(ids, r.ID)
	}
	return ids
}

func (h *hub) claim(t *testing.T, key int64, owner string) lease.Lease {
	t.Helper()
	l, err := h.AcquireLease(h.ctx, fmt.Sprint("queue/", key), owner, h.now, lease.TTL)
	must(t, err)
	return l
}

func (h *hub) due(t *testing.T, key int64, held ...int64) queue.Due {
	t.Helper()
	d, err := h.DueMessages(h.ctx, key, h.now, held, 1000, 1<<20)
	must(t, err)
	return d
}

func (h *hub) settle(t *testing.T, l lease.Lease, key int64, fate queue.Fate, messages ...queue.Waiting) bool {
	t.Helper()
	var outcomes []queue.Outcome
	for _, m := range messages {
		outcomes = append(outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: fate, Next: h.now.Add(time.Minute), Reason: "refused"})
	}
	held, err := h.SettleMessages(h.ctx, l, key, outcomes, h.now)
	must(t, err)
	return held
}

func ids(list []queue.Waiting) []string {
	var out []string
	for _, m := range list {
		out = append(out, m.ID)
	}
	return out
}

// subscription returns the subscription that a queue is for, the zero one when it is gone.
func subscription(d queue.Due) topic.Subscription {
	if s, ok := d.Subscriber.(*topic.Subscriber); ok {
		return s.Subscription
	}
	return topic.Subscription{}
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func isNotFound(t *testing.T, what string, err error) {
	t.Helper()
	if !fault.Is(err, fault.NotFound) {
		t.Errorf("%s = %v, want not found", what, err)
	}
}

func topicOnce(t *testing.T, h *hub) {
	first := topic.Topic{ARN: h.arn("orders"), AccountID: h.account, DisplayName: "Orders", SignatureVersion: topic.SHA256,
		Policy: `{"Version":"2012-10-17"}`, Tags: map[string]string{"team": "a"}, CreatedAt: h.now}
	stored, created, err := h.CreateTopic(h.ctx, first)
	must(t, err)
	same(t, "created", stored, first)
	second := first
	second.DisplayName, second.CreatedAt = "Other", h.now.Add(time.Hour)
	again, createdAgain, err := h.CreateTopic(h.ctx, second)
	must(t, err)
	same(t, "created again", again, first)
	if !created || createdAgain {
		t.Errorf("created = %v then %v, want true then false", created, createdAgain)
	}
}

func topicLife(t *testing.T, h *hub) {
	for _, name := range []string{"c", "a", "b"} {
		h.topic(t, name)
	}
	must(t, h.UpdateTopic(h.ctx, h.arn("b"), func(x *topic.Topic) error { return x.Set(topic.AttrDisplayName, "Bee") }))
	if err := h.UpdateTopic(h.ctx, h.arn("b"), func(x *topic.Topic) error { return x.Set("Nonsense", "1") }); err == nil {
		t.Error("a change that fails was stored")
	}
	got, err := h.Topic(h.ctx, h.arn("b"))
	must(t, err)
	same(t, "display name", got.DisplayName, "Bee")

	page, err := h.Topics(h.ctx, h.account, "", 2)
	must(t, err)
	rest, err := h.Topics(h.ctx, h.account, page[1].ARN, 2)
	must(t, err)
	same(t, "pages", []string{page[0].ARN, page[1].ARN, rest[0].ARN}, []string{h.arn("a"), h.arn("b"), h.arn("c")})

	for range 2 { // deleting what is gone is fine
		_, err = h.DeleteTopic(h.ctx, h.arn("b"))
		must(t, err)
	}
	_, err = h.Topic(h.ctx, h.arn("b"))
	isNotFound(t, "a deleted topic", err)
	isNotFound(t, "updating it", h.UpdateTopic(h.ctx, h.arn("b"), func(*topic.Topic) error { return nil }))
}

func topicTenants(t *testing.T, h *hub) {
	h.subscribe(t, h.topic(t, "mine").ARN, "https://a.example/")
	other := *h
	other.account = "111122223333"
	list, err := other.Topics(h.ctx, other.account, "", 10)
	must(t, err)
	subs, err := other.Subscriptions(h.ctx, other.account, "", "", 10)
	must(t, err)
	byTopic, err := other.Subscriptions(h.ctx, other.account, h.arn("mine"), "", 10)
	must(t, err)
	letters, err := other.DeadMessages(h.ctx, other.account, 0, 10)
	must(t, err)
	if len(list)+len(subs)+len(byTopic)+len(letters) != 0 {
		t.Errorf("another account sees %v %v %v %v", list, subs, byTopic, letters)
	}
}

func publishConcurrently(t *testing.T, h *hub) {
	arn := h.topic(t, "busy").ARN
	a, b := h.confirmed(t, arn, "https://a.example/"), h.confirmed(t, arn, "https://b.example/")
	const publishers, each = 8, 10
	for _, err := range parallel(publishers, func(int) error {
		batch := make([]queue.Record, each)
		for i := range batch {
			batch[i] = h.record(topic.Notification)
		}
		_, err := h.PublishToTopic(h.ctx, arn, batch, nil)
		return err
	}) {
		must(t, err)
	}
	for _, s := range []topic.Subscription{a, b} {
		unique := map[string]bool{}
		for _, m := range h.due(t, s.Key).Messages {
			unique[m.ID] = true
		}
		if len(unique) != publishers*each {
			t.Errorf("%s has %d messages, want %d", s.Endpoint, len(unique), publishers*each)
		}
	}
}
