package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

type object = map[string]any

// simulator calls the simulator's control API with JSON both ways.
func (n *node) simulator(t *testing.T, method, path string, body any) object {
	t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	var v object
	if err := json.Unmarshal([]byte(n.control(t, method, path, string(raw))), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// does calls an operation that has to succeed.
func (n *node) does(t *testing.T, method, path string, body any) object {
	t.Helper()
	res := n.api.Do(t, method, path, body)
	var v object
	res.JSON(t, &v)
	if res.Status != http.StatusOK {
		t.Fatalf("%s %s = %d %s", method, path, res.Status, res.Body)
	}
	return v
}

// refused expects an error's code and a part of its text.
func (n *node) refused(t *testing.T, method, path string, body any, status int, code, text string) {
	t.Helper()
	if res := n.api.Do(t, method, path, body); res.Status != status || res.Code() != code || !strings.Contains(res.Message(), text) {
		t.Errorf("%s %s %v = %d %s %s\nwant %d %s … %s", method, path, body, res.Status, res.Code(), res.Message(), status, code, text)
	}
}

// unhurried raises the quotas that a test would meet.
func unhurried(c *config.Config) {
	for _, op := range []string{"AssociateWhatsAppBusinessAccount", "DisassociateWhatsAppBusinessAccount", "GetLinkedWhatsAppBusinessAccount",
		"GetLinkedWhatsAppBusinessAccountPhoneNumber", "ListLinkedWhatsAppBusinessAccounts", "UpdateLinkedWhatsAppBusinessAccountPhoneNumber"} {
		c.Limits[op] = 1000
	}
}

// begun is the first phase of a sign-up with one business account.
type begun struct {
	token, metaID, waba string
	numbers             []string // our ids
}

const signUpPath = "/v1/whatsapp/signup"

func (n *node) begin(t *testing.T, credential string) begun {
	t.Helper()
	return n.beginWith(t, object{"signupCallback": object{"accessToken": credential}})
}

func (n *node) beginWith(t *testing.T, request object) begun {
	t.Helper()
	var out struct {
		Result struct {
			Token    string `json:"associateInProgressToken"`
			Accounts map[string]struct {
				Name    string           `json:"accountName"`
				Status  string           `json:"registrationStatus"`
				WABA    string           `json:"wabaId"`
				Numbers []map[string]any `json:"unregisteredWhatsAppPhoneNumbers"`
			} `json:"linkedAccountsWithIncompleteSetup"`
		} `json:"signupCallbackResult"`
		StatusCode int `json:"statusCode"`
	}
	res := n.api.Do(t, "POST", signUpPath, request)
	res.JSON(t, &out)
	if res.Status != http.StatusOK || out.StatusCode != 200 || out.Result.Token == "" || len(out.Result.Token) > 50 {
		t.Fatalf("first phase = %d %s", res.Status, res.Body)
	}
	b := begun{token: out.Result.Token}
	for id, a := range out.Result.Accounts {
		b.metaID, b.waba = id, a.WABA
		for _, p := range a.Numbers {
			b.numbers = append(b.numbers, p["phoneNumberId"].(string))
		}
	}
	return b
}

// finish is a request for the second phase.
func finish(b begun, changes object) object {
	setup := object{"associateInProgressToken": b.token, "phoneNumbers": []object{}, "waba": object{"id": b.waba}}
	if len(b.numbers) > 0 {
		setup["phoneNumbers"] = []object{{"id": b.numbers[0], "twoFactorPin": sim.NumberPIN}}
	}
	for k, v := range changes {
		if v == nil {
			delete(setup, k)
		} else {
			setup[k] = v
		}
	}
	return object{"setupFinalization": setup}
}

func TestSignUpStory(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unhurried)
	b := n.begin(t, sim.NewAccessToken)
	if b.metaID != sim.NewAccountID || len(b.numbers) != 1 || !strings.HasPrefix(b.waba, "arn:aws:social-messaging:us-east-1:000000000000:waba/") {
		t.Fatalf("first phase = %+v", b)
	}
	details := "/v1/whatsapp/waba/details?id=" + url.QueryEscape(b.waba)
	if got := n.does(t, "GET", details, nil)["account"].(object); got["registrationStatus"] != "INCOMPLETE" || got["wabaId"] != sim.NewAccountID {
		t.Errorf("between the phases = %v", got)
	}
	n.refused(t, "POST", "/v1/whatsapp/send", object{"originationPhoneNumberId": b.numbers[0], "metaApiVersion": "v20.0", "message": []byte(template)},
		400, "InvalidParametersException", "Incomplete setup")

	// What is wrong is told, changes nothing and leaves the token to be used again.
	for _, tc := range []struct {
		name    string
		changes object
		text    string
	}{
		{"wrong PIN", object{"phoneNumbers": []object{{"id": b.numbers[0], "twoFactorPin": "000000"}}}, "PIN"},
		{"PIN of five digits", object{"phoneNumbers": []object{{"id": b.numbers[0], "twoFactorPin": "12345"}}}, "six digits"},
		{"unknown number", object{"phoneNumbers": []object{{"id": "phone-number-id-" + strings.Repeat("9", 32), "twoFactorPin": "123456"}}}, "no phone number"},
		{"the same number twice", object{"phoneNumbers": []object{{"id": b.numbers[0], "twoFactorPin": "123456"}, {"id": sim.NewNumberID, "twoFactorPin": "123456"}}}, "twice"},
		{"country without local storage", object{"phoneNumbers": []object{{"id": b.numbers[0], "twoFactorPin": "123456", "dataLocalizationRegion": "US"}}}, "US"},
		{"unknown business account", object{"waba": object{"id": "waba-" + strings.Repeat("9", 32)}}, "no WhatsApp Business Account"},
		{"neither waba nor parent", object{"waba": nil}, "Exactly one"},
		{"both waba and parent", object{"phoneNumberParent": "waba-00000000000000000000000000000001"}, "Exactly one"},
		{"parent that is not finished", object{"waba": nil, "phoneNumberParent": b.waba}, "not finished"},
		{"FIFO topic", object{"waba": object{"id": b.waba, "eventDestinations": []object{{"eventDestinationArn": "arn:aws:sns:us-east-1:000000000000:x.fifo"}}}}, "FIFO"},
		{"reserved tag", object{"waba": object{"id": b.waba, "tags": []object{{"key": "aws:x"}}}}, "reserved"},
		{"another token", object{"associateInProgressToken": "guess"}, "associateInProgressToken"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n.refused(t, "POST", signUpPath, finish(b, tc.changes), 400, "InvalidParametersException", tc.text)
		})
	}
	if got := n.does(t, "GET", details, nil)["account"].(object); got["registrationStatus"] != "INCOMPLETE" {
		t.Errorf("after refusals = %v", got["registrationStatus"])
	}

	done := finish(b, object{
		"phoneNumbers": []object{{"id": b.numbers[0], "twoFactorPin": sim.NumberPIN, "dataLocalizationRegion": "DE", "tags": []object{{"key": "line", "value": "1"}}}},
		"waba": object{"id": b.metaID, "tags": []object{{"key": "team", "value": "ops"}},
			"eventDestinations": []object{{"eventDestinationArn": "arn:aws:sns:us-east-1:000000000000:whatsapp-events"}}}})
	out := n.does(t, "POST", signUpPath, done)
	id := "waba-" + b.waba[strings.LastIndex(b.waba, "/")+1:]
	if out["linkedWhatsAppBusinessAccountId"] != id || out["statusCode"] != 200.0 {
		t.Errorf("second phase = %v", out)
	}
	n.refused(t, "POST", signUpPath, done, 400, "InvalidParametersException", "associateInProgressToken") // single use
	got := n.does(t, "GET", details, nil)["account"].(object)
	if got["registrationStatus"] != "COMPLETE" || len(got["eventDestinations"].([]any)) != 1 {
		t.Errorf("linked = %v", got)
	}
	if p := got["phoneNumbers"].([]any)[0].(object); p["dataLocalizationRegion"] != "DE" || p["phoneNumber"] != sim.NewNumberPhone {
		t.Errorf("number = %v", p)
	}
	for arn, want := range map[string]string{b.waba: "team", strings.Replace(b.waba, "waba/"+id[5:], "phone-number-id/"+b.numbers[0][16:], 1): "line"} {
		if tags := fmt.Sprint(n.does(t, "GET", "/v1/tags/list?resourceArn="+url.QueryEscape(arn), nil)["tags"]); !strings.Contains(tags, want) {
			t.Errorf("tags of %s = %s", arn, tags)
		}
	}
	if s := n.simulator(t, "GET", "/sim/v1/phone-numbers/"+sim.NewNumberID, nil); s["status"] != "CONNECTED" || s["data_localization_region"] != "DE" {
		t.Errorf("at Meta = %v", s)
	}
	n.does(t, "POST", "/v1/whatsapp/send", object{"originationPhoneNumberId": b.numbers[0], "metaApiVersion": "v20.0", "message": []byte(template)})
}

