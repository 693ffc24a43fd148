package query

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
)

// Bounds on a form, far above what any operation needs.
const (
	maxParameters = 4096
	maxDepth      = 12
)

// problem says why a form cannot be understood, in words for its sender.
type problem string

func (p problem) Error() string { return string(p) }

// node is a parameter, or the common start of several: "Tags" of "Tags.member.1.Key".
type node struct {
	value    string
	children map[string]*node
}

// Decode binds the form: the body, or the query string of a GET request.
func (p Protocol) Decode(r *http.Request, body []byte, in *shape.Struct, v reflect.Value, c *shape.Checker) error {
	form := r.URL.RawQuery
	if r.Method != http.MethodGet {
		form = string(body)
	}
	root, err := parse(form)
	if err == nil {
		err = structure(root, in, v, c)
	}
	if err != nil {
		return &awsapi.Error{Code: p.Unreadable(), Message: err.Error()}
	}
	return nil
}

func parse(form string) (*node, error) {
	root := new(node)
	for n := 0; len(form) > 0; n++ {
		if n == maxParameters {
			return nil, problem("The form has too many parameters.")
		}
		var pair string
		pair, form, _ = strings.Cut(form, "&")
		escapedName, escaped, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(escapedName)
		value, errValue := url.QueryUnescape(escaped)
		if errName != nil || errValue != nil || !utf8.ValidString(name) || !utf8.ValidString(value) {
			return nil, problem("The form is not properly escaped.")
		}
		at := root
		for depth, more := 0, true; more; depth++ {
			if depth == maxDepth {
				return nil, problem("The form nests too deep.")
			}
			var part string
			part, name, more = strings.Cut(name, ".")
			at = at.child(part)
		}
		at.value = value
	}
	return root, nil
}

func (n *node) child(name string) *node {
	if c := n.children[name]; c != nil {
		return c
	}
	if n.children == nil {
		n.children = make(map[string]*node)
	}
	c := new(node)
	n.children[name] = c
	return c
}

// items returns the children that have a number for a name, in order, below a child called in between if there is one.
func (n *node) items(between string) []*node {
	if inner := n.children[between]; inner != nil {
		n = inner
	}
	type numbered struct {
		number int
		*node
	}
	var found []numbered
	for name, child := range n.children {
		if number, err := strconv.Atoi(name); err == nil && number > 0 {
			found = append(found, numbered{number, child})
		}
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	items := make([]*node, len(found))
	for i := range found {
		items[i] = found[i].node
	}
	return items
}

func structure(n *node, s *shape.Struct, v reflect.Value, c *shape.Checker) error {
	var seen shape.Seen
	for i := range s.Members {
		m := &s.Members[i]
		child := n.children[m.Name]
		if child == nil || m.Where != shape.Form {
			continue
		}
		seen.Add(i)
		c.Enter(m.Label)
		err := bind(child, m.Shape, v.Field(m.Index), c)
		c.Leave()
		if err != nil {
			return err
		}
	}
	c.Struct(s, v, seen)
	return nil
}

func bind(n *node, s *shape.Shape, v reflect.Value, c *shape.Checker) error {
	if s.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch s.Kind {
	case shape.String:
		v.SetString(n.value)
	case shape.Blob:
		b, err := base64.StdEncoding.DecodeString(n.value)
		if err != nil {
			return problem("A binary value is not valid base64.")
		}
		v.SetBytes(b)
	case shape.Bool:
		b, err := strconv.ParseBool(n.value)
		if err != nil {
			return problem("A boolean value must be true or false.")
		}
		v.SetBool(b)
	case shape.Int:
		i, err := strconv.ParseInt(n.value, 10, 64)
		if err != nil || v.OverflowInt(i) {
			return problem("A number is not an integer, or is out of range.")
		}
		v.SetInt(i)
	case shape.List:
		return list(n.items("member"), s, v, c)
	case shape.Map:
		return entries(n.items("entry"), s, v, c)
	case shape.Structure:
		return structure(n, s.Struct, v, c)
	}
	return nil
}

func list(items []*node, s *shape.Shape, v reflect.Value, c *shape.Checker) error {
	v.Set(reflect.MakeSlice(v.Type(), len(items), len(items)))
	for i, item := range items {
		c.EnterItem(i)
		err := bind(item, s.Elem, v.Index(i), c)
		c.Leave()
		if err != nil {
			return err
		}
	}
	return nil
}

func entries(items []*node, s *shape.Shape, v reflect.Value, c *shape.Checker) error {
	v.Set(reflect.MakeMapWithSize(v.Type(), len(items)))
	for _, item := range items {
		key := cmp.Or(item.children["key"], item.children["Name"])
		value := cmp.Or(item.children["value"], item.children["Value"])
		if key == nil || value == nil {
			return problem("An entry of a map needs a key and a value.")
		}
		element := reflect.New(v.Type().Elem()).Elem()
		c.Enter(key.value)
		err := bind(value, s.Elem, element, c)
		c.Leave()
		if err != nil {
			return err
		}
		v.SetMapIndex(reflect.ValueOf(key.value).Convert(v.Type().Key()), element)
	}
	return nil
}
