package sim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/sim/definition"
)

const templatesPath = "/v25.0/" + AccountID + "/message_templates"

// bodyTemplate is the body of a create call of a utility template that only has a text.
func bodyTemplate(name, text string) string {
	return `{"name":"` + name + `","language":"en_US","category":"UTILITY","components":[{"type":"BODY","text":"` + text + `"}]}`
}

// create creates a template that must be taken and returns its id.
func (f *fixture) create(body string) string {
	f.t.Helper()
	r := f.graph(http.MethodPost, templatesPath, body)
	var ok createReply
	if err := json.Unmarshal(r.body, &ok); err != nil || r.status != http.StatusOK || ok.ID == "" {
		f.t.Fatalf("create = %d\n%s", r.status, r.body)
	}
	return ok.ID
}

// template reads fields of a template.
func (f *fixture) template(id, fields string) map[string]any {
	f.t.Helper()
	r := f.graph(http.MethodGet, "/v25.0/"+id+"?fields="+fields, "")
	var o map[string]any
	if err := json.Unmarshal(r.body, &o); err != nil || r.status != http.StatusOK {
		f.t.Fatalf("GET template = %d\n%s", r.status, r.body)
	}
	return o
}

func (f *fixture) status(id string) string { return fmt.Sprint(f.template(id, "status")["status"]) }

// refused expects a refusal of template management and returns the text for users.
func (f *fixture) refused(r reply, status, code, subcode int) string {
	f.t.Helper()
	var e struct {
		Error struct {
			Message   string `json:"message"`
			Code      int    `json:"code"`
			Subcode   int    `json:"error_subcode"`
			UserTitle string `json:"error_user_title"`
			UserMsg   string `json:"error_user_msg"`
		} `json:"error"`
	}
	if err := json.Unmarshal(r.body, &e); err != nil || r.status != status || e.Error.Code != code || e.Error.Subcode != subcode {
		f.t.Fatalf("got %d %s, want %d with %d/%d", r.status, r.body, status, code, subcode)
	}
	if subcode != 0 && (e.Error.UserTitle == "" || e.Error.UserMsg == "") {
		f.t.Errorf("no words for users in %s", r.body)
	}
	return e.Error.UserMsg + e.Error.Message
}

func TestCreateTemplate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	r := f.graph(http.MethodPost, templatesPath, `{"name":"parcel","language":"en_US","category":"utility","components":[{"type":"header","format":"image","example":{"header_handle":["4::aW1hZ2UvcG5n:ARx"]}},{"type":"body","text":"Here is {{1}} for you.","example":{"body_text":[["A"]]}}]}`)
	var reply map[string]string
	if err := json.Unmarshal(r.body, &reply); err != nil || r.status != 200 {
		t.Fatalf("%d %s", r.status, r.body)
	}
	id := reply["id"]
	if diff := cmp.Diff(map[string]string{"id": id, "status": "PENDING", "category": "UTILITY"}, reply); diff != "" || len(id) < 15 {
		t.Errorf("reply (-want +got):\n%s", diff)
	}
	got := f.template(id, "name,language,status,category,parameter_format,components,quality_score,rejected_reason")
	parts, _ := got["components"].([]any)
	delete(got, "components")
	want := map[string]any{"id": id, "name": "parcel", "language": "en_US", "status": "PENDING", "category": "UTILITY", "parameter_format": "POSITIONAL",
		"quality_score": map[string]any{"score": "UNKNOWN"}, "rejected_reason": "NONE"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("template (-want +got):\n%s", diff)
	}
	header := fmt.Sprint(parts[0])
	if !strings.Contains(header, "https://scontent.whatsapp.net/") || strings.Contains(header, "4::") {
		t.Errorf("the sample is shown as %s", header)
	}
	if r := f.post(templateTo("+"+Diego, "parcel")); r.errorCode(t) != 132001 {
		t.Errorf("a pending template can be sent: %s", r.body)
	}
}

