package app

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// builtinBus puts events on the built-in event bus.
type builtinBus struct{ service *bus.Service }

func (b builtinBus) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	scope := b.service.Scope
	scope.AccountID = d.AccountID
	if err := bus.Resolve(scope, d.Address); err != nil {
		return failAll(len(messages), fault.Wrap(fault.Dependency, err, "there is no event bus %s", d.Address))
	}
	batch := make([]bus.Event, len(messages))
	for i := range messages {
		m := &messages[i]
		batch[i] = bus.Event{ID: m.ID, Source: event.BridgeSource, Time: m.At} // the same id when an event is published again
		batch[i].DetailType, batch[i].Detail = m.Bridge()
	}
	return b.service.Put(ctx, d.AccountID, batch)
}
