package sqs

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs/sqstest"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

func publisher(endpoint string, client aws.HTTPClient) *Publisher {
	return New(endpoint, aws.Config{Region: sqstest.Region, BaseEndpoint: &endpoint, HTTPClient: client,
		Credentials: credentials.NewStaticCredentialsProvider(destinationtest.KeyID, destinationtest.Secret, "")})
}

// read returns the messages of a SendMessage or SendMessageBatch, in order.
func read(t testing.TB, r *http.Request, body []byte) (list []string) {
	var in struct {
		QueueURL    string `json:"QueueUrl"`
		MessageBody string
		Entries     []struct {
			ID          string `json:"Id"`
			MessageBody string
		}
	}
	if err := json.Unmarshal(body, &in); err != nil {
		t.Error(err)
	}
	if got := destinationtest.SignedFor(r); got != "sqs" || in.QueueURL != "https://sqs.test/"+sqstest.AccountID+"/events" {
		t.Errorf("signed for %s, queue %s", got, in.QueueURL)
	}
	if r.Header.Get("X-Amz-Target") == "AmazonSQS.SendMessage" {
		return []string{in.MessageBody}
	}
	for i, e := range in.Entries {
		if e.ID != strconv.Itoa(i) {
			t.Errorf("entry %d is called %s", i, e.ID)
		}
		list = append(list, e.MessageBody)
	}
	return list
}

// taken answers that n messages have arrived, for both operations at once.
func taken(w http.ResponseWriter, n int, failed ...string) {
	if n == 1 && len(failed) == 0 {
		fmt.Fprint(w, `{"MessageId": "m"}`)
		return
	}
	var entries []string
	for i := range n {
		entries = append(entries, fmt.Sprintf(`{"Id": "%d", "MessageId": "m"}`, i))
	}
	fmt.Fprintf(w, `{"Successful": [%s], "Failed": [%s]}`, strings.Join(entries, ","), strings.Join(failed, ","))
}

func failedEntry(id int, code, message string, senderFault bool) string {
	return fmt.Sprintf(`{"Id": "%d", "Code": %q, "Message": %q, "SenderFault": %t}`, id, code, message, senderFault)
}

func answer(status int, code, message string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { sqstest.Refuse(w, status, code, message) }
}

