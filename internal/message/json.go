package message

import (
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// value is one JSON value inside a text that json.Valid has accepted, without surrounding space. It is nil when the member is
// absent or null: Meta treats the two alike.
//
// Validating once and then walking the raw bytes costs no allocation and never builds the parts of a message nobody looks at.
// Names match exactly, unlike encoding/json's, since Meta does not fold case either. A repeated member's last value counts.
type value []byte

func (v value) isObject() bool { return len(v) > 0 && v[0] == '{' }
func (v value) isArray() bool  { return len(v) > 0 && v[0] == '[' }
func (v value) isString() bool { return len(v) > 0 && v[0] == '"' }

// text returns the string's decoded characters; "" if v is no string.
func (v value) text() string { return string(v.chars()) }

// chars is text without a copy when nothing in the string is escaped.
func (v value) chars() []byte {
	if !v.isString() {
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

// is reports whether v is the string s.
func (v value) is(s string) bool { return string(v.chars()) == s }

// runes counts the characters of a string without decoding it: an escape, or a surrogate pair of escapes, is one.
func (v value) runes() int {
	if !v.isString() {
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

// number returns the value of a number, or of a string that holds one, as Meta accepts for coordinates and indices.
func (v value) number() (float64, bool) {
	s := string(v)
	if v.isString() {
		s = strings.TrimSpace(v.text())
	}
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f)
}

// members yields an object's names, decoded, and values; nothing if v is no object.
func (v value) members() iter.Seq2[[]byte, value] {
	return func(yield func([]byte, value) bool) {
		if !v.isObject() {
			return
		}
		for i := space(v, 1); v[i] != '}'; {
			end := skip(v, i)
			name := v[i:end].chars()
			i = space(v, space(v, end)+1) // past the colon
			end = skip(v, i)
			if !yield(name, notNull(v[i:end])) {
				return
			}
			i = next(v, end)
		}
	}
}

// elements yields an array's values with their indices; nothing if v is no array.
func (v value) elements() iter.Seq2[int, value] {
	return func(yield func(int, value) bool) {
		if !v.isArray() {
			return
		}
		n := 0
		for i := space(v, 1); v[i] != ']'; n++ {
			end := skip(v, i)
			if !yield(n, notNull(v[i:end])) {
				return
			}
			i = next(v, end)
		}
	}
}

// length counts an array's elements or an object's members.
func (v value) length() int {
	n := 0
	for range v.elements() {
		n++
	}
	for range v.members() {
		n++
	}
	return n
}

// field says where pick puts the member of a name.
type field struct {
	name string
	into *value
}

// pick reads the named members of an object in one pass over it.
func (v value) pick(fields ...field) {
	for name, member := range v.members() {
		for _, f := range fields {
			if f.name == string(name) {
				*f.into = member
				break
			}
		}
	}
}

func notNull(v value) value {
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

// space returns the index of the first byte at or after i that is no white space.
func space(b []byte, i int) int {
	for b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r' {
		i++
	}
	return i
}

// next steps from the end of a value to the start of the following one, or to the closing bracket.
func next(b []byte, end int) int {
	i := space(b, end)
	if b[i] == ',' {
		i = space(b, i+1)
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
	for i++; b[i] != '"'; i++ {
		if b[i] == '\\' {
			i++
		}
	}
	return i + 1
}
