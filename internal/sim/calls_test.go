package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	callsPath = "/v25.0/" + NumberID + "/calls"
	offer     = `"session":{"sdp_type":"offer","sdp":"v=0\r\n"}`
	answerSDP = `"session":{"sdp_type":"answer","sdp":"v=0\r\n"}`
)

func (f *fixture) calls(members string) reply {
	f.t.Helper()
	return f.graph(http.MethodPost, callsPath, `{"messaging_product":"whatsapp",`+members+`}`)
}

// takesCalls switches calling on.
func (f *fixture) takesCalls() {
	f.t.Helper()
	if r := f.graph(http.MethodPost, "/v25.0/"+NumberID+"/settings", `{"calling":{"status":"ENABLED"}}`); r.status != http.StatusOK {
		f.t.Fatalf("settings = %d %s", r.status, r.body)
	}
}

// connect starts a call that has to ring, and returns its id.
func (f *fixture) connect(to string) string {
	f.t.Helper()
	r := f.calls(`"action":"connect","to":"+` + to + `","biz_opaque_callback_data":"x",` + offer)
	var a callReply
	if err := json.Unmarshal(r.body, &a); err != nil || len(a.Calls) != 1 || !strings.HasPrefix(a.Calls[0].ID, "wacid.") {
		f.t.Fatalf("connect = %d %s", r.status, r.body)
	}
	return a.Calls[0].ID
}

func (f *fixture) allow(user, status string) {
	f.t.Helper()
	f.control(http.MethodPut, "/sim/v1/customers/"+user+"/call-permission", `{"phone_number_id":"`+NumberID+`","status":"`+status+`"}`)
}

// phone plays the customer's side of a call and returns its id.
func (f *fixture) phone(user, members string) string {
	f.t.Helper()
	var id objID
	if err := json.Unmarshal(f.control(http.MethodPost, "/sim/v1/customers/"+user+"/calls", `{`+members+`}`), &id); err != nil {
		f.t.Fatal(err)
	}
	return id.ID
}

// callsTold lists the webhooks about a call: what happened, and how it ended.
func (f *fixture) callsTold(id string) (list []string) {
	f.t.Helper()
	for _, h := range f.app.taken() {
		var e struct {
			Entry []struct {
				Changes []struct {
					Field string
					Value struct {
						Calls    []struct{ ID, Event, Direction, From, To, Status string }
						Statuses []struct {
							ID, Status, Type string
							Opaque           string `json:"biz_opaque_callback_data"`
						}
					}
				}
			}
		}
		if err := json.Unmarshal(h.body, &e); err != nil {
			f.t.Fatal(err)
		}
		for _, entry := range e.Entry {
			for _, c := range entry.Changes {
				for _, v := range c.Value.Calls {
					if v.ID == id && c.Field == "calls" {
						list = append(list, strings.TrimSpace(v.Event+" "+v.Direction+" "+v.From+">"+v.To+" "+v.Status))
					}
				}
				for _, v := range c.Value.Statuses {
					if v.ID == id && v.Type == "call" {
						list = append(list, v.Status+" "+v.Opaque)
					}
				}
			}
		}
	}
	return list
}

