package content

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

func params(t testing.TB, body string) graph.Params {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(body))
	dec.UseNumber()
	var p graph.Params
	if err := dec.Decode(&p); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	return p
}

// buttons returns n reply buttons.
func buttons(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"type":"reply","reply":{"id":"%d","title":"B%d"}}`, i, i))
	}
	return strings.Join(list, ",")
}

// rows returns n list rows whose ids start at from.
func rows(from, n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`{"id":"%d","title":"R"}`, from+i))
	}
	return strings.Join(list, ",")
}

func interactive(kind, rest string) string {
	return `{"interactive":{"type":"` + kind + `",` + rest + `}}`
}

const body = `"body":{"text":"b"},`

func card(header string) string {
	return `{"type":"cta_url","header":{"type":"` + header + `","` + header + `":{"link":"https://x/a"}},"action":{"name":"cta_url","parameters":{"display_text":"Go","url":"https://x"}}}`
}

func TestCheck(t *testing.T) {
	t.Parallel()
	long := func(n int) string { return strings.Repeat("é", n) }
	for _, tc := range []struct {
		name, kind, body string
		code             int    // 0: accepted
		say              string // part of the message or details
	}{
		{"text", "text", `{"text":{"body":"x","preview_url":true}}`, 0, ""},
		{"text of 4096 characters", "text", `{"text":{"body":"` + long(4096) + `"}}`, 0, ""},
		{"text too long", "text", `{"text":{"body":"` + long(4097) + `"}}`, 100, "Param text['body'] must be at most 4096 characters long."},
		{"text empty", "text", `{"text":{"body":""}}`, 100, "at least 1 characters"},
		{"text without body", "text", `{"text":{}}`, 131008, "text['body']"},
		{"text missing", "text", `{}`, 131008, "'text'"},
		{"text as a string", "text", `{"text":"hi"}`, 100, "Param text must be a JSON object."},
		{"text body as an object", "text", `{"text":{"body":{}}}`, 100, "must be a string"},
		{"preview_url as a word", "text", `{"text":{"body":"x","preview_url":"yes"}}`, 100, "boolean"},
		{"unknown members are tolerated", "text", `{"text":{"body":"x","colour":"red"},"mood":1}`, 0, ""},
		{"opaque data too long", "text", `{"text":{"body":"x"},"biz_opaque_callback_data":"` + long(513) + `"}`, 100, "512"},
		{"context not an object", "text", `{"text":{"body":"x"},"context":"wamid.x"}`, 100, "context"},
		{"future type", "hologram", `{"hologram":{}}`, 131051, "hologram"},

		{"image by link", "image", `{"image":{"link":"https://x/a.png","caption":"c"}}`, 0, ""},
		{"image by id", "image", `{"image":{"id":"123"}}`, 0, ""},
		{"image by numeric id", "image", `{"image":{"id":123}}`, 0, ""},
		{"image with both", "image", `{"image":{"id":"1","link":"https://x"}}`, 131009, "Only one"},
		{"image with neither", "image", `{"image":{}}`, 131008, "'id' or 'link'"},
		{"image with an ftp link", "image", `{"image":{"link":"ftp://x"}}`, 131009, "not a valid URL"},
		{"caption too long", "video", `{"video":{"id":"1","caption":"` + long(1025) + `"}}`, 100, "1024"},
		{"audio has no caption", "audio", `{"audio":{"id":"1","caption":"c"}}`, 100, "Unexpected key"},
		{"voice note", "audio", `{"audio":{"id":"1","voice":true}}`, 0, ""},
		{"document", "document", `{"document":{"id":"1","filename":"a.pdf","caption":"c"}}`, 0, ""},
		{"sticker", "sticker", `{"sticker":{"id":"1"}}`, 0, ""},

		{"location", "location", `{"location":{"latitude":1.5,"longitude":"-122.5","name":"n"}}`, 0, ""},
		{"location without longitude", "location", `{"location":{"latitude":1}}`, 131008, "longitude"},
		{"latitude out of range", "location", `{"location":{"latitude":91,"longitude":0}}`, 100, "latitude"},
		{"latitude not a number", "location", `{"location":{"latitude":"NaN","longitude":0}}`, 100, "latitude"},

		{"contacts", "contacts", `{"contacts":[{"name":{"formatted_name":"A B","first_name":"A"},"phones":[{"phone":"+1"}],"birthday":"1999-12-31"}]}`, 0, ""},
		{"contacts empty", "contacts", `{"contacts":[]}`, 100, "at least 1"},
		{"contacts as an object", "contacts", `{"contacts":{}}`, 100, "must be an array"},
		{"contact without a name part", "contacts", `{"contacts":[{"name":{"formatted_name":"A"}}]}`, 131008, "formatted_name"},
		{"contact without a name", "contacts", `{"contacts":[{}]}`, 131008, "contacts[0]['name']"},
		{"contact with a bad birthday", "contacts", `{"contacts":[{"name":{"formatted_name":"A","first_name":"A"},"birthday":"31.12."}]}`, 131009, "YYYY-MM-DD"},

		{"reaction", "reaction", `{"reaction":{"message_id":"wamid.x","emoji":"👍"}}`, 0, ""},
		{"reaction keycap", "reaction", `{"reaction":{"message_id":"wamid.x","emoji":"1️⃣"}}`, 0, ""},
		{"reaction removed", "reaction", `{"reaction":{"message_id":"wamid.x","emoji":""}}`, 0, ""},
		{"reaction without emoji", "reaction", `{"reaction":{"message_id":"wamid.x"}}`, 131008, "emoji"},
		{"reaction with a word", "reaction", `{"reaction":{"message_id":"wamid.x","emoji":"ok"}}`, 131009, "emoji"},

		{"buttons", "interactive", interactive("button", body+`"header":{"type":"image","image":{"id":"1"}},"footer":{"text":"f"},"action":{"buttons":[`+buttons(3)+`]}`), 0, ""},
		{"four buttons", "interactive", interactive("button", body+`"action":{"buttons":[`+buttons(4)+`]}`), 131009, "Max allowed buttons: 3"},
		{"no buttons", "interactive", interactive("button", body+`"action":{"buttons":[]}`), 131009, "Min allowed buttons: 1"},
		{"button title too long", "interactive", interactive("button", body+`"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"`+long(21)+`"}}]}`), 131009, "Button title length invalid. Min length: 1, Max length: 20"},
		{"button id repeated", "interactive", interactive("button", body+`"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"a"}},{"type":"reply","reply":{"id":"1","title":"b"}}]}`), 131009, "Duplicated button id"},
		{"button title repeated", "interactive", interactive("button", body+`"action":{"buttons":[{"type":"reply","reply":{"id":"1","title":"a"}},{"type":"reply","reply":{"id":"2","title":"a"}}]}`), 131009, "Duplicated button title"},
		{"button id padded", "interactive", interactive("button", body+`"action":{"buttons":[{"type":"reply","reply":{"id":" 1","title":"a"}}]}`), 131009, "spaces"},
		{"button of another type", "interactive", interactive("button", body+`"action":{"buttons":[{"type":"url","reply":{"id":"1","title":"a"}}]}`), 100, "must be one of {REPLY}"},
		{"no body", "interactive", interactive("button", `"action":{"buttons":[`+buttons(1)+`]}`), 131008, "body"},
		{"body too long", "interactive", interactive("button", `"body":{"text":"`+long(1025)+`"},"action":{"buttons":[`+buttons(1)+`]}`), 100, "1024"},
		{"footer too long", "interactive", interactive("button", body+`"footer":{"text":"`+long(61)+`"},"action":{"buttons":[`+buttons(1)+`]}`), 100, "60"},
		{"header text missing", "interactive", interactive("button", body+`"header":{"type":"text"},"action":{"buttons":[`+buttons(1)+`]}`), 131009, "Text cannot be null for header type text"},
		{"no action", "interactive", interactive("button", `"body":{"text":"b"}`), 131008, "action"},
		{"interactive of no type", "interactive", `{"interactive":{}}`, 131008, "type"},
		{"interactive of an unknown type", "interactive", interactive("hologram", body+`"action":{}`), 100, "Param interactive['type'] must be one of"},

		{"list", "interactive", interactive("list", `"body":{"text":"`+long(4096)+`"},"header":{"type":"text","text":"h"},"action":{"button":"Pick","sections":[{"title":"a","rows":[`+rows(0, 5)+`]},{"title":"b","rows":[`+rows(5, 5)+`]}]}`), 0, ""},
		{"one section needs no title", "interactive", interactive("list", body+`"action":{"button":"Pick","sections":[{"rows":[`+rows(0, 1)+`]}]}`), 0, ""},
		{"two sections need titles", "interactive", interactive("list", body+`"action":{"button":"Pick","sections":[{"title":"a","rows":[`+rows(0, 1)+`]},{"rows":[`+rows(1, 1)+`]}]}`), 131009, "Section title"},
		{"eleven rows", "interactive", interactive("list", body+`"action":{"button":"Pick","sections":[{"title":"a","rows":[`+rows(0, 6)+`]},{"title":"b","rows":[`+rows(6, 5)+`]}]}`), 131009, "Total row count exceed max allowed count: 10"},
		{"row id repeated", "interactive", interactive("list", body+`"action":{"button":"Pick","sections":[{"rows":[`+rows(0, 1)+`,`+rows(0, 1)+`]}]}`), 131009, "duplicated"},
		{"list with an image header", "interactive", interactive("list", body+`"header":{"type":"image","image":{"id":"1"}},"action":{"button":"Pick","sections":[{"rows":[`+rows(0, 1)+`]}]}`), 100, "{TEXT}"},

		{"cta_url", "interactive", interactive("cta_url", body+`"action":{"name":"cta_url","parameters":{"display_text":"Go","url":"https://x"}}`), 0, ""},
		{"cta_url without url", "interactive", interactive("cta_url", body+`"action":{"name":"cta_url","parameters":{"display_text":"Go"}}`), 131008, "url"},
		{"location request", "interactive", interactive("location_request_message", body+`"action":{"name":"send_location"}`), 0, ""},
		{"location request with a footer", "interactive", interactive("location_request_message", body+`"footer":{"text":"f"},"action":{"name":"send_location"}`), 100, "Unexpected key \"footer\""},
		{"product without a body", "interactive", interactive("product", `"action":{"catalog_id":"1","product_retailer_id":"2"}`), 0, ""},
		{"product list", "interactive", interactive("product_list", body+`"header":{"type":"text","text":"h"},"action":{"catalog_id":"1","sections":[{"product_items":[{"product_retailer_id":"a"}]}]}`), 0, ""},
		{"product list without a header", "interactive", interactive("product_list", body+`"action":{"catalog_id":"1","sections":[{"product_items":[{"product_retailer_id":"a"}]}]}`), 131008, "header"},
		{"too many products", "interactive", interactive("product_list", body+`"header":{"type":"text","text":"h"},"action":{"catalog_id":"1","sections":[{"product_items":[`+strings.Repeat(`{"product_retailer_id":"a"},`, 30)+`{"product_retailer_id":"a"}]}]}`), 131009, "30"},
		{"catalog", "interactive", interactive("catalog_message", body+`"action":{"name":"catalog_message"}`), 0, ""},
		{"flow", "interactive", interactive("flow", body+`"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"1","flow_cta":"Go","flow_action":"navigate","flow_action_payload":{"screen":"A","data":{"x":1}}}}`), 0, ""},
		{"flow with id and name", "interactive", interactive("flow", body+`"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"1","flow_name":"n","flow_cta":"Go"}}`), 131009, "Exactly one"},
		{"flow with empty data", "interactive", interactive("flow", body+`"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"1","flow_cta":"Go","flow_action_payload":{"screen":"A","data":{}}}}`), 131009, "not be empty"},
		{"flow payload without navigate", "interactive", interactive("flow", body+`"action":{"name":"flow","parameters":{"flow_message_version":"3","flow_id":"1","flow_cta":"Go","flow_action":"data_exchange","flow_action_payload":{"screen":"A"}}}`), 100, "Unexpected key"},
		{"address", "interactive", interactive("address_message", body+`"action":{"name":"address_message","parameters":{"country":"IN"}}`), 0, ""},
		{"address without a country", "interactive", interactive("address_message", body+`"action":{"name":"address_message","parameters":{}}`), 131008, "country"},
		{"carousel", "interactive", interactive("carousel", body+`"action":{"cards":[`+card("image")+`,`+card("image")+`]}`), 0, ""},
		{"carousel of one", "interactive", interactive("carousel", body+`"action":{"cards":[`+card("image")+`]}`), 100, "at least 2"},
		{"carousel of mixed media", "interactive", interactive("carousel", body+`"action":{"cards":[`+card("image")+`,`+card("video")+`]}`), 131009, "same header type"},
		{"contact request", "interactive", interactive("request_contact_info", body+`"action":{"name":"request_contact_info"}`), 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			expect(t, Check(tc.kind, params(t, tc.body)), tc.code, tc.say)
		})
	}
}

