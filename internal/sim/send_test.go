package sim

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// testWorld is the seeded world with what the checks below need.
func testWorld() World {
	w := SeededWorld()
	a := &w.Accounts[0]
	a.Numbers = append(a.Numbers,
		Number{ID: "1100000000000011", Phone: "+15550100011", Status: "PENDING"},
		Number{ID: "1100000000000012", Phone: "+15550100012", Mode: "SANDBOX", Allowed: []string{"541123456789"}})
	for _, t := range []struct{ name, status, category, components string }{
		{"paused", "PAUSED", "UTILITY", `[{"type":"BODY","text":"x"}]`},
		{"disabled", "DISABLED", "UTILITY", `[{"type":"BODY","text":"x"}]`},
		{"rejected", "REJECTED", "UTILITY", `[{"type":"BODY","text":"x"}]`},
		{"offer", "APPROVED", "MARKETING", `[{"type":"BODY","text":"x"}]`},
		{"code", "APPROVED", "AUTHENTICATION", `[{"type":"BODY","text":"{{1}}"}]`},
	} {
		a.Templates = append(a.Templates, Template{ID: "1499" + t.name, Name: t.name, Language: "en_US", Status: t.status,
			Category: t.category, Components: json.RawMessage(t.components)})
	}
	w.Tokens = append(w.Tokens,
		Token{Value: "EXPIRED", Expires: epoch.Add(-time.Hour)},
		Token{Value: "READER", Scopes: []string{scopeManagement}},
		Token{Value: "ALL"})
	return w
}

