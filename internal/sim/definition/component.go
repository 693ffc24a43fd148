package definition

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Component is one part of a template as Meta lists it.
type Component struct {
	Type     string   `json:"type"`
	Format   string   `json:"format,omitempty"` // of a header
	Text     string   `json:"text,omitempty"`
	Security *bool    `json:"add_security_recommendation,omitempty"`
	Minutes  int      `json:"code_expiration_minutes,omitempty"`
	Offer    *Offer   `json:"limited_time_offer,omitempty"`
	Buttons  []Button `json:"buttons,omitempty"`
	Cards    []Card   `json:"cards,omitempty"`
	Example  *Example `json:"example,omitempty"`
}

// Card is one card of a carousel.
type Card struct {
	Components []Component `json:"components"`
}

// Offer is the banner of a limited-time offer.
type Offer struct {
	Text       string `json:"text"`
	Expiration bool   `json:"has_expiration"`
}

// Example has the samples of a component's variables or media.
type Example struct {
	HeaderText   []string   `json:"header_text,omitempty"`
	HeaderNamed  []Sample   `json:"header_text_named_params,omitempty"`
	HeaderHandle []string   `json:"header_handle,omitempty"`
	BodyText     [][]string `json:"body_text,omitempty"`
	BodyNamed    []Sample   `json:"body_text_named_params,omitempty"`
}

// Sample is the example of a named variable.
type Sample struct {
	Name  string `json:"param_name"`
	Value string `json:"example"`
}

// Longest texts in characters.
const (
	maxHeader    = 60
	maxBody      = 1024
	maxOfferBody = 600
	maxCardBody  = 160
	maxFooter    = 60
	maxOffer     = 16
)

// reader takes the components of one template apart. It keeps the first complaint, after which its methods do nothing, so that
// rules read as a list.
type reader struct {
	d   *Definition
	o   Options
	err *graph.Error
	// loose is a positional body without examples in a definition that names no parameter_format.
	loose bool
}

func (r *reader) refuse(subcode int, format string, args ...any) {
	if r.err == nil {
		r.err = Refuse(subcode, format, args...)
	}
}

func (r *reader) fail(err *graph.Error) {
	if r.err == nil {
		r.err = err
	}
}

func (d *Definition) components(p graph.Params, o Options) *graph.Error {
	r := &reader{d: d, o: o, loose: !o.Examples && p["parameter_format"] == nil}
	parts := r.objects(p, "components")
	if r.err == nil && len(parts) == 0 {
		r.fail(graph.Param("The parameter components is required."))
	}
	list := r.parts(parts, false)
	if r.err == nil {
		r.together(list)
	}
	if r.err != nil {
		return r.err
	}
	d.Components = list
	return nil
}

// objects returns a member that is a list of objects, nil when it is absent.
func (r *reader) objects(m map[string]any, key string) []map[string]any {
	if r.err != nil || m[key] == nil {
		return nil
	}
	list, ok := m[key].([]any)
	if !ok {
		r.fail(graph.Param("Param %s must be an array.", key))
		return nil
	}
	objects := make([]map[string]any, len(list))
	for i, v := range list {
		if objects[i], ok = v.(map[string]any); !ok {
			r.fail(graph.Param("Param %s[%d] must be a JSON object.", key, i))
			return nil
		}
	}
	return objects
}

// parts reads the components of a template, or of one card of a carousel.
func (r *reader) parts(list []map[string]any, card bool) (read []Component) {
	kinds := []string{"HEADER", "BODY", "FOOTER", "BUTTONS", "CAROUSEL", "LIMITED_TIME_OFFER", "CALL_PERMISSION_REQUEST"}
	if card {
		kinds = []string{"HEADER", "BODY", "BUTTONS"}
	}
	for _, m := range list {
		kind, err := word(m, "type", kinds...)
		if err != nil {
			r.fail(err)
			return nil
		}
		if slices.ContainsFunc(read, func(c Component) bool { return c.Type == kind }) {
			r.refuse(BadComponent, "A template has at most one component of type %s.", kind)
		}
		c := Component{Type: kind}
		switch kind {
		case "HEADER":
			r.header(&c, m)
		case "BODY":
			limit := maxBody
			if card {
				limit = maxCardBody
			}
			r.body(&c, m, limit)
		case "FOOTER":
			r.footer(&c, m)
		case "BUTTONS":
			c.Buttons = r.buttons(m, card)
		case "CAROUSEL":
			c.Cards = r.cards(m)
		case "LIMITED_TIME_OFFER":
			r.offer(&c, m)
		}
		if r.err != nil {
			return nil
		}
		read = append(read, c)
	}
	return read
}

