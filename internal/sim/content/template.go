package content

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Template is an approved template, reduced to what a send is checked against and rendered with.
type Template struct {
	Header  string // "", TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, PRODUCT
	Title   string // text of a TEXT header
	Body    string
	Footer  string
	Buttons []Button
	Cards   int      // of a carousel
	Named   bool     // parameters go by name
	titleN  []string // variables of the header, in order
	bodyN   []string // variables of the body, in order
}

// Button is one button of a template.
type Button struct {
	Type string `json:"type"` // QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, OTP, FLOW, …
	Text string `json:"text"`
	URL  string `json:"url"`
}

// variable reports whether the button's address ends in a variable that a send has to fill.
func (b Button) variable() bool { return b.Type == "URL" && strings.Contains(b.URL, "{{") }

var variable = regexp.MustCompile(`\{\{\s*([0-9a-z_]+)\s*\}\}`)

func variables(text string) []string {
	var names []string
	seen := map[string]bool{}
	for _, m := range variable.FindAllStringSubmatch(text, -1) {
		if !seen[m[1]] {
			seen[m[1]] = true
			names = append(names, m[1])
		}
	}
	return names
}

// Compile reads a template's components as Meta lists them.
func Compile(components json.RawMessage, named bool) (*Template, error) {
	var list []struct {
		Type    string            `json:"type"`
		Format  string            `json:"format"`
		Text    string            `json:"text"`
		Buttons []Button          `json:"buttons"`
		Cards   []json.RawMessage `json:"cards"`
	}
	if err := json.Unmarshal(components, &list); err != nil {
		return nil, fmt.Errorf("template components: %w", err)
	}
	t := &Template{Named: named}
	for _, c := range list {
		switch strings.ToUpper(c.Type) {
		case "HEADER":
			t.Header, t.Title = strings.ToUpper(c.Format), c.Text
			if t.Header == "TEXT" {
				t.titleN = variables(c.Text)
			}
		case "BODY":
			t.Body, t.bodyN = c.Text, variables(c.Text)
		case "FOOTER":
			t.Footer = c.Text
		case "BUTTONS":
			for _, b := range c.Buttons {
				b.Type = strings.ToUpper(b.Type)
				t.Buttons = append(t.Buttons, b)
			}
		case "CAROUSEL":
			t.Cards = len(c.Cards)
		}
	}
	return t, nil
}

// Ref returns the name and language a send asks for, or Meta's complaint about their form.
func Ref(p graph.Params) (name, language string, err *graph.Error) {
	c := &checker{}
	t := c.object(&node{m: p, index: -1}, "template")
	if t == nil {
		return "", "", c.err
	}
	name = c.text(t, "name", 512)
	if lang := c.object(t, "language"); lang != nil {
		language = c.text(lang, "code", 0)
		if lang.has("policy") {
			c.oneOf(lang, "policy", "deterministic")
		}
	}
	return name, language, c.err
}

// sent is what a send brought for each part of the template.
type sent struct {
	header, body []*node
	buttons      map[int]*node
	cards        []*node
}

// Check compares a send's components with the template and returns Meta's complaint, or nil. Everything the template leaves
// variable must be given exactly, nothing else may be.
func (t *Template) Check(p graph.Params) *graph.Error {
	c := &checker{}
	n := c.object(&node{m: p, index: -1}, "template")
	if n == nil {
		return c.err
	}
	s := c.components(n)
	if c.err != nil {
		return c.err
	}
	t.checkHeader(c, s.header)
	t.checkTexts(c, "body", t.bodyN, s.body, maxBody*32)
	t.checkButtons(c, s.buttons)
	if t.Cards != len(s.cards) {
		c.fail(graph.Fail(132000, fmt.Sprintf("carousel: number of cards (%d) does not match the expected number of cards (%d)",
			len(s.cards), t.Cards)))
	}
	return c.err
}

func (c *checker) components(n *node) sent {
	s := sent{buttons: map[int]*node{}}
	for _, comp := range c.array(n, "components", 0, 0) {
		kind := c.oneOf(comp, "type", "header", "body", "footer", "button", "carousel", "limited_time_offer", "order_status",
			"tap_target_configuration", "call_permission_request")
		switch kind {
		case "header":
			s.header = c.array(comp, "parameters", 0, 0)
		case "body":
			s.body = c.array(comp, "parameters", 0, 0)
		case "button":
			index, err := strconv.Atoi(c.text(comp, "index", 0))
			c.oneOf(comp, "sub_type", "quick_reply", "url", "copy_code", "catalog", "mpm", "flow", "order_details", "voice_call",
				"phone_number")
			if c.err == nil && (err != nil || index < 0 || index > 9) {
				c.fail(graph.Param("Param %s must be a number between 0 and 9.", comp.path("index")))
			}
			s.buttons[index] = comp
		case "carousel":
			s.cards = c.array(comp, "cards", 1, 10)
		}
	}
	return s
}

