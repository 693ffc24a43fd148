package extensions

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
)

// Notices are what Meta's webhooks have said about accounts and numbers. A business account that is not the account's is a
// fault.NotFound.
type Notices interface {
	Notices(ctx context.Context, accountID, wabaKey string) ([]account.Placed, error)
}

type listNoticesInput struct {
	ID string `query:"id" required:"true" len:"1..115"`
}

type listNoticesOutput struct {
	Notices []notice `json:"notices"`
}

// notice is Meta's last word on one matter.
type notice struct {
	Matter        account.Matter `json:"matter"`
	Subject       string         `json:"subject,omitempty"`
	PhoneNumberID string         `json:"phoneNumberId,omitempty"`
	State         string         `json:"state"`
	Reason        string         `json:"reason,omitempty"`
	Detail        string         `json:"detail,omitempty"`
	Until         *restjson.Time `json:"until,omitempty"`
	At            restjson.Time  `json:"timestamp"`
}

func noticeOf(n *account.Placed) notice {
	out := notice{Matter: n.Matter, Subject: n.Subject, State: n.State, Reason: n.Reason, Detail: n.Detail, Until: moment(n.Until),
		At: restjson.Time(n.At)}
	if n.PhoneKey != "" {
		out.PhoneNumberID = account.ID(account.KindPhoneNumber, n.PhoneKey)
	}
	return out
}

// listNotices tells what webhooks have said about a business account and its numbers, but for what has ended by itself.
func (s numberServer) listNotices(ctx context.Context, in *listNoticesInput) (*listNoticesOutput, error) {
	accountID, key, err := resolveWABA(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	list, err := s.Notices.Notices(ctx, accountID, key)
	if err != nil {
		return nil, err
	}
	out := &listNoticesOutput{Notices: []notice{}}
	for i := range list {
		if !list[i].Over(s.Now()) {
			out.Notices = append(out.Notices, noticeOf(&list[i]))
		}
	}
	return out, nil
}

// restriction is something that Meta does not let the business do.
type restriction struct {
	Type  string         `json:"type"`
	Until *restjson.Time `json:"until,omitempty"`
}

// ban is what Meta has announced or done to the whole business account.
type ban struct {
	State string        `json:"state"`
	Date  string        `json:"date,omitempty"` // in Meta's words
	At    restjson.Time `json:"timestamp"`
}

// standing sorts what is known about a number's account into what keeps it from sending, and what is about the number itself.
func (s numberServer) standing(ctx context.Context, p *account.PhoneNumber, out *getNumberOutput) error {
	list, err := s.Notices.Notices(ctx, p.AccountID, p.WABAKey)
	if err != nil {
		return err
	}
	for i := range list {
		n := &list[i]
		switch {
		case n.Over(s.Now()):
		case n.PhoneKey == p.Key:
			out.Notices = append(out.Notices, noticeOf(n))
		case n.PhoneKey != "":
		case n.Matter == account.Restriction:
			out.Restrictions = append(out.Restrictions, restriction{Type: n.Subject, Until: moment(n.Until)})
		case n.Matter == account.Ban && n.State != account.Reinstated:
			out.Ban = &ban{State: n.State, Date: n.Detail, At: restjson.Time(n.At)}
		case n.Matter == account.Review:
			out.AccountReview = n.State
		}
	}
	return nil
}