// text reads a required string of at most limit characters.
func (r *reader) text(m map[string]any, key string, limit int, what string) string {
	s, ok := graph.Scalar(m[key])
	switch {
	case r.err != nil:
	case m[key] != nil && !ok:
		r.fail(graph.Param("Param %s must be a string.", key))
	case strings.TrimSpace(s) == "":
		r.refuse(MissingField, "The %s is missing expected field(s) (%s).", what, key)
	case utf8.RuneCountInString(s) > limit:
		r.refuse(TooLong, "The %s must have at most %d characters in %s.", what, limit, key)
	default:
		return s
	}
	return ""
}

var decoration = regexp.MustCompile("[*_~`]|\n|\t")

func (r *reader) header(c *Component, m map[string]any) {
	var err *graph.Error
	if c.Format, err = word(m, "format", "TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "PRODUCT", "GIF"); err != nil {
		r.fail(err)
		return
	}
	switch c.Format {
	case "LOCATION", "PRODUCT":
		return
	case "IMAGE", "VIDEO", "DOCUMENT", "GIF":
		c.Example = r.handle(m, c.Format)
		return
	}
	c.Text = r.text(m, "text", maxHeader, "header")
	if r.err != nil {
		return
	}
	list, names, err := r.d.placeholders(c.Text, BadHeader, "header")
	r.fail2(err)
	if plain := squeezed(c.Text, list); decoration.MatchString(plain) || strings.ContainsFunc(plain, emoji) {
		r.refuse(BadHeader, "The header can't have new lines, formatting characters, emojis or asterisks.")
	}
	if len(names) > 1 {
		r.refuse(BadHeader, "The header can have one variable.")
	}
	if r.err == nil && len(names) > 0 {
		c.Example = &Example{}
		if r.d.Format == Named {
			c.Example.HeaderNamed = r.named(m, "header_text_named_params", names, "HEADER")
		} else {
			c.Example.HeaderText = r.strings(member(m, "example"), "header_text", len(names), "HEADER")
		}
	}
}

// fail2 is fail for a complaint that may be none.
func (r *reader) fail2(err *graph.Error) {
	if err != nil {
		r.fail(err)
	}
}

func emoji(c rune) bool { return c >= 0x1F000 || c >= 0x2600 && c <= 0x27BF }

// blanks are what a body can't have: three line breaks, five blanks, or a tab.
var blanks = regexp.MustCompile(`\n\s*\n\s*\n| {5}|\t`)

func (r *reader) body(c *Component, m map[string]any, limit int) {
	if r.d.Category == Authentication {
		r.codeBody(c, m)
		return
	}
	c.Text = r.text(m, "text", limit, "body")
	if r.err != nil {
		return
	}
	list, names, err := r.d.placeholders(c.Text, BadBody, "body")
	if err == nil {
		err = placed(c.Text, list)
	}
	r.fail2(err)
	if blanks.MatchString(c.Text) {
		r.refuse(BadBody, "The body can't have tabs, more than two line breaks or more than four spaces in a row.")
	}
	if r.err != nil || len(names) == 0 {
		return
	}
	if r.d.Format == Named {
		c.Example = &Example{BodyNamed: r.named(m, "body_text_named_params", names, "BODY")}
		return
	}
	if m["example"] == nil && r.loose {
		return
	}
	rows, _ := member(m, "example")["body_text"].([]any)
	if len(rows) == 0 {
		r.missing("BODY")
		return
	}
	row, ok := rows[0].([]any)
	if !ok {
		r.fail(graph.Param("Param example['body_text'][0] must be an array."))
		return
	}
	c.Example = &Example{BodyText: [][]string{r.strings(map[string]any{"body_text": row}, "body_text", len(names), "BODY")}}
}

func (r *reader) footer(c *Component, m map[string]any) {
	if r.d.Category == Authentication {
		r.codeFooter(c, m)
		return
	}
	c.Text = r.text(m, "text", maxFooter, "footer")
	if list, problem := scan(c.Text); len(list) > 0 || problem != "" {
		r.refuse(BadFooter, "The footer can't have variables.")
	}
	if strings.Contains(c.Text, "\n") {
		r.refuse(BadFooter, "The footer can't have line breaks.")
	}
}

