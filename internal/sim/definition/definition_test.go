package definition

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

func params(t testing.TB, text string) graph.Params {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var p graph.Params
	if err := dec.Decode(&p); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return p
}

var rules = Options{Flow: func(id, name string) (string, bool) {
	return "662739091060588", id == "662739091060588" || name == "survey"
}}

func utility(components string) string { return of("UTILITY", "", components) }

func of(category, more, components string) string {
	return `{"name":"parcel_ready","language":"en_GB","category":"` + category + `",` + more + `"components":[` + components + `]}`
}

const (
	plain  = `{"type":"BODY","text":"Your parcel is here."}`
	filled = `{"type":"BODY","text":"Hello {{1}}, your parcel {{2}} is here.","example":{"body_text":[["Ada","88"]]}}`
	image  = `{"type":"HEADER","format":"IMAGE","example":{"header_handle":["4::aW1hZ2UvcG5n:ARx"]}}`
	otp    = `{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"COPY_CODE"}]}`
)

func buttons(list ...string) string {
	return plain + `,{"type":"BUTTONS","buttons":[` + strings.Join(list, ",") + `]}`
}

func repeat(n int, format string) string {
	list := make([]string, n)
	for i := range list {
		list[i] = strings.ReplaceAll(format, "#", fmt.Sprint(i))
	}
	return strings.Join(list, ",")
}

const (
	reply = `{"type":"QUICK_REPLY","text":"Later"}`
	link  = `{"type":"URL","text":"Track","url":"https://ex.org/t"}`
)

func card(header, rest string) string {
	return `{"components":[{"type":"HEADER","format":"` + header + `","example":{"header_handle":["4::aW1hZ2U=:A"]}}` + rest + `]}`
}

const cardRest = `,{"type":"BODY","text":"Half price now."},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"More"}]}`

func carousel(cards ...string) string {
	return plain + `,{"type":"CAROUSEL","cards":[` + strings.Join(cards, ",") + `]}`
}

func offer(more string) string {
	return `{"type":"BODY","text":"Half price today."},{"type":"LIMITED_TIME_OFFER","limited_time_offer":{"text":"Ends soon","has_expiration":true}}` + more
}

