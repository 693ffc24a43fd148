package compat

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/aws-sdk-go-v2/service/sqs"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs/sqstest"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const template = `{"messaging_product": "whatsapp", "to": "+` + diego + `", "type": "template", "template": {"name": "hello_world", "language": {"code": "en_US"}}}`

// raw is a client for operations that the SDK for Go does not have.
func (n node) raw() *awsapitest.Client {
	return &awsapitest.Client{URL: n.url, Service: "social-messaging",
		Key: identity.AccessKey{ID: config.DevAccessKeyID, Secret: config.DevSecretAccessKey}}
}

// A consumer that reads queues with the SDK: one subscribes to the topic of the business account with a filter policy, and so gets
// what is about messages that were sent, but not what customers write; another one is an event destination of its own.
func TestGoSDKReadsQueues(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAQUEUES")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	queues := sqstest.New(t, "sent", "everything")
	ctx, n := t.Context(), start(t, "sqs.endpoint="+queues.URL)
	cfg := n.sdk(config.DevSecretAccessKey.Reveal())
	api := sns.NewFromConfig(cfg)
	const policy = `{"messageId": [{"exists": true}], "aws_account_id": ["000000000000"]}`
	if _, err := api.Subscribe(ctx, &sns.SubscribeInput{TopicArn: aws.String(topicARN), Protocol: aws.String("sqs"), Endpoint: aws.String(sqstest.ARN("sent")),
		Attributes: map[string]string{"FilterPolicyScope": "MessageBody", "FilterPolicy": policy, "RawMessageDelivery": "true"}}); err != nil {
		t.Fatal(err)
	}
	if res := n.raw().Do(t, "POST", "/v1/waxwing/event-destinations", map[string]string{"type": "sqs", "address": sqstest.ARN("everything")}); res.Status != 200 {
		t.Fatalf("%d %s", res.Status, res.Body)
	}

	var accepted struct{ MessageID string }
	n.raw().Do(t, "POST", "/v1/whatsapp/send", map[string]string{"originationPhoneNumberId": phoneID, "metaApiVersion": "v20.0",
		"message": base64.StdEncoding.EncodeToString([]byte(template))}).JSON(t, &accepted)
	sent := accepted.MessageID
	n.control(t, "POST", "/sim/v1/customers/"+diego+"/messages", `{"phone_number_id": "`+metaID+`", "message": {"type": "text", "text": {"body": "hello"}}}`)

	reader := sqs.NewFromConfig(cfg, func(o *sqs.Options) { o.BaseEndpoint = &queues.URL })
	read := func(queue string) (ids []string) { // of the messages that events are about, "" for what customers write
		found, err := reader.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: &queue})
		if err != nil {
			t.Fatal(err)
		}
		got, err := reader.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{QueueUrl: found.QueueUrl, MaxNumberOfMessages: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range got.Messages {
			var e struct{ MessageID string }
			if err := json.Unmarshal([]byte(*m.Body), &e); err != nil {
				t.Fatalf("%s: %v", *m.Body, err)
			}
			ids = append(ids, e.MessageID)
		}
		return ids
	}
	until(t, "every event in the queue without a filter", func() bool {
		ids := read("everything")
		return slices.Contains(ids, "") && slices.Contains(ids, sent) && len(ids) >= 4
	})
	until(t, "statuses in the filtered queue", func() bool { return len(read("sent")) >= 3 })
	if ids := read("sent"); slices.ContainsFunc(ids, func(id string) bool { return id != sent }) {
		t.Errorf("the filtered queue has events about %v, want %s only", ids, sent)
	}
}
