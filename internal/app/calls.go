package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/calling"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/meta"
)

// eventLog keeps events and queues them for the destination of their business account.
type eventLog interface {
	Publish(ctx context.Context, e *event.Event) error
}

// calls hand call events to Meta's Graph API and publish what came of it.
type calls struct {
	*meta.Client
	events eventLog
	sealer event.Sealer
	wake   func(destinations ...string)
	log    *slog.Logger
}

// HandOver makes one attempt; Meta's refusals are faults. The event about it is stored before the answer. If that fails the call
// has been made all the same, so it is only logged.
func (c calls) HandOver(ctx context.Context, line account.Line, version string, e calling.Event, body []byte) (string, error) {
	id, err := c.SendCall(ctx, line, version, body, e.Action == calling.ActionConnect)
	if id == "" {
		id = e.CallID
	}
	now := time.Now()
	outcome := calling.Outcome{WABAMetaID: line.WABAMetaID, PhoneMetaID: line.PhoneMetaID, DisplayNumber: line.DisplayNumber, CallID: id,
		Event: e, At: now.Unix(), Failure: failure(err)}
	if failed := c.report(context.WithoutCancel(ctx), line, &outcome, now); failed != nil {
		fault.Log(context.WithoutCancel(ctx), c.log, "store the event of a call", failed, "phone", line.PhoneKey)
	}
	return id, meta.Fault(err)
}

func (c calls) report(ctx context.Context, line account.Line, o *calling.Outcome, now time.Time) error {
	id, err := uuid.NewV7()
	if err != nil {
		return err
	}
	sealed, err := c.sealer.Seal(o.Entry(), []byte(id.String()))
	if err != nil {
		return err
	}
	e := &event.Event{ID: id.String(), AccountID: line.AccountID, WABAKey: line.WABAKey, PhoneKey: line.PhoneKey, Field: calling.Field,
		Status: o.Status(), Recipient: o.Event.Recipient, At: now, Entry: sealed}
	if err := c.events.Publish(ctx, e); err != nil {
		return err
	}
	c.wake(e.Destinations...)
	return nil
}

// failure is why an attempt did not succeed; nil if it did.
func failure(err error) *message.Failure {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*meta.Error](err); ok {
		f := e.Failure()
		return &f
	}
	return &message.Failure{Code: 1, Title: unanswered, Message: unanswered, Details: err.Error()}
}
