// Package deadletter is what was given up, of whatever kind: events that an event destination did not take, messages of built-in
// topics that a subscription did not take, and events on the built-in event bus that a target did not take. Each has an id by which
// it can be shown, tried again and forgotten.
package deadletter

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// Source says where a dead letter comes from.
type Source string

const (
	Event        Source = "event"        // not published to its event destination
	Notification Source = "notification" // published to a built-in topic, not delivered to a subscription
	Target       Source = "target"       // put on the built-in event bus, not delivered to a target; its id is as a notification's
)

// ID names a dead letter, and its place: those of events come first, each kind in the order of giving up.
type ID struct {
	source Source // Event or Notification
	key    int64
}

// First is before all others.
var First = ID{Event, 0}

// String is the form that ParseID reads.
func (id ID) String() string { return string(id.source) + "-" + strconv.FormatInt(id.key, 10) }

// ParseID reads an id. It returns a fault.InvalidParameters for what is none.
func ParseID(text string) (ID, error) {
	name, digits, _ := strings.Cut(text, "-")
	key, err := strconv.ParseInt(digits, 10, 64)
	if id := (ID{Source(name), key}); err == nil && key >= 0 && (id.source == Event || id.source == Notification) && id.String() == text {
		return id, nil
	}
	return ID{}, fault.New(fault.InvalidParameters, "%q is not the id of a dead letter.", text)
}

// ParseIDs reads several.
func ParseIDs(texts []string) ([]ID, error) {
	ids := make([]ID, len(texts))
	for i, text := range texts {
		var err error
		if ids[i], err = ParseID(text); err != nil {
			return nil, err
		}
	}
	return ids, nil
}

// Letter is a dead letter. What it is about is known of events only.
type Letter struct {
	ID          ID
	Source      Source
	EventID     string // what subscribers know as MessageId
	Type        string // of a notification
	WABAKey     string
	PhoneKey    string
	MessageID   string
	Field       string
	Status      string
	Destination string // ARN or name of the event destination, ARN of the subscription, name of the target
	Attempts    int
	Reason      string
	At          time.Time // of the change, or of the publishing
	DeadSince   time.Time
}

// Store keeps dead letters of both kinds.
type Store interface {
	DeadEvents(ctx context.Context, accountID string, after int64, limit int) ([]event.DeadLetter, error)
	DeadEvent(ctx context.Context, accountID string, key int64) (event.DeadLetter, event.Delivery, error)
	RequeueDeadEvents(ctx context.Context, accountID string, keys []int64) (requeued int, destinations []string, err error)
	DiscardDeadEvents(ctx context.Context, accountID string, keys []int64) (discarded int, err error)

	DeadMessages(ctx context.Context, accountID string, after int64, limit int) ([]queue.DeadLetter, error)
	DeadMessage(ctx context.Context, accountID string, key int64) (queue.DeadLetter, queue.Record, error)
	RequeueDeadMessages(ctx context.Context, accountID string, keys []int64, now time.Time) (requeued int, queues []int64, err error)
	DiscardDeadMessages(ctx context.Context, accountID string, keys []int64) (discarded int, err error)
}

// Opener undoes the protection of what is stored.
type Opener interface {
	Open(sealed, associated []byte) ([]byte, error)
}

// Office is where dead letters are. WakeDestinations and WakeSubscriptions, which may be nil, are told right after a commit what has
// something to deliver again.
type Office struct {
	Store             Store
	Opener            Opener
	WakeDestinations  func(destinations ...string)
	WakeSubscriptions func(keys ...int64)
}

// List returns at most limit dead letters of an account behind one. Fewer are all there are.
func (o *Office) List(ctx context.Context, accountID string, after ID, limit int) ([]Letter, error) {
	list := make([]Letter, 0, min(limit, 100))
	if after.source == Event {
		events, err := o.Store.DeadEvents(ctx, accountID, after.key, limit)
		if err != nil {
			return nil, err
		}
		for i := range events {
			list = append(list, ofEvent(&events[i]))
		}
		after = ID{Notification, 0}
	}
	if len(list) == limit {
		return list, nil
	}
	messages, err := o.Store.DeadMessages(ctx, accountID, after.key, limit-len(list))
	if err != nil {
		return nil, err
	}
	for i := range messages {
		list = append(list, ofMessage(&messages[i]))
	}
	return list, nil
}

