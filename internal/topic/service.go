package topic

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Store keeps topics and subscriptions and takes what is published. Everything a method changes it changes in one commit,
// which is on disk when the method returns. What does not exist is a fault.NotFound, unless a method says otherwise.
type Store interface {
	topics
	subscriptions
	// PublishToTopic queues every message for every Confirmed subscription of the topic that wants it: all without a filter, and those
	// whose filter says so. It returns the keys of the subscriptions that have got something. A nil wants says so for all.
	PublishToTopic(ctx context.Context, topicARN string, messages []queue.Record, wants Wants) (queued []int64, err error)
	// TopicFilters returns the numbers of the filters of a topic's Confirmed subscriptions; none if there is no topic.
	TopicFilters(ctx context.Context, topicARN string) ([]int64, error)
	// TopicFilter returns the filter that has a number.
	TopicFilter(ctx context.Context, id int64) (Filter, error)
}

type topics interface {
	// CreateTopic stores a topic, or returns the one that has its ARN already.
	CreateTopic(ctx context.Context, t Topic) (stored Topic, created bool, err error)
	Topic(ctx context.Context, arn string) (Topic, error)
	// Topics lists an account's topics by ARN, from the one after the given ARN.
	Topics(ctx context.Context, accountID, after string, limit int) ([]Topic, error)
	// UpdateTopic stores what change makes of a topic. It may call change more than once.
	UpdateTopic(ctx context.Context, arn string, change func(*Topic) error) error
	// DeleteTopic removes a topic and ends its subscriptions, whose keys it returns. Deleting nothing is fine.
	DeleteTopic(ctx context.Context, arn string) (subscriptions []int64, err error)
	SubscriptionCounts(ctx context.Context, topicARN string) (Counts, error)
}

type subscriptions interface {
	// Subscribe stores a Pending subscription and queues its confirmation message, or a Confirmed one, for which that is nil. If the
	// endpoint is subscribed already, a Pending one gets the new state, token and message and a Confirmed one stays as it is; either
	// is returned.
	Subscribe(ctx context.Context, s Subscription, confirmation *queue.Record) (Subscription, error)
	Subscription(ctx context.Context, arn string) (Subscription, error)
	// Subscriptions lists an account's live subscriptions by ARN, of one topic unless topicARN is "".
	Subscriptions(ctx context.Context, accountID, topicARN, after string, limit int) ([]Subscription, error)
	// UpdateSubscription stores what change makes of a subscription. It may call change more than once.
	UpdateSubscription(ctx context.Context, arn string, change func(*Subscription) error) error
	// ConfirmSubscription makes the subscription of the topic whose token has the hash Confirmed, if it has not expired, and returns it.
	// One that is Confirmed already stays as it is. Restoring a Deactivated one whose endpoint has subscribed anew since
	// returns the new one.
	ConfirmSubscription(ctx context.Context, topicARN string, tokenHash []byte, signed, ownerOnly bool, now time.Time) (Subscription, error)
	// Unsubscribe makes a Confirmed subscription Deactivated until expires and queues its farewell, whose token can restore
	// it. A Pending one is forgotten, and so is any without a farewell. Ending a Deactivated one again does nothing and returns key 0.
	Unsubscribe(ctx context.Context, arn string, tokenHash []byte, expires time.Time, farewell *queue.Record) (key int64, err error)
}

// Options configure a Service.
type Options struct {
	Store     Store
	Sealer    Sealer
	Partition string // "aws"
	Region    string
	Queues    bool // whether SQS queues can subscribe
	// Wake is told right after a commit which subscriptions have something to deliver.
	Wake func(subscriptions ...int64)
	Now  func() time.Time
}

// Service is what can be done with topics. It validates, seals and stores; it does not ask who the caller is.
type Service struct {
	Options
	filters filters
}

// NewService returns the service.
func NewService(o Options) *Service { return &Service{Options: o} }

// ARN names a topic of an account.
func (s *Service) ARN(accountID, name string) ARN {
	return ARN{Partition: s.Partition, Region: s.Region, AccountID: accountID, Topic: name}
}

// CreateTopic makes a topic and returns its ARN. Repeating a request returns the same topic; asking for other attributes
// than an existing topic has is refused, as are other tags.
func (s *Service) CreateTopic(ctx context.Context, accountID, name string, attributes, tags map[string]string) (string, error) {
	if err := CheckName(name); err != nil {
		return "", err
	}
	t := Topic{ARN: s.ARN(accountID, name).String(), AccountID: accountID, SignatureVersion: SHA1, CreatedAt: s.Now()}
	if err := t.SetAll(attributes); err != nil {
		return "", err
	}
	if err := t.SetTags(tags); err != nil {
		return "", err
	}
	stored, created, err := s.Store.CreateTopic(ctx, t)
	if err != nil {
		return "", err
	}
	if !created && !stored.same(&t, attributes) {
		return "", invalid("Attributes Reason: Topic already exists with different attributes")
	}
	for k, v := range tags {
		if have, ok := stored.Tags[k]; !created && (!ok || have != v) {
			return "", invalid("Tags Reason: Topic already exists with different tags")
		}
	}
	return stored.ARN, nil
}