const offerButtons = `,{"type":"BUTTONS","buttons":[{"type":"COPY_CODE","example":"HALF"},{"type":"URL","text":"Shop","url":"https://ex.org"}]}`

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name    string
		body    string
		code    int // 0 is taken
		subcode int
		say     string // part of the message or of the text for users
	}{
		{"plain", utility(plain), 0, 0, ""},
		{"variables with examples", utility(filled), 0, 0, ""},
		{"lower-case words", strings.ReplaceAll(strings.ReplaceAll(utility(plain), "UTILITY", "utility"), "BODY", "body"), 0, 0, ""},
		{"unknown members", of("UTILITY", `"status":"APPROVED","allow_category_change":true,`, plain), 0, 0, ""},
		{"examples left out as before parameter_format", utility(`{"type":"BODY","text":"Hi {{1}}, your order #{{2}} has been shipped. Track it\nbelow."}`), 0, 0, ""},

		{"name missing", `{"language":"en_US","category":"UTILITY"}`, 100, 0, "name is required"},
		{"name with capitals", strings.Replace(utility(plain), "parcel", "Parcel", 1), 100, 0, "lower-case"},
		{"name too long", strings.Replace(utility(plain), "parcel_ready", strings.Repeat("a", 513), 1), 100, 0, "512"},
		{"language unknown", strings.Replace(utility(plain), "en_GB", "tlh", 1), 100, 0, "language"},
		{"category unknown", of("OTHER", "", plain), 100, 0, "AUTHENTICATION, MARKETING, UTILITY"},
		{"parameter_format unknown", of("UTILITY", `"parameter_format":"MIXED",`, plain), 100, 0, "NAMED, POSITIONAL"},
		{"components missing", `{"name":"a","language":"en_US","category":"UTILITY"}`, 100, 0, "components is required"},
		{"components no list", `{"name":"a","language":"en_US","category":"UTILITY","components":{}}`, 100, 0, "must be an array"},
		{"component no object", utility(`1`), 100, 0, "components[0] must be a JSON object"},
		{"component unknown", utility(`{"type":"SIDEBAR"}`), 100, 0, "must be one of"},
		{"component twice", utility(plain + "," + plain), 100, BadComponent, "at most one"},
		{"body missing", utility(`{"type":"FOOTER","text":"x"}`), 100, MissingField, "BODY"},
		{"body empty", utility(`{"type":"BODY","text":" "}`), 100, MissingField, "text"},
		{"body no string", utility(`{"type":"BODY","text":{}}`), 100, 0, "must be a string"},
		{"body too long", utility(`{"type":"BODY","text":"` + strings.Repeat("é", 1025) + `"}`), 100, TooLong, "1024"},
		{"body of 1024", utility(`{"type":"BODY","text":"` + strings.Repeat("é", 1024) + `"}`), 0, 0, ""},
		{"body with three line breaks", utility(`{"type":"BODY","text":"a\n\n\nb"}`), 100, BadBody, "line breaks"},
		{"body with five spaces", utility(`{"type":"BODY","text":"a     b"}`), 100, BadBody, "spaces"},

		{"variable first", utility(`{"type":"BODY","text":"{{1}} has come to you","example":{"body_text":[["x"]]}}`), 100, DanglingVariables, "begin or end"},
		{"variable last", utility(`{"type":"BODY","text":"Here comes your {{1}}","example":{"body_text":[["x"]]}}`), 100, DanglingVariables, "begin or end"},
		{"variable before the full stop", utility(`{"type":"BODY","text":"Here comes your {{1}}.","example":{"body_text":[["x"]]}}`), 0, 0, ""},
		{"variables side by side", utility(`{"type":"BODY","text":"Here is {{1}} {{2}} for you all","example":{"body_text":[["x","y"]]}}`), 100, BadBody, "side by side"},
		{"too many variables", utility(`{"type":"BODY","text":"a {{1}} b {{2}}.","example":{"body_text":[["x","y"]]}}`), 100, TooManyVariables, "2 variables in 4 words"},
		{"gap in the numbers", utility(`{"type":"BODY","text":"Here is {{1}} and {{3}} for you","example":{"body_text":[["x","y"]]}}`), 100, BadBody, "without gaps"},
		{"numbers from two", utility(`{"type":"BODY","text":"Here is {{2}} for you","example":{"body_text":[["x"]]}}`), 100, BadBody, "without gaps"},
		{"numbers in another order", utility(`{"type":"BODY","text":"Here is {{2}} for you, from {{1}} with love","example":{"body_text":[["x","y"]]}}`), 0, 0, ""},
		{"braces open", utility(`{"type":"BODY","text":"Here is {{1} for you"}`), 100, BadBody, "braces"},
		{"braces closed", utility(`{"type":"BODY","text":"Here is {1}} for you"}`), 100, BadBody, "braces"},
		{"variable with #", utility(`{"type":"BODY","text":"Here is {{#1}} for you"}`), 100, BadBody, "special characters"},
		{"name without NAMED", utility(`{"type":"BODY","text":"Here is {{what}} for you"}`), 100, BadBody, "NAMED"},
		{"example short", utility(`{"type":"BODY","text":"Hello {{1}}, your parcel {{2}} is here.","example":{"body_text":[["Ada"]]}}`), 100, MissingField, "(example)"},
		{"example empty", utility(`{"type":"BODY","text":"Hello {{1}}, your parcel is here.","example":{"body_text":[[""]]}}`), 100, MissingField, "(example)"},
		{"example flat", utility(`{"type":"BODY","text":"Hello {{1}}, your parcel is here.","example":{"body_text":["Ada"]}}`), 100, 0, "body_text'][0] must be an array"},
		{"example left out with parameter_format", of("UTILITY", `"parameter_format":"POSITIONAL",`, `{"type":"BODY","text":"Hello {{1}}, your parcel is here."}`), 100, MissingField, "BODY"},

		{"named", of("UTILITY", `"parameter_format":"named",`, `{"type":"BODY","text":"Hello {{first_name}}, your parcel is here.","example":{"body_text_named_params":[{"param_name":"first_name","example":"Ada"}]}}`), 0, 0, ""},
		{"named with a number", of("UTILITY", `"parameter_format":"NAMED",`, `{"type":"BODY","text":"Hello {{1}}, your parcel is here."}`), 100, BadBody, "must be named"},
		{"named without examples", of("UTILITY", `"parameter_format":"NAMED",`, `{"type":"BODY","text":"Hello {{n}}, your parcel is here."}`), 100, MissingField, "BODY"},
		{"named with another's example", of("UTILITY", `"parameter_format":"NAMED",`, `{"type":"BODY","text":"Hello {{n}}, your parcel is here.","example":{"body_text_named_params":[{"param_name":"m","example":"Ada"}]}}`), 100, MissingField, "BODY"},

		{"header", utility(`{"type":"HEADER","format":"TEXT","text":"Order {{1}} is here","example":{"header_text":["88"]}},` + plain), 0, 0, ""},
		{"header without its example", utility(`{"type":"HEADER","format":"TEXT","text":"Order {{1}} is here"},` + plain), 100, MissingField, "HEADER"},
		{"header with two variables", utility(`{"type":"HEADER","format":"TEXT","text":"{{1}} and {{2}}","example":{"header_text":["a","b"]}},` + plain), 100, BadHeader, "one variable"},
		{"header too long", utility(`{"type":"HEADER","format":"TEXT","text":"` + strings.Repeat("a", 61) + `"},` + plain), 100, TooLong, "60"},
		{"header with an asterisk", utility(`{"type":"HEADER","format":"TEXT","text":"*New*"},` + plain), 100, BadHeader, "asterisks"},
		{"header with an emoji", utility(`{"type":"HEADER","format":"TEXT","text":"New 🎉"},` + plain), 100, BadHeader, "emojis"},
		{"header of no format", utility(`{"type":"HEADER","text":"New"},` + plain), 100, 0, "format must be one of"},
		{"image header", utility(image + "," + plain), 0, 0, ""},
		{"image header without a sample", utility(`{"type":"HEADER","format":"IMAGE"},` + plain), 100, MissingField, "HEADER"},
		{"image header with a media id", utility(`{"type":"HEADER","format":"IMAGE","example":{"header_handle":["998877665544332"]}},` + plain), 131009, graph.SubcodeParameter, ""},
		{"image header with an address", utility(`{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://ex.org/a.png"]}},` + plain), 131009, graph.SubcodeParameter, ""},
		{"image handle in a video header", utility(strings.Replace(image, "IMAGE", "VIDEO", 1) + "," + plain), 100, BadHeader, "image/png"},
		{"location header", utility(`{"type":"HEADER","format":"LOCATION"},` + plain), 0, 0, ""},

		{"footer", utility(plain + `,{"type":"FOOTER","text":"Demo Ltd"}`), 0, 0, ""},
		{"footer with a variable", utility(plain + `,{"type":"FOOTER","text":"Demo {{1}}"}`), 100, BadFooter, "variables"},
		{"footer too long", utility(plain + `,{"type":"FOOTER","text":"` + strings.Repeat("a", 61) + `"}`), 100, TooLong, "60"},

		{"buttons", utility(buttons(reply, link, `{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}`, `{"type":"COPY_CODE","example":["HALF"]}`)), 0, 0, ""},
		{"buttons none", utility(buttons()), 100, BadComponent, "1 to 10"},
		{"buttons eleven", utility(buttons(repeat(11, reply))), 100, BadComponent, "1 to 10"},
		{"button unknown", utility(buttons(`{"type":"LEVER","text":"Pull"}`)), 100, 0, "must be one of"},
		{"button without a text", utility(buttons(`{"type":"QUICK_REPLY"}`)), 100, MissingField, "text"},
		{"button text too long", utility(buttons(`{"type":"QUICK_REPLY","text":"` + strings.Repeat("a", 26) + `"}`)), 100, TooLong, "25"},
		{"button text with a variable", utility(buttons(`{"type":"QUICK_REPLY","text":"Yes {{1}}"}`)), 100, BadComponent, "variables"},
		{"quick replies apart", utility(buttons(reply, link, `{"type":"QUICK_REPLY","text":"Never"}`)), 100, BadComponent, "side by side"},
		{"quick replies last", utility(buttons(link, reply)), 0, 0, ""},
		{"three addresses", utility(buttons(repeat(3, link))), 100, BadComponent, "2 button(s) of type URL"},
		{"two phones", utility(buttons(repeat(2, `{"type":"PHONE_NUMBER","text":"Call","phone_number":"+15550100123"}`))), 100, BadComponent, "1 button(s) of type PHONE_NUMBER"},
		{"phone that is none", utility(buttons(`{"type":"PHONE_NUMBER","text":"Call","phone_number":"call me"}`)), 100, BadComponent, "not valid"},
		{"address with a variable", utility(buttons(`{"type":"URL","text":"Track","url":"https://ex.org/t/{{1}}","example":["https://ex.org/t/8"]}`)), 0, 0, ""},
		{"address with a variable, no example", utility(buttons(`{"type":"URL","text":"Track","url":"https://ex.org/t/{{1}}"}`)), 100, MissingField, "BUTTONS"},
		{"address with a variable inside", utility(buttons(`{"type":"URL","text":"Track","url":"https://ex.org/{{1}}/t","example":["x"]}`)), 100, BadComponent, "at its end"},
		{"address without a scheme", utility(buttons(`{"type":"URL","text":"Track","url":"ex.org"}`)), 100, BadComponent, "not valid"},
		{"address at wa.me", utility(buttons(`{"type":"URL","text":"Chat","url":"https://wa.me/15550100123"}`)), 100, BadComponent, "wa.me"},
		{"address too long", utility(buttons(`{"type":"URL","text":"Track","url":"https://ex.org/` + strings.Repeat("a", 2000) + `"}`)), 100, TooLong, "2000"},
		{"code without an example", utility(buttons(`{"type":"COPY_CODE"}`)), 100, MissingField, "BUTTONS"},
		{"code too long", utility(buttons(`{"type":"COPY_CODE","example":"` + strings.Repeat("A", 21) + `"}`)), 100, TooLong, "20"},
		{"flow by id", utility(buttons(`{"type":"FLOW","text":"Open","flow_id":662739091060588,"flow_action":"navigate","navigate_screen":"A"}`)), 0, 0, ""},
		{"flow by name", utility(buttons(`{"type":"FLOW","text":"Open","flow_name":"survey"}`)), 0, 0, ""},
		{"flow unknown", utility(buttons(`{"type":"FLOW","text":"Open","flow_id":"1"}`)), 100, BadComponent, "does not exist"},
		{"flow unnamed", utility(buttons(`{"type":"FLOW","text":"Open"}`)), 100, MissingField, "flow_id"},
		{"call", utility(buttons(`{"type":"VOICE_CALL","text":"Call","ttl_minutes":"007"}`)), 0, 0, ""},
		{"call for no time", utility(buttons(`{"type":"VOICE_CALL","text":"Call","ttl_minutes":"soon"}`)), 100, 0, "ttl_minutes"},
		{"one-time code in a utility template", utility(plain + "," + otp), 100, BadComponent, "Authentication templates"},

		{"carousel", of("MARKETING", "", carousel(card("IMAGE", cardRest), card("IMAGE", cardRest))), 0, 0, ""},
		{"carousel of one", of("MARKETING", "", carousel(card("IMAGE", cardRest))), 100, BadComponent, "2 to 10"},
		{"carousel of eleven", of("MARKETING", "", carousel(repeat(11, card("IMAGE", cardRest)))), 100, BadComponent, "2 to 10"},
		{"carousel of unlike cards", of("MARKETING", "", carousel(card("IMAGE", cardRest), card("VIDEO", cardRest))), 100, BadComponent, "the same"},
		{"carousel with a footer", of("MARKETING", "", carousel(card("IMAGE", cardRest), card("IMAGE", cardRest))+`,{"type":"FOOTER","text":"x"}`), 100, BadComponent, "only have a BODY"},
		{"card without buttons", of("MARKETING", "", carousel(card("IMAGE", ""), card("IMAGE", ""))), 100, MissingField, "buttons"},
		{"card with a text header", of("MARKETING", "", carousel(`{"components":[{"type":"HEADER","format":"TEXT","text":"x"}`+cardRest+`]}`, card("IMAGE", cardRest))), 100, BadHeader, "Every card"},
		{"card body too long", of("MARKETING", "", carousel(card("IMAGE", strings.Replace(cardRest, "Half price now.", strings.Repeat("a", 161), 1)), card("IMAGE", cardRest))), 100, TooLong, "160"},

		{"offer", of("MARKETING", "", offer(offerButtons)), 0, 0, ""},
		{"offer in a utility template", utility(offer(offerButtons)), 100, BadComponent, "MARKETING"},
		{"offer with a footer", of("MARKETING", "", offer(offerButtons+`,{"type":"FOOTER","text":"x"}`)), 100, BadComponent, "FOOTER"},
		{"offer without buttons", of("MARKETING", "", offer("")), 100, MissingField, "buttons"},
		{"offer with a text header", of("MARKETING", "", offer(offerButtons+`,{"type":"HEADER","format":"TEXT","text":"x"}`)), 100, BadHeader, "image or a video"},
		{"offer text too long", of("MARKETING", "", strings.Replace(offer(offerButtons), "Ends soon", strings.Repeat("a", 17), 1)), 100, TooLong, "16"},
		{"offer body too long", of("MARKETING", "", strings.Replace(offer(offerButtons), "Half price today.", strings.Repeat("a", 601), 1)), 100, TooLong, "600"},

		{"code", of("AUTHENTICATION", "", `{"type":"BODY","add_security_recommendation":true},{"type":"FOOTER","code_expiration_minutes":10},`+otp), 0, 0, ""},
		{"code with a text", of("AUTHENTICATION", "", plain+","+otp), 100, BadBody, "fixed text"},
		{"code without a button", of("AUTHENTICATION", "", `{"type":"BODY"}`), 100, MissingField, "OTP"},
		{"code with another button", of("AUTHENTICATION", "", `{"type":"BODY"},{"type":"BUTTONS","buttons":[`+reply+`]}`), 100, BadComponent, "OTP"},
		{"code with a header", of("AUTHENTICATION", "", `{"type":"HEADER","format":"LOCATION"},{"type":"BODY"},`+otp), 100, BadComponent, "nothing else"},
		{"code that lives too long", of("AUTHENTICATION", "", `{"type":"BODY"},{"type":"FOOTER","code_expiration_minutes":91},`+otp), 100, 0, "between 1 and 90"},
		{"one tap", of("AUTHENTICATION", "", `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP","supported_apps":[{"package_name":"com.ex","signature_hash":"K8a/AINcGX7"}]}]}`), 0, 0, ""},
		{"one tap without an app", of("AUTHENTICATION", "", `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP"}]}`), 100, MissingField, "supported_apps"},
		{"zero tap without the terms", of("AUTHENTICATION", "", `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ZERO_TAP","package_name":"com.ex","signature_hash":"K8a/AINcGX7"}]}`), 100, MissingField, "zero_tap"},
		{"hash of the wrong length", of("AUTHENTICATION", "", `{"type":"BODY"},{"type":"BUTTONS","buttons":[{"type":"OTP","otp_type":"ONE_TAP","package_name":"com.ex","signature_hash":"short"}]}`), 100, BadComponent, "11 characters"},

		{"life of a utility message", of("UTILITY", `"message_send_ttl_seconds":43200,`, plain), 0, 0, ""},
		{"life without end", of("UTILITY", `"message_send_ttl_seconds":-1,`, plain), 0, 0, ""},
		{"life too short", of("UTILITY", `"message_send_ttl_seconds":29,`, plain), 100, 0, "between 30 and 43200"},
		{"life of a marketing message", of("MARKETING", `"message_send_ttl_seconds":-1,`, plain), 100, 0, "between 43200 and 2592000"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := Parse(params(t, tc.body), rules)
			expect(t, err, tc.code, tc.subcode, tc.say)
		})
	}
}

