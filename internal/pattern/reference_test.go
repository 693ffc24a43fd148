package pattern

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// The reference below is as naive as can be: it decodes everything, writes out every combination of alternatives, lists all leaves
// of the event with the elements they lie in, and tries every choice of leaves. Random patterns and events have to come out alike.

func TestAgreesWithReference(t *testing.T) {
	t.Parallel()
	matched := 0
	for seed := range uint64(10_000) {
		g := generator{rand.New(rand.NewPCG(seed, 7)), seed%4 == 0}
		pattern, event := g.pattern(), encode(t, g.object(3))
		p, err := ParseEvent(pattern)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, pattern, err)
		}
		e, ok := Decode(event)
		if !ok {
			t.Fatalf("seed %d: %s is no event", seed, event)
		}
		want := reference(t, pattern, event)
		if got := p.Match(e); got != want {
			t.Fatalf("seed %d: %s matches %s: %v, want %v", seed, pattern, event, got, want)
		}
		if want {
			matched++
		}
	}
	if matched < 1000 || matched > 9000 {
		t.Errorf("%d of 10000 events match: the test tells little", matched)
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// generator makes patterns and events that have a fair chance to fit.
type generator struct {
	*rand.Rand
	flat bool // names with periods in events, but no lists of objects
}

var names = []string{"a", "b", "a", "b", "c"}

func (g generator) leaf() any {
	return []any{"a", "a", "ab", "B", "", 1, 2.5, true, nil}[g.IntN(9)]
}

func (g generator) object(depth int) map[string]any {
	o := map[string]any{}
	for range 1 + g.IntN(3) {
		name := names[g.IntN(len(names))]
		if g.flat && depth > 1 && g.IntN(3) == 0 {
			name += "." + names[g.IntN(len(names))]
		}
		o[name] = g.value(depth - 1)
	}
	return o
}

func (g generator) value(depth int) any {
	switch n := g.IntN(6); {
	case n < 2 && depth > 0:
		return g.object(depth)
	case n == 2 && depth > 0 && !g.flat:
		list := make([]any, g.IntN(4))
		for i := range list {
			list[i] = g.value(depth)
		}
		return list
	case n == 3:
		return []any{g.leaf(), g.leaf()}
	default:
		return g.leaf()
	}
}

// pattern asks for up to three paths, none of which leads through another.
func (g generator) pattern() string {
	paths := map[string]bool{}
	for range 1 + g.IntN(3) {
		path := names[g.IntN(len(names))]
		for range g.IntN(2 + g.IntN(2)) {
			path += "." + names[g.IntN(len(names))]
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(paths)), func(other string) bool {
			return strings.HasPrefix(other+".", path+".") || strings.HasPrefix(path+".", other+".")
		}) {
			paths[path] = true
		}
	}
	sorted := slices.Sorted(maps.Keys(paths))
	if len(sorted) < 3 || g.IntN(2) == 0 {
		return "{" + g.fields(sorted) + "}"
	}
	or := `"$or": [{` + g.fields(sorted[:1]) + `}, {` + g.fields(sorted[1:2]) + `}]`
	return "{" + or + ", " + g.fields(sorted[2:]) + "}"
}

func (g generator) fields(paths []string) string {
	list := make([]string, len(paths))
	for i, path := range paths {
		steps := strings.Split(path, ".")
		if first := steps[0] + "."; g.IntN(3) == 0 || strings.Count(strings.Join(paths, "\n"), first) != strings.Count(path, first) {
			steps = []string{path} // written with periods: a name must not be there twice
		}
		text := "[" + g.condition() + strings.Repeat(", "+g.condition(), g.IntN(2)) + "]"
		for _, step := range slices.Backward(steps) {
			text = fmt.Sprintf("{%q: %s}", step, text)
		}
		list[i] = text[1 : len(text)-1]
	}
	return strings.Join(list, ", ")
}

func (g generator) condition() string {
	choices := []string{`"a"`, `"a"`, `"ab"`, `""`, `1`, `2.50`, `true`, `null`, `{"prefix": "a"}`, `{"suffix": "a"}`, `{"equals-ignore-case": "b"}`,
		`{"prefix": {"equals-ignore-case": "A"}}`, `{"suffix": {"equals-ignore-case": "A"}}`, `{"wildcard": "a*"}`, `{"anything-but": "a"}`,
		`{"anything-but": [1, 2]}`, `{"anything-but": {"prefix": "a"}}`, `{"numeric": [">", 1, "<=", 2.5]}`, `{"numeric": ["<", 2]}`,
		`{"exists": true}`, `{"exists": false}`, `{"exists": false}`}
	return choices[g.IntN(len(choices))]
}

