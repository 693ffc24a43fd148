// Package sns publishes events to standard topics of Amazon SNS or a service compatible with it.
//
// Several events go in one PublishBatch, a single one in a Publish. A service that has no PublishBatch is noticed, and gets single
// ones from then on. Topics keep no order.
package sns

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// limits of SNS: a message may be as large as all of a batch.
var limits = destination.Limits{Service: "SNS", Entries: 10, Batch: 256 << 10, Entry: 256 << 10}

// Publisher sends events to topics. It is safe for concurrent use.
type Publisher struct {
	clients *awsrole.Clients[*sns.Client]
	single  atomic.Bool // the service has no PublishBatch
}

// New returns a Publisher to the service at an endpoint. It contacts nobody yet.
func New(endpoint string, base aws.Config) *Publisher {
	return &Publisher{clients: awsrole.New(base, func(cfg aws.Config) *sns.Client {
		return sns.NewFromConfig(cfg, func(o *sns.Options) { o.BaseEndpoint = aws.String(endpoint) })
	})}
}

// call is a number of events for one topic, and where their results go.
type call struct {
	client *sns.Client
	topic  string
	bodies []string
	errs   []error
}

// Publish sends messages to a topic and returns one error a message, as destinationtest describes.
func (p *Publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	all := call{client: p.clients.For(&d), topic: d.Address, bodies: make([]string, len(messages)), errs: destination.Untried(len(messages))}
	sizes := make([]int, len(messages))
	for i := range messages {
		all.bodies[i] = string(messages[i].Envelope())
		sizes[i] = len(all.bodies[i])
	}
	destination.Each(ctx, p.limits().Requests(sizes, all.errs, func(start, end int) bool {
		if end-start == 1 {
			return all.one(ctx, start)
		}
		return p.batch(ctx, all.part(start, end))
	}), d.Concurrency)
	return all.errs
}

// Send publishes one message to a topic, as the server itself; nil means that the topic has it. SNS gives it an id of its own. A
// fault.InvalidParameters says that it never will.
func (p *Publisher) Send(ctx context.Context, topicARN, _, body string) error {
	if err := limits.Check(len(body)); err != nil {
		return err
	}
	c := call{client: p.clients.For(&event.Destination{}), topic: topicARN, bodies: []string{body}, errs: destination.Untried(1)}
	c.one(ctx, 0)
	return c.errs[0]
}

// part is the call for the events [start, end).
func (c *call) part(start, end int) *call {
	return &call{c.client, c.topic, c.bodies[start:end], c.errs[start:end]}
}

// limits are those of single requests once the service is known to have no others.
func (p *Publisher) limits() destination.Limits {
	l := limits
	if p.single.Load() {
		l.Entries = 1
	}
	return l
}

// batch sends everything in one request. It reports whether the topic is in trouble.
func (p *Publisher) batch(ctx context.Context, c *call) (trouble bool) {
	ctx, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	in := &sns.PublishBatchInput{TopicArn: &c.topic, PublishBatchRequestEntries: make([]types.PublishBatchRequestEntry, len(c.bodies))}
	for i := range c.bodies {
		in.PublishBatchRequestEntries[i] = types.PublishBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), Message: &c.bodies[i]}
	}
	out, err := c.client.PublishBatch(ctx, in)
	if unsupported(err) {
		p.single.Store(true)
		return c.apart(ctx)
	}
	if err != nil {
		err = service.Explain(err)
		if fault.Is(err, fault.InvalidParameters) { // one of them is at fault, or the topic: each alone will tell
			return c.apart(ctx)
		}
		destination.All(c.errs, err)
		return true
	}
	destination.All(c.errs, errUnmentioned) // until the answer names it, nobody took it
	for _, s := range out.Successful {
		destination.Result(c.errs, aws.ToString(s.Id), nil)
	}
	for _, f := range out.Failed {
		destination.Result(c.errs, aws.ToString(f.Id), service.Refused(aws.ToString(f.Code), aws.ToString(f.Message)))
	}
	return destination.Trouble(c.errs)
}

// apart sends each message in a request of its own.
func (c *call) apart(ctx context.Context) (trouble bool) {
	return destination.Apart(ctx, len(c.bodies), func(i int) bool { return c.one(ctx, i) })
}

func (c *call) one(ctx context.Context, i int) (trouble bool) {
	ctx, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	out, err := c.client.Publish(ctx, &sns.PublishInput{TopicArn: &c.topic, Message: &c.bodies[i]})
	switch {
	case err != nil:
		c.errs[i] = service.Explain(err)
	case aws.ToString(out.MessageId) == "": // something in between has answered
		c.errs[i] = errUnmentioned
	default:
		c.errs[i] = nil
	}
	return destination.Trouble(c.errs[i : i+1])
}

var errUnmentioned = fault.New(fault.Dependency, "SNS did not say what became of the event")

// unsupported reports whether an error says that the service does not know the operation.
func unsupported(err error) bool {
	api, ok := errors.AsType[smithy.APIError](err)
	return ok && (api.ErrorCode() == "InvalidAction" || api.ErrorCode() == "UnknownOperationException")
}

var service = awsrole.Service{Name: "SNS", About: []string{"TopicArn", "MessageGroupId"},
	Correct: "events are published to standard topics: correct the event destination", Codes: map[string]awsrole.Meaning{
		"InvalidParameter":      {Kind: fault.InvalidParameters},
		"ParameterValueInvalid": {Kind: fault.InvalidParameters},
		"BatchRequestTooLong":   {Kind: fault.InvalidParameters},
		"NotFound":              {Advice: "create the topic, or change the event destination"},
		"AuthorizationError": {Advice: "allow sns:Publish on the topic to the identity that publishes: the role of the event destination, or " +
			"this server's own"},
		"InvalidSecurity": {Advice: "use an HTTPS endpoint and valid AWS credentials"},
		"Throttled":       {Kind: fault.Throttled},
		"KMSAccessDenied": {Advice: "let the identity that publishes use the topic's KMS key: kms:GenerateDataKey* and kms:Decrypt in the key's " +
			"policy. The key has to be a symmetric one of your own, since the policy of alias/aws/sns cannot be changed"},
		"KMSDisabled":      {Advice: "the topic's KMS key is disabled: enable it, or give the topic another key"},
		"KMSInvalidState":  {Advice: "the topic's KMS key cannot be used, perhaps because it will be deleted: cancel that, or give the topic another key"},
		"KMSNotFound":      {Advice: "the topic's KMS key does not exist: give the topic another, symmetric key"},
		"KMSOptInRequired": {Advice: "the AWS account that publishes has no access to KMS: complete its registration with AWS"},
		"KMSThrottling":    {Kind: fault.Throttled, Advice: "KMS takes no more requests for the topic's key: a longer data key reuse period needs fewer"},
	}}
