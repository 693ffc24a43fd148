package app

import (
	"net/http"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/destination/sqs/sqstest"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// The settings decide which kinds of destination there are, and what is missing is named.
func TestPublishers(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "x")
	s := sqstest.New(t, "events")
	to := event.Destination{Kind: event.SQS, Address: sqstest.ARN("events")}
	for endpoint, want := range map[string]string{"": "the setting sqs.endpoint is empty", s.URL: ""} {
		cfg := config.Dev(t.TempDir())
		cfg.SQS.Endpoint = endpoint
		remote, err := newServices(t.Context(), &cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = newPublisher(nil, nil, &http.Client{}, remote).Publish(t.Context(), to, destinationtest.Events(1))[0]
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("endpoint %q: %v, want %q", endpoint, err, want)
		}
	}
	if got := s.Messages("events"); len(got) != 1 {
		t.Errorf("%d messages, want 1", len(got))
	}
}
