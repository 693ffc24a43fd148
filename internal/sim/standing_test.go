package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const accountControl, numberControl = "/sim/v1/accounts/" + AccountID, "/sim/v1/phone-numbers/" + NumberID

// changes lists what webhooks told, as "field value", in order.
func (a *app) changes(t *testing.T) (list []string) {
	t.Helper()
	for _, h := range a.taken() {
		var e struct {
			Entry []struct {
				ID      string
				Time    int64
				Changes []struct {
					Field string
					Value json.RawMessage
				}
			}
		}
		if err := json.Unmarshal(h.body, &e); err != nil {
			t.Fatal(err)
		}
		for _, entry := range e.Entry {
			for _, c := range entry.Changes {
				if c.Field != "messages" && (entry.ID != AccountID || entry.Time == 0) {
					t.Errorf("%s is about %s at %d", c.Field, entry.ID, entry.Time)
				}
				list = append(list, c.Field+" "+string(c.Value))
			}
		}
	}
	return list
}

// normal brings JSON into one form.
func normal(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every webhook about an account, a number or an app on a phone has a control that brings it about, in Meta's form.
func TestAccountWebhooks(t *testing.T) {
	t.Parallel()
	const waba = `"waba_info":{"waba_id":"` + AccountID + `","owner_business_id":"1500000000000001"`
	const alertInfo = `{"alert_severity":"WARNING","alert_status":"ACTIVE","alert_type":"INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED","alert_description":"More activity needed"}`
	for _, tc := range []struct{ name, path, patch, field, value string }{
		{"violation", accountControl, `{"violation_type":"ALCOHOL"}`, "account_update", `{"event":"ACCOUNT_VIOLATION","violation_info":{"violation_type":"ALCOHOL"}}`},
		{"restriction", accountControl, `{"restrictions":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1764400000}]}`, "account_update",
			`{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1764400000}]}`},
		{"ban to come", accountControl, `{"ban_state":"SCHEDULE_FOR_DISABLE","ban_date":"2030-04-17T00:00:00Z"}`, "account_update",
			`{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE","waba_ban_date":"April 17, 2030"}}`},
		{"ban", accountControl, `{"ban_state":"disable","ban_date":"2025-04-17T00:00:00Z"}`, "account_update",
			`{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"April 17, 2025"}}`},
		{"reinstatement", accountControl, `{"ban_state":"REINSTATE","ban_date":"2025-04-18T00:00:00Z"}`, "account_update",
			`{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"REINSTATE","waba_ban_date":"April 18, 2025"}}`},
		{"deletion", accountControl, `{"deleted":true}`, "account_update", `{"event":"ACCOUNT_DELETED"}`},
		{"offboarding", accountControl, `{"offboarded":true}`, "account_update", `{"event":"ACCOUNT_OFFBOARDED",` + waba + `}}`},
		{"partner", accountControl, `{"partner":"added"}`, "account_update", `{"event":"PARTNER_ADDED",` + waba + `}}`},
		{"partner removed", accountControl, `{"partner":"REMOVED","disconnection_info":{"reason":"BUSINESS_DOWNGRADE","initiated_by":"BUSINESS"}}`, "account_update",
			`{"event":"PARTNER_REMOVED",` + waba + `},"disconnection_info":{"reason":"BUSINESS_DOWNGRADE","initiated_by":"BUSINESS"}}`},
		{"app", accountControl, `{"partner":"APP_INSTALLED"}`, "account_update", `{"event":"PARTNER_APP_INSTALLED",` + waba + `,"partner_app_id":"` + AppID + `"}}`},
		{"app removed", accountControl, `{"partner":"APP_UNINSTALLED"}`, "account_update", `{"event":"PARTNER_APP_UNINSTALLED",` + waba + `,"partner_app_id":"` + AppID + `"}}`},
		{"verification", accountControl, `{"partner_client_certification_info":{"status":"REJECTED","rejection_reasons":["LEGAL_NAME_NOT_MATCHING"]}}`, "account_update",
			`{"event":"PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE","partner_client_certification_info":{"client_business_id":"1500000000000001","status":"REJECTED",` +
				`"rejection_reasons":["LEGAL_NAME_NOT_MATCHING"]}}`},
		{"country", accountControl, `{"country":"DE"}`, "account_update", `{"event":"BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE","country":"DE"}`},
		{"international rates", accountControl, `{"auth_international_rate_eligibility":{"start_time":1764400000,"exception_countries":[{"country_code":"IN","start_time":1764500000}]}}`,
			"account_update", `{"event":"AUTH_INTL_PRICE_ELIGIBILITY_UPDATE","auth_international_rate_eligibility":{"start_time":1764400000,` +
				`"exception_countries":[{"country_code":"IN","start_time":1764500000}]}}`},
		{"volume tier", accountControl, `{"volume_tier_info":{"tier_update_time":1763800000,"pricing_category":"UTILITY","tier":"100001:200000","effective_month":"2026-11","region":"Germany"}}`,
			"account_update", `{"event":"VOLUME_BASED_PRICING_TIER_UPDATE","volume_tier_info":{"tier_update_time":1763800000,"pricing_category":"UTILITY","tier":"100001:200000",` +
				`"effective_month":"2026-11","region":"Germany"}}`},
		{"advertising account", accountControl, `{"ad_account_linked":"4711"}`, "account_update", `{"event":"AD_ACCOUNT_LINKED",` + waba + `,"ad_account_linked":"4711"}}`},
		{"marketing messages", accountControl, `{"marketing_messages":true}`, "account_update", `{"event":"MM_LITE_TERMS_SIGNED",` + waba + `}}`},
		{"review", accountControl, `{"review_status":"DEFERRED"}`, "account_review_update", `{"decision":"DEFERRED"}`},
		{"alert", accountControl, `{"alert":{"alert_type":"INCREASED_CAPABILITIES_ELIGIBILITY_DEFERRED","alert_description":"More activity needed"}}`, "account_alerts",
			`{"entity_type":"BUSINESS","entity_id":"1500000000000001","alert_info":` + alertInfo + `}`},
		{"capability", accountControl, `{"business_capability":{"max_daily_conversations_per_business":"TIER_2K","max_phone_numbers_per_waba":25}}`, "business_capability_update",
			`{"max_daily_conversations_per_business":"TIER_2K","max_phone_numbers_per_waba":25}`},

		{"alert of a number", numberControl, `{"alert":{"alert_severity":"INFORMATIONAL","alert_type":"PROFILE_PICTURE_LOST"}}`, "account_alerts",
			`{"entity_type":"PHONE_NUMBER","entity_id":"` + NumberID + `","alert_info":{"alert_severity":"INFORMATIONAL","alert_status":"ACTIVE","alert_type":"PROFILE_PICTURE_LOST","alert_description":""}}`},
		{"quality watched", numberControl, `{"status":"FLAGGED"}`, "phone_number_quality_update",
			`{"display_phone_number":"15550100001","event":"FLAGGED","max_daily_conversations_per_business":"TIER_UNLIMITED"}`},
		{"throughput", numberControl, `{"throughput":"HIGH"}`, "phone_number_quality_update",
			`{"display_phone_number":"15550100001","event":"THROUGHPUT_UPGRADE","max_daily_conversations_per_business":"TIER_UNLIMITED"}`},
		{"name declined", numberControl, `{"name_status":"DECLINED","name_rejection_reason":"NAME_NOT_CONSISTENT"}`, "phone_number_name_update",
			`{"display_phone_number":"15550100001","decision":"REJECTED","requested_verified_name":"Waxwing Demo","rejection_reason":"NAME_NOT_CONSISTENT"}`},
		{"user name", numberControl, `{"username":{"decision":"APPROVED","requested_username":"waxwing"}}`, "phone_number_username_update",
			`{"decision":"APPROVED","requested_username":"waxwing"}`},
		{"forgotten PIN", numberControl, `{"pin_reset":"requested"}`, "security",
			`{"display_phone_number":"15550100001","event":"PIN_RESET_REQUEST","requester":"1500000000000001"}`},
		{"PIN gone", numberControl, `{"pin_reset":"DONE"}`, "security", `{"display_phone_number":"15550100001","event":"PIN_REQUEST_SUCCESS"}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, Options{}, func(f *fixture) {
				f.control(http.MethodPatch, tc.path, tc.patch)
				after(time.Second)
				got := f.app.changes(t)
				if len(got) != 1 {
					t.Fatalf("webhooks %q, want one", got)
				}
				field, value, _ := strings.Cut(got[0], " ")
				if field != tc.field {
					t.Errorf("field %s, want %s", field, tc.field)
				}
				if diff := cmp.Diff(normal(t, tc.value), normal(t, value)); diff != "" {
					t.Errorf("value (-want +got):\n%s", diff)
				}
			})
		})
	}
}

func TestReconnected(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPatch, accountControl, `{"offboarded":true}`)
		if got := f.post(templateTo(Diego, "hello_world")).errorCode(t); got != 133010 {
			t.Errorf("sending while offboarded: %d", got)
		}
		f.control(http.MethodPatch, accountControl, `{"offboarded":false}`)
		f.send(templateTo(Diego, "hello_world"))
		after(time.Minute)
		if got := f.app.changes(t); !strings.Contains(got[1], "ACCOUNT_RECONNECTED") {
			t.Errorf("webhooks %q", got)
		}
	})
}

func TestBans(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		health := func() string {
			return string(f.graph(http.MethodGet, "/v25.0/"+AccountID+"?fields=health_status", "").body)
		}
		at := time.Now().Add(time.Hour).UTC()
		f.control(http.MethodPatch, accountControl, `{"ban_state":"SCHEDULE_FOR_DISABLE","ban_date":"`+at.Format(time.RFC3339)+`"}`)
		f.send(templateTo(Diego, "hello_world"))
		after(time.Hour + time.Second)
		if r := f.post(templateTo(Diego, "hello_world")); r.errorCode(t) != 131031 || r.status != http.StatusForbidden {
			t.Errorf("sending when disabled: %d %s", r.status, r.body)
		}
		if h := health(); !strings.Contains(h, "BLOCKED") {
			t.Errorf("health %s", h)
		}
		if r, err := f.do(f.request(http.MethodPost, "/sim/v1/customers/"+Diego+"/messages", `{"phone_number_id":"`+NumberID+`","message":`+hi+`}`)); err != nil || r.status != http.StatusBadRequest {
			t.Errorf("writing to a disabled account: %d %v", r.status, err)
		}
		f.control(http.MethodPatch, accountControl, `{"ban_state":"REINSTATE"}`)
		f.send(templateTo(Diego, "hello_world"))
		if h := health(); !strings.Contains(h, `"can_send_message":"AVAILABLE"`) {
			t.Errorf("health %s", h)
		}
		// A ban that was called off does not come.
		f.control(http.MethodPatch, accountControl, `{"ban_state":"SCHEDULE_FOR_DISABLE"}`)
		f.control(http.MethodPatch, accountControl, `{"ban_state":"REINSTATE"}`)
		after(30 * 24 * time.Hour)
		f.send(templateTo(Diego, "hello_world"))
		var states []string
		for _, c := range f.app.changes(t) {
			if _, rest, ok := strings.Cut(c, `"waba_ban_state":"`); ok {
				state, _, _ := strings.Cut(rest, `"`)
				states = append(states, state)
			}
		}
		if want := []string{banScheduled, banDisabled, banLifted, banScheduled, banLifted}; !slices.Equal(states, want) {
			t.Errorf("told %v, want %v", states, want)
		}
	})
}

