package topic

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestMessageCheck(t *testing.T) {
	t.Parallel()
	with := func(change func(*Message)) Message {
		m := Message{Body: []byte("hello")}
		change(&m)
		return m
	}
	attribute := func(a Attribute) Message { return with(func(m *Message) { m.Attributes = []Attribute{a} }) }
	for _, tc := range []struct {
		name string
		m    Message
		want fault.Kind // "" for success
	}{
		{"plain", with(func(*Message) {}), ""},
		{"subject", with(func(m *Message) { m.Subject = "Grüße, 50% off!" }), ""},
		{"long subject", with(func(m *Message) { m.Subject = strings.Repeat("x", 101) }), fault.InvalidParameters},
		{"subject on two lines", with(func(m *Message) { m.Subject = "a\nb" }), fault.InvalidParameters},
		{"empty", Message{}, fault.InvalidParameters},
		{"largest", Message{Body: bytes.Repeat([]byte("x"), MaxSize)}, ""},
		{"too large", Message{Body: bytes.Repeat([]byte("x"), MaxSize+1)}, fault.InvalidParameters},
		{"too large with attributes", Message{Body: bytes.Repeat([]byte("x"), MaxSize), Attributes: []Attribute{{Name: "a", Type: "String", String: "b"}}}, fault.InvalidParameters},
		{"not utf-8", Message{Body: []byte("\xff")}, fault.InvalidParameters},
		{"variant not utf-8", with(func(m *Message) { m.Variants = map[string][]byte{"http": []byte("\xff")} }), fault.InvalidParameters},
		{"string", attribute(Attribute{Name: "a.b-c_1", Type: "String", String: "x"}), ""},
		{"labelled", attribute(Attribute{Name: "a", Type: "Number.int", String: "-1.5e3"}), ""},
		{"array", attribute(Attribute{Name: "a", Type: "String.Array", String: `["x",1,null]`}), ""},
		{"binary", attribute(Attribute{Name: "a", Type: "Binary.png", Binary: []byte{0}}), ""},
		{"empty string", attribute(Attribute{Name: "a", Type: "String"}), fault.Validation},
		{"empty binary", attribute(Attribute{Name: "a", Type: "Binary", String: "x"}), fault.Validation},
		{"no type", attribute(Attribute{Name: "a", String: "x"}), fault.Validation},
		{"unknown type", attribute(Attribute{Name: "a", Type: "Date", String: "x"}), fault.Validation},
		{"not a number", attribute(Attribute{Name: "a", Type: "Number", String: "many"}), fault.Validation},
		{"null is no number", attribute(Attribute{Name: "a", Type: "Number", String: "null"}), fault.Validation},
		{"two values", attribute(Attribute{Name: "a", Type: "String", String: "x", Binary: []byte{0}}), fault.Validation},
		{"not an array", attribute(Attribute{Name: "a", Type: "String.Array", String: "x"}), fault.Validation},
		{"reserved name", attribute(Attribute{Name: "AWS.x", Type: "String", String: "x"}), fault.Validation},
		{"leading period", attribute(Attribute{Name: ".x", Type: "String", String: "x"}), fault.Validation},
		{"two periods", attribute(Attribute{Name: "x..y", Type: "String", String: "x"}), fault.Validation},
		{"space in name", attribute(Attribute{Name: "x y", Type: "String", String: "x"}), fault.Validation},
		{"name twice", with(func(m *Message) {
			m.Attributes = []Attribute{{Name: "a", Type: "String", String: "x"}, {Name: "a", Type: "String", String: "y"}}
		}), fault.Validation},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := tc.m.Check()
			if tc.want == "" && err != nil || tc.want != "" && !fault.Is(err, tc.want) {
				t.Errorf("Check = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestStructure(t *testing.T) {
	t.Parallel()
	m := Message{Body: []byte(`{"default":"hi","https":"{\"x\":1}","sqs":42}`)}
	if err := m.Structure(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string][]byte{"https": []byte(`{"x":1}`)}, m.Variants); diff != "" {
		t.Errorf("variants (-want +got):\n%s", diff)
	}
	if got := string(m.BodyFor(HTTP)); got != "hi" {
		t.Errorf("body for http = %q, want the default", got)
	}
	if got := string(m.BodyFor(HTTPS)); got != `{"x":1}` {
		t.Errorf("body for https = %q", got)
	}
	for name, body := range map[string]string{"no default": `{"http":"x"}`, "default is no string": `{"default":{}}`, "no object": `"x"`, "null": `null`, "no json": `{`} {
		m := Message{Body: []byte(body)}
		if err := m.Structure(); !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCodec(t *testing.T) {
	t.Parallel()
	want := Message{Subject: "s", Body: []byte("body"), Token: "t", Variants: map[string][]byte{"http": []byte("h"), "https": []byte("hs")},
		Attributes: []Attribute{{Name: "a", Type: "String", String: "x"}, {Name: "b", Type: "Binary", Binary: []byte{1, 2}}}}
	encoded := want.encode()
	var got Message
	if err := got.decode(encoded); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for n := range len(encoded) {
		if err := new(Message).decode(encoded[:n]); err == nil {
			t.Errorf("the first %d bytes of %d were accepted", n, len(encoded))
		}
	}
	if err := new(Message).decode(append(encoded, 0)); err == nil {
		t.Error("a trailing byte was accepted")
	}
}

func FuzzDecode(f *testing.F) {
	m := Message{Subject: "s", Body: []byte("b"), Variants: map[string][]byte{"http": []byte("h")}, Attributes: []Attribute{{Name: "a", Type: "String", String: "x"}}}
	f.Add(m.encode())
	f.Add([]byte{1, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		var m Message
		if m.decode(b) != nil {
			return
		}
		var again Message
		if err := again.decode(m.encode()); err != nil {
			t.Fatalf("what was decoded does not survive: %v", err)
		}
		if !bytes.Equal(m.encode(), again.encode()) {
			t.Error("a second round differs")
		}
	})
}

func FuzzAttribute(f *testing.F) {
	f.Add("name", "String", "value", []byte(nil))
	f.Add("name", "Binary", "", []byte{0xff})
	f.Add("n", "String.Array", `["x"]`, []byte(nil))
	f.Fuzz(func(t *testing.T, name, typ, s string, b []byte) {
		m := Message{ID: newUUID(), Body: []byte("x"), Attributes: []Attribute{{Name: name, Type: typ, String: s, Binary: b}}}
		if m.Check() != nil {
			return
		}
		a := parseDocument(t, (&document{message: &m, body: m.Body}).append(nil)).MessageAttributes[name]
		if a.Type != typ {
			t.Errorf("type %q became %q", typ, a.Type)
		}
		if b == nil && a.Value != s {
			t.Errorf("value %q became %q", s, a.Value)
		}
	})
}
