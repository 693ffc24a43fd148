// Package sqs sends events and messages of built-in topics to standard queues of Amazon SQS or a service compatible with it.
//
// Several events go in one SendMessageBatch, a single one in a SendMessage. Queues are named by ARN; where they are is worked out
// from the endpoint, as AWS does it, and nobody is asked. FIFO queues are refused: they want a group and an id against repeats with
// every message, and would promise an order that is not kept before them.
package sqs

import (
	"context"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// Limits of SQS: entries of a batch, and bytes of a message. A batch may be as large as a message; ours stay below what SQS took
// before 2025 and compatible services still take.
const (
	maxEntries = 10
	maxBytes   = 1 << 20
	batchBytes = 256 << 10
)

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
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	all := call{client: p.clients.For(&d), url: url, bodies: make([]string, len(messages)), errs: errs}
	sizes := make([]int, len(messages))
	for i := range messages {
		all.bodies[i] = string(messages[i].Envelope())
		sizes[i] = len(all.bodies[i])
	}
	destination.Each(ctx, calls(ctx, &all, sizes), d.Concurrency)
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

func calls(ctx context.Context, all *call, sizes []int) iter.Seq[func() bool] {
	return func(yield func(func() bool) bool) {
		for start, end := range destination.Batches(sizes, maxEntries, batchBytes) {
			if sizes[start] > maxBytes {
				all.errs[start] = fault.New(fault.InvalidParameters, "the event has %d bytes, more than the %d SQS takes", sizes[start], maxBytes)
				continue
			}
			part := call{all.client, all.url, all.bodies[start:end], all.errs[start:end]}
			send := func() bool { return part.batch(ctx) }
			if end-start == 1 {
				send = func() bool { return part.one(ctx, 0) }
			}
			if !yield(send) {
				return
			}
		}
	}
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
		for i := range c.errs {
			c.errs[i] = err
		}
		return true
	}
	for i := range c.errs { // until the answer names it, nobody took it
		c.errs[i] = errUnmentioned
	}
	for _, s := range out.Successful {
		if i, ok := position(s.Id, len(c.errs)); ok && aws.ToString(s.MessageId) != "" {
			c.errs[i] = nil
		}
	}
	for _, f := range out.Failed {
		if i, ok := position(f.Id, len(c.errs)); ok {
			c.errs[i] = service.Refused(aws.ToString(f.Code), aws.ToString(f.Message))
		}
	}
	trouble = true // unless some got through, or are themselves to blame
	for _, err := range c.errs {
		trouble = trouble && err != nil && !fault.Is(err, fault.InvalidParameters)
	}
	return trouble
}

// apart sends each event in a request of its own, until there is trouble or it takes too long.
func (c *call) apart(ctx context.Context) (trouble bool) {
	until := time.Now().Add(destination.Patience)
	for i := range c.bodies {
		if trouble = c.one(ctx, i); trouble || time.Now().After(until) {
			break
		}
	}
	return trouble
}

func (c *call) one(ctx context.Context, i int) (trouble bool) {
	c.errs[i] = send(ctx, c.client, &sqs.SendMessageInput{QueueUrl: &c.url, MessageBody: &c.bodies[i]})
	return c.errs[i] != nil && !fault.Is(c.errs[i], fault.InvalidParameters)
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

// position is where in a batch of n the entry with an id is.
func position(id *string, n int) (i int, ok bool) {
	i, err := strconv.Atoi(aws.ToString(id))
	return i, err == nil && i >= 0 && i < n
}