func ofEvent(e *event.DeadLetter) Letter {
	return Letter{ID: ID{Event, e.Key}, Source: Event, EventID: e.ID, WABAKey: e.WABAKey, PhoneKey: e.PhoneKey, MessageID: e.MessageID, Field: e.Field,
		Status: e.Status, Destination: e.Destination, Attempts: e.Attempts, Reason: e.Reason, At: e.At, DeadSince: e.DiedAt}
}

func ofMessage(m *queue.DeadLetter) Letter {
	l := Letter{ID: ID{Notification, m.Key}, Source: Notification, EventID: m.MessageID, Type: topic.Kind(m.Kind).String(), Destination: m.Subscriber,
		Attempts: m.Attempts, Reason: m.Reason, At: m.PublishedAt, DeadSince: m.At}
	if event.KindOf(m.Subscriber) == event.EventBridge { // a target's name begins with that of its rule
		l.Source, l.Type = Target, ""
	}
	return l
}

// Show returns a dead letter and what it carries: the document that an event destination did not take, the message that was published
// to a topic, or the event that was put on the bus. It returns fault.NotFound if there is none.
func (o *Office) Show(ctx context.Context, scope account.Scope, id ID) (Letter, []byte, error) {
	if id.source == Event {
		e, d, err := o.Store.DeadEvent(ctx, scope.AccountID, id.key)
		if err != nil {
			return Letter{}, nil, err
		}
		opened, err := o.Opener.Open(d.Entry, []byte(d.ID))
		if err != nil {
			return Letter{}, nil, err
		}
		return ofEvent(&e), event.Envelope(&d, scope, opened), nil
	}
	m, record, err := o.Store.DeadMessage(ctx, scope.AccountID, id.key)
	if err != nil {
		return Letter{}, nil, err
	}
	l := ofMessage(&m)
	if l.Source == Target {
		put, err := o.Opener.Open(record.Sealed, []byte(record.ID))
		return l, put, err
	}
	published, err := topic.Unseal(o.Opener, record)
	if err != nil {
		return Letter{}, nil, err
	}
	return l, published.Body, nil
}

// Requeue has dead letters of an account tried again and returns how many will be: events at the destination that their business
// account has now, or the additional one they died on, others at their subscription or target. What is not there any more, or has
// nowhere to go, is passed over.
func (o *Office) Requeue(ctx context.Context, accountID string, ids []ID, now time.Time) (requeued int, err error) {
	events, messages := divide(ids)
	if len(events) > 0 {
		n, destinations, err := o.Store.RequeueDeadEvents(ctx, accountID, events)
		if err != nil {
			return 0, err
		}
		requeued += n
		if o.WakeDestinations != nil {
			o.WakeDestinations(destinations...)
		}
	}
	if len(messages) > 0 {
		n, queues, err := o.Store.RequeueDeadMessages(ctx, accountID, messages, now)
		if err != nil {
			return requeued, err
		}
		requeued += n
		if o.WakeSubscriptions != nil {
			o.WakeSubscriptions(queues...)
		}
	}
	return requeued, nil
}

// Discard forgets dead letters of an account and returns how many there were.
func (o *Office) Discard(ctx context.Context, accountID string, ids []ID) (discarded int, err error) {
	events, messages := divide(ids)
	if len(events) > 0 {
		if discarded, err = o.Store.DiscardDeadEvents(ctx, accountID, events); err != nil {
			return 0, err
		}
	}
	if len(messages) > 0 {
		n, err := o.Store.DiscardDeadMessages(ctx, accountID, messages)
		return discarded + n, err
	}
	return discarded, nil
}

func divide(ids []ID) (events, messages []int64) {
	for _, id := range ids {
		if id.source == Event {
			events = append(events, id.key)
		} else {
			messages = append(messages, id.key)
		}
	}
	return events, messages
}
