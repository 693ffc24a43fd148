package app

import (
	"context"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/destination/sns"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// publisher picks the publisher for a destination by the service in its ARN.
type publisher map[string]deliver.Publisher

func newPublisher(ctx context.Context, cfg *config.Config, topics *topic.Service) (publisher, error) {
	if cfg.SNS.Endpoint == "" {
		return publisher{"sns": builtin{topics}}, nil
	}
	remote, err := sns.New(ctx, sns.Options{Endpoint: cfg.SNS.Endpoint, Region: cfg.Region})
	if err != nil {
		return nil, err
	}
	return publisher{"sns": remote}, nil
}

func (p publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	parts := strings.SplitN(d.ARN, ":", 4)
	if len(parts) == 4 && p[parts[2]] != nil {
		return p[parts[2]].Publish(ctx, d, messages)
	}
	return failAll(len(messages), fault.New(fault.Dependency, "events cannot be published to %s by this version", d.ARN))
}

// builtin publishes to the built-in topics.
type builtin struct{ topics *topic.Service }

func (b builtin) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	batch := make([]topic.Message, len(messages))
	for i := range messages {
		m := &messages[i]
		batch[i] = topic.Message{ID: m.ID, Body: m.Envelope()} // the same id when an event is published again
	}
	return b.topics.PublishEach(ctx, d.ARN, batch)
}

func failAll(n int, err error) []error {
	errs := make([]error, n)
	for i := range errs {
		errs[i] = err
	}
	return errs
}
