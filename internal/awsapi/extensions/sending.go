package extensions

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Sending is what is known of how a number gets its messages through.
type Sending interface {
	Blocked(ctx context.Context, phoneKey string) (b message.Block, blocked bool, err error)
}

// blocked says why WhatsApp takes no messages of a number, and what its messages therefore wait for.
type blocked struct {
	Cause  string        `json:"cause"` // token, account or number
	Met    string        `json:"metBy"` // the number that met it, perhaps another one of the business account
	Since  restjson.Time `json:"since"`
	Reason reason        `json:"error"`
}

func (s server) blocked(ctx context.Context, phoneKey string) (*blocked, error) {
	b, is, err := s.Sending.Blocked(ctx, phoneKey)
	if err != nil || !is {
		return nil, err
	}
	return &blocked{Cause: string(b.Cause), Met: account.ID(account.KindPhoneNumber, b.PhoneKey), Since: restjson.Time(b.Since),
		Reason: s.reasons([]message.Failure{b.Why})[0]}, nil
}

// unblocked finds out whether messages of a priority would wait because WhatsApp takes none.
func (s server) unblocked(ctx context.Context, phoneKey string, p message.Priority) ([]Problem, error) {
	b, is, err := s.Sending.Blocked(ctx, phoneKey)
	if err != nil || !is || p < b.From {
		return nil, err
	}
	advice, _ := s.Explain(b.Why.Code)
	return []Problem{{Member: "originationPhoneNumberId", Code: b.Why.Code, Action: advice.Action,
		Problem: "WhatsApp takes no such messages of this number for now, so that it would wait: " + b.Why.Title}}, nil
}
