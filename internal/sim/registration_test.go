package sim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"
)

// ok fails the test unless a Graph call succeeded, and decodes the answer.
func (f *fixture) ok(method, path, body string) map[string]any {
	f.t.Helper()
	r := f.graph(method, path, body)
	var v map[string]any
	if err := json.Unmarshal(r.body, &v); r.status != http.StatusOK || err != nil {
		f.t.Fatalf("%s %s = %d %s", method, path, r.status, r.body)
	}
	return v
}

// fails expects Meta's code.
func (f *fixture) fails(method, path, body string, code int) {
	f.t.Helper()
	if r := f.graph(method, path, body); r.status == http.StatusOK || r.errorCode(f.t) != code {
		f.t.Errorf("%s %s %s = %d %s, want code %d", method, path, body, r.status, r.body, code)
	}
}

func (f *fixture) setupOf(id string) map[string]any {
	f.t.Helper()
	var v map[string]any
	if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/phone-numbers/"+id, ""), &v); err != nil {
		f.t.Fatal(err)
	}
	return v
}

const aPin = `{"messaging_product":"whatsapp","pin":"654321"}`

func TestNumberFromAdditionToDeregistration(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		add := `{"cc":"1","phone_number":"5550100077","verified_name":"Waxwing Shop"}`
		id, _ := f.ok("POST", "/v25.0/"+AccountID+"/phone_numbers", add)["id"].(string)
		if again, _ := f.ok("POST", "/v25.0/"+AccountID+"/phone_numbers", strings.Replace(add, "77", "78", 1))["id"].(string); again == id || id == "" {
			t.Fatalf("ids %q and %q", id, again)
		}
		f.fails("POST", "/v25.0/"+AccountID+"/phone_numbers", add, 100) // it is there already
		f.fails("POST", "/v25.0/"+AccountID+"/phone_numbers", `{"cc":"1","phone_number":"5550100079","verified_name":"x"}`, 100)
		n := f.setupOf(id)
		if n["status"] != "PENDING" || n["code_verification_status"] != "NOT_VERIFIED" || n["is_pin_enabled"] != false {
			t.Errorf("added number = %v", n)
		}
		f.fails("POST", "/v25.0/"+id+"/register", aPin, 133006)
		f.fails("POST", "/v25.0/"+id+"/verify_code", `{"code":"000000"}`, 136024)
		f.fails("POST", "/v25.0/"+id+"/request_code", `{"code_method":"PIGEON","language":"en_US"}`, 100)
		f.ok("POST", "/v25.0/"+id+"/request_code?code_method=VOICE&language=en_US", "")
		code, _ := f.setupOf(id)["verification_code"].(string)
		if len(code) != 6 || f.setupOf(id)["code_method"] != "VOICE" {
			t.Fatalf("verification = %v", f.setupOf(id))
		}
		time.Sleep(codeLife)
		f.fails("POST", "/v25.0/"+id+"/verify_code", `{"code":"`+code+`"}`, 136024) // too late
		f.ok("POST", "/v25.0/"+id+"/request_code", `{"code_method":"SMS","language":"en_US"}`)
		code, _ = f.setupOf(id)["verification_code"].(string)
		f.ok("POST", "/v25.0/"+id+"/verify_code", `{"code":"`+code[:3]+"-"+code[3:]+`"}`)
		f.fails("POST", "/v25.0/"+id+"/request_code", `{"code_method":"SMS","language":"en_US"}`, 136025)

		for _, bad := range []string{`{"messaging_product":"whatsapp","pin":"12345"}`, `{"pin":"654321"}`,
			`{"messaging_product":"whatsapp","pin":"654321","data_localization_region":"US"}`} {
			f.fails("POST", "/v25.0/"+id+"/register", bad, 100)
		}
		f.ok("POST", "/v25.0/"+id+"/register", `{"messaging_product":"whatsapp","pin":"654321","data_localization_region":"DE"}`)
		if n := f.setupOf(id); n["status"] != "CONNECTED" || n["pin"] != "654321" || n["data_localization_region"] != "DE" {
			t.Errorf("registered number = %v", n)
		}
		time.Sleep(time.Second)
		if hooks := f.app.taken(); len(hooks) != 1 || !strings.Contains(string(hooks[0].body), `"event":"ONBOARDING"`) {
			t.Errorf("%d webhooks, want one of the onboarding", len(hooks))
		}
		f.ok("POST", "/v25.0/"+id+"/deregister", `{"messaging_product":"whatsapp"}`)
		f.fails("POST", "/v25.0/"+id+"/deregister", `{"messaging_product":"whatsapp"}`, 133010)
		f.ok("POST", "/v25.0/"+id+"/register", aPin)
	})
}

