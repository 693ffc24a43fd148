package events

import (
	"context"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

type entry struct {
	Time         *time.Time `json:"Time"`
	Source       string     `json:"Source"`
	Resources    []string   `json:"Resources" each:"0..2048"`
	DetailType   string     `json:"DetailType"`
	Detail       string     `json:"Detail" sensitive:"true"`
	EventBusName string     `json:"EventBusName" len:"1..1600" pattern:"(arn:aws[\\w-]*:events:[a-z]+-[a-z]+-[\\w-]+:[0-9]{12}:event-bus\\/)?[\\.\\-_A-Za-z0-9]+"`
	TraceHeader  string     `json:"TraceHeader" len:"1..500"`
}

type putEventsInput struct {
	Entries    []entry `json:"Entries" required:"true" len:"1..10"`
	EndpointID string  `json:"EndpointId" len:"1..50"`
}

type putEventsOutput struct {
	FailedEntryCount int
	Entries          []result
}

type result struct {
	EventID      string `json:"EventId,omitempty"`
	ErrorCode    string `json:",omitempty"`
	ErrorMessage string `json:",omitempty"`
}

// entryCodes are the names of what can be wrong with one entry. Other faults are about the whole call.
var entryCodes = map[fault.Kind]string{
	fault.InvalidParameters: "InvalidArgument",
	fault.Validation:        "MalformedDetail",
	fault.AccessDenied:      "NotAuthorizedForSourceException",
	fault.NotFound:          "ResourceNotFoundException",
}

// putEvents answers once every event is on disk with a delivery for each target that wants it. An entry for a bus that is not there
// fails, where AWS takes and forgets it.
func (s server) putEvents(ctx context.Context, in *putEventsInput) (*putEventsOutput, error) {
	if in.EndpointID != "" {
		return nil, invalid("EndpointId", "global endpoints are not supported by the built-in event bus.")
	}
	list := make([]bus.Event, 0, len(in.Entries))
	at := make([]int, 0, len(in.Entries)) // of each event among the entries
	errs := make([]error, len(in.Entries))
	size := 0
	for i := range in.Entries {
		e, err := admit(ctx, &in.Entries[i])
		size += e.Size()
		if err != nil {
			errs[i] = err
			continue
		}
		list, at = append(list, e), append(at, i)
	}
	if size > bus.MaxSize {
		return nil, fault.New(fault.Validation, "Total size of the entries in the request is over the limit.")
	}
	for i, err := range s.Bus.Put(ctx, awsapi.CallerFrom(ctx).AccountID, list) {
		errs[at[i]] = err
	}
	out := &putEventsOutput{Entries: make([]result, len(in.Entries))}
	for i, e := range list {
		out.Entries[at[i]].EventID = e.ID
	}
	for i, err := range errs {
		if err == nil {
			continue
		}
		f, ok := errors.AsType[*fault.Error](err)
		if !ok || entryCodes[f.Kind] == "" { // SDKs repeat calls, not entries; and no event of this one was stored
			return nil, err
		}
		out.Entries[i] = result{ErrorCode: entryCodes[f.Kind], ErrorMessage: f.Message}
		out.FailedEntryCount++
	}
	return out, nil
}

// admit makes an event of an entry that its caller may put.
func admit(ctx context.Context, in *entry) (bus.Event, error) {
	e := bus.Event{Source: in.Source, DetailType: in.DetailType, Detail: []byte(in.Detail), Resources: in.Resources}
	if in.Time != nil {
		e.Time = *in.Time
	}
	if bus.Reserved(in.Source) {
		return e, fault.New(fault.AccessDenied, "Not authorized for the source.")
	}
	_, err := onDefault(ctx, in.EventBusName)
	return e, err
}

type testEventPatternInput struct {
	EventPattern string `json:"EventPattern" required:"true" len:"0..4096"`
	Event        string `json:"Event" required:"true" sensitive:"true"`
}

type testEventPatternOutput struct {
	Result bool
}

// mandatory are the members that an event has to have for a test, as EventBridge really checks them.
var mandatory = []string{"id", "account", "source", "time", "region", "detail-type"}

func (s server) testEventPattern(_ context.Context, in *testEventPatternInput) (*testEventPatternOutput, error) {
	p, err := pattern.ParseEvent(in.EventPattern)
	if err != nil {
		return nil, err
	}
	text, ok := rawjson.Parse([]byte(in.Event))
	for _, name := range mandatory {
		ok = ok && text.Get(name) != nil
	}
	if !ok {
		return nil, fault.New(fault.Validation, "Parameter Event is not valid.")
	}
	e, _ := pattern.Decode(text)
	return &testEventPatternOutput{p.Match(e)}, nil
}