func (t *Template) checkHeader(c *checker, params []*node) {
	switch t.Header {
	case "", "TEXT":
		t.checkTexts(c, "header", t.titleN, params, maxHeader)
		return
	}
	received := "UNKNOWN"
	if len(params) == 1 {
		if kind, ok := graph.Scalar(params[0].m["type"]); ok {
			received = strings.ToUpper(kind)
		}
	}
	if received != t.Header {
		c.fail(graph.Fail(132012, "header: Format mismatch, expected "+t.Header+", received "+received))
		return
	}
	object := strings.ToLower(t.Header)
	switch value := c.object(params[0], object); {
	case value == nil:
	case object == "location":
		checkLocation(c, value)
	case object != "product":
		checkMedia(c, value, false)
	}
}

func (t *Template) checkTexts(c *checker, part string, want []string, params []*node, limit int) {
	if c.err != nil {
		return
	}
	if len(params) != len(want) {
		c.fail(graph.Fail(132000, fmt.Sprintf("%s: number of localizable_params (%d) does not match the expected number of params (%d)",
			part, len(params), len(want))))
		return
	}
	for _, p := range params {
		kind := c.oneOf(p, "type", "text", "currency", "date_time", "image", "video", "document", "location")
		switch kind {
		case "text":
			t.checkText(c, p, want, limit)
		case "currency", "date_time":
			if o := c.object(p, kind); o != nil {
				c.text(o, "fallback_value", 0)
			}
		case "":
		default:
			c.fail(graph.Fail(132012, part+": Format mismatch, expected TEXT, received "+strings.ToUpper(kind)))
		}
	}
}

func (t *Template) checkText(c *checker, p *node, want []string, limit int) {
	if !p.has("text") {
		c.fail(graph.Invalid("Parameter 'text' is mandatory for component parameter type 'text'"))
		return
	}
	text, ok := p.m["text"].(string)
	switch {
	case ok && text == "":
		c.missing("Parameter of type text is missing text value")
	case strings.ContainsAny(text, "\n\t\r") || strings.Contains(text, "     "):
		c.fail(graph.Fail(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"))
	default:
		c.text(p, "text", limit)
	}
	if t.Named {
		name := c.text(p, "parameter_name", 0)
		if c.err == nil && !slices.Contains(want, name) {
			c.fail(graph.Fail(132000, "parameter name "+name+" is not expected by the template"))
		}
	}
}

func (t *Template) checkButtons(c *checker, given map[int]*node) {
	for i, b := range t.Buttons {
		n := given[i]
		if n == nil {
			if b.variable() || b.Type == "OTP" || b.Type == "COPY_CODE" {
				c.missing(fmt.Sprintf("buttons: Button at index %d of type %s requires a parameter", i, title(b.Type)))
			}
			continue
		}
		params := c.array(n, "parameters", 0, 1)
		if len(params) == 0 {
			if b.variable() {
				c.missing(fmt.Sprintf("buttons: Button at index %d of type %s requires a parameter", i, title(b.Type)))
			}
			continue
		}
		switch {
		case b.Type == "URL" && !b.variable():
			c.fail(graph.Fail(132018, fmt.Sprintf("buttons: Button at index %d of type Url does not require parameters", i)))
		case b.Type == "URL" || b.Type == "OTP":
			c.text(params[0], "text", 2000)
		case b.Type == "QUICK_REPLY":
			c.maybe(params[0], "payload", 128)
		case b.Type == "COPY_CODE":
			c.text(params[0], "coupon_code", 20)
		}
	}
	for i := range given {
		if i >= len(t.Buttons) {
			c.fail(graph.Fail(132000, fmt.Sprintf("buttons: Button at index %d does not exist in the template", i)))
		}
	}
}

func title(kind string) string { return kind[:1] + strings.ToLower(kind[1:]) }

// Rendered is what the customer sees of a template message.
type Rendered struct {
	Header  string   `json:"header,omitempty"`
	Body    string   `json:"body"`
	Footer  string   `json:"footer,omitempty"`
	Buttons []string `json:"buttons,omitempty"`
}

// Render fills the template's texts with the parameters of a send that passed Check.
func (t *Template) Render(p graph.Params) Rendered {
	c := &checker{}
	n := c.object(&node{m: p, index: -1}, "template")
	if n == nil {
		return Rendered{Body: t.Body}
	}
	s := c.components(n)
	r := Rendered{Header: fill(t.Title, t.titleN, s.header), Body: fill(t.Body, t.bodyN, s.body), Footer: t.Footer}
	for _, b := range t.Buttons {
		r.Buttons = append(r.Buttons, b.Text)
	}
	return r
}

func fill(text string, names []string, params []*node) string {
	values := map[string]string{}
	for i, p := range params {
		name, _ := p.m["parameter_name"].(string)
		if name == "" && i < len(names) {
			name = names[i]
		}
		values[name] = shown(p)
	}
	return variable.ReplaceAllStringFunc(text, func(v string) string { return values[strings.Trim(v, "{} ")] })
}

func shown(p *node) string {
	if s, ok := graph.Scalar(p.m["text"]); ok {
		return s
	}
	for _, kind := range []string{"currency", "date_time"} {
		if m, ok := p.m[kind].(map[string]any); ok {
			s, _ := graph.Scalar(m["fallback_value"])
			return s
		}
	}
	s, _ := graph.Scalar(p.m["fallback_value"])
	return s
}

// Missing is Meta's answer when no approved translation matches.
func Missing(name, language string) *graph.Error {
	e := graph.Fail(132001, fmt.Sprintf("template name (%s) does not exist in %s", name, language))
	e.HTTP = http.StatusNotFound
	return e
}