func reference(t *testing.T, pattern string, event []byte) bool {
	t.Helper()
	leaves := map[string][]refLeaf{}
	collect(leaves, "", decode(t, event), map[int]int{}, new(int))
	for _, rule := range branches(decode(t, []byte(pattern)).(map[string]any), "") {
		paths := slices.Sorted(maps.Keys(rule))
		if try(rule, paths, leaves, nil) {
			return true
		}
	}
	return false
}

func decode(t *testing.T, text []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

type refLeaf struct {
	path  string
	value any
	in    map[int]int // element, by list
}

func (l refLeaf) agrees(other refLeaf) bool {
	for list, element := range l.in {
		if e, ok := other.in[list]; ok && e != element {
			return false
		}
	}
	return true
}

func collect(leaves map[string][]refLeaf, path string, v any, in map[int]int, lists *int) {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			collect(leaves, path+"."+name, member, in, lists)
		}
	case []any:
		*lists++
		id := *lists
		for i, element := range v {
			inside := maps.Clone(in)
			inside[id] = i
			collect(leaves, path, element, inside, lists)
		}
	default:
		leaves[path] = append(leaves[path], refLeaf{path, v, in})
	}
}

// branches lists the conditions by path, once for every combination of alternatives.
func branches(object map[string]any, path string) []map[string][]any {
	all := []map[string][]any{{}}
	for name, v := range object {
		var more []map[string][]any
		switch v := v.(type) {
		case map[string]any:
			more = branches(v, path+"."+name)
		case []any:
			if name != "$or" {
				more = []map[string][]any{{path + "." + name: v}}
				break
			}
			for _, alternative := range v {
				more = append(more, branches(alternative.(map[string]any), path)...)
			}
		}
		var product []map[string][]any
		for _, a := range all {
			for _, b := range more {
				both := maps.Clone(a)
				maps.Copy(both, b)
				product = append(product, both)
			}
		}
		all = product
	}
	return all
}

// try chooses a leaf for every path, or none where it may be missing, so that all lie in the same elements of the lists.
func try(rule map[string][]any, paths []string, leaves map[string][]refLeaf, chosen []refLeaf) bool {
	if len(paths) == 0 {
		for path, conditions := range rule { // whatever has no leaf among the chosen must have none there
			has := slices.ContainsFunc(chosen, func(c refLeaf) bool { return c.path == path })
			if !has && (!mayBeMissing(conditions) || slices.ContainsFunc(leaves[path], func(l refLeaf) bool {
				return !slices.ContainsFunc(chosen, func(c refLeaf) bool { return !l.agrees(c) })
			})) {
				return false
			}
		}
		return true
	}
	for _, l := range leaves[paths[0]] {
		fits := slices.ContainsFunc(rule[paths[0]], func(c any) bool { return meets(c, l.value) })
		if fits && !slices.ContainsFunc(chosen, func(c refLeaf) bool { return !l.agrees(c) }) &&
			try(rule, paths[1:], leaves, append(slices.Clone(chosen), l)) {
			return true
		}
	}
	return mayBeMissing(rule[paths[0]]) && try(rule, paths[1:], leaves, chosen)
}

func mayBeMissing(conditions []any) bool {
	return slices.ContainsFunc(conditions, func(c any) bool {
		o, ok := c.(map[string]any)
		return ok && o["exists"] == false
	})
}

func meets(condition, v any) bool {
	o, ok := condition.(map[string]any)
	if !ok {
		return condition == v
	}
	s, isText := v.(string)
	for name, operand := range o {
		if folded, ok := operand.(map[string]any); ok && name != "anything-but" {
			s, operand = strings.ToLower(s), strings.ToLower(folded["equals-ignore-case"].(string))
		}
		switch name {
		case "prefix":
			return isText && strings.HasPrefix(s, operand.(string))
		case "suffix":
			return isText && strings.HasSuffix(s, operand.(string))
		case "equals-ignore-case":
			return isText && strings.EqualFold(s, operand.(string))
		case "wildcard":
			return isText && strings.HasPrefix(s, strings.TrimSuffix(operand.(string), "*"))
		case "exists":
			return operand == true
		case "anything-but":
			switch operand := operand.(type) {
			case []any:
				return !slices.Contains(operand, v)
			case map[string]any:
				return !meets(operand, v)
			default:
				return operand != v
			}
		case "numeric":
			f, ok := v.(float64)
			terms := operand.([]any)
			for i := 0; i < len(terms) && ok; i += 2 {
				limit := terms[i+1].(float64)
				ok = map[any]bool{"<": f < limit, "<=": f <= limit, ">": f > limit}[terms[i]]
			}
			return ok
		}
	}
	panic("unknown comparison")
}
