package socialmessaging

import (
	"context"

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
	request := awsapi.From(ctx)
	scope := request.Scope()
	number, err := s.phoneNumber(ctx, scope, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	if err := message.CheckVersion(in.MetaVersion); err != nil {
		return nil, err
	}
	draft, err := message.Parse(in.Message)
	if err != nil {
		return nil, err
	}
	if number.Status != account.Active {
		return nil, refuse("Phone number %s cannot send: its status is %q, not %q.", in.PhoneNumberID, number.Status, account.Active)
	}
	if draft.Kind == message.KindTemplate && s.CheckSend != nil {
		if err := s.CheckSend(ctx, scope.AccountID, number.WABAKey, in.Message); err != nil {
			return nil, err
		}
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fault.Wrap(fault.Internal, err, "making a message id")
	}
	accepted, err := s.Sender.Send(ctx, message.Outbound{
		ID: id.String(), AccountID: scope.AccountID, WABAKey: number.WABAKey, PhoneKey: number.Key,
		MetaVersion: in.MetaVersion, Kind: draft.Kind, Recipient: draft.Recipient, Priority: draft.Priority,
		Template: draft.Template, OwnOpaque: draft.OwnOpaque, Body: in.Message, AcceptedAt: s.Now(),
		InvocationID: request.InvocationID,
	})
	if err != nil {
		return nil, err
	}
	return &sendOutput{accepted}, nil
}