// TestRefusals has one row per check, each breaking only that one.
func TestRefusals(t *testing.T) {
	t.Parallel()
	good := textTo("+14255550150", "Hi")
	for _, tc := range []struct {
		name, path, token, body string
		status, code, subcode   int
		message, details        string
	}{
		{name: "no token", token: "-", status: 401, code: 190, message: "An access token is required to request this resource."},
		{name: "garbage token", token: "garbage", status: 401, code: 190, message: "Invalid OAuth access token - Cannot parse access token"},
		{name: "expired token", token: "EXPIRED", status: 401, code: 190, subcode: 463, message: "Error validating access token: Session has expired on Sunday, 22-Nov-26 11:00:00 UTC"},
		{name: "no permission", token: "READER", status: 403, code: 10, message: "(#10) Application does not have permission for this action"},
		{name: "unknown number", path: "/v25.0/999/messages", status: 400, code: 100, subcode: 33, message: "Unsupported post request. Object with ID '999' does not exist"},
		{name: "number of another account", path: "/v25.0/" + NewNumberID + "/messages", status: 400, code: 100, subcode: 33, message: "Unsupported post request."},
		{name: "unknown edge", path: "/v25.0/" + NumberID + "/mesages", status: 400, code: 2500, message: "Unknown path components: /mesages"},
		{name: "too many segments", path: messagesPath + "/x", status: 400, code: 2500, message: "Unknown path components: /messages/x"},
		{name: "unregistered number", path: "/v25.0/1100000000000011/messages", status: 400, code: 133010, message: "(#133010) Account not registered"},

		{name: "malformed", body: `{"to":`, status: 400, code: 100},
		{name: "an array", body: `[]`, status: 400, code: 100},
		{name: "no product", body: `{"to":"+14255550150"}`, status: 400, code: 100, message: "(#100) The parameter messaging_product is required."},
		{name: "another product", body: `{"messaging_product":"signal","to":"1"}`, status: 400, code: 100, message: "(#100) Param messaging_product must be one of {WHATSAPP}"},
		{name: "no recipient", body: `{"messaging_product":"whatsapp","text":{"body":"x"}}`, status: 400, code: 100, message: "(#100) The parameter to is required."},
		{name: "recipient as an object", body: `{"messaging_product":"whatsapp","to":{}}`, status: 400, code: 100, message: "(#100) Param to must be a string."},
		{name: "recipient not a number", body: textTo("Diego", "x"), status: 400, code: 100, subcode: 2494010, details: "Parameter Invalid"},
		{name: "recipient id of another form", body: `{"messaging_product":"whatsapp","recipient":"diego","text":{"body":"x"}}`, status: 400, code: 131009, details: "business-scoped"},
		{name: "unknown recipient type", body: `{"messaging_product":"whatsapp","to":"+14255550150","recipient_type":"crowd"}`, status: 400, code: 100, message: "INDIVIDUAL, GROUP"},
		{name: "a group", body: `{"messaging_product":"whatsapp","to":"g1","recipient_type":"group","text":{"body":"x"}}`, status: 400, code: 131041},
		{name: "type as a number", body: `{"messaging_product":"whatsapp","to":"+14255550150","type":1}`, status: 400, code: 100, message: "Param type"},
		{name: "unknown type", body: `{"messaging_product":"whatsapp","to":"+14255550150","type":"hologram","hologram":{}}`, status: 400, code: 131051},
		{name: "payload", body: textTo("+14255550150", ""), status: 400, code: 100, message: "(#100) Param text['body']"},

		{name: "template unknown", body: templateTo("+14255550150", "nope"), status: 404, code: 132001, message: "(#132001) Template name does not exist in the translation", details: "template name (nope) does not exist in en_US"},
		{name: "template in another language", body: strings.Replace(templateTo("+14255550150", "statement"), "en_US", "pt_BR", 1), status: 404, code: 132001, details: "template name (statement) does not exist in pt_BR"},
		{name: "template rejected", body: templateTo("+14255550150", "rejected"), status: 404, code: 132001},
		{name: "template paused", body: templateTo("+14255550150", "paused"), status: 400, code: 132015},
		{name: "template disabled", body: templateTo("+14255550150", "disabled"), status: 400, code: 132016},
		{name: "template parameters", body: templateTo("+14255550150", "statement"), status: 400, code: 132000, details: "body: number of localizable_params (0) does not match the expected number of params (1)"},
		{name: "one-time code to a scoped id", body: `{"messaging_product":"whatsapp","recipient":"US.123","type":"template","template":{"name":"code","language":{"code":"en_US"}}}`, status: 400, code: 131062},
		{name: "marketing edge wants a template", path: "/v25.0/" + NumberID + "/marketing_messages", status: 400, code: 100, message: "(#100) Message must be a template message"},
		{name: "marketing edge without onboarding", path: "/v25.0/" + NumberID + "/marketing_messages", body: templateTo("+14255550150", "offer"), status: 400, code: 131055},

		{name: "to itself", body: textTo(NumberPhone, "x"), status: 400, code: 131021, message: "(#131021) Recipient cannot be sender"},
		{name: "test number to anybody", path: "/v25.0/1100000000000012/messages", status: 400, code: 131030},
		{name: "test number to the canonical form", path: "/v25.0/1100000000000012/messages", body: textTo("+5491123456789", "x"), status: 400, code: 131030},

		{name: "status other than read", body: `{"messaging_product":"whatsapp","status":"delivered","message_id":"x"}`, status: 400, code: 100, message: "READ"},
		{name: "receipt without an id", body: `{"messaging_product":"whatsapp","status":"read"}`, status: 400, code: 100, message: "message_id"},
		{name: "receipt for an unknown id", body: `{"messaging_product":"whatsapp","status":"read","message_id":"wamid.x"}`, status: 400, code: 131009},
		{name: "receipt and message together", body: `{"messaging_product":"whatsapp","status":"read","message_id":"x","to":"1","type":"text"}`, status: 400, code: 100, details: "together"},
		{name: "typing indicator of another type", body: `{"messaging_product":"whatsapp","status":"read","message_id":"x","typing_indicator":{"type":"voice"}}`, status: 400, code: 100, message: "typing_indicator"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{World: testWorld(), Now: func() time.Time { return epoch }})
			path, token, body := tc.path, tc.token, tc.body
			if path == "" {
				path = messagesPath
			}
			if body == "" {
				body = good
			}
			req := f.request(http.MethodPost, path, body)
			switch token {
			case "":
				req.Header.Set("Authorization", "Bearer "+AccessToken)
			case "-":
			default:
				req.Header.Set("Authorization", "Bearer "+token)
			}
			r, err := f.do(req)
			if err != nil {
				t.Fatal(err)
			}
			e := r.graphError(t)
			if r.status != tc.status || e.Code != tc.code || (tc.subcode != 0 && e.Subcode != tc.subcode) ||
				!strings.Contains(e.Message, tc.message) || !strings.Contains(string(e.Data), tc.details) || e.Trace == "" {
				t.Errorf("answered %d\n%s\nwant %d, code %d/%d, %q, %q", r.status, r.body, tc.status, tc.code, tc.subcode, tc.message, tc.details)
			}
			if r.header.Get("x-waxwing-simulator") != "1" || r.header.Get("x-fb-trace-id") == "" {
				t.Errorf("headers %v lack the simulator's or Meta's", r.header)
			}
			if got := f.sim.st.accepted; got != 0 {
				t.Errorf("%d messages accepted by a refused call", got)
			}
		})
	}
}

