package event

import (
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestAddresses(t *testing.T) {
	t.Parallel()
	rules := Rules{Scope: account.Scope{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"}}
	for _, tt := range []struct {
		kind    Kind
		address string
		ok      bool
	}{
		{HTTPS, "https://example.com/hook?key=1", true},
		{HTTPS, "https://example.com:8443", true},
		{HTTPS, "https://[2001:db8::1]:8443/", true},
		{HTTPS, "http://example.com/", false},
		{HTTPS, "https:///hook", false},
		{HTTPS, "https://:443/hook", false}, // dialled, this is the machine itself
		{HTTPS, "https://example.com:0/", false},
		{HTTPS, "https://example.com:65536/", false},
		{HTTPS, "https://example.com:/", true},
		{HTTPS, "https://user:password@example.com/", false},
		{HTTPS, "https://example.com/#part", false},
		{HTTPS, "https:example.com", false},
		{HTTPS, "/hook", false},
		{SNS, "arn:aws:sns:us-east-1:000000000000:events", true},
		{SNS, "arn:aws:sns:us-east-1:000000000000:events.fifo", false},
		{SNS, "arn:aws:sns:us-east-1:000000000000:", false},
		{SNS, "arn:aws:sns:us-east-1:000000000000:a:b", false},
		{SNS, "arn:aws:sns:us-east-1:000000000000:a b", false},
		{SNS, "arn:aws:sns:eu-west-1:000000000000:events", false},
		{SNS, "arn:aws:sns:us-east-1:111111111111:events", false},
		{SNS, "arn:aws:sqs:us-east-1:000000000000:events", false},
		{SQS, "arn:aws:sqs:us-east-1:000000000000:events", true},
		{SQS, "arn:aws:sqs:us-east-1:000000000000:a/b", false},
		{EventBridge, "arn:aws:events:us-east-1:000000000000:event-bus/default", true},
		{EventBridge, "arn:aws:events:us-east-1:000000000000:rule/mine", false},
		{EventBridge, "arn:aws:events:us-east-1:000000000000:event-bus/", false},
		{Connect, "arn:aws:connect:us-east-1:000000000000:instance/1", false},
	} {
		if err := checkAddress(tt.kind, tt.address, rules); (err == nil) != tt.ok || err != nil && !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("%s %s: %v, want it admitted: %v", tt.kind, tt.address, err, tt.ok)
		}
	}
}
