package flowjson

import (
	"regexp"
	"strings"
)

// checkData checks a data model: every entry is a small JSON schema with an example.
func (c *checker) checkData(model *node) {
	for _, name := range model.names {
		n := model.members[name]
		if !c.isKind(n, kindObject) {
			continue
		}
		c.checkSchema(n)
		example := n.get("__example__")
		if example == nil {
			c.at(missingProperty, n, "Required property '__example__' is missing.")
			continue
		}
		if want := schemaKind(n); want != "" && example.kind != want {
			c.at(invalidScreenData, example, "Expected '__example__' of '%s' to be of type '%s' but found '%s'.", name, want, example.kind)
		}
	}
}

// checkSchema checks that a schema says what it describes, all the way down.
func (c *checker) checkSchema(n *node) {
	kind := c.must(n, "type", kindString)
	if kind == nil {
		return
	}
	switch kind.text {
	case kindString, kindBoolean, kindNumber, "integer":
	case kindArray:
		if items := c.must(n, "items", kindObject); items != nil {
			c.checkSchema(items)
		}
	case kindObject:
		if properties := c.must(n, "properties", kindObject); properties != nil {
			for _, name := range properties.names {
				if p := properties.members[name]; c.isKind(p, kindObject) {
					c.checkSchema(p)
				}
			}
		}
	default:
		c.at(invalidEnum, kind, "Value should be one of: [string, boolean, number, object, array].")
	}
}

// schemaKind is the kind of values a schema admits; "" when it does not say.
func schemaKind(schema *node) string {
	switch kind := schema.get("type").str(); kind {
	case "integer":
		return kindNumber
	default:
		return kind
	}
}

// reference is a ${…} expression: where it looks, and for what.
type reference struct {
	text   string // as written, with its braces
	screen string // "" is the screen it stands on
	store  string // data or form
	key    []string
}

var expression = regexp.MustCompile(`\$\{([^{}]*)\}`)

// references finds the expressions in a text. ok is false for one that is none of the known forms.
func references(text string) (list []reference, bad []string) {
	if !strings.Contains(text, "${") {
		return nil, nil
	}
	for _, m := range expression.FindAllStringSubmatch(text, -1) {
		parts := strings.Split(strings.TrimSpace(m[1]), ".")
		r := reference{text: m[0]}
		if parts[0] == "screen" && len(parts) > 2 {
			r.screen, parts = parts[1], parts[2:]
		}
		if len(parts) < 2 || (parts[0] != "data" && parts[0] != "form") {
			bad = append(bad, m[0])
			continue
		}
		r.store, r.key = parts[0], parts[1:]
		list = append(list, r)
	}
	return list, bad
}

// dynamic reports whether a value is computed while the Flow runs.
func dynamic(n *node) bool {
	s := n.str()
	return strings.Contains(s, "${") || len(s) > 1 && s[0] == '`' && s[len(s)-1] == '`'
}

// checkReferences follows every expression on a screen.
func (c *checker) checkReferences(s *screen) {
	if layout := s.get("layout"); layout != nil {
		c.follow(s, layout, false)
	}
}

func (c *checker) follow(s *screen, n *node, payload bool) {
	switch n.kind {
	case kindString:
		list, bad := references(n.text)
		for _, text := range bad {
			c.at(invalidDynamicData, n, "Invalid expression '%s'. Expected ${data.name} or ${form.name}, of this or of a named screen.", text)
		}
		for _, r := range list {
			c.resolve(s, n, r, payload)
		}
	case kindArray:
		for _, item := range n.items {
			c.follow(s, item, payload)
		}
	case kindObject:
		for _, name := range n.names {
			c.follow(s, n.members[name], payload || strings.HasPrefix(name, "on-"))
		}
	}
}

// resolve complains about an expression that leads nowhere.
func (c *checker) resolve(from *screen, n *node, r reference, payload bool) {
	code := invalidDynamicData
	if payload {
		code = invalidPayload
	}
	s := from
	if r.screen != "" {
		if s = c.screens[r.screen]; s == nil {
			c.at(code, n, "Unknown screen '%s' in expression '%s'.", r.screen, r.text)
			return
		}
	}
	if r.store == "form" {
		if s.inputs[r.key[0]] == nil {
			c.at(code, n, "Missing Form component '%s' for screen '%s'.", r.text, s.id)
		}
		return
	}
	if c.lookUp(s, r.key) == nil {
		c.at(code, n, "Missing dynamic data '%s' in the data model for screen '%s'.", r.text, s.id)
	}
}

// lookUp finds the schema a path into a data model leads to, or nil.
func (c *checker) lookUp(s *screen, key []string) *node {
	schema := s.data.get(key[0])
	for _, name := range key[1:] {
		if schemaKind(schema) != kindObject {
			return nil
		}
		schema = schema.get("properties").get(name)
	}
	return schema
}