func expect(t *testing.T, err *graph.Error, code int, say string) {
	t.Helper()
	switch {
	case err == nil && code != 0:
		t.Errorf("accepted, want code %d", code)
	case err == nil:
	case err.Code != code:
		t.Errorf("refused with %d (%v), want code %d", err.Code, err, code)
	case !strings.Contains(err.Error(), say):
		t.Errorf("refused with %q, want it to say %q", err, say)
	}
}

const (
	plainBody  = `[{"type":"BODY","text":"Hi {{1}}, you owe {{2}}."}]`
	imageHead  = `[{"type":"HEADER","format":"IMAGE"},{"type":"BODY","text":"Hi"}]`
	namedBody  = `[{"type":"BODY","text":"Hi {{first_name}}."}]`
	withURL    = `[{"type":"HEADER","format":"TEXT","text":"For {{1}}"},{"type":"BODY","text":"Hi"},{"type":"FOOTER","text":"Bye"},{"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Yes"},{"type":"URL","text":"Open","url":"https://x/{{1}}"}]}]`
	staticURL  = `[{"type":"BODY","text":"Hi"},{"type":"BUTTONS","buttons":[{"type":"URL","text":"Open","url":"https://x/"}]}]`
	carouselOf = `[{"type":"BODY","text":"Hi"},{"type":"CAROUSEL","cards":[{},{}]}]`
)

