package bus

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

func TestTargetCheck(t *testing.T) {
	t.Parallel()
	const sns, sqs, api = "arn:aws:sns:us-east-1:000000000000:orders", "arn:aws:sqs:us-east-1:000000000000:orders",
		"arn:aws:events:us-east-1:000000000000:api-destination/hook/1b1f"
	for _, tc := range []struct {
		name string
		t    Target
		kind Kind
		want string // of the error; "" for none
	}{
		{"topic", Target{ARN: sns}, TopicTarget, ""},
		{"queue", Target{ARN: sqs}, QueueTarget, ""},
		{"API destination", Target{ARN: api, Settings: Settings{HTTP: &HTTPParameters{Path: []string{"$.detail.id", "$"}}}}, HTTPTarget, ""},
		{"no ARN", Target{ARN: "orders"}, "", "Parameter Arn is not valid. Reason: Provided Arn is not in correct format."},
		{"half an ARN", Target{ARN: "arn:aws:sns:us-east-1:000000000000"}, "", "not in correct format"},
		{"without a name", Target{ARN: "arn:aws:sns:us-east-1:000000000000:"}, TopicTarget, "not in correct format"},
		{"subscription", Target{ARN: sns + ":0a1b"}, TopicTarget, "not in correct format"},
		{"function", Target{ARN: "arn:aws:lambda:us-east-1:000000000000:function:f"}, "", "invokes SNS topics, SQS queues and API destinations, not lambda"},
		{"another bus", Target{ARN: "arn:aws:events:us-east-1:000000000000:event-bus/other"}, "", "not events"},
		{"FIFO topic", Target{ARN: sns + ".fifo"}, TopicTarget, "FIFO"},
		{"FIFO queue", Target{ARN: sqs + ".fifo"}, QueueTarget, "FIFO"},
		{"another account", Target{ARN: strings.Replace(sns, "000000000000", "111122223333", 1)}, TopicTarget, "account and Region of its rule"},
		{"another Region", Target{ARN: strings.Replace(sqs, "us-east-1", "eu-west-1", 1)}, QueueTarget, "account and Region of its rule"},
		{"another partition", Target{ARN: strings.Replace(sqs, "aws", "aws-cn", 1)}, QueueTarget, "account and Region of its rule"},
		{"HTTP parameters of a topic", Target{ARN: sns, Settings: Settings{HTTP: &HTTPParameters{}}}, TopicTarget, "only API destinations have them"},
		{"malformed path in a header", Target{ARN: api, Settings: Settings{HTTP: &HTTPParameters{Header: map[string]string{"a": "$..x"}}}}, HTTPTarget,
			"$..x is no JSON path"},
		{"name of a header", Target{ARN: api, Settings: Settings{HTTP: &HTTPParameters{Header: map[string]string{"a b": "x"}}}}, HTTPTarget,
			"a b is no name of an HTTP header"},
		{"parameters of any length", Target{ARN: api, Settings: Settings{HTTP: &HTTPParameters{Path: []string{strings.Repeat("x", 65<<10)}}}}, HTTPTarget,
			"longer than 65536 bytes"},
		{"names of any length", Target{ARN: api, Settings: Settings{HTTP: &HTTPParameters{Header: map[string]string{strings.Repeat("x", 65<<10): "x"}}}}, HTTPTarget,
			"longer than 65536 bytes"},
		{"input", Target{ID: "t", ARN: sns, Settings: Settings{Input: Input{Path: "x"}}}, TopicTarget, "Invalid InputPath for target t"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.t.check(scope)
			if tc.want == "" && err != nil || tc.want != "" && (!fault.Is(err, fault.Validation) || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("= %v, want %q", err, tc.want)
			}
			if got := tc.t.Kind(); got != tc.kind {
				t.Errorf("kind = %q, want %q", got, tc.kind)
			}
		})
	}
}

func TestParameters(t *testing.T) {
	t.Parallel()
	target := Target{Settings: Settings{HTTP: &HTTPParameters{Path: []string{"$.detail.id", "fixed", "$.detail.gone"},
		Header: map[string]string{"X-N": "$.detail.n", "X-Text": "$.detail.text", "X-Cost": "$5"}, Query: map[string]string{"p": "$.detail.payload"}}}}
	want := HTTPParameters{Path: []string{"0a78", "fixed", ""}, Header: map[string]string{"X-N": "5", "X-Text": "say \"hi\"\n", "X-Cost": "$5"},
		Query: map[string]string{"p": `{"acc_id":"0a78","sf_id":"b\"z"}`}}
	got, err := target.Parameters([]byte(sampleEvent))
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	got, err = (&Target{}).Parameters([]byte(sampleEvent))
	if diff := cmp.Diff(HTTPParameters{}, got); diff != "" || err != nil {
		t.Errorf("without any %v (-want +got):\n%s", err, diff)
	}
}

// A parameter can be a whole event. That must not make a hundred copies of it.
func TestParametersAreBounded(t *testing.T) {
	t.Parallel()
	evt := []byte(`{"detail":"` + strings.Repeat("x", 1<<20) + `"}`)
	http := &HTTPParameters{Header: map[string]string{}}
	for i := range maxHTTPParameters {
		http.Header["X-"+strconv.Itoa(i)] = "$.detail"
	}
	target := Target{ARN: "arn:aws:events:us-east-1:000000000000:api-destination/hook/1b1f", Settings: Settings{HTTP: http}}
	if err := target.check(scope); err != nil {
		t.Fatal(err)
	}
	if got, err := target.Parameters(evt); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("%d headers, %v; want a refusal", len(got.Header), err)
	}
	http.Query = map[string]string{"more": "1"}
	if err := target.check(scope); !fault.Is(err, fault.Validation) {
		t.Errorf("one more: %v, want a refusal", err)
	}
}

func TestTargetIsASubscriber(t *testing.T) {
	t.Parallel()
	target := Target{RuleARN: sampleRule, ID: "t"}
	if got := target.Name(); got != sampleRule+"/target/t" {
		t.Errorf("name = %s", got)
	}
	if got, want := target.Retry(), (queue.Retry{Window: 24 * time.Hour, Attempts: 186}); got != want {
		t.Errorf("usual policy = %+v, want %+v", got, want)
	}
	target.MaxAge, target.Attempts = 60, 1
	if got, want := target.Retry(), (queue.Retry{Window: time.Minute, Attempts: 1}); got != want {
		t.Errorf("own policy = %+v, want %+v", got, want)
	}
}

func TestDestinationCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		endpoint, method string
		plain, ok        bool
	}{
		{"https://example.com/a/*?x=1", "POST", false, true},
		{"https://example.com", "PATCH", false, true},
		{"http://127.0.0.1:9/", "PUT", true, true},
		{"http://example.com/", "POST", false, false},
		{"ftp://example.com/", "POST", true, false},
		{"https://user:secret@example.com/", "POST", false, false},
		{"https://example.com/#x", "POST", false, false},
		{"https:///x", "POST", false, false},
		{"https://*.example.com/x", "POST", false, false},
		{"example.com", "POST", false, false},
		{"https://example.com/", "GET", false, false},
	} {
		d := Destination{Endpoint: tc.endpoint, Method: tc.method}
		if err := d.check(tc.plain); (err == nil) != tc.ok || err != nil && !fault.Is(err, fault.Validation) {
			t.Errorf("%s %s (plain %v) = %v, want ok %v", tc.method, tc.endpoint, tc.plain, err, tc.ok)
		}
	}
}
