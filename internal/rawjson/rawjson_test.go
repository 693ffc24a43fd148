package rawjson

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestValue(t *testing.T) {
	t.Parallel()
	v, ok := Parse([]byte(` {"a":"x","b":[1,null,"2.5"],"a":"y\u00e9","n":null,"c":{"d":true}} `))
	if !ok || !v.IsObject() || v.Length() != 5 {
		t.Fatalf("Parse = %q, %v with %d members", v, ok, v.Length())
	}
	if got := v.Get("a"); !got.IsString() || got.Text() != "yé" || !got.Is("yé") || got.Runes() != 2 {
		t.Errorf("a = %q: the last one counts, decoded", got)
	}
	if v.Get("n") != nil || v.Get("absent") != nil || v.Get("c").Get("d") == nil {
		t.Error("null and absent members are nil, others are not")
	}
	list := v.Get("b")
	if !list.IsArray() || list.Length() != 3 {
		t.Fatalf("b = %q", list)
	}
	for i, e := range list.Elements() {
		n, ok := e.Number()
		if want := []float64{1, 0, 2.5}[i]; n != want || ok != (i != 1) {
			t.Errorf("element %d = %v, %v", i, n, ok)
		}
	}
	for _, text := range []string{"", "{", `{"a":}`, "nul", "1 2"} {
		if _, ok := Parse([]byte(text)); ok {
			t.Errorf("Parse(%q) is ok", text)
		}
	}
	if v, ok := Parse([]byte("null")); v != nil || !ok {
		t.Errorf("null = %q, %v", v, ok)
	}
}

func TestDepth(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{`1`: 0, `"[[\"["`: 0, `{}`: 1, `[1, {"a]": [[]]}, {"b": "}"}]`: 4, `[[], [], []]`: 2} {
		if v, ok := Parse([]byte(text)); !ok || v.Depth() != want {
			t.Errorf("%s: %d, want %d", text, v.Depth(), want)
		}
	}
}

// FuzzWalk holds the walker against encoding/json on any text.
func FuzzWalk(f *testing.F) {
	f.Add([]byte(`{"a":{"b":[1,"x\"]",{"c":null}]},"d":-1e3,"e":"\\"}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		root, ok := Parse(raw)
		if ok != json.Valid(raw) {
			t.Fatalf("Parse says %v of %q", ok, raw)
		}
		if !ok || !utf8.Valid(raw) {
			build(root)
			return
		}
		var want any
		if err := json.Unmarshal(raw, &want); err != nil {
			return // numbers beyond float64
		}
		if got := build(root); !reflect.DeepEqual(got, want) {
			t.Errorf("walked %v, want %v", got, want)
		}
	})
}

// build decodes a value with the walker alone.
func build(v Value) any {
	switch {
	case v == nil:
		return nil
	case v.IsObject():
		m := map[string]any{}
		for name, member := range v.Members() {
			m[string(name)] = build(member)
		}
		return m
	case v.IsArray():
		list := []any{}
		for _, element := range v.Elements() {
			list = append(list, build(element))
		}
		return list
	case v.IsString():
		return v.Text()
	case v[0] == 't' || v[0] == 'f':
		return v[0] == 't'
	default:
		n, _ := v.Number()
		return n
	}
}

// Strings end where they end, however long they are and wherever an escape is in them.
func TestLongStrings(t *testing.T) {
	t.Parallel()
	for length := range 80 {
		for at := range length {
			for _, escape := range []string{"x", `\"`, `\\`, `\\\"`, `\u0022`} {
				text := strings.Repeat("a", at) + escape + strings.Repeat("b", length-at)
				v, ok := Parse([]byte(`{"s": "` + text + `", "next": 1}`))
				if !ok || string(v.Get("next")) != "1" || string(v.Get("s")) != `"`+text+`"` {
					t.Fatalf("%s: s is %s, next is %s", text, v.Get("s"), v.Get("next"))
				}
			}
		}
	}
}