func templateOf(components string) string {
	return `{"template":{"name":"t","language":{"code":"en_US"},"components":[` + components + `]}}`
}

func bodyOf(parameters string) string { return `{"type":"body","parameters":[` + parameters + `]}` }

func TestTemplateCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, definition, components string
		named                        bool
		code                         int
		say                          string
	}{
		{"exact", plainBody, bodyOf(`{"type":"text","text":"Ada"},{"type":"currency","currency":{"fallback_value":"£9","code":"GBP","amount_1000":9000}}`), false, 0, ""},
		{"too few", plainBody, bodyOf(`{"type":"text","text":"Ada"}`), false, 132000, "body: number of localizable_params (1) does not match the expected number of params (2)"},
		{"none", plainBody, ``, false, 132000, "number of localizable_params (0)"},
		{"too many", imageHead, `{"type":"header","parameters":[{"type":"image","image":{"id":"1"}}]},` + bodyOf(`{"type":"text","text":"Ada"}`), false, 132000, "(1) does not match the expected number of params (0)"},
		{"new line", plainBody, bodyOf(`{"type":"text","text":"A\nda"},{"type":"text","text":"1"}`), false, 132018, "new-line"},
		{"five spaces", plainBody, bodyOf(`{"type":"text","text":"A     da"},{"type":"text","text":"1"}`), false, 132018, "4 consecutive spaces"},
		{"empty text", plainBody, bodyOf(`{"type":"text","text":""},{"type":"text","text":"1"}`), false, 131008, "missing text value"},
		{"no text", plainBody, bodyOf(`{"type":"text"},{"type":"text","text":"1"}`), false, 100, "Parameter 'text' is mandatory for component parameter type 'text'"},
		{"image in the body", plainBody, bodyOf(`{"type":"image","image":{"id":"1"}},{"type":"text","text":"1"}`), false, 132012, "received IMAGE"},
		{"unknown parameter type", plainBody, bodyOf(`{"type":"colour"},{"type":"text","text":"1"}`), false, 100, "must be one of"},

		{"named", namedBody, bodyOf(`{"type":"text","parameter_name":"first_name","text":"Ada"}`), true, 0, ""},
		{"named without a name", namedBody, bodyOf(`{"type":"text","text":"Ada"}`), true, 131008, "parameter_name"},
		{"named wrongly", namedBody, bodyOf(`{"type":"text","parameter_name":"last_name","text":"Ada"}`), true, 132000, "last_name"},

		{"image header", imageHead, `{"type":"header","parameters":[{"type":"image","image":{"link":"https://x/a"}}]}`, false, 0, ""},
		{"image header missing", imageHead, ``, false, 132012, "header: Format mismatch, expected IMAGE, received UNKNOWN"},
		{"video in an image header", imageHead, `{"type":"header","parameters":[{"type":"video","video":{"id":"1"}}]}`, false, 132012, "received VIDEO"},

		{"url button", withURL, `{"type":"header","parameters":[{"type":"text","text":"Ada"}]},{"type":"button","sub_type":"url","index":"1","parameters":[{"type":"text","text":"9"}]}`, false, 0, ""},
		{"url button with a numeric index, and payload", withURL, `{"type":"header","parameters":[{"type":"text","text":"Ada"}]},{"type":"button","sub_type":"quick_reply","index":0,"parameters":[{"type":"payload","payload":"p"}]},{"type":"button","sub_type":"url","index":1,"parameters":[{"type":"text","text":"9"}]}`, false, 0, ""},
		{"url button without its variable", withURL, `{"type":"header","parameters":[{"type":"text","text":"Ada"}]}`, false, 131008, "Button at index 1 of type Url requires a parameter"},
		{"variable for a static url", staticURL, `{"type":"button","sub_type":"url","index":"0","parameters":[{"type":"text","text":"9"}]}`, false, 132018, "does not require parameters"},
		{"button that is not there", plainBody, bodyOf(`{"type":"text","text":"a"},{"type":"text","text":"b"}`) + `,{"type":"button","sub_type":"quick_reply","index":"3","parameters":[]}`, false, 132000, "index 3"},
		{"button index not a number", staticURL, `{"type":"button","sub_type":"url","index":"x"}`, false, 100, "index"},
		{"unknown component", plainBody, `{"type":"sidebar"}`, false, 100, "must be one of"},
		{"carousel", carouselOf, `{"type":"carousel","cards":[{"card_index":0},{"card_index":1}]}`, false, 0, ""},
		{"carousel short of a card", carouselOf, `{"type":"carousel","cards":[{"card_index":0}]}`, false, 132000, "expected number of cards (2)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			def, err := Compile(json.RawMessage(tc.definition), tc.named)
			if err != nil {
				t.Fatal(err)
			}
			expect(t, def.Check(params(t, templateOf(tc.components))), tc.code, tc.say)
		})
	}
}

