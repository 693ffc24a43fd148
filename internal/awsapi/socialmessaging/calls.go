package socialmessaging

import (
	"context"
	"encoding/base64"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/calling"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Calls carry the signalling of voice calls.
type Calls interface {
	// HandOver gives a call event to WhatsApp, stores the event that reports the outcome, and returns Meta's id of the call.
	HandOver(ctx context.Context, line account.Line, metaVersion string, e calling.Event, body []byte) (callID string, err error)
	// CallPermission asks for a user's permission, by phone number or by business-scoped id.
	CallPermission(ctx context.Context, line account.Line, phone, scopedID string) (calling.Permission, error)
}

var maxCallBody = int64(base64.StdEncoding.EncodedLen(calling.MaxBytes)) + 64<<10

// callOperations are the operations on voice calls. AWS's SDKs do not have them yet; they follow AWS's documentation.
func (s server) callOperations() []awsapi.Operation {
	return []awsapi.Operation{
		{Name: "GetWhatsAppCallPermission", Method: "POST", Path: "/v1/whatsapp/call/permission/get", Errors: metaErrors, Do: awsapi.Op(s.getCallPermission)},
		{Name: "SendWhatsAppCallEvent", Method: "POST", Path: "/v1/whatsapp/call/event", Errors: metaErrors, Rate: 100, MaxBody: maxCallBody,
			Once: true, Do: awsapi.Op(s.sendCallEvent)},
	}
}

// line finds a phone number by id or ARN and what is needed to act as it.
func (s server) line(ctx context.Context, id string) (account.Line, error) {
	number, err := s.phoneNumber(ctx, awsapi.From(ctx).Scope(), id)
	if err != nil {
		return account.Line{}, err
	}
	return s.Lines.Line(ctx, number.AccountID, number.Key)
}

type sendCallEventInput struct {
	PhoneNumberID string `json:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	MetaVersion   string `json:"metaApiVersion" required:"true"`
	Event         []byte `json:"callEvent" required:"true" len:"1..2048000" sensitive:"true"`
}

type sendCallEventOutput struct {
	CallID string `json:"callId"`
}

// sendCallEvent hands a call event over before it answers: a call that rings cannot wait in a queue. The outcome is published as
// an event, too.
func (s server) sendCallEvent(ctx context.Context, in *sendCallEventInput) (*sendCallEventOutput, error) {
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	if err := message.CheckVersion(in.MetaVersion); err != nil {
		return nil, err
	}
	event, err := calling.Parse(in.Event)
	if err != nil {
		return nil, err
	}
	id, err := s.Calls.HandOver(ctx, line, in.MetaVersion, event, in.Event)
	if err != nil {
		return nil, err
	}
	return &sendCallEventOutput{id}, nil
}

type getCallPermissionInput struct {
	PhoneNumberID string `json:"originationPhoneNumberId" required:"true" len:"1..115" pattern:".*(^phone-number-id-.*$)|(^arn:.*:phone-number-id/[0-9a-zA-Z]+$).*" match:"phone-number-id-.*|arn:.*:phone-number-id/(phone-number-id-)?[0-9a-zA-Z]+"`
	Phone         string `json:"destinationPhoneNumber" len:"1..20" pattern:"\\+[1-9]\\d{1,14}" sensitive:"true"`
	ScopedID      string `json:"endUserBsuid" len:"1..100"`
}

type getCallPermissionOutput struct {
	Permission callPermission `json:"permission"`
	Actions    []callAction   `json:"actions"`
}

type callPermission struct {
	Status    string `json:"status"`
	ExpiresAt int64  `json:"expirationTime,omitempty"` // Unix seconds
}

type callAction struct {
	Name    string      `json:"actionName"`
	Allowed bool        `json:"canPerformAction"`
	Limits  []callLimit `json:"limits,omitempty"`
}

type callLimit struct {
	Period    string `json:"timePeriod"`
	Max       int    `json:"maxAllowed"`
	Used      int    `json:"currentUsage"`
	ExpiresAt int64  `json:"limitExpirationTime,omitempty"` // Unix seconds
}

func (s server) getCallPermission(ctx context.Context, in *getCallPermissionInput) (*getCallPermissionOutput, error) {
	if (in.Phone == "") == (in.ScopedID == "") {
		return nil, fault.New(fault.InvalidParameters, "Exactly one of destinationPhoneNumber and endUserBsuid must be given.")
	}
	line, err := s.line(ctx, in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	p, err := s.Calls.CallPermission(ctx, line, in.Phone, in.ScopedID)
	if err != nil {
		return nil, err
	}
	out := &getCallPermissionOutput{Permission: callPermission{p.Status, p.ExpiresAt}, Actions: make([]callAction, len(p.Actions))}
	for i, a := range p.Actions {
		action := callAction{Name: a.Name, Allowed: a.Allowed}
		for _, l := range a.Limits {
			action.Limits = append(action.Limits, callLimit(l))
		}
		out.Actions[i] = action
	}
	return out, nil
}