func TestRestrictions(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.control(http.MethodPost, "/sim/v1/customers/"+Diego+"/messages", `{"phone_number_id":"`+NumberID+`","message":`+hi+`}`)
		restrict := func(kind string) {
			f.control(http.MethodPatch, accountControl, `{"restrictions":[{"restriction_type":"`+kind+`","expiration":`+fmt.Sprint(time.Now().Add(time.Hour).Unix())+`}]}`)
		}
		code := func(body string) int {
			if r := f.post(body); r.status != http.StatusOK {
				return r.errorCode(t)
			}
			return 0
		}
		for _, tc := range []struct {
			kind                               string
			starting, answering, answeringWith int // codes of a template to a stranger, a text and a template to who has written
		}{
			{noStarting, 368, 0, 0},
			{noAnswering, 0, 368, 368},
			{noUtility, 131064, 0, 131064},
			{noCalling, 0, 0, 0},
		} {
			restrict(tc.kind)
			got := [3]int{code(templateTo(Amara, "hello_world")), code(textTo(Diego, "Hello")), code(templateTo(Diego, "hello_world"))}
			if want := [3]int{tc.starting, tc.answering, tc.answeringWith}; got != want {
				t.Errorf("%s: codes %v, want %v", tc.kind, got, want)
			}
			after(time.Hour) // it ends by itself
			if got := code(templateTo(Amara, "hello_world")) + code(textTo(Diego, "Hello")); got != 0 {
				t.Errorf("%s: still refused after it ended", tc.kind)
			}
		}
		restrict(noNumbers)
		add := `{"cc":"1","phone_number":"5550100009","verified_name":"Another"}`
		if r := f.graph(http.MethodPost, "/v25.0/"+AccountID+"/phone_numbers", add); r.errorCode(t) != 368 {
			t.Errorf("adding a number: %s", r.body)
		}
		f.control(http.MethodPatch, accountControl, `{"restrictions":[]}`)
		if r := f.graph(http.MethodPost, "/v25.0/"+AccountID+"/phone_numbers", add); r.status != http.StatusOK {
			t.Errorf("adding a number without the restriction: %s", r.body)
		}
		f.control(http.MethodPatch, numberControl, `{"status":"RESTRICTED"}`)
		if got := [2]int{code(templateTo(Amara, "hello_world")), code(textTo(Diego, "Hello"))}; got != [2]int{131048, 0} {
			t.Errorf("a restricted number: codes %v", got)
		}
		f.control(http.MethodPatch, numberControl, `{"status":"FLAGGED"}`)
		if got := code(templateTo(Amara, "hello_world")); got != 0 {
			t.Errorf("a flagged number: code %d", got)
		}
	})
}

