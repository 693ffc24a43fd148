package flowjson

import (
	"regexp"
	"slices"
	"strings"
)

// Flow is what the rest of WhatsApp wants to know of a Flow's text, as far as it could be read.
type Flow struct {
	Version        string
	DataAPIVersion string // "" for a Flow without an endpoint
	Entry          string // screen that nothing leads to, the first one; "" when there is none
	Screens        []string
	Problems       []Problem // never nil, so that it renders as a list
}

// Valid reports whether the Flow may be published.
func (f *Flow) Valid() bool { return len(f.Problems) == 0 }

// Versions that can be published, and those that no longer can. Numbers compare: 601 is 6.1.
var (
	versions = map[string]int{"5.1": 501, "6.0": 600, "6.1": 601, "6.2": 602, "6.3": 603, "7.0": 700, "7.1": 701, "7.2": 702, "7.3": 703}
	frozen   = []string{"2.1", "3.0", "3.1", "4.0", "5.0"}
)

// Check reads a Flow's text and finds what is wrong with it. Problems come in the order of the checks, at most a hundred.
func Check(text []byte) Flow {
	c := checker{report: report{text: text}, screens: map[string]*screen{}}
	root, offset, err := parse(text)
	switch {
	case err != nil:
		c.at(invalidJSON, &node{start: offset, end: offset}, "Flow JSON is not valid: %s.", err)
	case root.kind != kindObject:
		c.at(invalidJSON, root, "Flow JSON is not valid: it must be an object.")
	default:
		c.check(root)
	}
	f := Flow{Version: root.get("version").str(), DataAPIVersion: root.get("data_api_version").str(), Problems: c.problems}
	for _, s := range c.order {
		f.Screens = append(f.Screens, s.id)
		if f.Entry == "" && len(s.from) == 0 {
			f.Entry = s.id
		}
	}
	if f.Problems == nil {
		f.Problems = []Problem{}
	}
	return f
}

// checker walks one Flow.
type checker struct {
	report
	version  int
	endpoint bool // the Flow exchanges data with the business's server
	order    []*screen
	screens  map[string]*screen // the first of each id
}

// screen is a screen and what was found on it.
type screen struct {
	*node
	id       string
	terminal bool
	data     *node            // its data model, or nil
	inputs   map[string]*node // components that hold an answer, by name
	kinds    map[string][]*node
	actions  []*node
	total    int
	to       []*screen // where its navigate actions lead, each once
	from     map[*screen]bool
}

// maxScreens bounds a Flow. Meta has a limit but does not say which.
const maxScreens = 100

var rootProperties = []string{"version", "screens", "routing_model", "data_api_version", "data_channel_uri"}

func (c *checker) check(root *node) {
	if !c.checkVersion(root) {
		return
	}
	c.known(root, rootProperties)
	if n := root.get("data_channel_uri"); n != nil {
		c.at(invalidKey, n, "Property 'data_channel_uri' is not supported as of version '3.0'. Set the endpoint with the Flows API.")
	}
	if n := root.get("data_api_version"); n != nil {
		c.endpoint = true
		if v := n.str(); v != "3.0" && v != "4.0" {
			c.at(invalidDataVersion, n, "Invalid Data API version '%s'.", v)
		}
	}
	list := root.get("screens")
	switch {
	case list == nil:
		c.at(missingProperty, root, "Required property 'screens' is missing.")
		return
	case !c.isKind(list, kindArray):
		return
	case len(list.items) == 0:
		c.at(minItems, list, "Property 'screens' should have at least 1 item(s).")
		return
	case len(list.items) > maxScreens:
		c.at(tooManyScreens, list, "Flow JSON should have at most %d screens.", maxScreens)
		return
	}
	for _, n := range list.items {
		c.addScreen(n)
	}
	for _, s := range c.order {
		c.checkLayout(s)
	}
	for _, s := range c.order {
		c.checkActions(s)
		c.checkReferences(s)
	}
	c.checkTerminals(list)
	c.checkRoutes(root)
}

