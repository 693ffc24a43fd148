package content

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// checker walks a payload and keeps the first complaint; after it, every method is a no-op that returns a zero value, so that
// checks read as a list.
type checker struct{ err *graph.Error }

func (c *checker) fail(err *graph.Error) {
	if c.err == nil {
		c.err = err
	}
}

// invalid is 131009, missing is 131008: the two complaints of WhatsApp's own layer, as opposed to Graph's 100.
func (c *checker) invalid(details string) { c.fail(graph.Fail(131009, details)) }
func (c *checker) missing(details string) { c.fail(graph.Fail(131008, details)) }

// node is a JSON object and how it was reached; its path is only spelled out for complaints, as text['body'].
type node struct {
	m      map[string]any
	parent *node
	key    string
	index  int // of the element when the parent member is an array, else -1
}

func (n *node) path(member string) string {
	var b strings.Builder
	n.write(&b)
	if b.Len() == 0 {
		return member
	}
	if member != "" {
		b.WriteString("['" + member + "']")
	}
	return b.String()
}

func (n *node) write(b *strings.Builder) {
	if n == nil || n.parent == nil {
		return
	}
	n.parent.write(b)
	if b.Len() == 0 {
		b.WriteString(n.key)
	} else {
		b.WriteString("['" + n.key + "']")
	}
	if n.index >= 0 {
		b.WriteString("[" + strconv.Itoa(n.index) + "]")
	}
}

func (n *node) has(key string) bool {
	v, ok := n.m[key]
	return ok && v != nil
}

// unfold decodes a parameter that should be an object or a list and came as text: Graph takes both forms of its parameters, and
// some clients send the second.
func (n *node) unfold(key string) {
	if s, ok := n.m[key].(string); ok && n.parent == nil {
		n.m[key] = graph.FormValue(s)
	}
}

// object returns a member that must be an object; nil after a complaint.
func (c *checker) object(n *node, key string) *node {
	if c.err != nil {
		return nil
	}
	if !n.has(key) {
		c.missing("Parameter '" + n.path(key) + "' is mandatory")
		return nil
	}
	n.unfold(key)
	m, ok := n.m[key].(map[string]any)
	if !ok {
		c.fail(graph.Param("Param %s must be a JSON object.", n.path(key)))
		return nil
	}
	return &node{m: m, parent: n, key: key, index: -1}
}

// optional is object for a member that may be absent: then nil without a complaint.
func (c *checker) optional(n *node, key string) *node {
	if c.err != nil || !n.has(key) {
		return nil
	}
	return c.object(n, key)
}

// array returns the elements of a member that must be an array of objects with min to max elements (max 0: no upper bound).
func (c *checker) array(n *node, key string, lo, hi int) []*node {
	if c.err != nil {
		return nil
	}
	if !n.has(key) {
		if lo > 0 {
			c.missing("Parameter '" + n.path(key) + "' is mandatory")
		}
		return nil
	}
	n.unfold(key)
	list, ok := n.m[key].([]any)
	if !ok {
		c.fail(graph.Param("Param %s must be an array.", n.path(key)))
		return nil
	}
	if len(list) < lo {
		c.fail(graph.Param("Param %s must have at least %d element(s).", n.path(key), lo))
		return nil
	}
	if hi > 0 && len(list) > hi {
		c.fail(graph.Param("Param %s must have at most %d elements.", n.path(key), hi))
		return nil
	}
	nodes := make([]*node, len(list))
	for i, v := range list {
		m, ok := v.(map[string]any)
		if !ok {
			c.fail(graph.Param("Param %s[%d] must be a JSON object.", n.path(key), i))
			return nil
		}
		nodes[i] = &node{m: m, parent: n, key: key, index: i}
	}
	return nodes
}

// text returns a member that must be a string of 1 to limit characters (limit 0: no upper bound).
func (c *checker) text(n *node, key string, limit int) string {
	if c.err != nil {
		return ""
	}
	if !n.has(key) {
		c.missing("Parameter '" + n.path(key) + "' is mandatory")
		return ""
	}
	s, ok := graph.Scalar(n.m[key])
	switch {
	case !ok:
		c.fail(graph.Param("Param %s must be a string.", n.path(key)))
	case s == "":
		c.fail(graph.Param("Param %s must be at least 1 characters long.", n.path(key)))
	case limit > 0 && len(s) > limit && utf8.RuneCountInString(s) > limit:
		c.fail(graph.Param("Param %s must be at most %d characters long.", n.path(key), limit))
	default:
		return s
	}
	return ""
}

// maybe is text for a member that may be absent or empty.
func (c *checker) maybe(n *node, key string, limit int) string {
	if c.err != nil || !n.has(key) {
		return ""
	}
	if s, ok := n.m[key].(string); ok && s == "" {
		return ""
	}
	return c.text(n, key, limit)
}

// boolean checks a member that may be absent; Graph takes the words of a form too.
func (c *checker) boolean(n *node, key string) bool {
	if c.err != nil || !n.has(key) {
		return false
	}
	s, ok := graph.Scalar(n.m[key])
	if !ok || (s != "true" && s != "false") {
		c.fail(graph.Param("Param %s must be a boolean.", n.path(key)))
	}
	return s == "true"
}

// number checks a required member that is a number or a numeric string within ±bound.
func (c *checker) number(n *node, key string, bound float64) {
	if c.err != nil {
		return
	}
	if !n.has(key) {
		c.missing("Parameter '" + n.path(key) + "' is mandatory")
		return
	}
	var s string
	switch v := n.m[key].(type) {
	case json.Number:
		s = v.String()
	case string:
		s = v
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(f) || f < -bound || f > bound {
		c.fail(graph.Param("Param %s must be a number between %g and %g.", n.path(key), -bound, bound))
	}
}

// oneOf checks a required word against its closed list, ignoring case as Meta does, and returns it in lower case.
func (c *checker) oneOf(n *node, key string, words ...string) string {
	s := strings.ToLower(c.text(n, key, 0))
	if c.err != nil {
		return ""
	}
	for _, w := range words {
		if s == w {
			return s
		}
	}
	c.fail(graph.Param("Param %s must be one of {%s} - got \"%s\".", n.path(key), strings.ToUpper(strings.Join(words, ", ")), s))
	return ""
}

// webURL checks a required http or https address.
func (c *checker) webURL(n *node, key string, limit int) string {
	s := c.text(n, key, limit)
	if c.err == nil && !strings.HasPrefix(s, "http://") && !strings.HasPrefix(s, "https://") {
		c.invalid("Param " + n.path(key) + " is not a valid URL.")
	}
	return s
}
