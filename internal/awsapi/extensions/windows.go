package extensions

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type getWindowInput struct {
	PhoneNumberID string `query:"phoneNumberId" required:"true" len:"1..115"`
	Recipient     string `query:"recipient" required:"true" len:"1..150"`
}

type getWindowOutput struct {
	Open            bool           `json:"open"`                // free-form messages are allowed now
	OpenUntil       *restjson.Time `json:"openUntil,omitempty"` // may lie in the past
	LastInboundAt   *restjson.Time `json:"lastInboundAt,omitempty"`
	MarketingOptOut bool           `json:"marketingOptOut"`
	MarketingAt     *restjson.Time `json:"marketingPreferenceAt,omitempty"`
}

// getWindow tells whether a customer may be written to without a template, and until when.
func (s server) getWindow(ctx context.Context, in *getWindowInput) (*getWindowOutput, error) {
	number, err := s.phone(ctx, awsapi.From(ctx).Scope(), in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	who := recipient(in.Recipient)
	if who == "" {
		return nil, fault.New(fault.InvalidParameters, "recipient must be a phone number or a business-scoped user id.")
	}
	w, err := s.Messages.Window(ctx, number.Key, who)
	if err != nil {
		return nil, err
	}
	out := &getWindowOutput{Open: w.Open(s.Now()), MarketingOptOut: w.Marketing == "stop"}
	out.OpenUntil, out.LastInboundAt, out.MarketingAt = known(w.OpenUntil()), known(w.LastInboundAt), known(w.MarketingAt)
	return out, nil
}
