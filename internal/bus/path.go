package bus

import (
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// path is the part of JSONPath that EventBridge has: from the root down by names, indices and wildcards.
type path []step

// step goes down one level: to a member, to an element, or to all of them.
type step struct {
	name  string
	index int // -1: by name
	all   bool
}

// parsePath reads $.detail.items[0].name, $.detail['a name'], $.detail.items[*].name.
func parsePath(s string) (path, bool) {
	rest, ok := strings.CutPrefix(s, "$")
	if !ok {
		return nil, false
	}
	var p path
	for rest != "" {
		var st step
		switch rest[0] {
		case '.':
			rest = rest[1:]
			end := strings.IndexAny(rest, ".[")
			if end < 0 {
				end = len(rest)
			}
			st = step{name: rest[:end], index: -1, all: rest[:end] == "*"}
			rest = rest[end:]
			if st.name == "" {
				return nil, false
			}
		case '[':
			if st, rest, ok = parseBracket(rest[1:]); !ok {
				return nil, false
			}
		default:
			return nil, false
		}
		p = append(p, st)
	}
	return p, true
}

// parseBracket reads what follows an opening bracket: an index, a star, or a name in quotation marks.
func parseBracket(s string) (st step, rest string, ok bool) {
	if s != "" && (s[0] == '\'' || s[0] == '"') {
		name, rest, ok := strings.Cut(s[1:], s[:1]+"]")
		return step{name: name, index: -1}, rest, ok && name != ""
	}
	inner, rest, ok := strings.Cut(s, "]")
	if inner == "*" {
		return step{index: -1, all: true}, rest, ok
	}
	n, err := strconv.ParseUint(inner, 10, 31)
	return step{index: int(n)}, rest, ok && err == nil
}

// find returns the value that a path leads to, nil when there is none. With a wildcard it is the list of all that match.
func (p path) find(v rawjson.Value) rawjson.Value {
	for i, st := range p {
		switch {
		case st.all:
			return p[i+1:].collect(v)
		case st.index < 0:
			v = v.Get(st.name)
		default:
			v = element(v, st.index)
		}
		if v == nil {
			return nil
		}
	}
	return v
}

// collect makes a list of what a path finds in every member or element of a value.
func (p path) collect(v rawjson.Value) rawjson.Value {
	list := []byte{'['}
	add := func(found rawjson.Value) {
		if found == nil {
			return
		}
		if len(list) > 1 {
			list = append(list, ',')
		}
		list = append(list, found...)
	}
	for _, element := range v.Elements() {
		add(p.find(element))
	}
	for _, member := range v.Members() {
		add(p.find(member))
	}
	return append(list, ']')
}

func element(v rawjson.Value, index int) rawjson.Value {
	for i, e := range v.Elements() {
		if i == index {
			return e
		}
	}
	return nil
}
