// Package sqs sends events and messages of built-in topics to standard queues of Amazon SQS or a service compatible with it.
//
// Several events go in one SendMessageBatch, a single one in a SendMessage. Queues are named by ARN; where they are is worked out
// from the endpoint, as AWS does it, and nobody is asked. FIFO queues are refused: they want a group and an id against repeats with
// every message, and would promise an order that is not kept before them.
package sqs

import (
	"context"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// limits of SQS. A batch may be as large as a message; ours stay below what SQS took before 2025 and compatible services still take.
var limits = destination.Limits{Service: "SQS", Entries: 10, Batch: 256 << 10, Entry: 1 << 20}

// Publisher sends to queues. It is safe for concurrent use.
type Publisher struct {
	endpoint string
	region   string
	clients  *awsrole.Clients[*sqs.Client]
}

// New returns a Publisher to the service at an endpoint. It contacts nobody yet.
func New(endpoint string, base aws.Config) *Publisher {
	return &Publisher{endpoint: strings.TrimSuffix(endpoint, "/"), region: base.Region, clients: awsrole.New(base, func(cfg aws.Config) *sqs.Client {
		return sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.BaseEndpoint = aws.String(endpoint) })
	})}
}

// call is a number of events for one queue, and where their results go.
type call struct {
	client *sqs.Client
	url    string
	bodies []string
	errs   []error
}

// Publish sends events to a queue and returns one error an event, as destinationtest describes.
func (p *Publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	errs := destination.Untried(len(messages))
	url, err := p.url(d.Address)
	if err != nil {
		destination.All(errs, err)
		return errs
	}
	all := call{client: p.clients.For(&d), url: url, bodies: make([]string, len(messages)), errs: errs}
	sizes := make([]int, len(messages))
	for i := range messages {
		all.bodies[i] = string(messages[i].Envelope())
		sizes[i] = len(all.bodies[i])
	}
	destination.Each(ctx, limits.Requests(sizes, errs, func(start, end int) bool {
		if end-start == 1 {
			return all.one(ctx, start)
		}
		return all.part(start, end).batch(ctx)
	}), d.Concurrency)
	return errs
}

// url returns where a queue is.
func (p *Publisher) url(arn string) (string, error) {
	q, err := topic.ParseQueueARN(arn)
	if err != nil {
		return "", fault.New(fault.Dependency, "%s: correct the destination", err)
	}
	if q.Region != p.region {
		return "", fault.New(fault.Dependency, "the queue is in %s, and the endpoint of SQS in %s: correct the destination", q.Region, p.region)
	}
	return p.endpoint + "/" + q.AccountID + "/" + q.Name, nil
}

// part is the call for the events [start, end).
func (c *call) part(start, end int) *call {
	return &call{c.client, c.url, c.bodies[start:end], c.errs[start:end]}
}

// batch sends everything in one request. It reports whether the queue is in trouble.
func (c *call) batch(ctx context.Context) (trouble bool) {
	limited, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	in := &sqs.SendMessageBatchInput{QueueUrl: &c.url, Entries: make([]types.SendMessageBatchRequestEntry, len(c.bodies))}
	for i := range c.bodies {
		in.Entries[i] = types.SendMessageBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), MessageBody: &c.bodies[i]}
	}
	out, err := c.client.SendMessageBatch(limited, in)
	if err != nil {
		err = service.Explain(err)
		if fault.Is(err, fault.InvalidParameters) { // one of them is at fault, or they are too many for the service: each alone will tell
			return c.apart(ctx)
		}
		destination.All(c.errs, err)
		return true
	}
	destination.All(c.errs, errUnmentioned) // until the answer names it, nobody took it
	for _, s := range out.Successful {
		if aws.ToString(s.MessageId) != "" {
			destination.Result(c.errs, aws.ToString(s.Id), nil)
		}
	}
	for _, f := range out.Failed {
		destination.Result(c.errs, aws.ToString(f.Id), service.Refused(aws.ToString(f.Code), aws.ToString(f.Message)))
	}
	return destination.Trouble(c.errs)
}

// apart sends each event in a request of its own.
func (c *call) apart(ctx context.Context) (trouble bool) {
	return destination.Apart(ctx, len(c.bodies), func(i int) bool { return c.one(ctx, i) })
}

func (c *call) one(ctx context.Context, i int) (trouble bool) {
	c.errs[i] = send(ctx, c.client, &sqs.SendMessageInput{QueueUrl: &c.url, MessageBody: &c.bodies[i]})
	return destination.Trouble(c.errs[i : i+1])
}

// send makes one SendMessage. The SDK compares the checksum of what the service says it has stored.
func send(ctx context.Context, client *sqs.Client, in *sqs.SendMessageInput) error {
	ctx, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	out, err := client.SendMessage(ctx, in)
	if err != nil {
		return service.Explain(err)
	}
	if aws.ToString(out.MessageId) == "" { // something in between has answered
		return errUnmentioned
	}
	return nil
}

var errUnmentioned = fault.New(fault.Dependency, "SQS did not say what became of the message")
