package flowjson

import (
	"sort"
	"strconv"
)

// actionProperties are the actions and what each takes beside its name.
var actionProperties = map[string][]string{
	"navigate":      {"name", "next", "payload"},
	"complete":      {"name", "payload"},
	"data_exchange": {"name", "payload"},
	"update_data":   {"name", "payload"},
	"open_url":      {"name", "url"},
}

// actionSince has the actions that came later than the oldest version.
var actionSince = map[string]int{"update_data": 600, "open_url": 600}

func (c *checker) checkActions(s *screen) {
	for _, n := range s.actions {
		name := c.must(n, "name", kindString)
		if name == nil {
			continue
		}
		properties, ok := actionProperties[name.text]
		if !ok || actionSince[name.text] > c.version {
			c.at(invalidEnum, name, "Value should be one of: [%s].", quoted(actionNames(c.version)))
			continue
		}
		c.known(n, properties)
		if p := n.get("payload"); p != nil {
			c.isKind(p, kindObject)
		}
		switch name.text {
		case "navigate":
			c.checkNavigate(s, n)
		case "complete":
			if !s.terminal {
				c.at(invalidComplete, n, "'complete' on-click-action can only be specified for terminal screens.")
			}
			c.checkComplete(s, n)
		case "data_exchange":
			if !c.endpoint {
				c.at(missingProperty, n, "Required property 'data_api_version' is missing: 'data_exchange' needs an endpoint.")
			}
		case "update_data":
			c.must(n, "payload", kindObject)
		case "open_url":
			c.must(n, "url", kindString)
		}
	}
}

func actionNames(version int) (names []string) {
	for name := range actionProperties {
		if actionSince[name] <= version {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

// checkNavigate finds where an action leads and compares what it brings with what is expected there.
func (c *checker) checkNavigate(s *screen, n *node) {
	next := c.must(n, "next", kindObject)
	if next == nil {
		return
	}
	c.known(next, []string{"type", "name"})
	if kind := c.must(next, "type", kindString); kind != nil && kind.text != "screen" && kind.text != "plugin" {
		c.at(invalidEnum, kind, "Value should be one of: ['screen', 'plugin'].")
	}
	name := c.must(next, "name", kindString)
	if name == nil || next.get("type").str() == "plugin" {
		return
	}
	target := c.screens[name.text]
	switch {
	case name.text == s.id:
		c.at(invalidNext, name, "Same screen navigation is not allowed: screen '%s' leads to itself.", s.id)
		return
	case target == nil:
		c.at(invalidNext, name, "Unknown screen id '%s' found for property 'name'.", name.text)
		return
	case !target.from[s]:
		s.to = append(s.to, target)
		target.from[s] = true
	}
	c.checkBrought(s, target, n)
}

// checkBrought compares a navigate action's payload with the next screen's data model.
func (c *checker) checkBrought(s, target *screen, n *node) {
	payload := n.get("payload")
	if payload != nil && payload.kind != kindObject {
		return
	}
	var extra, absent []string
	if payload != nil {
		for _, key := range payload.names {
			schema := target.data.get(key)
			if schema == nil {
				extra = append(extra, key)
				continue
			}
			value := payload.members[key]
			c.checkFits(s, value, schema)
			if component := c.input(s, value); component != nil && isPicker(component) {
				c.at(invalidPayload, value, "The %s component's value is not allowed in the payload of the navigate action.", component.get("type").str())
			}
		}
	}
	if target.data != nil {
		for _, key := range target.data.names {
			if payload.get(key) == nil {
				absent = append(absent, key)
			}
		}
	}
	about := []*node{n}
	if payload != nil {
		about[0] = payload
	}
	if len(extra) > 0 {
		c.add(invalidNavigation, about, "Following fields are missing in the data model of the next screen '%s': %s.", target.id, quoted(extra))
	}
	if len(absent) > 0 {
		c.add(invalidNavigation, about, "Following fields are expected in the next screen '%s' but missing in the payload: %s.", target.id, quoted(absent))
	}
}

// checkFits compares the kind of a value with a schema, where both are known beforehand.
func (c *checker) checkFits(s *screen, value, schema *node) {
	have, want := value.kind, schemaKind(schema)
	if dynamic(value) {
		have = ""
		if list, _ := references(value.text); len(list) == 1 && list[0].text == value.text && list[0].store == "data" && list[0].screen == "" {
			have = schemaKind(c.lookUp(s, list[0].key))
		}
	}
	if have != "" && want != "" && have != want {
		c.at(invalidNavigation, value, "Schema of '%s' does not match the next screen's data model: expected '%s' but found '%s'.", value.name, want, have)
	}
}

// checkComplete lets files be sent with the answer only one at a time.
func (c *checker) checkComplete(s *screen, n *node) {
	payload := n.get("payload")
	if payload == nil {
		return
	}
	for _, key := range payload.names {
		component := c.input(s, payload.members[key])
		if component == nil || !isPicker(component) {
			continue
		}
		limit := "max-uploaded-photos"
		if component.get("type").str() == "DocumentPicker" {
			limit = "max-uploaded-documents"
		}
		if most, ok := whole(component.get(limit)); !ok || most > 1 {
			c.at(invalidPayload, payload.members[key], "In the complete action payload, %s can only be used if the value of the '%s' property doesn't exceed 1.",
				component.get("type").str(), limit)
		}
	}
}

// input is the component whose answer a value is, or nil.
func (c *checker) input(s *screen, value *node) *node {
	list, _ := references(value.str())
	if len(list) != 1 || list[0].text != value.text || list[0].store != "form" {
		return nil
	}
	if list[0].screen != "" {
		if s = c.screens[list[0].screen]; s == nil {
			return nil
		}
	}
	return s.inputs[list[0].key[0]]
}

func isPicker(component *node) bool {
	kind := component.get("type").str()
	return kind == "PhotoPicker" || kind == "DocumentPicker"
}

// whole returns a whole number, which may be written as a string.
func whole(n *node) (int, bool) {
	if n == nil || n.kind != kindNumber && n.kind != kindString {
		return 0, false
	}
	v, err := strconv.Atoi(n.text)
	return v, err == nil
}
