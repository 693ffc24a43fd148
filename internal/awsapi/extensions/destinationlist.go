package extensions

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// health is how a destination is doing, on the wire.
type health struct {
	State        string         `json:"state"` // working, failing, paused or disabled
	Reason       string         `json:"reason,omitempty"`
	Since        *restjson.Time `json:"since,omitempty"`
	Waiting      int            `json:"waitingEvents"`
	AtLeast      bool           `json:"waitingEventsAtLeast,omitempty"` // there are more than were counted
	Oldest       *restjson.Time `json:"oldestWaitingEvent,omitempty"`
	LastFailure  string         `json:"lastFailure,omitempty"`
	LastFailedAt *restjson.Time `json:"lastFailureAt,omitempty"`
	LastDelivery *restjson.Time `json:"lastDeliveryAt,omitempty"`
}

func healthOf(h *event.Health) *health {
	out := &health{State: "working", Waiting: h.Waiting, AtLeast: h.Waiting == event.MaxCounted, Oldest: moment(h.Oldest),
		LastFailure: h.Failure, LastFailedAt: moment(h.FailedAt), LastDelivery: moment(h.DeliveredAt)}
	switch {
	case h.Halt != event.Running:
		out.State, out.Reason, out.Since = string(h.Halt), h.HaltReason, moment(h.HaltedAt)
	case !h.FailingSince.IsZero():
		out.State, out.Reason, out.Since = "failing", h.Failure, moment(h.FailingSince)
	}
	return out
}

// additional is an additional destination on the wire. Secrets and the values of headers are not told.
type additional struct {
	ID          string         `json:"eventDestinationId"`
	ARN         string         `json:"arn"`
	Name        string         `json:"name,omitempty"`
	Type        string         `json:"type"`
	Address     string         `json:"address"`
	RoleARN     string         `json:"roleArn,omitempty"`
	WABA        string         `json:"businessAccountId,omitempty"` // absent: of every business account
	Filter      *filter        `json:"filter,omitempty"`
	Concurrency int            `json:"concurrency,omitempty"`
	PerSecond   float64        `json:"maxEventsPerSecond,omitempty"`
	HeaderNames []string       `json:"headerNames,omitempty"`
	CreatedAt   *restjson.Time `json:"createdAt,omitempty"`
	UpdatedAt   *restjson.Time `json:"updatedAt,omitempty"`
	Health      *health        `json:"health"`
}

func describe(scope account.Scope, d *event.Described) *additional {
	state := healthOf(&d.Health)
	a := d.Additional
	if a == nil { // the event destination of business accounts
		return &additional{ID: d.Name, ARN: d.Name, Type: string(event.KindOf(d.Name)), Address: d.Name, Health: state}
	}
	out := &additional{ID: d.Name, ARN: scope.ARN(account.KindEventDestination, a.Key), Name: a.Name, Type: string(a.Kind), Address: a.Address,
		RoleARN: a.RoleARN, Concurrency: a.Concurrency, PerSecond: a.PerSecond, HeaderNames: d.Headers,
		CreatedAt: moment(a.CreatedAt), UpdatedAt: moment(a.UpdatedAt), Health: state}
	if a.WABAKey != "" {
		out.WABA = account.ID(account.KindWABA, a.WABAKey)
	}
	if f := a.Filter; len(f.Fields)+len(f.Statuses)+len(f.Numbers) > 0 {
		out.Filter = &filter{Fields: f.Fields, Statuses: f.Statuses}
		for _, key := range f.Numbers {
			out.Filter.Numbers = append(out.Filter.Numbers, account.ID(account.KindPhoneNumber, key))
		}
	}
	return out
}

type listDestinationsOutput struct {
	Destinations []*additional `json:"eventDestinations"`
}

// list shows every destination of the account, those of its business accounts first, and how each is doing.
func (s destinationServer) list(ctx context.Context, _ *struct{}) (*listDestinationsOutput, error) {
	scope := awsapi.From(ctx).Scope()
	list, err := s.Reader.List(ctx, scope.AccountID)
	if err != nil {
		return nil, err
	}
	out := &listDestinationsOutput{Destinations: make([]*additional, 0, len(list))}
	for i := range list {
		out.Destinations = append(out.Destinations, describe(scope, &list[i]))
	}
	return out, nil
}

func (s destinationServer) get(ctx context.Context, in *chosenInput) (*additional, error) {
	scope := awsapi.From(ctx).Scope()
	d, err := s.Reader.Get(ctx, scope.AccountID, queueName(scope, in.ID))
	if err != nil {
		return nil, err
	}
	return describe(scope, &d), nil
}
