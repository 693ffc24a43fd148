package app

import (
	"context"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/destination/connect"
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

// services are the services of AWS, or compatible ones, that the settings name. What is empty there is nil.
type services struct {
	topics    *sns.Publisher
	queues    *sqs.Publisher
	buses     *eventbridge.Publisher
	instances *connect.Publisher
}

// newServices reads the AWS settings of the environment if any service will be called.
func newServices(ctx context.Context, cfg *config.Config) (s services, err error) {
	if cfg.SNS.Endpoint+cfg.SQS.Endpoint+cfg.EventBridge.Endpoint+cfg.Connect.Endpoint == "" {
		return services{}, nil
	}
	base, err := awsrole.Load(ctx, cfg.Region)
	if err != nil {
		return services{}, err
	}
	if at := cfg.SNS.Endpoint; at != "" {
		s.topics = sns.New(at, base)
	}
	if at := cfg.SQS.Endpoint; at != "" {
		s.queues = sqs.New(at, base)
	}
	if at := cfg.EventBridge.Endpoint; at != "" {
		s.buses = eventbridge.New(eventbridge.Options{Endpoint: at, Source: cfg.EventBridge.Source, Bus: cfg.EventBridge.Bus}, base)
	}
	if at := cfg.Connect.Endpoint; at != "" {
		s.instances = connect.New(at, base)
	}
	return s, nil
}

// newPublisher lists the publishers: what is built in, unless the settings name a service. client is for URLs that accounts choose.
func newPublisher(topics *topic.Service, events *bus.Service, client *http.Client, s services) publisher {
	p := publisher{event.SNS: builtin{topics}, event.EventBridge: builtinBus{events}, event.HTTPS: https.New(client)}
	if s.topics != nil {
		p[event.SNS] = s.topics
	}
	if s.queues != nil {
		p[event.SQS] = s.queues
	}
	if s.buses != nil {
		p[event.EventBridge] = s.buses
	}
	if s.instances != nil {
		p[event.Connect] = s.instances
	}
	return p
}

// settings are those without which there is no publisher for a kind.
var settings = map[event.Kind]string{event.SQS: "sqs.endpoint", event.Connect: "connect.endpoint"}

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