func TestPINIsLockedAfterGuesses(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		for range pinGuesses {
			f.fails("POST", "/v25.0/"+NumberID+"/register", aPin, 133005)
		}
		right := `{"messaging_product":"whatsapp","pin":"` + NumberPIN + `"}`
		f.fails("POST", "/v25.0/"+NumberID+"/register", right, 133008)
		time.Sleep(pinLock)
		f.ok("POST", "/v25.0/"+NumberID+"/register", right)
		f.ok("POST", "/v25.0/"+NumberID, `{"pin":"654321"}`)
		f.ok("POST", "/v25.0/"+NumberID+"/register", aPin)
		f.fails("POST", "/v25.0/"+NumberID, `{"pin":"6543"}`, 100)
	})
}

func TestRegistrationsAreCounted(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		right := `{"messaging_product":"whatsapp","pin":"` + NumberPIN + `"}`
		for range registrations {
			f.ok("POST", "/v25.0/"+NumberID+"/register", right)
			time.Sleep(time.Hour)
		}
		f.fails("POST", "/v25.0/"+NumberID+"/register", right, 133016)
		time.Sleep(registrationWindow - registrations*time.Hour)
		f.ok("POST", "/v25.0/"+NumberID+"/register", right)
	})
}

func TestNumberMigrates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	add := `{"cc":"1","phone_number":"5550100002","verified_name":"Newcomer"`
	f.fails("POST", "/v25.0/"+AccountID+"/phone_numbers", add+`}`, 100)
	id, _ := f.ok("POST", "/v25.0/"+AccountID+"/phone_numbers", add+`,"migrate_phone_number":true}`)["id"].(string)
	if n := f.setupOf(id); n["pin"] != NumberPIN || n["status"] != "PENDING" {
		t.Errorf("the number = %v, want it with its PIN", n)
	}
	if n := f.setupOf(NewNumberID); n["status"] != "MIGRATED" {
		t.Errorf("the number it was = %v", n["status"])
	}
}

func TestBusinessProfile(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	path := "/v25.0/" + NumberID + "/whatsapp_business_profile"
	f.ok("POST", path, `{"messaging_product":"whatsapp","about":"Open","email":"a@shop.test","websites":["https://shop.test"],"vertical":"RETAIL"}`)
	f.ok("POST", path, `{"messaging_product":"whatsapp","email":"","description":"Shoes"}`)
	got := f.ok("GET", path+"?fields=about,email,description,websites,vertical", "")
	one := got["data"].([]any)[0].(map[string]any)
	if one["about"] != "Open" || one["description"] != "Shoes" || one["vertical"] != "RETAIL" || one["email"] != nil || one["messaging_product"] != "whatsapp" {
		t.Errorf("profile = %v", one)
	}
	for _, bad := range []string{`{"about":"x"}`, `{"messaging_product":"whatsapp","about":""}`, `{"messaging_product":"whatsapp","vertical":"SHOES"}`,
		`{"messaging_product":"whatsapp","websites":["shop.test"]}`, `{"messaging_product":"whatsapp","about":"` + strings.Repeat("é", 140) + `"}`,
		`{"messaging_product":"whatsapp","websites":["https://a.test","https://b.test","https://c.test"]}`} {
		f.fails("POST", path, bad, 100)
	}
	f.fails("GET", path+"?fields=shoe_size", "", 100)
}

