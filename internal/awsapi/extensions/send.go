package extensions

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// sendInput is the body of SendWhatsAppMessage, and when and how urgently to send.
type sendInput struct {
	PhoneNumberID string `json:"originationPhoneNumberId" required:"true" len:"1..115"`
	Message       []byte `json:"message" required:"true" len:"1..2048000" sensitive:"true"`
	MetaVersion   string `json:"metaApiVersion" required:"true"`
	SendAt        string `json:"sendAt" len:"1..40"`
	ValidUntil    string `json:"validUntil" len:"1..40"`
	Validity      int    `json:"validitySeconds" range:"1..2592000"`
	Priority      string `json:"priority" enum:"high|normal|bulk"`
}

type sendOutput struct {
	MessageID string `json:"messageId"`
}

const (
	furthest = 30 * 24 * time.Hour // that a message can be scheduled ahead, and that it can be valid
	lately   = 5 * time.Minute     // a time that was not long ago means now: clocks differ, and requests take time
)

var priorities = map[string]message.Priority{"high": message.High, "normal": message.Reply, "bulk": message.Bulk}

// sendMessage accepts a message as SendWhatsAppMessage does, to be sent at a time, within a time, or ahead of others.
func (s server) sendMessage(ctx context.Context, in *sendInput) (*sendOutput, error) {
	now := s.Now()
	m := &socialmessaging.Submission{PhoneNumberID: in.PhoneNumberID, Message: in.Message, MetaVersion: in.MetaVersion, At: now}
	if p, given := priorities[in.Priority]; given {
		m.Priority = &p
	}
	var err error
	if m.SendAt, err = sendTime(in.SendAt, now); err != nil {
		return nil, err
	}
	if m.ValidUntil, err = in.validUntil(now, m.SendAt); err != nil {
		return nil, err
	}
	id, err := s.Submit(ctx, m)
	if err != nil {
		return nil, err
	}
	return &sendOutput{id}, nil
}

// sendTime reads when to send; zero is now.
func sendTime(text string, now time.Time) (time.Time, error) {
	at, err := when("sendAt", text)
	switch {
	case err != nil || at.IsZero():
		return time.Time{}, err
	case at.Before(now.Add(-lately)):
		return time.Time{}, fault.New(fault.InvalidParameters, "sendAt has passed.")
	case at.After(now.Add(furthest)):
		return time.Time{}, fault.New(fault.InvalidParameters, "sendAt must be within 30 days.")
	case !at.After(now):
		return time.Time{}, nil
	}
	return at, nil
}

// validUntil reads when the message is of no use any more; zero is as any other message.
func (in *sendInput) validUntil(now, sendAt time.Time) (time.Time, error) {
	start := now
	if !sendAt.IsZero() {
		start = sendAt
	}
	until, err := when("validUntil", in.ValidUntil)
	switch {
	case err != nil:
		return time.Time{}, err
	case in.Validity > 0 && !until.IsZero():
		return time.Time{}, fault.New(fault.InvalidParameters, "Give validUntil or validitySeconds, not both.")
	case in.Validity > 0:
		return start.Add(time.Duration(in.Validity) * time.Second), nil
	case until.IsZero():
		return time.Time{}, nil
	case !until.After(start):
		return time.Time{}, fault.New(fault.InvalidParameters, "validUntil must be after the message is sent.")
	case until.After(start.Add(furthest)):
		return time.Time{}, fault.New(fault.InvalidParameters, "validUntil must be within 30 days of the sending.")
	}
	return until, nil
}

type cancelInput struct {
	MessageID string `json:"messageId" required:"true" len:"1..256"`
}

type cancelOutput struct {
	State string `json:"state"`
}

// cancelMessage takes a message back that was not handed to WhatsApp yet. What was taken back already is no error.
func (s server) cancelMessage(ctx context.Context, in *cancelInput) (*cancelOutput, error) {
	w, err := s.Cancel(ctx, awsapi.CallerFrom(ctx).AccountID, in.MessageID)
	switch {
	case err != nil:
		return nil, err
	case w.Done:
		return &cancelOutput{string(w.State)}, nil
	case w.InDoubt:
		return nil, fault.New(fault.Conflict, "Message %s cannot be cancelled: WhatsApp may have it already.", in.MessageID)
	default:
		return nil, fault.New(fault.Conflict, "Message %s cannot be cancelled: it is %s.", in.MessageID, w.State)
	}
}