// The code of the dialog does as well as a token, and adding a number goes through the same two phases.
func TestSignUpWithACode(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unhurried)
	signUp := func(body object) string { return n.simulator(t, "POST", "/sim/v1/sign-ups", body)["code"].(string) }
	code := signUp(object{"waba_name": "Tea House", "phone_number": "+15550100055"})
	b := n.begin(t, code)
	n.refused(t, "POST", signUpPath, object{"signupCallback": object{"accessToken": code}}, 400, "InvalidParametersException", "accessToken") // codes are good once
	waba := n.does(t, "POST", signUpPath, finish(b, object{"phoneNumbers": []object{{"id": b.numbers[0], "twoFactorPin": "777777"}}}))["linkedWhatsAppBusinessAccountId"].(string)
	if s := n.simulator(t, "GET", "/sim/v1/phone-numbers/"+metaNumber(t, n, b.numbers[0]), nil); s["pin"] != "777777" {
		t.Errorf("the new PIN is not set: %v", s)
	}

	more := n.begin(t, signUp(object{"waba_id": b.metaID, "phone_number": "+15550100056"}))
	if len(more.numbers) != 1 || more.numbers[0] == b.numbers[0] {
		t.Fatalf("numbers to add = %v", more.numbers)
	}
	add := object{"waba": nil, "phoneNumberParent": waba}
	n.refused(t, "POST", signUpPath, finish(more, object{"waba": nil, "phoneNumberParent": waba, "phoneNumbers": []object{}}), 400, "InvalidParametersException", "phoneNumbers")
	n.does(t, "POST", signUpPath, finish(more, add))
	n.does(t, "POST", "/v1/whatsapp/send", object{"originationPhoneNumberId": more.numbers[0], "metaApiVersion": "v20.0", "message": []byte(template)})
	if all := n.begin(t, signUp(object{"waba_id": b.metaID})); all.metaID != "" {
		t.Errorf("nothing is left to do, but %v is", all)
	}
}

