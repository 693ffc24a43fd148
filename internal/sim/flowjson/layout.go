package flowjson

import (
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

func (c *checker) checkLayout(s *screen) {
	layout := s.get("layout")
	if layout == nil {
		c.at(missingProperty, s.node, "Required property 'layout' is missing.")
		return
	}
	if !c.isKind(layout, kindObject) {
		return
	}
	c.known(layout, []string{"type", "children"})
	if kind := c.must(layout, "type", kindString); kind != nil && kind.text != "SingleColumnLayout" {
		c.at(invalidValue, kind, "Invalid value found for property 'type'.")
	}
	children := c.must(layout, "children", kindArray)
	if children == nil {
		return
	}
	if len(children.items) == 0 {
		c.at(minItems, children, "Property 'children' should have at least 1 item(s).")
	}
	c.checkChildren(s, children, "")
	if s.total > maxComponents {
		c.at(tooManyComponents, children, "Screen '%s' has %d components. At most %d are allowed.", s.id, s.total, maxComponents)
	}
	for _, kind := range slices.Sorted(maps.Keys(s.kinds)) {
		found := s.kinds[kind]
		if most := components[kind].perScreen; most > 0 && len(found) > most && !c.exclusiveBranches(found) {
			c.add(tooManyComponents, found, "At most %d component(s) of type '%s' are allowed on a screen.", most, kind)
		}
	}
	if lists := s.kinds["NavigationList"]; len(lists) > 0 && s.terminal {
		c.at(invalidPlacement, lists[0], "NavigationList cannot be used on a terminal screen.")
	}
}

// exclusiveBranches reports whether components stand in branches of conditions, of which only one is shown.
func (c *checker) exclusiveBranches(found []*node) bool {
	for _, n := range found {
		inside := false
		for p := n.parent; p != nil; p = p.parent {
			inside = inside || p.name == "then" || p.name == "else" || p.name == "cases"
		}
		if !inside {
			return false
		}
	}
	return true
}

// checkChildren checks a list of components; inside is the kind of component that holds it, "" for the layout.
func (c *checker) checkChildren(s *screen, children *node, inside string) {
	for _, n := range children.items {
		if !c.isKind(n, kindObject) {
			continue
		}
		kind := c.must(n, "type", kindString)
		if kind == nil {
			continue
		}
		known, ok := components[kind.text]
		switch {
		case !ok || known.since > c.version:
			c.at(invalidValue, kind, "Invalid value found for property 'type'.")
			continue
		case kind.text == "Form" && inside != "":
			c.at(invalidPlacement, n, "Form cannot be placed inside '%s'.", inside)
		}
		s.total++
		s.kinds[kind.text] = append(s.kinds[kind.text], n)
		c.checkComponent(s, n, kind.text, known)
	}
}

func (c *checker) checkComponent(s *screen, n *node, kind string, known component) {
	for _, name := range n.names {
		p, ok := known.properties[name]
		switch {
		case name == "type":
		case !ok || p.since > c.version:
			c.at(invalidKey, n.members[name], "Property '%s' cannot be specified at '%s'.", name, n.path())
		default:
			c.checkProperty(n.members[name], name, p)
			if p.kind == kindObject && strings.HasPrefix(name, "on-") && n.members[name].kind == kindObject {
				s.actions = append(s.actions, n.members[name])
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(known.properties)) {
		if known.properties[name].required && n.get(name) == nil {
			c.at(missingProperty, n, "Required property '%s' is missing.", name)
		}
	}
	if known.input {
		c.addInput(s, n)
	}
	switch kind {
	case "Footer":
		if m := n.get("center-caption"); m != nil && (n.get("left-caption") != nil || n.get("right-caption") != nil) {
			c.at(exclusive, m, "Properties 'center-caption' and ['left-caption', 'right-caption'] must be present exclusively at 'Footer'.")
		}
	case "If":
		c.checkIf(n)
	case "NavigationList":
		c.checkItems(s, n)
	}
	c.checkOrder(n)
	for _, holder := range known.holds {
		inner := n.get(holder)
		switch {
		case inner == nil:
		case inner.kind == kindArray:
			c.checkChildren(s, inner, kind)
		case holder == "cases":
			for _, name := range inner.names {
				if list := inner.members[name]; c.isKind(list, kindArray) {
					c.checkChildren(s, list, kind)
				}
			}
		}
	}
}

func (c *checker) addInput(s *screen, n *node) {
	name := n.get("name").str()
	if name == "" {
		return
	}
	if first := s.inputs[name]; first != nil && !c.exclusiveBranches([]*node{first, n}) {
		c.add(duplicateNames, []*node{n.get("name"), first.get("name")}, "Duplicate component name '%s' found on screen '%s'.", name, s.id)
		return
	}
	s.inputs[name] = n
}

// checkIf holds Meta's rule that a Footer in one branch needs one in the other.
func (c *checker) checkIf(n *node) {
	then, other := footerIn(n.get("then")), footerIn(n.get("else"))
	if then != other {
		c.at(missingBranchFooter, n, "The Footer must be in both branches, 'then' and 'else', of an If.")
	}
}

func footerIn(list *node) bool {
	if list == nil {
		return false
	}
	for _, n := range list.items {
		if n.get("type").str() == "Footer" {
			return true
		}
	}
	return false
}

// checkItems finds the actions that items of a NavigationList bring.
func (c *checker) checkItems(s *screen, n *node) {
	list := n.get("list-items")
	if list == nil || list.kind != kindArray {
		return
	}
	for _, item := range list.items {
		if !c.isKind(item, kindObject) {
			continue
		}
		c.must(item, "id", kindString)
		if action := item.get("on-click-action"); action != nil && c.isKind(action, kindObject) {
			s.actions = append(s.actions, action)
		}
	}
}

// ranges are pairs of properties of which the first may not exceed the second.
var ranges = [][2]string{{"min-chars", "max-chars"}, {"min-selected-items", "max-selected-items"}, {"min-days", "max-days"},
	{"min-uploaded-photos", "max-uploaded-photos"}, {"min-uploaded-documents", "max-uploaded-documents"}}

func (c *checker) checkOrder(n *node) {
	for _, pair := range ranges {
		low, okLow := whole(n.get(pair[0]))
		high, okHigh := whole(n.get(pair[1]))
		if okLow && okHigh && low > high {
			c.add(minAboveMax, []*node{n.get(pair[0]), n.get(pair[1])}, "Property '%s' should not be greater than '%s'.", pair[0], pair[1])
		}
	}
}

// checkProperty checks one value against what it may be. What is computed later is taken on trust.
func (c *checker) checkProperty(n *node, name string, p property) {
	if !p.fixed && dynamic(n) {
		return
	}
	if n.kind != p.kind && (p.also == "" || n.kind != p.also) && p.kind != "" {
		c.at(invalidType, n, "Expected property '%s' to be of type '%s' but found '%s'.", n.path(), p.kind, n.kind)
		return
	}
	switch n.kind {
	case kindString:
		length := utf8.RuneCountInString(n.text)
		switch {
		case p.enum != nil && !slices.Contains(p.enum, n.text):
			c.at(invalidEnum, n, "Value should be one of: [%s].", quoted(p.enum))
		case p.required && n.text == "":
			c.at(minChars, n, "Property '%s' should have at least 1 character(s).", name)
		case p.kind == kindString && p.limit > 0 && length > p.limit:
			c.at(maxChars, n, "Property '%s' should have at most %d character(s).", name, p.limit)
		case p.kind == kindNumber:
			if _, ok := whole(n); !ok {
				c.at(invalidType, n, "Expected property '%s' to be of type 'number' but found 'string'.", n.path())
			}
		}
	case kindArray:
		switch {
		case len(n.items) < p.least:
			c.at(minItems, n, "Property '%s' should have at least %d item(s).", name, p.least)
		case p.kind == kindArray && p.limit > 0 && len(n.items) > p.limit:
			c.at(maxItems, n, "Property '%s' should have at most %d item(s).", name, p.limit)
		}
		if name == "data-source" {
			c.checkOptions(n)
		}
	}
}

// checkOptions checks the choices of a group: each has an id of its own and a title.
func (c *checker) checkOptions(list *node) {
	seen := map[string]bool{}
	for _, item := range list.items {
		if !c.isKind(item, kindObject) {
			continue
		}
		id := c.must(item, "id", kindString)
		c.must(item, "title", kindString)
		if id == nil {
			continue
		}
		if seen[id.text] && !dynamic(id) {
			c.at(invalidValue, id, "Duplicate value '%s' found for property 'id'.", id.text)
		}
		seen[id.text] = true
	}
}
