package extensions

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// validateInput is the body of SendWhatsAppMessage.
type validateInput struct {
	PhoneNumberID string `json:"originationPhoneNumberId" required:"true" len:"1..115"`
	Message       []byte `json:"message" required:"true" len:"1..2048000" sensitive:"true"`
	MetaVersion   string `json:"metaApiVersion" required:"true"`
}

type validateOutput struct {
	Valid    bool      `json:"valid"` // it would be accepted, and nothing known stands in the way of its delivery
	Problems []Problem `json:"problems"`
}

// Problem is something that would keep a message from being accepted or delivered.
type Problem struct {
	Member  string `json:"member,omitempty"` // of the request or of the message object
	Problem string `json:"problem"`
	Action  string `json:"suggestedAction,omitempty"`
	Code    int    `json:"code,omitempty"` // Meta's, if WhatsApp would say so
}

// validate tells everything that is wrong with a message without sending it.
func (s server) validate(ctx context.Context, in *validateInput) (*validateOutput, error) {
	number, err := s.phone(ctx, awsapi.From(ctx).Scope(), in.PhoneNumberID)
	if err != nil {
		return nil, err
	}
	problems := []Problem{}
	note := func(member string, err error) error {
		if !fault.Is(err, fault.InvalidParameters) {
			return err
		}
		problems = append(problems, Problem{Member: member, Problem: err.Error()})
		return nil
	}
	if err := note("metaApiVersion", message.CheckVersion(in.MetaVersion)); err != nil {
		return nil, err
	}
	if number.Status != account.Active {
		problems = append(problems, Problem{Member: "originationPhoneNumberId", Problem: "the number's status is " + string(number.Status),
			Action: "finish setting it up; only an Active number can send"})
	}
	draft, err := message.Parse(in.Message)
	if err != nil {
		if err := note("message", err); err != nil {
			return nil, err
		}
		return &validateOutput{Problems: problems}, nil
	}
	more, err := s.obstacles(ctx, &number, draft)
	if err != nil {
		return nil, err
	}
	problems = append(problems, more...)
	more, err = s.reach(ctx, &number, draft)
	if err != nil {
		return nil, err
	}
	problems = append(problems, more...)
	if more, err = s.unblocked(ctx, number.Key, draft.Priority); err != nil {
		return nil, err
	}
	problems = append(problems, more...)
	if draft.Kind == message.KindTemplate && s.Check != nil {
		more, err := s.Check(ctx, number, in.Message)
		switch {
		case fault.Is(err, fault.AccessDeniedByMeta): // a finding as well, if it has not been made
			if len(more) == 0 && !slices.ContainsFunc(problems, func(p Problem) bool { return p.Code != 0 }) {
				more = []Problem{{Member: "originationPhoneNumberId", Problem: err.Error(), Action: "store a valid access token for the business account"}}
			}
		case err != nil:
			return nil, err
		}
		problems = append(problems, more...)
	}
	return &validateOutput{Valid: len(problems) == 0, Problems: problems}, nil
}

// obstacles finds what Meta has forbidden the business.
func (s server) obstacles(ctx context.Context, p *account.PhoneNumber, draft message.Draft) ([]Problem, error) {
	notices, err := s.Notices.Notices(ctx, p.AccountID, p.WABAKey)
	if err != nil {
		return nil, err
	}
	reply := draft.Kind != message.KindTemplate
	if !reply { // within the window a template answers, as any other message there
		w, err := s.Messages.Window(ctx, p.Key, draft.Recipient)
		if err != nil {
			return nil, err
		}
		reply = w.Open(s.Now())
	}
	n, found := account.Obstacle(notices, reply, s.Now())
	if !found {
		return nil, nil
	}
	problem := Problem{Member: "originationPhoneNumberId", Code: 131031, Problem: "Meta has disabled the business account"}
	if n.Matter == account.Restriction {
		problem.Code, problem.Problem = 368, "Meta has restricted the business account: "+n.Subject
		if !n.Until.IsZero() {
			problem.Problem += " until " + n.Until.UTC().Format(time.RFC3339)
		}
	}
	problem.Action = "see the account's notices in Meta's business settings, where a review can be asked for"
	return []Problem{problem}, nil
}

// reach finds what keeps a message from a customer whose window is closed: free-form messages do not get there, and with a
// template the business writes first, for which it has a messaging limit.
func (s server) reach(ctx context.Context, number *account.PhoneNumber, draft message.Draft) ([]Problem, error) {
	if !draft.FreeForm() && draft.Kind != message.KindTemplate {
		return nil, nil
	}
	w, err := s.Messages.Window(ctx, number.Key, draft.Recipient)
	if err != nil || w.Open(s.Now()) {
		return nil, err
	}
	if draft.Kind == message.KindTemplate {
		return s.withinLimit(ctx, number, draft.Recipient)
	}
	return []Problem{{Member: "message", Code: 131047,
		Problem: "the customer has not written to this number within 24 hours, as far as is known here",
		Action:  "send an approved template, or wait until the customer writes"}}, nil
}

// withinLimit finds that the business account has written to as many customers first within 24 hours as it may. A customer who is
// one of them can be written to again. Meta counts for the whole business portfolio, which may know of more.
func (s server) withinLimit(ctx context.Context, number *account.PhoneNumber, recipient string) ([]Problem, error) {
	most, ok := account.DailyReach(number.MessagingLimit)
	if !ok || most == 0 {
		return nil, nil
	}
	n, counted, err := s.Messages.Reached(ctx, number.WABAKey, recipient, s.Now().Add(-message.WindowLength), most)
	if err != nil || counted || n < most {
		return nil, err
	}
	return []Problem{{Member: "originationPhoneNumberId", Code: 131048,
		Problem: "the business account has written to " + strconv.Itoa(n) + " customers first within 24 hours, as many as its messaging limit allows",
		Action:  "wait until the 24 hours of some are over, or answer customers who have written"}}, nil
}
