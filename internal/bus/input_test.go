package bus

import (
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

const sampleRule = "arn:aws:events:us-east-1:000000000000:rule/orders"

const sampleEvent = `{"version":"0","id":"e-1","detail-type":"Order","source":"shop","account":"000000000000","time":"2026-11-23T12:00:00Z",` +
	`"region":"us-east-1","resources":[],"detail":{"id":"0a78","text":"say \"hi\"\n","n":5,"ok":true,"none":null,"one":["HIGH"],"two":["A","B"],` +
	`"payload":{"acc_id":"0a78","sf_id":"b\"z"}}}`

// What is expected is what EventBridge was seen to send.
func TestRender(t *testing.T) {
	t.Parallel()
	paths := map[string]string{"type": "$.detail-type", "id": "$.detail.id", "text": "$.detail.text", "n": "$.detail.n", "ok": "$.detail.ok",
		"none": "$.detail.none", "gone": "$.detail.gone", "one": "$.detail.one", "two": "$.detail.two", "payload": "$.detail.payload"}
	template := func(s string) Input { return Input{Template: s, Paths: paths} }
	for _, tc := range []struct {
		name string
		in   Input
		want string // "" for an error
	}{
		{"nothing said", Input{}, sampleEvent},
		{"constant", Input{Constant: `[1]`}, `[1]`},
		{"path to an object", Input{Path: "$.detail.payload"}, `{"acc_id":"0a78","sf_id":"b\"z"}`},
		{"path to a string", Input{Path: "$.detail.id"}, `"0a78"`},
		{"path to nothing", Input{Path: "$.detail.gone"}, ""},
		{"path to null", Input{Path: "$.detail.none"}, ""},

		{"string", template(`"Event of <type> type, <ok>, <n>, from <id>"`), `"Event of Order type, true, 5, from 0a78"`},
		{"string with what is not there", template(`"from <gone>."`), `"from ."`},
		{"string with an object", template(`"Payload of <payload> and <id>"`), `"Payload of {acc_id:0a78,sf_id:b\"z} and 0a78"`},
		{"string with lists", template(`"<one> single <two> multiple"`), `"[HIGH] single [A,B] multiple"`},
		{"string with what is escaped", template(`"they <text>"`), `"they say \"hi\"\n"`},
		{"string that begins like JSON", template(`"{[/for <type>"`), `"{[/for Order"`},
		{"several strings", template("\"<one> single\"\n\"<id> id\""), "\"[HIGH] single\"\n\"0a78 id\""},

		{"object", template(`{"type": <type>, "n": <n>, "payload": <payload>, "two": <two>}`),
			`{"type": "Order", "n": 5, "payload": {"acc_id":"0a78","sf_id":"b\"z"}, "two": ["A","B"]}`},
		{"object with what is not there", template(`{"command": <gone>}`), `{"command": ""}`},
		{"object with null", template(`{"command": <none>}`), `{"command": ""}`},
		{"object with strings in strings", template(`{"path": "users/<id>/second/<id>", "id": "<id>"}`), `{"path": "users/0a78/second/0a78", "id": "0a78"}`},
		{"object with what is escaped", template(`{"a": "<text>"}`), `{"a": "say \"hi\"\n"}`},
		{"object with a list", template(`{"a": [<id>, "hardcoded"]}`), `{"a": ["0a78", "hardcoded"]}`},
		{"object with an object in a string", template(`{"payload": "<payload>"}`), ""},
		{"object with a list in a string", template(`{"one": "<one>"}`), ""},
		{"placeholder alone", template(`<payload>`), `{"acc_id":"0a78","sf_id":"b\"z"}`},
		{"no placeholder after all", template(`{"a": "1 < 2", "b": "<>"}`), `{"a": "1 < 2", "b": "<>"}`},

		{"predefined in a string", Input{Template: `"<aws.events.rule-arn> <aws.events.rule-name> <aws.events.event.ingestion-time>"`},
			`"` + sampleRule + ` orders 2026-11-23T12:00:01Z"`},
		{"predefined in an object", Input{Template: `{"a":<aws.events.rule-name>,"b":<aws.events.event>,"c":<aws.events.event.json>}`},
			`{"a":"orders","b":{"version":"0","id":"e-1","detailType":"Order","source":"shop","account":"000000000000","time":"2026-11-23T12:00:00Z",` +
				`"region":"us-east-1","resources":[]},"c":` + sampleEvent + `}`},
		{"the event alone", Input{Template: `<aws.events.event.json>`}, sampleEvent},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if err := tc.in.check("t"); err != nil {
				t.Fatalf("check = %v", err)
			}
			got, err := tc.in.render([]byte(sampleEvent), sampleRule, time.Date(2026, 11, 23, 12, 0, 1, 5, time.UTC))
			if tc.want == "" {
				if !fault.Is(err, fault.InvalidParameters) || strings.Contains(err.Error(), "0a78") {
					t.Errorf("= %s, %v; want an error that tells nothing of the event", got, err)
				}
				return
			}
			if err != nil || string(got) != tc.want {
				t.Errorf("= %s, %v; want\n%s", got, err, tc.want)
			}
		})
	}
}

