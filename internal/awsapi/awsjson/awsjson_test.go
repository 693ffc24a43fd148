package awsjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type entry struct {
	Time   *time.Time `json:"Time"`
	Source string     `json:"Source" len:"1..5"`
	Pairs  []string   `json:"Pairs"`
}

type input struct {
	Entries []entry           `json:"Entries" required:"true" len:"1..2"`
	Map     map[string]string `json:"Map"`
	Limit   int               `json:"Limit" range:"1..100"`
}

var protocol = Protocol{Prefix: "AWSEvents"}

func decode(t testing.TB, body string) (*input, error) {
	t.Helper()
	described, err := shape.Of(reflect.TypeFor[input]())
	if err != nil {
		t.Fatal(err)
	}
	in := new(input)
	var c shape.Checker
	if err := protocol.Decode(nil, []byte(body), described, reflect.ValueOf(in).Elem(), &c); err != nil {
		return in, err
	}
	return in, c.Err()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	at := func(s string) *time.Time {
		x, err := time.Parse(time.RFC3339Nano, s)
		if err != nil {
			t.Fatal(err)
		}
		return &x
	}
	for _, tc := range []struct {
		name, body string
		want       input
	}{
		{"members", `{"Entries":[{"Source":"a","Pairs":["x"]}],"Map":{"k":"v"},"Limit":7,"Other":[1]}`,
			input{Entries: []entry{{Source: "a", Pairs: []string{"x"}}}, Map: map[string]string{"k": "v"}, Limit: 7}},
		{"seconds", `{"Entries":[{"Time":1763800000}]}`, input{Entries: []entry{{Time: at("2025-11-22T08:26:40Z")}}}},
		{"milliseconds", `{"Entries":[{"Time":1763800000.271}]}`, input{Entries: []entry{{Time: at("2025-11-22T08:26:40.271Z")}}}},
		{"with an exponent, as Python's", `{"Entries":[{"Time":1.7638e9}]}`, input{Entries: []entry{{Time: at("2025-11-22T08:26:40Z")}}}},
		{"before 1970", `{"Entries":[{"Time":-1.5}]}`, input{Entries: []entry{{Time: at("1969-12-31T23:59:58.5Z")}}}},
		{"no time", `{"Entries":[{"Time":null}]}`, input{Entries: []entry{{}}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := decode(t, tc.body)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, *got); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, body, want string }{
		{"not JSON", `x`, "object"},
		{"a time in words", `{"Entries":[{"Time":"2025-11-22T08:26:40Z"}]}`, "STRING_VALUE can not be converted to a Timestamp"},
		{"a time beyond the calendar", `{"Entries":[{"Time":1e15}]}`, "years"},
		{"a time that is none", `{"Entries":[{"Time":-}]}`, "valid JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(t, tc.body)
			e, ok := errors.AsType[*awsapi.Error](err)
			if !ok || e.Name != "SerializationException" || e.Status != 400 || !strings.Contains(e.Message, tc.want) {
				t.Errorf("decode = %v, want SerializationException %q", err, tc.want)
			}
		})
	}
}

// Complaints call members as AWS's do: with a small first letter.
func TestDecodeChecks(t *testing.T) {
	t.Parallel()
	_, err := decode(t, `{"Entries":[{"Source":"too long"}],"Limit":0}`)
	const want = "2 validation errors detected: Value 'too long' at 'entries.1.member.source' failed to satisfy constraint: Member must have " +
		"length less than or equal to 5; Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1"
	if !fault.Is(err, fault.Validation) || err.Error() != want {
		t.Errorf("err = %v\nwant %s", err, want)
	}
	_, err = decode(t, ``)
	if err == nil || !strings.Contains(err.Error(), "Value null at 'entries'") {
		t.Errorf("an empty body: %v", err)
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method, path, target string
		action                     string
		speaks                     bool
	}{
		{"operation", "POST", "/", "AWSEvents.PutRule", "PutRule", true},
		{"another service", "POST", "/", "AmazonSQS.SendMessage", "", false},
		{"no target", "POST", "/", "", "", false},
		{"prefix alone", "POST", "/", "AWSEvents", "", false},
		{"another method", "GET", "/", "AWSEvents.PutRule", "", true},
		{"another path", "POST", "/x", "AWSEvents.PutRule", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tc.method, tc.path, nil)
			r.Header.Set("X-Amz-Target", tc.target)
			action := protocol.Action(r, nil)
			if speaks := protocol.Speaks(r); speaks != tc.speaks || action != tc.action {
				t.Errorf("action %q, speaks %v; want %q, %v", action, speaks, tc.action, tc.speaks)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		out  any
		want string
	}{
		{"nothing", nil, "{}"},
		{"output", &struct {
			Name    string
			Created restjson.Time
		}{"<&>", restjson.Time(time.UnixMilli(1763800000271))}, `{"Name":"<&>","Created":1763800000.271}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := protocol.Encode(&b, "", "", tc.out); err != nil || b.String() != tc.want {
				t.Errorf("= %s, %v; want %s", b.String(), err, tc.want)
			}
		})
	}
	var b bytes.Buffer
	protocol.EncodeError(http.Header{}, &b, "", &awsapi.Error{Code: awsapi.Code{Name: "OopsException", Status: 400}, Message: `say "when"`})
	if want := `{"__type":"OopsException","message":"say \"when\""}`; b.String() != want {
		t.Errorf("error = %s, want %s", b.String(), want)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, reason := range sigv4.Reasons() {
		code := protocol.Refusal(reason)
		if seen[code.Name] || code.Status != 400 {
			t.Errorf("reason %d is %v, want a code of its own and status 400", reason, code)
		}
		seen[code.Name] = true
	}
}

// What is bound is what encoding/json understands, and times are within the calendar.
func FuzzDecode(f *testing.F) {
	f.Add(`{"Entries":[{"Time":1763800000.271,"Source":"a","Pairs":["x"]}],"Map":{"k":"v"},"Limit":7}`)
	f.Add(`{"Entries":[{"Time":-1e9},{"Time":1E+300}]}`)
	f.Fuzz(func(t *testing.T, body string) {
		in, err := decode(t, body)
		if _, refused := errors.AsType[*awsapi.Error](err); refused || body == "" {
			return
		}
		if !json.Valid([]byte(body)) {
			t.Fatalf("bound %q, which is no JSON", body)
		}
		for _, e := range in.Entries {
			if e.Time != nil && (e.Time.Year() < 1 || e.Time.Year() > 9999) {
				t.Errorf("%q became the time %v", body, e.Time)
			}
		}
	})
}
