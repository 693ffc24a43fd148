package flowjson

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// survey is a valid Flow of two screens without an endpoint.
const survey = `{
  "version": "7.0",
  "screens": [
    {
      "id": "ASK",
      "title": "A question",
      "data": {"who": {"type": "string", "__example__": "Ada"}},
      "layout": {
        "type": "SingleColumnLayout",
        "children": [
          {"type": "TextHeading", "text": "${data.who}, how was it?"},
          {"type": "Form", "name": "form", "children": [
            {"type": "RadioButtonsGroup", "name": "rating", "label": "Rate us", "required": true,
             "data-source": [{"id": "1", "title": "Good"}, {"id": "2", "title": "Bad"}]},
            {"type": "TextInput", "name": "why", "label": "Why?", "visible": "${form.rating}"}
          ]},
          {"type": "Footer", "label": "Next", "on-click-action": {"name": "navigate", "next": {"type": "screen", "name": "THANKS"},
            "payload": {"rating": "${form.rating}"}}}
        ]
      }
    },
    {
      "id": "THANKS",
      "title": "Thank you",
      "terminal": true,
      "data": {"rating": {"type": "string", "__example__": "1"}},
      "layout": {
        "type": "SingleColumnLayout",
        "children": [
          {"type": "TextBody", "text": "Noted."},
          {"type": "Footer", "label": "Done", "on-click-action": {"name": "complete",
            "payload": {"rating": "${data.rating}", "why": "${screen.ASK.form.why}"}}}
        ]
      }
    }
  ]
}`

// booking is a valid Flow with an endpoint.
const booking = `{"version":"6.3","data_api_version":"3.0","routing_model":{"DAY":["END"],"END":[]},"screens":[
 {"id":"DAY","title":"Day","data":{"days":{"type":"array","items":{"type":"object","properties":{"id":{"type":"string"},"title":{"type":"string"}}},
   "__example__":[{"id":"1","title":"Monday"}]},"o":{"type":"object","properties":{"p":{"type":"number"}},"__example__":{"p":1}}},
  "layout":{"type":"SingleColumnLayout","children":[
   {"type":"Dropdown","name":"day","label":"Day","data-source":"${data.days}","on-select-action":{"name":"data_exchange","payload":{"day":"${form.day}"}}},
   {"type":"If","condition":"${data.o.p} > 1","then":[{"type":"Footer","label":"A","on-click-action":{"name":"data_exchange","payload":{}}}],
     "else":[{"type":"Footer","label":"B","on-click-action":{"name":"data_exchange"}}]}]}},
 {"id":"END","title":"End","terminal":true,"success":true,"layout":{"type":"SingleColumnLayout","children":[
   {"type":"Footer","label":"Done","on-click-action":{"name":"complete","payload":{}}}]}}]}`

