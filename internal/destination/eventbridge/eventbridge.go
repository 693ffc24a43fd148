// Package eventbridge puts events on buses of Amazon EventBridge or a service compatible with it.
package eventbridge

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// limits of PutEvents. AWS takes 1 MB since 2026; details are small, so what everyone takes is enough.
var limits = destination.Limits{Service: "EventBridge", Entries: 10, Batch: 256 << 10, Entry: 256 << 10}

const timeBytes = 14 // that an entry's time counts for, whatever its form

// Options configure a Publisher.
type Options struct {
	Endpoint string
	Source   string // of the events; AWS keeps those that begin with aws. to itself
	// Bus is the name or ARN of the bus that takes the place of the accounts' own. Destinations that name a bus have that one.
	Bus string
}

// Publisher puts events. It is safe for concurrent use.
type Publisher struct {
	Options
	clients *awsrole.Clients[*eventbridge.Client]
}

// New returns a Publisher. It contacts nobody yet.
func New(o Options, base aws.Config) *Publisher {
	return &Publisher{Options: o, clients: awsrole.New(base, func(cfg aws.Config) *eventbridge.Client {
		return eventbridge.NewFromConfig(cfg, func(s *eventbridge.Options) { s.BaseEndpoint = aws.String(o.Endpoint) })
	})}
}

// Publish puts messages on a bus and returns one error a message, as destinationtest describes.
func (p *Publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	bus := d.Address
	if d.Name == d.Address { // nobody has named it: it is the account's own
		bus = p.Bus
	}
	all := call{client: p.clients.For(&d), entries: make([]types.PutEventsRequestEntry, len(messages)), errs: destination.Untried(len(messages))}
	sizes := make([]int, len(messages))
	for i := range messages {
		kind, detail := messages[i].Bridge()
		all.entries[i] = types.PutEventsRequestEntry{EventBusName: &bus, Source: &p.Source, DetailType: &kind, Detail: aws.String(string(detail)),
			Time: aws.Time(messages[i].At)}
		sizes[i] = timeBytes + len(p.Source) + len(kind) + len(detail)
	}
	destination.Each(ctx, limits.Requests(sizes, all.errs, func(start, end int) bool { return all.part(start, end).put(ctx) }), d.Concurrency)
	return all.errs
}

// call is a number of events for one bus, and where their results go.
type call struct {
	client  *eventbridge.Client
	entries []types.PutEventsRequestEntry
	errs    []error
}

// part is the call for the events [start, end).
func (c *call) part(start, end int) *call {
	return &call{c.client, c.entries[start:end], c.errs[start:end]}
}

// put makes one request. It reports whether the bus is in trouble.
func (c *call) put(ctx context.Context) (trouble bool) {
	ctx, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	out, err := c.client.PutEvents(ctx, &eventbridge.PutEventsInput{Entries: c.entries})
	if err != nil {
		err = service.Explain(err)
		if fault.Is(err, fault.InvalidParameters) && len(c.entries) > 1 { // for one of them
			return destination.Apart(ctx, len(c.entries), func(i int) bool { return c.part(i, i+1).put(ctx) })
		}
		destination.All(c.errs, err)
		return destination.Trouble(c.errs)
	}
	for i := range c.errs {
		c.errs[i] = errUnmentioned // until the answer says otherwise, nobody took it
		if i < len(out.Entries) {
			c.errs[i] = result(&out.Entries[i])
		}
	}
	return destination.Trouble(c.errs)
}

func result(e *types.PutEventsResultEntry) error {
	switch {
	case aws.ToString(e.ErrorCode) != "":
		return service.Refused(*e.ErrorCode, aws.ToString(e.ErrorMessage))
	case aws.ToString(e.EventId) == "":
		return errUnmentioned
	default:
		return nil
	}
}

var errUnmentioned = fault.New(fault.Dependency, "EventBridge did not say what became of the event")

const (
	notFound   = "create the event bus, or change the destination"
	notAllowed = "allow events:PutEvents on the bus to the identity that publishes: the destination's role, or this server's own"
)

var service = awsrole.Service{Name: "EventBridge", About: []string{"eventBusName", "EventBusName", "source", "Source"},
	Correct: "correct the destination's bus, or eventbridge.source", Codes: map[string]awsrole.Meaning{
		"MalformedDetail":           {Kind: fault.InvalidParameters},
		"ValidationException":       {Kind: fault.InvalidParameters},
		"ResourceNotFoundException": {Advice: notFound},
		"AccessDeniedException":     {Advice: notAllowed},
		"InvalidAccountIdException": {Advice: "the account in the bus's ARN does not exist: correct the destination"},
		"NotAuthorizedForSourceException": {Advice: "AWS keeps sources that begin with aws. to itself, and the policy of a bus may allow few: change " +
			"eventbridge.source, or the policy"},
		"NotAuthorizedForDetailTypeException": {Advice: "let the policy of the bus allow the detail-types of WhatsApp events"},
	}}
