package restjson

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
)

// maxDepth bounds nesting, also of members nobody knows.
const maxDepth = 64

// Bounds of a timestamp, in seconds since 1970.
const (
	minTime = -62135596800 // year 1
	maxTime = 253402300799 // end of year 9999
)

// problem says why a body cannot be understood, in words for its sender.
type problem string

func (p problem) Error() string { return string(p) }

const (
	errSyntax  problem = "the body is not valid JSON"
	errObject  problem = "the body must be a JSON object"
	errDeep    problem = "the body nests too deep"
	errBase64  problem = "a blob is not valid base64"
	errInteger problem = "a number is not an integer, or is out of range"
	errTime    problem = "a timestamp is not between the years 1 and 9999"
	errQuery   problem = "the query string is not properly escaped"
)

// mismatch is the problem of a value of the wrong JSON type, in the words of AWS's front ends.
func mismatch(found byte, want string) error {
	switch found {
	case '{':
		return problem("Start of structure or map found where not expected.")
	case '[':
		return problem("Start of list found where not expected")
	case '"':
		return problem("STRING_VALUE can not be converted to " + want)
	case 't':
		return problem("TRUE_VALUE can not be converted to " + want)
	case 'f':
		return problem("FALSE_VALUE can not be converted to " + want)
	default:
		return problem("NUMBER_VALUE can not be converted to " + want)
	}
}

// reader is a cursor over a JSON document.
type reader struct {
	data  []byte
	pos   int
	depth int
	check *shape.Checker
}

// document binds a whole body.
func (r *reader) document(s *shape.Struct, v reflect.Value, seen *shape.Seen) error {
	if c, err := r.peek(); err != nil {
		return err
	} else if c != '{' {
		return errObject
	}
	if err := r.members(s, v, seen); err != nil {
		return err
	}
	if r.space(); r.pos < len(r.data) {
		return errSyntax
	}
	return nil
}

// members binds an object's members to a struct, without checking constraints: the caller may have more members to add.
func (r *reader) members(s *shape.Struct, v reflect.Value, seen *shape.Seen) error {
	return r.object(func(name []byte) error {
		i, known := s.Find(name)
		if !known || s.Members[i].Where != shape.Body {
			return r.skip()
		}
		m := &s.Members[i]
		if null, err := r.null(); null || err != nil {
			return err
		}
		r.check.Enter(m.Label)
		defer r.check.Leave()
		seen.Add(i)
		return r.value(m.Shape, v.Field(m.Index))
	})
}

// object reads an object, calling member with the position at each member's value.
func (r *reader) object(member func(name []byte) error) error {
	return r.nested('}', func() error {
		if c, err := r.peek(); err != nil || c != '"' {
			return errSyntax
		}
		name, err := r.text()
		if err != nil {
			return err
		}
		if c, err := r.peek(); err != nil || c != ':' {
			return errSyntax
		}
		r.pos++
		return member(name)
	})
}

// nested reads what is between the bracket at the cursor and its end, element by element.
func (r *reader) nested(end byte, element func() error) error {
	if r.depth++; r.depth > maxDepth {
		return errDeep
	}
	r.pos++
	for first := true; ; first = false {
		c, err := r.peek()
		switch {
		case err != nil:
			return err
		case c == end && first:
		case first:
			if err := element(); err != nil {
				return err
			}
			continue
		case c == ',':
			r.pos++
			if _, err := r.peek(); err != nil {
				return err
			}
			if err := element(); err != nil {
				return err
			}
			continue
		case c != end:
			return errSyntax
		}
		r.pos++
		r.depth--
		return nil
	}
}

// value binds one value, which is not null.
func (r *reader) value(s *shape.Shape, v reflect.Value) error {
	if s.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	c, err := r.peek()
	if err != nil {
		return err
	}
	switch s.Kind {
	case shape.String:
		if c != '"' {
			return mismatch(c, "a String")
		}
		text, err := r.text()
		if err != nil {
			return err
		}
		v.SetString(string(text))
		return nil
	case shape.Blob:
		if c != '"' {
			return mismatch(c, "a Blob")
		}
		return r.blob(v)
	case shape.Bool:
		if c != 't' && c != 'f' {
			return mismatch(c, "a Boolean")
		}
		v.SetBool(c == 't')
		return r.skip()
	case shape.Int:
		if c != '-' && (c < '0' || c > '9') {
			return mismatch(c, "an Integer")
		}
		return r.integer(v)
	case shape.Time:
		if c != '-' && (c < '0' || c > '9') {
			return mismatch(c, "a Timestamp")
		}
		return r.time(v)
	case shape.List:
		if c != '[' {
			return mismatch(c, "a List")
		}
		return r.list(s, v)
	case shape.Map:
		if c != '{' {
			return mismatch(c, "a Map")
		}
		return r.entries(s, v)
	default:
		if c != '{' {
			return mismatch(c, "a Structure")
		}
		var seen shape.Seen
		if err := r.members(s.Struct, v, &seen); err != nil {
			return err
		}
		r.check.Struct(s.Struct, v, seen)
		return nil
	}
}

