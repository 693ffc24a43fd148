package compat

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	snstypes "github.com/aws/aws-sdk-go-v2/service/sns/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
)

// sdk is the configuration a program would load from what `waxwing dev` exports.
func (n node) sdk(secret string) aws.Config {
	return aws.Config{BaseEndpoint: &n.url, Region: region,
		Credentials: credentials.NewStaticCredentialsProvider(config.DevAccessKeyID, secret, ""),
		Retryer:     awsapitest.Retryer}
}

func TestGoSDKTellsWhoCalls(t *testing.T) {
	t.Parallel()
	n := start(t)
	got, err := sts.NewFromConfig(n.sdk(config.DevSecretAccessKey.Reveal())).GetCallerIdentity(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if aws.ToString(got.Account) != config.DevAccountID || aws.ToString(got.Arn) != "arn:aws:iam::000000000000:user/admin" {
		t.Errorf("caller is %s in %s", aws.ToString(got.Arn), aws.ToString(got.Account))
	}
	_, err = sts.NewFromConfig(n.sdk("guessed")).GetCallerIdentity(t.Context(), nil)
	wantCode(t, err, "SignatureDoesNotMatch")
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var refusal smithy.APIError
	if !errors.As(err, &refusal) || refusal.ErrorCode() != code {
		t.Errorf("got %v, want %s", err, code)
	}
}

// Each subscriber gets what is published, signed as its topic says or bare; what the SDK reads back is what it wrote.
func TestGoSDKRunsATopic(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	api := sns.NewFromConfig(start(t).sdk(config.DevSecretAccessKey.Reveal()))
	for version, name := range map[string]string{"1": "signed-with-sha1", "2": "signed-with-sha256"} {
		topic, err := api.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name, Attributes: map[string]string{"SignatureVersion": version}})
		if err != nil {
			t.Fatal(err)
		}
		s := subscribe(t)
		sub, err := api.Subscribe(ctx, &sns.SubscribeInput{TopicArn: topic.TopicArn, Protocol: aws.String("http"), Endpoint: &s.url, ReturnSubscriptionArn: true})
		if err != nil {
			t.Fatal(err)
		}
		until(t, "confirmed subscription", func() bool {
			got, err := api.GetSubscriptionAttributes(ctx, &sns.GetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn})
			return err == nil && got.Attributes["PendingConfirmation"] == "false"
		})
		published, err := api.Publish(ctx, &sns.PublishInput{TopicArn: topic.TopicArn, Message: aws.String("Ünïcode & <angles>"), Subject: aws.String("Subject")})
		if err != nil {
			t.Fatal(err)
		}
		var got notification
		until(t, "notification", func() (ok bool) { got, ok = s.find("angles"); return ok })
		want := notification{Type: "Notification", MessageId: *published.MessageId, TopicArn: *topic.TopicArn, Message: "Ünïcode & <angles>", Subject: "Subject",
			SignatureVersion: version}
		got.Timestamp, got.Signature, got.SigningCertURL, got.UnsubscribeURL = "", "", "", ""
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("notification (-want +got):\n%s", diff)
		}
		attributes, err := api.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: topic.TopicArn})
		if err != nil || attributes.Attributes["SubscriptionsConfirmed"] != "1" || attributes.Attributes["SignatureVersion"] != version {
			t.Errorf("attributes %v, %v", attributes, err)
		}
		list, err := api.ListSubscriptionsByTopic(ctx, &sns.ListSubscriptionsByTopicInput{TopicArn: topic.TopicArn})
		if err != nil || len(list.Subscriptions) != 1 || *list.Subscriptions[0].Endpoint != s.url {
			t.Errorf("subscriptions %v, %v", list, err)
		}
		if _, err := api.SetSubscriptionAttributes(ctx, &sns.SetSubscriptionAttributesInput{SubscriptionArn: sub.SubscriptionArn,
			AttributeName: aws.String("RawMessageDelivery"), AttributeValue: aws.String("true")}); err != nil {
			t.Error(err)
		}
		if _, err := api.Unsubscribe(ctx, &sns.UnsubscribeInput{SubscriptionArn: sub.SubscriptionArn}); err != nil {
			t.Error(err)
		}
		if _, err := api.DeleteTopic(ctx, &sns.DeleteTopicInput{TopicArn: topic.TopicArn}); err != nil {
			t.Error(err)
		}
	}
}