func TestPublisher(t *testing.T) {
	t.Parallel()
	destinationtest.Run(t, destinationtest.Suite{
		New: func(client *http.Client) (destinationtest.Publisher, event.Destination) {
			return publisher("https://sqs.test", client), event.Destination{Kind: event.SQS, Address: sqstest.ARN("events"), AccountID: sqstest.AccountID,
				RoleARN: destinationtest.RoleARN}
		},
		Form: func(o *event.Outgoing) string { return string(o.Envelope()) },
		Read: func(t testing.TB, r *http.Request, body []byte) []string {
			if got := destinationtest.SignedBy(r); got != destinationtest.RoleKeyID {
				t.Errorf("sent by %s", got)
			}
			return read(t, r, body)
		},
		Taken: func(w http.ResponseWriter, n int) { taken(w, n) },
		Aside: func(w http.ResponseWriter, r *http.Request, body []byte) bool {
			return destinationtest.AssumeRole(t, w, r, body)
		},
		Batch:    limits.Entries,
		MaxBytes: limits.Entry,
		Partial: func(w http.ResponseWriter) {
			taken(w, 1, failedEntry(1, "InvalidMessageContents", "Invalid characters found", true), failedEntry(2, "InternalError", "", false),
				failedEntry(99, "InvalidMessageContents", "", true))
		},
		Answers: []destinationtest.Answer{
			{Name: "no such queue", Respond: answer(400, "QueueDoesNotExist", "The specified queue does not exist."), Want: destinationtest.Later,
				Text: "The specified queue does not exist. Create the queue"},
			{Name: "no such queue, without the older name", Respond: func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(400)
				fmt.Fprint(w, `{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "no"}`)
			}, Want: destinationtest.Later, Text: "QueueDoesNotExist: no. Create the queue"},
			{Name: "not allowed", Respond: answer(403, "AccessDeniedException", "no"), Want: destinationtest.Later, Text: "Allow sqs:SendMessage"},
			{Name: "invalid characters", Respond: answer(400, "InvalidMessageContents", "no"), Want: destinationtest.Dead, Text: "InvalidMessageContents"},
			{Name: "too long for the queue", Respond: answer(400, "InvalidParameterValue", "Message must be shorter than 1024 bytes."), Want: destinationtest.Dead},
			{Name: "a FIFO queue", Respond: answer(400, "MissingParameter", "The request must contain the parameter MessageGroupId."),
				Want: destinationtest.Later, Text: "standard queues"},
			{Name: "KMS: no access", Respond: answer(400, "KmsAccessDenied", "no"), Want: destinationtest.Later, Text: "kms:GenerateDataKey and kms:Decrypt"},
			{Name: "KMS: disabled", Respond: answer(400, "KmsDisabled", "no"), Want: destinationtest.Later, Text: "enable it"},
			{Name: "KMS: state", Respond: answer(400, "KmsInvalidState", "no"), Want: destinationtest.Later, Text: "will be deleted"},
			{Name: "KMS: usage", Respond: answer(400, "KmsInvalidKeyUsage", "no"), Want: destinationtest.Later, Text: "not made for encryption"},
			{Name: "KMS: not found", Respond: answer(400, "KmsNotFound", "no"), Want: destinationtest.Later, Text: "symmetric key"},
			{Name: "KMS: not activated", Respond: answer(403, "KmsOptInRequired", "no"), Want: destinationtest.Later, Text: "complete its registration"},
			{Name: "KMS: throttled", Respond: answer(400, "KmsThrottled", "no"), Want: destinationtest.Throttled, Text: "data key reuse period"},
			{Name: "throttled", Respond: answer(400, "RequestThrottled", "Rate exceeded"), Want: destinationtest.Throttled},
			{Name: "throttled for a time", Respond: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Retry-After", "30")
				sqstest.Refuse(w, 429, "ThrottlingException", "Rate exceeded")
			}, Want: destinationtest.Throttled, After: 30e9},
			{Name: "trouble inside", Respond: answer(500, "InternalError", ""), Want: destinationtest.Later, Text: "SQS answered InternalError"},
			{Name: "no HTTPS", Respond: answer(403, "InvalidSecurity", "no"), Want: destinationtest.Later, Text: "Use an HTTPS endpoint"},
			{Name: "an unknown key", Respond: answer(403, "InvalidClientTokenId", "no"), Want: destinationtest.Later, Text: "does not know the AWS credentials"},
			{Name: "a careless service", Respond: func(w http.ResponseWriter, r *http.Request) {
				sqstest.Refuse(w, 500, "InternalError", "request was:"+destinationtest.Echo(r))
			}, Want: destinationtest.Later},
			{Name: "another checksum", Respond: func(w http.ResponseWriter, _ *http.Request) {
				fmt.Fprint(w, `{"MessageId": "m", "MD5OfMessageBody": "00000000000000000000000000000000"}`)
			}, Want: destinationtest.Later},
			{Name: "nonsense", Respond: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, Want: destinationtest.Later},
			{Name: "an empty answer", Respond: func(http.ResponseWriter, *http.Request) {}, Want: destinationtest.Later},
			{Name: "an answer that says nothing", Respond: func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{}`) }, Want: destinationtest.Later, Text: "did not say"},
		},
		Statuses: func(status int) destinationtest.Verdict {
			if status == http.StatusTooManyRequests {
				return destinationtest.Throttled
			}
			return destinationtest.Later
		},
		Secrets: []string{destinationtest.Secret, destinationtest.RoleSecret, destinationtest.SessionToken},
	})
}

func verdicts(errs []error) (list []destinationtest.Verdict) {
	for _, err := range errs {
		list = append(list, destinationtest.VerdictOf(err))
	}
	return list
}

// The double of SQS checks what SQS checks, and its checksums have to be those that the SDK computes.
func TestAgainstAQueue(t *testing.T) {
	t.Parallel()
	s := sqstest.New(t, "events")
	list := destinationtest.Events(12)
	list = append(list, destinationtest.Event(12, strings.Repeat("x", 300<<10))) // larger than our batches
	p := publisher(s.URL+"/", nil)                                               // a slash more in the setting does no harm
	for i, err := range p.Publish(t.Context(), event.Destination{Address: sqstest.ARN("events"), Concurrency: 1}, list) {
		if err != nil {
			t.Errorf("event %d: %v", i, err)
		}
	}
	got := s.Messages("events")
	if len(got) != len(list) {
		t.Fatalf("%d messages, want %d", len(got), len(list))
	}
	for i := range list {
		if got[i].Body != string(list[i].Envelope()) {
			t.Errorf("message %d is %.200s", i, got[i].Body)
		}
	}
	if diff := cmp.Diff([]string{"SendMessageBatch 10", "SendMessageBatch 2", "SendMessage"}, s.Calls()); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// A batch that is refused as a whole for what it holds is taken apart, so that one event does not take the others down.
func TestBatchRefusedForOneEvent(t *testing.T) {
	t.Parallel()
	s := sqstest.New(t, "events")
	s.Fail = func(w http.ResponseWriter, operation string) bool {
		if operation == "SendMessageBatch" {
			sqstest.Refuse(w, 400, "BatchRequestTooLong", "Batch requests cannot be longer than 1024 bytes.")
		}
		return operation == "SendMessageBatch"
	}
	errs := publisher(s.URL, nil).Publish(t.Context(), event.Destination{Address: sqstest.ARN("events"), Concurrency: 1}, destinationtest.Events(3))
	if diff := cmp.Diff(slices.Repeat([]destinationtest.Verdict{destinationtest.Arrived}, 3), verdicts(errs)); diff != "" || len(s.Messages("events")) != 3 {
		t.Errorf("%d arrived; verdicts (-want +got):\n%s", len(s.Messages("events")), diff)
	}
}

// Entries that failed for reasons of the queue are not the events' fault, even where SQS says that they are the sender's.
func TestEntriesFailForTheQueue(t *testing.T) {
	t.Parallel()
	s := sqstest.New(t, "events")
	s.Fail = func(w http.ResponseWriter, _ string) bool {
		taken(w, 0, failedEntry(0, "KMS.AccessDeniedException", "no", true), failedEntry(1, "RequestThrottled", "", true),
			failedEntry(2, "InvalidMessageContents", "", true))
		return true
	}
	errs := publisher(s.URL, nil).Publish(t.Context(), event.Destination{Address: sqstest.ARN("events"), Concurrency: 1}, destinationtest.Events(3))
	want := []destinationtest.Verdict{destinationtest.Later, destinationtest.Throttled, destinationtest.Dead}
	if diff := cmp.Diff(want, verdicts(errs)); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

// What is no queue that can be sent to is told, and nobody is asked.
func TestQueuesThatCannotBe(t *testing.T) {
	t.Parallel()
	s := sqstest.New(t, "events")
	p := publisher(s.URL, nil)
	for arn, want := range map[string]string{
		sqstest.ARN("events.fifo"):                      "FIFO queues are not supported, choose a standard queue: correct the destination",
		"arn:aws:sqs:eu-west-1:000000000000:events":     "the queue is in eu-west-1, and the endpoint of SQS in us-east-1: correct the destination",
		"arn:aws:sns:us-east-1:000000000000:events":     "not the ARN of an SQS queue: correct the destination",
		"arn:aws:sqs:us-east-1:000000000000:a/../other": "not the ARN of an SQS queue: correct the destination",
		"https://sqs.us-east-1.amazonaws.com/1/events":  "not the ARN of an SQS queue: correct the destination",
	} {
		errs := p.Publish(t.Context(), event.Destination{Address: arn}, destinationtest.Events(2))
		for _, err := range append(errs, p.Send(t.Context(), arn, "x", nil)) {
			if !fault.Is(err, fault.Dependency) || err.Error() != want {
				t.Errorf("%s: %v, want %s", arn, err, want)
			}
		}
	}
	if calls := s.Calls(); len(calls) > 0 {
		t.Errorf("calls: %v", calls)
	}
}

func TestSend(t *testing.T) {
	t.Parallel()
	s := sqstest.New(t, "events")
	p := publisher(s.URL, nil)
	attributes := []topic.Attribute{{Name: "text", Type: "String", String: "ü"}, {Name: "n", Type: "Number.int", String: "1"},
		{Name: "list", Type: "String.Array", String: `["a"]`}, {Name: "bytes", Type: "Binary", Binary: []byte{0, 1}}}
	if err := p.Send(t.Context(), sqstest.ARN("events"), "body", attributes); err != nil {
		t.Fatal(err)
	}
	want := map[string]sqstest.Attribute{"text": {DataType: "String", StringValue: aws.String("ü")}, "n": {DataType: "Number.int", StringValue: aws.String("1")},
		"list": {DataType: "String.Array", StringValue: aws.String(`["a"]`)}, "bytes": {DataType: "Binary", BinaryValue: []byte{0, 1}}}
	got := s.Messages("events")
	if diff := cmp.Diff(want, got[0].Attributes); diff != "" || got[0].Body != "body" {
		t.Errorf("%q with attributes (-want +got):\n%s", got[0].Body, diff)
	}
	many := make([]topic.Attribute, 11)
	for i := range many {
		many[i] = topic.Attribute{Name: fmt.Sprint("a", i), Type: "String", String: "x"}
	}
	if err := p.Send(t.Context(), sqstest.ARN("events"), "body", many); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("11 attributes: %v", err)
	}
	if err := p.Send(t.Context(), sqstest.ARN("events"), "\x00", nil); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("a control character: %v", err)
	}
	if err := p.Send(t.Context(), sqstest.ARN("other"), "body", nil); !fault.Is(err, fault.Dependency) || !strings.Contains(err.Error(), "Create the queue") {
		t.Errorf("no queue: %v", err)
	}
	down := httptest.NewServer(nil)
	down.Close()
	if err := publisher(down.URL, nil).Send(t.Context(), sqstest.ARN("events"), "body", nil); !fault.Is(err, fault.Dependency) ||
		!strings.Contains(err.Error(), "SQS cannot be reached") {
		t.Errorf("nobody there: %v", err)
	}
}
