package bus

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
)

var scope = account.Scope{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"}

func TestEventCheck(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		e    Event
		kind fault.Kind // "" for none
		want string
	}{
		{"whole", Event{Source: "a", DetailType: "b", Detail: []byte(" {} ")}, "", ""},
		{"no source", Event{DetailType: "b", Detail: []byte("{}")}, fault.InvalidParameters, "Parameter Source is not valid. Reason: Source is a required argument."},
		{"no type", Event{Source: "a", Detail: []byte("{}")}, fault.InvalidParameters, "Parameter DetailType is not valid. Reason: DetailType is a required argument."},
		{"no detail", Event{Source: "a", DetailType: "b"}, fault.InvalidParameters, "Parameter Detail is not valid. Reason: Detail is a required argument."},
		{"long type", Event{Source: "a", DetailType: strings.Repeat("é", 129), Detail: []byte("{}")}, fault.InvalidParameters, "Parameter DetailType"},
		{"longest type", Event{Source: "a", DetailType: strings.Repeat("é", 128), Detail: []byte("{}")}, "", ""},
		{"text", Event{Source: "a", DetailType: "b", Detail: []byte("text")}, fault.Validation, "Detail is malformed."},
		{"a string", Event{Source: "a", DetailType: "b", Detail: []byte(`"{}"`)}, fault.Validation, "Detail is malformed."},
		{"a list", Event{Source: "a", DetailType: "b", Detail: []byte(`[{}]`)}, fault.Validation, "Detail is malformed."},
		{"space", Event{Source: "a", DetailType: "b", Detail: []byte(` `)}, fault.Validation, "Detail is malformed."},
		{"no end", Event{Source: "a", DetailType: "b", Detail: []byte(`{`)}, fault.Validation, "Detail is malformed."},
		{"deep", Event{Source: "a", DetailType: "b", Detail: []byte(`{"a":` + strings.Repeat("[", 999) + strings.Repeat("]", 999) + `}`)}, "", ""},
		{"too deep", Event{Source: "a", DetailType: "b", Detail: []byte(`{"a":"\"[","b":` + strings.Repeat("[", 1000) + strings.Repeat("]", 1000) + `}`)},
			fault.Validation, "Detail is malformed."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.e.Check()
			if tc.kind == "" && err != nil || tc.kind != "" && (!fault.Is(err, tc.kind) || !strings.HasPrefix(err.Error(), tc.want)) {
				t.Errorf("= %v, want %s %q", err, tc.kind, tc.want)
			}
		})
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	e := Event{ID: "i\"d", Source: "my.app", DetailType: "it <happened>", Detail: []byte("{ \"a\" : [1,\n\"é\"] }"), Resources: []string{"r1", "r2"},
		Time: time.Date(2026, 11, 23, 13, 0, 0, 999, time.FixedZone("", 3600))}
	got, err := e.envelope(scope)
	const want = `{"version":"0","id":"i\"d","detail-type":"it <happened>","source":"my.app","account":"000000000000","time":"2026-11-23T12:00:00Z",` +
		`"region":"us-east-1","resources":["r1","r2"],"detail":{"a":[1,"é"]}}`
	if err != nil || string(got) != want {
		t.Errorf("= %s, %v; want\n%s", got, err, want)
	}
	if n := e.Size(); n != 14+len("my.app")+len("it <happened>")+len(e.Detail)+4 {
		t.Errorf("size = %d", n)
	}
	e.Time = time.Time{}
	if n := e.Size(); n != len("my.app")+len("it <happened>")+len(e.Detail)+4 {
		t.Errorf("size without a time = %d", n)
	}
}

func TestReserved(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]bool{"aws.social-messaging": true, "aws.": true, "aws": false, "awsome.app": false, "my.aws.app": false} {
		if Reserved(source) != want {
			t.Errorf("Reserved(%q) = %v", source, !want)
		}
	}
}

func TestResolve(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"": "", "default": "", "arn:aws:events:us-east-1:000000000000:event-bus/default": "",
		"orders": "Event bus orders does not exist.",
		"arn:aws:events:us-east-1:000000000000:event-bus/orders":  "Event bus orders does not exist.",
		"arn:aws:events:us-east-1:111122223333:event-bus/default": "Event bus default does not exist.",
		"arn:aws:events:eu-west-1:000000000000:event-bus/default": "Event bus default does not exist.",
	} {
		err := Resolve(scope, name)
		if want == "" && err != nil || want != "" && (!fault.Is(err, fault.NotFound) || err.Error() != want) {
			t.Errorf("Resolve(%q) = %v, want %q", name, err, want)
		}
	}
}

// What is admitted makes an envelope that is one JSON object, whatever is in it.
func FuzzEnvelope(f *testing.F) {
	f.Add("a", "b", `{"x":"\ud83d\ude00"}`, "r")
	f.Add("\xff", "\x00\"", ` {"a":{"a":1},"a":2}`, "\u2028")
	f.Fuzz(func(t *testing.T, source, detailType, detail, resource string) {
		e := Event{ID: "id", Source: source, DetailType: detailType, Detail: []byte(detail), Resources: []string{resource}, Time: time.Unix(0, 0)}
		if e.Check() != nil {
			return
		}
		text, err := e.envelope(scope)
		if err != nil {
			t.Fatal(err)
		}
		var doc struct {
			ID     string
			Detail map[string]json.RawMessage
		}
		if err := json.Unmarshal(text, &doc); err != nil || doc.ID != "id" || doc.Detail == nil {
			t.Errorf("%s: %v", text, err)
		}
	})
}

func TestMatchEndsWithItsCaller(t *testing.T) {
	t.Parallel()
	p, err := pattern.ParseEvent(`{"source":["shop"]}`)
	if err != nil {
		t.Fatal(err)
	}
	e, ok := pattern.Decode([]byte(`{"source":"shop"}`))
	if !ok {
		t.Fatal("no event")
	}
	rules := &ruleset{routes: []compiled{{p, []int64{1}}, {p, []int64{2, 3}}}}
	if queues, err := rules.match(t.Context(), e); err != nil || !slices.Equal(queues, []int64{1, 2, 3}) {
		t.Errorf("queues %v, %v", queues, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if queues, err := rules.match(ctx, e); !errors.Is(err, context.Canceled) {
		t.Errorf("after its caller has left: %v, %v", queues, err)
	}
}