func metaNumber(t *testing.T, n *node, id string) string {
	t.Helper()
	return n.does(t, "GET", "/v1/whatsapp/waba/phone/details?id="+id, nil)["phoneNumber"].(object)["metaPhoneNumberId"].(string)
}

func TestSignUpErrors(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unhurried)
	invalid := func(body object, text string) {
		t.Helper()
		n.refused(t, "POST", signUpPath, body, 400, "InvalidParametersException", text)
	}
	invalid(object{}, "Exactly one")
	invalid(object{"signupCallback": object{"accessToken": "x"}, "setupFinalization": object{"associateInProgressToken": "x", "phoneNumbers": []object{}}}, "Exactly one")
	invalid(object{"signupCallback": object{"accessToken": ""}}, "accessToken")
	invalid(object{"signupCallback": object{"accessToken": "EAAnobody"}}, "accessToken")
	n.refused(t, "POST", signUpPath, object{"signupCallback": object{}}, 400, "ValidationException", "accessToken")
	n.refused(t, "POST", signUpPath, object{"setupFinalization": object{"associateInProgressToken": strings.Repeat("x", 51), "phoneNumbers": []object{}}},
		400, "ValidationException", "50")

	// Another account can neither finish this one's sign-up nor link what is linked here.
	b := n.begin(t, sim.NewAccessToken)
	stranger := &node{App: n.App, api: n.stranger(t)}
	stranger.refused(t, "POST", signUpPath, finish(b, nil), 400, "InvalidParametersException", "associateInProgressToken")
	stranger.refused(t, "POST", signUpPath, object{"signupCallback": object{"accessToken": sim.AccessToken}}, 400, "InvalidParametersException", "linked elsewhere")
	stranger.refused(t, "DELETE", "/v1/whatsapp/waba/disassociate?id="+url.QueryEscape(b.waba), nil, 404, "ResourceNotFoundException", "")

	// The 26th is one too many: one was there, and one is being linked.
	for i := range 23 {
		n.begin(t, n.simulator(t, "POST", "/sim/v1/sign-ups", object{"waba_name": fmt.Sprint("Shop ", i)})["code"].(string))
	}
	code := n.simulator(t, "POST", "/sim/v1/sign-ups", object{"waba_name": "One too many"})["code"].(string)
	n.refused(t, "POST", signUpPath, object{"signupCallback": object{"accessToken": code}}, 400, "LimitExceededException", "25")
	if list := n.does(t, "GET", "/v1/whatsapp/waba/list", nil)["linkedAccounts"].([]any); len(list) != 25 {
		t.Errorf("%d accounts are linked, want 25", len(list))
	}

	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"always": true}, "match": object{"edge": "debug_token"}, "effect": object{"http_status": 503, "code": 2}}}})
	n.refused(t, "POST", signUpPath, object{"signupCallback": object{"accessToken": sim.AccessToken}}, 502, "DependencyException", "")
}

