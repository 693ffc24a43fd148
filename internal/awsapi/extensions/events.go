package extensions

import (
	"context"
	"encoding/json"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Events is an account's history of events.
type Events interface {
	Replay(ctx context.Context, accountID string, q event.Replay) (event.Replayed, error)
}

type replayInput struct {
	From      string `json:"from" len:"1..40"`
	To        string `json:"to" len:"1..40"`
	Field     string `json:"field" len:"1..100"`
	Status    string `json:"status" len:"1..100"`
	MessageID string `json:"messageId" len:"1..256"`
	// Destination is the only one to publish to: the id or ARN of an additional one, or the ARN of an event destination.
	Destination string `json:"eventDestinationId" len:"1..2048"`
	MaxEvents   int    `json:"maxEvents" range:"1..500"`
	NextToken   string `json:"nextToken" len:"1..600"`
}

type replayOutput struct {
	Replayed   int    `json:"replayed"`   // in the queue once more
	Waiting    int    `json:"waiting"`    // were in the queue already
	Undirected int    `json:"undirected"` // have no event destination now
	NextToken  string `json:"nextToken,omitempty"`
}

// replayEvents publishes stored events once more, with the ids they had, to the destination their business account has now. One
// call reads a bounded part of the history; it can replay nothing and still be followed by another.
func (s server) replayEvents(ctx context.Context, in *replayInput) (*replayOutput, error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	q := event.Replay{Field: in.Field, Status: in.Status, Limit: in.MaxEvents}
	if in.Destination != "" {
		q.Destination = queueName(scope, in.Destination)
		if err := s.Owns(ctx, scope.AccountID, q.Destination); err != nil {
			return nil, err
		}
	}
	if q.Limit == 0 {
		q.Limit = 500
	}
	var err error
	if q.From, err = when("from", in.From); err != nil {
		return nil, err
	}
	if q.To, err = when("to", in.To); err != nil {
		return nil, err
	}
	if q == (event.Replay{Limit: q.Limit, Destination: q.Destination}) && in.MessageID == "" {
		return nil, fault.New(fault.InvalidParameters, "Say which events: give from, to, field, status or messageId.")
	}
	if in.MessageID != "" {
		st, ok, err := s.Messages.Lookup(ctx, scope.AccountID, in.MessageID)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fault.New(fault.NotFound, "There is no message %s in this account.", in.MessageID)
		}
		q.MessageID = st.ID
	}
	purpose := []string{scope.AccountID, scope.Region, request.Operation, in.From, in.To, in.Field, in.Status, in.MessageID, in.Destination}
	if in.NextToken != "" {
		cursor, err := s.Pages.Open(in.NextToken, purpose...)
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal([]byte(cursor), &q.After); err != nil {
			return nil, err
		}
	}
	res, err := s.Events.Replay(ctx, scope.AccountID, q)
	if err != nil {
		return nil, err
	}
	s.WakeDestinations(res.Destinations...)
	out := &replayOutput{Replayed: res.Queued, Waiting: res.Waiting, Undirected: res.Undirected}
	if res.Next != (event.Place{}) {
		cursor, err := json.Marshal(res.Next)
		if err != nil {
			return nil, err
		}
		out.NextToken = s.Pages.Seal(string(cursor), purpose...)
	}
	return out, nil
}