func TestCreateTemplateRefuses(t *testing.T) {
	t.Parallel()
	good := bodyTemplate("parcel", "Your parcel is here.")
	for _, tc := range []struct {
		name                  string
		settings              string
		before                []string // created first
		body                  string
		status, code, subcode int
	}{
		{name: "not JSON", body: `{`, status: 400, code: 100},
		{name: "a rule of definitions", body: bodyTemplate("parcel", "{{1}} is here now."), status: 400, code: 100, subcode: definition.DanglingVariables},
		{name: "name taken in the language", before: []string{good}, body: good, status: 400, code: 100, subcode: definition.Exists},
		{name: "name taken in another language", before: []string{strings.Replace(good, "en_US", "es", 1)}, body: good, status: 200},
		{name: "too many templates", settings: `{"template_limit":3}`, body: good, status: 400, code: 100, subcode: definition.LimitReached},
		{name: "too many in an hour", settings: `{"template_rate":1}`, before: []string{good}, body: bodyTemplate("other", "Your parcel is here."), status: 400, code: 80007},
		{name: "examples required", settings: `{"require_examples":true}`, body: bodyTemplate("parcel", "Hello {{1}}, it is here."), status: 400, code: 100, subcode: definition.MissingField},
		{name: "examples not required", body: bodyTemplate("parcel", "Hello {{1}}, it is here."), status: 200},
		{name: "library entry unknown", body: `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"nope"}`, status: 400, code: 100, subcode: definition.BadComponent},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			if tc.settings != "" {
				f.control(http.MethodPut, "/sim/v1/settings", tc.settings)
			}
			for _, body := range tc.before {
				f.create(body)
			}
			r := f.graph(http.MethodPost, templatesPath, tc.body)
			if tc.code == 0 {
				if r.status != tc.status {
					t.Fatalf("%d %s", r.status, r.body)
				}
				return
			}
			f.refused(r, tc.status, tc.code, tc.subcode)
		})
	}
}

func TestCreateTemplateOfAnotherAccount(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	r := f.graph(http.MethodPost, "/v25.0/"+NewAccountID+"/message_templates", bodyTemplate("a", "b"))
	if e := r.graphError(t); e.Code != 100 || e.Subcode != 33 {
		t.Errorf("answer %s", r.body)
	}
}

// The sample of a media header comes from a resumable upload, which the simulator insists on when told to.
func TestSamplesOfTemplates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	upload, err := f.piece(f.begin("file_name=a.jpg&file_length=5&file_type=image/jpeg"), "0", strings.NewReader("12345"))
	var made struct{ H string }
	if err != nil || json.Unmarshal(upload.body, &made) != nil || made.H == "" {
		t.Fatalf("upload = %v %s", err, upload.body)
	}
	body := func(name, format, handle string) string {
		return `{"name":"` + name + `","language":"en_US","category":"UTILITY","components":[{"type":"HEADER","format":"` + format + `","example":{"header_handle":["` + handle + `"]}},{"type":"BODY","text":"Hello"}]}`
	}
	const other = "4::aW1hZ2UvanBlZw==:ARdemo"
	f.create(body("a", "IMAGE", made.H))
	f.create(body("b", "IMAGE", other))
	f.refused(f.graph(http.MethodPost, templatesPath, body("c", "DOCUMENT", made.H)), 400, 100, definition.BadHeader)
	f.control(http.MethodPut, "/sim/v1/settings", `{"require_uploads":true}`)
	id := f.create(body("d", "IMAGE", made.H))
	if e := f.graph(http.MethodPost, templatesPath, body("e", "IMAGE", other)).graphError(t); e.Code != 131009 {
		t.Errorf("a handle from elsewhere: %+v", e)
	}
	f.control(http.MethodPost, "/sim/v1/templates/"+id+"/review", `{"decision":"APPROVED"}`)
	shown, _ := json.Marshal(f.template(id, "components")["components"])
	if r := f.graph(http.MethodPost, "/v25.0/"+id, `{"components":`+string(shown)+`}`); r.status != 200 {
		t.Errorf("an edit that sends the sample's address back = %d %s", r.status, r.body)
	}
}