func TestBusinessCalls(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		if r := f.calls(`"action":"connect","to":"` + Diego + `",` + offer); r.errorCode(t) != 138000 {
			t.Errorf("before calling was enabled = %s", r.body)
		}
		f.takesCalls()
		if r := f.calls(`"action":"connect","to":"` + Diego + `",` + offer); r.errorCode(t) != 138006 {
			t.Errorf("without permission = %s", r.body)
		}
		f.allow(Diego, permissionTimed)
		id := f.connect(Diego)
		if r := f.calls(`"action":"connect","to":"+` + Diego + `",` + offer); r.errorCode(t) != 138003 {
			t.Errorf("a second call = %s", r.body)
		}
		f.phone(Diego, `"action":"accept","call_id":"`+id+`"`)
		after(90 * time.Second)
		if r := f.calls(`"action":"terminate","call_id":"` + id + `"`); string(r.body) != `{"messaging_product":"whatsapp","success":true}` {
			t.Errorf("terminate = %s", r.body)
		}
		rejected := f.connect(Diego)
		f.phone(Diego, `"action":"reject","call_id":"`+rejected+`"`)
		after(time.Second)
		const number = "15550100001"
		for call, want := range map[string][]string{
			id: {"RINGING x", "connect BUSINESS_INITIATED " + number + ">" + Diego, "ACCEPTED x",
				"terminate BUSINESS_INITIATED " + number + ">" + Diego + " COMPLETED"},
			rejected: {"RINGING x", "REJECTED x", "terminate BUSINESS_INITIATED " + number + ">" + Diego + " FAILED"},
		} {
			if diff := cmp.Diff(want, f.callsTold(call)); diff != "" {
				t.Errorf("webhooks (-want +got):\n%s", diff)
			}
		}
		for range callsPerDay - 1 {
			next := f.connect(Diego)
			f.phone(Diego, `"action":"accept","call_id":"`+next+`"`)
			f.calls(`"action":"terminate","call_id":"` + next + `"`)
		}
		if r := f.calls(`"action":"connect","to":"+` + Diego + `",` + offer); r.errorCode(t) != 138012 {
			t.Errorf("beyond the day's calls = %s", r.body)
		}
		after(8 * 24 * time.Hour)
		if r := f.calls(`"action":"connect","to":"+` + Diego + `",` + offer); r.errorCode(t) != 138006 {
			t.Errorf("after the permission has ended = %s", r.body)
		}
	})
}

func TestCustomerCalls(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		if r, err := f.do(f.request(http.MethodPost, "/sim/v1/customers/"+Amara+"/calls", `{"action":"call","phone_number_id":"`+NumberID+`"}`)); err != nil || r.status != http.StatusBadRequest {
			t.Errorf("before calling was enabled = %d %v", r.status, err)
		}
		f.takesCalls()
		id := f.phone(Amara, `"action":"call","phone_number_id":"`+NumberID+`"`)
		about := func(action, more string) reply {
			return f.calls(`"action":"` + action + `","call_id":"` + id + `"` + more)
		}
		for _, r := range []reply{about("pre_accept", ","+answerSDP), about("accept", ","+answerSDP)} {
			if r.status != http.StatusOK {
				t.Errorf("answer = %s", r.body)
			}
		}
		if r := about("accept", ","+answerSDP); r.errorCode(t) != 138004 {
			t.Errorf("accept twice = %s", r.body)
		}
		f.phone(Amara, `"action":"hang_up","call_id":"`+id+`"`)
		if r := about("terminate", ""); r.errorCode(t) != 138004 {
			t.Errorf("after the end = %s", r.body)
		}
		refused := f.phone(Amara, `"action":"call","phone_number_id":"`+NumberID+`"`)
		if r := f.calls(`"action":"reject","call_id":"` + refused + `"`); r.status != http.StatusOK {
			t.Errorf("reject = %s", r.body)
		}
		after(time.Second)
		if got := strings.Join(f.callsTold(id), ", "); !strings.HasPrefix(got, "connect USER_INITIATED "+Amara+">15550100001") || !strings.HasSuffix(got, "COMPLETED") {
			t.Errorf("webhooks = %s", got)
		}
		f.send(textTo(Amara, "Sorry we missed you")) // the call opened the window
	})
}