func TestCallSettings(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	path := "/v25.0/" + NumberID + "/settings"
	if got := f.ok("GET", path, "")["calling"].(map[string]any); got["status"] != "DISABLED" {
		t.Errorf("settings at first = %v", got)
	}
	f.ok("POST", path, `{"calling":{"status":"ENABLED","call_hours":{"status":"ENABLED","timezone_id":"Europe/Berlin","weekly_operating_hours":[
		{"day_of_week":"MONDAY","open_time":"0800","close_time":"1200"},{"day_of_week":"MONDAY","open_time":"1300","close_time":"1700"}],
		"holiday_schedule":[{"date":"2026-12-25","start_time":"0000","end_time":"2359"}]}}}`)
	f.ok("POST", path, `{"calling":{"call_icon_visibility":"DISABLE_ALL"}}`)
	got := f.ok("GET", path, "")["calling"].(map[string]any)
	if got["status"] != "ENABLED" || got["call_icon_visibility"] != "DISABLE_ALL" || got["call_hours"] == nil {
		t.Errorf("settings = %v", got)
	}
	for _, bad := range []string{`{}`, `{"calling":{"status":"ON"}}`, `{"calling":{"call_hours":{"status":"ENABLED"}}}`,
		`{"calling":{"call_hours":{"status":"ENABLED","timezone_id":"UTC","weekly_operating_hours":[{"day_of_week":"MONDAY","open_time":"1200","close_time":"0800"}]}}}`,
		`{"calling":{"call_hours":{"status":"ENABLED","timezone_id":"UTC","weekly_operating_hours":[{"day_of_week":"MONDAY","open_time":"0800","close_time":"1200"},
			{"day_of_week":"MONDAY","open_time":"1100","close_time":"1300"}]}}}`,
		`{"calling":{"call_hours":{"status":"DISABLED","holiday_schedule":[{"date":"25.12."}]}}}`} {
		f.fails("POST", path, bad, 100)
	}
	f.control(http.MethodPatch, "/sim/v1/phone-numbers/"+NumberID, `{"status":"PENDING"}`)
	f.fails("POST", path, `{"calling":{"status":"ENABLED"}}`, 133010)
}

func TestTemplateAnalytics(t *testing.T) {
	t.Parallel()
	bubble(t, Options{}, func(f *fixture) {
		f.send(`{"messaging_product":"whatsapp","to":"` + Diego + `","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`)
		time.Sleep(time.Minute)
		a := f.sim.st.accounts[AccountID]
		now := f.sim.now().Unix()
		ask := func(args string) string { return "/v25.0/" + AccountID + "?fields=template_analytics" + args }
		args := func(from int64) string {
			return ".start(" + strconv.FormatInt(from, 10) + ").end(" + strconv.FormatInt(now+1, 10) + ").granularity(DAILY).template_ids([" + a.templates[0].ID + "," + a.templates[1].ID + "])"
		}
		got := f.ok("GET", ask(args(now-1)), "")["template_analytics"].(map[string]any)["data"].([]any)[0].(map[string]any)["data_points"].([]any)
		first, second := got[0].(map[string]any), got[1].(map[string]any)
		if len(got) != 2 || first["sent"] != 1.0 || first["delivered"] != 1.0 || first["read"] != 0.0 || second["sent"] != 0.0 {
			t.Errorf("points = %v", got)
		}
		f.fails("GET", ask(""), "", 100)
		f.fails("GET", ask(args(now-100*day)), "", 100)
		f.fails("GET", ask(".start(1).end(2).granularity(HOURLY).template_ids([])"), "", 100)
	})
}
