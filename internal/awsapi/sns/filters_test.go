package sns_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"
)

func (n *node) set(t *testing.T, sub, name, value string) error {
	t.Helper()
	_, err := n.client.SetSubscriptionAttributes(t.Context(), &awssns.SetSubscriptionAttributesInput{SubscriptionArn: &sub, AttributeName: &name, AttributeValue: &value})
	return err
}

// filterOf returns the policy and the scope that a subscription shows.
func (n *node) filterOf(t *testing.T, sub string) []string {
	t.Helper()
	out, err := n.client.GetSubscriptionAttributes(t.Context(), &awssns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
	if err != nil {
		t.Fatal(err)
	}
	return []string{out.Attributes["FilterPolicy"], out.Attributes["FilterPolicyScope"]}
}

func text(s string) types.MessageAttributeValue {
	return types.MessageAttributeValue{DataType: aws.String("String"), StringValue: &s}
}

// Each subscription gets what its policy wants, of single messages and of batches.
func TestFilterPolicies(t *testing.T) {
	t.Parallel()
	n, s := newNodeWithQueues(t, "all", "rugby", "body")
	ctx, arn := t.Context(), n.topic(t, "orders")
	raw := map[string]string{"RawMessageDelivery": "true"}
	n.subscribeQueue(t, arn, queueARN("all"), raw)
	n.subscribeQueue(t, arn, queueARN("rugby"), map[string]string{"RawMessageDelivery": "true", "FilterPolicy": `{"sport": ["rugby", {"prefix": "foot"}], "stars": [{"numeric": [">=", 3]}]}`})
	body := n.subscribeQueue(t, arn, queueARN("body"), map[string]string{"RawMessageDelivery": "true", "FilterPolicyScope": "MessageBody", "FilterPolicy": `{"order": {"state": ["paid"]}}`})

	publish := func(message string, attributes map[string]types.MessageAttributeValue) {
		t.Helper()
		if _, err := n.client.Publish(ctx, &awssns.PublishInput{TopicArn: &arn, Message: &message, MessageAttributes: attributes}); err != nil {
			t.Fatal(err)
		}
	}
	three := types.MessageAttributeValue{DataType: aws.String("Number"), StringValue: aws.String("3.0")}
	publish("football", map[string]types.MessageAttributeValue{"sport": text("football"), "stars": three})
	publish("chess", map[string]types.MessageAttributeValue{"sport": text("chess"), "stars": three})
	publish("bare", nil)
	publish(`{"order": {"state": "paid"}}`, nil)
	if _, err := n.client.PublishBatch(ctx, &awssns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		{Id: aws.String("a"), Message: aws.String(`{"order": {"state": "open"}}`), MessageAttributes: map[string]types.MessageAttributeValue{"sport": text("rugby"), "stars": three}},
		{Id: aws.String("b"), Message: aws.String(`{"order": [{"state": "open"}, {"state": "paid"}]}`)},
	}}); err != nil {
		t.Fatal(err)
	}
	if err := n.set(t, body, "FilterPolicy", ""); err != nil {
		t.Fatal(err)
	}
	publish("last", map[string]types.MessageAttributeValue{"sport": text("rugby"), "stars": three})

	s.Wait(t, "all", 7)
	s.Wait(t, "rugby", 3)
	s.Wait(t, "body", 3)
	for queue, want := range map[string][]string{
		"all": {"bare", "chess", "football", "last", `{"order": [{"state": "open"}, {"state": "paid"}]}`, `{"order": {"state": "open"}}`,
			`{"order": {"state": "paid"}}`},
		"rugby": {"football", "last", `{"order": {"state": "open"}}`},
		"body":  {"last", `{"order": [{"state": "open"}, {"state": "paid"}]}`, `{"order": {"state": "paid"}}`},
	} {
		if diff := cmp.Diff(want, s.Bodies(queue)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", queue, diff)
		}
	}
}