// The definitions of AWS's user guide, with the members and without the examples that they are printed with.
func TestDefinitionsOfTheGuide(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	for _, body := range []string{
		`{"name":"order_update_basic","language":"en_US","allow_category_change":true,"category":"UTILITY","components":[{"type":"BODY","text":"Hi {{1}}, your order #{{2}} has been shipped. Track your delivery\nbelow."}]}`,
		`{"name":"order_update_with_button","language":"en_US","allow_category_change":true,"category":"UTILITY","components":[{"type":"BODY","text":"Hi {{1}}, your order #{{2}} has been shipped. Track your delivery below."},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track Order","url":"https://example.com/track"}]}]}`,
		`{"name":"account_creation_confirmation_3333","category":"UTILITY","language":"en_US","status":"APPROVED","components":[{"type":"HEADER","format":"TEXT","text":"Finalize account set-up"},{"type":"BODY","text":"Hi {{1}},\n\nYour new account has been created successfully. \n\nPlease verify {{2}} to complete your profile.","example":{"body_text":[["John","your email address"]]}},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Verify account","url":"https://www.example.com/"}]}]}`,
		`{"id":"1290345849293233","name":"holiday_special_1395238","category":"MARKETING","language":"en_US","status":"PENDING","components":[{"type":"BODY","text":"Season's Greetings {{1}}!\n\nCelebrate {{2}} with amazing deals up to {{3}} off.\n\nPlus, get free gift wrapping on all orders above $50.","example":{"body_text":[["Pawan","Christmas","30%"]]}}],"metaTemplateId":"1290345849293233"}`,
		`{"name":"summer_sale_1","category":"MARKETING","language":"en_US","status":"APPROVED","components":[{"type":"HEADER","format":"TEXT","text":"Summer Sale!"},{"type":"BODY","text":"Hi {{1}}! Get {{2}} off all summer items. Shop now before stock runs out!"},{"type":"FOOTER","text":"Valid until August 31st"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Shop Now","url":"https://example.com/sale"}]}]}`,
	} {
		if id := f.create(body); f.status(id) != "PENDING" {
			t.Errorf("%s is %s, whatever status the definition names", id, f.status(id))
		}
	}
}

func TestListTemplates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	spanish := f.create(`{"name":"bienvenida","language":"es","category":"MARKETING","components":[{"type":"BODY","text":"Nos alegra que estés aquí."},{"type":"FOOTER","text":"Waxwing SL"}]}`)
	f.control(http.MethodPost, "/sim/v1/templates/"+spanish+"/quality", `{"score":"yellow"}`)
	for _, tc := range []struct{ query, want string }{
		{"", "hello_world statement simple_template bienvenida"},
		{"name=hello", "hello_world"},
		{"content=balance", "statement"},
		{"name_or_content=simple", "simple_template"},
		{"name_or_content=WAXWING", "hello_world bienvenida"},
		{"category=MARKETING", "bienvenida"},
		{"category=utility", "hello_world statement simple_template"},
		{"language=es", "bienvenida"},
		{"status=PENDING", "bienvenida"},
		{"status=" + url.QueryEscape(`["PENDING","APPROVED"]`), "hello_world statement simple_template bienvenida"},
		{"quality_score=YELLOW,RED", "bienvenida"},
		{"status=REJECTED", ""},
	} {
		t.Run(tc.query, func(t *testing.T) {
			t.Parallel()
			list := f.list(tc.query)
			if got := strings.Join(list.names(), " "); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}

type templateList struct {
	Data []struct {
		Name string `json:"name"`
	} `json:"data"`
	Paging *struct {
		Cursors struct{ Before, After string } `json:"cursors"`
		Next    *string                        `json:"next"`
	} `json:"paging"`
	Summary map[string]any `json:"summary"`
}

func (l templateList) names() (names []string) {
	for _, o := range l.Data {
		names = append(names, o.Name)
	}
	return names
}

func (f *fixture) list(query string) (l templateList) {
	f.t.Helper()
	r := f.graph(http.MethodGet, templatesPath+"?"+query, "")
	if err := json.Unmarshal(r.body, &l); err != nil || r.status != 200 {
		f.t.Fatalf("list = %d %s", r.status, r.body)
	}
	return l
}

func TestPagesOfTemplates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	want := []string{"hello_world", "statement", "simple_template"}
	for i := range 27 {
		name := fmt.Sprintf("more_%02d", i)
		f.create(bodyTemplate(name, "Your parcel is here."))
		want = append(want, name)
	}
	if l := f.list("summary=total_count,message_template_limit"); len(l.Data) != 25 || l.Paging.Next == nil ||
		!cmp.Equal(l.Summary, map[string]any{"total_count": 30.0, "message_template_limit": 250.0}) {
		t.Errorf("first page by default: %d, %+v, summary %v", len(l.Data), l.Paging, l.Summary)
	}
	var got []string
	for query, pages := "limit=12", 0; ; pages++ {
		l := f.list(query)
		got = append(got, l.names()...)
		if l.Paging.Cursors.Before == "" || l.Paging.Cursors.After == "" {
			t.Fatalf("page without cursors: %+v", l.Paging)
		}
		if l.Paging.Next == nil {
			if pages != 2 {
				t.Errorf("last page is number %d", pages+1)
			}
			back := f.list("limit=12&before=" + l.Paging.Cursors.Before)
			if diff := cmp.Diff(want[12:24], back.names()); diff != "" {
				t.Errorf("page before the last (-want +got):\n%s", diff)
			}
			break
		}
		query = "limit=12&after=" + l.Paging.Cursors.After
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all pages (-want +got):\n%s", diff)
	}
}

func TestDeleteTemplates(t *testing.T) {
	t.Parallel()
	const hello = "1400000000000101" // hello_world of the seeded world
	for _, tc := range []struct {
		name, query, body     string
		status, code, subcode int
		left                  string
	}{
		{name: "a name in all languages", query: "name=two", status: 200, left: "hello_world statement simple_template"},
		{name: "one id of a name", query: "name=two&hsm_id=$ID", status: 200, left: "hello_world statement simple_template two"},
		{name: "in the body", body: `{"name":"two"}`, status: 200, left: "hello_world statement simple_template"},
		{name: "a list of ids", query: "hsm_ids=%5B%22" + hello + "%22,%22$ID%22%5D", status: 200, left: "statement simple_template two"},
		{name: "nothing", status: 400, code: 100},
		{name: "an absent name", query: "name=three", status: 404, code: 100, subcode: definition.NotFound},
		{name: "an id of another name", query: "name=two&hsm_id=" + hello, status: 404, code: 100, subcode: definition.NotFound},
		{name: "an absent id in a list", query: "hsm_ids=$ID,1", status: 404, code: 100, subcode: definition.NotFound},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, Options{Now: func() time.Time { return epoch }})
			id := f.create(bodyTemplate("two", "Your parcel is here."))
			f.create(strings.Replace(bodyTemplate("two", "Tu paquete ha llegado."), "en_US", "es", 1))
			r := f.graph(http.MethodDelete, templatesPath+"?"+strings.ReplaceAll(tc.query, "$ID", id), tc.body)
			if tc.code != 0 {
				f.refused(r, tc.status, tc.code, tc.subcode)
				return
			}
			if r.status != 200 || string(r.body) != `{"success":true}` {
				t.Fatalf("delete = %d %s", r.status, r.body)
			}
			if left := strings.Join(f.list("").names(), " "); left != tc.left {
				t.Errorf("left are %q, want %q", left, tc.left)
			}
		})
	}
}