func TestCallsRefuse(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.takesCalls()
	f.allow(Priya, permissionAlways)
	f.control(http.MethodPut, "/sim/v1/customers/"+Priya, `{"on_whatsapp":false}`)
	for _, tc := range []struct {
		name, members string
		code          int
	}{
		{"no action", `"to":"1"`, 100},
		{"unknown action", `"action":"hold"`, 100},
		{"nobody", `"action":"connect",` + offer, 100},
		{"no session", `"action":"connect","to":"+` + Diego + `"`, 100},
		{"an answer for an offer", `"action":"connect","to":"+` + Diego + `",` + answerSDP, 100},
		{"no description", `"action":"connect","to":"+` + Diego + `","session":{"sdp_type":"offer","sdp":"x"}`, 138004},
		{"long opaque data", `"action":"connect","to":"+` + Diego + `","biz_opaque_callback_data":"` + strings.Repeat("x", 513) + `",` + offer, 100},
		{"not on WhatsApp", `"action":"connect","to":"+` + Priya + `",` + offer, 138001},
		{"no call id", `"action":"accept"`, 100},
		{"unknown call", `"action":"accept","call_id":"wacid.x"`, 138004},
	} {
		if r := f.calls(tc.members); r.status != http.StatusBadRequest || r.errorCode(t) != tc.code {
			t.Errorf("%s = %d %s, want code %d", tc.name, r.status, r.body, tc.code)
		}
	}
	f.control(http.MethodPatch, "/sim/v1/phone-numbers/"+NumberID, `{"status":"DISCONNECTED"}`)
	if r := f.calls(`"action":"accept","call_id":"x"`); r.errorCode(t) != 133010 {
		t.Errorf("number that is not registered = %s", r.body)
	}
	for path, body := range map[string]string{
		"POST /sim/v1/customers/" + Diego + "/calls":          `{"action":"accept","call_id":"x"}`,
		"POST /sim/v1/customers/1/calls":                      `{}`,
		"POST /sim/v1/customers/" + Amara + "/calls":          `{"action":"call","phone_number_id":"1"}`,
		"PUT /sim/v1/customers/" + Diego + "/call-permission": `{"phone_number_id":"` + NumberID + `","status":"maybe"}`,
		"PUT /sim/v1/customers/" + Amara + "/call-permission": `{"phone_number_id":"1","status":"permanent"}`,
	} {
		method, path, _ := strings.Cut(path, " ")
		if r, err := f.do(f.request(method, path, body)); err != nil || r.status == http.StatusOK {
			t.Errorf("%s %s = %d %v", path, body, r.status, err)
		}
	}
}

func TestCallPermissions(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.takesCalls()
	path := "/v25.0/" + NumberID + "/call_permissions?"
	read := func(query string) (status string, ask, call bool) {
		t.Helper()
		var a struct {
			Permission struct{ Status string }
			Actions    []struct {
				Can bool `json:"can_perform_action"`
			}
		}
		r := f.graph(http.MethodGet, path+query, "")
		if err := json.Unmarshal(r.body, &a); err != nil || len(a.Actions) != 2 {
			t.Fatalf("permission = %d %s", r.status, r.body)
		}
		return a.Permission.Status, a.Actions[0].Can, a.Actions[1].Can
	}
	check := func(when, query, status string, ask, call bool) {
		t.Helper()
		if s, a, c := read(query); s != status || a != ask || c != call {
			t.Errorf("%s: %s, ask %v, call %v; want %s, %v, %v", when, s, a, c, status, ask, call)
		}
	}
	check("at first", "user_wa_id="+Diego, permissionNone, true, false)
	f.writes(Diego, hi)
	request := fmt.Sprintf(`{"messaging_product":"whatsapp","to":"+%s","type":"interactive","interactive":{"type":"call_permission_request",`+
		`"body":{"text":"May we call?"},"action":{"name":"call_permission_request"}}}`, Diego)
	f.send(request)
	check("after asking", "user_wa_id=%2B"+Diego, permissionNone, false, false)
	if r := f.post(request); r.errorCode(t) != 138009 {
		t.Errorf("asking twice in a day = %s", r.body)
	}
	f.allow(Diego, permissionAlways)
	check("once allowed", "recipient="+f.sim.customer(Diego).UserID, permissionAlways, false, true)
	f.allow(Diego, permissionNone)
	check("once taken back", "user_wa_id="+Diego, permissionNone, false, false)
	for query, code := range map[string]int{"": 100, "recipient=US.nobody": 131009, "user_wa_id=x": 100} {
		if r := f.graph(http.MethodGet, path+query, ""); r.status != http.StatusBadRequest || query != "user_wa_id=x" && r.errorCode(t) != code {
			t.Errorf("%q = %s, want %d", query, r.body, code)
		}
	}
}
