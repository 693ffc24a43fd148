package extensions

import (
	"context"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// source says where a dead letter comes from. The first two begin the dead letter's id.
type source string

const (
	fromEvents source = "event"        // not published to its event destination
	fromTopics source = "notification" // published to a built-in topic, not delivered to a subscription
	fromBus    source = "target"       // put on the built-in event bus, not delivered to a target; its id is as a notification's
)

// place is where a dead letter stands: those of events come first, each kind in the order of giving up.
type place struct {
	source source
	key    int64
}

// String is the dead letter's id.
func (p place) String() string { return string(p.source) + "-" + strconv.FormatInt(p.key, 10) }

// parsePlace reads an id, or what a token holds.
func parsePlace(id string) (place, error) {
	name, digits, _ := strings.Cut(id, "-")
	key, err := strconv.ParseInt(digits, 10, 64)
	if p := (place{source(name), key}); err == nil && key >= 0 && (p.source == fromEvents || p.source == fromTopics) && p.String() == id {
		return p, nil
	}
	return place{}, fault.New(fault.InvalidParameters, "%q is not the id of a dead letter.", id)
}

// deadLetter is something that was given up.
type deadLetter struct {
	ID                string        `json:"deadLetterId"`
	Source            source        `json:"source"`
	EventID           string        `json:"eventId"` // what subscribers know as MessageId
	Type              string        `json:"notificationType,omitempty"`
	BusinessAccountID string        `json:"wabaId,omitempty"`
	PhoneNumberID     string        `json:"phoneNumberId,omitempty"`
	MessageID         string        `json:"messageId,omitempty"`
	Field             string        `json:"field,omitempty"`
	Status            string        `json:"status,omitempty"`
	Destination       string        `json:"destination"` // ARN of the event destination or of the subscription
	Attempts          int           `json:"attempts"`
	Reason            string        `json:"reason"`
	Timestamp         restjson.Time `json:"timestamp"` // of the change, or of the publishing
	DeadSince         restjson.Time `json:"deadSince"`
	place             place
}

type listDeadLettersInput struct {
	Destination string `query:"destination" len:"1..2048"`
	NextToken   string `query:"nextToken" len:"1..600"`
	MaxResults  int    `query:"maxResults" range:"1..100"`
}

type listDeadLettersOutput struct {
	DeadLetters []deadLetter `json:"deadLetters"`
	NextToken   string       `json:"nextToken,omitempty"`
}

// listDeadLetters lists what was given up. A page can be short, or empty, and still be followed by another.
func (s server) listDeadLetters(ctx context.Context, in *listDeadLettersInput) (*listDeadLettersOutput, error) {
	if in.MaxResults == 0 {
		in.MaxResults = 100
	}
	list, next, err := s.deadLetters(ctx, in.NextToken, in.Destination, in.MaxResults)
	if err != nil {
		return nil, err
	}
	return &listDeadLettersOutput{list, next}, nil
}

// deadLetters reads at most limit dead letters of the caller from where a token says, and keeps those for a destination
// unless that is "".
func (s server) deadLetters(ctx context.Context, token, destination string, limit int) (list []deadLetter, next string, err error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	purpose := []string{scope.AccountID, scope.Region, request.Operation, destination}
	at := place{fromEvents, 0}
	if token != "" {
		cursor, err := s.Pages.Open(token, purpose...)
		if err != nil {
			return nil, "", err
		}
		if at, err = parsePlace(cursor); err != nil {
			return nil, "", err
		}
	}
	all, err := s.readDeadLetters(ctx, scope.AccountID, at, limit)
	if err != nil {
		return nil, "", err
	}
	if len(all) == limit {
		next = s.Pages.Seal(all[limit-1].place.String(), purpose...)
	}
	list = all[:0]
	for i := range all {
		if destination == "" || all[i].Destination == destination {
			list = append(list, all[i])
		}
	}
	return list, next, nil
}

// readDeadLetters reads at most limit dead letters behind a place. The result is never nil.
func (s server) readDeadLetters(ctx context.Context, accountID string, at place, limit int) ([]deadLetter, error) {
	list := make([]deadLetter, 0, min(limit, 100))
	if at.source == fromEvents {
		events, err := s.Events.DeadEvents(ctx, accountID, at.key, limit)
		if err != nil {
			return nil, err
		}
		for i := range events {
			list = append(list, buriedEvent(&events[i]))
		}
		at = place{fromTopics, 0}
	}
	if len(list) == limit {
		return list, nil
	}
	notifications, err := s.Notifications.DeadMessages(ctx, accountID, at.key, limit-len(list))
	if err != nil {
		return nil, err
	}
	for i := range notifications {
		list = append(list, buriedMessage(&notifications[i]))
	}
	return list, nil
}

// buriedEvent describes an event that was given up.
func buriedEvent(e *event.DeadLetter) deadLetter {
	l := deadLetter{Source: fromEvents, EventID: e.ID, BusinessAccountID: account.ID(account.KindWABA, e.WABAKey), MessageID: e.MessageID,
		Field: e.Field, Status: e.Status, Destination: e.Destination, Attempts: e.Attempts, Reason: e.Reason,
		Timestamp: restjson.Time(e.At), DeadSince: restjson.Time(e.DiedAt), place: place{fromEvents, e.Key}}
	if e.PhoneKey != "" {
		l.PhoneNumberID = account.ID(account.KindPhoneNumber, e.PhoneKey)
	}
	l.ID = l.place.String()
	return l
}

// buriedMessage describes what a subscription or a target did not take.
func buriedMessage(n *queue.DeadLetter) deadLetter {
	p := place{fromTopics, n.Key}
	l := deadLetter{ID: p.String(), Source: fromTopics, EventID: n.MessageID, Type: topic.Kind(n.Kind).String(), Destination: n.Subscriber,
		Attempts: n.Attempts, Reason: n.Reason, Timestamp: restjson.Time(n.PublishedAt), DeadSince: restjson.Time(n.At), place: p}
	if event.KindOf(n.Subscriber) == event.EventBridge { // a target's name begins with that of its rule
		l.Source, l.Type = fromBus, ""
	}
	return l
}

type getDeadLetterInput struct {
	ID string `query:"deadLetterId" required:"true" len:"1..40"`
}

type getDeadLetterOutput struct {
	DeadLetter deadLetter `json:"deadLetter"`
	Envelope   string     `json:"envelope"` // what was not taken: an event's document, what was published to a topic, what was put on the bus
}

// getDeadLetter shows what a dead letter carries.
func (s server) getDeadLetter(ctx context.Context, in *getDeadLetterInput) (*getDeadLetterOutput, error) {
	p, err := parsePlace(in.ID)
	if err != nil {
		return nil, err
	}
	scope := awsapi.From(ctx).Scope()
	if p.source == fromEvents {
		return s.showEvent(ctx, scope, p.key)
	}
	return s.showMessage(ctx, scope.AccountID, p.key)
}

func (s server) showEvent(ctx context.Context, scope account.Scope, key int64) (*getDeadLetterOutput, error) {
	l, d, err := s.Events.DeadEvent(ctx, scope.AccountID, key)
	if err != nil {
		return nil, err
	}
	opened, err := s.Opener.Open(d.Entry, []byte(d.ID))
	if err != nil {
		return nil, err
	}
	return &getDeadLetterOutput{buriedEvent(&l), string(event.Envelope(&d, scope, opened))}, nil
}

func (s server) showMessage(ctx context.Context, accountID string, key int64) (*getDeadLetterOutput, error) {
	n, record, err := s.Notifications.DeadMessage(ctx, accountID, key)
	if err != nil {
		return nil, err
	}
	l := buriedMessage(&n)
	if l.Source == fromBus {
		put, err := s.Opener.Open(record.Sealed, []byte(record.ID))
		return &getDeadLetterOutput{l, string(put)}, err
	}
	m, err := topic.Unseal(s.Opener, record)
	if err != nil {
		return nil, err
	}
	return &getDeadLetterOutput{l, string(m.Body)}, nil
}

// chooseInput says which dead letters: some, those of one destination, or all.
type chooseInput struct {
	IDs         []string `json:"deadLetterIds" len:"1..100" each:"1..40"`
	Destination string   `json:"destination" len:"1..2048"`
	All         bool     `json:"all"`
	NextToken   string   `json:"nextToken" len:"1..600"`
}

// chosen is how many dead letters one call looks at.
const chosen = 500

// choose returns the dead letters that are meant, by source, and the token for the rest.
func (s server) choose(ctx context.Context, in *chooseInput) (events, notifications []int64, next string, err error) {
	ways := 0
	for _, given := range []bool{len(in.IDs) > 0, in.Destination != "", in.All} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return nil, nil, "", fault.New(fault.InvalidParameters, "Say which dead letters: give one of deadLetterIds, destination or all.")
	}
	var places []place
	if len(in.IDs) > 0 {
		for _, id := range in.IDs {
			p, err := parsePlace(id)
			if err != nil {
				return nil, nil, "", err
			}
			places = append(places, p)
		}
	} else {
		var list []deadLetter
		if list, next, err = s.deadLetters(ctx, in.NextToken, in.Destination, chosen); err != nil {
			return nil, nil, "", err
		}
		for i := range list {
			places = append(places, list[i].place)
		}
	}
	for _, p := range places {
		if p.source == fromEvents {
			events = append(events, p.key)
		} else {
			notifications = append(notifications, p.key)
		}
	}
	return events, notifications, next, nil
}

