package calling

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, raw string
		want      Event
		refusal   string
	}{
		{"connect", `{"messaging_product":"whatsapp","to":"+1 425-555-0150","action":"connect","session":{"sdp_type":"offer","sdp":"v=0"}}`,
			Event{Action: "connect", Recipient: "14255550150"}, ""},
		{"connect with a number", `{"messaging_product":"whatsapp","to":14255550150,"action":"CONNECT","session":{},"biz_opaque_callback_data":"x"}`,
			Event{Action: "connect", Recipient: "14255550150", Opaque: "x"}, ""},
		{"connect to a scoped id", `{"messaging_product":"whatsapp","recipient":"US.1","action":"connect","session":{}}`, Event{Action: "connect", Recipient: "US.1"}, ""},
		{"accept", `{"messaging_product":"whatsapp","call_id":"wacid.1","action":"accept","session":{}}`, Event{Action: "accept", CallID: "wacid.1"}, ""},
		{"terminate", `{"messaging_product":"whatsapp","call_id":"wacid.1","action":"terminate"}`, Event{Action: "terminate", CallID: "wacid.1"}, ""},
		{"action of the future", `{"messaging_product":"whatsapp","call_id":"wacid.1","action":"hold"}`, Event{Action: "hold", CallID: "wacid.1"}, ""},
		{"not JSON", `connect`, Event{}, "JSON object"},
		{"not an object", `[]`, Event{}, "JSON object"},
		{"not UTF-8", "{\"action\":\"\xff\"}", Event{}, "UTF-8"},
		{"null", `null`, Event{}, "messaging_product"},
		{"no product", `{"action":"connect"}`, Event{}, "messaging_product"},
		{"other product", `{"messaging_product":"sms","action":"connect"}`, Event{}, "messaging_product"},
		{"no action", `{"messaging_product":"whatsapp"}`, Event{}, "action is required"},
		{"nobody to call", `{"messaging_product":"whatsapp","action":"connect","session":{}}`, Event{}, "to is required"},
		{"no session", `{"messaging_product":"whatsapp","action":"connect","to":"1"}`, Event{}, "session"},
		{"session that is text", `{"messaging_product":"whatsapp","action":"accept","call_id":"1","session":"v=0"}`, Event{}, "session"},
		{"no call", `{"messaging_product":"whatsapp","action":"reject"}`, Event{}, "call_id"},
		{"long opaque data", `{"messaging_product":"whatsapp","action":"reject","call_id":"1","biz_opaque_callback_data":"` + strings.Repeat("é", 513) + `"}`, Event{}, "512"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := Parse([]byte(tc.raw))
			if tc.refusal == "" {
				if err != nil || got != tc.want {
					t.Errorf("Parse = %+v, %v, want %+v", got, err, tc.want)
				}
				return
			}
			if !fault.Is(err, fault.InvalidParameters) || !strings.Contains(err.Error(), tc.refusal) {
				t.Errorf("Parse = %+v, %v, want a refusal that says %q", got, err, tc.refusal)
			}
		})
	}
}

func TestEntry(t *testing.T) {
	t.Parallel()
	at := Outcome{WABAMetaID: "12", PhoneMetaID: "11", DisplayNumber: "+1 555-010-0001", At: 1700000000}
	for _, tc := range []struct {
		name    string
		outcome func(*Outcome)
		want    string
	}{
		{"started", func(o *Outcome) {
			o.CallID, o.Event = "wacid.1", Event{Action: "connect", Recipient: "14255550150", Opaque: "a\"b"}
		}, `{"id":"wacid.1","type":"call","action":"connect","status":"accepted","timestamp":"1700000000","recipient_id":"14255550150","biz_opaque_callback_data":"a\"b"}`},
		{"refused", func(o *Outcome) {
			o.Event = Event{Action: "connect", Recipient: "14255550150"}
			o.Failure = &message.Failure{Code: 138006, Title: "No permission", Details: "why"}
		}, `{"type":"call","action":"connect","status":"failed","timestamp":"1700000000","recipient_id":"14255550150",` +
			`"errors":[{"code":138006,"title":"No permission","message":"No permission","error_data":{"details":"why"}}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := at
			tc.outcome(&o)
			want := `{"id":"12","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001",` +
				`"phone_number_id":"11"},"statuses":[` + tc.want + `]},"field":"calls"}]}`
			got := o.Entry()
			if diff := cmp.Diff(want, string(got)); diff != "" || !json.Valid(got) {
				t.Errorf("Entry (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"messaging_product":"whatsapp","to":"+14255550150","action":"connect","session":{"sdp_type":"offer","sdp":"v=0"}}`))
	f.Add([]byte(`{"messaging_product":"whatsapp","to":1.5e3,"action":"accept","call_id":"x","session":{}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		e, err := Parse(raw)
		if err != nil {
			return
		}
		if e.Action == "" || (e.Action == ActionConnect) != (e.CallID == "") {
			t.Fatalf("Parse(%q) = %+v", raw, e)
		}
		o := Outcome{CallID: e.CallID, Event: e}
		if entry := o.Entry(); !json.Valid(entry) {
			t.Fatalf("entry of %q is not JSON: %s", raw, entry)
		}
	})
}
