package restjson

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
	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

type part struct {
	Key   string `json:"key" required:"true"`
	Value string `json:"value"`
}

type input struct {
	Text   string            `json:"text" len:"1..20"`
	Blob   []byte            `json:"blob" len:"1..4"`
	Count  int               `json:"count" range:"1..9"`
	Small  int32             `json:"small"`
	Flag   bool              `json:"flag"`
	Maybe  *bool             `json:"maybe"`
	Words  []string          `json:"words" each:"1..3"`
	Parts  []part            `json:"parts" len:"0..2"`
	Part   *part             `json:"part"`
	Labels map[string]string `json:"labels"`
	ID     string            `query:"id"`
	Max    int               `query:"max" range:"1..9"`
	All    bool              `query:"all"`
	Names  []string          `query:"name"`
}

func decode(t testing.TB, target, body string) (*input, error) {
	t.Helper()
	described, err := shape.Of(reflect.TypeFor[input]())
	if err != nil {
		t.Fatal(err)
	}
	in := new(input)
	var c shape.Checker
	r := httptest.NewRequest("POST", "/", nil)
	r.URL.RawQuery = target
	if err := (Protocol{}).Decode(r, []byte(body), described, reflect.ValueOf(in).Elem(), &c); err != nil {
		return in, err
	}
	return in, c.Err()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	yes := true
	for _, tc := range []struct {
		name, query, body string
		want              input
	}{
		{"nothing", "", "", input{}},
		{"empty object", "", " {\n\t} \r\n", input{}},
		{"everything", "id=a%2Fb+c&max=3&all=true&name=x&name=y",
			`{"text":"hi","blob":"AP8=","count":7,"small":-1,"flag":true,"maybe":true,"words":["a","b"],` +
				`"parts":[{"key":"k","value":"v"},{"key":"l"}],"part":{"key":"m"},"labels":{"a":"b"}}`,
			input{Text: "hi", Blob: []byte{0, 255}, Count: 7, Small: -1, Flag: true, Maybe: &yes, Words: []string{"a", "b"},
				Parts: []part{{"k", "v"}, {"l", ""}}, Part: &part{Key: "m"}, Labels: map[string]string{"a": "b"},
				ID: "a/b c", Max: 3, All: true, Names: []string{"x", "y"}}},
		{"nulls are absent", "", `{"text":null,"blob":null,"count":null,"maybe":null,"words":null,"part":null,"labels":null}`, input{}},
		{"nulls within are dropped", "", `{"words":["a",null,"b"],"labels":{"a":null,"b":"c"}}`,
			input{Words: []string{"a", "b"}, Labels: map[string]string{"b": "c"}}},
		{"unknown members are ignored", "x=%zz", `{"TEXT":"no","other":{"a":[1,-2.5e+3,"\u0041",true,false,null,{}]},"text":"yes"}`, input{Text: "yes"}},
		{"empty lists and maps", "", `{"words":[],"parts":[ ],"labels":{}}`,
			input{Words: []string{}, Parts: []part{}, Labels: map[string]string{}}},
		{"escapes", "", `{"text":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00"}`, input{Text: "\"\\/\b\f\n\r\té😀"}},
		{"escaped name", "", `{"te\u0078t":"hi"}`, input{Text: "hi"}},
		{"UTF-8", "", `{"text":"é😀"}`, input{Text: "é😀"}},
		{"not UTF-8", "", "{\"text\":\"a\xffb\"}", input{Text: "a\uFFFDb"}},
		{"blob with escaped slashes", "", `{"blob":"\/\/8="}`, input{Blob: []byte{255, 255}}},
		{"last of two wins", "", `{"text":"a","text":"b","words":["a"],"words":["b"]}`, input{Text: "b", Words: []string{"b"}}},
		{"body members in the query do not count", "text=x", "", input{}},
		{"query members in the body do not count", "", `{"id":"x"}`, input{}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := decode(t, tc.query, tc.body)
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
	for _, tc := range []struct{ name, query, body, want string }{
		{"not JSON", "", `hello`, "object"},
		{"white space only", "", `  `, "valid JSON"},
		{"a list", "", `[]`, "object"},
		{"a string", "", `"x"`, "object"},
		{"null", "", `null`, "object"},
		{"no end", "", `{"text":"x"`, "valid JSON"},
		{"no end of string", "", `{"text":"x`, "valid JSON"},
		{"no end of escape", "", `{"text":"x\`, "valid JSON"},
		{"more after the end", "", `{}x`, "valid JSON"},
		{"two objects", "", `{}{}`, "valid JSON"},
		{"comma at the end", "", `{"text":"x",}`, "valid JSON"},
		{"comma at the start", "", `{,"text":"x"}`, "valid JSON"},
		{"comma missing", "", `{"text":"x" "count":1}`, "valid JSON"},
		{"colon missing", "", `{"text" "x"}`, "valid JSON"},
		{"name without quotes", "", `{text:"x"}`, "valid JSON"},
		{"line break in a string", "", "{\"text\":\"a\nb\"}", "valid JSON"},
		{"unknown escape", "", `{"text":"\x"}`, "valid JSON"},
		{"misspelt literal", "", `{"flag":trve}`, "valid JSON"},
		{"misspelt null", "", `{"text":nil}`, "valid JSON"},
		{"leading zero", "", `{"other":01}`, "valid JSON"},
		{"number that is none", "", `{"other":1e}`, "valid JSON"},
		{"comma at the end of a list", "", `{"other":[1,]}`, "valid JSON"},
		{"wrong bracket", "", `{"other":[1}`, "valid JSON"},
		{"too deep", "", `{"other":` + strings.Repeat("[", 64) + strings.Repeat("]", 64) + `}`, "deep"},
		{"number for a string", "", `{"text":1}`, "NUMBER_VALUE can not be converted to a String"},
		{"true for a string", "", `{"text":true}`, "TRUE_VALUE can not be converted to a String"},
		{"string for a number", "", `{"count":"1"}`, "STRING_VALUE can not be converted to an Integer"},
		{"fraction", "", `{"count":1.5}`, "not an integer"},
		{"number too large", "", `{"count":9223372036854775808}`, "out of range"},
		{"number too large for its member", "", `{"small":2147483648}`, "out of range"},
		{"false for a number", "", `{"count":false}`, "FALSE_VALUE can not be converted to an Integer"},
		{"string for a boolean", "", `{"flag":"true"}`, "STRING_VALUE can not be converted to a Boolean"},
		{"structure for a list", "", `{"words":{}}`, "Start of structure or map found where not expected."},
		{"list for a structure", "", `{"part":[]}`, "Start of list found where not expected"},
		{"string for a map", "", `{"labels":"x"}`, "STRING_VALUE can not be converted to a Map"},
		{"number in a list of strings", "", `{"words":["a",1]}`, "NUMBER_VALUE can not be converted to a String"},
		{"not base64", "", `{"blob":"%"}`, "base64"},
		{"base64 without padding", "", `{"blob":"AP8"}`, "base64"},
		{"base64 for URLs", "", `{"blob":"__8="}`, "base64"},
		{"bad escape in the query", "id=%zz", "", "escaped"},
		{"not UTF-8 in the query", "id=%ff", "", "escaped"},
		{"word for a number in the query", "max=x", "", "STRING_VALUE can not be converted to an Integer"},
		{"word for a boolean in the query", "all=yes", "", "STRING_VALUE can not be converted to a Boolean"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := decode(t, tc.query, tc.body)
			var e *awsapi.Error
			if !errors.As(err, &e) || e.Name != "SerializationException" || e.Status != 400 || !strings.Contains(e.Message, tc.want) {
				t.Errorf("decode = %v, want SerializationException %q", err, tc.want)
			}
		})
	}
}

func TestDecodeChecks(t *testing.T) {
	t.Parallel()
	_, err := decode(t, "max=10", `{"text":"","blob":"AAAAAAA=","count":0,"words":["","four"],"parts":[{},{"key":"k"},{"value":"v"}]}`)
	want := "9 validation errors detected: " + strings.Join([]string{
		"Value null at 'parts.1.member.key' failed to satisfy constraint: Member must not be null",
		"Value null at 'parts.3.member.key' failed to satisfy constraint: Member must not be null",
		"Value '' at 'text' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"Value at 'blob' failed to satisfy constraint: Member must have length less than or equal to 4",
		"Value '0' at 'count' failed to satisfy constraint: Member must have value greater than or equal to 1",
		"Value '' at 'words.1.member' failed to satisfy constraint: Member must have length greater than or equal to 1",
		"Value 'four' at 'words.2.member' failed to satisfy constraint: Member must have length less than or equal to 3",
		"Value '[more than 2 items]' at 'parts' failed to satisfy constraint: Member must have length less than or equal to 2",
		"Value '10' at 'max' failed to satisfy constraint: Member must have value less than or equal to 9",
	}, "; ")
	if !fault.Is(err, fault.Validation) || err.Error() != want {
		t.Errorf("err = %v\nwant %s", err, want)
	}
}

// What is too long is refused for it, and does not cost a hundred times its size first.
func TestDecodeKeepsNoMoreThanAllowed(t *testing.T) {
	t.Parallel()
	in, err := decode(t, "", `{"parts":[`+strings.Repeat(`{"key":"k"},`, 10_000)+`{}]}`)
	if len(in.Parts) != 3 || !fault.Is(err, fault.Validation) || strings.Count(err.Error(), "failed to satisfy") != 1 {
		t.Errorf("%d parts, err = %v", len(in.Parts), err)
	}
	if _, err := decode(t, "", `{"parts":[`+strings.Repeat(`{"key":"k"},`, 10_000)+`{]}`); err == nil || fault.Is(err, fault.Validation) {
		t.Errorf("err = %v, what is not kept has to be JSON all the same", err)
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		out  any
		want string
	}{
		{"nil", nil, "{}"},
		{"empty", new(struct{}), "{}"},
		{"text is not escaped for HTML", &struct {
			A string `json:"a"`
		}{"<&>"}, `{"a":"<&>"}`},
		{"time", &struct{ A Time }{Time(time.UnixMilli(1736379042271))}, `{"A":1736379042.271}`},
		{"time with fewer digits", &struct{ A Time }{Time(time.UnixMilli(1736379042050))}, `{"A":1736379042.05}`},
		{"time of a whole second", &struct{ A Time }{Time(time.UnixMilli(1736379042000))}, `{"A":1736379042}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			if err := (Protocol{}).Encode(&b, "Op", "id", tc.out); err != nil || b.String() != tc.want {
				t.Errorf("Encode = %s, %v; want %s", b.String(), err, tc.want)
			}
		})
	}
}

func TestEncodeError(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	h := make(http.Header)
	Protocol{}.EncodeError(h, &b, "id", &awsapi.Error{Code: awsapi.Code{Name: "OopsException", Status: 400}, Message: `say "when"`})
	if b.String() != `{"message":"say \"when\""}` || h.Get("x-amzn-errortype") != "OopsException" {
		t.Errorf("error = %s, %v", b.String(), h)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	seen := make(map[string]bool)
	for _, reason := range sigv4.Reasons() {
		code := Protocol{}.Refusal(reason)
		if seen[code.Name] || code.Status != 403 {
			t.Errorf("reason %d is %v, want a code of its own and status 403", reason, code)
		}
		seen[code.Name] = true
	}
}

// What is bound is what encoding/json understands, and what it refuses is refused.
func FuzzDecode(f *testing.F) {
	f.Add("id=a&max=1", `{"text":"hi","blob":"AP8=","count":7,"words":["a"],"parts":[{"key":"k"}],"labels":{"a":"b"},"other":{"a":[1,2.5e3,null]}}`)
	f.Add("", `{"text":"\ud83d\ude00\u0000","part":{"key":"\/"}}`)
	f.Add("%=&&", "{\"text\":\"\xff\"}")
	f.Fuzz(func(t *testing.T, query, body string) {
		got, err := decode(t, query, body)
		var e *awsapi.Error
		if errors.As(err, &e) {
			return
		}
		if body == "" {
			return
		}
		var reference map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &reference); err != nil {
			t.Fatalf("bound %q, which encoding/json refuses: %v", body, err)
		}
		var text *string
		if raw, ok := reference["text"]; ok && json.Unmarshal(raw, &text) == nil && text != nil && *text != got.Text {
			t.Errorf("text of %q = %q, want %q", body, got.Text, *text)
		}
		var words []*string
		if raw, ok := reference["words"]; ok && json.Unmarshal(raw, &words) == nil && len(got.Words) > len(words) {
			t.Errorf("words of %q = %q, want %v", body, got.Words, words)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"text":"phone-number-id-x","blob":"AP8=","count":7,"other":"` + strings.Repeat("x", 300) + `"}`)
	described, err := shape.Of(reflect.TypeFor[input]())
	if err != nil {
		b.Fatal(err)
	}
	r := httptest.NewRequest("POST", "/", nil)
	b.ReportAllocs()
	for b.Loop() {
		var in input
		var c shape.Checker
		if err := (Protocol{}).Decode(r, body, described, reflect.ValueOf(&in).Elem(), &c); err != nil {
			b.Fatal(err)
		}
	}
}
