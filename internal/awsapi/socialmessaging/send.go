package socialmessaging

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

type sendInput struct {
	PhoneNumberID string `json:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	Message       []byte `json:"message" required:"true" len:"1..2048000" sensitive:"true"`
	MetaVersion   string `json:"metaApiVersion" required:"true"`
}

type sendOutput struct {
	MessageID string `json:"messageId"`
}

// send accepts a message. Success means that it is on disk and will be handed over, not that it was delivered; the outcome
// comes as events.
func (s server) send(ctx context.Context, in *sendInput) (*sendOutput, error) {
	id, err := s.submit(ctx, &Submission{PhoneNumberID: in.PhoneNumberID, Message: in.Message, MetaVersion: in.MetaVersion, At: s.Now()})
	if err != nil {
		return nil, err
	}
	return &sendOutput{id}, nil
}

// Submission is a message that a caller wants sent, by this package's operation or by another one with more to say.
type Submission struct {
	PhoneNumberID string // id or ARN
	Message       []byte
	MetaVersion   string
	At            time.Time         // of the request
	Priority      *message.Priority // nil: what its kind has
	SendAt        time.Time         // zero: at once
	ValidUntil    time.Time         // zero: for as long as any message is tried
}

// Submitter returns what SendWhatsAppMessage does, for operations that send in other ways: the same checks, the same errors, and
// one message for all attempts of a caller's SDK.
func Submitter(o Options) func(ctx context.Context, m *Submission) (id string, err error) {
	return server{o}.submit
}

func (s server) submit(ctx context.Context, in *Submission) (string, error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	number, err := s.phoneNumber(ctx, scope, in.PhoneNumberID)
	if err != nil {
		return "", err
	}
	if err := message.CheckVersion(in.MetaVersion); err != nil {
		return "", err
	}
	draft, err := message.Parse(in.Message)
	if err != nil {
		return "", err
	}
	if number.Status != account.Active {
		return "", refuse("Phone number %s cannot send: its status is %q, not %q.", in.PhoneNumberID, number.Status, account.Active)
	}
	if draft.Kind == message.KindTemplate && s.CheckSend != nil {
		if err := s.CheckSend(ctx, scope.AccountID, number.WABAKey, in.Message); err != nil {
			return "", err
		}
	}
	if s.Windows != nil && in.SendAt.IsZero() && draft.FreeForm() {
		w, err := s.Windows.Window(ctx, number.Key, draft.Recipient)
		if err != nil {
			return "", err
		}
		if !w.Open(in.At) {
			return "", refuse("The customer has not written to %s within 24 hours: send a template, or wait for a message (WhatsApp error 131047).", in.PhoneNumberID)
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", fault.Wrap(fault.Internal, err, "making a message id")
	}
	if in.Priority != nil {
		draft.Priority = *in.Priority
	}
	return s.Sender.Send(ctx, message.Outbound{
		ID: id.String(), AccountID: scope.AccountID, WABAKey: number.WABAKey, PhoneKey: number.Key,
		MetaVersion: in.MetaVersion, Kind: draft.Kind, Recipient: draft.Recipient, Priority: draft.Priority,
		Template: draft.Template, OwnOpaque: draft.OwnOpaque, Body: in.Message, AcceptedAt: in.At,
		SendAt: in.SendAt, ValidUntil: in.ValidUntil, InvocationID: request.InvocationID,
	})
}
