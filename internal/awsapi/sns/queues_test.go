package sns_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/sqs"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs/sqstest"
)

// newNodeWithQueues is a node beside an SQS with queues of the given names.
func newNodeWithQueues(t *testing.T, names ...string) (*node, *sqstest.Server) {
	t.Helper()
	s := sqstest.New(t, names...)
	return newNodeWith(t, sqs.New(s.URL, aws.Config{Region: sqstest.Region, Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", "x", "")})), s
}

// queueARN names a queue of the account that owns the topics.
func queueARN(name string) string { return "arn:aws:sqs:us-east-1:" + account + ":" + name }

func (n *node) subscribeQueue(t *testing.T, topicARN, queue string, attributes map[string]string) string {
	t.Helper()
	out, err := n.client.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &topicARN, Protocol: aws.String("sqs"), Endpoint: &queue, Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	return *out.SubscriptionArn
}

func documentIn(t *testing.T, m sqstest.Message) received {
	t.Helper()
	r := received{body: []byte(m.Body)}
	if err := json.Unmarshal(r.body, &r.fields); err != nil {
		t.Fatalf("%s: %v", m.Body, err)
	}
	return r
}

// A queue of the same account is subscribed at once and gets what a URL would get.
func TestQueueSubscription(t *testing.T) {
	t.Parallel()
	n, s := newNodeWithQueues(t, "q")
	ctx, arn := t.Context(), n.topic(t, "orders")
	sub := n.subscribeQueue(t, arn, queueARN("q"), nil)
	if again := n.subscribeQueue(t, arn, queueARN("q"), nil); again != sub || !strings.HasPrefix(sub, arn+":") {
		t.Fatalf("subscriptions %s and %s", sub, again)
	}
	got, err := n.client.GetSubscriptionAttributes(ctx, &awssns.GetSubscriptionAttributesInput{SubscriptionArn: &sub})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"SubscriptionArn": sub, "TopicArn": arn, "Owner": account, "Protocol": "sqs", "Endpoint": queueARN("q"),
		"RawMessageDelivery": "false", "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true"}
	if diff := cmp.Diff(want, got.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	published, err := n.client.Publish(ctx, &awssns.PublishInput{TopicArn: &arn, Message: aws.String("hällo"), Subject: aws.String("Subject"),
		MessageAttributes: map[string]types.MessageAttributeValue{"kind": {DataType: aws.String("String"), StringValue: aws.String("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	m := s.Wait(t, "q", 1)[0]
	d := documentIn(t, m)
	verify(t, d)
	if d.text("Type") != "Notification" || d.text("Message") != "hällo" || d.text("MessageId") != *published.MessageId || m.Attributes != nil {
		t.Errorf("queued %s with %v", m.Body, m.Attributes)
	}

	// It ends without a farewell.
	if _, err := n.client.Unsubscribe(ctx, &awssns.UnsubscribeInput{SubscriptionArn: &sub}); err != nil {
		t.Fatal(err)
	}
	other := n.subscribeQueue(t, arn, queueARN("q"), map[string]string{"RawMessageDelivery": "true"})
	if other == sub {
		t.Error("the subscription was not ended")
	}
	if _, err := n.client.Publish(ctx, &awssns.PublishInput{TopicArn: &arn, Message: aws.String("last")}); err != nil {
		t.Fatal(err)
	}
	if got := s.Wait(t, "q", 2)[1].Body; got != "last" {
		t.Errorf("queued %s", got)
	}
}

// With raw delivery a queue gets the bare message, with its attributes beside it.
func TestQueueSubscriptionRaw(t *testing.T) {
	t.Parallel()
	n, s := newNodeWithQueues(t, "q")
	arn := n.topic(t, "orders")
	n.subscribeQueue(t, arn, queueARN("q"), map[string]string{"RawMessageDelivery": "true"})
	if _, err := n.client.Publish(t.Context(), &awssns.PublishInput{TopicArn: &arn, MessageStructure: aws.String("json"),
		Message: aws.String(`{"default": "for all", "sqs": "{\"for\": \"queues\"}"}`),
		MessageAttributes: map[string]types.MessageAttributeValue{
			"text":   {DataType: aws.String("String"), StringValue: aws.String("x")},
			"number": {DataType: aws.String("Number"), StringValue: aws.String("1.5")},
			"list":   {DataType: aws.String("String.Array"), StringValue: aws.String(`["a"]`)},
			"bytes":  {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2}},
		}}); err != nil {
		t.Fatal(err)
	}
	want := map[string]sqstest.Attribute{"text": {DataType: "String", StringValue: aws.String("x")}, "number": {DataType: "Number", StringValue: aws.String("1.5")},
		"list": {DataType: "String.Array", StringValue: aws.String(`["a"]`)}, "bytes": {DataType: "Binary", BinaryValue: []byte{1, 2}}}
	m := s.Wait(t, "q", 1)[0]
	if diff := cmp.Diff(want, m.Attributes); diff != "" || m.Body != `{"for": "queues"}` {
		t.Errorf("queued %s with (-want +got):\n%s", m.Body, diff)
	}
}

// What a queue can never take becomes a dead letter at once, and the rest goes on.
func TestQueueSubscriptionRefuses(t *testing.T) {
	t.Parallel()
	n, s := newNodeWithQueues(t, "q")
	ctx, arn := t.Context(), n.topic(t, "orders")
	sub := n.subscribeQueue(t, arn, queueARN("q"), map[string]string{"RawMessageDelivery": "true"})
	many := map[string]types.MessageAttributeValue{}
	for i := range 11 {
		many[fmt.Sprint("a", i)] = types.MessageAttributeValue{DataType: aws.String("String"), StringValue: aws.String("x")}
	}
	for _, in := range []*awssns.PublishInput{{Message: aws.String("many"), MessageAttributes: many}, {Message: aws.String("control \x01")}, {Message: aws.String("fine")}} {
		in.TopicArn = &arn
		if _, err := n.client.Publish(ctx, in); err != nil {
			t.Fatal(err)
		}
	}
	if got := s.Wait(t, "q", 1)[0].Body; got != "fine" {
		t.Errorf("queued %q", got)
	}
	var reasons []string
	for deadline := time.Now().Add(20 * time.Second); len(reasons) < 2 && time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
		letters, err := n.store.DeadMessages(ctx, account, 0, 10)
		if err != nil {
			t.Fatal(err)
		}
		reasons = nil
		for _, l := range letters {
			reasons = append(reasons, strings.TrimPrefix(l.Subscriber, sub)+l.Reason)
		}
	}
	slices.Sort(reasons)
	if len(reasons) != 2 || !strings.HasPrefix(reasons[0], "SQS answered InvalidMessageContents") || reasons[1] != "the message has 11 attributes, more than the 10 SQS takes" {
		t.Errorf("dead letters: %q", reasons)
	}
}

// A queue of another account confirms like every endpoint: whoever reads it decides.
func TestQueueOfAnotherAccount(t *testing.T) {
	t.Parallel()
	n, s := newNodeWithQueues(t, "q")
	ctx, arn := t.Context(), n.topic(t, "orders")
	if got := n.subscribeQueue(t, arn, sqstest.ARN("q"), nil); got != "pending confirmation" {
		t.Fatalf("subscription %s", got)
	}
	d := documentIn(t, s.Wait(t, "q", 1)[0])
	verify(t, d)
	if d.text("Type") != "SubscriptionConfirmation" {
		t.Fatalf("queued %s", d.body)
	}
	if _, err := n.client.ConfirmSubscription(ctx, &awssns.ConfirmSubscriptionInput{TopicArn: &arn, Token: aws.String(d.text("Token"))}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.client.Publish(ctx, &awssns.PublishInput{TopicArn: &arn, Message: aws.String("hello")}); err != nil {
		t.Fatal(err)
	}
	if d := documentIn(t, s.Wait(t, "q", 2)[1]); d.text("Message") != "hello" {
		t.Errorf("queued %s", d.body)
	}
}

func TestQueuesThatCannotSubscribe(t *testing.T) {
	t.Parallel()
	n, _ := newNodeWithQueues(t)
	arn := n.topic(t, "orders")
	for queue, want := range map[string]string{
		queueARN("q.fifo"):                          "Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics",
		"arn:aws:sqs:eu-west-1:" + account + ":q":   "Endpoint Reason: the queue has to be in us-east-1",
		"arn:aws:sns:us-east-1:" + account + ":q":   "SQS endpoint ARN",
		"https://sqs.us-east-1.amazonaws.com/1/q":   "SQS endpoint ARN",
		"arn:aws:sqs:us-east-1:" + account + ":a/b": "SQS endpoint ARN",
	} {
		_, err := n.client.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("sqs"), Endpoint: &queue})
		if err == nil || !strings.Contains(err.Error(), "InvalidParameter: Invalid parameter: "+want) {
			t.Errorf("%s: %v, want %s", queue, err, want)
		}
	}
}
