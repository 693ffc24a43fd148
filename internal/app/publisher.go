package app

import (
	"context"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/destination/https"
	"github.com/waxwing-messaging/waxwing/internal/destination/sns"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// publisher picks the publisher for a destination by its kind.
type publisher map[event.Kind]deliver.Publisher

// newPublisher lists the publishers that the settings allow. client is for URLs that accounts choose.
func newPublisher(ctx context.Context, cfg *config.Config, topics *topic.Service, client *http.Client) (publisher, error) {
	p := publisher{event.SNS: builtin{topics}, event.HTTPS: https.New(client)}
	if cfg.SNS.Endpoint == "" {
		return p, nil
	}
	base, err := awsrole.Load(ctx, cfg.Region)
	if err != nil {
		return nil, err
	}
	p[event.SNS] = sns.New(cfg.SNS.Endpoint, base)
	return p, nil
}

func (p publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	if p[d.Kind] != nil {
		return p[d.Kind].Publish(ctx, d, messages)
	}
	return failAll(len(messages), fault.New(fault.Dependency, "events cannot be published to %s by this version", d.Address))
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
