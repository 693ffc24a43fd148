package awsapitest

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Model is what a table says about an API, in the terms of AWS's service models, for comparison with those. It is read from the
// tags that bind and check requests, and so cannot say anything else than what happens.
type Model map[string]Operation

// Operation is one operation of a Model.
type Operation struct {
	Method string   `json:"method"`
	Path   string   `json:"path"`
	Errors []string `json:"errors"` // sorted
	Input  *Shape   `json:"input"`
	Output *Shape   `json:"output"`
}

// Shape is a value.
type Shape struct {
	Type      string            `json:"type"` // structure, list, map, string, blob, integer, boolean, timestamp
	Members   map[string]Member `json:"members,omitempty"`
	Element   *Shape            `json:"element,omitempty"` // of lists and maps
	Sensitive bool              `json:"sensitive,omitempty"`
	Min       *int64            `json:"min,omitempty"`
	Max       *int64            `json:"max,omitempty"`
	Pattern   string            `json:"pattern,omitempty"`
	Enum      []string          `json:"enum,omitempty"`
}

// Member is a member of a structure.
type Member struct {
	*Shape
	Where    string `json:"where"` // body or query
	Required bool   `json:"required,omitempty"`
}

// Describe returns the model of a service whose protocol is restJson.
func Describe(s awsapi.Service) Model {
	m := Model{}
	for _, op := range s.Operations {
		in, out := op.Do.Types()
		o := Operation{Method: op.Method, Path: op.Path, Input: shapeOf(in, ""), Output: shapeOf(out, "")}
		for _, kind := range append([]fault.Kind{fault.Validation, fault.AccessDenied, fault.Throttled, fault.Internal}, op.Errors...) {
			o.Errors = append(o.Errors, s.Codes[kind].Name)
		}
		slices.Sort(o.Errors)
		o.Errors = slices.Compact(o.Errors)
		m[op.Name] = o
	}
	return m
}

func shapeOf(t reflect.Type, tag reflect.StructTag) *Shape {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	s := &Shape{Sensitive: tag.Get("sensitive") == "true"}
	switch {
	case t == reflect.TypeFor[restjson.Time](), t == reflect.TypeFor[time.Time]():
		s.Type = "timestamp"
	case t.Kind() == reflect.String:
		s.Type = "string"
	case t.Kind() == reflect.Bool:
		s.Type = "boolean"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Float64:
		s.Type = "integer"
	case t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		s.Type = "blob"
	case t.Kind() == reflect.Slice:
		s.Type, s.Element = "list", shapeOf(t.Elem(), each(tag))
	case t.Kind() == reflect.Map:
		s.Type, s.Element = "map", shapeOf(t.Elem(), each(tag))
	case t.Kind() == reflect.Struct:
		s.Type, s.Members = "structure", membersOf(t)
	default:
		s.Type = t.String()
	}
	s.constrain(tag)
	return s
}

// each is what a container's tag says about its elements.
func each(tag reflect.StructTag) reflect.StructTag {
	own, within, _ := strings.Cut(tag.Get("each"), "/")
	return reflect.StructTag(`len:"` + own + `" each:"` + within + `"`)
}

func (s *Shape) constrain(tag reflect.StructTag) {
	bounds := tag.Get("range") + tag.Get("len")
	low, high, _ := strings.Cut(bounds, "..")
	for to, text := range map[**int64]string{&s.Min: low, &s.Max: high} {
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			*to = &n
		}
	}
	s.Pattern = tag.Get("pattern")
	if words := tag.Get("enum"); words != "" {
		s.Enum = strings.Split(words, "|")
	}
}

func membersOf(t reflect.Type) map[string]Member {
	members := map[string]Member{}
	for i := range t.NumField() {
		f := t.Field(i)
		m := Member{Where: "body", Required: f.Tag.Get("required") == "true"}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if query := f.Tag.Get("query"); query != "" {
			name, m.Where = query, "query"
		}
		switch {
		case f.Anonymous && name == "":
			for inner, member := range membersOf(f.Type) {
				members[inner] = member
			}
		case name != "" && name != "-":
			m.Shape = shapeOf(f.Type, f.Tag)
			members[name] = m
		}
	}
	return members
}