// A call is a conversation, too.
func TestRestrictedCalls(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	f.graph(http.MethodPost, "/v25.0/"+NumberID+"/settings", `{"calling":{"status":"ENABLED"}}`)
	f.control(http.MethodPut, "/sim/v1/customers/"+Diego+"/call-permission", `{"phone_number_id":"`+NumberID+`","status":"permanent"}`)
	f.control(http.MethodPatch, accountControl, `{"restrictions":[{"restriction_type":"RESTRICTED_BUSINESS_INITIATED_CALLING"},{"restriction_type":"RESTRICTED_USER_INITIATED_CALLING"}]}`)
	offer := string(mustJSON(t, object{"messaging_product": "whatsapp", "to": Diego, "action": "connect", "session": object{"sdp_type": "offer", "sdp": sampleSDP}}))
	if r := f.graph(http.MethodPost, "/v25.0/"+NumberID+"/calls", offer); r.errorCode(t) != 138013 {
		t.Errorf("calling: %s", r.body)
	}
	r, err := f.do(f.request(http.MethodPost, "/sim/v1/customers/"+Diego+"/calls", `{"action":"call","phone_number_id":"`+NumberID+`"}`))
	if err != nil || r.status != http.StatusBadRequest {
		t.Errorf("being called: %d %v", r.status, err)
	}
}