func TestDeleteOfADisabledTemplate(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{World: testWorld()})
	f.refused(f.graph(http.MethodDelete, templatesPath+"?name=disabled", ""), 400, 100, definition.Unchangeable)
}

func TestLibraryEdges(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	for _, path := range []string{"/v25.0/message_template_library", "/v25.0/" + AccountID + "/message_template_library"} {
		r := f.graph(http.MethodGet, path+"?topic=PAYMENTS&industry=FINANCIAL_SERVICES&language=en_US&search=overdue", "")
		var l struct{ Data []map[string]any }
		if err := json.Unmarshal(r.body, &l); err != nil || len(l.Data) != 1 {
			t.Fatalf("%s = %d %s", path, r.status, r.body)
		}
		e := l.Data[0]
		for _, field := range []string{"id", "name", "language", "category", "topic", "usecase", "industry", "header", "body", "body_params", "body_param_types", "buttons"} {
			if e[field] == nil {
				t.Errorf("%s has no %s: %v", path, field, e)
			}
		}
	}
	r := f.graph(http.MethodPost, templatesPath, `{"name":"late","category":"UTILITY","language":"en_US","library_template_name":"payment_overdue_1",
		"library_template_button_inputs":"[{\"type\":\"URL\",\"url\":{\"base_url\":\"https://ex.org/{{1}}\",\"url_suffix_example\":\"https://ex.org/demo\"}},{\"type\":\"PHONE_NUMBER\",\"phone_number\":\"+15550100123\"}]"}`)
	var made createReply
	if err := json.Unmarshal(r.body, &made); err != nil || made.Status != "APPROVED" {
		t.Fatalf("from the library = %d %s", r.status, r.body)
	}
	if got := f.template(made.ID, "library_template_name")["library_template_name"]; got != "payment_overdue_1" {
		t.Errorf("library_template_name is %v", got)
	}
	send := func(amount, date string) reply {
		return f.post(`{"messaging_product":"whatsapp","to":"+` + Diego + `","type":"template","template":{"name":"late","language":{"code":"en_US"},"components":[{"type":"body","parameters":[` +
			`{"type":"text","text":"` + amount + `"},{"type":"text","text":"` + date + `"}]},{"type":"button","sub_type":"url","index":0,"parameters":[{"type":"text","text":"88"}]}]}}`)
	}
	if r := send("$42", "May 4"); r.status != 200 {
		t.Errorf("send = %d %s", r.status, r.body)
	}
	if r := send("plenty", "May 4"); r.errorCode(t) != 132012 {
		t.Errorf("a word as an amount: %d %s", r.status, r.body)
	}
}

