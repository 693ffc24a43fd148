package app

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/destination/connect/connecttest"
	"github.com/waxwing-messaging/waxwing/internal/destination/destinationtest"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// A business account whose events go to an instance of Amazon Connect has its numbers imported there, and its chats held there, with
// the role that was given.
func TestConnect(t *testing.T) {
	sts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || !destinationtest.AssumeRole(t, w, r, body) {
			t.Errorf("%s to STS: %v", body, err)
		}
	}))
	t.Cleanup(sts.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", destinationtest.KeyID)
	t.Setenv("AWS_SECRET_ACCESS_KEY", destinationtest.Secret)
	t.Setenv("AWS_ENDPOINT_URL_STS", sts.URL)
	remote := connecttest.New(t)
	remote.Fail = func(_ http.ResponseWriter, r *http.Request) bool {
		if got := destinationtest.SignedBy(r); got != destinationtest.RoleKeyID {
			t.Errorf("called as %s", got)
		}
		return false
	}
	n := start(t, t.TempDir(), func(c *config.Config) { c.Connect.Endpoint = remote.URL })
	n.ask(t, http.MethodPut, "/v1/whatsapp/waba/eventdestinations", map[string]any{"id": seededWABA,
		"eventDestinations": []map[string]string{{"eventDestinationArn": connecttest.Instance, "roleArn": destinationtest.RoleARN}}}, new(struct{}))
	number := "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/00000000000000000000000000000001"
	waitFor(t, "import", func() bool { _, ok := remote.Imported(number); return ok })

	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	id := n.send(t, template)
	want := map[string]bool{"MESSAGE text/plain Hi": true, `EVENT application/json {"messageId":"` + id + `","status":"accepted"}`: true,
		`EVENT application/json {"messageId":"` + id + `","status":"sent"}`:                          true,
		`EVENT application/vnd.amazonaws.connect.event.message.delivered {"messageId":"` + id + `"}`: true}
	waitFor(t, "chat", func() bool {
		for _, e := range remote.Events() {
			if e.SourceID != "+"+sim.Diego || e.DestinationID != number {
				t.Fatalf("%+v", e)
			}
			delete(want, fmt.Sprint(e.Event.Type, " ", e.Event.ContentType, " ", e.Event.Content))
		}
		return len(want) == 0
	})
}