// TestOrderOfChecks breaks several checks at once: the earliest one answers.
func TestOrderOfChecks(t *testing.T) {
	t.Parallel()
	const pending, unknown = "/v25.0/1100000000000011/messages", "/v25.0/999/messages"
	for _, tc := range []struct {
		name, path, token, body string
		code                    int
	}{
		{"token before node", unknown, "garbage", `{`, 190},
		{"node before permission", unknown, "READER", `{`, 100},
		{"permission before registration", pending, "READER", `{`, 10},
		{"registration before form", pending, "ALL", `{`, 133010},
		{"form before template", messagesPath, "ALL", `{"messaging_product":"whatsapp","type":"template","template":{"name":"nope","language":{"code":"x"}}}`, 100},
		{"template before recipient", messagesPath, "ALL", templateTo(NumberPhone, "nope"), 132001},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{World: testWorld(), Now: func() time.Time { return epoch }})
			r, err := f.do(f.request(http.MethodPost, tc.path, tc.body, "Authorization", "Bearer "+tc.token))
			if err != nil {
				t.Fatal(err)
			}
			if got := r.errorCode(t); got != tc.code {
				t.Errorf("code %d, want %d\n%s", got, tc.code, r.body)
			}
		})
	}
}

func TestAccepted(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, path, body string
		headers          []string
		input, waID      string
		userID, status   string
	}{
		{name: "text", body: textTo("+1 (425) 555-0150", "Hi"), input: "+1 (425) 555-0150", waID: Diego},
		{name: "without a version", path: "/" + NumberID + "/messages", input: Diego, waID: Diego},
		{name: "an expired version", path: "/v17.0/" + NumberID + "/messages", input: Diego, waID: Diego},
		{name: "a later version", path: "/v40.0/" + NumberID + "/messages", input: Diego, waID: Diego},
		{name: "type in capitals", body: `{"messaging_product":"whatsapp","to":"14255550150","type":"TEXT","text":{"body":"x"}}`, input: Diego, waID: Diego},
		{name: "no type means text", body: `{"messaging_product":"whatsapp","to":"14255550150","text":{"body":"x"}}`, input: Diego, waID: Diego},
		{name: "to as a number", body: `{"messaging_product":"whatsapp","to":14255550150,"text":{"body":"x"}}`, input: Diego, waID: Diego},
		{name: "canonical number differs", body: textTo("+52 55 1234 5678", "x"), input: "+52 55 1234 5678", waID: "5215512345678"},
		{name: "template", body: templateTo(Diego, "simple_template"), input: Diego, waID: Diego, status: "accepted"},
		{name: "scoped id", body: `{"messaging_product":"whatsapp","recipient":"` + scopedID("1500000000000001", Diego) + `","text":{"body":"x"}}`,
			input: scopedID("1500000000000001", Diego), waID: Diego, userID: scopedID("1500000000000001", Diego)},
		{name: "unknown scoped id", body: `{"messaging_product":"whatsapp","recipient":"DE.99","text":{"body":"x"}}`, input: "DE.99", userID: "DE.99"},
		{name: "to wins over recipient", body: `{"messaging_product":"whatsapp","to":"14255550150","recipient":"DE.99","text":{"body":"x"}}`, input: Diego, waID: Diego},
		{name: "form", headers: []string{"Content-Type", "application/x-www-form-urlencoded"},
			body:  url.Values{"messaging_product": {"whatsapp"}, "to": {"+14255550150"}, "text": {`{"body":"x"}`}}.Encode(),
			input: "+14255550150", waID: Diego},
		{name: "OAuth scheme", headers: []string{"Authorization", "OAuth " + AccessToken}, input: Diego, waID: Diego},
		{name: "token in the query", path: messagesPath + "?access_token=" + AccessToken, headers: []string{"Authorization", ""}, input: Diego, waID: Diego},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			path, body := tc.path, tc.body
			if path == "" {
				path = messagesPath
			}
			if body == "" {
				body = textTo(Diego, "Hi")
			}
			r, err := f.do(f.request(http.MethodPost, path, body, append([]string{"Authorization", "Bearer " + AccessToken}, tc.headers...)...))
			if err != nil {
				t.Fatal(err)
			}
			var got sendReply
			if err := json.Unmarshal(r.body, &got); err != nil || r.status != http.StatusOK || len(got.Messages) != 1 {
				t.Fatalf("answered %d\n%s", r.status, r.body)
			}
			want := sendReply{Product: "whatsapp", Contacts: []contactReply{{Input: tc.input, WAID: tc.waID, UserID: tc.userID}},
				Messages: []messageReply{{ID: got.Messages[0].ID, Status: tc.status}}}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("reply (-want +got):\n%s", diff)
			}
			user, business, native, err := parseWamid(got.Messages[0].ID)
			if err != nil || !business || len(native) != 18 || (tc.waID != "" && user != tc.waID) {
				t.Errorf("wamid of %q %v %q: %v", user, business, native, err)
			}
		})
	}
}

func TestSecondPostIsSecondMessage(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	if a, b := f.send(textTo(Diego, "Hi")), f.send(textTo(Diego, "Hi")); a == b {
		t.Errorf("both have the id %s", a)
	}
}

