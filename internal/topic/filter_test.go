package topic

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
)

func TestFilterAttributes(t *testing.T) {
	t.Parallel()
	nested := `{"a": {"b": ["c"]}}`
	for _, tc := range []struct {
		name   string
		had    Filter
		set    [2]string // attribute and value
		want   Filter
		failed string
	}{
		{"policy", Filter{}, [2]string{AttrFilterPolicy, `{"a": ["b"]}`}, Filter{Policy: `{"a": ["b"]}`}, ""},
		{"policy as it was written", Filter{}, [2]string{AttrFilterPolicy, " {\n\"a\":[\"b\"] }\n"}, Filter{Policy: "{\n\"a\":[\"b\"] }"}, ""},
		{"removed by nothing", Filter{Policy: `{"a": ["b"]}`, Scope: pattern.Body}, [2]string{AttrFilterPolicy, ""}, Filter{Scope: pattern.Body}, ""},
		{"removed by an empty object", Filter{Policy: `{"a": ["b"]}`}, [2]string{AttrFilterPolicy, "{}"}, Filter{}, ""},
		{"nested on attributes", Filter{}, [2]string{AttrFilterPolicy, nested}, Filter{}, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"nested on the body", Filter{Scope: pattern.Body}, [2]string{AttrFilterPolicy, nested}, Filter{Policy: nested, Scope: pattern.Body}, ""},
		{"nested, and then on attributes", Filter{Policy: nested, Scope: pattern.Body}, [2]string{AttrFilterScope, "MessageAttributes"},
			Filter{Policy: nested, Scope: pattern.Body}, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"scope", Filter{}, [2]string{AttrFilterScope, "MessageBody"}, Filter{Scope: pattern.Body}, ""},
		{"unknown scope", Filter{}, [2]string{AttrFilterScope, "Subject"}, Filter{}, "FilterPolicyScope: Invalid value [Subject]. Please use either MessageBody or MessageAttributes"},
		{"no JSON", Filter{}, [2]string{AttrFilterPolicy, "a"}, Filter{}, "FilterPolicy: failed to parse JSON."},
		{"unknown comparison", Filter{}, [2]string{AttrFilterPolicy, `{"a": [{"like": "b"}]}`}, Filter{}, "FilterPolicy: Unrecognized match type like"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := Subscription{Filter: tc.had}
			err := s.Set(tc.set[0], tc.set[1])
			if (err == nil) != (tc.failed == "") || err != nil && (err.Error() != "Invalid parameter: "+tc.failed || !fault.Is(err, fault.InvalidParameters)) {
				t.Errorf("error %v, want %q", err, tc.failed)
			}
			if s.Filter != tc.want {
				t.Errorf("filter %+v, want %+v", s.Filter, tc.want)
			}
		})
	}
}