func mustJSON(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What the owner of an account takes away is gone for the app.
func TestAccessEnds(t *testing.T) {
	t.Parallel()
	for _, patch := range []string{`{"partner":"REMOVED"}`, `{"partner":"APP_UNINSTALLED"}`, `{"deleted":true}`} {
		bubble(t, Options{}, func(f *fixture) {
			f.control(http.MethodPatch, accountControl, patch)
			for _, path := range []string{AccountID, NumberID} {
				if r := f.graph(http.MethodGet, "/v25.0/"+path, ""); r.errorCode(t) != 100 || r.graphError(t).Subcode != 33 {
					t.Errorf("%s: reading %s: %s", patch, path, r.body)
				}
			}
			if r := f.post(templateTo(Diego, "hello_world")); r.errorCode(t) != 100 {
				t.Errorf("%s: sending: %s", patch, r.body)
			}
			if patch != `{"deleted":true}` {
				f.writes(Diego, hi)
			}
			after(time.Minute)
			if got := f.app.changes(t); len(got) != 1 {
				t.Errorf("%s: webhooks %q, want only the one that tells", patch, got)
			}
			other, err := f.do(f.request(http.MethodGet, "/v25.0/"+NewAccountID, "", "Authorization", "Bearer "+NewAccessToken))
			if err != nil || other.status != http.StatusOK {
				t.Errorf("%s: the other account: %d %v", patch, other.status, err)
			}
		})
	}
}

func TestAccountPatchRefuses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	for _, tc := range []struct {
		path, body, say string
		status          int
	}{
		{accountControl, `{"ban_state":"FOREVER"}`, "ban_state must be one of", 400},
		{accountControl, `{"restrictions":[{"restriction_type":"X"}]}`, "restrictions[0].restriction_type", 400},
		{accountControl, `{"review_status":"MAYBE"}`, "review_status", 400},
		{accountControl, `{"partner":"SOLD"}`, "partner must be", 400},
		{accountControl, `{"disconnection_info":{}}`, "goes with partner REMOVED", 400},
		{accountControl, `{"partner_client_certification_info":{"status":"X"}}`, "status", 400},
		{accountControl, `{"country":"Germany"}`, "two letters", 400},
		{accountControl, `{"business_capability":{}}`, "business_capability", 400},
		{accountControl, `{"alert":{}}`, "alert_type", 400},
		{accountControl, `{"alert":{"alert_type":"X","alert_severity":"LOUD"}}`, "alert_severity", 400},
		{accountControl, `{"banned":true}`, "unknown field", 400},
		{"/sim/v1/accounts/4711", `{}`, "no business account", 404},
		{numberControl, `{"pin_reset":"NO"}`, "pin_reset", 400},
		{numberControl, `{"name_rejection_reason":"UGLY"}`, "name_rejection_reason", 400},
		{numberControl, `{"username":{}}`, "requested_username", 400},
	} {
		r, err := f.do(f.request(http.MethodPatch, tc.path, tc.body))
		if err != nil || r.status != tc.status || !strings.Contains(string(r.body), tc.say) {
			t.Errorf("PATCH %s = %d %s, want %d that says %q", tc.body, r.status, r.body, tc.status, tc.say)
		}
	}
}

func TestFlowAlerts(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		id := f.flow("Survey", goodFlow)
		after(time.Second)
		before := len(f.app.changes(t))
		f.control(http.MethodPatch, "/sim/v1/flows/"+id, `{"alert":{"event":"ENDPOINT_ERROR_RATE","alert_state":"ACTIVATED","threshold":10,"error_rate":14.5,"requests_count":100}}`)
		after(time.Second)
		got := f.app.changes(t)[before:]
		want := `{"event":"ENDPOINT_ERROR_RATE","alert_state":"ACTIVATED","threshold":10,"error_rate":14.5,"requests_count":100,"flow_id":"` + id + `"}`
		if len(got) != 1 || normal(t, strings.TrimPrefix(got[0], "flows ")) != normal(t, want) {
			t.Errorf("webhooks %q", got)
		}
		if r, err := f.do(f.request(http.MethodPatch, "/sim/v1/flows/"+id, `{"alert":{"event":"X"}}`)); err != nil || r.status != http.StatusBadRequest {
			t.Errorf("an unknown alert: %d %v", r.status, err)
		}
	})
}
