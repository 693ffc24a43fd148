package app

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/sim"
)

const callPath = "/v1/whatsapp/call/event"

// callBody is a request to hand over a call event, with members replaced.
func callBody(event string, changes ...string) object {
	b := object{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v25.0", "callEvent": blob(event)}
	for i := 0; i < len(changes); i += 2 {
		b[changes[i]] = changes[i+1]
	}
	return b
}

const connectDiego = `{"messaging_product":"whatsapp","to":"+14255550150","action":"connect","session":{"sdp_type":"offer","sdp":"v=0\r\n"},` +
	`"biz_opaque_callback_data":"order 7"}`

// Both sides of the phone: the business asks whether it may call, calls, and hangs up; the customer calls, and is answered.
func TestCallStory(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("GetWhatsAppCallPermission"))
	endpoint, told := sink(t)
	n.subscribe(t, endpoint)
	permission := func(from, user string) (status string, mayCall bool) {
		var out struct {
			Permission struct {
				Status         string
				ExpirationTime int64
			}
			Actions []struct {
				ActionName       string
				CanPerformAction bool
				Limits           []struct {
					TimePeriod string
					MaxAllowed int
				}
			}
		}
		n.ask(t, "POST", "/v1/whatsapp/call/permission/get", object{"originationPhoneNumberId": from, "destinationPhoneNumber": user}, &out)
		if len(out.Actions) != 2 || out.Actions[1].ActionName != "start_call" || out.Actions[1].Limits[0].TimePeriod != "PT24H" ||
			(out.Permission.Status == "temporary") != (out.Permission.ExpirationTime > 0) {
			t.Errorf("permission = %+v", out)
		}
		return out.Permission.Status, out.Actions[1].CanPerformAction
	}
	if status, may := permission(seededPhone, "+14255550150"); status != "no_permission" || may {
		t.Errorf("before: %s, %v", status, may)
	}
	n.refuses(t, n.api, refusal{"call before calling is enabled", "POST", callPath, callBody(connectDiego), 400, "InvalidParametersException", "138000"})
	n.ask(t, "PUT", "/v1/whatsapp/waba/phone?id="+seededPhone, object{"callSettings": object{"callEnabled": true}}, &object{})
	n.refuses(t, n.api, refusal{"call without permission", "POST", callPath, callBody(connectDiego), 400, "InvalidParametersException", "138006"})
	expect(t, told, "failed ")
	n.control(t, "PUT", "/sim/v1/customers/"+sim.Diego+"/call-permission", `{"phone_number_id":"`+sim.NumberID+`","status":"temporary"}`)
	if status, may := permission(seededPhoneARN, "+14255550150"); status != "temporary" || !may {
		t.Errorf("after: %s, %v", status, may)
	}
	var call struct{ CallID string }
	n.ask(t, "POST", callPath, callBody(connectDiego), &call)
	if !strings.HasPrefix(call.CallID, "wacid.") {
		t.Fatalf("call id %q", call.CallID)
	}
	expect(t, told, "accepted ", "RINGING ")
	n.control(t, "POST", "/sim/v1/customers/"+sim.Diego+"/calls", fmt.Sprintf(`{"call_id":%q,"action":"accept"}`, call.CallID))
	expect(t, told, "ACCEPTED ")
	about := func(action, id, more string) string {
		return fmt.Sprintf(`{"messaging_product":"whatsapp","call_id":%q,"action":%q%s}`, id, action, more)
	}
	started := call.CallID
	n.ask(t, "POST", callPath, callBody(about("terminate", started, ""), "originationPhoneNumberId", seededPhoneARN), &call)
	if call.CallID != started {
		t.Errorf("terminate answered %q", call.CallID)
	}
	n.refuses(t, n.api, refusal{"end it twice", "POST", callPath, callBody(about("terminate", started, "")), 400, "InvalidParametersException", "over"})

	var theirs struct{ ID string }
	answer := n.control(t, "POST", "/sim/v1/customers/"+sim.Diego+"/calls", `{"action":"call","phone_number_id":"`+sim.NumberID+`"}`)
	if err := json.Unmarshal([]byte(answer), &theirs); err != nil {
		t.Fatal(err)
	}
	const session = `,"session":{"sdp_type":"answer","sdp":"v=0"}`
	for _, event := range []string{about("pre_accept", theirs.ID, session), about("accept", theirs.ID, session), about("terminate", theirs.ID, "")} {
		n.ask(t, "POST", callPath, callBody(event), &call)
	}
}

