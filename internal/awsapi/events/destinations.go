package events

import (
	"cmp"
	"context"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/bus"
)

type createAPIDestinationInput struct {
	Name          string `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	Description   string `json:"Description" len:"0..512"`
	ConnectionARN string `json:"ConnectionArn" required:"true" len:"1..1600" pattern:"^arn:aws([a-z]|\\-)*:events:([a-z]|\\d|\\-)*:([0-9]{12})?:connection\\/[\\.\\-_A-Za-z0-9]+\\/[\\-A-Za-z0-9]+$"`
	Endpoint      string `json:"InvocationEndpoint" required:"true" len:"1..2048"`
	Method        string `json:"HttpMethod" required:"true" enum:"POST|GET|HEAD|OPTIONS|PUT|PATCH|DELETE"`
	Rate          int    `json:"InvocationRateLimitPerSecond" range:"1.."`
}

// apiDestinationState is what changing an API destination answers.
type apiDestinationState struct {
	ARN              string `json:"ApiDestinationArn"`
	State            string `json:"ApiDestinationState"`
	CreationTime     restjson.Time
	LastModifiedTime restjson.Time
}

// States of an API destination: it is active while its connection is there.
func stateOfDestination(d *bus.Destination) apiDestinationState {
	state := "INACTIVE"
	if d.Active {
		state = "ACTIVE"
	}
	return apiDestinationState{d.ARN, state, restjson.Time(d.CreatedAt), restjson.Time(d.ModifiedAt)}
}

func (s server) createAPIDestination(ctx context.Context, in *createAPIDestinationInput) (*apiDestinationState, error) {
	d, err := s.Bus.CreateDestination(ctx, awsapi.CallerFrom(ctx).AccountID, bus.Destination{Name: in.Name, Description: in.Description,
		ConnectionARN: in.ConnectionARN, Endpoint: in.Endpoint, Method: in.Method, Rate: in.Rate})
	if err != nil {
		return nil, err
	}
	out := stateOfDestination(&d)
	return &out, nil
}

type updateAPIDestinationInput struct {
	Name          string  `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	Description   *string `json:"Description" len:"0..512"`
	ConnectionARN string  `json:"ConnectionArn" len:"1..1600"`
	Endpoint      string  `json:"InvocationEndpoint" len:"1..2048"`
	Method        string  `json:"HttpMethod" enum:"POST|GET|HEAD|OPTIONS|PUT|PATCH|DELETE"`
	Rate          int     `json:"InvocationRateLimitPerSecond" range:"1.."`
}

// updateAPIDestination changes what is given.
func (s server) updateAPIDestination(ctx context.Context, in *updateAPIDestinationInput) (*apiDestinationState, error) {
	d, err := s.Bus.UpdateDestination(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name, func(d *bus.Destination) {
		if in.Description != nil {
			d.Description = *in.Description
		}
		d.ConnectionARN, d.Endpoint = cmp.Or(in.ConnectionARN, d.ConnectionARN), cmp.Or(in.Endpoint, d.Endpoint)
		d.Method, d.Rate = cmp.Or(in.Method, d.Method), cmp.Or(in.Rate, d.Rate)
	})
	if err != nil {
		return nil, err
	}
	out := stateOfDestination(&d)
	return &out, nil
}

type apiDestinationInput struct {
	Name string `json:"Name" required:"true" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
}

// apiDestination is an API destination on the wire.
type apiDestination struct {
	apiDestinationState
	Name          string
	ConnectionARN string `json:"ConnectionArn"`
	Endpoint      string `json:"InvocationEndpoint"`
	Method        string `json:"HttpMethod"`
	Rate          int    `json:"InvocationRateLimitPerSecond"`
}

func apiDestinationOf(d *bus.Destination) apiDestination {
	return apiDestination{stateOfDestination(d), d.Name, d.ConnectionARN, d.Endpoint, d.Method, d.Rate}
}

type describeAPIDestinationOutput struct {
	apiDestination
	Description string `json:",omitempty"`
}

func (s server) describeAPIDestination(ctx context.Context, in *apiDestinationInput) (*describeAPIDestinationOutput, error) {
	d, err := s.Bus.Store.BusDestination(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name)
	if err != nil {
		return nil, err
	}
	return &describeAPIDestinationOutput{apiDestinationOf(&d), d.Description}, nil
}

type listAPIDestinationsInput struct {
	NamePrefix    string `json:"NamePrefix" len:"1..64" pattern:"[\\.\\-_A-Za-z0-9]+"`
	ConnectionARN string `json:"ConnectionArn" len:"1..1600"`
	NextToken     string `json:"NextToken" len:"1..2048"`
	Limit         int    `json:"Limit" range:"1..100"`
}

type listAPIDestinationsOutput struct {
	Destinations []apiDestination `json:"ApiDestinations"`
	NextToken    string           `json:",omitempty"`
}

func (s server) listAPIDestinations(ctx context.Context, in *listAPIDestinationsInput) (*listAPIDestinationsOutput, error) {
	accountID := awsapi.CallerFrom(ctx).AccountID
	found, next, err := list(ctx, s.Pages, in.NextToken, in.Limit, []string{in.NamePrefix, in.ConnectionARN}, func(d *bus.Destination) string { return d.Name },
		func(after string, limit int) ([]bus.Destination, error) {
			return s.Bus.Store.BusDestinations(ctx, accountID, in.NamePrefix, in.ConnectionARN, after, limit)
		})
	if err != nil {
		return nil, err
	}
	out := &listAPIDestinationsOutput{Destinations: make([]apiDestination, len(found)), NextToken: next}
	for i := range found {
		out.Destinations[i] = apiDestinationOf(&found[i])
	}
	return out, nil
}

// deleteAPIDestination leaves targets that are it; what is sent to them becomes dead letters.
func (s server) deleteAPIDestination(ctx context.Context, in *apiDestinationInput) (*struct{}, error) {
	return nil, s.Bus.Store.DeleteBusDestination(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name)
}
