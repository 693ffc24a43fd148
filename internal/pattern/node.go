package pattern

import (
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// node is a step of a rule: what is asked of the value at one path of the event, and of what lies below it.
type node struct {
	name     string
	tests    []test // one of which a leaf here has to meet; nil asks for nothing
	asked    bool   // something is asked of the value itself
	absent   bool   // it is fine if there is no leaf here
	children []*node
	optional bool // it is fine if there is no leaf here and nowhere below
}

// outcome is what a part of the event is to a node.
type outcome uint8

const (
	unmet  outcome = iota // something that is asked for is missing or different
	silent                // there is no leaf, and there need not be one
	met                   // leaves are as asked for, and what is missing may be
)

// and joins the outcomes of two parts that both have to be fine.
func (o outcome) and(other outcome) outcome {
	if o == unmet || other == unmet {
		return unmet
	}
	return max(o, other)
}

func unless(fine bool) outcome {
	if fine {
		return silent
	}
	return unmet
}

// maxLists is how deep lists may lie directly in lists. What lies deeper is not looked at: walking it would cost the square of
// its depth.
const maxLists = 32

// match compares the value at the node's path. lists counts the lists around it.
func (n *node) match(v rawjson.Value, lists int) outcome {
	own, below := silent, silent
	if n.asked {
		own = n.value(v, lists)
	}
	if own != unmet && len(n.children) > 0 {
		below = n.below(v, lists)
	}
	return own.and(below)
}

// value compares the leaf at the node's path, or the leaves, if it is a list.
func (n *node) value(v rawjson.Value, lists int) outcome {
	switch found, fits := n.leaves(v, lists); {
	case fits:
		return met
	case found:
		return unmet
	default:
		return unless(n.absent)
	}
}

// leaves looks for a leaf that meets a test.
func (n *node) leaves(v rawjson.Value, lists int) (found, fits bool) {
	switch {
	case v.IsObject():
		return false, false
	case !v.IsArray():
		return true, n.accepts(newLeaf(v))
	case lists == maxLists:
		return false, false
	}
	for _, element := range v.Elements() {
		f, ok := n.leaves(element, lists+1)
		if ok {
			return true, true
		}
		found = found || f
	}
	return found, false
}

func (n *node) accepts(l leaf) bool {
	for _, t := range n.tests {
		if t.meets(l) {
			return true
		}
	}
	return false
}

// below compares what lies below the node's path. In a list, one element has to fit.
func (n *node) below(v rawjson.Value, lists int) outcome {
	switch {
	case v.IsObject():
		return n.members(v)
	case !v.IsArray() || lists == maxLists:
		return unless(n.childrenOptional())
	}
	all := unless(n.childrenOptional())
	for _, element := range v.Elements() {
		o := n.below(element, lists+1)
		if o == met {
			return met
		}
		all = min(all, o)
	}
	return all
}

func (n *node) childrenOptional() bool {
	for _, c := range n.children {
		if !c.optional {
			return false
		}
	}
	return true
}

// members compares an object's members with the node's children. The usual object has one member a child, whose name is the
// child's; repeated names and names with periods take the longer way.
func (n *node) members(v rawjson.Value) outcome {
	var buffer [8]seen
	children := buffer[:0]
	if len(n.children) > len(buffer) {
		children = make([]seen, 0, len(n.children))
	}
	children = children[:len(n.children)]
	for name, member := range v.Members() {
		for i, c := range n.children {
			if string(name) == c.name {
				children[i] = seen{member, children[i].times + 1}
			} else if reaches(name, c.name) {
				children[i].times = many
			}
		}
	}
	result := silent
	for i, c := range n.children {
		var o outcome
		switch children[i].times {
		case 0:
			o = unless(c.optional)
		case 1:
			o = c.match(children[i].value, 0)
		default:
			o = c.scattered(descend([]part{{value: v}}, c.name))
		}
		if result = result.and(o); result == unmet {
			return unmet
		}
	}
	return result
}

// seen is the member of an object that a child asks for.
type seen struct {
	value rawjson.Value
	times int // how often the object has it; many if a name with periods leads there
}

const many = 2

// reaches reports whether a name with periods leads to or below a step.
func reaches(name []byte, step string) bool {
	return len(name) > len(step) && name[len(step)] == '.' && string(name[:len(step)]) == step
}

// part is a value that lies below a path: rest is the remainder of a name with periods, nil for none.
type part struct {
	rest  []byte
	value rawjson.Value
}

// descend finds the parts of values that lie one step down, through any lists.
func descend(parts []part, step string) (found []part) {
	for _, p := range parts {
		if p.rest == nil {
			found = appendMembers(found, p.value, step, 0)
		} else {
			found = appendPart(found, p.rest, p.value, step)
		}
	}
	return found
}

func appendMembers(found []part, v rawjson.Value, step string, lists int) []part {
	if v.IsArray() && lists < maxLists {
		for _, element := range v.Elements() {
			found = appendMembers(found, element, step, lists+1)
		}
	}
	for name, member := range v.Members() {
		found = appendPart(found, name, member, step)
	}
	return found
}

func appendPart(found []part, name []byte, v rawjson.Value, step string) []part {
	switch {
	case string(name) == step:
		return append(found, part{value: v})
	case reaches(name, step):
		return append(found, part{rest: name[len(step)+1:], value: v})
	}
	return found
}

// scattered is match for what lies at a path in several parts. Every condition may be met by another part.
func (n *node) scattered(parts []part) outcome {
	result := silent
	if n.asked {
		found, fits := false, false
		for _, p := range parts {
			if p.rest == nil && !fits {
				f, ok := n.leaves(p.value, 0)
				found, fits = found || f, ok
			}
		}
		switch {
		case fits:
			result = met
		case found:
			return unmet
		default:
			result = unless(n.absent)
		}
	}
	for _, c := range n.children {
		if result == unmet {
			break
		}
		result = result.and(c.scattered(descend(parts, c.name)))
	}
	return result
}

// grow returns the node at a path below n, and makes what is missing.
func (n *node) grow(path string) *node {
	step, rest, more := strings.Cut(path, ".")
	var child *node
	for _, c := range n.children {
		if c.name == step {
			child = c
		}
	}
	if child == nil {
		child = &node{name: step}
		n.children = append(n.children, child)
	}
	if more {
		return child.grow(rest)
	}
	return child
}

// settle works out which nodes may be missing.
func (n *node) settle() {
	n.optional = n.absent || !n.asked
	for _, c := range n.children {
		c.settle()
		n.optional = n.optional && c.optional
	}
}
