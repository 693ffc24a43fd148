package app

import (
	"context"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/destination/target"
	"github.com/waxwing-messaging/waxwing/internal/notify"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// couriers take messages to subscribers of every kind.
type couriers struct {
	subscriptions *notify.Courier
	targets       *target.Courier
}

func (c couriers) Deliver(ctx context.Context, to queue.Subscriber, m *queue.Waiting) error {
	if _, ok := to.(*bus.Target); ok {
		return c.targets.Deliver(ctx, to, m)
	}
	return c.subscriptions.Deliver(ctx, to, m)
}

// newCouriers builds what takes messages to subscribers of the built-in topics and events to targets on the built-in event bus. client
// is for URLs that accounts choose.
func (p *parts) newCouriers(links topic.Links, client *http.Client, s services) couriers {
	subscriptions := notify.Options{Renderer: topic.NewRenderer(p.box, p.signer, links), Client: client}
	targets := target.Options{Opener: p.box, Topics: builtinTopics{p.topics}, Calls: p.bus, Client: client}
	if s.topics != nil {
		targets.Topics = s.topics
	}
	if s.queues != nil { // an interface that holds a nil pointer is not nil
		subscriptions.Queues, targets.Queues = s.queues, s.queues
	}
	return couriers{notify.New(subscriptions), target.New(targets)}
}

// builtinTopics lets targets publish to the built-in topics.
type builtinTopics struct{ service *topic.Service }

func (b builtinTopics) Send(ctx context.Context, topicARN, id, body string) error {
	_, err := b.service.Publish(ctx, topicARN, topic.Message{ID: id, Body: []byte(body)})
	return err
}
