// Package notify takes the messages of built-in topics to their subscribers: it renders each as the subscription wants it,
// opens what the endpoint needs, and hands it to the transport of the subscription's protocol. It makes one attempt; when to
// try again is decided by internal/fanout.
package notify

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// Transport takes one document to a subscription's endpoint. nil means that it arrived. The text of an error is shown to the
// owner of the topic, so it carries neither bodies nor passwords.
type Transport interface {
	Deliver(ctx context.Context, s *topic.Subscription, d Document) error
}

// Document is a message in the form a subscription receives.
type Document struct {
	MessageID  string
	Kind       topic.Kind
	Password   string // of the endpoint, "" for none
	Body       []byte
	Attributes []topic.Attribute // that are not in the body, for transports that have a place for them
}

// Renderer makes what a subscription receives.
type Renderer interface {
	Render(ctx context.Context, r queue.Record, s *topic.Subscriber) (body []byte, attributes []topic.Attribute, err error)
	Password(s *topic.Subscriber) (string, error)
}

// Options configure a Courier.
type Options struct {
	Renderer Renderer
	Client   *http.Client // connects to subscribers
	Queues   Queues       // nil: there are none
	// Timeout is how long an endpoint may take to answer; zero: 15 seconds, as with SNS.
	Timeout time.Duration
}

// Courier delivers to subscriptions. It is safe for concurrent use.
type Courier struct {
	renderer   Renderer
	timeout    time.Duration
	transports map[string]Transport // by protocol
}

// New returns a Courier.
func New(o Options) *Courier {
	post := newPoster(o.Client)
	c := &Courier{renderer: o.Renderer, timeout: o.Timeout, transports: map[string]Transport{topic.HTTP: post, topic.HTTPS: post}}
	if o.Queues != nil {
		c.transports[topic.SQS] = enqueuer{o.Queues}
	}
	if c.timeout == 0 {
		c.timeout = 15 * time.Second
	}
	return c
}

// Deliver takes a message to a subscription. A fault.InvalidParameters says that it never can be.
func (c *Courier) Deliver(ctx context.Context, subscriber queue.Subscriber, m *queue.Waiting) error {
	to, ok := subscriber.(*topic.Subscriber)
	if !ok {
		return fmt.Errorf("%s is not a subscription", subscriber.Name())
	}
	body, attributes, err := c.renderer.Render(ctx, m.Record, to)
	if topic.Unreadable(err) {
		return fault.Wrap(fault.InvalidParameters, err, "the stored message cannot be read")
	}
	if err != nil {
		return err
	}
	password, err := c.renderer.Password(to)
	if err != nil {
		return err
	}
	transport, ok := c.transports[to.Protocol]
	if !ok {
		return fmt.Errorf("this server does not deliver to endpoints of protocol %s: see its settings", to.Protocol)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return transport.Deliver(ctx, &to.Subscription, Document{MessageID: m.ID, Kind: topic.Kind(m.Kind), Password: password, Body: body,
		Attributes: attributes})
}
