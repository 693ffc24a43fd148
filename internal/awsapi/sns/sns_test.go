package sns_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"sort"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sns"
)

// handshake subscribes an endpoint and confirms it by its link.
func (n *node) handshake(t *testing.T, arn string, s *subscriber, attributes map[string]string) string {
	t.Helper()
	out, err := n.client.Subscribe(t.Context(), &awssns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &s.url,
		Attributes: attributes})
	if err != nil {
		t.Fatal(err)
	}
	if *out.SubscriptionArn != "pending confirmation" {
		t.Fatalf("Subscribe = %q", *out.SubscriptionArn)
	}
	r := s.next(t)
	if r.text("Type") != "SubscriptionConfirmation" || r.header.Get("X-Amz-Sns-Message-Type") != "SubscriptionConfirmation" {
		t.Fatalf("first document %s", r.body)
	}
	verify(t, r)
	status, body := follow(t, r.text("SubscribeURL"))
	if status != 200 || !strings.Contains(body, "<ConfirmSubscriptionResult><SubscriptionArn>"+arn+":") {
		t.Fatalf("confirmation link = %d %s", status, body)
	}
	_, rest, _ := strings.Cut(body, "<SubscriptionArn>")
	subscription, _, _ := strings.Cut(rest, "<")
	return subscription
}

// The whole life of a subscription, with both signature versions, from an SDK's and a subscriber's side.
func TestHandshakeSignatureAndUnsubscribe(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	for _, version := range []string{"1", "2"} {
		t.Run("signature version "+version, func(t *testing.T) {
			t.Parallel()
			ctx, s := t.Context(), newSubscriber(t)
			arn := n.topic(t, "orders-"+version)
			if _, err := n.client.SetTopicAttributes(ctx, &awssns.SetTopicAttributesInput{TopicArn: &arn,
				AttributeName: aws.String("SignatureVersion"), AttributeValue: &version}); err != nil {
				t.Fatal(err)
			}
			subscription := n.handshake(t, arn, s, nil)

			out, err := n.client.Publish(ctx, &awssns.PublishInput{TopicArn: &arn, Message: aws.String("{\"a\":\"ü <&>\"}\n"), Subject: aws.String("Hi"),
				MessageAttributes: map[string]types.MessageAttributeValue{
					"kind": {DataType: aws.String("String"), StringValue: aws.String("status")},
					"blob": {DataType: aws.String("Binary"), BinaryValue: []byte{0, 255}},
					"n":    {DataType: aws.String("Number"), StringValue: aws.String("4.5")}}})
			if err != nil {
				t.Fatal(err)
			}
			r := s.next(t)
			verify(t, r)
			want := map[string]any{"Type": "Notification", "MessageId": *out.MessageId, "TopicArn": arn, "Subject": "Hi", "Message": "{\"a\":\"ü <&>\"}\n",
				"SignatureVersion": version, "UnsubscribeURL": n.url + "/?Action=Unsubscribe&SubscriptionArn=" + subscription,
				"MessageAttributes": map[string]any{"kind": map[string]any{"Type": "String", "Value": "status"},
					"blob": map[string]any{"Type": "Binary", "Value": "AP8="}, "n": map[string]any{"Type": "Number", "Value": "4.5"}}}
			for _, varies := range []string{"Timestamp", "Signature", "SigningCertURL"} {
				want[varies] = r.fields[varies]
			}
			if diff := cmp.Diff(want, r.fields); diff != "" {
				t.Errorf("notification (-want +got):\n%s", diff)
			}
			if got := r.header.Get("X-Amz-Sns-Subscription-Arn"); got != subscription {
				t.Errorf("subscription header %q, want %q", got, subscription)
			}

			status, body := follow(t, r.text("UnsubscribeURL"))
			if status != 200 || !strings.Contains(body, "<UnsubscribeResponse") {
				t.Fatalf("unsubscribe link = %d %s", status, body)
			}
			farewell := s.next(t)
			if farewell.text("Type") != "UnsubscribeConfirmation" {
				t.Fatalf("after unsubscribing came %s", farewell.body)
			}
			verify(t, farewell)
			if list := n.list(t, arn); len(list) != 0 {
				t.Errorf("subscriptions after the end: %v", list)
			}
			if status, body := follow(t, farewell.text("SubscribeURL")); status != 200 {
				t.Fatalf("restoring link = %d %s", status, body)
			}
			if diff := cmp.Diff([]string{subscription}, n.list(t, arn)); diff != "" {
				t.Errorf("restored (-want +got):\n%s", diff)
			}
		})
	}
}

