package sns

import (
	"cmp"
	"context"
	"net/http"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/query"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// What stands for the ARN of a subscription that is not confirmed: in the answer to Subscribe, and in lists.
const (
	pendingAnswer = "pending confirmation"
	pendingEntry  = "PendingConfirmation"
)

type subscribeInput struct {
	TopicArn              string            `form:"TopicArn"`
	Protocol              string            `form:"Protocol"`
	Endpoint              string            `form:"Endpoint"`
	Attributes            map[string]string `form:"Attributes"`
	ReturnSubscriptionArn bool              `form:"ReturnSubscriptionArn"`
}

type subscriptionARN struct {
	SubscriptionArn string
}

func (s server) subscribe(ctx context.Context, in *subscribeInput) (*subscriptionARN, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	sub, err := s.Topics.Subscribe(ctx, in.TopicArn, in.Protocol, in.Endpoint, in.Attributes)
	if err != nil {
		return nil, tooManyFilters(err)
	}
	if sub.State == topic.Pending && !in.ReturnSubscriptionArn {
		return &subscriptionARN{pendingAnswer}, nil
	}
	return &subscriptionARN{sub.ARN}, nil
}

type confirmInput struct {
	TopicArn                  string `form:"TopicArn"`
	Token                     string `form:"Token"`
	AuthenticateOnUnsubscribe string `form:"AuthenticateOnUnsubscribe"`
}

func (s server) confirmSubscription(ctx context.Context, in *confirmInput) (*subscriptionARN, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	sub, err := s.Topics.Confirm(ctx, in.TopicArn, in.Token, true, strings.EqualFold(in.AuthenticateOnUnsubscribe, "true"))
	if err != nil {
		return nil, err
	}
	return &subscriptionARN{sub.ARN}, nil
}

type subscriptionInput struct {
	SubscriptionArn string `form:"SubscriptionArn"`
}

func (s server) unsubscribe(ctx context.Context, in *subscriptionInput) (*struct{}, error) {
	if err := ownSubscription(ctx, in.SubscriptionArn); err != nil {
		return nil, err
	}
	return nil, s.Topics.Unsubscribe(ctx, in.SubscriptionArn, true)
}

type listByTopicInput struct {
	TopicArn  string `form:"TopicArn"`
	NextToken string `form:"NextToken"`
}

type listSubscriptionsOutput struct {
	Subscriptions []subscriptionEntry `xml:"Subscriptions>member"`
	NextToken     string              `xml:",omitempty"`
}

type subscriptionEntry struct {
	TopicArn        string
	Protocol        string
	SubscriptionArn string
	Owner           string
	Endpoint        string
}

func (s server) listSubscriptions(ctx context.Context, in *listInput) (*listSubscriptionsOutput, error) {
	return s.entries(ctx, "", in.NextToken)
}

func (s server) listSubscriptionsByTopic(ctx context.Context, in *listByTopicInput) (*listSubscriptionsOutput, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	if _, err := s.Topics.Store.Topic(ctx, in.TopicArn); err != nil {
		return nil, err
	}
	return s.entries(ctx, in.TopicArn, in.NextToken)
}

func (s server) entries(ctx context.Context, topicARN, token string) (*listSubscriptionsOutput, error) {
	account := awsapi.CallerFrom(ctx).AccountID
	found, next, err := list(ctx, s.Pages, token, topicARN, func(s *topic.Subscription) string { return s.ARN },
		func(after string) ([]topic.Subscription, error) {
			return s.Topics.Store.Subscriptions(ctx, account, topicARN, after, pageSize)
		})
	if err != nil {
		return nil, err
	}
	out := &listSubscriptionsOutput{NextToken: next}
	for i := range found {
		sub := &found[i]
		arn := sub.ARN
		if sub.State == topic.Pending {
			arn = pendingEntry
		}
		out.Subscriptions = append(out.Subscriptions, subscriptionEntry{sub.TopicARN, sub.Protocol, arn, sub.AccountID, sub.Endpoint})
	}
	return out, nil
}

func (s server) getSubscriptionAttributes(ctx context.Context, in *subscriptionInput) (*attributesOutput, error) {
	if err := ownSubscription(ctx, in.SubscriptionArn); err != nil {
		return nil, err
	}
	sub, err := s.Topics.Store.Subscription(ctx, in.SubscriptionArn)
	if err != nil {
		return nil, err
	}
	out := query.Map{
		"SubscriptionArn":              sub.ARN,
		"TopicArn":                     sub.TopicARN,
		"Owner":                        sub.AccountID,
		"Protocol":                     sub.Protocol,
		"Endpoint":                     sub.Endpoint,
		topic.AttrRaw:                  strconv.FormatBool(sub.Raw),
		"PendingConfirmation":          strconv.FormatBool(sub.State == topic.Pending),
		"ConfirmationWasAuthenticated": strconv.FormatBool(sub.Authenticated),
	}
	if sub.Filter.Policy != "" {
		out[topic.AttrFilterPolicy], out[topic.AttrFilterScope] = sub.Filter.Policy, cmp.Or(string(sub.Filter.Scope), string(pattern.Attributes))
	}
	return &attributesOutput{out}, nil
}

type setSubscriptionAttributesInput struct {
	SubscriptionArn string `form:"SubscriptionArn"`
	AttributeName   string `form:"AttributeName"`
	AttributeValue  string `form:"AttributeValue"`
}

func (s server) setSubscriptionAttributes(ctx context.Context, in *setSubscriptionAttributesInput) (*struct{}, error) {
	if err := ownSubscription(ctx, in.SubscriptionArn); err != nil {
		return nil, err
	}
	return nil, tooManyFilters(s.Topics.SetSubscriptionAttribute(ctx, in.SubscriptionArn, in.AttributeName, in.AttributeValue))
}

// tooManyFilters gives the one quota on subscriptions its name.
func tooManyFilters(err error) error {
	if fault.Is(err, fault.LimitExceeded) {
		return &awsapi.Error{Code: awsapi.Code{Name: "FilterPolicyLimitExceeded", Status: http.StatusForbidden}, Message: topic.ErrTooManyFilters.Message, Cause: err}
	}
	return err
}