func TestSameSeedSameIDs(t *testing.T) {
	t.Parallel()
	ids := func(seed uint64) string {
		f := newFixture(t, Options{Seed: seed, Now: func() time.Time { return epoch }})
		f.graph(http.MethodGet, "/me", "") // reads must not shift the ids of messages
		return f.send(textTo(Diego, "a")) + f.send(textTo(Amara, "b"))
	}
	if a, b := ids(5), ids(5); a != b {
		t.Errorf("the same seed gave %s and %s", a, b)
	}
	if a, b := ids(5), ids(6); a == b {
		t.Errorf("two seeds both gave %s", a)
	}
}

func TestReplyBytes(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	r := f.post(templateTo("+14255550150", "hello_world"))
	id := strings.ReplaceAll(f.sim.st.messages[0].wamid, "/", `\/`)
	want := `{"messaging_product":"whatsapp","contacts":[{"input":"+14255550150","wa_id":"14255550150"}],"messages":[{"id":"` + id + `","message_status":"accepted"}]}`
	if diff := cmp.Diff(want, string(r.body)); diff != "" {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
	if v := r.header.Get("facebook-api-version"); v != "v25.0" {
		t.Errorf("facebook-api-version %q, want v25.0", v)
	}
}

func TestBodyTooLarge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	if r := f.post(`{"text":"` + strings.Repeat("x", maxCall) + `"}`); r.status != http.StatusRequestEntityTooLarge || r.errorCode(t) != 100 {
		t.Errorf("answered %d %s", r.status, r.body)
	}
}

func TestAppSecretProof(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	r := f.graph(http.MethodGet, "/v25.0/me?appsecret_proof=00", "")
	if e := r.graphError(t); r.status != 400 || e.Message != "Invalid appsecret_proof provided in the API argument" {
		t.Errorf("answered %d %s", r.status, r.body)
	}
	// HMAC-SHA256 of the development token under the development app secret, from openssl.
	r = f.graph(http.MethodGet, "/v25.0/me?appsecret_proof=5e2716652c37b398ccf6c26955cd792f8fb5d3e84189121f87c3523a4e31602d", "")
	if r.status != http.StatusOK {
		t.Errorf("answered %d %s", r.status, r.body)
	}
}

func TestReadReceipt(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	first, second := f.writes(Diego, hi), f.writes(Diego, hi)
	third := f.writes(Diego, hi)
	r := f.post(`{"messaging_product":"whatsapp","status":"read","message_id":"` + second + `","typing_indicator":{"type":"text"}}`)
	if string(r.body) != `{"success":true}` {
		t.Fatalf("answered %d %s", r.status, r.body)
	}
	var chat struct {
		Messages []struct {
			ID   string `json:"id"`
			Read bool   `json:"read_by_business"`
		} `json:"messages"`
	}
	if err := json.Unmarshal(f.control(http.MethodGet, "/sim/v1/customers/"+Diego+"/messages", ""), &chat); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, m := range chat.Messages {
		got[m.ID] = m.Read
	}
	if diff := cmp.Diff(map[string]bool{first: true, second: true, third: false}, got); diff != "" {
		t.Errorf("read (-want +got):\n%s", diff)
	}
}

func TestThroughput(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		level string
		want  int
	}{{ThroughputStandard, 80}, {ThroughputHigh, 1000}, {ThroughputCoexistence, 20}} {
		t.Run(tc.level, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			f.control(http.MethodPatch, "/sim/v1/phone-numbers/"+NumberID, `{"throughput":"`+tc.level+`"}`)
			f.control(http.MethodPut, "/sim/v1/settings", `{"pair_rate":false}`)
			f.writes(Diego, hi) // what comes in counts too
			for i := range tc.want - 1 {
				if r := f.post(textTo(Diego, "x")); r.status != http.StatusOK {
					t.Fatalf("message %d: %s", i+1, r.body)
				}
			}
			r := f.post(textTo(Diego, "x"))
			if r.status != http.StatusTooManyRequests || r.errorCode(t) != 130429 || r.header.Get("retry-after") == "" {
				t.Errorf("answered %d %v %s", r.status, r.header, r.body)
			}
			f.control(http.MethodPut, "/sim/v1/settings", `{"throughput":false}`)
			f.send(textTo(Diego, "x"))
		})
	}
}

func TestPairRate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	for range pairBurst {
		f.send(textTo(Diego, "x"))
	}
	if r := f.post(textTo(Diego, "x")); r.status != http.StatusBadRequest || r.errorCode(t) != 131056 {
		t.Errorf("message 46: %d %s", r.status, r.body)
	}
	f.send(textTo(Amara, "x")) // another user is another pair
	f.control(http.MethodPut, "/sim/v1/settings", `{"clock_offset_ms":270000}`)
	f.send(textTo(Diego, "x"))
	f.control(http.MethodPut, "/sim/v1/settings", `{"pair_rate":false}`)
	for range 50 {
		f.send(textTo(Diego, "x"))
	}
}