func TestAuthenticationTemplates(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{Now: func() time.Time { return epoch }})
	r := f.graph(http.MethodPost, "/v25.0/"+AccountID+"/upsert_message_templates", `{"name":"login","category":"AUTHENTICATION","languages":["en_US","es"],
		"components":[{"type":"BODY","add_security_recommendation":true},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}]}`)
	var made struct {
		Data []struct{ ID, Status, Language string }
	}
	if err := json.Unmarshal(r.body, &made); err != nil || len(made.Data) != 2 || made.Data[1].Language != "es" {
		t.Fatalf("upsert = %d %s", r.status, r.body)
	}
	for _, d := range made.Data {
		f.control(http.MethodPost, "/sim/v1/templates/"+d.ID+"/review", `{"decision":"APPROVED"}`)
	}
	if got := fmt.Sprint(f.template(made.Data[0].ID, "components")); !strings.Contains(got, "type:URL") || strings.Contains(got, "OTP ") {
		t.Errorf("the button is shown as %s", got)
	}
	code := func(to, body, button string) reply {
		return f.post(`{"messaging_product":"whatsapp",` + to + `,"type":"template","template":{"name":"login","language":{"code":"es"},"components":[{"type":"body","parameters":[{"type":"text","text":"` + body +
			`"}]},{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"` + button + `"}]}]}}`)
	}
	phone := `"to":"+` + Diego + `"`
	for _, tc := range []struct {
		name         string
		to           string
		body, button string
		code         int
	}{
		{"both", phone, "123456", "123456", 0},
		{"to a scoped id", `"recipient":"US.1"`, "123456", "123456", 131062},
		{"too long", phone, "1234567890123456", "1", 132005},
		{"an address", phone, "http://x", "1", 132007},
		{"an emoji", phone, "12🎉", "1", 132007},
		{"a long button", phone, "1", "1234567890123456", 132005},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := code(tc.to, tc.body, tc.button)
			if tc.code == 0 && r.status != 200 || tc.code != 0 && r.errorCode(t) != tc.code {
				t.Errorf("%d %s, want %d", r.status, r.body, tc.code)
			}
		})
	}
	r = f.graph(http.MethodGet, "/v25.0/"+AccountID+"/message_template_previews?category=AUTHENTICATION&languages=en_US,es&add_security_recommendation=true&code_expiration_minutes=10&button_types=OTP", "")
	want := `{"data":[{"body":"*{{1}}* is your verification code. For your security, do not share this code.","buttons":[{"type":"OTP","text":"Copy code","autofill_text":"Autofill"}],"footer":"This code expires in 10 minutes.","language":"en_US"},`
	if !strings.HasPrefix(string(r.body), want) || !strings.Contains(string(r.body), `"language":"es"`) {
		t.Errorf("previews = %d %s", r.status, r.body)
	}
}

// A template is also found under its account's edge, which a client library relies on.
func TestTemplateUnderItsEdge(t *testing.T) {
	t.Parallel()
	f := newFixture(t, Options{})
	r := f.graph(http.MethodGet, templatesPath+"/1400000000000102?fields=name", "")
	if r.status != 200 || string(r.body) != `{"id":"1400000000000102","name":"statement"}` {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := f.graph(http.MethodGet, templatesPath+"/1400000000000201", ""); r.graphError(t).Subcode != 33 {
		t.Errorf("another account's template: %d %s", r.status, r.body)
	}
	if r := f.graph(http.MethodDelete, templatesPath+"/1400000000000102", ""); r.graphError(t).Code != 2500 {
		t.Errorf("deleting there: %d %s", r.status, r.body)
	}
}
