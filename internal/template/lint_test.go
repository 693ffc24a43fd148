package template

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The examples of AWS's guide, line breaks of its pages included, are good enough to submit.
func TestLintGuide(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/guide-*.json")
	if err != nil || len(files) != 5 {
		t.Fatalf("%d examples, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if problems := Certain(Lint(Clean(raw))); len(problems) > 0 {
			t.Errorf("%s: %s", file, Tell(problems))
		}
	}
}

// good is a definition with everything a template can usually have.
const good = `{"name":"parcel_ready","language":"en_GB","category":"UTILITY","components":[
	{"type":"HEADER","format":"TEXT","text":"Parcel {{1}}","example":{"header_text":["88"]}},
	{"type":"BODY","text":"Hi {{1}}, your parcel {{2}} has arrived at the shop. Please collect it soon.","example":{"body_text":[["Ada","88"]]}},
	{"type":"FOOTER","text":"Demo Ltd"},
	{"type":"BUTTONS","buttons":[{"type":"URL","text":"Track","url":"https://ex.org/t/{{1}}","example":["https://ex.org/t/88"]},
		{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"},{"type":"QUICK_REPLY","text":"Later"}]}]}`

const offer = `{"name":"sale","language":"en","category":"MARKETING","components":[
	{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::aW1n"]}},
	{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Ends soon","has_expiration":true}},
	{"type":"BODY","text":"Everything is half the price today."},
	{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":"HALF"},{"type":"URL","text":"Shop","url":"https://ex.org"}]}]}`

const card = `{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::aW1n"]}},{"type":"BODY","text":"A pair of shoes"},` +
	`{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"More"}]}]}`

const carousel = `{"name":"shoes","language":"en","category":"marketing","components":[{"type":"body","text":"Our newest shoes"},
	{"type":"carousel","cards":[` + card + `,` + card + `]}]}`

const code = `{"name":"code","language":"en","category":"AUTHENTICATION","message_send_ttl_seconds":600,"components":[
	{"type":"BODY","add_security_recommendation":true},{"type":"FOOTER","code_expiration_minutes":5},
	{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP","supported_apps":[{"package_name":"org.ex","signature_hash":"K8a/AINcGX7"}]}]}]}`

const named = `{"name":"hi","language":"en","category":"UTILITY","parameter_format":"named","components":[
	{"type":"BODY","text":"Hi {{first_name}}, your order {{order_id}} is on its way to you.","example":{"body_text_named_params":[
	{"param_name":"first_name","example":"Ada"},{"param_name":"order_id","example":"88"}]}}]}`

func TestLintGood(t *testing.T) {
	t.Parallel()
	for name, definition := range map[string]string{"usual": good, "offer": offer, "carousel": carousel, "one-time password": code, "named": named,
		"from the library": `{"name":"x","language":"en","category":"UTILITY","library_template_name":"delivery_update_1"}`} {
		if problems := Lint([]byte(definition)); len(problems) > 0 {
			t.Errorf("%s: %s", name, Tell(problems))
		}
	}
}

