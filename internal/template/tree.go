package template

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
)

// value is a JSON value and the path to it. The zero value is an absent one, and so is null: Meta treats the two alike.
type value struct {
	path string
	v    any
}

var errNoObject = errors.New("not a JSON object")

// parse reads a JSON object.
func parse(raw []byte) (value, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var m map[string]any
	if err := d.Decode(&m); err != nil || m == nil || d.More() {
		return value{}, errNoObject
	}
	return value{v: m}, nil
}

// get returns a member of an object; absent if v is none.
func (v value) get(name string) value {
	m, _ := v.v.(map[string]any)
	path := name
	if v.path != "" {
		path = v.path + "." + name
	}
	return value{path, m[name]}
}

// has reports whether the member is there.
func (v value) has(name string) bool { return v.get(name).v != nil }

// at returns an element of an array.
func (v value) at(i int) value {
	if a, ok := v.v.([]any); ok && i < len(a) {
		return value{v.path + "[" + strconv.Itoa(i) + "]", a[i]}
	}
	return value{}
}

// list returns the elements of an array; none if v is no array.
func (v value) list() []value {
	a, _ := v.v.([]any)
	list := make([]value, len(a))
	for i := range a {
		list[i] = v.at(i)
	}
	return list
}

// str returns a string; "" if v is none.
func (v value) str() string {
	s, _ := v.v.(string)
	return s
}

// word returns an enumerated word. Meta does not mind its case.
func (v value) word() string { return strings.ToUpper(v.str()) }

// scalar returns a string or the text of a number.
func (v value) scalar() string {
	if n, ok := v.v.(json.Number); ok {
		return n.String()
	}
	return v.str()
}

// whole returns a whole number, also one that came as a string.
func (v value) whole() (int64, bool) {
	n, err := strconv.ParseInt(v.scalar(), 10, 64)
	return n, err == nil
}

func (v value) isArray() bool  { _, ok := v.v.([]any); return ok }
func (v value) isObject() bool { _, ok := v.v.(map[string]any); return ok }
func (v value) isString() bool { _, ok := v.v.(string); return ok }

// Clean makes a definition that was pasted from a page or a terminal readable: line breaks and tabs inside strings, which JSON
// wants escaped, become escapes. What needs no mending is returned as it is.
func Clean(raw []byte) []byte {
	if json.Valid(raw) {
		return raw
	}
	out := make([]byte, 0, len(raw)+16)
	inside := false
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case inside && c == '\\' && i+1 < len(raw):
			out = append(out, c, raw[i+1])
			i++
			continue
		case c == '"':
			inside = !inside
		case inside && c == '\n':
			out = append(out, `\n`...)
			continue
		case inside && c == '\t':
			out = append(out, `\t`...)
			continue
		case inside && c == '\r':
			continue // half of a line break
		}
		out = append(out, c)
	}
	if !json.Valid(out) {
		return raw
	}
	return out
}