func (r *reader) offer(c *Component, m map[string]any) {
	o := member(m, "limited_time_offer")
	c.Offer = &Offer{Text: r.text(o, "text", maxOffer, "limited-time offer")}
	expires, _ := graph.Scalar(o["has_expiration"])
	c.Offer.Expiration = expires == "true"
}

func member(m map[string]any, key string) map[string]any {
	o, _ := m[key].(map[string]any)
	return o
}

func (r *reader) missing(component string) {
	r.refuse(MissingField, "component of type %s is missing expected field(s) (example)", component)
}

// strings reads the examples of positional variables.
func (r *reader) strings(m map[string]any, key string, want int, component string) []string {
	list, _ := m[key].([]any)
	if len(list) != want {
		r.missing(component)
		return nil
	}
	values := make([]string, len(list))
	for i, v := range list {
		if values[i], _ = graph.Scalar(v); values[i] == "" {
			r.missing(component)
		}
	}
	return values
}

// named reads the examples of named variables: one for each, in the order of the text.
func (r *reader) named(m map[string]any, key string, names []string, component string) []Sample {
	given := map[string]string{}
	for _, o := range r.objects(member(m, "example"), key) {
		name, _ := graph.Scalar(o["param_name"])
		given[name], _ = graph.Scalar(o["example"])
	}
	if len(given) != len(names) {
		r.missing(component)
	}
	samples := make([]Sample, len(names))
	for i, name := range names {
		if samples[i] = (Sample{name, given[name]}); given[name] == "" {
			r.missing(component)
		}
	}
	return samples
}

// together checks which components a template may combine.
func (r *reader) together(list []Component) {
	has := map[string]*Component{}
	for i := range list {
		has[list[i].Type] = &list[i]
	}
	switch {
	case has["BODY"] == nil:
		r.refuse(MissingField, "The template is missing a component of type BODY.")
	case r.d.Category == Authentication:
		r.codeParts(has)
	case has["CAROUSEL"] != nil && (has["HEADER"] != nil || has["FOOTER"] != nil || has["BUTTONS"] != nil || has["LIMITED_TIME_OFFER"] != nil):
		r.refuse(BadComponent, "Beside a CAROUSEL a template can only have a BODY.")
	case has["LIMITED_TIME_OFFER"] != nil:
		r.offerParts(has)
	}
}

// offerParts checks what surrounds a limited-time offer.
func (r *reader) offerParts(has map[string]*Component) {
	header, buttons := has["HEADER"], has["BUTTONS"]
	switch {
	case r.d.Category != Marketing:
		r.refuse(BadComponent, "A LIMITED_TIME_OFFER needs the category MARKETING.")
	case has["FOOTER"] != nil:
		r.refuse(BadComponent, "A template with a LIMITED_TIME_OFFER can't have a FOOTER.")
	case header != nil && header.Format != "IMAGE" && header.Format != "VIDEO":
		r.refuse(BadHeader, "Beside a LIMITED_TIME_OFFER the header must be an image or a video.")
	case utf8.RuneCountInString(has["BODY"].Text) > maxOfferBody:
		r.refuse(TooLong, "Beside a LIMITED_TIME_OFFER the body can have %d characters.", maxOfferBody)
	case buttons == nil:
		r.refuse(MissingField, "A LIMITED_TIME_OFFER needs buttons.")
	case len(buttons.Buttons) > 2 || buttons.Buttons[len(buttons.Buttons)-1].Type != "URL" ||
		len(buttons.Buttons) == 2 && buttons.Buttons[0].Type != "COPY_CODE":
		r.refuse(BadComponent, "A LIMITED_TIME_OFFER has a COPY_CODE button, then a URL button.")
	}
}

// JSON renders the components as Meta lists them.
func (d *Definition) JSON() json.RawMessage {
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(d.Components); err != nil {
		panic("definition: " + err.Error()) // plain strings, numbers and lists
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n"))
}

// Part returns the component of a type, or nil.
func (d *Definition) Part(kind string) *Component {
	for i := range d.Components {
		if d.Components[i].Type == kind {
			return &d.Components[i]
		}
	}
	return nil
}