func TestDisassociate(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) {
		unhurried(c)
		c.Handover.BackoffMin, c.Handover.BackoffMax = 300*time.Millisecond, 300*time.Millisecond
	})
	const waba = "waba-00000000000000000000000000000001"
	path := "/v1/whatsapp/waba/disassociate?id=" + waba

	// Meta is out of reach: the webhooks could not be ended.
	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"always": true}, "match": object{"edge": "subscribed_apps"}, "effect": object{"cut": "before"}}}})
	n.refused(t, "DELETE", path, nil, 502, "DependencyException", "")
	// A message that cannot be handed over yet.
	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"next": 2}, "match": object{"edge": "messages"}, "effect": object{"http_status": 500, "code": 131000}}}})
	id := n.send(t, template)
	n.does(t, "DELETE", path, nil)

	n.refused(t, "DELETE", path, nil, 404, "ResourceNotFoundException", waba)
	n.refused(t, "GET", "/v1/whatsapp/waba/details?id="+waba, nil, 404, "ResourceNotFoundException", waba)
	n.refused(t, "GET", "/v1/whatsapp/waba/phone/details?id="+seededPhone, nil, 404, "ResourceNotFoundException", seededPhone)
	n.refused(t, "POST", "/v1/whatsapp/send", object{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0", "message": []byte(template)},
		404, "ResourceNotFoundException", seededPhone)
	if list := n.does(t, "GET", "/v1/whatsapp/waba/list", nil)["linkedAccounts"].([]any); len(list) != 0 {
		t.Errorf("still linked: %v", list)
	}
	waitFor(t, "hand-over of the message that waited", func() bool {
		return n.simulator(t, "GET", "/sim/v1/messages?biz_opaque_callback_data="+id, nil)["count"] == 1.0
	})
	for _, a := range n.simulator(t, "GET", "/sim/v1/state", nil)["accounts"].([]any) {
		if a := a.(object); a["id"] == sim.AccountID && a["subscribed"] != false {
			t.Error("the webhooks at Meta go on")
		}
	}

	// Meta's ids are free: another account may have them, under new ids of ours.
	stranger := &node{App: n.App, api: n.stranger(t)}
	b := stranger.begin(t, sim.AccessToken)
	stranger.does(t, "POST", signUpPath, finish(b, nil))
	if b.metaID != sim.AccountID || strings.HasSuffix(b.waba, waba[5:]) {
		t.Errorf("linked again as %+v", b)
	}
}