// Topics are listed in pages, by the SDK's own paginator.
func TestGoSDKPagesThroughTopics(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	api := sns.NewFromConfig(start(t, "limits.CreateTopic=1000").sdk(config.DevSecretAccessKey.Reveal()))
	want := map[string]bool{topicARN: true}
	for i := range 120 {
		name := "topic-" + string(rune('a'+i/26)) + string(rune('a'+i%26))
		topic, err := api.CreateTopic(ctx, &sns.CreateTopicInput{Name: &name})
		if err != nil {
			t.Fatal(err)
		}
		want[*topic.TopicArn] = true
	}
	got, pages := map[string]bool{}, 0
	for p := sns.NewListTopicsPaginator(api, nil); p.HasMorePages(); pages++ {
		page, err := p.NextPage(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, topic := range page.Topics {
			if got[*topic.TopicArn] {
				t.Errorf("%s is listed twice", *topic.TopicArn)
			}
			got[*topic.TopicArn] = true
		}
	}
	if diff := cmp.Diff(want, got); diff != "" || pages != 2 {
		t.Errorf("%d pages, topics (-want +got):\n%s", pages, diff)
	}
}

func TestGoSDKReadsTopicErrors(t *testing.T) {
	t.Parallel()
	n := start(t)
	api := sns.NewFromConfig(n.sdk(config.DevSecretAccessKey.Reveal()))
	missing, foreign := "arn:aws:sns:us-east-1:000000000000:missing", "arn:aws:sns:us-east-1:111122223333:theirs"
	for _, tc := range []struct {
		name string
		call func(ctx context.Context) error
		as   func(error) bool
	}{
		{"NotFound", func(ctx context.Context) error {
			_, err := api.Publish(ctx, &sns.PublishInput{TopicArn: &missing, Message: aws.String("x")})
			return err
		}, is[*snstypes.NotFoundException]},
		{"AuthorizationError", func(ctx context.Context) error {
			_, err := api.GetTopicAttributes(ctx, &sns.GetTopicAttributesInput{TopicArn: &foreign})
			return err
		}, is[*snstypes.AuthorizationErrorException]},
		{"InvalidParameter: protocol", func(ctx context.Context) error {
			_, err := api.Subscribe(ctx, &sns.SubscribeInput{TopicArn: aws.String(topicARN), Protocol: aws.String("carrier-pigeon"), Endpoint: aws.String("coop")})
			return err
		}, is[*snstypes.InvalidParameterException]},
		{"InvalidParameter: FIFO", func(ctx context.Context) error {
			_, err := api.CreateTopic(ctx, &sns.CreateTopicInput{Name: aws.String("x.fifo"), Attributes: map[string]string{"FifoTopic": "true"}})
			return err
		}, is[*snstypes.InvalidParameterException]},
		{"InvalidParameter: token", func(ctx context.Context) error {
			_, err := api.ConfirmSubscription(ctx, &sns.ConfirmSubscriptionInput{TopicArn: aws.String(topicARN), Token: aws.String("invented")})
			return err
		}, is[*snstypes.InvalidParameterException]},
		{"Throttled", func(ctx context.Context) error {
			limited := sns.NewFromConfig(start(t, "limits.ListTopics=0.01").sdk(config.DevSecretAccessKey.Reveal()))
			if _, err := limited.ListTopics(ctx, nil); err != nil {
				return err
			}
			_, err := limited.ListTopics(ctx, nil)
			return err
		}, func(err error) bool { // modelled, but not as an error of this operation
			var refusal smithy.APIError
			return errors.As(err, &refusal) && refusal.ErrorCode() == (&snstypes.ThrottledException{}).ErrorCode()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if err := tc.call(t.Context()); !tc.as(err) {
				t.Errorf("got %v", err)
			}
		})
	}
	_, err := sns.NewFromConfig(n.sdk("guessed")).ListTopics(t.Context(), nil)
	wantCode(t, err, "SignatureDoesNotMatch")
}

func is[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// The events of a message reach a subscriber that the SDK made, in the envelope AWS publishes.
func TestGoSDKReceivesEvents(t *testing.T) {
	t.Parallel()
	n := start(t)
	api := sns.NewFromConfig(n.sdk(config.DevSecretAccessKey.Reveal()))
	s := subscribe(t)
	if _, err := api.Subscribe(t.Context(), &sns.SubscribeInput{TopicArn: aws.String(topicARN), Protocol: aws.String("http"), Endpoint: &s.url}); err != nil {
		t.Fatal(err)
	}
	until(t, "confirmed subscription", func() bool {
		got, err := api.GetTopicAttributes(t.Context(), &sns.GetTopicAttributesInput{TopicArn: aws.String(topicARN)})
		return err == nil && got.Attributes["SubscriptionsConfirmed"] == "1"
	})
	n.control(t, "POST", "/sim/v1/customers/"+diego+"/messages", `{"phone_number_id":"`+metaID+`","message":{"type":"text","text":{"body":"Hola!"}}}`)
	var got notification
	until(t, "inbound event", func() (ok bool) { got, ok = s.find("Hola!"); return ok })
	var envelope struct {
		Context struct {
			MetaWabaIds        []map[string]string
			MetaPhoneNumberIds []map[string]string
		}
		WhatsAppWebhookEntry string
		Account              string  `json:"aws_account_id"`
		MessageID            *string `json:"messageId"`
	}
	if err := json.Unmarshal([]byte(got.Message), &envelope); err != nil {
		t.Fatal(err)
	}
	var entry struct {
		Changes []struct {
			Field string
			Value struct{ Messages []struct{ From, Type string } }
		}
	}
	if err := json.Unmarshal([]byte(envelope.WhatsAppWebhookEntry), &entry); err != nil {
		t.Fatal(err)
	}
	if len(entry.Changes) != 1 || entry.Changes[0].Field != "messages" || entry.Changes[0].Value.Messages[0].From != diego {
		t.Errorf("entry %s", envelope.WhatsAppWebhookEntry)
	}
	want := []map[string]string{{"metaPhoneNumberId": metaID, "arn": "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/00000000000000000000000000000001"}}
	if diff := cmp.Diff(want, envelope.Context.MetaPhoneNumberIds); diff != "" || envelope.Account != config.DevAccountID || envelope.MessageID != nil {
		t.Errorf("envelope %s (-want +got):\n%s", got.Message, diff)
	}
}