// list binds an array. Nulls in it are dropped, as lists here are never sparse. Of a list that is too long it keeps what shows that: three
// bytes of a body can be an item of hundreds.
func (r *reader) list(s *shape.Shape, v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 4))
	return r.nested(']', func() error {
		if null, err := r.null(); null || err != nil {
			return err
		}
		i := v.Len()
		if s.Exceeds(i) {
			return r.skip()
		}
		v.Grow(1)
		v.SetLen(i + 1)
		item := v.Index(i)
		item.SetZero()
		r.check.EnterItem(i)
		defer r.check.Leave()
		return r.value(s.Elem, item)
	})
}

func (r *reader) entries(s *shape.Shape, v reflect.Value) error {
	v.Set(reflect.MakeMap(v.Type()))
	return r.object(func(name []byte) error {
		if null, err := r.null(); null || err != nil {
			return err
		}
		key := reflect.ValueOf(string(name)).Convert(v.Type().Key())
		item := reflect.New(v.Type().Elem()).Elem()
		r.check.Enter(key.String())
		defer r.check.Leave()
		if err := r.value(s.Elem, item); err != nil {
			return err
		}
		v.SetMapIndex(key, item)
		return nil
	})
}

func (r *reader) integer(v reflect.Value) error {
	start := r.pos
	if err := r.skip(); err != nil {
		return err
	}
	n, err := strconv.ParseInt(string(r.data[start:r.pos]), 10, 64)
	if err != nil || v.OverflowInt(n) {
		return errInteger
	}
	v.SetInt(n)
	return nil
}

// time binds a number of seconds since 1970, perhaps with a fraction, of which milliseconds count.
func (r *reader) time(v reflect.Value) error {
	start := r.pos
	if err := r.skip(); err != nil {
		return err
	}
	seconds, err := strconv.ParseFloat(string(r.data[start:r.pos]), 64)
	if err != nil || seconds < minTime || seconds > maxTime {
		return errTime
	}
	v.Set(reflect.ValueOf(time.UnixMilli(int64(math.Round(seconds * 1000))).UTC()))
	return nil
}

func (r *reader) blob(v reflect.Value) error {
	text, err := r.text()
	if err != nil {
		return err
	}
	decoded := make([]byte, base64.StdEncoding.DecodedLen(len(text)))
	n, err := base64.StdEncoding.Decode(decoded, text)
	if err != nil {
		return errBase64
	}
	v.SetBytes(decoded[:n])
	return nil
}

// text reads a string. The result is part of the body unless it had to be unescaped; it is always valid UTF-8.
func (r *reader) text() ([]byte, error) {
	start := r.pos + 1
	plain := true
	for i := start; i < len(r.data); i++ {
		switch c := r.data[i]; {
		case c == '"':
			r.pos = i + 1
			if plain {
				return r.data[start:i], nil
			}
			return unescape(r.data[start-1 : i+1])
		case c == '\\':
			plain = false
			i++
		case c < ' ':
			return nil, errSyntax
		case c >= utf8.RuneSelf && plain:
			plain = false // may not be UTF-8
		}
	}
	return nil, errSyntax
}

func unescape(quoted []byte) ([]byte, error) {
	if bytes.IndexByte(quoted, '\\') < 0 && utf8.Valid(quoted) {
		return quoted[1 : len(quoted)-1], nil
	}
	var s string
	if err := json.Unmarshal(quoted, &s); err != nil {
		return nil, errSyntax
	}
	return []byte(s), nil
}

// null consumes a null if that is what comes next.
func (r *reader) null() (bool, error) {
	c, err := r.peek()
	if err != nil || c != 'n' {
		return false, err
	}
	return true, r.literal("null")
}

// skip passes over one value, checking its syntax.
func (r *reader) skip() error {
	c, err := r.peek()
	if err != nil {
		return err
	}
	switch c {
	case '{':
		return r.object(func([]byte) error { return r.skip() })
	case '[':
		return r.nested(']', r.skip)
	case '"':
		_, err := r.text()
		return err
	case 't':
		return r.literal("true")
	case 'f':
		return r.literal("false")
	case 'n':
		return r.literal("null")
	default:
		return r.number()
	}
}

func (r *reader) literal(word string) error {
	if !bytes.HasPrefix(r.data[r.pos:], []byte(word)) {
		return errSyntax
	}
	r.pos += len(word)
	return nil
}

func (r *reader) number() error {
	start := r.pos
	for r.pos < len(r.data) {
		if c := r.data[r.pos]; (c < '0' || c > '9') && c != '-' && c != '+' && c != '.' && c != 'e' && c != 'E' {
			break
		}
		r.pos++
	}
	if !json.Valid(r.data[start:r.pos]) {
		return errSyntax
	}
	return nil
}

// peek returns the next byte that is not white space, and leaves the cursor on it.
func (r *reader) peek() (byte, error) {
	r.space()
	if r.pos >= len(r.data) {
		return 0, errSyntax
	}
	return r.data[r.pos], nil
}

func (r *reader) space() {
	for r.pos < len(r.data) {
		if c := r.data[r.pos]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return
		}
		r.pos++
	}
}
