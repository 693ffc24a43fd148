// Package target takes events of the built-in event bus to the targets of rules: it makes what the target receives of the event, and
// publishes it to a topic, sends it to a queue, or calls an API destination. It makes one attempt; when to try again is decided by
// internal/fanout.
package target

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/limit"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// Topics take messages. One published again under its id is recognisable by it, where the service can.
type Topics interface {
	Send(ctx context.Context, topicARN, id, body string) error
}

// Queues take messages.
type Queues interface {
	Send(ctx context.Context, queueARN, body string, attributes []topic.Attribute) error
}

// Calls know API destinations.
type Calls interface {
	Call(ctx context.Context, destinationARN string) (bus.Call, error)
}

// Opener undoes the protection of stored events.
type Opener interface {
	Open(sealed, associated []byte) ([]byte, error)
}

// Options configure a Courier.
type Options struct {
	Opener Opener
	Topics Topics
	Queues Queues // nil: there are none
	Calls  Calls
	Client *http.Client // calls API destinations: one that is built for URLs of strangers
	// Timeout is how long an API destination may take to answer; zero: 5 seconds, as with EventBridge.
	Timeout time.Duration
}

// Courier delivers to targets. It is safe for concurrent use.
type Courier struct {
	Options
	paces *limit.Keyed[pace]
}

// pace is what an API destination is kept to. Another rate is another one, which holds from the next call on.
type pace struct {
	destination string // ARN
	rate        int
}

// maxPaces is how many API destinations are kept to their rates at once.
const maxPaces = 10_000

// New returns a Courier.
func New(o Options) *Courier {
	if o.Timeout == 0 {
		o.Timeout = 5 * time.Second
	}
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	o.Client = &client
	return &Courier{Options: o, paces: limit.NewKeyed[pace](maxPaces)}
}

// Deliver takes an event to a target. A fault.InvalidParameters or fault.NotFound says that it never can be.
func (c *Courier) Deliver(ctx context.Context, subscriber queue.Subscriber, m *queue.Waiting) error {
	to, ok := subscriber.(*bus.Target)
	if !ok {
		return fmt.Errorf("%s is not a target", subscriber.Name())
	}
	event, err := c.Opener.Open(m.Sealed, []byte(m.ID))
	if err != nil {
		return fault.Wrap(fault.InvalidParameters, err, "the stored event cannot be read")
	}
	payload, err := to.Payload(event, m.PublishedAt)
	if err != nil {
		return err
	}
	switch to.Kind() {
	case bus.TopicTarget:
		return c.Topics.Send(ctx, to.ARN, messageID(to, m), string(payload))
	case bus.QueueTarget:
		if c.Queues == nil {
			return fault.New(fault.Dependency, "nothing can be sent to queues: the setting sqs.endpoint is empty")
		}
		return c.Queues.Send(ctx, to.ARN, string(payload), nil)
	case bus.HTTPTarget:
		return c.call(ctx, to, event, payload)
	default:
		return fault.New(fault.InvalidParameters, "this release cannot invoke %s", to.ARN)
	}
}

// messageID names what a target gets of an event: always the same, so that a repeat is recognised, and different for each target.
func messageID(to *bus.Target, m *queue.Waiting) string {
	return uuid.NewSHA1(uuid.NameSpaceURL, []byte(to.Name()+" "+m.ID)).String()
}