// Each case spoils a good definition in one place.
func TestLintRefuses(t *testing.T) {
	t.Parallel()
	body := "Hi {{1}}, your parcel {{2}} has arrived at the shop. Please collect it soon."
	for _, tc := range []struct {
		name, from, old, new string
		member, text         string // of the only certain problem
		code                 int
	}{
		{"not an object", good, good, `[]`, "", "not a JSON object", 0},
		{"no name", good, `"name":"parcel_ready",`, ``, "name", "is required", 0},
		{"name with capitals", good, "parcel_ready", "Parcel-Ready", "name", "lower-case", 0},
		{"long name", good, "parcel_ready", strings.Repeat("x", 513), "name", "512", codeTooLong},
		{"no language", good, `"language":"en_GB",`, ``, "language", "is required", 0},
		{"bad language", good, "en_GB", "English", "language", "not a language code", 0},
		{"no category", good, `"category":"UTILITY",`, ``, "category", "is required", 0},
		{"bad category", good, "UTILITY", "NEWS", "category", "MARKETING or UTILITY", 0},
		{"bad format", named, `"named"`, `"both"`, "parameter_format", "POSITIONAL or NAMED", 0},
		{"time to live", code, "600", "1000", "message_send_ttl_seconds", "30 to 900", 0},
		{"no components", good, `"components":[`, `"parts":[`, "components", "is required", 0},
		{"two bodies", good, `{"type":"FOOTER","text":"Demo Ltd"}`, `{"type":"BODY","text":"Again"}`, "components[2]", "second BODY", 0},
		{"no type", good, `"type":"FOOTER",`, ``, "components[2].type", "is required", 0},
		{"no body", good, `"type":"BODY"`, `"type":"FUTURE"`, "components", "has no BODY", codeBody},

		{"special character in a variable", good, "{{2}} has", "{{#2}} has", "components[1].text", "special character", codeBody},
		{"dollar in a variable", good, "{{2}} has", "{{$2}} has", "components[1].text", "special character", codeBody},
		{"percent in a variable", good, "{{2}} has", "{{2%}} has", "components[1].text", "special character", codeBody},
		{"empty variable", good, "{{2}} has", "{{}} has", "components[1].text", "without a number or name", codeBody},
		{"missing brace", good, "{{2}} has", "{{2} has", "components[1].text", "do not match", codeBody},
		{"extra brace", good, "{{2}} has", "{{{2}} has", "components[1].text", "do not match", codeBody},
		{"stray braces", good, "has arrived", "has arrived}}", "components[1].text", "do not match", codeBody},
		{"gap in the numbers", good, "{{2}} has", "{{3}} has", "components[1].text", "no variable {{2}}, but {{3}}", codeBody},
		{"numbers from two on", good, body, "Hi {{2}}, your parcel {{3}} has arrived at the shop.", "components[1].text", "no variable {{1}}", codeBody},
		{"name among numbers", good, "{{2}} has", "{{parcel}} has", "components[1].text", "variables are numbered", codeBody},
		{"bad name", strings.Replace(named, `"order_id"`, `"Order"`, 1), "{{order_id}}", "{{Order}}", "components[0].text", "lower-case", codeBody},
		{"leading variable", good, "Hi {{1}}", " {{1}}", "components[1].text", "starts with a variable", codeEdge},
		{"trailing variable", good, "at the shop. Please collect it soon.", "at the shop {{2}} ", "components[1].text", "ends with a variable", codeEdge},
		{"adjacent variables", good, "parcel {{2}}", "parcel {{1}}{{2}}", "components[1].text", "side by side", codeEdge},
		{"too many variables", good, body, "Hi {{1}} - {{2}}.", "components[1].text", "2 variables in 1 words", codeTooMany},
		{"long body", good, "Please collect it soon.", strings.Repeat("é", 1024), "components[1].text", "1024 allowed", codeTooLong},
		{"empty body", good, body, " ", "components[1].text", "is required", codeBody},
		{"samples that do not fit", good, `["Ada","88"]`, `["Ada"]`, "components[1].example.body_text", "1 samples for 2", codeExample},
		{"empty sample", good, `["Ada","88"]`, `["Ada",""]`, "components[1].example.body_text[0][1]", "is empty", codeExample},
		{"sample of another name", named, `{"param_name":"order_id"`, `{"param_name":"other","example":"1"},{"param_name":"order_id"`,
			"components[0].example.body_text_named_params[1].param_name", `"other"`, codeExample},
		{"no sample for a name", named, `,{"param_name":"order_id","example":"88"}`, ``, "components[0].example.body_text_named_params", "{{order_id}}", codeExample},

		{"long header", good, "Parcel {{1}}", strings.Repeat("x", 61) + "{{1}}", "components[0].text", "60 allowed", codeTooLong},
		{"two variables in the header", good, `"Parcel {{1}}","example":{"header_text":["88"]}`, `"Parcel {{1}} of {{2}}","example":{"header_text":["8","9"]}`,
			"components[0].text", "more than one variable", codeHeader},
		{"line break in the header", good, "Parcel {{1}}", `Parcel\n{{1}}`, "components[0].text", "line break", codeHeader},
		{"no sample of the image", offer, `"4::aW1n"`, ``, "components[0].example.header_handle", "sample of the image", codeExample},
		{"variable in the footer", good, "Demo Ltd", "Demo {{1}} Ltd", "components[2].text", "has a variable", codeFooter},
		{"long footer", good, "Demo Ltd", strings.Repeat("x", 61), "components[2].text", "60 allowed", codeTooLong},

		{"no buttons", good, `"buttons":[`, `"x":[`, "components[3].buttons", "no button", 0},
		{"long label", good, "Track", strings.Repeat("x", 26), "components[3].buttons[0].text", "25 allowed", codeTooLong},
		{"no label", good, `"text":"Later"`, `"text":""`, "components[3].buttons[2].text", "is required", 0},
		{"variable in a label", good, "Later", "Later {{1}}", "components[3].buttons[2].text", "has a variable", 0},
		{"no type of button", good, `"type":"QUICK_REPLY",`, ``, "components[3].buttons[2].type", "is required", 0},
		{"variable in the middle of an address", good, "t/{{1}}", "t/{{1}}/x", "components[3].buttons[0].url", "before its end", 0},
		{"no sample of the address", good, `,"example":["https://ex.org/t/88"]`, ``, "components[3].buttons[0].example", "is required", codeExample},
		{"not an address", good, "https://ex.org/t/{{1}}", "ex.org/t/{{1}}", "components[3].buttons[0].url", "not an http", 0},
		{"link to WhatsApp", good, "https://ex.org/t/{{1}}", "https://wa.me/{{1}}", "components[3].buttons[0].url", "WhatsApp itself", 0},
		{"no phone number", good, `"+15550100123"`, `"call us"`, "components[3].buttons[1].phone_number", "not a phone number", 0},
		{"two phone numbers", good, `{"type":"QUICK_REPLY","text":"Later"}`, `{"type":"PHONE_NUMBER","text":"Fax","phone_number":"+15550100124"}`,
			"components[3].buttons[2]", "too many", 0},
		{"mixed grouping", good, `{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}`,
			`{"type":"QUICK_REPLY","text":"Now"},{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}`, "components[3].buttons", "quick replies", 0},
		{"one-time password elsewhere", good, `{"type":"QUICK_REPLY","text":"Later"}`, `{"type":"OTP","otp_type":"COPY_CODE"}`,
			"components[3].buttons[2].type", "only for AUTHENTICATION", 0},
		{"Flow without a name", good, `{"type":"QUICK_REPLY","text":"Later"}`, `{"type":"FLOW","text":"Start"}`, "components[3].buttons[2]", "names no Flow", 0},
		{"eleven buttons", good, `{"type":"QUICK_REPLY","text":"Later"}`, strings.TrimSuffix(strings.Repeat(`{"type":"QUICK_REPLY","text":"Later"},`, 9), ","),
			"components[3].buttons", "11 buttons", 0},

		{"header of a password", code, `"components":[`, `"components":[{"type":"HEADER","format":"TEXT","text":"Code"},`, "components[0]", "AUTHENTICATION", 0},
		{"quick reply of a password", code, `"type":"OTP"`, `"type":"QUICK_REPLY"`, "components[2].buttons", "one OTP button", 0},
		{"password without a button", code, `"type":"BUTTONS"`, `"type":"ORDER_STATUS"`, "components", "one OTP button", 0},
		{"long life of a code", code, `"code_expiration_minutes":5`, `"code_expiration_minutes":91`, "components[1].code_expiration_minutes", "1 to 90", codeFooter},
		{"one-tap without an app", code, `"supported_apps"`, `"apps"`, "components[2].buttons[0].supported_apps", "is required for ONE_TAP", 0},
		{"one-tap without a hash", code, `,"signature_hash":"K8a/AINcGX7"`, ``, "components[2].buttons[0].supported_apps[0].signature_hash", "is required", 0},
		{"zero-tap without terms", code, "ONE_TAP", "ZERO_TAP", "components[2].buttons[0].zero_tap_terms_accepted", "must be true", 0},
		{"recommendation in words", code, `"add_security_recommendation":true`, `"add_security_recommendation":"yes"`,
			"components[0].add_security_recommendation", "true or false", 0},

		{"offer of a utility", offer, "MARKETING", "UTILITY", "components[1]", "only for MARKETING", 0},
		{"long text of an offer", offer, "Ends soon", "Ends much too soon for you", "components[1].limited_time_offer.text", "16", codeTooLong},
		{"footer beside an offer", offer, `{"type":"BUTTONS"`, `{"type":"FOOTER","text":"x"},{"type":"BUTTONS"`, "components[3]", "beside a limited-time offer", codeFooter},
		{"long body beside an offer", offer, "Everything", strings.Repeat("x", 600) + " everything", "components[2].text", "600", codeTooLong},
		{"text above an offer", offer, `"IMAGE","example"`, `"TEXT","text":"Sale","x"`, "components[0].format", "IMAGE or VIDEO", codeHeader},
		{"code behind the link", offer, `{"type":"COPY_CODE","example":"HALF"},{"type":"URL","text":"Shop","url":"https://ex.org"}`,
			`{"type":"URL","text":"Shop","url":"https://ex.org"},{"type":"COPY_CODE","example":"HALF"}`, "components[3].buttons[1]", "first button", 0},
		{"code without a sample", offer, `,"example":"HALF"`, ``, "components[3].buttons[0].example", "is required", codeExample},

		{"one card", carousel, `,` + card + `]`, `]`, "components[1].cards", "1 cards", 0},
		{"footer beside a carousel", carousel, `{"type":"carousel"`, `{"type":"FOOTER","text":"x"},{"type":"carousel"`, "components[1]", "beside a carousel", 0},
		{"cards of two kinds", carousel, card + `]`, strings.Replace(card, "QUICK_REPLY", "URL\",\"url\":\"https://ex.org", 1) + `]`,
			"components[1].cards[1]", "like the first", 0},
		{"card with a long body", carousel, card + `]`, strings.Replace(card, "A pair", strings.Repeat("x", 160)+" pair", 1) + `]`,
			"components[1].cards[1].components[1].text", "160 allowed", codeTooLong},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(tc.from, tc.old) {
				t.Fatalf("%q is not in the definition", tc.old)
			}
			spoilt := strings.Replace(tc.from, tc.old, tc.new, 1)
			if !json.Valid([]byte(spoilt)) {
				t.Fatalf("not JSON: %s", spoilt)
			}
			problems := Certain(Lint([]byte(spoilt)))
			if len(problems) != 1 {
				t.Fatalf("%d certain problems, want 1: %s", len(problems), Tell(problems))
			}
			p := problems[0]
			if p.Member != tc.member || !strings.Contains(p.Text, tc.text) || p.Code != tc.code || p.Mend == "" {
				t.Errorf("problem %+v, want %s … %s … %d, and how to mend it", p, tc.member, tc.text, tc.code)
			}
		})
	}
}