type requeueOutput struct {
	Requeued  int    `json:"requeued"`
	Skipped   int    `json:"skipped"` // not there any more, or with nowhere to go
	NextToken string `json:"nextToken,omitempty"`
}

// requeueDeadLetters has dead letters tried again: events at the destination that their business account has now, notifications
// at their subscription.
func (s server) requeueDeadLetters(ctx context.Context, in *chooseInput) (*requeueOutput, error) {
	events, notifications, next, err := s.choose(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &requeueOutput{Skipped: len(events) + len(notifications), NextToken: next}
	accountID := awsapi.From(ctx).Caller.AccountID
	if len(events) > 0 {
		n, destinations, err := s.Events.RequeueDeadEvents(ctx, accountID, events)
		if err != nil {
			return nil, err
		}
		out.Requeued += n
		s.WakeDestinations(destinations...)
	}
	if len(notifications) > 0 {
		n, subscriptions, err := s.Notifications.RequeueDeadMessages(ctx, accountID, notifications, s.Now())
		if err != nil {
			return nil, err
		}
		out.Requeued += n
		s.WakeSubscriptions(subscriptions...)
	}
	out.Skipped -= out.Requeued
	return out, nil
}

type discardOutput struct {
	Discarded int    `json:"discarded"`
	NextToken string `json:"nextToken,omitempty"`
}

// discardDeadLetters forgets dead letters. A repeated call finds nothing and is no error.
func (s server) discardDeadLetters(ctx context.Context, in *chooseInput) (*discardOutput, error) {
	events, notifications, next, err := s.choose(ctx, in)
	if err != nil {
		return nil, err
	}
	out := &discardOutput{NextToken: next}
	accountID := awsapi.From(ctx).Caller.AccountID
	if len(events) > 0 {
		if out.Discarded, err = s.Events.DiscardDeadEvents(ctx, accountID, events); err != nil {
			return nil, err
		}
	}
	if len(notifications) > 0 {
		n, err := s.Notifications.DiscardDeadMessages(ctx, accountID, notifications)
		if err != nil {
			return nil, err
		}
		out.Discarded += n
	}
	return out, nil
}
