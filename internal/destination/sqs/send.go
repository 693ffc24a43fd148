package sqs

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// maxAttributes is how many attributes a message in a queue has at most. SNS has no such limit.
const maxAttributes = 10

// Send takes one message with its attributes to a queue, as the server itself; nil means that the queue has it. A
// fault.InvalidParameters says that it never will.
func (p *Publisher) Send(ctx context.Context, queueARN, body string, attributes []topic.Attribute) error {
	url, err := p.url(queueARN)
	if err != nil {
		return err
	}
	if len(attributes) > maxAttributes {
		return fault.New(fault.InvalidParameters, "the message has %d attributes, more than the %d SQS takes", len(attributes), maxAttributes)
	}
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body}
	if len(attributes) > 0 {
		in.MessageAttributes = make(map[string]types.MessageAttributeValue, len(attributes))
	}
	for i := range attributes {
		a := &attributes[i]
		value := types.MessageAttributeValue{DataType: &a.Type, BinaryValue: a.Binary}
		if a.Binary == nil {
			value.StringValue = aws.String(a.String)
		}
		in.MessageAttributes[a.Name] = value
	}
	return send(ctx, p.clients.For(&event.Destination{}), in)
}
