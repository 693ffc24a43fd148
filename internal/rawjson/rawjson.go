// Package rawjson walks JSON texts without decoding them.
//
// Checking a text once with json.Valid and then walking its bytes costs no allocation and never builds the parts nobody looks at.
// What it hands out are slices of the text itself, byte for byte as they came.
package rawjson

import (
	"bytes"
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is one JSON value inside a text that json.Valid has accepted, without surrounding space. It is nil when the member is
// absent or null: Meta treats the two alike. Names match exactly, unlike encoding/json's, since Meta does not fold case either.
type Value []byte

// Parse returns the value of a JSON text; ok is false when it is none. The null value is nil, and ok.
func Parse(text []byte) (v Value, ok bool) {
	if !json.Valid(text) {
		return nil, false
	}
	start := SkipSpace(text, 0)
	return notNull(text[start:skip(text, start)]), true
}

// IsObject reports whether a value is an object; null is none.
func (v Value) IsObject() bool { return len(v) > 0 && v[0] == '{' }

// IsArray reports whether a value is a list.
func (v Value) IsArray() bool { return len(v) > 0 && v[0] == '[' }

// IsString reports whether a value is a string.
func (v Value) IsString() bool { return len(v) > 0 && v[0] == '"' }

// Text returns the string's decoded characters; "" if v is no string. Bytes that are not UTF-8 stay as they are.
func (v Value) Text() string { return string(v.Chars()) }

// Chars is Text without a copy when nothing in the string is escaped.
func (v Value) Chars() []byte {
	if !v.IsString() {
		return nil
	}
	inner := v[1 : len(v)-1]
	if !escaped(inner) {
		return inner
	}
	var s string
	if json.Unmarshal(v, &s) != nil {
		return nil
	}
	return []byte(s)
}

// Is reports whether v is the string s.
func (v Value) Is(s string) bool { return string(v.Chars()) == s }

// Get returns the last member of an object with a name, nil if there is none or it is null.
func (v Value) Get(name string) (member Value) {
	for n, m := range v.Members() {
		if string(n) == name {
			member = m
		}
	}
	return member
}

// Runes counts the characters of a string without decoding it: an escape, or a surrogate pair of escapes, is one.
func (v Value) Runes() int {
	if !v.IsString() {
		return 0
	}
	s, n := v[1:len(v)-1], 0
	for len(s) > 0 {
		switch {
		case s[0] != '\\':
			_, size := utf8.DecodeRune(s)
			s = s[size:]
		case s[1] != 'u':
			s = s[2:]
		case len(s) >= 12 && s[6] == '\\' && s[7] == 'u' && utf16.DecodeRune(hex4(s[2:6]), hex4(s[8:12])) != utf8.RuneError:
			s = s[12:]
		default:
			s = s[6:]
		}
		n++
	}
	return n
}

func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b), 16, 32)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// Number returns the value of a number, or of a string that holds one, as Meta accepts for coordinates and indices.
func (v Value) Number() (float64, bool) {
	s := string(v)
	if v.IsString() {
		s = strings.TrimSpace(v.Text())
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f)
}

// Members yields an object's names, decoded, and values; nothing if v is no object.
func (v Value) Members() iter.Seq2[[]byte, Value] {
	return func(yield func([]byte, Value) bool) {
		if !v.IsObject() {
			return
		}
		for i := SkipSpace(v, 1); v[i] != '}'; {
			end := skip(v, i)
			name := v[i:end].Chars()
			i = SkipSpace(v, SkipSpace(v, end)+1) // past the colon
			end = skip(v, i)
			if !yield(name, notNull(v[i:end])) {
				return
			}
			i = next(v, end)
		}
	}
}

// Elements yields an array's values with their indices; nothing if v is no array.
func (v Value) Elements() iter.Seq2[int, Value] {
	return func(yield func(int, Value) bool) {
		if !v.IsArray() {
			return
		}
		n := 0
		for i := SkipSpace(v, 1); v[i] != ']'; n++ {
			end := skip(v, i)
			if !yield(n, notNull(v[i:end])) {
				return
			}
			i = next(v, end)
		}
	}
}

// First returns an array's first value; nil if there is none.
func (v Value) First() Value {
	for _, first := range v.Elements() {
		return first
	}
	return nil
}

// Length counts an array's elements or an object's members.
func (v Value) Length() int {
	n := 0
	for range v.Elements() {
		n++
	}
	for range v.Members() {
		n++
	}
	return n
}

// Depth returns how deep objects and lists lie in each other.
func (v Value) Depth() (deepest int) {
	depth, quoted := 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			depth++
			deepest = max(deepest, depth)
		case c == '}' || c == ']':
			depth--
		}
	}
	return deepest
}

func notNull(v Value) Value {
	if v[0] == 'n' {
		return nil
	}
	return v
}

func escaped(b []byte) bool {
	for _, c := range b {
		if c == '\\' {
			return true
		}
	}
	return false
}

// SkipSpace returns the index of the first byte at or after i that is no white space.
func SkipSpace(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r' {
		i++
	}
	return i
}

// next steps from the end of a value to the start of the following one, or to the closing bracket.
func next(b []byte, end int) int {
	i := SkipSpace(b, end)
	if b[i] == ',' {
		i = SkipSpace(b, i+1)
	}
	return i
}

// skip returns the index just after the value that starts at i.
func skip(b []byte, i int) int {
	switch b[i] {
	case '"':
		return skipString(b, i)
	case '{', '[':
		for depth := 0; ; i++ {
			switch b[i] {
			case '"':
				i = skipString(b, i) - 1
			case '{', '[':
				depth++
			case '}', ']':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
	default:
		for i < len(b) && b[i] != ',' && b[i] != '}' && b[i] != ']' && b[i] > ' ' {
			i++
		}
		return i
	}
}

func skipString(b []byte, i int) int {
	// Most strings are short. A long one without escapes, such as text or base64, is passed in one leap.
	const short = 32
	i++
	for leap := i + short; ; i++ {
		switch {
		case b[i] == '"':
			return i + 1
		case b[i] == '\\':
			i++
		case i == leap:
			if end := i + bytes.IndexByte(b[i:], '"'); bytes.IndexByte(b[i:end], '\\') < 0 {
				return end + 1
			}
		}
	}
}