// EnsureTopic makes a topic with default attributes unless the account has one of that name, and returns its ARN.
func (s *Service) EnsureTopic(ctx context.Context, accountID, name string) (string, error) {
	return s.CreateTopic(ctx, accountID, name, nil, nil)
}

// DeleteTopic ends a topic and its subscriptions; what was not delivered is thrown away. Deleting nothing succeeds.
func (s *Service) DeleteTopic(ctx context.Context, arn string) error {
	ended, err := s.Store.DeleteTopic(ctx, arn)
	if err == nil {
		s.Wake(ended...)
	}
	return err
}

// Topic returns a topic and the number of its subscriptions.
func (s *Service) Topic(ctx context.Context, arn string) (Topic, Counts, error) {
	t, err := s.Store.Topic(ctx, arn)
	if err != nil {
		return Topic{}, Counts{}, err
	}
	c, err := s.Store.SubscriptionCounts(ctx, arn)
	return t, c, err
}

// SetTopicAttribute changes one attribute of a topic.
func (s *Service) SetTopicAttribute(ctx context.Context, arn, name, value string) error {
	return s.Store.UpdateTopic(ctx, arn, func(t *Topic) error { return t.Set(name, value) })
}

// Publish stores one message for the topic's subscribers and returns its id.
func (s *Service) Publish(ctx context.Context, topicARN string, m Message) (id string, err error) {
	batch := []Message{m}
	if err := s.PublishBatch(ctx, topicARN, batch); err != nil {
		return "", err
	}
	return batch[0].ID, nil
}

// PublishBatch stores messages for the topic's subscribers, all of them or none. It fills in ids and times that are missing.
// A message published again under its id is delivered again, recognisable by that id.
func (s *Service) PublishBatch(ctx context.Context, topicARN string, messages []Message) error {
	b := newBatch(len(messages))
	for i := range messages {
		if err := s.prepare(b, &messages[i]); err != nil {
			return err
		}
	}
	return s.publish(ctx, topicARN, b)
}

// PublishEach is PublishBatch in which a message that cannot be published does not stop the others. It returns one error a
// message, nil for those that are stored.
func (s *Service) PublishEach(ctx context.Context, topicARN string, messages []Message) []error {
	errs := make([]error, len(messages))
	b := newBatch(len(messages))
	for i := range messages {
		errs[i] = s.prepare(b, &messages[i])
	}
	if err := s.publish(ctx, topicARN, b); err != nil {
		for i := range errs {
			if errs[i] == nil {
				errs[i] = err
			}
		}
	}
	return errs
}

// batch is messages that are about to be published, and their stored form.
type batch struct {
	messages []*Message
	records  []queue.Record
}

func newBatch(n int) *batch {
	return &batch{make([]*Message, 0, n), make([]queue.Record, 0, n)}
}

// prepare checks, completes and seals a message and adds it to a batch.
func (s *Service) prepare(b *batch, m *Message) error {
	if err := m.Check(); err != nil {
		return err
	}
	if m.ID == "" {
		m.ID = newUUID()
	}
	if now := s.Now(); m.PublishedAt.IsZero() || m.PublishedAt.After(now) {
		m.PublishedAt = now
	}
	m.Kind = Notification
	r, err := seal(s.Sealer, m)
	if err == nil {
		b.messages, b.records = append(b.messages, m), append(b.records, r)
	}
	return err
}

func (s *Service) publish(ctx context.Context, topicARN string, b *batch) error {
	messages := make([]candidate, len(b.messages))
	for i, m := range b.messages {
		messages[i].message = m
	}
	answers, err := s.ask(ctx, topicARN, messages)
	if err != nil {
		return err
	}
	queued, err := s.Store.PublishToTopic(ctx, topicARN, b.records, s.wants(messages, answers))
	if err == nil && len(queued) > 0 {
		s.Wake(queued...)
	}
	return err
}

// Tag adds or replaces tags of a topic.
func (s *Service) Tag(ctx context.Context, arn string, tags map[string]string) error {
	return s.Store.UpdateTopic(ctx, arn, func(t *Topic) error { return t.SetTags(tags) })
}

// Untag removes tags of a topic; removing one it does not have is fine.
func (s *Service) Untag(ctx context.Context, arn string, keys []string) error {
	return s.Store.UpdateTopic(ctx, arn, func(t *Topic) error {
		for _, key := range keys {
			delete(t.Tags, key)
		}
		return nil
	})
}
