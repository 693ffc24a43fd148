package sns

import (
	"context"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/query"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

type tag struct {
	Key   string `form:"Key"`
	Value string `form:"Value"`
}

type createTopicInput struct {
	Name       string            `form:"Name"`
	Attributes map[string]string `form:"Attributes"`
	Tags       []tag             `form:"Tags"`
}

type topicARN struct {
	TopicArn string
}

func (s server) createTopic(ctx context.Context, in *createTopicInput) (*topicARN, error) {
	tags := make(map[string]string, len(in.Tags))
	for _, t := range in.Tags {
		tags[t.Key] = t.Value
	}
	arn, err := s.Topics.CreateTopic(ctx, awsapi.CallerFrom(ctx).AccountID, in.Name, in.Attributes, tags)
	if err != nil {
		return nil, err
	}
	return &topicARN{arn}, nil
}

type topicInput struct {
	TopicArn string `form:"TopicArn"`
}

func (s server) deleteTopic(ctx context.Context, in *topicInput) (*struct{}, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	return nil, s.Topics.DeleteTopic(ctx, in.TopicArn)
}

type listInput struct {
	NextToken string `form:"NextToken"`
}

type listTopicsOutput struct {
	Topics    []topicARN `xml:"Topics>member"`
	NextToken string     `xml:",omitempty"`
}

func (s server) listTopics(ctx context.Context, in *listInput) (*listTopicsOutput, error) {
	account := awsapi.CallerFrom(ctx).AccountID
	found, next, err := list(ctx, s.Pages, in.NextToken, "", func(t *topic.Topic) string { return t.ARN }, func(after string) ([]topic.Topic, error) {
		return s.Topics.Store.Topics(ctx, account, after, pageSize)
	})
	if err != nil {
		return nil, err
	}
	out := &listTopicsOutput{NextToken: next}
	for i := range found {
		out.Topics = append(out.Topics, topicARN{found[i].ARN})
	}
	return out, nil
}

type attributesOutput struct {
	Attributes query.Map
}

func (s server) getTopicAttributes(ctx context.Context, in *topicInput) (*attributesOutput, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	t, counts, err := s.Topics.Topic(ctx, in.TopicArn)
	if err != nil {
		return nil, err
	}
	policy := t.Policy
	if policy == "" {
		policy = defaultPolicy(&t)
	}
	return &attributesOutput{query.Map{
		"TopicArn":                 t.ARN,
		"Owner":                    t.AccountID,
		topic.AttrDisplayName:      t.DisplayName,
		topic.AttrPolicy:           policy,
		topic.AttrSignatureVersion: t.SignatureVersion,
		"SubscriptionsConfirmed":   strconv.Itoa(counts.Confirmed),
		"SubscriptionsPending":     strconv.Itoa(counts.Pending),
		"SubscriptionsDeleted":     strconv.Itoa(counts.Deleted),
	}}, nil
}

// defaultPolicy is the access policy that SNS shows for a topic whose owner has set none: the account itself may do
// everything.
func defaultPolicy(t *topic.Topic) string {
	return `{"Version":"2008-10-17","Id":"__default_policy_ID","Statement":[{"Sid":"__default_statement_ID","Effect":"Allow",` +
		`"Principal":{"AWS":"*"},"Action":["SNS:GetTopicAttributes","SNS:SetTopicAttributes","SNS:AddPermission","SNS:RemovePermission",` +
		`"SNS:DeleteTopic","SNS:Subscribe","SNS:ListSubscriptionsByTopic","SNS:Publish"],"Resource":"` + t.ARN +
		`","Condition":{"StringEquals":{"AWS:SourceAccount":"` + t.AccountID + `"}}}]}`
}

type setTopicAttributesInput struct {
	TopicArn       string `form:"TopicArn"`
	AttributeName  string `form:"AttributeName"`
	AttributeValue string `form:"AttributeValue"`
}

func (s server) setTopicAttributes(ctx context.Context, in *setTopicAttributesInput) (*struct{}, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	return nil, s.Topics.SetTopicAttribute(ctx, in.TopicArn, in.AttributeName, in.AttributeValue)
}
