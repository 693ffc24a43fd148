package content

import (
	"cmp"
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
	Cards   []*Template // of a carousel
	Named   bool        // parameters go by name
	Code    bool        // the body's parameter is a one-time code
	Types   []string    // of the body's parameters, for templates from the library
	offer   bool        // it has an offer whose end a send must tell
	alone   bool        // there is nothing but a body
	titleN  []string    // variables of the header, in order
	bodyN   []string    // variables of the body, in order
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
	if !slices.ContainsFunc(names, func(name string) bool { return strings.Trim(name, "0123456789") != "" }) {
		// Numbers say themselves which parameter they take.
		slices.SortFunc(names, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	}
	return names
}

// Compile reads a template's components as Meta lists them.
func Compile(components json.RawMessage, named bool) (*Template, error) {
	var list []struct {
		Type    string   `json:"type"`
		Format  string   `json:"format"`
		Text    string   `json:"text"`
		Buttons []Button `json:"buttons"`
		Cards   []struct {
			Components json.RawMessage `json:"components"`
		} `json:"cards"`
		Offer struct {
			Expiration bool `json:"has_expiration"`
		} `json:"limited_time_offer"`
	}
	if err := json.Unmarshal(components, &list); err != nil {
		return nil, fmt.Errorf("template components: %w", err)
	}
	t := &Template{Named: named, alone: len(list) == 1}
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
			for _, card := range c.Cards {
				parts := card.Components
				if parts == nil {
					parts = json.RawMessage("[]")
				}
				compiled, err := Compile(parts, named)
				if err != nil {
					return nil, err
				}
				t.Cards = append(t.Cards, compiled)
			}
		case "LIMITED_TIME_OFFER":
			t.offer = c.Offer.Expiration
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

// Rendered is what the customer sees of a template message.
type Rendered struct {
	Header  string     `json:"header,omitempty"`
	Body    string     `json:"body"`
	Footer  string     `json:"footer,omitempty"`
	Buttons []string   `json:"buttons,omitempty"`
	Cards   []Rendered `json:"cards,omitempty"`
}

// Render fills the template's texts with the parameters of a send that passed Check.
func (t *Template) Render(p graph.Params) Rendered {
	c := &checker{}
	n := c.object(&node{m: p, index: -1}, "template")
	if n == nil {
		return Rendered{Body: t.Body}
	}
	return t.render(c.components(n))
}

func (t *Template) render(s sent) Rendered {
	r := Rendered{Header: fill(t.Title, t.titleN, s.header), Body: fill(t.Body, t.bodyN, s.body), Footer: t.Footer}
	for _, b := range t.Buttons {
		r.Buttons = append(r.Buttons, b.Text)
	}
	brought := make([]sent, len(t.Cards))
	for _, card := range s.cards {
		text, _ := graph.Scalar(card.m["card_index"])
		if i, err := strconv.Atoi(text); err == nil && i >= 0 && i < len(brought) {
			brought[i] = (&checker{}).components(card)
		}
	}
	for i, card := range t.Cards {
		r.Cards = append(r.Cards, card.render(brought[i]))
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
