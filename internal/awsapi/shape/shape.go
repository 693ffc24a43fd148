// Package shape describes the Go structs of an API's inputs: which members they have on the wire and which constraints the
// API's model puts on them.
//
// A description is computed once, when the server starts, and walked for every request: protocols follow it to bind what they
// parsed, and a Checker follows it to say everything that is wrong in one answer. Outputs need no description; the standard
// encoders know them.
//
// A member is a struct field with one of these tags, whose value is the name on the wire:
//
//	json:"name"   in a JSON body
//	query:"name"  in the query string
//	form:"name"   in a form (the query protocol)
//
// and any of these:
//
//	required:"true"       may not be absent or null
//	len:"1..128"          characters of a string, bytes of a blob, items of a list or map; either end may be missing
//	range:"1..100"        of a number
//	pattern:"[a-z]+"      that the whole string matches, as the model prints it
//	match:"[a-z.]+"       the pattern to really use, where we accept more than the model says
//	enum:"A|B"            the only values of a string
//	each:"1..128"         length of each item of a list or value of a map; "0..10/1..100" is also that of what is in each
//	sensitive:"true"      the value is never repeated, not even to its sender
package shape

import (
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Kind is what a value looks like on the wire.
type Kind uint8

const (
	String Kind = iota + 1
	Int
	Bool
	Blob
	List
	Map // string to string
	Structure
	Time
)

// Where is the part of a request that holds a member.
type Where uint8

const (
	Body Where = iota + 1
	Query
	Form
)

// Shape is the form of one value.
type Shape struct {
	Kind      Kind
	Pointer   bool    // the Go value is a pointer to it, nil when absent
	Elem      *Shape  // of a List or Map
	Struct    *Struct // of a Structure
	Sensitive bool

	min, max       int64
	hasMin, hasMax bool
	pattern        string
	match          *regexp.Regexp
	enum           []string
}

// Member is one field of a Struct.
type Member struct {
	Name     string
	Label    string // how complaints call it: as AWS's do, its name with a small first letter
	Where    Where
	Index    int // of the Go field
	Required bool
	Shape    *Shape
}

// Struct is the form of an input or of a structure within one. It has at most 64 members.
type Struct struct {
	Type    reflect.Type
	Members []Member
	byName  map[string]int
}

// Find returns the position of a member. The name may be bytes of the request: looking it up copies nothing.
func (s *Struct) Find(name []byte) (int, bool) {
	i, ok := s.byName[string(name)]
	return i, ok
}

// Seen is the set of members that a request holds, by position.
type Seen uint64

// Add puts a member into the set.
func (s *Seen) Add(member int) { *s |= 1 << member }

// Has reports whether a member is in the set.
func (s Seen) Has(member int) bool { return s&(1<<member) != 0 }

// Of describes a struct type. An error is a mistake in the type's tags.
func Of(t reflect.Type) (*Struct, error) { return describe(t, 0) }

// maxNesting is far beyond any API's; it stops types that contain themselves.
const maxNesting = 16

func describe(t reflect.Type, depth int) (*Struct, error) {
	if t.Kind() != reflect.Struct || depth > maxNesting {
		return nil, fmt.Errorf("%v is not a struct, or nests too deep", t)
	}
	s := &Struct{Type: t, byName: make(map[string]int)}
	for i := range t.NumField() {
		field := t.Field(i)
		m := Member{Index: i, Required: field.Tag.Get("required") == "true"}
		switch {
		case field.Tag.Get("json") != "":
			m.Name, _, _ = strings.Cut(field.Tag.Get("json"), ",") // options are for outputs of the same type
			m.Where = Body
		case field.Tag.Get("query") != "":
			m.Name, m.Where = field.Tag.Get("query"), Query
		case field.Tag.Get("form") != "":
			m.Name, m.Where = field.Tag.Get("form"), Form
		default:
			continue
		}
		m.Label = strings.ToLower(m.Name[:1]) + m.Name[1:]
		var err error
		if m.Shape, err = of(field.Type, field.Tag, depth); err != nil {
			return nil, fmt.Errorf("%v.%s: %w", t, field.Name, err)
		}
		if _, twice := s.byName[m.Name]; twice || len(s.Members) == 64 {
			return nil, fmt.Errorf("%v.%s: the name is taken, or there are more than 64 members", t, field.Name)
		}
		s.byName[m.Name] = len(s.Members)
		s.Members = append(s.Members, m)
	}
	return s, nil
}

func of(t reflect.Type, tag reflect.StructTag, depth int) (*Shape, error) {
	s := &Shape{Sensitive: tag.Get("sensitive") == "true"}
	if t.Kind() == reflect.Pointer {
		s.Pointer, t = true, t.Elem()
	}
	var err error
	switch {
	case t.Kind() == reflect.String:
		s.Kind = String
	case t.Kind() == reflect.Bool:
		s.Kind = Bool
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int32 || t.Kind() == reflect.Int64:
		s.Kind = Int
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		s.Kind = Blob
	case t.Kind() == reflect.Slice:
		s.Kind = List
		s.Elem, err = of(t.Elem(), eachTag(tag), depth+1)
	case t.Kind() == reflect.Map && t.Key().Kind() == reflect.String:
		s.Kind = Map
		s.Elem, err = of(t.Elem(), eachTag(tag), depth+1)
	case t == reflect.TypeFor[time.Time]():
		s.Kind = Time
	case t.Kind() == reflect.Struct:
		s.Kind = Structure
		s.Struct, err = describe(t, depth+1)
	default:
		err = fmt.Errorf("type %v has no form on the wire", t)
	}
	if err != nil {
		return nil, err
	}
	return s, s.constrain(tag)
}

// eachTag turns what a container says about its items into the items' own tag.
func eachTag(tag reflect.StructTag) reflect.StructTag {
	var own string
	if each, within, _ := strings.Cut(tag.Get("each"), "/"); each != "" {
		own += `len:"` + each + `" each:"` + within + `" `
	}
	return reflect.StructTag(own + `sensitive:"` + tag.Get("sensitive") + `"`)
}

func (s *Shape) constrain(tag reflect.StructTag) (err error) {
	bounds := tag.Get("len")
	if r := tag.Get("range"); r != "" {
		bounds = r
	}
	if bounds != "" {
		low, high, _ := strings.Cut(bounds, "..")
		if s.hasMin = low != ""; s.hasMin {
			if s.min, err = strconv.ParseInt(low, 10, 64); err != nil {
				return err
			}
		}
		if s.hasMax = high != ""; s.hasMax {
			if s.max, err = strconv.ParseInt(high, 10, 64); err != nil {
				return err
			}
		}
	}
	if s.pattern = tag.Get("pattern"); s.pattern != "" {
		match := tag.Get("match")
		if match == "" {
			match = s.pattern
		}
		if s.match, err = regexp.Compile("^(?:" + match + ")$"); err != nil {
			return err
		}
	}
	if enum := tag.Get("enum"); enum != "" {
		s.enum = strings.Split(enum, "|")
	}
	return nil
}