func TestUpdateNumber(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unhurried)
	path := "/v1/whatsapp/waba/phone?id="
	at := func(h, m int) object { return object{"hours": h, "minutes": m} }
	n.does(t, "PUT", path+url.QueryEscape("arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/00000000000000000000000000000001"), object{"callSettings": object{
		"callEnabled": true, "callIconVisibility": "DEFAULT", "callbackPermissionStatus": "ENABLED", "callHours": object{"enabled": true, "timezone": "Europe/Berlin",
			"weeklyOperatingHours": []object{{"dayOfWeek": "MONDAY", "openTime": at(8, 0), "closeTime": at(17, 30)}},
			"holidaySchedule":      []object{{"date": "2026-12-25", "startTime": at(0, 0), "endTime": at(23, 59)}}}}})
	req, _ := http.NewRequestWithContext(t.Context(), "GET", "http://"+n.MetaAddr()+"/v25.0/"+sim.NumberID+"/settings", nil)
	req.Header.Set("Authorization", "Bearer "+sim.AccessToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), `"open_time":"0800"`) || !strings.Contains(string(body), `"end_time":"2359"`) ||
		!strings.Contains(string(body), `"status":"ENABLED"`) {
		t.Errorf("at Meta = %s", body)
	}
	settings := func(more object) object {
		s := object{"callEnabled": true}
		for k, v := range more {
			s[k] = v
		}
		return object{"callSettings": s}
	}
	n.refused(t, "PUT", path+seededPhone, object{}, 400, "ValidationException", "callSettings")
	n.refused(t, "PUT", path+seededPhone, object{"callSettings": object{}}, 400, "ValidationException", "callEnabled")
	n.refused(t, "PUT", path+seededPhone, settings(object{"callHours": object{"enabled": true, "weeklyOperatingHours": []object{{"dayOfWeek": "SOMEDAY",
		"openTime": at(8, 0), "closeTime": at(9, 0)}}}}), 400, "ValidationException", "dayOfWeek")
	n.refused(t, "PUT", path+seededPhone, settings(object{"callIconVisibility": "SOMETIMES"}), 400, "InvalidParametersException", "call_icon_visibility")
	n.refused(t, "PUT", path+"phone-number-id-"+strings.Repeat("9", 32), settings(nil), 404, "ResourceNotFoundException", "")
	b := n.begin(t, sim.NewAccessToken)
	n.refused(t, "PUT", path+b.numbers[0], settings(nil), 409, "ConflictException", "Incomplete setup")
	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"next": 1}, "match": object{"edge": "settings"}, "effect": object{"code": 190}}}})
	n.refused(t, "PUT", path+seededPhone, settings(nil), 403, "AccessDeniedByMetaException", "")
	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"next": 1}, "match": object{"edge": "settings"}, "effect": object{"cut": "before"}}}})
	n.refused(t, "PUT", path+seededPhone, settings(nil), 502, "DependencyException", "")
}

// What changes at Meta is seen here soon after the webhook that announces it, and without one in time.
func TestNumbersAreRefreshed(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unhurried)
	n.simulator(t, "PATCH", "/sim/v1/phone-numbers/"+sim.NumberID, object{"quality_rating": "RED", "verified_name": "Renamed", "throughput": "HIGH",
		"messaging_limit_tier": "TIER_2K"})
	waitFor(t, "news of the number", func() bool {
		p := n.does(t, "GET", "/v1/whatsapp/waba/phone/details?id="+seededPhone, nil)["phoneNumber"].(object)
		return p["qualityRating"] == "RED" && p["displayPhoneNumberName"] == "Renamed"
	})
	if p, err := n.parts.directory.PhoneNumber(t.Context(), config.DevAccountID, strings.TrimPrefix(seededPhone, "phone-number-id-")); err != nil ||
		p.Throughput.PerSecond() != 1000 || p.MessagingLimit != "TIER_2K" || p.MetaStatus != "CONNECTED" {
		t.Errorf("number = %+v, %v", p, err)
	}
}

