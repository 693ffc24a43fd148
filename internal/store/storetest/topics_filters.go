package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// filter gives a subscription a filter policy and returns what is stored.
func (h *hub) filter(t *testing.T, s topic.Subscription, policy string, scope pattern.Scope) topic.Filter {
	t.Helper()
	must(t, h.UpdateSubscription(h.ctx, s.ARN, func(s *topic.Subscription) error {
		s.Filter.Policy, s.Filter.Scope = policy, scope
		return nil
	}))
	stored, err := h.Subscription(h.ctx, s.ARN)
	must(t, err)
	same(t, "policy and scope", []any{stored.Filter.Policy, stored.Filter.Scope}, []any{policy, scope})
	return stored.Filter
}

func filtered(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	all, some, none := h.confirmed(t, arn, "https://all.example/"), h.confirmed(t, arn, "https://some.example/"), h.confirmed(t, arn, "https://none.example/")
	first, second := h.filter(t, some, `{"even": [true]}`, pattern.Body), h.filter(t, none, `{"none": [true]}`, pattern.Attributes)

	numbers, err := h.TopicFilters(h.ctx, arn)
	must(t, err)
	slices.Sort(numbers)
	same(t, "filters of the topic", numbers, []int64{first.ID, second.ID})
	numbers, err = h.TopicFilters(h.ctx, h.topic(t, "other").ARN)
	must(t, err)
	same(t, "filters of another topic", len(numbers), 0)
	f, err := h.TopicFilter(h.ctx, second.ID)
	must(t, err)
	same(t, "a filter by its number", f, second)
	if _, err := h.TopicFilter(h.ctx, second.ID+100); !fault.Is(err, fault.NotFound) {
		t.Errorf("a filter that is not there: %v", err)
	}

	messages := []queue.Record{h.record(topic.Notification), h.record(topic.Notification), h.record(topic.Notification)}
	var asked []string
	wants := func(id int64, load func() (topic.Filter, error), i int) (bool, error) {
		f, err := load()
		must(t, err)
		same(t, "loaded", f, map[int64]topic.Filter{first.ID: first, second.ID: second}[id])
		asked = append(asked, fmt.Sprint(f.Policy, i))
		return id == first.ID && i%2 == 0, nil
	}
	queued, err := h.PublishToTopic(h.ctx, arn, messages, wants)
	must(t, err)
	slices.Sort(queued)
	same(t, "queued", queued, []int64{all.Key, some.Key})
	slices.Sort(asked)
	same(t, "asked", slices.Compact(asked), []string{`{"even": [true]}0`, `{"even": [true]}1`, `{"even": [true]}2`, `{"none": [true]}0`, `{"none": [true]}1`, `{"none": [true]}2`})
	same(t, "without a filter", ids(h.due(t, all.Key).Messages), []string{messages[0].ID, messages[1].ID, messages[2].ID})
	same(t, "with a filter", ids(h.due(t, some.Key).Messages), []string{messages[0].ID, messages[2].ID})
	same(t, "with a filter that wants nothing", len(h.due(t, none.Key).Messages), 0)

	boom := errors.New("boom")
	if _, err := h.PublishToTopic(h.ctx, arn, messages, func(int64, func() (topic.Filter, error), int) (bool, error) { return false, boom }); !errors.Is(err, boom) {
		t.Errorf("a filter that fails: %v", err)
	}
	same(t, "nothing half done", len(h.due(t, all.Key).Messages), 3)

	must(t, h.UpdateSubscription(h.ctx, all.ARN, func(s *topic.Subscription) error { s.Filter.Policy = `{"a": ["b"]}`; return nil }))
	queued, err = h.PublishToTopic(h.ctx, arn, messages[:1], func(int64, func() (topic.Filter, error), int) (bool, error) { return false, nil })
	must(t, err)
	same(t, "nobody wants it", len(queued), 0)
}

func filterNumbers(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	s := h.confirmed(t, arn, "https://a.example/")
	same(t, "scope alone", h.filter(t, s, "", pattern.Body).ID, int64(0))
	first := h.filter(t, s, `{"a": ["1"]}`, pattern.Body)
	again := h.filter(t, s, `{"a": ["1"]}`, pattern.Body)
	same(t, "the same policy keeps its number", again.ID, first.ID)
	second := h.filter(t, s, `{"a": ["1"]}`, pattern.Attributes)
	third := h.filter(t, s, `{"a": ["2"]}`, pattern.Attributes)
	if first.ID == 0 || first.ID == second.ID || second.ID == third.ID || first.ID == third.ID {
		t.Errorf("numbers %d, %d, %d", first.ID, second.ID, third.ID)
	}
	if due := h.due(t, s.Key); due.Subscriber.(*topic.Subscriber).Filter != third {
		t.Errorf("its queue has %+v", due.Subscriber)
	}
	same(t, "removed", h.filter(t, s, "", pattern.Attributes).ID, int64(0))

	stranger := topic.Subscription{ARN: arn + ":x", TopicARN: arn, AccountID: h.account, Protocol: topic.SQS, Endpoint: "arn:aws:sqs:us-east-1:000000000000:q",
		State: topic.Confirmed, TokenHash: []byte("x"), CreatedAt: h.now, Filter: topic.Filter{Policy: `{"a": ["3"]}`, Scope: pattern.Body}}
	stored, err := h.Subscribe(h.ctx, stranger, nil)
	must(t, err)
	if stored.Filter.ID <= third.ID || stored.Filter.Policy != stranger.Filter.Policy || stored.Filter.Scope != pattern.Body {
		t.Errorf("subscribed with %+v", stored.Filter)
	}
}

func manyFilters(t *testing.T, h *hub) {
	arn := h.topic(t, "orders").ARN
	subscribe := func(n int) error {
		endpoint := fmt.Sprint("arn:aws:sqs:us-east-1:000000000000:q", n)
		_, err := h.Subscribe(h.ctx, topic.Subscription{ARN: fmt.Sprint(arn, ":", n), TopicARN: arn, AccountID: h.account, Protocol: topic.SQS, Endpoint: endpoint,
			State: topic.Confirmed, TokenHash: []byte(endpoint), CreatedAt: h.now, Filter: topic.Filter{Policy: `{"a": ["1"]}`}}, nil)
		return err
	}
	for n := range topic.MaxFilters {
		must(t, subscribe(n))
	}
	if err := subscribe(topic.MaxFilters); !fault.Is(err, fault.LimitExceeded) || !strings.Contains(err.Error(), "200") {
		t.Errorf("one more: %v", err)
	}
	s := h.confirmed(t, arn, "https://a.example/")
	set := func(arn, policy string) error {
		return h.UpdateSubscription(h.ctx, arn, func(s *topic.Subscription) error { s.Filter.Policy = policy; return nil })
	}
	if err := set(s.ARN, `{"a": ["1"]}`); !fault.Is(err, fault.LimitExceeded) {
		t.Errorf("set on one more: %v", err)
	}
	must(t, set(fmt.Sprint(arn, ":", 0), `{"a": ["2"]}`)) // changing one is not one more
	must(t, set(fmt.Sprint(arn, ":", 0), ""))
	must(t, set(s.ARN, `{"a": ["1"]}`))
}
