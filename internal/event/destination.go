package event

import (
	"errors"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Kind is what a destination is, and so how events get there. The set is closed; it is also a metric label.
type Kind string

const (
	SNS         Kind = "sns"         // an SNS topic
	Connect     Kind = "connect"     // an Amazon Connect instance
	EventBridge Kind = "eventbridge" // an event bus
	SQS         Kind = "sqs"         // an SQS queue
	HTTPS       Kind = "https"       // a URL of the account's own
)

// services are the names in ARNs of what can be a destination.
var services = map[string]Kind{"sns": SNS, "connect": Connect, "events": EventBridge, "sqs": SQS}

// KindOf returns the kind of the destination that an ARN names, or "".
func KindOf(arn string) Kind {
	parts := strings.SplitN(arn, ":", 4)
	if len(parts) < 4 || parts[0] != "arn" {
		return ""
	}
	return services[parts[2]]
}

// BusARN names an event bus of an account.
func BusARN(s account.Scope, name string) string {
	return "arn:" + s.Partition + ":events:" + s.Region + ":" + s.AccountID + ":event-bus/" + name
}

// Destination is where events go, on whose behalf, and how.
type Destination struct {
	Name      string // of its queue: the ARN of an AWS event destination or of a bus, or the id of an additional destination
	Kind      Kind
	Address   string // ARN, or URL of an HTTPS destination
	RoleARN   string // to assume for publishing; "" for none
	AccountID string
	WABAKey   string // of the business account whose events these are; with RoleARN they all have the same

	// Concurrency is how many calls a publisher may have in flight; with 1, its least, events are published in order.
	Concurrency int

	Secrets []identity.Secret // of HTTPS: each signs, the newest first; more than one while they change
	Headers []Header          // of HTTPS, in addition to the usual ones
}

// Header is sent with every request to an HTTPS destination. Its value may be a secret.
type Header struct {
	Name  string
	Value identity.Secret
}

// GoneError says that a destination does not exist any more and wants no further events: it is disabled.
type GoneError struct{ Reason string }

func (e *GoneError) Error() string { return e.Reason }

// ErrUnwanted is the result of an event that is not for a kind of destination. It leaves the queue, and says nothing about how the
// destination is doing.
var ErrUnwanted = errors.New("not for this kind of destination")

// ErrUntried is the result of an event that a publisher did not get to, since the destination was in trouble or slow. The event
// stays in the queue as it is: this was no attempt.
var ErrUntried = errors.New("not tried yet: the destination was busy with the events before")
