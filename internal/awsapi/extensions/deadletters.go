package extensions

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/deadletter"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// deadLetter is something that was given up.
type deadLetter struct {
	ID                string            `json:"deadLetterId"`
	Source            deadletter.Source `json:"source"`
	EventID           string            `json:"eventId"` // what subscribers know as MessageId
	Type              string            `json:"notificationType,omitempty"`
	BusinessAccountID string            `json:"wabaId,omitempty"`
	PhoneNumberID     string            `json:"phoneNumberId,omitempty"`
	MessageID         string            `json:"messageId,omitempty"`
	Field             string            `json:"field,omitempty"`
	Status            string            `json:"status,omitempty"`
	Destination       string            `json:"destination"` // ARN of the event destination or of the subscription
	Attempts          int               `json:"attempts"`
	Reason            string            `json:"reason"`
	Timestamp         restjson.Time     `json:"timestamp"` // of the change, or of the publishing
	DeadSince         restjson.Time     `json:"deadSince"`
}

func describeLetter(l *deadletter.Letter) deadLetter {
	d := deadLetter{ID: l.ID.String(), Source: l.Source, EventID: l.EventID, Type: l.Type, MessageID: l.MessageID, Field: l.Field, Status: l.Status,
		Destination: l.Destination, Attempts: l.Attempts, Reason: l.Reason, Timestamp: restjson.Time(l.At), DeadSince: restjson.Time(l.DeadSince)}
	if l.WABAKey != "" {
		d.BusinessAccountID = account.ID(account.KindWABA, l.WABAKey)
	}
	if l.PhoneKey != "" {
		d.PhoneNumberID = account.ID(account.KindPhoneNumber, l.PhoneKey)
	}
	return d
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
	out := &listDeadLettersOutput{make([]deadLetter, len(list)), next}
	for i := range list {
		out.DeadLetters[i] = describeLetter(&list[i])
	}
	return out, nil
}

// deadLetters reads at most limit dead letters of the caller from where a token says, and keeps those for a destination
// unless that is "".
func (s server) deadLetters(ctx context.Context, token, destination string, limit int) (list []deadletter.Letter, next string, err error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	purpose := []string{scope.AccountID, scope.Region, request.Operation, destination}
	after := deadletter.First
	if token != "" {
		cursor, err := s.Pages.Open(token, purpose...)
		if err != nil {
			return nil, "", err
		}
		if after, err = deadletter.ParseID(cursor); err != nil {
			return nil, "", err
		}
	}
	all, err := s.DeadLetters.List(ctx, scope.AccountID, after, limit)
	if err != nil {
		return nil, "", err
	}
	if len(all) == limit {
		next = s.Pages.Seal(all[limit-1].ID.String(), purpose...)
	}
	list = all[:0]
	for i := range all {
		if destination == "" || all[i].Destination == destination {
			list = append(list, all[i])
		}
	}
	return list, next, nil
}

type getDeadLetterInput struct {
	ID string `query:"deadLetterId" required:"true" len:"1..40"`
}

type getDeadLetterOutput struct {
	DeadLetter deadLetter `json:"deadLetter"`
	Envelope   string     `json:"envelope"` // what was not taken
}

// getDeadLetter shows what a dead letter carries.
func (s server) getDeadLetter(ctx context.Context, in *getDeadLetterInput) (*getDeadLetterOutput, error) {
	id, err := deadletter.ParseID(in.ID)
	if err != nil {
		return nil, err
	}
	l, carried, err := s.DeadLetters.Show(ctx, awsapi.From(ctx).Scope(), id)
	if err != nil {
		return nil, err
	}
	return &getDeadLetterOutput{describeLetter(&l), string(carried)}, nil
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

// choose returns the dead letters that are meant, and the token for the rest.
func (s server) choose(ctx context.Context, in *chooseInput) (ids []deadletter.ID, next string, err error) {
	ways := 0
	for _, given := range []bool{len(in.IDs) > 0, in.Destination != "", in.All} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return nil, "", fault.New(fault.InvalidParameters, "Say which dead letters: give one of deadLetterIds, destination or all.")
	}
	if len(in.IDs) > 0 {
		ids, err = deadletter.ParseIDs(in.IDs)
		return ids, "", err
	}
	list, next, err := s.deadLetters(ctx, in.NextToken, in.Destination, chosen)
	for i := range list {
		ids = append(ids, list[i].ID)
	}
	return ids, next, err
}

type requeueOutput struct {
	Requeued  int    `json:"requeued"`
	Skipped   int    `json:"skipped"` // not there any more, or with nowhere to go
	NextToken string `json:"nextToken,omitempty"`
}

// requeueDeadLetters has dead letters tried again.
func (s server) requeueDeadLetters(ctx context.Context, in *chooseInput) (*requeueOutput, error) {
	ids, next, err := s.choose(ctx, in)
	if err != nil {
		return nil, err
	}
	n, err := s.DeadLetters.Requeue(ctx, awsapi.From(ctx).Caller.AccountID, ids, s.Now())
	if err != nil {
		return nil, err
	}
	return &requeueOutput{Requeued: n, Skipped: len(ids) - n, NextToken: next}, nil
}

type discardOutput struct {
	Discarded int    `json:"discarded"`
	NextToken string `json:"nextToken,omitempty"`
}

// discardDeadLetters forgets dead letters. A repeated call finds nothing and is no error.
func (s server) discardDeadLetters(ctx context.Context, in *chooseInput) (*discardOutput, error) {
	ids, next, err := s.choose(ctx, in)
	if err != nil {
		return nil, err
	}
	n, err := s.DeadLetters.Discard(ctx, awsapi.From(ctx).Caller.AccountID, ids)
	if err != nil {
		return nil, err
	}
	return &discardOutput{n, next}, nil
}