func expect(t *testing.T, err *graph.Error, code, subcode int, say string) {
	t.Helper()
	if err == nil {
		if code != 0 {
			t.Fatalf("taken, want %d/%d", code, subcode)
		}
		return
	}
	if err.Code != code || err.Subcode != subcode || !strings.Contains(err.Message+"\n"+err.UserMsg, say) {
		t.Fatalf("refused with %d/%d %q %q, want %d/%d %q", err.Code, err.Subcode, err.Message, err.UserMsg, code, subcode, say)
	}
	if err.Subcode/1000 == 2388 && (err.UserTitle == "" || err.UserMsg == "") {
		t.Errorf("no words for the user: %+v", err)
	}
}

func TestExamplesRequired(t *testing.T) {
	t.Parallel()
	_, err := Parse(params(t, utility(`{"type":"BODY","text":"Hello {{1}}, your parcel is here."}`)), Options{Examples: true})
	expect(t, err, 100, MissingField, "BODY")
}

// What Meta shows is not what was sent: words in upper case, fixed texts, samples' addresses, codes' buttons as addresses.
func TestShown(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, body, want string }{
		{"words and samples", of("UTILITY", "", strings.ToLower(`{"TYPE":"HEADER","FORMAT":"IMAGE","EXAMPLE":{"HEADER_HANDLE":["4::X"]}}`)+","+filled),
			`[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://cdn/4::x"]}},` + filled + `]`},
		{"code", of("AUTHENTICATION", "", `{"type":"BODY","add_security_recommendation":true},{"type":"FOOTER","code_expiration_minutes":5},`+otp),
			`[{"type":"BODY","text":"*{{1}}* is your verification code. For your security, do not share this code.","add_security_recommendation":true,"example":{"body_text":[["123456"]]}},` +
				`{"type":"FOOTER","text":"This code expires in 5 minutes.","code_expiration_minutes":5},` +
				`{"type":"BUTTONS","buttons":[{"type":"URL","text":"Copy code","url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}","example":["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"]}]}]`},
		{"flow", utility(buttons(`{"type":"flow","text":"Open","flow_name":"survey"}`)),
			`[` + plain + `,{"type":"BUTTONS","buttons":[{"type":"FLOW","text":"Open","flow_id":662739091060588,"flow_action":"NAVIGATE"}]}]`},
		{"card", of("MARKETING", "", carousel(card("IMAGE", cardRest), card("IMAGE", cardRest))),
			`[` + plain + `,{"type":"CAROUSEL","cards":[` + repeat(2, strings.Replace(card("IMAGE", cardRest), "4::aW1hZ2U=:A", "https://cdn/4::aW1hZ2U=:A", 1)) + `]}]`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			d, err := Parse(params(t, tc.body), rules)
			if err != nil {
				t.Fatal(err.UserMsg, err)
			}
			d.ShowSamples(func(handle string) string { return "https://cdn/" + handle })
			var got, want any
			if json.Unmarshal(d.JSON(), &got) != nil || json.Unmarshal([]byte(tc.want), &want) != nil {
				t.Fatalf("not JSON: %s\n%s", d.JSON(), tc.want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
		})
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	d, err := Parse(params(t, of("UTILITY", `"message_send_ttl_seconds":60,`, image+","+filled)), rules)
	if err != nil {
		t.Fatal(err)
	}
	d.ShowSamples(func(string) string { return "https://cdn/a" })
	shown := rules
	shown.Shown = func(address string) bool { return address == "https://cdn/a" }
	for _, tc := range []struct {
		name, body    string
		code, subcode int
		check         func(d *Definition) bool
	}{
		{"only the life", `{"message_send_ttl_seconds":90}`, 0, 0, func(d *Definition) bool { return d.TTL == 90 && len(d.Components) == 2 }},
		{"category", `{"category":"marketing","message_send_ttl_seconds":43200}`, 0, 0, func(d *Definition) bool { return d.Category == Marketing }},
		{"components with the sample shown", `{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://cdn/a"]}},` + plain + `]}`, 0, 0,
			func(d *Definition) bool { return d.Part("BODY").Text == "Your parcel is here." && d.TTL == 60 }},
		{"another address", `{"components":[{"type":"HEADER","format":"IMAGE","example":{"header_handle":["https://cdn/b"]}},` + plain + `]}`, 131009, graph.SubcodeParameter, nil},
		{"bad components", `{"components":[{"type":"FOOTER","text":"x"}]}`, 100, MissingField, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			edited, err := d.Edit(params(t, tc.body), shown)
			expect(t, err, tc.code, tc.subcode, "")
			if tc.check != nil && !tc.check(edited) {
				t.Errorf("edited to %+v", edited)
			}
			if d.Category != Utility || d.TTL != 60 || d.Part("BODY").Text == "Your parcel is here." {
				t.Errorf("the original changed: %+v", d)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{utility(filled), utility(image + "," + buttons(reply, link)), of("MARKETING", "", carousel(card("IMAGE", cardRest), card("IMAGE", cardRest))),
		of("MARKETING", "", offer(offerButtons)), of("AUTHENTICATION", "", `{"type":"BODY"},`+otp), `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		dec := json.NewDecoder(bytes.NewReader(body))
		dec.UseNumber()
		var p graph.Params
		if dec.Decode(&p) != nil {
			return
		}
		_, _ = FromLibrary(p)
		d, err := Parse(p, rules)
		if err != nil {
			return
		}
		// What was taken can be shown, and what is shown can be sent back, apart from samples and fixed texts.
		if !json.Valid(d.JSON()) {
			t.Fatalf("components are not JSON: %s", d.JSON())
		}
		if d.Category == Authentication {
			return
		}
		again := graph.Params{"name": d.Name, "language": d.Language, "category": d.Category}
		if again["components"] = params(t, `{"c":`+string(d.JSON())+`}`)["c"]; d.Format == Named {
			again["parameter_format"] = Named
		}
		back, err := Parse(again, rules)
		if err != nil {
			t.Fatalf("%s was taken and not taken back: %v %s", body, err, err.UserMsg)
		}
		if !bytes.Equal(back.JSON(), d.JSON()) {
			t.Fatalf("%s\nbecame\n%s", d.JSON(), back.JSON())
		}
	})
}
