package notify

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// Queues sends one message with its attributes to a queue; nil means that the queue has it. A fault.InvalidParameters says that it
// never will.
type Queues interface {
	Send(ctx context.Context, queueARN, body string, attributes []topic.Attribute) error
}

// enqueuer is the transport of sqs. With raw delivery a message's attributes become those of the message in the queue; otherwise the
// queue gets the same document as a URL would.
type enqueuer struct{ queues Queues }

func (e enqueuer) Deliver(ctx context.Context, s *topic.Subscription, d Document) error {
	return e.queues.Send(ctx, s.Endpoint, string(d.Body), d.Attributes)
}
