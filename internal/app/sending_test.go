package app

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// sending is a body of SendMessage.
func sending(object string, more ...string) map[string]any {
	body := map[string]any{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0", "message": base64.StdEncoding.EncodeToString([]byte(object))}
	for i := 0; i < len(more); i += 2 {
		body[more[i]] = more[i+1]
	}
	return body
}

// submit sends a message with SendMessage.
func (n *node) submit(t *testing.T, body map[string]any) (id string) {
	t.Helper()
	var out struct{ MessageID string }
	n.ask(t, "POST", "/v1/waxwing/messages/send", body, &out)
	return out.MessageID
}

func (n *node) cancelled(t *testing.T, c *awsapitest.Client, id string) *awsapitest.Response {
	t.Helper()
	return c.Do(t, "POST", "/v1/waxwing/messages/cancel", map[string]string{"messageId": id})
}

func TestSendMessage(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.await(t, n.submit(t, sending(template)), "delivered")
	n.await(t, n.submit(t, sending(template, "priority", "high")), "delivered")

	at := time.Now().Add(2 * time.Second).Truncate(time.Second).Add(time.Second) // what RFC 3339 shows of it
	id := n.submit(t, sending(template, "sendAt", at.Format(time.RFC3339), "priority", "bulk"))
	if m := n.await(t, id, "queued"); m.SendAt != float64(at.Unix()) {
		t.Errorf("scheduled for %v, want %v", m.SendAt, at.Unix())
	}
	m := n.await(t, id, "delivered")
	if handed := m.Timeline[0].RecordedAt; handed < m.SendAt || handed > m.SendAt+2 {
		t.Errorf("it was to leave at %v and left at %v", m.SendAt, handed)
	}

	now := time.Now()
	for name, tc := range map[string]struct {
		body map[string]any
		code string
	}{
		"long ago":           {sending(template, "sendAt", now.Add(-10*time.Minute).Format(time.RFC3339)), "InvalidParametersException"},
		"in two months":      {sending(template, "sendAt", now.AddDate(0, 2, 0).Format(time.RFC3339)), "InvalidParametersException"},
		"some day":           {sending(template, "sendAt", "some day"), "InvalidParametersException"},
		"not valid any more": {sending(template, "validUntil", now.Add(-time.Minute).Format(time.RFC3339)), "InvalidParametersException"},
		"no such priority":   {sending(template, "priority", "urgent"), "ValidationException"},
		"no message at all":  {sending(`{"to":"1"}`), "InvalidParametersException"},
		"another version":    {map[string]any{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v1.0", "message": "e30="}, "InvalidParametersException"},
		"nobody's number":    {map[string]any{"originationPhoneNumberId": "phone-number-id-1", "metaApiVersion": "v20.0", "message": "e30="}, "ResourceNotFoundException"},
		"valid before it is sent": {sending(template, "sendAt", now.Add(time.Hour).Format(time.RFC3339), "validUntil", now.Add(time.Minute).Format(time.RFC3339)),
			"InvalidParametersException"},
	} {
		if res := n.api.Do(t, "POST", "/v1/waxwing/messages/send", tc.body); res.Code() != tc.code {
			t.Errorf("%s: %d %s %s, want %s", name, res.Status, res.Code(), res.Body, tc.code)
		}
	}
	both := sending(template, "validUntil", now.Add(time.Hour).Format(time.RFC3339))
	both["validitySeconds"] = 60
	if res := n.api.Do(t, "POST", "/v1/waxwing/messages/send", both); res.Code() != "InvalidParametersException" {
		t.Errorf("two validities: %d %s", res.Status, res.Code())
	}
}

// A message that WhatsApp does not take while it is valid is dropped, with a reason of its own.
func TestMessageValidity(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	n.control(t, http.MethodPut, "/sim/v1/faults", `{"rules":[{"match":{"edge":"messages"},"when":"always","effect":{"code":131000,"http_status":500}}]}`)
	body := sending(template)
	body["validitySeconds"] = 2
	m := n.await(t, n.submit(t, body), "dropped")
	last := m.Timeline[len(m.Timeline)-1]
	if len(last.Errors) != 1 {
		t.Fatalf("timeline = %+v", m.Timeline)
	}
	if e := last.Errors[0]; e.Code != message.CodeExpired || e.Class != "permanent" || e.Explanation == "" || e.SuggestedAction == "" || !strings.HasPrefix(e.Details, "last: ") {
		t.Errorf("reason = %+v", e)
	}
	if m.ValidUntil < m.AcceptedAt+1.9 || m.ValidUntil > m.AcceptedAt+2.1 {
		t.Errorf("accepted at %v, valid until %v", m.AcceptedAt, m.ValidUntil)
	}
}

func TestCancelMessage(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	id := n.submit(t, sending(template, "sendAt", time.Now().Add(time.Hour).Format(time.RFC3339)))
	for range 2 {
		if res := n.cancelled(t, n.api, id); res.Status != 200 || string(res.Body) != `{"state":"cancelled"}` {
			t.Errorf("cancel: %d %s %s", res.Status, res.Code(), res.Body)
		}
	}
	m := n.await(t, id, "cancelled")
	if len(m.Timeline) != 1 || m.Timeline[0].Status != "cancelled" || m.Timeline[0].Errors[0].Code != message.CodeCancelled {
		t.Errorf("timeline = %+v", m.Timeline)
	}
	sent := n.submit(t, sending(template))
	n.await(t, sent, "delivered")
	for name, tc := range map[string]struct {
		client *awsapitest.Client
		id     string
		status int
		code   string
	}{
		"after it was sent":         {n.api, sent, 409, "ConflictException"},
		"a message nobody sent":     {n.api, "0199f0c4-0000-7000-8000-000000000000", 404, "ResourceNotFoundException"},
		"another account's message": {n.stranger(t), id, 404, "ResourceNotFoundException"},
	} {
		if res := n.cancelled(t, tc.client, tc.id); res.Status != tc.status || res.Code() != tc.code {
			t.Errorf("%s: %d %s %s", name, res.Status, res.Code(), res.Body)
		}
	}
	var list struct{ Messages []shown }
	n.ask(t, "GET", path("messages/list", "state", "cancelled"), nil, &list)
	if !slices.ContainsFunc(list.Messages, func(m shown) bool { return m.MessageID == id }) || len(list.Messages) != 1 {
		t.Errorf("cancelled messages = %+v", list.Messages)
	}
}

// With handover.check_window a message that WhatsApp would refuse for the closed window is refused before it is accepted.
func TestCheckWindow(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) { c.Handover.CheckWindow = true })
	send := func(object string) *awsapitest.Response {
		return n.api.Do(t, "POST", "/v1/whatsapp/send", map[string]string{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0",
			"message": base64.StdEncoding.EncodeToString([]byte(object))})
	}
	if res := send(text); res.Code() != "InvalidParametersException" || !strings.Contains(string(res.Body), "131047") {
		t.Errorf("text to a closed window: %d %s", res.Status, res.Body)
	}
	if res := send(template); res.Status != 200 {
		t.Errorf("a template: %d %s", res.Status, res.Body)
	}
	n.submit(t, sending(text, "sendAt", time.Now().Add(time.Hour).Format(time.RFC3339))) // nobody knows about the window then
	n.control(t, http.MethodPost, "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	waitFor(t, "an open window", func() bool { return send(text).Status == 200 })
}