func TestRef(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body string
		code       int
		say        string
	}{
		{"good", `{"template":{"name":"n","language":{"code":"en","policy":"deterministic"}}}`, 0, ""},
		{"no language", `{"template":{"name":"n"}}`, 131008, "language"},
		{"language as a word", `{"template":{"name":"n","language":"en"}}`, 100, "Param template['language'] must be a JSON object."},
		{"no name", `{"template":{"language":{"code":"en"}}}`, 131008, "name"},
		{"another policy", `{"template":{"name":"n","language":{"code":"en","policy":"fallback"}}}`, 100, "DETERMINISTIC"},
		{"no template", `{}`, 131008, "template"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, _, err := Ref(params(t, tc.body))
			expect(t, err, tc.code, tc.say)
		})
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	def, err := Compile(json.RawMessage(withURL), false)
	if err != nil {
		t.Fatal(err)
	}
	got := def.Render(params(t, templateOf(`{"type":"header","parameters":[{"type":"text","text":"Ada"}]}`)))
	if got.Header != "For Ada" || got.Body != "Hi" || got.Footer != "Bye" || strings.Join(got.Buttons, ",") != "Yes,Open" {
		t.Errorf("rendered %+v", got)
	}
}

// FuzzCheck feeds any JSON to every check: they complain or accept, and never fall over.
func FuzzCheck(f *testing.F) {
	f.Add("text", `{"text":{"body":"x"}}`)
	f.Add("interactive", interactive("list", body+`"action":{"button":"Pick","sections":[{"rows":[`+rows(0, 1)+`]}]}`))
	f.Add("template", templateOf(bodyOf(`{"type":"text","text":"A"}`)+`,{"type":"button","sub_type":"url","index":"1","parameters":[{}]}`))
	f.Add("reaction", `{"reaction":{"message_id":"x","emoji":"👍"}}`)
	f.Add("contacts", `{"contacts":[{"name":{"formatted_name":"A","first_name":"A"}}]}`)
	var definitions []*Template
	for _, d := range []string{plainBody, imageHead, withURL, staticURL, carouselOf} {
		t, err := Compile(json.RawMessage(d), false)
		if err != nil {
			f.Fatal(err)
		}
		definitions = append(definitions, t)
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		dec := json.NewDecoder(strings.NewReader(text))
		dec.UseNumber()
		var p graph.Params
		if dec.Decode(&p) != nil {
			return
		}
		if err := Check(kind, p); err != nil && (err.HTTP != 400 || err.Code == 0) {
			t.Errorf("a complaint without a code or status: %+v", err)
		}
		for _, d := range definitions {
			if err := d.Check(p); err != nil && err.Code == 0 {
				t.Errorf("a complaint without a code: %+v", err)
			}
			d.Render(p)
		}
		if _, _, err := Ref(p); err != nil && err.Code == 0 {
			t.Errorf("a complaint without a code: %+v", err)
		}
		Media(kind, p)
		Voice(kind, p)
	})
}