func TestFilterWhenSubscribing(t *testing.T) {
	t.Parallel()
	for range 20 { // whatever the order of a map
		var s Subscription
		if err := s.setAll(map[string]string{AttrFilterPolicy: `{"a": {"b": ["c"]}}`, AttrFilterScope: "MessageBody", AttrRaw: "true"}); err != nil || s.Filter.Scope != pattern.Body || !s.Raw {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	var s Subscription
	err := s.setAll(map[string]string{AttrFilterPolicy: `{"a": "b"}`})
	if want := `Invalid parameter: Attributes Reason: FilterPolicy: "a" must be an object or an array`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// What a filter on attributes sees of a message.
func TestWants(t *testing.T) {
	t.Parallel()
	attributes := []Attribute{{Name: "text", Type: "String", String: "a \"b\""}, {Name: "labelled", Type: "String.mine", String: "x"}, {Name: "n", Type: "Number", String: "1.50"},
		{Name: "i", Type: "Number.int", String: "7"}, {Name: "list", Type: "String.Array", String: `["a", 1, true, null]`}, {Name: "bytes", Type: "Binary", Binary: []byte("x")},
		{Name: "a.b", Type: "String", String: "dotted"}}
	for _, tc := range []struct {
		name       string
		scope      pattern.Scope
		policy     string
		body       string
		attributes []Attribute
		want       bool
	}{
		{"text", pattern.Attributes, `{"text": ["a \"b\""]}`, "x", attributes, true},
		{"labelled text", "", `{"labelled": ["x"]}`, "x", attributes, true},
		{"number", pattern.Attributes, `{"n": [{"numeric": ["=", 1.5]}]}`, "x", attributes, true},
		{"number is no text", pattern.Attributes, `{"n": ["1.50"]}`, "x", attributes, false},
		{"text beside an empty binary value", pattern.Attributes, `{"text": ["x"]}`, "x", []Attribute{{Name: "text", Type: "String", String: "x", Binary: []byte{}}}, true},
		{"labelled number", pattern.Attributes, `{"i": [7]}`, "x", attributes, true},
		{"list", pattern.Attributes, `{"list": [true]}`, "x", attributes, true},
		{"not in the list", pattern.Attributes, `{"list": ["b"]}`, "x", attributes, false},
		{"binary is not seen", pattern.Attributes, `{"bytes": [{"exists": true}]}`, "x", attributes, false},
		{"name with a period", pattern.Attributes, `{"a.b": ["dotted"]}`, "x", attributes, true},
		{"missing", pattern.Attributes, `{"other": [{"exists": false}]}`, "x", attributes, true},
		{"missing where there is nothing", pattern.Attributes, `{"other": [{"exists": false}]}`, "x", nil, false},
		{"missing where there are bytes", pattern.Attributes, `{"other": [{"exists": false}]}`, "x", attributes[5:6], false},
		{"body", pattern.Body, `{"a": {"b": [1]}}`, `{"a": [{"b": 2}, {"b": 1}]}`, nil, true},
		{"body that is no object", pattern.Body, `{"a": [{"exists": false}]}`, `[]`, nil, false},
		{"body that is no JSON", pattern.Body, `{"a": [{"exists": false}]}`, `hello`, nil, false},
		{"attributes are no body", pattern.Body, `{"text": [{"exists": true}]}`, `{}`, attributes, false},
		{"a policy that is none any more", pattern.Body, `{"a": 1}`, `x`, nil, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			m := Message{Body: []byte(tc.body), Attributes: tc.attributes}
			loads := 0
			load := func() (Filter, error) { loads++; return Filter{ID: 7, Scope: tc.scope, Policy: tc.policy}, nil }
			wants := NewService(Options{}).wants([]candidate{{message: &Message{Body: []byte("another")}}, {message: &m}}, nil)
			for range 2 {
				if got, err := wants(7, load, 1); got != tc.want || err != nil {
					t.Errorf("wants it: %v, %v; want %v", got, err, tc.want)
				}
			}
			if loads != 1 {
				t.Errorf("loaded %d times", loads)
			}
		})
	}
}

// Compiled policies take a bounded amount of memory, whatever their number.
func TestFiltersAreBounded(t *testing.T) {
	t.Parallel()
	var f filters
	long := strings.Repeat("x", 100<<10)
	for id := range int64(200) {
		if _, err := f.get(id+1, func() (Filter, error) {
			return Filter{ID: id + 1, Policy: fmt.Sprintf(`{"a": ["%d%s"]}`, id, long)}, nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	size := 0
	for _, c := range f.byID {
		size += c.size
	}
	if size != f.size || size > maxFilterBytes || len(f.byID) < 50 {
		t.Errorf("%d policies of %d bytes, %d by its own count", len(f.byID), size, f.size)
	}
}

// Whatever attributes a message may have, they are an object that filters can look at.
func FuzzAttributesAsEvent(f *testing.F) {
	f.Add("kind", "String", "x")
	f.Add("a.b", "Number.int", " 1e5 ")
	f.Add("list", "String.Array", " [\"a\", {\"b\": 1}] ")
	f.Fuzz(func(t *testing.T, name, typ, value string) {
		m := Message{Body: []byte("x"), Attributes: []Attribute{{Name: name, Type: typ, String: value}, {Name: "last", Type: "String", String: "y"}}}
		if m.Check() != nil {
			return
		}
		if _, ok := pattern.Decode(m.attributesJSON()); !ok {
			t.Errorf("%s", m.attributesJSON())
		}
	})
}