// What a reviewer may or may not mind is told, and does not count as refused.
func TestLintDoubts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, from, old, new, member, text string }{
		{"unknown language", good, "en_GB", "xx_YY", "language", "known to support"},
		{"unknown component", good, `"type":"FOOTER"`, `"type":"BANNER"`, "components[2].type", "known to have"},
		{"no samples", good, `,"example":{"body_text":[["Ada","88"]]}`, ``, "components[1].example", "no body_text"},
		{"out of order", good, "Hi {{1}}, your parcel {{2}} has", "Hi {{2}}, your parcel {{1}} has", "components[1].text", "out of order"},
		{"single braces", good, "at the shop", "at the {shop}", "components[1].text", "single braces"},
		{"card number", good, "Please collect it soon.", "Please send us your full card number.", "components[1].text", "Business Policy"},
		{"restricted goods", good, "Please collect it soon.", "Come to our casino.", "components[1].text", "Commerce Policy"},
		{"short address", good, "https://ex.org/t/{{1}}", "https://bit.ly/{{1}}", "components[3].buttons[0].url", "shortened"},
		{"text of a password", code, `"add_security_recommendation":true`, `"text":"Your code"`, "components[0].text", "fixed by Meta"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			problems := Lint([]byte(strings.Replace(tc.from, tc.old, tc.new, 1)))
			if len(Certain(problems)) > 0 {
				t.Errorf("certain: %s", Tell(Certain(problems)))
			}
			if !slices.ContainsFunc(problems, func(p Problem) bool {
				return p.Member == tc.member && strings.Contains(p.Text, tc.text) && p.Mend != ""
			}) {
				t.Errorf("problems %s, want %s … %s", Tell(problems), tc.member, tc.text)
			}
		})
	}
}