func TestInputCheck(t *testing.T) {
	t.Parallel()
	many := map[string]string{}
	for i := range maxPaths + 1 {
		many[strings.Repeat("x", i+1)] = "$.id"
	}
	for _, tc := range []struct {
		name string
		in   Input
		want string
	}{
		{"two ways", Input{Constant: "{}", Path: "$"}, "Only one of Input, InputPath, or InputTransformer must be provided for target t."},
		{"paths and a constant", Input{Constant: "{}", Paths: map[string]string{"a": "$"}}, "Only one of"},
		{"constant", Input{Constant: "{"}, "Invalid Input for target t"},
		{"path", Input{Path: "detail"}, "Invalid InputPath for target t"},
		{"path of a placeholder", Input{Template: `"<a>"`, Paths: map[string]string{"a": "detail"}}, "Invalid InputPath for target t: detail"},
		{"unknown placeholder", Input{Template: `"<a> <notdefinedkey>"`, Paths: map[string]string{"a": "$"}},
			"InputTemplate for target t contains invalid placeholder notdefinedkey."},
		{"reserved name", Input{Template: `"<AWS.x>"`, Paths: map[string]string{"AWS.x": "$"}}, "reserved"},
		{"name that cannot be one", Input{Template: `"x"`, Paths: map[string]string{"a b": "$"}}, "reserved"},
		{"too many", Input{Template: `"<x>"`, Paths: many}, "more than 100"},
		{"template that is no JSON", Input{Template: `<a> text`, Paths: map[string]string{"a": "$"}}, "Invalid InputTemplate for target t"},
		{"template without an end", Input{Template: `{"a": <a>`, Paths: map[string]string{"a": "$"}}, "Invalid InputTemplate for target t"},
		{"nothing but space", Input{Template: ` `}, "Invalid InputTemplate"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.in.check("t")
			if !fault.Is(err, fault.Validation) || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("= %v, want %q", err, tc.want)
			}
		})
	}
}

// A short template must not make gigabytes of one event.
func TestRenderIsBounded(t *testing.T) {
	t.Parallel()
	evt := []byte(`{"detail":"` + strings.Repeat("x", 100<<10) + `"}`)
	in := Input{Template: "[" + strings.Repeat("<a>,", 2000) + "<a>]", Paths: map[string]string{"a": "$.detail"}}
	if err := in.check("t"); err != nil {
		t.Fatal(err)
	}
	if got, err := in.render(evt, sampleRule, time.Unix(0, 0)); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("%d bytes, %v; want a refusal", len(got), err)
	}
}

// A template that is admitted makes JSON of every event whose values are strings, and never fails in another way.
func FuzzTemplate(f *testing.F) {
	f.Add(`{"a": <a>, "b": "x <a> \" <b>"}`)
	f.Add("\"<a>\\\"<b>\" \"<aws.events.event.json>\"")
	f.Add(`<a>`)
	f.Fuzz(func(t *testing.T, source string) {
		in := Input{Template: source, Paths: map[string]string{"a": "$.a", "b": "$.b"}}
		if source == "" || in.check("t") != nil {
			return
		}
		parsed := parseTemplate(source)
		whole := parsed.render(func(name string) rawjson.Value { return rawjson.Value(`"s\"\u0041"`) }, maxOutput)
		if !texts(whole) {
			t.Errorf("%q made %s", source, whole)
		}
		if _, err := in.render([]byte(`{"a":{"x":["y"]},"b":1}`), sampleRule, time.Unix(0, 0)); err != nil && !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("%q: %v", source, err)
		}
	})
}
