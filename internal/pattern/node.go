package pattern

import (
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// ruleSet is a set of rules of one tree: a bit for each.
type ruleSet uint64

// treeRules is how many rules a tree can have. One walk along an event serves them all.
const treeRules = 64

// node is a step of some rules: what is asked of the value at one path of the event, and of what lies below it.
type node struct {
	name     string
	asks     []ask
	children []*node

	all      ruleSet // of the tree
	asked    ruleSet // those that ask something of the value itself
	absent   ruleSet // those for which it is fine if there is no leaf here
	optional ruleSet // those for which it is fine if there is no leaf here and nowhere below
	below    ruleSet // those for which it is fine if there is no leaf below
}

// ask is what rules ask of a value.
type ask struct {
	*field
	of ruleSet
}

// outcome is what a part of the event is to the rules of a node. For those in neither set there is no leaf, and there need not be one.
type outcome struct {
	unmet ruleSet // something that is asked for is missing or different
	met   ruleSet // leaves are as asked for, and what is missing may be
}

// and joins the outcomes of two parts that both have to be fine.
func (o outcome) and(other outcome) outcome {
	unmet := o.unmet | other.unmet
	return outcome{unmet, (o.met | other.met) &^ unmet}
}

// maxLists is how deep lists may lie directly in lists. What lies deeper is not looked at: walking it would cost the square of
// its depth.
const maxLists = 32

// match compares the value at the node's path. lists counts the lists around it.
func (n *node) match(v rawjson.Value, lists int) outcome {
	var result outcome
	if n.asked != 0 {
		result = n.value(n.leaves(v, lists))
	}
	if result.unmet != n.all && len(n.children) > 0 {
		result = result.and(n.inside(v, lists))
	}
	return result
}

// value tells what the leaves at the node's path are to its rules: whether there are any, and for which rules one is as asked.
func (n *node) value(found bool, fits ruleSet) outcome {
	if found {
		return outcome{n.asked &^ fits, fits}
	}
	return outcome{unmet: n.asked &^ n.absent}
}

// leaves looks for leaves, one or a list of them, that meet a test.
func (n *node) leaves(v rawjson.Value, lists int) (found bool, fits ruleSet) {
	switch {
	case v.IsObject():
		return false, 0
	case !v.IsArray():
		return true, n.accept(newLeaf(v))
	case lists == maxLists:
		return false, 0
	}
	for _, element := range v.Elements() {
		f, ok := n.leaves(element, lists+1)
		found, fits = found || f, fits|ok
		if fits == n.asked {
			break
		}
	}
	return found, fits
}

// accept returns the rules of which a leaf meets a test.
func (n *node) accept(l leaf) (fits ruleSet) {
	for i := range n.asks {
		for _, t := range n.asks[i].tests {
			if t.meets(l) {
				fits |= n.asks[i].of
				break
			}
		}
	}
	return fits
}

// inside compares what lies below the node's path. In a list, one element has to fit.
func (n *node) inside(v rawjson.Value, lists int) outcome {
	if v.IsObject() {
		return n.members(v)
	}
	result := outcome{unmet: n.all &^ n.below}
	if !v.IsArray() || lists == maxLists {
		return result
	}
	for _, element := range v.Elements() {
		o := n.inside(element, lists+1)
		result.unmet |= o.unmet
		if result.met |= o.met; result.met == n.all {
			break
		}
	}
	result.unmet &^= result.met
	return result
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
	var result outcome
	for i, c := range n.children {
		var o outcome
		switch children[i].times {
		case 0:
			o.unmet = c.all &^ c.optional
		case 1:
			o = c.match(children[i].value, 0)
		default:
			o = c.scattered(descend([]part{{value: v}}, c.name))
		}
		if result = result.and(o); result.unmet == n.all {
			break
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
func (n *node) scattered(parts []part) (result outcome) {
	if n.asked != 0 {
		found, fits := false, ruleSet(0)
		for _, p := range parts {
			if p.rest == nil && fits != n.asked {
				f, ok := n.leaves(p.value, 0)
				found, fits = found || f, fits|ok
			}
		}
		result = n.value(found, fits)
	}
	for _, c := range n.children {
		if result.unmet == n.all {
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

// add makes a rule ask something of the values at the node's path.
func (n *node) add(f *field, rule ruleSet) {
	for i := range n.asks {
		if n.asks[i].field == f {
			n.asks[i].of |= rule
			return
		}
	}
	n.asks = append(n.asks, ask{f, rule})
}

// settle works out what is fine for whom in a tree of so many rules.
func (n *node) settle(all ruleSet) {
	n.all, n.below = all, all
	for i := range n.asks {
		n.asked |= n.asks[i].of
		if n.asks[i].absent {
			n.absent |= n.asks[i].of
		}
	}
	for _, c := range n.children {
		c.settle(all)
		n.below &= c.optional
	}
	n.optional = (all&^n.asked | n.absent) & n.below
}