// A subscription is asked to confirm whatever it will want.
func TestFiltersLetConfirmationsPass(t *testing.T) {
	t.Parallel()
	n, s := newNode(t), newSubscriber(t)
	arn := n.topic(t, "orders")
	if _, err := n.client.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &s.url,
		Attributes: map[string]string{"FilterPolicy": `{"never": ["this"]}`}}); err != nil {
		t.Fatal(err)
	}
	if got := s.next(t).text("Type"); got != "SubscriptionConfirmation" {
		t.Errorf("received %s", got)
	}
}

func TestFilterPolicyAttributes(t *testing.T) {
	t.Parallel()
	n, _ := newNodeWithQueues(t, "q")
	arn := n.topic(t, "orders")
	sub := n.subscribeQueue(t, arn, queueARN("q"), nil)
	for _, step := range []struct{ name, value, policy, scope, failed string }{
		{"", "", "", "", ""},
		{"FilterPolicyScope", "MessageBody", "", "", ""}, // remembered, but not shown without a policy
		{"FilterPolicy", `{"a": {"b": ["c"]}}`, `{"a": {"b": ["c"]}}`, "MessageBody", ""},
		{"FilterPolicyScope", "MessageAttributes", `{"a": {"b": ["c"]}}`, "MessageBody", "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"FilterPolicyScope", "Body", `{"a": {"b": ["c"]}}`, "MessageBody", "FilterPolicyScope: Invalid value [Body]. Please use either MessageBody or MessageAttributes"},
		{"FilterPolicy", `{invalid}`, `{"a": {"b": ["c"]}}`, "MessageBody", "FilterPolicy: failed to parse JSON."},
		{"FilterPolicy", `{"a": "b"}`, `{"a": {"b": ["c"]}}`, "MessageBody", `FilterPolicy: "a" must be an object or an array`},
		{"FilterPolicy", `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`, `{"a": {"b": ["c"]}}`, "MessageBody", "FilterPolicy: Filter policy can not have more than 5 keys"},
		{"FilterPolicy", `{"a": ["b"]}`, `{"a": ["b"]}`, "MessageBody", ""},
		{"FilterPolicyScope", "MessageAttributes", `{"a": ["b"]}`, "MessageAttributes", ""},
		{"FilterPolicy", `{}`, "", "", ""},
	} {
		if step.name != "" {
			err := n.set(t, sub, step.name, step.value)
			if (err == nil) != (step.failed == "") || err != nil && !strings.Contains(err.Error(), "InvalidParameter: Invalid parameter: "+step.failed) {
				t.Errorf("%s %s: %v, want %q", step.name, step.value, err, step.failed)
			}
		}
		if diff := cmp.Diff([]string{step.policy, step.scope}, n.filterOf(t, sub)); diff != "" {
			t.Errorf("after %s %s (-want +got):\n%s", step.name, step.value, diff)
		}
	}
	_, err := n.client.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN("q2")),
		Attributes: map[string]string{"FilterPolicy": `{"a": [["b"]]}`}})
	if want := "InvalidParameter: Invalid parameter: Attributes Reason: FilterPolicy: Match value must be String, number, true, false, or null"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("subscribing: %v, want %s", err, want)
	}
	_, err = n.client.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("sqs"), Endpoint: aws.String(queueARN("q")),
		Attributes: map[string]string{"FilterPolicy": `{"a": ["b"]}`}})
	if want := "Subscription already exists with different attributes"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("subscribing again with a policy: %v, want %s", err, want)
	}
}

func TestFilterPolicyLimit(t *testing.T) {
	t.Parallel()
	n, _ := newNodeWithQueues(t)
	arn := n.topic(t, "orders")
	for i := range 200 {
		if _, err := n.topics.Subscribe(t.Context(), arn, "sqs", queueARN(fmt.Sprint("q", i)), map[string]string{"FilterPolicy": `{"a": ["b"]}`}); err != nil {
			t.Fatal(err)
		}
	}
	sub := n.subscribeQueue(t, arn, queueARN("last"), nil)
	if err := n.set(t, sub, "FilterPolicy", `{"a": ["b"]}`); err == nil || !strings.Contains(err.Error(), "FilterPolicyLimitExceeded") {
		t.Errorf("one more: %v", err)
	}
}
