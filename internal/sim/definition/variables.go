package definition

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// variable is a placeholder and where it stands in its text.
type variable struct {
	name       string
	start, end int
}

var namedForm = regexp.MustCompile(`^[a-z_][a-z0-9_]*$`)

// scan finds the placeholders of a text; problem says what is wrong with its braces.
func scan(text string) (list []variable, problem string) {
	for at := 0; ; {
		open, shut := strings.Index(text[at:], "{{"), strings.Index(text[at:], "}}")
		switch {
		case open < 0 && shut < 0:
			return list, ""
		case open < 0 || shut < open:
			return nil, "has curly braces that do not match"
		}
		name := text[at+open+2 : at+shut]
		if strings.ContainsAny(name, "{}") {
			return nil, "has curly braces that do not match"
		}
		list = append(list, variable{strings.TrimSpace(name), at + open, at + shut + 2})
		at += shut + 2
	}
}

// placeholders checks the form of a text's variables and returns their names: of positional ones from 1 up, of named ones in
// order of appearance.
func (d *Definition) placeholders(text string, subcode int, what string) ([]variable, []string, *graph.Error) {
	list, problem := scan(text)
	if problem != "" {
		return nil, nil, Refuse(subcode, "The %s %s.", what, problem)
	}
	var names []string
	for _, v := range list {
		switch {
		case d.Format == Named && !namedForm.MatchString(v.name):
			return nil, nil, Refuse(subcode, "The variable {{%s}} of the %s must be named with lower-case letters, digits and underscores.", v.name, what)
		case d.Format != Named && !isNumber(v.name):
			return nil, nil, Refuse(subcode, "The variable {{%s}} of the %s must be a number: special characters such as #, $ and %% are not allowed, "+
				"and names need the parameter_format NAMED.", v.name, what)
		}
		if !slices.Contains(names, v.name) {
			names = append(names, v.name)
		}
	}
	if d.Format == Named {
		return list, names, nil
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	for i, name := range names {
		if name != strconv.Itoa(i+1) {
			return nil, nil, Refuse(subcode, "The variables of the %s must be numbered from {{1}} without gaps.", what)
		}
	}
	return list, names, nil
}

func isNumber(s string) bool {
	return s != "" && len(s) <= 4 && strings.Trim(s, "0123456789") == ""
}

// placed checks where a body's variables stand: not at its ends, not side by side, and with enough words around them.
func placed(text string, list []variable) *graph.Error {
	if len(list) == 0 {
		return nil
	}
	first, last := list[0], list[len(list)-1]
	if strings.TrimSpace(text[:first.start]) == "" || strings.TrimSpace(text[last.end:]) == "" {
		return Refuse(DanglingVariables, "The body must not begin or end with a variable.")
	}
	at := 0
	for i, v := range list {
		if i > 0 && strings.TrimSpace(text[at:v.start]) == "" {
			return Refuse(BadBody, "Two variables of the body stand side by side; put words between them.")
		}
		at = v.end
	}
	words := len(strings.Fields(squeezed(text, list)))
	if words <= 2*len(list) {
		return Refuse(TooManyVariables, "The body has %d variables in %d words: use fewer variables or more words.", len(list), words)
	}
	return nil
}

// squeezed is a text with every variable as one letter, so that blanks inside braces do not count.
func squeezed(text string, list []variable) string {
	var b strings.Builder
	at := 0
	for _, v := range list {
		b.WriteString(text[at:v.start])
		b.WriteByte('x')
		at = v.end
	}
	b.WriteString(text[at:])
	return b.String()
}
