package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// text checks a text that may hold variables: its length, its braces and how its variables are written.
func (l *linter) text(v value, limit, code int) (found scanned) {
	s := v.str()
	switch {
	case v.v == nil || v.isString() && strings.TrimSpace(s) == "":
		l.refuse(v, code, "is required", "write a text")
		return found
	case !v.isString():
		l.refuse(v, code, "must be a string", "write a text")
		return found
	}
	if n := length(s); n > limit {
		l.refuse(v, codeTooLong, fmt.Sprintf("has %d characters, %d more than the %d allowed", n, n-limit, limit), "shorten it")
	}
	found = scan(s)
	if found.unbalanced {
		l.refuse(v, code, "has curly braces that do not match", "write variables as {{1}}, with two braces on either side")
	}
	if found.single {
		l.doubt(v, code, "has what looks like a variable in single braces", "write variables as {{1}}, with two braces on either side")
	}
	l.variables(v, found, code)
	return found
}

// variables checks how variables are written and, when they have numbers, that these start at 1 and leave none out.
func (l *linter) variables(v value, found scanned, code int) {
	numbers := true
	for _, one := range found.variables {
		name := one.name
		switch {
		case name == "":
			l.refuse(v, code, "has a variable without a number or name", "write {{1}}")
		case strings.ContainsAny(name, "#$%"):
			l.refuse(v, code, "has a special character (#, $ or %) in the variable {{"+name+"}}", "put it in front of the braces, as in ${{1}}")
		case l.format == Named && !goodName(name):
			l.refuse(v, code, "has the variable {{"+name+"}}, whose name has characters other than lower-case letters, digits and underscores",
				"rename it, as in {{"+suggestName(name)+"}}")
		case l.format == Named && one.number() > 0:
			l.doubt(v, code, "has the variable {{"+name+"}} although parameter_format is NAMED", "give it a name, or make parameter_format POSITIONAL")
		case l.format == Positional && one.number() == 0 && goodName(name):
			l.refuse(v, code, "has the variable {{"+name+"}}, but variables are numbered", "number it, or set parameter_format to NAMED")
		case l.format == Positional && one.number() == 0:
			l.refuse(v, code, "has the variable {{"+name+"}}, which is not a number", "number variables from {{1}} on")
		default:
			continue
		}
		numbers = false
	}
	if l.format == Positional && numbers {
		l.sequence(v, found, code)
	}
}

func (l *linter) sequence(v value, found scanned, code int) {
	var seen []int
	for _, one := range found.variables {
		if n := one.number(); !slices.Contains(seen, n) {
			seen = append(seen, n)
		}
	}
	sorted := slices.Sorted(slices.Values(seen))
	for i, n := range sorted {
		if n != i+1 {
			l.refuse(v, code, fmt.Sprintf("has no variable {{%d}}, but {{%d}}", i+1, n), "number variables from {{1}} on without gaps")
			return
		}
	}
	if !slices.Equal(seen, sorted) {
		l.doubt(v, code, "has variables out of order", "number them in the order in which they appear")
	}
}

// edges checks where variables stand: not first, not last, not side by side.
func (l *linter) edges(v value, found scanned) {
	s := v.str()
	if len(found.variables) == 0 {
		return
	}
	first, last := found.variables[0], found.variables[len(found.variables)-1]
	if strings.TrimSpace(s[:first.start]) == "" {
		l.refuse(v, codeEdge, "starts with a variable", "put words in front of it")
	}
	if strings.TrimSpace(s[last.end:]) == "" {
		l.refuse(v, codeEdge, "ends with a variable", "put words behind it")
	}
	for i := 1; i < len(found.variables); i++ {
		a, b := found.variables[i-1], found.variables[i]
		switch between := s[a.end:b.start]; {
		case between == "":
			l.refuse(v, codeEdge, "has the variables {{"+a.name+"}} and {{"+b.name+"}} side by side", "put words between them, or make them one")
		case strings.TrimSpace(between) == "":
			l.doubt(v, codeEdge, "has only space between {{"+a.name+"}} and {{"+b.name+"}}", "put words between them, or make them one")
		}
	}
}

// density compares the words of a text with its variables. Meta does not tell the ratio; a text with fewer words than variables
// has never passed, and twice as many words and one more always have.
func (l *linter) density(v value, found scanned) {
	n, w := len(found.variables), found.words(v.str())
	switch {
	case n > 0 && w < n:
		l.refuse(v, codeTooMany, fmt.Sprintf("has %d variables in %d words", n, w), "write more text around them, or use fewer")
	case n > 0 && w < 2*n+1:
		l.doubt(v, codeTooMany, fmt.Sprintf("has %d variables in %d words", n, w), "write more text around them, or use fewer")
	}
}

// names returns the distinct variables of a text.
func names(found scanned) (list []string) {
	for _, v := range found.variables {
		if !slices.Contains(list, v.name) {
			list = append(list, v.name)
		}
	}
	return list
}

// examples checks that there is a sample for each variable. Meta's guides leave samples out here and there, and reviewers have let
// that pass; samples that are there must fit.
func (l *linter) examples(component, text value, member string, found scanned) {
	want, example := names(found), component.get("example")
	plain, named := example.get(member), example.get(member+"_named_params")
	switch {
	case found.unbalanced: // how many variables there are cannot be told
	case len(want) == 0:
		if plain.v != nil || named.v != nil {
			l.doubt(example, codeExample, "gives samples, but the text has no variables", "leave it out")
		}
	case l.format == Named && named.v != nil:
		l.namedExamples(named, want)
	case l.format == Named:
		l.doubt(example, codeExample, "has no "+named.path[len(example.path)+1:]+" for the variables", "give a sample for each variable")
	case plain.v == nil:
		l.doubt(example, codeExample, "has no "+member+" for the variables", "give a sample for each variable, in order")
	default:
		l.plainExamples(plain, want)
	}
}

func (l *linter) plainExamples(v value, want []string) {
	list := v
	if v.at(0).isArray() {
		list = v.at(0) // body_text is a list of sets of samples
	}
	if !list.isArray() {
		l.doubt(v, codeExample, "is not an array of samples", "give one sample for each variable")
		return
	}
	if n := len(list.list()); n != len(want) {
		l.refuse(v, codeExample, fmt.Sprintf("has %d samples for %d variables", n, len(want)), "give one sample for each variable, in order")
	}
	for _, one := range list.list() {
		if strings.TrimSpace(one.scalar()) == "" {
			l.refuse(one, codeExample, "is empty", "write what a message would say here")
		}
	}
}

func (l *linter) namedExamples(v value, want []string) {
	var given []string
	for _, one := range v.list() {
		name := one.get("param_name").str()
		given = append(given, name)
		if !slices.Contains(want, name) {
			l.refuse(one.get("param_name"), codeExample, "names "+strconv.Quote(name)+", which is not a variable of the text", "use the variable's name")
		}
		if strings.TrimSpace(one.get("example").scalar()) == "" {
			l.refuse(one.get("example"), codeExample, "is empty", "write what a message would say here")
		}
	}
	for _, name := range want {
		if !slices.Contains(given, name) {
			l.refuse(v, codeExample, "has no sample for {{"+name+"}}", "give one for each variable")
		}
	}
}

// hasEmoji reports whether a text has symbols that are drawn as pictures.
func hasEmoji(s string) bool {
	for _, c := range s {
		if c >= 0x1F300 && c <= 0x1FAFF || c >= 0x2600 && c <= 0x27BF || unicode.Is(unicode.Variation_Selector, c) {
			return true
		}
	}
	return false
}
