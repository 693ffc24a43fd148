package events

import (
	"context"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

type describeEventBusInput struct {
	Name string `json:"Name" len:"1..1600"`
}

// eventBus is a bus on the wire.
type eventBus struct {
	Name string
	ARN  string `json:"Arn"`
}

func (s server) describeEventBus(ctx context.Context, in *describeEventBusInput) (*eventBus, error) {
	scope, err := onDefault(ctx, in.Name)
	if err != nil {
		return nil, err
	}
	return &eventBus{bus.Default, event.BusARN(scope, bus.Default)}, nil
}

type listEventBusesInput struct {
	NamePrefix string `json:"NamePrefix" len:"1..256"`
	NextToken  string `json:"NextToken" len:"1..2048"` // never given out
	Limit      int    `json:"Limit" range:"1..100"`
}

type listEventBusesOutput struct {
	EventBuses []eventBus
}

func (s server) listEventBuses(ctx context.Context, in *listEventBusesInput) (*listEventBusesOutput, error) {
	if !strings.HasPrefix(bus.Default, in.NamePrefix) {
		return &listEventBusesOutput{EventBuses: []eventBus{}}, nil
	}
	b, err := s.describeEventBus(ctx, &describeEventBusInput{})
	if err != nil {
		return nil, err
	}
	return &listEventBusesOutput{EventBuses: []eventBus{*b}}, nil
}
