package pattern

import (
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// rule is what one combination of alternatives asks for, by path.
type rule []*field

// field is what is asked of the values at a path. Rules that come from one place of the pattern share it.
type field struct {
	path   string // with a period before every step
	tests  []test // one of which a leaf has to meet
	absent bool   // it is fine if there is no leaf
}

var errTooDeep = complaint("Pattern is nested too deeply")

// compile turns the text of a pattern into a rule for every combination of alternatives, as AWS does, and rules into trees.
// Conditions on one list that stand in different places of the pattern so end up in one rule, and have to be met by one element.
func (d *dialect) compile(root rawjson.Value) (*Pattern, error) {
	if !root.IsObject() {
		return nil, complain("Filter is not an object")
	}
	all, err := d.object([]rule{nil}, "", root)
	if err != nil {
		return nil, err
	}
	p := &Pattern{}
	for some := range slices.Chunk(all, treeRules) {
		tree := &node{}
		for i, r := range some {
			for _, f := range r {
				tree.grow(f.path[1:]).add(f, 1<<i)
			}
		}
		tree.settle(^ruleSet(0) >> (treeRules - len(some)))
		p.trees = append(p.trees, tree)
	}
	return p, nil
}

// object adds what an object asks for to every rule.
func (d *dialect) object(rules []rule, path string, v rawjson.Value) ([]rule, error) {
	if v.Length() == 0 {
		return nil, complain("Empty objects are not allowed")
	}
	for name, member := range v.Members() {
		var err error
		switch at := path + "." + string(name); {
		case isOr(string(name), member):
			rules, err = d.alternatives(rules, path, member)
		case member.IsObject():
			rules, err = d.object(rules, at, member)
		case member.IsArray():
			err = d.values(rules, at, member)
		default:
			err = complain("%q must be an object or an array", name)
		}
		if err != nil {
			return nil, err
		}
	}
	return rules, nil
}

// alternatives continues every rule with each of the alternatives.
func (d *dialect) alternatives(rules []rule, path string, list rawjson.Value) (all []rule, err error) {
	for _, alternative := range list.Elements() {
		branch := make([]rule, len(rules))
		for i, r := range rules {
			branch[i] = slices.Clip(r) // what is appended must not reach the other branches
		}
		if branch, err = d.object(branch, path, alternative); err != nil {
			return nil, err
		}
		if all = append(all, branch...); len(all) > d.combinations {
			return nil, complain("Total number of $or combinations must be at most %d", d.combinations)
		}
	}
	return all, nil
}

// reserved are the names that are no fields where alternatives are listed. The later ones are set aside by AWS.
var reserved = []string{"exactly", "prefix", "suffix", "equals-ignore-case", "anything-but", "exists", "wildcard", "numeric", "cidr", "=", "<", "<=",
	">", ">=", "regex", "not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after", "date-before", "date-on-or-before",
	"in-date-range", "ip-address-in-range", "ip-address-not-in-range"}

// isOr reports whether a member lists alternatives: it does with two objects or more, none of which is a comparison. Everything
// else of that name is a field of the event.
func isOr(name string, v rawjson.Value) bool {
	if name != "$or" || v.Length() < 2 || !v.IsArray() {
		return false
	}
	for _, alternative := range v.Elements() {
		if !alternative.IsObject() {
			return false
		}
		for name := range alternative.Members() {
			if slices.Contains(reserved, string(name)) {
				return false
			}
		}
	}
	return true
}

// values adds the list of what a field may be to every rule.
func (d *dialect) values(rules []rule, path string, list rawjson.Value) error {
	if strings.Count(path, ".") > maxNesting { // periods are steps, too
		return errTooDeep
	}
	f := &field{path: path}
	var exact exactValues
	for _, v := range list.Elements() {
		var t test
		var err error
		switch {
		case v.IsObject():
			t, err = d.comparison(v)
		case v.IsArray():
			err = complain("Match value must be String, number, true, false, or null")
		default:
			t = d.exact(v)
		}
		if err != nil {
			return err
		}
		if t == nil {
			f.absent = true
		} else if !exact.add(t) {
			f.tests = append(f.tests, t)
		}
	}
	f.tests = append(exact.tests(), f.tests...)
	if len(f.tests) == 0 && !f.absent {
		return complain("Empty arrays are not allowed")
	}
	for i, r := range rules {
		if slices.ContainsFunc(r, func(other *field) bool { return other.path == path }) {
			return complain("Path `%s` cannot be allowed multiple times", path[1:])
		}
		rules[i] = append(r, f)
	}
	return nil
}

// exact is the test for a value that is neither an object nor a list.
func (d *dialect) exact(v rawjson.Value) test {
	switch l := newLeaf(v); l.kind {
	case text:
		return exactText(l.chars)
	case digits:
		return d.numbers.exact(string(l.chars))
	default:
		return exactWord(l.chars)
	}
}

// exactValues are texts and numbers, one of which has to be met. Many of them are looked up instead of being tried one by one.
type exactValues struct {
	texts   []exactText
	numbers []exactNumber
}

// add keeps a test that is for such a value.
func (e *exactValues) add(t test) bool {
	switch t := t.(type) {
	case exactText:
		e.texts = append(e.texts, t)
	case exactNumber:
		e.numbers = append(e.numbers, t)
	default:
		return false
	}
	return true
}

func (e *exactValues) tests() (tests []test) {
	const few = 8
	if len(e.texts) > few {
		set := make(oneText, len(e.texts))
		for _, s := range e.texts {
			set[string(s)] = struct{}{}
		}
		tests = append(tests, set)
	} else {
		for _, s := range e.texts {
			tests = append(tests, s)
		}
	}
	var set oneNumber
	if len(e.numbers) > few {
		set = oneNumber{make(map[int64]struct{}, len(e.numbers)), e.numbers[0].numbers}
		tests = append(tests, set)
	}
	for _, n := range e.numbers {
		if n.comparable && set.units != nil {
			set.units[n.units] = struct{}{}
		} else {
			tests = append(tests, n)
		}
	}
	return tests
}
