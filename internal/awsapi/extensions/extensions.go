// Package extensions are the operations that AWS's API does not have and its users miss: what became of a message, which
// messages failed and why, whether a customer may be written to, whether a message would be accepted, and which events did not
// arrive and should be published once more.
//
// They live under /v1/waxwing/ in the table of social-messaging: the same signature, the same permissions, the same errors. They
// never change what an operation of AWS means.
package extensions

import (
	"context"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/deadletter"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// Messages is what is known of an account's messages.
type Messages interface {
	Lookup(ctx context.Context, accountID, id string) (st message.Status, ok bool, err error)
	Search(ctx context.Context, accountID string, q message.Query) (message.Found, error)
	Body(ctx context.Context, seq int64) (sealed []byte, err error)
	Window(ctx context.Context, phoneKey, recipient string) (message.Window, error)
	Reached(ctx context.Context, wabaKey, recipient string, since time.Time, limit int) (customers int, counted bool, err error)
}

// Numbers finds phone numbers; a fault.NotFound is one that the account does not have.
type Numbers interface {
	PhoneNumber(ctx context.Context, accountID, key string) (account.PhoneNumber, error)
}

// Opener undoes the protection of stored bodies.
type Opener interface {
	Open(sealed, associated []byte) ([]byte, error)
}

// Advice explains an error code of Meta's.
type Advice struct {
	Class       string // permanent, transient, throttled or credentials
	Explanation string // in plain words
	Action      string // what the sender can do
}

// Options are the parts behind the operations. All are required but Check.
type Options struct {
	Messages Messages
	Numbers  Numbers
	Sending  Sending
	Notices  Notices
	Events   Events
	// Owns reports as fault.NotFound what is no event destination of an account.
	Owns func(ctx context.Context, accountID, destination string) error
	// DeadLetters are those of events, of built-in topics and of the built-in event bus.
	DeadLetters *deadletter.Office
	Opener      Opener
	Explain     func(code int) (Advice, bool)
	// Submit accepts a message as SendWhatsAppMessage does, and Cancel takes one back.
	Submit func(ctx context.Context, m *socialmessaging.Submission) (id string, err error)
	Cancel func(ctx context.Context, accountID, id string) (message.Withdrawal, error)
	// Check compares a template message with its template; nil leaves that to WhatsApp.
	Check func(ctx context.Context, number account.PhoneNumber, body []byte) ([]Problem, error)
	// WakeDestinations is told right after a commit which destinations have something to deliver.
	WakeDestinations func(destinations ...string)
	Pages            *page.Sealer
	Now              func() time.Time
}

type server struct{ Options }

// Operations returns the rows to add to the table.
func Operations(o Options) []awsapi.Operation {
	s := server{o}
	return []awsapi.Operation{
		{Name: "GetMessage", Method: "GET", Path: "/v1/waxwing/messages/details", Errors: errors, Rate: 100, Do: awsapi.Op(s.getMessage)},
		{Name: "ListMessages", Method: "GET", Path: "/v1/waxwing/messages/list", Errors: errors, Do: awsapi.Op(s.listMessages)},
		{Name: "SendMessage", Method: "POST", Path: "/v1/waxwing/messages/send", Errors: errors, Rate: 1000, MaxBody: maxBody,
			Do: awsapi.Op(s.sendMessage)},
		{Name: "CancelMessage", Method: "POST", Path: "/v1/waxwing/messages/cancel", Errors: append([]fault.Kind{fault.Conflict}, errors...),
			Rate: 100, Do: awsapi.Op(s.cancelMessage)},
		{Name: "ValidateMessage", Method: "POST", Path: "/v1/waxwing/messages/validate", Errors: errors, Rate: 100, MaxBody: maxBody,
			Do: awsapi.Op(s.validate)},
		{Name: "GetCustomerServiceWindow", Method: "GET", Path: "/v1/waxwing/windows/details", Errors: errors, Rate: 100,
			Do: awsapi.Op(s.getWindow)},
		{Name: "ListDeadLetters", Method: "GET", Path: "/v1/waxwing/events/dead-letters", Errors: errors, Do: awsapi.Op(s.listDeadLetters)},
		{Name: "GetDeadLetter", Method: "GET", Path: "/v1/waxwing/events/dead-letters/details", Errors: errors, Do: awsapi.Op(s.getDeadLetter)},
		{Name: "RequeueDeadLetters", Method: "POST", Path: "/v1/waxwing/events/dead-letters/requeue", Errors: errors,
			Do: awsapi.Op(s.requeueDeadLetters)},
		{Name: "DiscardDeadLetters", Method: "POST", Path: "/v1/waxwing/events/dead-letters/discard", Errors: errors,
			Do: awsapi.Op(s.discardDeadLetters)},
		{Name: "ReplayEvents", Method: "POST", Path: "/v1/waxwing/events/replay", Errors: errors, Stores: true, Do: awsapi.Op(s.replayEvents)},
	}
}

var errors = []fault.Kind{fault.InvalidParameters, fault.NotFound, fault.Dependency}

// maxBody lets the largest message through: base64, and room for what is around it.
const maxBody = (message.MaxBytes+2)/3*4 + 64<<10

// phone looks up a number by id or ARN.
func (s server) phone(ctx context.Context, scope account.Scope, id string) (account.PhoneNumber, error) {
	missing := fault.New(fault.NotFound, "There is no phone number %s in this account and Region.", id)
	key, ok := account.ResolveKey(scope, account.KindPhoneNumber, id)
	if !ok {
		return account.PhoneNumber{}, missing
	}
	p, err := s.Numbers.PhoneNumber(ctx, scope.AccountID, key)
	if fault.Is(err, fault.NotFound) {
		return p, missing
	}
	return p, err
}

// when reads a moment given as RFC 3339 or as seconds since 1970; "" is the zero time.
func when(name, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil && n > 0 && n < 1e11 {
		return time.Unix(n, 0), nil
	}
	return time.Time{}, fault.New(fault.InvalidParameters, "%s must be a time like 2026-11-23T12:00:00Z, or seconds since 1970.", name)
}
