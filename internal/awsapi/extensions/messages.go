package extensions

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

type getMessageInput struct {
	ID      string `query:"id" required:"true" len:"1..256"`
	Content bool   `query:"includeMessage"`
}

type getMessageOutput struct {
	Message detail `json:"message"`
}

// detail is a message with its past.
type detail struct {
	summary
	Timeline []step `json:"timeline"`
	Object   []byte `json:"object,omitempty"` // what the sender gave, base64, when asked for
}

// summary is a message in a list.
type summary struct {
	ID            string         `json:"messageId"`
	WAMID         string         `json:"wamid,omitempty"`
	PhoneNumberID string         `json:"phoneNumberId"`
	Recipient     string         `json:"recipient,omitempty"`
	Kind          string         `json:"type"`
	Template      string         `json:"templateName,omitempty"`
	State         string         `json:"state"`
	AcceptedAt    restjson.Time  `json:"acceptedAt"`
	SendAt        *restjson.Time `json:"sendAt,omitempty"`
	ValidUntil    *restjson.Time `json:"validUntil,omitempty"`
	UpdatedAt     restjson.Time  `json:"updatedAt"`
	Overdue       bool           `json:"statusOverdue,omitempty"` // WhatsApp took it and has reported nothing about it in time
}

// step is one piece of evidence.
type step struct {
	Status       string        `json:"status"`
	Participant  string        `json:"participant,omitempty"` // of a group
	WAMID        string        `json:"wamid,omitempty"`       // of a second copy, when the message was handed over twice
	At           restjson.Time `json:"timestamp"`             // says WhatsApp
	RecordedAt   restjson.Time `json:"recordedAt"`            // when it was known here
	Errors       []reason      `json:"errors,omitempty"`
	Pricing      *pricing      `json:"pricing,omitempty"`
	Conversation *conversation `json:"conversation,omitempty"`
}

// pricing is what the message costs, says WhatsApp.
type pricing struct {
	Category string `json:"category,omitempty"`
	Type     string `json:"type,omitempty"`
	Model    string `json:"model,omitempty"`
	Billable bool   `json:"billable"`
}

type conversation struct {
	ID      string         `json:"id"`
	Origin  string         `json:"origin,omitempty"`
	Expires *restjson.Time `json:"expiresAt,omitempty"`
}

// reason is why a message failed: in Meta's words, and in ours.
type reason struct {
	Code        int    `json:"code"`
	Title       string `json:"title,omitempty"`
	Message     string `json:"message,omitempty"`
	Details     string `json:"details,omitempty"`
	Class       string `json:"class,omitempty"`
	Explanation string `json:"explanation,omitempty"`
	Action      string `json:"suggestedAction,omitempty"`
}

// getMessage tells what became of a message, by our id or WhatsApp's.
func (s server) getMessage(ctx context.Context, in *getMessageInput) (*getMessageOutput, error) {
	caller := awsapi.From(ctx).Caller
	st, ok, err := s.Messages.Lookup(ctx, caller.AccountID, in.ID)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fault.New(fault.NotFound, "There is no message %s in this account.", in.ID)
	}
	out := detail{summary: summarise(&st.Summary), Timeline: make([]step, len(st.Timeline))}
	for i := range st.Timeline {
		out.Timeline[i] = s.step(&st.Timeline[i])
	}
	if in.Content {
		sealed, err := s.Messages.Body(ctx, st.Seq)
		if err != nil {
			return nil, err
		}
		if out.Object, err = s.Opener.Open(sealed, []byte(st.ID)); err != nil {
			return nil, err
		}
	}
	return &getMessageOutput{out}, nil
}

func summarise(m *message.Summary) summary {
	return summary{ID: m.ID, WAMID: m.WAMID, PhoneNumberID: account.ID(account.KindPhoneNumber, m.PhoneKey), Recipient: m.Recipient,
		Kind: m.Kind, Template: m.Template, State: string(m.State), AcceptedAt: restjson.Time(m.AcceptedAt), SendAt: known(m.SendAt),
		ValidUntil: known(m.ValidUntil), UpdatedAt: restjson.Time(m.UpdatedAt), Overdue: m.Overdue}
}

