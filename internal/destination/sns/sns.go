// Package sns publishes events to Amazon SNS or a service compatible with it.
package sns

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Limits of PublishBatch: entries, and bytes over all of them.
const (
	maxEntries = 10
	maxBytes   = 256 << 10
)

// Options configure a Publisher.
type Options struct {
	Endpoint string // of SNS or a compatible service
	Region   string
	// Config is what the AWS SDK starts from; nil loads the environment's, with credentials from its usual chain.
	Config *aws.Config
}

// Publisher sends events in batches. It is safe for concurrent use.
type Publisher struct {
	endpoint string
	base     aws.Config

	mu      sync.Mutex
	clients map[string]*sns.Client // by role; "" is our own identity
}

// attemptTimeout bounds one call, its retries by the SDK included.
const attemptTimeout = 15 * time.Second

// New returns a Publisher. It contacts nobody yet.
func New(ctx context.Context, o Options) (*Publisher, error) {
	p := &Publisher{endpoint: o.Endpoint, clients: map[string]*sns.Client{}}
	if o.Config != nil {
		p.base = *o.Config
		return p, nil
	}
	base, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.Region))
	if err != nil {
		return nil, fmt.Errorf("AWS settings for SNS: %w", err)
	}
	p.base = base
	return p, nil
}

// client returns the client that acts as a role, or as ourselves. Credentials of a role are fetched and renewed by the SDK.
func (p *Publisher) client(roleARN string) *sns.Client {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c := p.clients[roleARN]; c != nil {
		return c
	}
	cfg := p.base.Copy()
	if roleARN != "" {
		cfg.Credentials = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), roleARN, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = "waxwing"
		}))
	}
	c := sns.NewFromConfig(cfg, func(o *sns.Options) { o.BaseEndpoint = aws.String(p.endpoint) })
	p.clients[roleARN] = c
	return c
}

// Publish sends messages to a topic and returns one error a message. A message that is too large, or that SNS calls invalid,
// can never arrive: fault.InvalidParameters. Everything else is trouble with the topic.
func (p *Publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	errs := make([]error, len(messages))
	client := p.client(d.RoleARN)
	bodies, sizes := make([]string, len(messages)), make([]int, len(messages))
	for i := range messages {
		bodies[i] = string(messages[i].Envelope())
		sizes[i] = len(bodies[i])
	}
	for start, end := range destination.Batches(sizes, maxEntries, maxBytes) {
		if sizes[start] > maxBytes {
			errs[start] = fault.New(fault.InvalidParameters, "the event has %d bytes, more than the %d SNS takes", sizes[start], maxBytes)
			continue
		}
		p.batch(ctx, client, d.Address, bodies[start:end], errs[start:end])
	}
	return errs
}

func (p *Publisher) batch(ctx context.Context, client *sns.Client, arn string, bodies []string, errs []error) {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	in := &sns.PublishBatchInput{TopicArn: aws.String(arn), PublishBatchRequestEntries: make([]types.PublishBatchRequestEntry, len(bodies))}
	for i := range bodies {
		in.PublishBatchRequestEntries[i] = types.PublishBatchRequestEntry{Id: aws.String(strconv.Itoa(i)), Message: &bodies[i]}
	}
	out, err := client.PublishBatch(ctx, in)
	if err != nil {
		err = explain(err)
		for i := range errs {
			errs[i] = err
		}
		return
	}
	for i := range errs { // until the answer names it, nobody took it
		errs[i] = errUnmentioned
	}
	for _, s := range out.Successful {
		if i, ok := position(s.Id, len(errs)); ok {
			errs[i] = nil
		}
	}
	for _, f := range out.Failed {
		i, ok := position(f.Id, len(errs))
		if !ok {
			continue
		}
		kind := fault.Dependency
		if f.SenderFault {
			kind = fault.InvalidParameters
		}
		errs[i] = fault.New(kind, "SNS refused the event: %s: %s", aws.ToString(f.Code), aws.ToString(f.Message))
	}
}

var errUnmentioned = fault.New(fault.Dependency, "SNS did not say what became of the event")

// position is where in a batch of n the entry with an id is.
func position(id *string, n int) (i int, ok bool) {
	i, err := strconv.Atoi(aws.ToString(id))
	return i, err == nil && i >= 0 && i < n
}

// explain names what is wrong with the topic. The texts of the SDK carry no secrets, but may carry request URLs; only code and
// message are kept.
func explain(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok {
		return fault.Wrap(fault.Dependency, err, "SNS answered %s: %s", api.ErrorCode(), api.ErrorMessage())
	}
	return fault.Wrap(fault.Dependency, err, "SNS could not be reached")
}