func (n *node) list(t *testing.T, arn string) (arns []string) {
	t.Helper()
	out, err := n.client.ListSubscriptionsByTopic(t.Context(), &awssns.ListSubscriptionsByTopicInput{TopicArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range out.Subscriptions {
		arns = append(arns, *s.SubscriptionArn)
	}
	return arns
}

func TestConfirmByAPIProtectsUnsubscribe(t *testing.T) {
	t.Parallel()
	n, s, ctx := newNode(t), newSubscriber(t), t.Context()
	arn := n.topic(t, "orders")
	pending, err := n.client.Subscribe(ctx, &awssns.SubscribeInput{TopicArn: &arn, Protocol: aws.String("http"), Endpoint: &s.url, ReturnSubscriptionArn: true})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"PendingConfirmation"}, n.list(t, arn)); diff != "" {
		t.Errorf("listed while pending (-want +got):\n%s", diff)
	}
	out, err := n.client.ConfirmSubscription(ctx, &awssns.ConfirmSubscriptionInput{TopicArn: &arn, Token: aws.String(s.next(t).text("Token")),
		AuthenticateOnUnsubscribe: aws.String("true")})
	if err != nil {
		t.Fatal(err)
	}
	if *out.SubscriptionArn != *pending.SubscriptionArn {
		t.Errorf("confirmed %q, want %q", *out.SubscriptionArn, *pending.SubscriptionArn)
	}
	attributes, err := n.client.GetSubscriptionAttributes(ctx, &awssns.GetSubscriptionAttributesInput{SubscriptionArn: out.SubscriptionArn})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"SubscriptionArn": *out.SubscriptionArn, "TopicArn": arn, "Owner": account, "Protocol": "http", "Endpoint": s.url,
		"RawMessageDelivery": "false", "PendingConfirmation": "false", "ConfirmationWasAuthenticated": "true"}
	if diff := cmp.Diff(want, attributes.Attributes); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}
	if status, body := follow(t, n.url+"/?Action=Unsubscribe&SubscriptionArn="+*out.SubscriptionArn); status != 403 || !strings.Contains(body, "<Code>AuthorizationError</Code>") {
		t.Errorf("unsigned unsubscribe = %d %s", status, body)
	}
	for range 2 { // the second ends nothing and succeeds
		if _, err := n.client.Unsubscribe(ctx, &awssns.UnsubscribeInput{SubscriptionArn: out.SubscriptionArn}); err != nil {
			t.Fatal(err)
		}
	}
	if list := n.list(t, arn); len(list) != 0 {
		t.Errorf("listed after the end: %v", list)
	}
}

