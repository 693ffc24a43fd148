package sns

import (
	"context"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

type attributeValue struct {
	DataType    string `form:"DataType"`
	StringValue string `form:"StringValue"`
	BinaryValue []byte `form:"BinaryValue"`
}

type publishInput struct {
	TopicArn               string                    `form:"TopicArn"`
	TargetArn              string                    `form:"TargetArn"`
	PhoneNumber            string                    `form:"PhoneNumber" sensitive:"true"`
	Message                string                    `form:"Message" sensitive:"true"`
	Subject                string                    `form:"Subject"`
	MessageStructure       string                    `form:"MessageStructure"`
	MessageAttributes      map[string]attributeValue `form:"MessageAttributes"`
	MessageDeduplicationID string                    `form:"MessageDeduplicationId"`
}

type publishOutput struct {
	MessageID string `xml:"MessageId"`
}

func (s server) publish(ctx context.Context, in *publishInput) (*publishOutput, error) {
	parameter, arn := "TopicArn", in.TopicArn
	switch {
	case in.PhoneNumber != "":
		return nil, invalid("PhoneNumber Reason: text messages are not supported by the built-in topics")
	case arn == "" && in.TargetArn != "":
		parameter, arn = "TargetArn", in.TargetArn
	case arn == "":
		parameter = "TopicArn or TargetArn"
	}
	if err := own(ctx, parameter, arn); err != nil {
		return nil, err
	}
	m, err := toMessage(in.Message, in.Subject, in.MessageStructure, in.MessageDeduplicationID, in.MessageAttributes)
	if err != nil {
		return nil, err
	}
	id, err := s.Topics.Publish(ctx, arn, m)
	if err != nil {
		return nil, err
	}
	return &publishOutput{id}, nil
}

func toMessage(body, subject, structure, deduplication string, attributes map[string]attributeValue) (topic.Message, error) {
	m := topic.Message{Body: []byte(body), Subject: subject}
	if deduplication != "" {
		return m, invalid("MessageDeduplicationId Reason: The request includes MessageDeduplicationId parameter that is not valid for this topic type")
	}
	switch {
	case structure == "json" && len(body) > topic.MaxSize: // what is not for our protocols counts too
		return m, invalid("Message too long")
	case structure == "json":
		if err := m.Structure(); err != nil {
			return m, err
		}
	case structure != "":
		return m, invalid("MessageStructure Reason: must be json")
	}
	for name, value := range attributes {
		m.Attributes = append(m.Attributes, topic.Attribute{Name: name, Type: value.DataType, String: value.StringValue, Binary: value.BinaryValue})
	}
	slices.SortFunc(m.Attributes, func(a, b topic.Attribute) int { return strings.Compare(a.Name, b.Name) })
	return m, nil
}

func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidParameters, "Invalid parameter: "+format, args...)
}

type batchEntry struct {
	ID                     string                    `form:"Id"`
	Message                string                    `form:"Message" sensitive:"true"`
	Subject                string                    `form:"Subject"`
	MessageStructure       string                    `form:"MessageStructure"`
	MessageAttributes      map[string]attributeValue `form:"MessageAttributes"`
	MessageDeduplicationID string                    `form:"MessageDeduplicationId"`
}

type publishBatchInput struct {
	TopicArn string       `form:"TopicArn"`
	Entries  []batchEntry `form:"PublishBatchRequestEntries"`
}

type publishBatchOutput struct {
	Successful successes
	Failed     failures
}

// Both lists are there even when they are empty.
type successes struct {
	Member []batchSuccess `xml:"member"`
}

type failures struct {
	Member []batchFailure `xml:"member"`
}

type batchSuccess struct {
	ID        string `xml:"Id"`
	MessageID string `xml:"MessageId"`
}

type batchFailure struct {
	ID          string `xml:"Id"`
	Code        string
	Message     string
	SenderFault bool
}

const maxBatch = 10

var batchID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func refuseBatch(code, message string) error {
	return &awsapi.Error{Code: awsapi.Code{Name: code, Status: http.StatusBadRequest}, Message: message}
}

// checkBatch refuses what is wrong with a batch as a whole.
func checkBatch(entries []batchEntry) error {
	switch {
	case len(entries) == 0:
		return refuseBatch("EmptyBatchRequest", "The batch request doesn't contain any entries.")
	case len(entries) > maxBatch:
		return refuseBatch("TooManyEntriesInBatchRequest", "The batch request contains more entries than permissible (more than 10).")
	}
	seen := make(map[string]bool, len(entries))
	size := 0
	for i := range entries {
		e := &entries[i]
		if !batchID.MatchString(e.ID) {
			return refuseBatch("InvalidBatchEntryId", "The Id of a batch entry in a batch request doesn't abide by the specification.")
		}
		if seen[e.ID] {
			return refuseBatch("BatchEntryIdsNotDistinct", "Two or more batch entries in the request have the same Id.")
		}
		seen[e.ID] = true
		size += len(e.Message)
		for name, a := range e.MessageAttributes {
			size += len(name) + len(a.DataType) + len(a.StringValue) + len(a.BinaryValue)
		}
	}
	if size > topic.MaxSize {
		return refuseBatch("BatchRequestTooLong", "The length of all the batch messages put together is more than the limit.")
	}
	return nil
}

func (s server) publishBatch(ctx context.Context, in *publishBatchInput) (*publishBatchOutput, error) {
	if err := own(ctx, "TopicArn", in.TopicArn); err != nil {
		return nil, err
	}
	if err := checkBatch(in.Entries); err != nil {
		return nil, err
	}
	out := &publishBatchOutput{}
	messages := make([]topic.Message, 0, len(in.Entries))
	ids := make([]string, 0, len(in.Entries))
	table := codes()
	fail := func(id string, err *fault.Error) {
		out.Failed.Member = append(out.Failed.Member, batchFailure{ID: id, Code: table[err.Kind].Name, Message: err.Message, SenderFault: true})
	}
	for i := range in.Entries {
		e := &in.Entries[i]
		m, err := toMessage(e.Message, e.Subject, e.MessageStructure, e.MessageDeduplicationID, e.MessageAttributes)
		if f := ofSender(err); f != nil {
			fail(e.ID, f)
			continue
		} else if err != nil {
			return nil, err
		}
		messages, ids = append(messages, m), append(ids, e.ID)
	}
	for i, err := range s.Topics.PublishEach(ctx, in.TopicArn, messages) {
		if f := ofSender(err); f != nil {
			fail(ids[i], f)
			continue
		} else if err != nil {
			return nil, err // of the topic or of ours: it concerns the whole batch
		}
		out.Successful.Member = append(out.Successful.Member, batchSuccess{ids[i], messages[i].ID})
	}
	return out, nil
}
