// Package connect carries the chats of numbers to instances of Amazon Connect, or of a service that speaks its API, and imports the
// numbers there.
//
// AWS delivers events with a call that it has not published, and lets nobody else make the one that it has published for SMS. Events
// go in the form of that one here: see event.Chat and docs/events.md. What belongs to no chat is not for an instance.
package connect

import (
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// subtype is the channel of chats, as Connect names it.
const subtype = "connect:WhatsApp"

// Publisher sends chat integration events. It is safe for concurrent use.
type Publisher struct {
	clients *awsrole.Clients[*client]
	region  string
}

// New returns a Publisher to the service at an endpoint. It contacts nobody yet.
func New(endpoint string, base aws.Config) *Publisher {
	return &Publisher{region: base.Region, clients: awsrole.New(base, func(cfg aws.Config) *client { return newClient(endpoint, cfg) })}
}

// Publish sends each message that belongs to a chat in a request of its own and returns one error a message, as destinationtest
// describes.
func (p *Publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	errs := destination.Untried(len(messages))
	if _, err := p.instance(d.Address); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	as := p.clients.For(&d)
	destination.Each(ctx, func(yield func(func() bool) bool) {
		for i := range messages {
			chat, ok := messages[i].Chat()
			if !ok {
				errs[i] = event.ErrUnwanted
				if messages[i].Field == event.TestField {
					errs[i] = errNoTest
				}
				continue
			}
			if !yield(func() (trouble bool) { trouble, errs[i] = as.send(ctx, &chat); return trouble }) {
				return
			}
		}
	}, d.Concurrency)
	return errs
}

// send makes one call. It reports whether the instance as a whole is in trouble.
func (c *client) send(ctx context.Context, e *event.Chat) (trouble bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	in := chatEvent{SourceID: e.Customer, DestinationID: e.Number, Subtype: subtype}
	in.Event.Type, in.Event.ContentType, in.Event.Content = string(e.Kind), e.ContentType, e.Content
	if e.Kind == event.ChatMessage {
		in.Session = &session{SupportedMessagingContentTypes: []string{event.TextContent, event.JSONContent}, Attributes: e.Attributes}
		in.Session.ParticipantDetails.DisplayName = e.Name
	}
	contact, err := c.sendChat(ctx, &in)
	switch {
	case err != nil:
		return !aboutOne(err), explain(err)
	case e.Kind == event.ChatMessage && contact == "": // something in between has answered
		return true, errUnmentioned
	default:
		return false, nil
	}
}

// errNoTest keeps a test from passing that has tested nothing.
var errNoTest = fault.New(fault.InvalidParameters, "an instance gets only what belongs to a chat: let a customer write to the number")

var errUnmentioned = fault.New(fault.Dependency, "Amazon Connect did not say what became of the event")

// aboutOne reports whether an error is about one event, or one number of several, and the next may do better.
func aboutOne(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorCode() == "InvalidRequestException" || api.ErrorCode() == "ResourceNotFoundException")
}

// explain is the service's word, but gives an event up only where that is about what it holds: a flow or a number that is set up
// wrongly can be mended.
func explain(err error) error {
	api, ok := errors.AsType[smithy.APIError](err)
	if ok && api.ErrorCode() == "InvalidRequestException" && (strings.Contains(api.ErrorMessage(), "Content") || strings.Contains(api.ErrorMessage(), "SourceId")) {
		return contents.Explain(err)
	}
	return service.Explain(err)
}

// instance returns the id of the instance that an ARN names, if it can be reached.
func (p *Publisher) instance(arn string) (id string, err error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) == 6 {
		id, _ = strings.CutPrefix(parts[5], "instance/")
	}
	switch {
	case id == "" || strings.Contains(id, "/") || len(id) > 100 || parts[2] != "connect":
		return "", fault.New(fault.Dependency, "%s is no instance of Amazon Connect: correct the event destination", arn)
	case parts[3] != p.region:
		return "", fault.New(fault.Dependency, "the instance is in %s, and numbers of %s can only be used there: correct the event destination", parts[3], p.region)
	}
	return id, nil
}

const name = "Amazon Connect"

var service = awsrole.Service{Name: name, Codes: map[string]awsrole.Meaning{
	"AccessDeniedException": {Advice: "allow connect:SendIntegrationEvent and connect:ImportPhoneNumber to the role of the event destination. Amazon Connect itself " +
		"takes such calls from AWS only"},
	"ResourceNotFoundException": {Advice: "the number is not in the instance yet, or the instance does not exist"},
}}

// contents is the service where it speaks of what an event holds.
var contents = awsrole.Service{Name: name, Codes: map[string]awsrole.Meaning{"InvalidRequestException": {Kind: fault.InvalidParameters}}}
