package app

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// WhatsApp takes a message and its callbacks are lost: an alert says so, the message can be found, and when a status comes after all
// both end.
func TestMissingCallbacksAreReported(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) {
		c.Webhook.ExpectStatusWithin = time.Second
		c.Limits["ListMessages"], c.Limits["GetMessage"] = 1000, 1000
	})
	alerts := make(chan string, 10)
	n.listen(t, func(entry string) {
		if strings.Contains(entry, "waxwing_alert") {
			alerts <- entry
		}
	})
	n.control(t, "PUT", "/sim/v1/faults", `{"rules":[{"when":{"always":true},"effect":{"webhooks":{"drop":true}}}]}`)
	id := n.send(t, template)
	if alert := <-alerts; !strings.Contains(alert, `"alert":"statuses_missing","state":"raised"`) || !strings.Contains(alert, `"count":1,"reason":"WhatsApp took 1 message`) ||
		!strings.Contains(alert, sim.NumberID) {
		t.Errorf("alert %s", alert)
	}
	var list struct {
		Messages []struct {
			shown
			StatusOverdue bool
		}
	}
	overdue := path("messages/list", "statusOverdue", "true")
	n.ask(t, "GET", overdue, nil, &list)
	if len(list.Messages) != 1 || list.Messages[0].MessageID != id || !list.Messages[0].StatusOverdue || list.Messages[0].State != "accepted" {
		t.Fatalf("messages without a status: %+v", list.Messages)
	}
	n.control(t, "DELETE", "/sim/v1/faults", "")
	n.control(t, "POST", "/sim/v1/webhooks", fmt.Sprintf(`{"phone_number_id":%q,"field":"messages","value":{"messaging_product":"whatsapp",
		"metadata":{"display_phone_number":"15550100001","phone_number_id":%q},"statuses":[{"id":%q,"status":"delivered","timestamp":"%d","recipient_id":%q}]}}`,
		sim.NumberID, sim.NumberID, list.Messages[0].WAMID, time.Now().Unix(), sim.Diego))
	if alert := <-alerts; !strings.Contains(alert, `"state":"cleared"`) || !strings.Contains(alert, "Every message has a status now.") {
		t.Errorf("alert %s", alert)
	}
	n.ask(t, "GET", overdue, nil, &list)
	if m := n.await(t, id, "delivered"); len(list.Messages) != 0 || m.MessageID != id {
		t.Errorf("messages without a status: %+v", list.Messages)
	}
}
