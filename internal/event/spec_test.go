package event

import (
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
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

func TestRotate(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	s := Settings{Secrets: []SigningSecret{{Value: "a"}}}
	want := func(after time.Duration, secrets string) {
		t.Helper()
		back, err := ParseSettings(s.Reveal())
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range back.Valid(begin.Add(after)) {
			got = append(got, v.Reveal())
		}
		if strings.Join(got, " ") != secrets {
			t.Errorf("after %v %q sign, want %q", after, got, secrets)
		}
	}
	rotate := func(after time.Duration, secret identity.Secret, overlap time.Duration) {
		s.Rotate(secret, overlap, begin.Add(after))
	}
	want(0, "a")
	rotate(0, "b", time.Hour)
	want(0, "b a")
	want(time.Hour-1, "b a")
	want(time.Hour, "b")
	rotate(time.Minute, "c", 2*time.Hour) // the overlap of one that ends already grows no longer
	want(time.Minute, "c b a")
	want(time.Hour, "c b")
	rotate(2*time.Minute, "d", time.Minute) // and can be cut short; more than three sign nowhere
	want(2*time.Minute, "d c b")
	want(3*time.Minute, "d")
	rotate(2*time.Minute, "e", 0)
	want(2*time.Minute, "e")
}