func TestCallOperationsRefuse(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("GetWhatsAppCallPermission"))
	other := n.stranger(t)
	n.ask(t, "PUT", "/v1/whatsapp/waba/phone?id="+seededPhone, object{"callSettings": object{"callEnabled": true}}, &object{})
	const get = "/v1/whatsapp/call/permission/get"
	ask := func(changes ...string) object {
		b := object{"originationPhoneNumberId": seededPhone}
		for i := 0; i < len(changes); i += 2 {
			b[changes[i]] = changes[i+1]
		}
		return b
	}
	for _, r := range []refusal{
		{"nothing given", "POST", callPath, object{}, 400, "ValidationException", "3 validation errors"},
		{"unknown number", "POST", callPath, callBody(connectDiego, "originationPhoneNumberId", unknownPhone), 404, "ResourceNotFoundException", unknownPhone},
		{"an account's id", "POST", callPath, callBody(connectDiego, "originationPhoneNumberId", seededWABA), 400, "ValidationException", "originationPhoneNumberId"},
		{"version", "POST", callPath, callBody(connectDiego, "metaApiVersion", "latest"), 400, "InvalidParametersException", "metaApiVersion"},
		{"empty event", "POST", callPath, callBody(""), 400, "ValidationException", "'callEvent'"},
		{"not JSON", "POST", callPath, callBody("ring"), 400, "InvalidParametersException", "JSON"},
		{"no session", "POST", callPath, callBody(`{"messaging_product":"whatsapp","to":"1","action":"connect"}`), 400, "InvalidParametersException", "session"},
		{"call nobody has", "POST", callPath, callBody(`{"messaging_product":"whatsapp","call_id":"wacid.x","action":"reject"}`), 400, "InvalidParametersException", "138004"},
		{"nobody to ask about", "POST", get, ask(), 400, "InvalidParametersException", "Exactly one"},
		{"two to ask about", "POST", get, ask("destinationPhoneNumber", "+14255550150", "endUserBsuid", "US.1"), 400, "InvalidParametersException", "Exactly one"},
		{"number without plus", "POST", get, ask("destinationPhoneNumber", "14255550150"), 400, "ValidationException", "'destinationPhoneNumber'"},
		{"unknown user", "POST", get, ask("endUserBsuid", "US.123456789"), 400, "InvalidParametersException", "user"},
		{"permission of unknown number", "POST", get, ask("originationPhoneNumberId", unknownPhone, "endUserBsuid", "US.1"), 404, "ResourceNotFoundException", unknownPhone},
	} {
		n.refuses(t, n.api, r)
	}
	n.refuses(t, other, refusal{"another tenant calls", "POST", callPath, callBody(connectDiego), 404, "ResourceNotFoundException", seededPhone})
	n.refuses(t, other, refusal{"another tenant asks", "POST", get, ask("destinationPhoneNumber", "+14255550150"), 404, "ResourceNotFoundException", seededPhone})
	for _, tc := range []struct {
		meta, status int
		code         string
	}{{190, 403, "AccessDeniedByMetaException"}, {130429, 429, "ThrottledRequestException"}, {131000, 502, "DependencyException"}} {
		n.fails(t, "calls", tc.meta)
		n.refuses(t, n.api, refusal{fmt.Sprint("call, Meta's ", tc.meta), "POST", callPath, callBody(connectDiego), tc.status, tc.code, ""})
		n.fails(t, "call_permissions", tc.meta)
		n.refuses(t, n.api, refusal{fmt.Sprint("permission, Meta's ", tc.meta), "POST", get, ask("destinationPhoneNumber", "+14255550150"), tc.status, tc.code, ""})
	}
}