// callbackUrl is another address of the node: Meta asks it for the verify token, and sends the business account's messages there.
func TestCallbackURL(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), unhurried)
	own := "http://" + n.APIAddr() + webhookPath
	var through []string // what came by the other address
	var mu sync.Mutex
	tunnel := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		mu.Lock()
		defer mu.Unlock()
		through = append(through, r.In.Method)
		r.SetURL(&url.URL{Scheme: "http", Host: n.APIAddr()})
		r.Out.URL.Path = webhookPath
	}})
	t.Cleanup(tunnel.Close)
	callback := func(address string) object {
		return object{"signupCallback": object{"accessToken": sim.NewAccessToken, "callbackUrl": address}}
	}
	for _, tc := range []struct{ name, address, text string }{
		{"no URL", "tunnel.example", "callbackUrl has to be"},
		{"a script", "javascript:alert(1)", "callbackUrl has to be"},
		{"too long", "https://" + strings.Repeat("x", 100), "'signupCallback.callbackUrl'"},
	} {
		code := "InvalidParametersException"
		if tc.name == "too long" {
			code = "ValidationException"
		}
		n.refused(t, "POST", signUpPath, callback(tc.address), 400, code, tc.text)
	}
	// An address that is not ours is refused when Meta has looked at it.
	b := n.beginWith(t, callback("http://"+n.MetaAddr()+"/"))
	n.refused(t, "POST", signUpPath, finish(b, nil), 400, "InvalidParametersException", "callbackUrl does not lead to this installation")

	b = n.beginWith(t, callback(tunnel.URL+"/hooks"))
	n.does(t, "POST", signUpPath, finish(b, nil))
	subscribed := n.simulator(t, "GET", "/sim/v1/state", nil)["accounts"].([]any)[1].(object)
	if got := subscribed["override_callback_uri"]; got != tunnel.URL+"/hooks" {
		t.Errorf("callbacks go to %v", got)
	}
	writes := func() {
		n.control(t, "POST", "/sim/v1/customers/"+sim.Amara+"/messages", `{"phone_number_id":"`+sim.NewNumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	}
	n.control(t, "PUT", "/sim/v1/settings", `{"webhook_url":""}`) // nothing comes by the app's own address
	writes()
	window := "/v1/waxwing/windows/details?phoneNumberId=" + b.numbers[0] + "&recipient=" + sim.Amara
	waitFor(t, "the message through the tunnel", func() bool { return n.does(t, "GET", window, nil)["open"] == true })
	mu.Lock()
	if got := strings.Join(through, " "); got != "GET POST" {
		t.Errorf("through the tunnel came %q", got)
	}
	mu.Unlock()

	// Once linked, the address changes at once; an address that is no longer ours leaves everything as it was.
	n.refused(t, "POST", signUpPath, callback("http://"+n.MetaAddr()+"/"), 400, "InvalidParametersException", "callbackUrl does not lead")
	n.does(t, "POST", signUpPath, callback(own))
	subscribed = n.simulator(t, "GET", "/sim/v1/state", nil)["accounts"].([]any)[1].(object)
	if got := subscribed["override_callback_uri"]; got != own {
		t.Errorf("callbacks go to %v", got)
	}
	n.does(t, "POST", signUpPath, object{"signupCallback": object{"accessToken": sim.NewAccessToken}})
	n.does(t, "POST", signUpPath, callback(""))
	subscribed = n.simulator(t, "GET", "/sim/v1/state", nil)["accounts"].([]any)[1].(object)
	if got := subscribed["override_callback_uri"]; got != "" {
		t.Errorf("callbacks go to %v", got)
	}
}