func TestCheckAccepts(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, text string
		want       Flow
	}{
		{"without an endpoint", survey, Flow{Version: "7.0", Entry: "ASK", Screens: []string{"ASK", "THANKS"}}},
		{"with an endpoint", booking, Flow{Version: "6.3", DataAPIVersion: "3.0", Entry: "DAY", Screens: []string{"DAY", "END"}}},
		{"every version that can be published", "", Flow{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if tc.text == "" {
				for v := range versions {
					if f := Check([]byte(strings.Replace(survey, "7.0", v, 1))); !f.Valid() {
						t.Errorf("version %s: %+v", v, f.Problems)
					}
				}
				return
			}
			tc.want.Problems = []Problem{}
			if diff := cmp.Diff(tc.want, Check([]byte(tc.text))); diff != "" {
				t.Errorf("Check (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCheckFinds(t *testing.T) {
	t.Parallel()
	const thanks, footer = `"id": "THANKS",`, `{"type": "Footer", "label": "Done"`
	body := func(component string) []string { return []string{`{"type": "TextBody", "text": "Noted."}`, component} }
	many := func(n int, component string) string { return strings.TrimSuffix(strings.Repeat(component+",", n), ",") }
	for _, tc := range []struct {
		name    string
		of      string   // survey when empty
		replace []string // pairs of old and new
		code    string
		path    string
		text    string
	}{
		{"not JSON", "", []string{`"version": "7.0",`, `"version": "7.0",,`}, invalidJSON, "", ""},
		{"not an object", "", []string{survey, `[]`}, invalidJSON, "", "object"},
		{"nothing", "", []string{survey, ``}, invalidJSON, "", ""},
		{"two texts", "", []string{survey, survey + "{}"}, invalidJSON, "", ""},
		{"too deep", "", []string{survey, strings.Repeat("[", 100000)}, invalidJSON, "", "deep"},
		{"no version", "", []string{`"version": "7.0",`, ``}, missingVersion, "", ""},
		{"unknown version", "", []string{`"7.0"`, `"9.9"`}, invalidVersion, "version", ""},
		{"version as a number", "", []string{`"7.0"`, `7.0`}, invalidVersion, "version", ""},
		{"old version", "", []string{`"7.0"`, `"5.0"`}, unsupportedVersion, "version", ""},
		{"unknown root member", "", []string{`"version"`, `"colour": 1, "version"`}, invalidKey, "colour", "'colour'"},
		{"endpoint in the text", "", []string{`"version"`, `"data_channel_uri": "https://x", "version"`}, invalidKey, "data_channel_uri", "3.0"},
		{"data API version", booking, []string{`"3.0"`, `"2.0"`}, invalidDataVersion, "data_api_version", ""},
		{"no screens", "", []string{`"screens"`, `"screenz"`}, missingProperty, "", "'screens'"},
		{"screens as an object", "", []string{survey, `{"version":"7.0","screens":{}}`}, invalidType, "screens", "'array' but found 'object'"},
		{"empty screens", "", []string{survey, `{"version":"7.0","screens":[]}`}, minItems, "screens", ""},
		{"too many screens", "", []string{survey, `{"version":"7.0","screens":[` + many(101, "{}") + `]}`}, tooManyScreens, "screens", ""},
		{"screen is no object", "", []string{survey, `{"version":"7.0","screens":[1]}`}, invalidType, "screens[0]", ""},
		{"screen without id", "", []string{thanks, ``}, missingProperty, "screens[1]", "'id'"},
		{"screen id with a hyphen", "", []string{`"ASK"`, `"A-K"`}, patternMismatch, "screens[0].id", ""},
		{"reserved screen id", "", []string{`"ASK"`, `"SUCCESS"`}, reservedScreenID, "screens[0].id", ""},
		{"two screens of one id", "", []string{`"ASK"`, `"THANKS"`}, duplicateScreenIDs, "screens[1].id", "THANKS"},
		{"screen without title", "", []string{`"title": "Thank you",`, ``}, missingProperty, "screens[1]", "'title'"},
		{"unknown member of a screen", "", []string{`"terminal": true`, `"last": true, "terminal": true`}, invalidKey, "screens[1].last", ""},
		{"terminal is no boolean", "", []string{`"terminal": true`, `"terminal": "true"`}, invalidType, "screens[1].terminal", ""},
		{"success before the end", "", []string{`"id": "ASK",`, `"id": "ASK", "success": true,`}, exclusive, "screens[0].success", ""},
		{"no success at all", "", []string{`"terminal": true`, `"terminal": true, "success": false`}, invalidValue, "screens", "success"},
		{"no end", "", []string{`"terminal": true,`, ``}, missingTerminal, "screens", ""},
		{"end without footer", "", []string{footer, `{"type": "EmbeddedLink", "text": "Done"`}, missingFooter, "screens[1]", ""},
		{"no layout", "", []string{`"terminal": true,`, `"terminal": true}, {"id":"X","title":"X",`, `"THANKS"},`, `"X"},`}, missingProperty, "screens[1]", "'layout'"},
		{"unknown layout", "", []string{"SingleColumnLayout", "Grid"}, invalidValue, "screens[0].layout.type", ""},
		{"empty layout", "", []string{survey, `{"version":"7.0","screens":[{"id":"A","title":"A","terminal":true,"layout":{"type":"SingleColumnLayout","children":[]}}]}`},
			minItems, "screens[0].layout.children", ""},
		{"data without example", "", []string{`, "__example__": "Ada"`, ``}, missingProperty, "screens[0].data.who", "__example__"},
		{"data without type", "", []string{`"type": "string", "__example__": "Ada"`, `"__example__": "Ada"`}, missingProperty, "screens[0].data.who", "'type'"},
		{"data of an unknown type", "", []string{`"type": "string", "__example__": "Ada"`, `"type": "text", "__example__": "Ada"`}, invalidEnum, "screens[0].data.who.type", ""},
		{"example of another type", "", []string{`"__example__": "Ada"`, `"__example__": 7`}, invalidScreenData, "screens[0].data.who.__example__", "'number'"},
		{"array without items", booking, []string{`"items":{"type":"object","properties":{"id":{"type":"string"},"title":{"type":"string"}}},`, ``}, missingProperty, "screens[0].data.days", "'items'"},
		{"unknown component", "", body(`{"type": "Text"}`), invalidValue, "screens[1].layout.children[0].type", "'type'"},
		{"component without type", "", body(`{"text": "x"}`), missingProperty, "screens[1].layout.children[0]", "'type'"},
		{"component of a later version", "", append([]string{`"7.0"`, `"6.1"`}, body(`{"type":"ChipsSelector"}`)...), invalidValue, "screens[1].layout.children[0].type", ""},
		{"property of a later version", "", append([]string{`"7.0"`, `"6.0"`}, body(`{"type":"TextInput","name":"n","label":"l","pattern":"a"}`)...), invalidKey, "screens[1].layout.children[0].pattern", ""},
		{"unknown property", "", body(`{"type":"TextBody","text":"x","color":"red"}`), invalidKey, "screens[1].layout.children[0].color", "'color'"},
		{"missing property", "", body(`{"type":"TextBody"}`), missingProperty, "screens[1].layout.children[0]", "'text'"},
		{"property of another type", "", body(`{"type":"TextBody","text":7}`), invalidType, "screens[1].layout.children[0].text", ""},
		{"boolean as text", "", body(`{"type":"TextBody","text":"x","visible":"true"}`), invalidType, "screens[1].layout.children[0].visible", ""},
		{"number as words", "", body(`{"type":"TextInput","name":"n","label":"l","min-chars":"two"}`), invalidType, "screens[1].layout.children[0].min-chars", ""},
		{"unknown word", "", body(`{"type":"TextInput","name":"n","label":"l","input-type":"date"}`), invalidEnum, "screens[1].layout.children[0].input-type", "'passcode'"},
		{"empty text", "", body(`{"type":"TextBody","text":""}`), minChars, "screens[1].layout.children[0].text", ""},
		{"label too long", "", []string{`"Done"`, `"` + strings.Repeat("é", 36) + `"`}, maxChars, "screens[1].layout.children[1].label", "35"},
		{"no choices", "", body(`{"type":"Dropdown","name":"n","label":"l","data-source":[]}`), minItems, "screens[1].layout.children[0].data-source", ""},
		{"too many choices", "", body(`{"type":"RadioButtonsGroup","name":"n","label":"l","data-source":[` + many(21, `{"id":"1","title":"t"}`) + `]}`), maxItems, "screens[1].layout.children[0].data-source", "20"},
		{"choice without title", "", []string{`{"id": "2", "title": "Bad"}`, `{"id": "2"}`}, missingProperty, "screens[0].layout.children[1].children[0].data-source[1]", "'title'"},
		{"choices of one id", "", []string{`"id": "2"`, `"id": "1"`}, invalidValue, "screens[0].layout.children[1].children[0].data-source[1].id", ""},
		{"names used twice", "", []string{`"why", "label"`, `"rating", "label"`}, duplicateNames, "screens[0].layout.children[1].children[1].name", "rating"},
		{"two footers", "", body(`{"type":"Footer","label":"x","on-click-action":{"name":"complete","payload":{}}}`), tooManyComponents, "screens[1].layout.children[0]", "Footer"},
		{"too many components", "", body(many(51, `{"type":"TextBody","text":"x"}`)), tooManyComponents, "screens[1].layout.children", "50"},
		{"captions that exclude each other", "", []string{footer, footer + `, "center-caption": "c", "left-caption": "l"`}, exclusive, "screens[1].layout.children[1].center-caption", ""},
		{"form in a form", "", []string{`{"type": "TextInput", "name": "why", "label": "Why?", "visible": "${form.rating}"}`, `{"type":"Form","name":"x","children":[{"type":"TextInput","name":"why","label":"l"}]}`}, invalidPlacement, "screens[0].layout.children[1].children[1]", ""},
		{"footer in one branch", booking, []string{`"else":[{"type":"Footer","label":"B","on-click-action":{"name":"data_exchange"}}]`, `"else":[{"type":"TextBody","text":"x"}]`}, missingBranchFooter, "screens[0].layout.children[1]", ""},
		{"list at the end", "", body(`{"type":"NavigationList","name":"n","list-items":[{"id":"1"}]}`), invalidPlacement, "screens[1].layout.children[0]", ""},
		{"least above most", "", body(`{"type":"TextInput","name":"n","label":"l","min-chars":5,"max-chars":"3"}`), minAboveMax, "screens[1].layout.children[0].min-chars", ""},
		{"unknown action", "", []string{`"name": "complete"`, `"name": "finish"`}, invalidEnum, "screens[1].layout.children[1].on-click-action.name", "'complete'"},
		{"action without name", "", []string{`"name": "complete",`, ``}, missingProperty, "screens[1].layout.children[1].on-click-action", "'name'"},
		{"action of a later version", "", append([]string{`"7.0"`, `"5.1"`}, body(`{"type":"EmbeddedLink","text":"x","on-click-action":{"name":"open_url","url":"https://x"}}`)...), invalidEnum, "screens[1].layout.children[0].on-click-action.name", ""},
		{"member an action does not have", "", body(`{"type":"EmbeddedLink","text":"x","on-click-action":{"name":"open_url","url":"https://x","payload":{}}}`), invalidKey, "screens[1].layout.children[0].on-click-action.payload", ""},
		{"complete too early", "", []string{`{"name": "navigate", "next": {"type": "screen", "name": "THANKS"},`, `{"name": "complete",`}, invalidComplete, "screens[0].layout.children[2].on-click-action", ""},
		{"exchange without endpoint", "", []string{`{"name": "navigate", "next": {"type": "screen", "name": "THANKS"},`, `{"name": "data_exchange",`}, missingProperty, "screens[0].layout.children[2].on-click-action", "data_api_version"},
		{"navigate to nowhere", "", []string{`"name": "THANKS"}`, `"name": "THERE"}`}, invalidNext, "screens[0].layout.children[2].on-click-action.next.name", "THERE"},
		{"navigate to itself", "", []string{`"name": "THANKS"}`, `"name": "ASK"}`}, invalidNext, "screens[0].layout.children[2].on-click-action.next.name", "Same screen"},
		{"navigate without next", "", []string{`"next": {"type": "screen", "name": "THANKS"},`, ``}, missingProperty, "screens[0].layout.children[2].on-click-action", "'next'"},
		{"brings too much", "", []string{`"payload": {"rating": "${form.rating}"}`, `"payload": {"rating": "${form.rating}", "x": "1"}`}, invalidNavigation, "screens[0].layout.children[2].on-click-action.payload", "data model of the next screen"},
		{"brings too little", "", []string{`"payload": {"rating": "${form.rating}"}`, `"payload": {}`}, invalidNavigation, "screens[0].layout.children[2].on-click-action.payload", "expected in the next screen"},
		{"brings another type", "", []string{`"payload": {"rating": "${form.rating}"}`, `"payload": {"rating": 1}`}, invalidNavigation, "screens[0].layout.children[2].on-click-action.payload.rating", "'string' but found 'number'"},
		{"brings data of another type", "", []string{`"type": "string", "__example__": "Ada"`, `"type": "boolean", "__example__": true`, `"payload": {"rating": "${form.rating}"}`, `"payload": {"rating": "${data.who}"}`}, invalidNavigation, "screens[0].layout.children[2].on-click-action.payload.rating", "'boolean'"},
		{"form value that does not exist", "", []string{`{"rating": "${data.rating}"`, `{"rating": "${form.rating}"`}, invalidPayload, "screens[1].layout.children[1].on-click-action.payload.rating", "'${form.rating}' for screen 'THANKS'"},
		{"data that does not exist", "", []string{`${data.rating}`, `${data.mark}`}, invalidPayload, "screens[1].layout.children[1].on-click-action.payload.rating", "data model"},
		{"data within data that does not exist", booking, []string{`${data.o.p}`, `${data.o.q}`}, invalidDynamicData, "screens[0].layout.children[1].condition", "${data.o.q}"},
		{"data of no screen", "", []string{`${screen.ASK.`, `${screen.GONE.`}, invalidPayload, "screens[1].layout.children[1].on-click-action.payload.why", "Unknown screen 'GONE'"},
		{"data in a text", "", []string{`${data.who}`, `${data.whom}`}, invalidDynamicData, "screens[0].layout.children[0].text", "${data.whom}"},
		{"expression of no known form", "", []string{`${data.who}`, `${who}`}, invalidDynamicData, "screens[0].layout.children[0].text", "${who}"},
		{"photos in navigation", "", []string{`{"type": "TextInput", "name": "why", "label": "Why?", "visible": "${form.rating}"}`, `{"type":"PhotoPicker","name":"why","label":"l"}`, `"payload": {"rating": "${form.rating}"}`, `"payload": {"rating": "${form.why}"}`},
			invalidPayload, "screens[0].layout.children[2].on-click-action.payload.rating", "PhotoPicker"},
		{"many photos in the answer", "", []string{`{"type": "TextInput", "name": "why", "label": "Why?", "visible": "${form.rating}"}`, `{"type":"PhotoPicker","name":"why","label":"l","max-uploaded-photos":2}`},
			invalidPayload, "screens[1].layout.children[1].on-click-action.payload.why", "max-uploaded-photos"},
		{"routing model missing", booking, []string{`"routing_model":{"DAY":["END"],"END":[]},`, ``}, missingProperty, "", "routing_model"},
		{"screen missing in the model", booking, []string{`,"END":[]}`, `}`}, invalidRouting, "routing_model", "missing in the routing model: 'END'"},
		{"unknown screen in the model", booking, []string{`"END":[]}`, `"END":[],"GONE":[]}`}, invalidRouting, "routing_model.GONE", "'GONE'"},
		{"route to an unknown screen", booking, []string{`["END"]`, `["END","GONE"]`}, invalidRouting, "routing_model.DAY[1]", "GONE"},
		{"route back", booking, []string{`"END":[]}`, `"END":["DAY"]}`}, invalidRouting, "routing_model.END[0]", "Backward route"},
		{"no way in", booking, []string{`"END":[]}`, `"END":["DAY"]}`}, invalidRouting, "routing_model", "No entry screen"},
		{"loop", booking, []string{`["END"]`, `["END","DAY"]`}, invalidRouting, "routing_model.DAY[1]", "Loop"},
		{"not connected by the model", booking, []string{`["END"]`, `[]`}, invalidRouting, "routing_model", "not connected"},
		{"not connected by actions", "", []string{`"name": "THANKS"}`, `"name": "ASK"}`}, invalidRouting, "screens", "not connected"},
		{"navigation beside the model", booking, []string{`"DAY":["END"],"END":[]`, `"DAY":[],"END":["DAY"]`, `{"name":"data_exchange"}`, `{"name":"navigate","next":{"type":"screen","name":"END"}}`},
			invalidRouting, "screens[0].id", "Missing direct route"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			text := tc.of
			if text == "" {
				text = survey
			}
			for i := 0; i < len(tc.replace); i += 2 {
				if !strings.Contains(text, tc.replace[i]) {
					t.Fatalf("the text has no %s", tc.replace[i])
				}
				text = strings.Replace(text, tc.replace[i], tc.replace[i+1], 1)
			}
			f := Check([]byte(text))
			found := slices.ContainsFunc(f.Problems, func(p Problem) bool {
				path := ""
				if len(p.Pointers) > 0 {
					path = p.Pointers[0].Path
				}
				return p.Code == tc.code && path == tc.path && strings.Contains(p.Message, tc.text)
			})
			if !found {
				var got strings.Builder
				for _, p := range f.Problems {
					fmt.Fprintf(&got, "\n%s %v %s", p.Code, p.Pointers, p.Message)
				}
				t.Errorf("want %s at %q saying %q, got%s", tc.code, tc.path, tc.text, got.String())
			}
		})
	}
}

// The form of Meta's own example: the place is that of the value, in lines and characters counted from 1.
func TestProblemShape(t *testing.T) {
	t.Parallel()
	text := "{\"version\":\"7.0\",\"screens\":[{\"id\":\"A\",\"title\":\"é\",\"terminal\":true,\"layout\":{\"type\":\"SingleColumnLayout\",\n\"children\":[\n" +
		" {\"é\":1, \"type\": \"Sigh\"},\n {\"type\":\"Footer\",\"label\":\"x\",\"on-click-action\":{\"name\":\"complete\",\"payload\":{}}}]}}]}"
	got, err := json.Marshal(Check([]byte(text)).Problems)
	if err != nil {
		t.Fatal(err)
	}
	want := `[{"error":"INVALID_PROPERTY_VALUE","error_type":"FLOW_JSON_ERROR","message":"Invalid value found for property 'type'.",` +
		`"line_start":3,"line_end":3,"column_start":18,"column_end":23,"pointers":[{"line_start":3,"line_end":3,"column_start":18,` +
		`"column_end":23,"path":"screens[0].layout.children[0].type"}]}]`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestCheckIsBounded(t *testing.T) {
	t.Parallel()
	text := `{"version":"7.0","screens":[{"id":"A","title":"A","layout":{"type":"SingleColumnLayout","children":[` +
		strings.TrimSuffix(strings.Repeat(`{"type":"Footer","x":1},`, 20000), ",") + `]}}]}`
	f := Check([]byte(text))
	if len(f.Problems) != maxProblems {
		t.Errorf("%d problems, want %d", len(f.Problems), maxProblems)
	}
}

func FuzzCheck(f *testing.F) {
	for _, seed := range []string{survey, booking, `{}`, `{"version":"7.0","screens":[{"id":"A"},{"id":"A"}]}`, `{"version":"7.3","screens":[{"layout":{"children":[{}]}}]}`,
		`{"version":"7.0","screens":[{"id":"A","layout":{"children":[{"type":"Footer","label":"${","on-click-action":{"name":"navigate","next":{"name":"A","type":"screen"}}}]}}]}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, second := Check(text), Check(text)
		if diff := cmp.Diff(first, second); diff != "" {
			t.Fatalf("two checks of one text differ:\n%s", diff)
		}
		for _, p := range first.Problems {
			if p.Code == "" || p.Message == "" || p.LineStart < 1 || p.ColumnStart < 1 || p.LineEnd < p.LineStart ||
				p.LineEnd == p.LineStart && p.ColumnEnd < p.ColumnStart {
				t.Fatalf("problem without a place: %+v", p)
			}
		}
		if first.Valid() && (first.Version == "" || len(first.Screens) == 0 || first.Entry == "") {
			t.Fatalf("a Flow without version, screens or entry is valid: %+v", first)
		}
	})
}
