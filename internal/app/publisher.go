package app

import (
	"context"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/destination/eventbridge"
	"github.com/waxwing-messaging/waxwing/internal/destination/https"
	"github.com/waxwing-messaging/waxwing/internal/destination/sns"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// publisher picks the publisher for a destination by its kind.
type publisher map[event.Kind]deliver.Publisher

// newPublisher builds the publishers that the settings ask for. What is empty there is built in, or off. client is for URLs that
// accounts choose.
func newPublisher(cfg *config.Config, topics *topic.Service, client *http.Client, queues *sqs.Publisher, base aws.Config) publisher {
	p := publisher{event.SNS: builtin{topics}, event.HTTPS: https.New(client)}
	if cfg.SNS.Endpoint != "" {
		p[event.SNS] = sns.New(cfg.SNS.Endpoint, base)
	}
	if cfg.EventBridge.Endpoint != "" {
		p[event.EventBridge] = eventbridge.New(eventbridge.Options{Endpoint: cfg.EventBridge.Endpoint, Source: cfg.EventBridge.Source,
			Bus: cfg.EventBridge.Bus}, base)
	}
	if queues != nil {
		p[event.SQS] = queues
	}
	return p
}

// newQueues returns what sends to queues, or nil if the settings name no service.
func newQueues(cfg *config.Config, base aws.Config) *sqs.Publisher {
	if cfg.SQS.Endpoint == "" {
		return nil
	}
	return sqs.New(cfg.SQS.Endpoint, base)
}

// loadAWS reads the AWS settings of the environment, if a service of AWS will be called.
func loadAWS(ctx context.Context, cfg *config.Config) (aws.Config, error) {
	if cfg.SNS.Endpoint+cfg.SQS.Endpoint+cfg.EventBridge.Endpoint == "" {
		return aws.Config{}, nil
	}
	return awsrole.Load(ctx, cfg.Region)
}

// settings are those without which there is no publisher for a kind.
var settings = map[event.Kind]string{event.SQS: "sqs.endpoint", event.EventBridge: "eventbridge.endpoint"}

func (p publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	if p[d.Kind] != nil {
		return p[d.Kind].Publish(ctx, d, messages)
	}
	err := fault.New(fault.Dependency, "events cannot be published to %s by this version", d.Address)
	if setting := settings[d.Kind]; setting != "" {
		err = fault.New(fault.Dependency, "events cannot be published to %s: the setting %s is empty", d.Address, setting)
	}
	return failAll(len(messages), err)
}

// builtin publishes to the built-in topics.
type builtin struct{ topics *topic.Service }

func (b builtin) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	batch := make([]topic.Message, len(messages))
	for i := range messages {
		m := &messages[i]
		batch[i] = topic.Message{ID: m.ID, Body: m.Envelope()} // the same id when an event is published again
	}
	return b.topics.PublishEach(ctx, d.Address, batch)
}

func failAll(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
