// Package sns is the front door's subset of Amazon Simple Notification Service: the built-in topics over the query protocol
// (API version 2010-03-31), and the unsigned links that subscribers are sent.
//
// What a topic is and does is in internal/topic; here are the operations' names, inputs, outputs and error codes. A topic
// belongs to the account in its ARN and nobody else may touch it, whatever its access policy says. Differences from Amazon's
// service: standard topics with http, https and sqs subscribers only, no delivery policies, no encryption settings (everything is
// encrypted at rest).
package sns

import (
	"context"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/query"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/page"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

var protocol = query.Protocol{Namespace: "http://sns.amazonaws.com/doc/2010-03-31/"}

// codes are the names SNS has for faults. Validation stands for wrong message attributes only: inputs carry no constraints
// of their own, because SNS words every complaint itself.
func codes() awsapi.Codes {
	return query.Codes().
		With(fault.Validation, "ParameterValueInvalid", http.StatusBadRequest).
		With(fault.InvalidParameters, "InvalidParameter", http.StatusBadRequest).
		With(fault.LimitExceeded, "TagLimitExceeded", http.StatusBadRequest).
		With(fault.AccessDenied, "AuthorizationError", http.StatusForbidden).
		With(fault.NotFound, "NotFound", http.StatusNotFound).
		With(fault.Throttled, "Throttled", http.StatusTooManyRequests).
		With(fault.Internal, "InternalError", http.StatusInternalServerError)
}

// Options are what the operations work on.
type Options struct {
	Topics *topic.Service
	Pages  *page.Sealer
}

// maxPublish leaves room for a message of the largest size in which every byte is escaped.
const maxPublish = 2 << 20

// Service returns the table of operations. Rates are SNS's quotas.
func Service(o Options) awsapi.Service {
	s := server{o}
	return awsapi.Service{
		Name:     "sns",
		Protocol: protocol,
		Codes:    codes(),
		Operations: []awsapi.Operation{
			{Name: "CreateTopic", Do: awsapi.Op(s.createTopic), Rate: 30},
			{Name: "DeleteTopic", Do: awsapi.Op(s.deleteTopic), Rate: 30},
			{Name: "ListTopics", Do: awsapi.Op(s.listTopics), Rate: 30},
			{Name: "GetTopicAttributes", Do: awsapi.Op(s.getTopicAttributes), Rate: 3000},
			{Name: "SetTopicAttributes", Do: awsapi.Op(s.setTopicAttributes), Rate: 100},
			{Name: "Subscribe", Do: awsapi.Op(s.subscribe), Rate: 100},
			{Name: "ConfirmSubscription", Do: awsapi.Op(s.confirmSubscription), Rate: 100},
			{Name: "Unsubscribe", Do: awsapi.Op(s.unsubscribe), Rate: 100},
			{Name: "ListSubscriptions", Do: awsapi.Op(s.listSubscriptions), Rate: 30},
			{Name: "ListSubscriptionsByTopic", Do: awsapi.Op(s.listSubscriptionsByTopic), Rate: 30},
			{Name: "GetSubscriptionAttributes", Do: awsapi.Op(s.getSubscriptionAttributes), Rate: 3000},
			{Name: "SetSubscriptionAttributes", Do: awsapi.Op(s.setSubscriptionAttributes), Rate: 100},
			{Name: "Publish", Do: awsapi.Op(s.publish), Rate: 30_000, MaxBody: maxPublish, Stores: true},
			{Name: "PublishBatch", Do: awsapi.Op(s.publishBatch), Rate: 3000, MaxBody: maxPublish, Stores: true},
			{Name: "TagResource", Do: awsapi.Op(s.tagResource), Rate: 10},
			{Name: "UntagResource", Do: awsapi.Op(s.untagResource), Rate: 10},
			{Name: "ListTagsForResource", Do: awsapi.Op(s.listTagsForResource), Rate: 10},
		},
	}
}

type server struct{ Options }

// pageSize is how many entries SNS puts on a page.
const pageSize = 100

// own checks that a topic's ARN names one of the caller's, here.
func own(ctx context.Context, parameter, arn string) error {
	parsed, err := topic.ParseARN(parameter, arn)
	if err != nil {
		return err
	}
	return owned(ctx, parameter, parsed)
}

// ownSubscription checks that a subscription's ARN names one of the caller's, here.
func ownSubscription(ctx context.Context, arn string) error {
	parsed, err := topic.ParseSubscriptionARN("SubscriptionArn", arn)
	if err != nil {
		return err
	}
	return owned(ctx, "SubscriptionArn", parsed)
}

func owned(ctx context.Context, parameter string, arn topic.ARN) error {
	r := awsapi.From(ctx)
	if arn.Partition != r.Partition || arn.Region != r.Region {
		return fault.New(fault.InvalidParameters, "Invalid parameter: %s", parameter)
	}
	if arn.AccountID != r.Caller.AccountID {
		return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: SNS:%s on resource: %s", r.Caller.ARN, r.Operation, arn)
	}
	return nil
}

// list reads a page that starts after the token's cursor. It returns the token of the next page, "" after the last.
func list[T any](ctx context.Context, pages *page.Sealer, token, of string, arn func(*T) string, read func(after string) ([]T, error)) (
	[]T, string, error) {
	r := awsapi.From(ctx)
	after := ""
	if token != "" {
		var err error
		if after, err = pages.Open(token, r.Caller.AccountID, r.Operation, of); err != nil {
			return nil, "", fault.New(fault.InvalidParameters, "Invalid parameter: NextToken")
		}
	}
	found, err := read(after)
	if err != nil || len(found) < pageSize {
		return found, "", err
	}
	return found, pages.Seal(arn(&found[len(found)-1]), r.Caller.AccountID, r.Operation, of), nil
}