func TestRawDeliveryAndStructure(t *testing.T) {
	t.Parallel()
	n, raw, wrapped, ctx := newNode(t), newSubscriber(t), newSubscriber(t), t.Context()
	arn := n.topic(t, "orders")
	subscription := n.handshake(t, arn, raw, nil)
	n.handshake(t, arn, wrapped, nil)
	if _, err := n.client.SetSubscriptionAttributes(ctx, &awssns.SetSubscriptionAttributesInput{SubscriptionArn: &subscription,
		AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true")}); err != nil {
		t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"default": "for all", "http": "for http", "sqs": "for queues"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.client.Publish(ctx, &awssns.PublishInput{TargetArn: &arn, Message: aws.String(string(body)), MessageStructure: aws.String("json")}); err != nil {
		t.Fatal(err)
	}
	r := raw.next(t)
	if string(r.body) != "for http" || r.header.Get("X-Amz-Sns-Rawdelivery") != "true" || r.header.Get("Content-Type") != "text/plain; charset=UTF-8" {
		t.Errorf("raw delivery %q with %v", r.body, r.header)
	}
	w := wrapped.next(t)
	verify(t, w)
	if w.text("Message") != "for http" {
		t.Errorf("wrapped delivery %s", w.body)
	}
}

func TestTopicOperations(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	in := &awssns.CreateTopicInput{Name: aws.String("orders"), Attributes: map[string]string{"DisplayName": "Orders", "SignatureVersion": "2"},
		Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("a")}}}
	var arn string
	for range 2 {
		out, err := n.client.CreateTopic(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		arn = *out.TopicArn
	}
	if want := "arn:aws:sns:us-east-1:" + account + ":orders"; arn != want {
		t.Fatalf("ARN %q, want %q", arn, want)
	}
	attributes, err := n.client.GetTopicAttributes(ctx, &awssns.GetTopicAttributesInput{TopicArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	got := attributes.Attributes
	var policy struct{ Statement []struct{ Resource string } }
	if err := json.Unmarshal([]byte(got["Policy"]), &policy); err != nil || len(policy.Statement) != 1 || policy.Statement[0].Resource != arn {
		t.Errorf("default policy %s: %v", got["Policy"], err)
	}
	delete(got, "Policy")
	want := map[string]string{"TopicArn": arn, "Owner": account, "DisplayName": "Orders", "SignatureVersion": "2",
		"SubscriptionsConfirmed": "0", "SubscriptionsPending": "0", "SubscriptionsDeleted": "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("attributes (-want +got):\n%s", diff)
	}

	if _, err := n.client.TagResource(ctx, &awssns.TagResourceInput{ResourceArn: &arn, Tags: []types.Tag{{Key: aws.String("env"), Value: aws.String("dev")}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := n.client.UntagResource(ctx, &awssns.UntagResourceInput{ResourceArn: &arn, TagKeys: []string{"team", "unknown"}}); err != nil {
		t.Fatal(err)
	}
	tags, err := n.client.ListTagsForResource(ctx, &awssns.ListTagsForResourceInput{ResourceArn: &arn})
	if err != nil {
		t.Fatal(err)
	}
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "env" || *tags.Tags[0].Value != "dev" {
		t.Errorf("tags %+v", tags.Tags)
	}

	for range 2 { // deleting what is gone succeeds
		if _, err := n.client.DeleteTopic(ctx, &awssns.DeleteTopicInput{TopicArn: &arn}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := n.client.GetTopicAttributes(ctx, &awssns.GetTopicAttributesInput{TopicArn: &arn}); err == nil {
		t.Error("a deleted topic has attributes")
	}
}

func TestPages(t *testing.T) {
	t.Parallel()
	n, ctx := newNode(t), t.Context()
	for i := range 205 {
		if _, err := n.topics.EnsureTopic(ctx, account, fmt.Sprintf("t-%03d", i)); err != nil {
			t.Fatal(err)
		}
	}
	pages := awssns.NewListTopicsPaginator(n.client, &awssns.ListTopicsInput{})
	var names []string
	var sizes []int
	for pages.HasMorePages() {
		p, err := pages.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(p.Topics))
		for _, x := range p.Topics {
			names = append(names, *x.TopicArn)
		}
	}
	if diff := cmp.Diff([]int{100, 100, 5}, sizes); diff != "" || !sort.StringsAreSorted(names) || len(names) != 205 {
		t.Errorf("pages of %v topics, %d in all", sizes, len(names))
	}
	arn := n.topic(t, "t-000")
	for i := range 101 {
		if _, err := n.topics.Subscribe(ctx, arn, "http", fmt.Sprintf("http://127.0.0.1:1/%d", i), nil); err != nil {
			t.Fatal(err)
		}
	}
	first, err := n.client.ListSubscriptions(ctx, &awssns.ListSubscriptionsInput{})
	if err != nil {
		t.Fatal(err)
	}
	second, err := n.client.ListSubscriptions(ctx, &awssns.ListSubscriptionsInput{NextToken: first.NextToken})
	if err != nil {
		t.Fatal(err)
	}
	if len(first.Subscriptions) != 100 || len(second.Subscriptions) != 1 || second.NextToken != nil {
		t.Errorf("pages of %d and %d subscriptions, then %v", len(first.Subscriptions), len(second.Subscriptions), second.NextToken)
	}
	for name, token := range map[string]*string{"garbage": aws.String("x"), "of another list": first.NextToken} {
		if _, err := n.client.ListTopics(ctx, &awssns.ListTopicsInput{NextToken: token}); code(err) != "400 InvalidParameter" {
			t.Errorf("%s token: %v", name, err)
		}
	}
}

func TestPublishBatch(t *testing.T) {
	t.Parallel()
	n, s, ctx := newNode(t), newSubscriber(t), t.Context()
	arn := n.topic(t, "orders")
	n.handshake(t, arn, s, map[string]string{"RawMessageDelivery": "true"})
	entry := func(id, body string) types.PublishBatchRequestEntry {
		return types.PublishBatchRequestEntry{Id: &id, Message: &body}
	}
	out, err := n.client.PublishBatch(ctx, &awssns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: []types.PublishBatchRequestEntry{
		entry("a", "one"), entry("b", ""), entry("c", "two"),
		{Id: aws.String("d"), Message: aws.String("x"), MessageStructure: aws.String("json")}}})
	if err != nil {
		t.Fatal(err)
	}
	if len(out.Successful) != 2 || *out.Successful[0].Id != "a" || *out.Successful[1].Id != "c" {
		t.Errorf("successful %+v", out.Successful)
	}
	codes := map[string]string{}
	for _, f := range out.Failed {
		codes[*f.Id] = *f.Code
	}
	if diff := cmp.Diff(map[string]string{"b": "InvalidParameter", "d": "InvalidParameter"}, codes); diff != "" {
		t.Errorf("failed (-want +got):\n%s", diff)
	}
	got := []string{string(s.next(t).body), string(s.next(t).body)}
	sort.Strings(got)
	if diff := cmp.Diff([]string{"one", "two"}, got); diff != "" {
		t.Errorf("delivered (-want +got):\n%s", diff)
	}

	var eleven []types.PublishBatchRequestEntry
	for i := range 11 {
		eleven = append(eleven, entry(fmt.Sprint(i), "x"))
	}
	half := strings.Repeat("x", 200<<10)
	for name, entries := range map[string][]types.PublishBatchRequestEntry{
		"EmptyBatchRequest": {}, "TooManyEntriesInBatchRequest": eleven, "BatchEntryIdsNotDistinct": {entry("a", "x"), entry("a", "y")},
		"InvalidBatchEntryId": {entry("a b", "x")}, "BatchRequestTooLong": {entry("a", half), entry("b", half)},
	} {
		if _, err := n.client.PublishBatch(ctx, &awssns.PublishBatchInput{TopicArn: &arn, PublishBatchRequestEntries: entries}); code(err) != "400 "+name {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// code returns an SDK error's status and code.
func code(err error) string {
	var api smithy.APIError
	var resp *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &resp) {
		return fmt.Sprint("no API error: ", err)
	}
	return fmt.Sprint(resp.HTTPStatusCode(), " ", api.ErrorCode())
}

func TestErrors(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	arn := n.topic(t, "orders")
	const uuid = ":0a1b2c3d-0000-4000-8000-0123456789ab"
	missing, foreign, elsewhere := arn+"-not", "arn:aws:sns:us-east-1:999999999999:orders", "arn:aws:sns:eu-west-1:"+account+":orders"
	long := strings.Repeat("x", 256<<10)
	for _, tc := range []struct {
		name   string
		action string
		form   url.Values
		want   string // status and code
		text   string // part of the message
	}{
		{"bad name", "CreateTopic", url.Values{"Name": {"a b"}}, "400 InvalidParameter", "Invalid parameter: Topic Name"},
		{"fifo", "CreateTopic", url.Values{"Name": {"a.fifo"}}, "400 InvalidParameter", "FIFO topics are not supported"},
		{"unknown attribute", "CreateTopic", url.Values{"Name": {"a"}, "Attributes.entry.1.key": {"Colour"}, "Attributes.entry.1.value": {"red"}}, "400 InvalidParameter", "AttributeName"},
		{"other attributes", "CreateTopic", url.Values{"Name": {"orders"}, "Attributes.entry.1.key": {"DisplayName"}, "Attributes.entry.1.value": {"x"}}, "400 InvalidParameter", "already exists with different attributes"},
		{"other tags", "CreateTopic", url.Values{"Name": {"orders"}, "Tags.member.1.Key": {"a"}, "Tags.member.1.Value": {"x"}}, "400 InvalidParameter", "already exists with different tags"},
		{"no arn", "GetTopicAttributes", url.Values{}, "400 InvalidParameter", "TopicArn Reason: no value for required parameter"},
		{"fake arn", "GetTopicAttributes", url.Values{"TopicArn": {"fake_topic"}}, "400 InvalidParameter", "Invalid parameter: TopicArn Reason: fake_topic does not start with arn"},
		{"missing topic", "GetTopicAttributes", url.Values{"TopicArn": {missing}}, "404 NotFound", "Topic does not exist"},
		{"another account's topic", "GetTopicAttributes", url.Values{"TopicArn": {foreign}}, "403 AuthorizationError", "not authorized to perform: SNS:GetTopicAttributes"},
		{"another region's topic", "GetTopicAttributes", url.Values{"TopicArn": {elsewhere}}, "400 InvalidParameter", "TopicArn"},
		{"deleting another account's topic", "DeleteTopic", url.Values{"TopicArn": {foreign}}, "403 AuthorizationError", ""},
		{"setting an unknown attribute", "SetTopicAttributes", url.Values{"TopicArn": {arn}, "AttributeName": {"x"}}, "400 InvalidParameter", "AttributeName"},
		{"setting a missing topic", "SetTopicAttributes", url.Values{"TopicArn": {missing}, "AttributeName": {"DisplayName"}}, "404 NotFound", ""},
		{"setting another account's topic", "SetTopicAttributes", url.Values{"TopicArn": {foreign}, "AttributeName": {"DisplayName"}}, "403 AuthorizationError", ""},
		{"subscribing to a missing topic", "Subscribe", url.Values{"TopicArn": {missing}, "Protocol": {"http"}, "Endpoint": {"http://a.example"}}, "404 NotFound", ""},
		{"subscribing to another account's topic", "Subscribe", url.Values{"TopicArn": {foreign}, "Protocol": {"http"}, "Endpoint": {"http://a.example"}}, "403 AuthorizationError", ""},
		{"sqs", "Subscribe", url.Values{"TopicArn": {arn}, "Protocol": {"sqs"}, "Endpoint": {"arn:aws:sqs:us-east-1:111122223333:q"}}, "400 InvalidParameter", "sqs.endpoint is empty"},
		{"lambda", "Subscribe", url.Values{"TopicArn": {arn}, "Protocol": {"lambda"}, "Endpoint": {"arn:aws:lambda:us-east-1:111122223333:function:f"}}, "400 InvalidParameter", "use http, https or sqs"},
		{"unknown protocol", "Subscribe", url.Values{"TopicArn": {arn}, "Protocol": {"pigeon"}, "Endpoint": {"x"}}, "400 InvalidParameter", "does not support this protocol string: pigeon"},
		{"endpoint of another protocol", "Subscribe", url.Values{"TopicArn": {arn}, "Protocol": {"https"}, "Endpoint": {"http://a.example"}}, "400 InvalidParameter", "Endpoint must match the specified protocol"},
		{"bad raw flag", "Subscribe", url.Values{"TopicArn": {arn}, "Protocol": {"http"}, "Endpoint": {"http://a.example"}, "Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {"yes"}}, "400 InvalidParameter", "Must be true or false"},
		{"redrive policy", "Subscribe", url.Values{"TopicArn": {arn}, "Protocol": {"http"}, "Endpoint": {"http://a.example"}, "Attributes.entry.1.key": {"RedrivePolicy"}, "Attributes.entry.1.value": {"{}"}}, "400 InvalidParameter", "RedrivePolicy"},
		{"wrong token", "ConfirmSubscription", url.Values{"TopicArn": {arn}, "Token": {"guess"}}, "400 InvalidParameter", "Invalid parameter: Token"},
		{"token for a missing topic", "ConfirmSubscription", url.Values{"TopicArn": {missing}, "Token": {"guess"}}, "404 NotFound", ""},
		{"unsubscribing a topic", "Unsubscribe", url.Values{"SubscriptionArn": {arn}}, "400 InvalidParameter", "SubscriptionArn"},
		{"unsubscribing for another account", "Unsubscribe", url.Values{"SubscriptionArn": {foreign + uuid}}, "403 AuthorizationError", ""},
		{"listing a missing topic", "ListSubscriptionsByTopic", url.Values{"TopicArn": {missing}}, "404 NotFound", ""},
		{"missing subscription", "GetSubscriptionAttributes", url.Values{"SubscriptionArn": {arn + uuid}}, "404 NotFound", "Subscription does not exist"},
		{"another account's subscription", "GetSubscriptionAttributes", url.Values{"SubscriptionArn": {foreign + uuid}}, "403 AuthorizationError", ""},
		{"setting a missing subscription", "SetSubscriptionAttributes", url.Values{"SubscriptionArn": {arn + uuid}, "AttributeName": {"RawMessageDelivery"}, "AttributeValue": {"true"}}, "404 NotFound", ""},
		{"empty message", "Publish", url.Values{"TopicArn": {arn}}, "400 InvalidParameter", "Invalid parameter: Empty message"},
		{"long message", "Publish", url.Values{"TopicArn": {arn}, "Message": {long + "x"}}, "400 InvalidParameter", "Message too long"},
		{"long message for no one", "Publish", url.Values{"TopicArn": {arn}, "MessageStructure": {"json"}, "Message": {`{"default":"x","sms":"` + long + `"}`}}, "400 InvalidParameter", "Message too long"},
		{"no default", "Publish", url.Values{"TopicArn": {arn}, "MessageStructure": {"json"}, "Message": {"{}"}}, "400 InvalidParameter", "No default entry in JSON message body"},
		{"bad structure", "Publish", url.Values{"TopicArn": {arn}, "MessageStructure": {"xml"}, "Message": {"x"}}, "400 InvalidParameter", "MessageStructure"},
		{"bad subject", "Publish", url.Values{"TopicArn": {arn}, "Message": {"x"}, "Subject": {"a\nb"}}, "400 InvalidParameter", "Invalid parameter: Subject"},
		{"bad attribute", "Publish", url.Values{"TopicArn": {arn}, "Message": {"x"}, "MessageAttributes.entry.1.Name": {"a"}, "MessageAttributes.entry.1.Value.DataType": {"String"}}, "400 ParameterValueInvalid", "non-empty message attribute value"},
		{"phone number", "Publish", url.Values{"PhoneNumber": {"+15550100001"}, "Message": {"x"}}, "400 InvalidParameter", "PhoneNumber"},
		{"no target", "Publish", url.Values{"Message": {"x"}}, "400 InvalidParameter", "TopicArn or TargetArn Reason: no value for required parameter"},
		{"deduplication", "Publish", url.Values{"TopicArn": {arn}, "Message": {"x"}, "MessageDeduplicationId": {"1"}}, "400 InvalidParameter", "not valid for this topic type"},
		{"publishing to a missing topic", "Publish", url.Values{"TopicArn": {missing}, "Message": {"x"}}, "404 NotFound", "Topic does not exist"},
		{"publishing to another account", "Publish", url.Values{"TopicArn": {foreign}, "Message": {"x"}}, "403 AuthorizationError", ""},
		{"batch to another account", "PublishBatch", url.Values{"TopicArn": {foreign}}, "403 AuthorizationError", ""},
		{"tags of a missing topic", "ListTagsForResource", url.Values{"ResourceArn": {missing}}, "404 ResourceNotFound", ""},
		{"tagging a missing topic", "TagResource", url.Values{"ResourceArn": {missing}, "Tags.member.1.Key": {"a"}}, "404 ResourceNotFound", ""},
		{"reserved tag", "TagResource", url.Values{"ResourceArn": {arn}, "Tags.member.1.Key": {"aws:x"}}, "400 InvalidParameter", "Tags"},
		{"unknown action", "PublishPigeon", url.Values{}, "400 InvalidAction", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.form.Set("Action", tc.action)
			tc.form.Set("Version", "2010-03-31")
			client := n.raw
			got := client.Do(t, "POST", "/", tc.form)
			var status int
			var name string
			if _, err := fmt.Sscan(tc.want, &status, &name); err != nil {
				t.Fatal(err)
			}
			if got.Status != status || !strings.Contains(string(got.Body), "<Code>"+name+"</Code>") || !strings.Contains(string(got.Body), tc.text) {
				t.Errorf("answer = %d %s, want %s %q", got.Status, got.Body, tc.want, tc.text)
			}
		})
	}
}

func TestPublicLinks(t *testing.T) {
	t.Parallel()
	n := newNode(t)
	arn := n.topic(t, "orders")
	for _, tc := range []struct {
		name, method, path string
		status             int
		body               string
	}{
		{"no action", "GET", "/", 400, "<Code>InvalidAction</Code>"},
		{"needs a signature", "GET", "/?Action=ListTopics", 403, "<Code>MissingAuthenticationToken</Code>"},
		{"wrong token", "GET", "/?Action=ConfirmSubscription&Token=x&TopicArn=" + arn, 400, "Invalid parameter: Token"},
		{"no topic", "GET", "/?Action=ConfirmSubscription&Token=x", 400, "<Code>InvalidParameter</Code>"},
		{"unknown topic", "GET", "/?Action=ConfirmSubscription&Token=x&TopicArn=" + arn + "x", 404, "<Code>NotFound</Code>"},
		{"unknown subscription", "GET", "/?Action=Unsubscribe&SubscriptionArn=" + arn + ":0a1b2c3d-0000-4000-8000-0123456789ab", 200, "<UnsubscribeResponse"},
		{"not a subscription", "GET", "/?Action=Unsubscribe&SubscriptionArn=" + arn, 400, "<Code>InvalidParameter</Code>"},
		{"head does nothing", "HEAD", "/?Action=Unsubscribe&SubscriptionArn=" + arn + ":0a1b2c3d-0000-4000-8000-0123456789ab", 400, ""},
		{"post", "POST", "/?Action=Unsubscribe", 405, ""},
		{"unknown certificate", "GET", "/SimpleNotificationService-0123.pem", 404, ""},
		{"not a certificate", "GET", "/SimpleNotificationService-0123.txt", 404, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			req, err := http.NewRequestWithContext(t.Context(), tc.method, n.url+tc.path, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := new(awsapitest.Client).Send(t, req)
			if got.Status != tc.status || !strings.Contains(string(got.Body), tc.body) {
				t.Errorf("answer = %d %s, want %d %s", got.Status, got.Body, tc.status, tc.body)
			}
		})
	}
}

// Every row of the table is an operation of the real client.
func TestOperationsExistInTheSDK(t *testing.T) {
	t.Parallel()
	client := reflect.TypeFor[*awssns.Client]()
	for _, op := range sns.Service(sns.Options{}).Operations {
		if _, ok := client.MethodByName(op.Name); !ok {
			t.Errorf("the SDK has no %s", op.Name)
		}
	}
}

func FuzzPublicLink(f *testing.F) {
	f.Add("Action=ConfirmSubscription&TopicArn=arn:aws:sns:us-east-1:111122223333:orders&Token=abc")
	f.Add("Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:111122223333:orders:0a1b2c3d-0000-4000-8000-0123456789ab")
	f.Add("Action=%zz;&&")
	handler := newPublic(f)
	f.Fuzz(func(t *testing.T, query string) {
		client := awsapitest.Client{Handler: handler}
		req, err := http.NewRequest("GET", "http://waxwing.test/", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.URL.RawQuery = query
		got := client.Send(t, req)
		if got.Status >= 500 || (got.Status == 200 && !strings.Contains(query, "Unsubscribe")) {
			t.Errorf("%q = %d %s", query, got.Status, got.Body)
		}
	})
}
