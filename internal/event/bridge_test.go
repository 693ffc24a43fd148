package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

const metadata = `"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"11"}`

// origin is what the details of a number's events begin with.
const origin = `{"wabaId":"12","originationPhoneNumber":"15550100001","originationPhoneNumberId":"11",`

// ours is what details of our own design end with.
const ours = `"eventTimestamp":"1763800000","eventId":"e-1","detailVersion":"1"}`

func TestBridge(t *testing.T) {
	t.Parallel()
	h := HandOver{MessageID: "our-id", AccountID: "000000000000", WABAKey: "w", WABAMetaID: "12", PhoneKey: "p", PhoneMetaID: "11",
		DisplayNumber: "+1 555-010-0001", Recipient: "14255550150", WAMID: "wamid.X", At: time.Unix(1763800000, 0)}
	generated := func(e *Event, err error) Event {
		if err != nil {
			t.Fatal(err)
		}
		return *e
	}
	never := h
	never.WAMID = ""
	relayed := func(field, status, messageID, wamid, value string) Event {
		return Event{ID: "e-1", MessageID: messageID, WAMID: wamid, Field: field, Status: status, At: h.At,
			Entry: []byte(`{"id":"12","changes":[{"value":{` + value + `},"field":"` + field + `"}]}`)}
	}
	status := func(status, more string) string {
		return metadata + `,"contacts":[{"profile":{"name":"Diego"},"wa_id":"14255550150"}],"statuses":[{"id":"wamid.X","status":"` + status +
			`","timestamp":"1763800000","recipient_id":"14255550150"` + more + `}]`
	}
	const refusal = `,"errors":[{"code":131026,"title":"Message undeliverable","message":"Message undeliverable","error_data":{"details":"why"},"href":"x"},` +
		`{"code":131000}]`
	documented := func(status string) string {
		return origin + `"messageId":"our-id","status":"` + status + `","eventTimestamp":"1763800000"`
	}
	for name, tc := range map[string]struct {
		event      Event
		kind, want string
	}{
		"sent":      {relayed("messages", "sent", "our-id", "wamid.X", status("sent", "")), "WhatsApp Message Sent", documented("sent") + "}"},
		"delivered": {relayed("messages", "delivered", "our-id", "wamid.X", status("delivered", "")), "WhatsApp Message Delivered", documented("delivered") + "}"},
		"read":      {relayed("messages", "read", "our-id", "wamid.X", status("read", "")), "WhatsApp Message Read", documented("read") + "}"},
		"failed": {relayed("messages", "failed", "our-id", "wamid.X", status("failed", refusal)), "WhatsApp Message Failed",
			documented("failed") + `,"errors":[{"code":131026,"title":"Message undeliverable","message":"Message undeliverable"},{"code":131000}]}`},
		"a status of a message that came from elsewhere": {relayed("messages", "sent", "", "wamid.X", status("sent", "")), "WhatsApp Message Sent",
			origin + `"messageId":"wamid.X","status":"sent","eventTimestamp":"1763800000"}`},
		"played": {relayed("messages", "played", "our-id", "wamid.X", status("played", "")), "WhatsApp Unknown Notification Received",
			origin + `"field":"messages","status":"played","messageId":"our-id",` + ours},
		"received": {relayed("messages", Received, "", "wamid.Y", metadata+`,"messages":[{"from":"14255550150","id":"wamid.Y","type":"text","text":{"body":"Hello"}}]`),
			"WhatsApp Message Received", origin + `"messageId":"wamid.Y","messageType":"text",` + ours},
		"accepted": {generated(Accepted(h, plain{}, "e-1")), "WhatsApp Message Handover Succeeded",
			origin + `"messageId":"our-id","whatsAppMessageId":"wamid.X",` + ours},
		"refused": {generated(Failed(never, message.Failure{Code: 131009, Title: "Not valid", Details: "to"}, plain{}, "e-1")), "WhatsApp Message Handover Failed",
			origin + `"messageId":"our-id","errors":[{"code":131009,"title":"Not valid","message":"Not valid","details":"to"}],` + ours},
		"cancelled": {generated(Failed(never, message.Because(message.CodeCancelled, ""), plain{}, "e-1")), "WhatsApp Message Undeliverable",
			origin + `"messageId":"our-id","errors":[{"code":9000001,"title":"Message cancelled before it was handed to WhatsApp.",` +
				`"message":"Message cancelled before it was handed to WhatsApp."}],` + ours},
		"no longer valid": {generated(Failed(never, message.Failure{Code: message.CodeExpired, Title: "Over"}, plain{}, "e-1")), "WhatsApp Message Undeliverable",
			origin + `"messageId":"our-id","errors":[{"code":9000002,"title":"Over","message":"Over"}],` + ours},
		"a call was handed over": {relayed("calls", "accepted", "", "", metadata+`,"statuses":[{"id":"wacid.1","type":"call","action":"connect","status":"accepted",`+
			`"biz_opaque_callback_data":"job 7"}]`), "WhatsApp Call Handover Succeeded",
			origin + `"callId":"wacid.1","action":"connect","bizOpaqueCallbackData":"job 7",` + ours},
		"a call was refused": {relayed("calls", "failed", "", "", metadata+`,"statuses":[{"type":"call","action":"connect","status":"failed",`+
			`"errors":[{"code":138006,"title":"No permission","message":"No permission"}]}]`), "WhatsApp Call Handover Failed",
			origin + `"action":"connect","errors":[{"code":138006,"title":"No permission","message":"No permission"}],` + ours},
		"a call came in": {relayed("calls", "", "", "", metadata+`,"calls":[{"id":"wacid.2","event":"connect"}]`), "WhatsApp Unknown Notification Received",
			origin + `"field":"calls",` + ours},
		"a number's quality": {relayed("phone_number_quality_update", "", "", "", `"display_phone_number":"15550100001","event":"ONBOARDING"`),
			"WhatsApp Unknown Notification Received",
			`{"wabaId":"12","originationPhoneNumber":"15550100001","field":"phone_number_quality_update",` + ours},
		"a template": {relayed("message_template_status_update", "", "", "", `"event":"APPROVED"`), "WhatsApp Unknown Notification Received",
			`{"wabaId":"12","field":"message_template_status_update",` + ours},
		"an alert": {generated(NewAlert(&Alert{Kind: DestinationDisabled, WABAMetaID: "12", Destination: "dst-1", Reason: `it "said" no`, Count: 3, Since: h.At, At: h.At},
			plain{}, "e-1")), "Waxwing Alert", `{"wabaId":"12","alert":"destination_disabled","state":"raised","since":"1763800000","destination":"dst-1",` +
			`"reason":"it \"said\" no","count":3,` + ours},
		"a test": {Event{ID: "e-1", Field: TestField, At: h.At}, "Waxwing Test", `{"wabaId":"12",` + ours},
		"nonsense": {Event{ID: "e-1", Field: "messages", Status: Received, WAMID: "wamid.Y", At: h.At, Entry: []byte(`{"changes":{}}`)},
			"WhatsApp Message Received", `{"wabaId":"12","messageId":"wamid.Y",` + ours},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &Outgoing{Delivery: Delivery{Event: tc.event, WABAMetaID: "12"}, Opened: tc.event.Entry}
			kind, detail := o.Bridge()
			if kind != tc.kind {
				t.Errorf("detail-type %s, want %s", kind, tc.kind)
			}
			if diff := cmp.Diff(tc.want, string(detail)); diff != "" {
				t.Errorf("detail (-want +got):\n%s", diff)
			}
			if strings.Contains(string(detail), "14255550150") || strings.Contains(string(detail), "Hello") {
				t.Errorf("%s tells of the customer", detail)
			}
		})
	}
}

func FuzzBridge(f *testing.F) {
	for _, entry := range []string{"", "{", `{"changes":[{"value":{"metadata":{"display_phone_number":"1"},"statuses":[{"errors":[{"code":1.5e3,"title":"x"},7,null]}]}}]}`,
		`{"changes":[{"value":{"alert":"x","count":[1,{"a":"b"}]}}]}`} {
		for _, field := range []string{"messages", "calls", AlertField, "flows"} {
			f.Add(field, "failed", entry)
		}
	}
	f.Fuzz(func(t *testing.T, field, status, entry string) {
		o := &Outgoing{Delivery: Delivery{Event: Event{Field: field, Status: status}}, Opened: []byte(entry)}
		kind, detail := o.Bridge()
		var doc map[string]any
		if err := json.Unmarshal(detail, &doc); err != nil || kind == "" {
			t.Errorf("%s: %s (%v)", kind, detail, err)
		}
	})
}