func TestLintEdit(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, components, want string }{
		{"array", `[{"type":"BODY","text":"Thank you for your order."}]`, ""},
		{"whole definition", `{"components":[{"type":"BODY","text":"Thank you for your order."}]}`, ""},
		{"leading variable", `[{"type":"BODY","text":"{{1}} thank you for your order."}]`, "components[0].text: starts with a variable"},
		{"no array", `"x"`, "components: must be an array"},
		{"not JSON", `[`, "components: is not JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got := Tell(Certain(LintEdit(&Template{Category: Utility, Format: Positional}, []byte(tc.components))))
			if !strings.HasPrefix(got, tc.want) || (tc.want == "") != (got == "") {
				t.Errorf("problems %q, want %q", got, tc.want)
			}
		})
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, raw, want string }{
		{"good stays", `{"a":"b\nc"}`, `{"a":"b\nc"}`},
		{"line break in a string", "{\n\"a\":\"b\r\nc\td\"\n}", "{\n\"a\":\"b\\nc\\td\"\n}"},
		{"escaped quote", "{\"a\":\"b\\\"\nc\"}", `{"a":"b\"\nc"}`},
		{"beyond help", "{\"a\":\n", "{\"a\":\n"},
	} {
		if diff := cmp.Diff(tc.want, string(Clean([]byte(tc.raw)))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func FuzzLint(f *testing.F) {
	for _, s := range []string{good, offer, carousel, code, named, `{"components":[{"type":"BODY","text":"{{{1}} }}{{"}]}`, `{"components":{"a":null}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		problems := Lint(raw)
		again := Lint(raw)
		if diff := cmp.Diff(problems, again); diff != "" {
			t.Fatalf("two answers:\n%s", diff)
		}
		for _, p := range problems {
			if p.Text == "" {
				t.Errorf("a problem without words: %+v", p)
			}
		}
		if json.Valid(raw) && !bytes.Equal(Clean(raw), raw) {
			t.Error("Clean changed valid JSON")
		}
		if _, err := Parse(raw); (err == nil) != (len(problems) == 0 || problems[0].Text != "is not a JSON object") {
			t.Errorf("Parse: %v, Lint: %s", err, Tell(problems))
		}
		LintEdit(&Template{Category: Utility, Format: Positional}, raw)
	})
}