// known is a time to show, or nil for none.
func known(t time.Time) *restjson.Time {
	if t.IsZero() {
		return nil
	}
	shown := restjson.Time(t)
	return &shown
}

func (s server) step(e *message.Step) step {
	out := step{Status: e.Status, Participant: e.Participant, WAMID: e.Copy, At: restjson.Time(e.At), RecordedAt: restjson.Time(e.RecordedAt),
		Errors: s.reasons(e.Failures)}
	p := e.Pricing
	if p.Category != "" || p.Type != "" || p.Model != "" {
		out.Pricing = &pricing{p.Category, p.Type, p.Model, p.Billable}
	}
	if p.Conversation != "" {
		out.Conversation = &conversation{ID: p.Conversation, Origin: p.Origin}
		if !p.Expires.IsZero() {
			expires := restjson.Time(p.Expires)
			out.Conversation.Expires = &expires
		}
	}
	return out
}

func (s server) reasons(failures []message.Failure) []reason {
	list := make([]reason, len(failures))
	for i, f := range failures {
		list[i] = reason{Code: f.Code, Title: f.Title, Message: f.Message, Details: f.Details}
		if advice, ok := s.Explain(f.Code); ok {
			list[i].Class, list[i].Explanation, list[i].Action = advice.Class, advice.Explanation, advice.Action
		}
	}
	return list
}

type listMessagesInput struct {
	PhoneNumberID string `query:"phoneNumberId" len:"1..115"`
	Recipient     string `query:"recipient" len:"1..150"`
	State         string `query:"state" enum:"queued|cancelled|dropped|accepted|sent|failed|delivered|read|played"`
	Template      string `query:"templateName" len:"1..512"`
	ErrorCode     int    `query:"errorCode"`
	Overdue       bool   `query:"statusOverdue"`
	From          string `query:"from" len:"1..40"`
	To            string `query:"to" len:"1..40"`
	NextToken     string `query:"nextToken" len:"1..600"`
	MaxResults    int    `query:"maxResults" range:"1..100"`
}

type listMessagesOutput struct {
	Messages  []summary `json:"messages"`
	NextToken string    `json:"nextToken,omitempty"`
}

// listMessages finds messages, newest first. A page can be short, or empty, and still be followed by another.
func (s server) listMessages(ctx context.Context, in *listMessagesInput) (*listMessagesOutput, error) {
	request := awsapi.From(ctx)
	scope := request.Scope()
	who := cmp.Or(recipient(in.Recipient), in.Recipient) // a group goes by its id as it is
	q := message.Query{Recipient: who, State: message.State(in.State), Template: in.Template, ErrorCode: in.ErrorCode, Overdue: in.Overdue,
		Limit: in.MaxResults}
	if q.Limit == 0 {
		q.Limit = 100
	}
	var err error
	if in.PhoneNumberID != "" {
		number, err := s.phone(ctx, scope, in.PhoneNumberID)
		if err != nil {
			return nil, err
		}
		q.PhoneKey = number.Key
	}
	if q.From, err = when("from", in.From); err != nil {
		return nil, err
	}
	if q.To, err = when("to", in.To); err != nil {
		return nil, err
	}
	if in.NextToken != "" {
		cursor, err := s.Pages.Open(in.NextToken, scope.AccountID, scope.Region, request.Operation)
		if err != nil {
			return nil, err
		}
		if q.Before, err = strconv.ParseInt(cursor, 10, 64); err != nil {
			return nil, err
		}
	}
	found, err := s.Messages.Search(ctx, scope.AccountID, q)
	if err != nil {
		return nil, err
	}
	out := &listMessagesOutput{Messages: make([]summary, len(found.Messages))}
	for i := range found.Messages {
		out.Messages[i] = summarise(&found.Messages[i])
	}
	if found.Next != 0 {
		out.NextToken = s.Pages.Seal(strconv.FormatInt(found.Next, 10), scope.AccountID, scope.Region, request.Operation)
	}
	return out, nil
}

// recipient brings a person into the form messages are kept under: digits, or a business-scoped id as it is. "" is neither.
func recipient(given string) string {
	if message.IsUserID(given) {
		return given
	}
	return message.Digits(given)
}
