package shape

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Checker collects everything that breaks a constraint. The binder of a protocol drives it: it enters and leaves members as
// it goes down the input, and calls Struct whenever a structure is complete. The zero value is ready to use.
type Checker struct {
	path       []step
	violations []string
	more       int // violations beyond maxViolations
}

// maxViolations is how many offending members are named. A request can hold thousands; the rest is only counted.
const maxViolations = 100

type step struct {
	name  string // of a member or map key
	index int    // of a list item, from 1, when there is no name
}

// Enter goes down into a member of a structure or an entry of a map.
func (c *Checker) Enter(name string) { c.path = append(c.path, step{name: name}) }

// EnterItem goes down into an item of a list, counted from 0.
func (c *Checker) EnterItem(i int) { c.path = append(c.path, step{index: i + 1}) }

// Leave goes back up.
func (c *Checker) Leave() { c.path = c.path[:len(c.path)-1] }

// Struct checks the members of a complete structure, except for structures within it, which had their own turn.
func (c *Checker) Struct(s *Struct, v reflect.Value, seen Seen) {
	for i := range s.Members {
		m := &s.Members[i]
		if !seen.Has(i) {
			if m.Required {
				c.Enter(m.Label)
				c.violated("Value null", "not be null")
				c.Leave()
			}
			continue
		}
		c.Enter(m.Label)
		c.value(m.Shape, v.Field(m.Index))
		c.Leave()
	}
}

// Err returns nil, or a fault.Validation that names every offending member.
func (c *Checker) Err() error {
	switch n := len(c.violations) + c.more; {
	case n == 0:
		return nil
	case n == 1:
		return fault.New(fault.Validation, "1 validation error detected: %s", c.violations[0])
	case c.more == 0:
		return fault.New(fault.Validation, "%d validation errors detected: %s", n, strings.Join(c.violations, "; "))
	default:
		return fault.New(fault.Validation, "%d validation errors detected: %s; and %d more", n, strings.Join(c.violations, "; "), c.more)
	}
}

func (c *Checker) value(s *Shape, v reflect.Value) {
	if s.Pointer {
		v = v.Elem()
	}
	switch s.Kind {
	case String:
		text := v.String()
		c.length(s, v, int64(utf8.RuneCountInString(text)))
		if s.match != nil && !s.match.MatchString(text) {
			c.violated(echo(s, v), "satisfy regular expression pattern: "+s.pattern)
		}
		if s.enum != nil && !slices.Contains(s.enum, text) {
			c.violated(echo(s, v), "satisfy enum value set: ["+strings.Join(s.enum, ", ")+"]")
		}
	case Blob:
		c.length(s, v, int64(v.Len()))
	case Int:
		if n := v.Int(); s.hasMin && n < s.min {
			c.violated(echo(s, v), "have value greater than or equal to "+strconv.FormatInt(s.min, 10))
		} else if s.hasMax && n > s.max {
			c.violated(echo(s, v), "have value less than or equal to "+strconv.FormatInt(s.max, 10))
		}
	case List:
		c.length(s, v, int64(v.Len()))
		if s.Elem.Kind != Structure {
			for i := range v.Len() {
				c.EnterItem(i)
				c.value(s.Elem, v.Index(i))
				c.Leave()
			}
		}
	case Map:
		c.length(s, v, int64(v.Len()))
		if !s.Elem.constrained() {
			return
		}
		for _, key := range slices.SortedFunc(slices.Values(v.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			c.Enter(key.String())
			c.value(s.Elem, v.MapIndex(key))
			c.Leave()
		}
	}
}

// constrained reports whether there is anything to check of a string, so that large maps cost nothing.
func (s *Shape) constrained() bool { return s.hasMin || s.hasMax || s.match != nil || s.enum != nil }

// Exceeds reports whether so many items are more than a list may have.
func (s *Shape) Exceeds(items int) bool { return s.hasMax && int64(items) > s.max }

func (c *Checker) length(s *Shape, v reflect.Value, n int64) {
	if s.hasMin && n < s.min {
		c.violated(echo(s, v), "have length greater than or equal to "+strconv.FormatInt(s.min, 10))
	} else if s.hasMax && n > s.max {
		c.violated(echo(s, v), "have length less than or equal to "+strconv.FormatInt(s.max, 10))
	}
}

func (c *Checker) violated(value, rule string) {
	if len(c.violations) == maxViolations {
		c.more++
		return
	}
	c.violations = append(c.violations, value+" at '"+c.where()+"' failed to satisfy constraint: Member must "+rule)
}

// where renders the path as AWS does: tags.1.member.key.
func (c *Checker) where() string {
	var b strings.Builder
	for i, s := range c.path {
		if i > 0 {
			b.WriteByte('.')
		}
		if s.index > 0 {
			b.WriteString(strconv.Itoa(s.index) + ".member")
		} else {
			b.WriteString(s.name)
		}
	}
	return b.String()
}

// maxEcho is how many bytes of an offending value are worth repeating.
const maxEcho = 512

func echo(s *Shape, v reflect.Value) string {
	if s.Sensitive {
		return "Value"
	}
	var text string
	switch s.Kind {
	case String:
		text = v.String()
	case Int:
		text = strconv.FormatInt(v.Int(), 10)
	case List:
		if s.Elem.Kind != String {
			if s.Exceeds(v.Len()) { // whoever bound it need not have kept them all
				return "Value '[more than " + strconv.FormatInt(s.max, 10) + " items]'"
			}
			return "Value '[" + strconv.Itoa(v.Len()) + " items]'"
		}
		items := make([]string, 0, v.Len())
		for i := range min(v.Len(), maxEcho) {
			items = append(items, v.Index(i).String())
		}
		text = "[" + strings.Join(items, ", ") + "]"
	default:
		return "Value"
	}
	if len(text) > maxEcho {
		text = strings.ToValidUTF8(text[:maxEcho], "") + "…"
	}
	return "Value '" + text + "'"
}
