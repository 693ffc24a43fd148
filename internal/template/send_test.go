package template

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func mustParse(t testing.TB, raw string) *Template {
	t.Helper()
	template, err := Parse([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return &template
}

// listed is a definition as Meta lists it once it is approved.
func listed(definition string) string {
	return strings.Replace(definition, `{`, `{"id":"77","status":"APPROVED","quality_score":{"score":"GREEN","date":1},`, 1)
}

func TestParse(t *testing.T) {
	t.Parallel()
	got := mustParse(t, listed(good))
	got.Raw = nil
	want := &Template{ID: "77", Name: "parcel_ready", Language: "en_GB", Category: Utility, Status: Approved, Quality: "GREEN", Format: Positional, Footer: "Demo Ltd",
		Part: Part{Header: Header{Format: "TEXT", Text: Text{"Parcel {{1}}", []string{"1"}}},
			Body: Text{"Hi {{1}}, your parcel {{2}} has arrived at the shop. Please collect it soon.", []string{"1", "2"}},
			Buttons: []Button{{Type: "URL", Text: "Track", URL: Text{"https://ex.org/t/{{1}}", []string{"1"}}}, {Type: "PHONE_NUMBER", Text: "Call"},
				{Type: "QUICK_REPLY", Text: "Later"}}}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// A listing with members of types nobody expects is read as far as possible.
	odd := mustParse(t, `{"name":"x","status":7,"quality_score":"GREEN","components":[1,{"type":"BODY","text":["a"]},{"type":"BUTTONS","buttons":{}}]}`)
	if odd.Name != "x" || odd.Status != "" || odd.Quality != "" || odd.Body.Text != "" {
		t.Errorf("odd template %+v", odd)
	}
}

func message(components string) string {
	return `{"messaging_product":"whatsapp","to":"+14255550150","type":"template","template":{"name":"x","language":{"code":"en_GB"},"components":[` +
		components + `]}}`
}

const (
	goodSend = `{"type":"header","parameters":[{"type":"text","text":"88"}]},` +
		`{"type":"body","parameters":[{"type":"text","text":"Ada"},{"type":"currency","currency":{"fallback_value":"£9.90","code":"GBP","amount_1000":9900}}]},` +
		`{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"88"}]},` +
		`{"type":"button","sub_type":"quick_reply","index":2,"parameters":[{"type":"payload","payload":"later"}]}`
	codeSend = `{"type":"body","parameters":[{"type":"text","text":"123456"}]},` +
		`{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"123456"}]}`
	namedSend = `{"type":"body","parameters":[{"type":"text","parameter_name":"order_id","text":"88"},{"type":"text","parameter_name":"first_name","text":"Ada"}]}`
	offerSend = `{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]},` +
		`{"type":"limited_time_offer","parameters":[{"type":"limited_time_offer","limited_time_offer":{"expiration_time_ms":1767225599000}}]},` +
		`{"type":"button","sub_type":"copy_code","index":0,"parameters":[{"type":"coupon_code","coupon_code":"HALF"}]}`
	cardSend     = `"components":[{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]},{"type":"button","sub_type":"quick_reply","index":0,"parameters":[{"type":"payload","payload":"a"}]}]`
	carouselSend = `{"type":"carousel","cards":[{"card_index":0,` + cardSend + `},{"card_index":1,` + cardSend + `}]}`
)

// otp is how Meta lists the template made of code.
const otp = `{"name":"code","language":"en","category":"AUTHENTICATION","components":[{"type":"BODY","text":"*{{1}}* is your verification code."},` +
	`{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy code","url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}"}]}]}`

func TestCheckSend(t *testing.T) {
	t.Parallel()
	long := `{"name":"x","components":[{"type":"BODY","text":"Dear {{1}}, hello."}]}`
	for _, tc := range []struct {
		name, template, send string
		old, new             string // of the send
		member, text         string // of the only problem; none if text is ""
		code                 int
	}{
		{name: "everything", template: good, send: goodSend},
		{name: "one-time password", template: otp, send: codeSend},
		{name: "one-time password as created", template: code, send: codeSend},
		{name: "named", template: named, send: namedSend},
		{name: "offer", template: offer, send: offerSend},
		{name: "carousel", template: carousel, send: carouselSend},
		{name: "quick reply left out", template: good, send: goodSend, old: `,{"type":"button","sub_type":"quick_reply","index":2,"parameters":[{"type":"payload","payload":"later"}]}`},
		{name: "long text of a lone body", template: long, send: `{"type":"body","parameters":[{"type":"text","text":"` + strings.Repeat("x", 30_000) + `"}]}`},

		{"too few parameters", good, goodSend, `{"type":"text","text":"Ada"},`, ``, "template.components[1].parameters", "body has 1 parameters, and the template has 2", codeCount},
		{"no body", good, goodSend, `"type":"body"`, `"type":"tap_target_configuration"`, "template.components", "body has 0 parameters", codeCount},
		{"parameters for nothing", long, goodSend, goodSend, `{"type":"body","parameters":[{"type":"text","text":"a"},{"type":"text","text":"b"}]}`,
			"template.components[0].parameters", "body has 2 parameters, and the template has 1", codeCount},
		{"header for nothing", long, goodSend, goodSend, `{"type":"header","parameters":[{"type":"text","text":"a"}]},{"type":"body","parameters":[{"type":"text","text":"a"}]}`,
			"template.components[0].parameters", "header has 1 parameters, and the template has 0", codeCount},
		{"image in the body", good, goodSend, `{"type":"text","text":"Ada"}`, `{"type":"image","image":{"id":"1"}}`, "template.components[1].parameters[0].type", "takes text", codeMismatch},
		{"too long once filled in", good, goodSend, `Ada`, strings.Repeat("x", 1000), "template.components[1].parameters", "1024 are allowed", codeHydrated},
		{"text for an image", offer, offerSend, `{"type":"image","image":{"id":"1"}}`, `{"type":"video","video":{"id":"1"}}`, "template.components[0].parameters[0].type", `is "video"`, codeMismatch},
		{"no image", offer, offerSend, `{"type":"header"`, `{"type":"order_status"`, "template.components", "the template's is one image", codeMismatch},
		{"no name", named, namedSend, `"parameter_name":"order_id",`, ``, "template.components[0].parameters[0].parameter_name", "is required", codeCount},
		{"wrong name", named, namedSend, `order_id`, `order`, "template.components[0].parameters[0].parameter_name", "does not have", codeCount},
		{"name twice", named, namedSend, `order_id`, `first_name`, "template.components[0].parameters[1].parameter_name", "a second time", codeCount},

		{"button left out", good, goodSend, `{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"88"}]},`, ``, "template.components", "end of its address", codeMissing},
		{"button without its parameter", good, goodSend, `"index":"0","parameters":[{"type":"text","text":"88"}]`, `"index":"0"`, "template.components[2]", "needs the end of its address", codeMissing},
		{"button of another kind", good, goodSend, `"sub_type":"url"`, `"sub_type":"quick_reply"`, "template.components[2].sub_type", "is a URL button", codeMismatch},
		{"button that is not there", good, goodSend, `"index":2`, `"index":5`, "template.components[3].index", "is 5, and the template has 3 buttons", codeCount},
		{"button with a strange place", good, goodSend, `"index":2`, `"index":"x"`, "template.components[3].index", "not the place", codeParameter},
		{"button twice", good, goodSend, `"sub_type":"quick_reply","index":2,"parameters":[{"type":"payload","payload":"later"}]`,
			`"sub_type":"url","index":0,"parameters":[{"type":"text","text":"88"}]`, "template.components[3].index", "a second time", codeParameter},
		{"payload for an address", good, goodSend, `"index":"0","parameters":[{"type":"text","text":"88"}]`, `"index":"0","parameters":[{"type":"payload","payload":"88"}]`,
			"template.components[2].parameters[0].type", "takes text", codeMismatch},
		{"address that needs encoding", good, goodSend, `[{"type":"text","text":"88"}]},{"type":"button","sub_type":"quick`, `[{"type":"text","text":"8 8"}]},{"type":"button","sub_type":"quick`,
			"template.components[2].parameters[0].text", "does not encode", codeParameter},
		{"address without a variable", strings.ReplaceAll(good, "t/{{1}}", "t"), goodSend, ``, ``, "template.components[2].parameters", "no variable", codeParameter},
		{"two parameters for a button", good, goodSend, `{"type":"payload","payload":"later"}`, `{"type":"payload","payload":"a"},{"type":"payload","payload":"b"}`,
			"template.components[3].parameters", "more than one", codeParameter},
		{"no code to copy", offer, offerSend, `"coupon_code":"HALF"`, `"x":1`, "template.components[2].parameters[0].coupon_code", "is required", codeMissing},
		{"no end of the offer", offer, offerSend, `"expiration_time_ms"`, `"x"`, "template.components[1]", "offer's end", codeMissing},

		{"two codes", otp, codeSend, `"text":"123456"}]},{`, `"text":"654321"}]},{`, "template.components[1].parameters[0].text", "not the code of the body", codeParameter},
		{"code only once", otp, codeSend, `,{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"123456"}]}`, ``, "template.components", "nothing is given for button 0", codeMissing},
		{"long code", otp, strings.ReplaceAll(codeSend, "123456", "1234567890123456"), ``, ``, "template.components[0].parameters[0].text", "16 characters", codeParameter},

		{"one card too few", carousel, carouselSend, `,{"card_index":1,` + cardSend + `}`, ``, "template.components[0].cards", "1 cards, and the template has 2", codeCount},
		{"card twice", carousel, carouselSend, `"card_index":1`, `"card_index":0`, "template.components[0].cards[1].card_index", "not the place of a card", codeParameter},
		{"video on a card", carousel, carouselSend, `"card_index":1,` + cardSend, `"card_index":1,` + strings.Replace(cardSend, `"image","image"`, `"video","video"`, 1),
			"template.components[0].cards[1].components[0].parameters[0].type", "is image", codeMismatch},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(tc.send, tc.old) {
				t.Fatalf("%q is not in the message", tc.old)
			}
			problems := CheckSend(mustParse(t, listed(tc.template)), []byte(message(strings.Replace(tc.send, tc.old, tc.new, 1))))
			if tc.text == "" {
				if len(problems) > 0 {
					t.Errorf("problems: %s", Tell(problems))
				}
				return
			}
			if len(problems) != 1 {
				t.Fatalf("%d problems, want 1: %s", len(problems), Tell(problems))
			}
			if p := problems[0]; p.Member != tc.member || !strings.Contains(p.Text, tc.text) || p.Code != tc.code {
				t.Errorf("problem %+v, want %s … %s … %d", p, tc.member, tc.text, tc.code)
			}
		})
	}
}

func TestCheckSendStatus(t *testing.T) {
	t.Parallel()
	for status, code := range map[Status]int{Approved: 0, Flagged: 0, "": 0, Paused: codePaused, Disabled: codeDisabled, Pending: codeNotThere, Rejected: codeNotThere,
		PendingDeletion: codeNotThere, Archived: codeNotThere} {
		problems := CheckSend(&Template{Status: status, Format: Positional}, []byte(message("")))
		if code == 0 && len(problems) > 0 || code != 0 && (len(problems) != 1 || problems[0].Code != code || problems[0].Member != "template.name") {
			t.Errorf("%s: %s, want %d", status, Tell(problems), code)
		}
	}
}

func TestCheckSendScopedID(t *testing.T) {
	t.Parallel()
	problems := CheckSend(mustParse(t, listed(otp)), []byte(strings.Replace(message(codeSend), `"to":"+14255550150"`, `"recipient":"US.123"`, 1)))
	if len(problems) != 1 || problems[0].Code != codeScopedID || problems[0].Member != "recipient" {
		t.Errorf("problems: %s", Tell(problems))
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	name, language := Wanted([]byte(message("")))
	if name != "x" || language != "en_GB" {
		t.Fatalf("Wanted = %q, %q", name, language)
	}
	for _, tc := range []struct {
		languages []string
		want      string
	}{
		{nil, `template.name: there is no template "x" (create it, or correct the name)`},
		{[]string{"en_US", "de"}, `template.language.code: the template "x" does not exist in "en_GB" (it exists in en_US, de)`},
	} {
		if got := Missing(name, language, tc.languages); Tell(got) != tc.want || got[0].Code != 132001 || !got[0].Certain {
			t.Errorf("%v: %+v, want %s", tc.languages, got, tc.want)
		}
	}
}

func FuzzCheckSend(f *testing.F) {
	for _, s := range [][2]string{{good, goodSend}, {otp, codeSend}, {named, namedSend}, {offer, offerSend}, {carousel, carouselSend}} {
		f.Add([]byte(listed(s[0])), []byte(message(s[1])))
	}
	f.Fuzz(func(t *testing.T, definition, send []byte) {
		template, err := Parse(definition)
		if err != nil {
			return
		}
		Wanted(send)
		for _, p := range CheckSend(&template, send) {
			if p.Text == "" {
				t.Errorf("a problem without words: %+v", p)
			}
		}
	})
}