func (c *checker) checkVersion(root *node) bool {
	n := root.get("version")
	if n == nil {
		c.at(missingVersion, root, "Flow JSON version is not specified.")
		return false
	}
	c.version = versions[n.str()]
	switch {
	case slices.Contains(frozen, n.str()):
		c.at(unsupportedVersion, n, "Unsupported Flow JSON version '%s'.", n.text)
	case c.version == 0:
		c.at(invalidVersion, n, "Invalid Flow JSON version.")
	}
	return c.version != 0
}

// known complains about members that are not in a list.
func (c *checker) known(n *node, names []string) {
	for _, name := range n.names {
		if !slices.Contains(names, name) {
			c.at(invalidKey, n.members[name], "Property '%s' cannot be specified at '%s'.", name, n.path())
		}
	}
}

// isKind complains unless a value is of a kind.
func (c *checker) isKind(n *node, kind string) bool {
	if n.kind != kind {
		c.at(invalidType, n, "Expected property '%s' to be of type '%s' but found '%s'.", n.path(), kind, n.kind)
		return false
	}
	return true
}

// must returns a member that has to be there and of a kind, or nil after a complaint.
func (c *checker) must(n *node, name, kind string) *node {
	m := n.get(name)
	if m == nil {
		c.at(missingProperty, n, "Required property '%s' is missing.", name)
		return nil
	}
	if !c.isKind(m, kind) {
		return nil
	}
	return m
}

var (
	screenProperties = []string{"id", "title", "layout", "terminal", "success", "data", "refresh_on_back", "sensitive"}
	screenID         = regexp.MustCompile(`^[A-Za-z_]+$`)
	newScreenID      = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// addScreen reads a screen's own properties; its content waits until all screens are known.
func (c *checker) addScreen(n *node) {
	if !c.isKind(n, kindObject) {
		return
	}
	c.known(n, screenProperties)
	s := &screen{node: n, id: n.get("id").str(), terminal: n.get("terminal").isTrue(), inputs: map[string]*node{}, kinds: map[string][]*node{},
		from: map[*screen]bool{}}
	id := c.must(n, "id", kindString)
	pattern := screenID
	if c.version >= 700 {
		pattern = newScreenID
	}
	switch {
	case id == nil:
		return
	case !pattern.MatchString(s.id):
		c.at(patternMismatch, id, "Property 'id' should only consist of alphabets and underscores.")
	case strings.EqualFold(s.id, "SUCCESS"):
		c.at(reservedScreenID, id, "'SUCCESS' is a reserved keyword and cannot be used as a screen id.")
	case c.screens[s.id] != nil:
		c.add(duplicateScreenIDs, []*node{id, c.screens[s.id].get("id")}, "Duplicate screen id '%s' found.", s.id)
	default:
		c.screens[s.id] = s
	}
	c.order = append(c.order, s)
	c.must(n, "title", kindString)
	for _, name := range []string{"terminal", "success", "refresh_on_back"} {
		if m := n.get(name); m != nil {
			c.isKind(m, kindBoolean)
		}
	}
	if m := n.get("success"); m != nil && !s.terminal {
		c.at(exclusive, m, "Property 'success' can only be specified on a terminal screen.")
	}
	if m := n.get("sensitive"); m != nil {
		c.isKind(m, kindArray)
	}
	if m := n.get("data"); m != nil && c.isKind(m, kindObject) {
		s.data = m
		c.checkData(m)
	}
}

// checkTerminals holds the ends of a Flow: there is one, it can be left, and one of them counts as a success.
func (c *checker) checkTerminals(list *node) {
	terminals, succeeds := 0, false
	for _, s := range c.order {
		if !s.terminal {
			continue
		}
		terminals++
		if m := s.get("success"); m == nil || m.isTrue() {
			succeeds = true
		}
		if len(s.kinds["Footer"]) == 0 {
			c.at(missingFooter, s.node, "Missing Footer component for terminal screen '%s'.", s.id)
		}
	}
	switch {
	case terminals == 0:
		c.at(missingTerminal, list, "Flow JSON should have at least one terminal screen.")
	case !succeeds:
		c.at(invalidValue, list, "At least one terminal screen must have property 'success' set as true.")
	}
}
