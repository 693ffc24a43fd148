// Package events is the front door's subset of Amazon EventBridge (API version 2015-10-07): the built-in event bus over AWS JSON 1.1.
//
// What an event, a rule or a target is and does is in internal/bus; here are the operations' names, inputs, outputs and error codes.
// Differences from Amazon's service: the default bus only, no schedules, no tags; targets are SNS topics, SQS queues and API
// destinations of the same account; connections have API keys or user names; what cannot be delivered is among the server's dead
// letters instead of in a queue of its own. What is not supported is refused, never ignored.
package events

import (
	"context"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsjson"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// codes are the names EventBridge has for faults. Only event patterns are called InvalidParameters here.
func codes() awsapi.Codes {
	return awsjson.Codes().
		With(fault.InvalidParameters, "InvalidEventPatternException", http.StatusBadRequest).
		With(fault.Internal, "InternalException", http.StatusInternalServerError).
		With(fault.Dependency, "InternalException", http.StatusInternalServerError)
}

// Options are what the operations work on.
type Options struct {
	Bus   *bus.Service
	Pages *page.Sealer
}

const (
	maxPut = 4 << 20 // room for events of the largest size in which every quotation mark is escaped

	putRate    = 10_000
	manageRate = 50
)

// Service returns the table of operations. Rates are EventBridge's quotas.
func Service(o Options) awsapi.Service {
	s := server{o}
	return awsapi.Service{
		Name:     "events",
		Protocol: awsjson.Protocol{Prefix: "AWSEvents"},
		Codes:    codes(),
		Operations: []awsapi.Operation{
			{Name: "PutEvents", Do: awsapi.Op(s.putEvents), Rate: putRate, MaxBody: maxPut, Stores: true},
			{Name: "TestEventPattern", Do: awsapi.Op(s.testEventPattern), Rate: manageRate},

			{Name: "PutRule", Do: awsapi.Op(s.putRule), Rate: manageRate},
			{Name: "DescribeRule", Do: awsapi.Op(s.describeRule), Rate: manageRate},
			{Name: "ListRules", Do: awsapi.Op(s.listRules), Rate: manageRate},
			{Name: "EnableRule", Do: awsapi.Op(s.enableRule), Rate: manageRate},
			{Name: "DisableRule", Do: awsapi.Op(s.disableRule), Rate: manageRate},
			{Name: "DeleteRule", Do: awsapi.Op(s.deleteRule), Rate: manageRate},

			{Name: "PutTargets", Do: awsapi.Op(s.putTargets), Rate: manageRate},
			{Name: "ListTargetsByRule", Do: awsapi.Op(s.listTargetsByRule), Rate: manageRate},
			{Name: "ListRuleNamesByTarget", Do: awsapi.Op(s.listRuleNamesByTarget), Rate: manageRate},
			{Name: "RemoveTargets", Do: awsapi.Op(s.removeTargets), Rate: manageRate},

			{Name: "DescribeEventBus", Do: awsapi.Op(s.describeEventBus), Rate: manageRate},
			{Name: "ListEventBuses", Do: awsapi.Op(s.listEventBuses), Rate: manageRate},

			{Name: "CreateConnection", Do: awsapi.Op(s.createConnection), Rate: manageRate},
			{Name: "DescribeConnection", Do: awsapi.Op(s.describeConnection), Rate: manageRate},
			{Name: "UpdateConnection", Do: awsapi.Op(s.updateConnection), Rate: manageRate},
			{Name: "ListConnections", Do: awsapi.Op(s.listConnections), Rate: manageRate},
			{Name: "DeleteConnection", Do: awsapi.Op(s.deleteConnection), Rate: manageRate},

			{Name: "CreateApiDestination", Do: awsapi.Op(s.createAPIDestination), Rate: manageRate},
			{Name: "DescribeApiDestination", Do: awsapi.Op(s.describeAPIDestination), Rate: manageRate},
			{Name: "UpdateApiDestination", Do: awsapi.Op(s.updateAPIDestination), Rate: manageRate},
			{Name: "ListApiDestinations", Do: awsapi.Op(s.listAPIDestinations), Rate: manageRate},
			{Name: "DeleteApiDestination", Do: awsapi.Op(s.deleteAPIDestination), Rate: manageRate},
		},
	}
}

type server struct{ Options }

// onDefault returns where the caller's resources are, if a name or ARN means the bus that there is.
func onDefault(ctx context.Context, busName string) (account.Scope, error) {
	scope := awsapi.From(ctx).Scope()
	return scope, bus.Resolve(scope, busName)
}

// invalid is EventBridge's way to say that a parameter is wrong.
func invalid(parameter, reason string, args ...any) error {
	return fault.New(fault.Validation, "Parameter "+parameter+" is not valid. Reason: "+reason, args...)
}

// defaultPage is how many entries a list has unless its caller says otherwise.
const defaultPage = 100

// list reads a page that starts after the token's cursor. It returns the token of the next page, "" after the last. The purpose is
// everything that has to be the same on the next page.
func list[T any](ctx context.Context, pages *page.Sealer, token string, limit int, purpose []string, name func(*T) string,
	read func(after string, limit int) ([]T, error)) ([]T, string, error) {
	r := awsapi.From(ctx)
	purpose = append([]string{r.Caller.AccountID, r.Operation}, purpose...)
	if limit == 0 {
		limit = defaultPage
	}
	after := ""
	if token != "" {
		var err error
		if after, err = pages.Open(token, purpose...); err != nil {
			return nil, "", fault.New(fault.Validation, "Parameter NextToken is not valid.")
		}
	}
	found, err := read(after, limit+1) // one more, to see whether there is another page
	if err != nil || len(found) <= limit {
		return found, "", err
	}
	found = found[:limit]
	return found, pages.Seal(name(&found[limit-1]), purpose...), nil
}
