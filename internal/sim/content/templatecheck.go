package content

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// sent is what a send brought for each part of the template.
type sent struct {
	header, body []*node
	buttons      map[int]*node
	cards        []*node
	offer        *node
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
	t.check(c, s)
	return c.err
}

// check compares what a send brought for the template, or for one card of its carousel.
func (t *Template) check(c *checker, s sent) {
	t.checkHeader(c, s.header)
	t.checkTexts(c, "body", t.bodyN, s.body)
	t.checkButtons(c, s.buttons)
	t.checkOffer(c, s.offer)
	t.checkCards(c, s.cards)
	if c.err == nil {
		t.checkLength(c, s)
	}
}

// checkLength looks at the texts with their variables filled in.
func (t *Template) checkLength(c *checker, s sent) {
	limit := maxBody
	if t.alone {
		limit = maxBody * 32
	}
	if n := filled(t.Body, t.bodyN, s.body); n > limit {
		c.fail(graph.Fail(132005, fmt.Sprintf("body: the text has %d characters with its parameters, more than %d", n, limit)))
	}
	if n := filled(t.Title, t.titleN, s.header); n > maxHeader {
		c.fail(graph.Fail(132005, fmt.Sprintf("header: the text has %d characters with its parameters, more than %d", n, maxHeader)))
	}
}

// filled is how many characters a text has with its parameters; 0 without any, since its length was checked before.
func filled(text string, names []string, params []*node) int {
	if len(names) == 0 {
		return 0
	}
	return utf8.RuneCountInString(fill(text, names, params))
}

func (t *Template) checkOffer(c *checker, given *node) {
	switch {
	case given == nil && t.offer:
		c.missing("Parameter 'limited_time_offer' is mandatory for a template whose offer expires")
	case given != nil && !t.offer:
		c.fail(graph.Fail(132000, "limited_time_offer: number of localizable_params (1) does not match the expected number of params (0)"))
	case given != nil:
		for _, p := range c.array(given, "parameters", 1, 1) {
			if offer := c.object(p, "limited_time_offer"); offer != nil {
				c.number(offer, "expiration_time_ms", 1e15)
			}
		}
	}
}

// checkCards checks every card of a carousel against the card of its index.
func (t *Template) checkCards(c *checker, given []*node) {
	if c.err != nil {
		return
	}
	if len(t.Cards) != len(given) {
		c.fail(graph.Fail(132000, fmt.Sprintf("carousel: number of cards (%d) does not match the expected number of cards (%d)",
			len(given), len(t.Cards))))
		return
	}
	seen := map[int]bool{}
	for _, card := range given {
		text := c.text(card, "card_index", 0)
		index, err := strconv.Atoi(text)
		switch {
		case c.err != nil:
			return
		case err != nil || index < 0 || index >= len(t.Cards) || seen[index]:
			c.fail(graph.Param("Param %s must be a different number for every card, from 0 to %d.", card.path("card_index"), len(t.Cards)-1))
			return
		}
		seen[index] = true
		if brought := c.components(card); c.err == nil {
			t.Cards[index].check(c, brought)
		}
	}
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
		case "limited_time_offer":
			s.offer = comp
		}
	}
	return s
}

func (t *Template) checkHeader(c *checker, params []*node) {
	switch t.Header {
	case "", "TEXT":
		t.checkTexts(c, "header", t.titleN, params)
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

func (t *Template) checkTexts(c *checker, part string, want []string, params []*node) {
	if c.err != nil {
		return
	}
	if len(params) != len(want) {
		c.fail(graph.Fail(132000, fmt.Sprintf("%s: number of localizable_params (%d) does not match the expected number of params (%d)",
			part, len(params), len(want))))
		return
	}
	names := map[string]bool{}
	for i, p := range params {
		kind := c.oneOf(p, "type", "text", "currency", "date_time", "image", "video", "document", "location")
		switch kind {
		case "text":
			text := t.checkText(c, p, want)
			if t.Named && c.err == nil {
				name, _ := graph.Scalar(p.m["parameter_name"])
				if names[name] {
					c.fail(graph.Fail(132000, part+": the parameter "+name+" is given twice"))
				}
				names[name] = true
			}
			if part == "body" && i < len(t.Types) && c.err == nil && !fits(t.Types[i], text) {
				c.fail(graph.Fail(132012, fmt.Sprintf("body: Format mismatch at parameter %d, expected %s", i+1, t.Types[i])))
			}
			if part == "body" && t.Code {
				c.code(text)
			}
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

// fits reports whether a text can be a parameter of the library's type.
func fits(kind, text string) bool {
	digits := strings.ContainsAny(text, "0123456789")
	switch kind {
	case "NUMBER":
		return digits && strings.Trim(text, "0123456789 .,-") == ""
	case "AMOUNT", "DATE":
		return digits
	case "PHONE NUMBER":
		return digits && strings.Trim(text, "0123456789 +().-") == ""
	case "EMAIL":
		at := strings.IndexByte(text, '@')
		return at > 0 && strings.Contains(text[at:], ".") && !strings.Contains(text, " ")
	}
	return true
}

// maxCode is the longest one-time code.
const maxCode = 15

// code checks a one-time code: short, no address, no emoji.
func (c *checker) code(text string) {
	switch {
	case c.err != nil:
	case utf8.RuneCountInString(text) > maxCode:
		c.fail(graph.Fail(132005, "a one-time code can have "+itoa(maxCode)+" characters"))
	case strings.Contains(text, "://") || strings.ContainsFunc(text, func(r rune) bool { return r >= 0x2600 }):
		c.fail(graph.Fail(132007, "a one-time code can't have an address or an emoji"))
	}
}

func (t *Template) checkText(c *checker, p *node, want []string) string {
	if !p.has("text") {
		c.fail(graph.Invalid("Parameter 'text' is mandatory for component parameter type 'text'"))
		return ""
	}
	text, ok := p.m["text"].(string)
	switch {
	case ok && text == "":
		c.missing("Parameter of type text is missing text value")
	case strings.ContainsAny(text, "\n\t\r") || strings.Contains(text, "     "):
		c.fail(graph.Fail(132018, "Param text cannot have new-line/tab characters or more than 4 consecutive spaces"))
	default:
		text = c.text(p, "text", 0)
	}
	if t.Named {
		name := c.text(p, "parameter_name", 0)
		if c.err == nil && !slices.Contains(want, name) {
			c.fail(graph.Fail(132000, "parameter name "+name+" is not expected by the template"))
		}
	}
	return text
}

// subTypes are the words by which a send names the buttons it has parameters for.
var subTypes = map[string]string{"QUICK_REPLY": "quick_reply", "URL": "url", "OTP": "url", "COPY_CODE": "copy_code", "CATALOG": "catalog",
	"MPM": "mpm", "FLOW": "flow", "ORDER_DETAILS": "order_details", "VOICE_CALL": "voice_call", "PHONE_NUMBER": "phone_number"}

func (t *Template) checkButtons(c *checker, given map[int]*node) {
	for i, b := range t.Buttons {
		n := given[i]
		if n == nil {
			if b.variable() || b.Type == "OTP" || b.Type == "COPY_CODE" {
				c.missing(fmt.Sprintf("buttons: Button at index %d of type %s requires a parameter", i, title(b.Type)))
			}
			continue
		}
		if got := strings.ToLower(c.text(n, "sub_type", 0)); c.err == nil && subTypes[b.Type] != "" && got != subTypes[b.Type] {
			c.fail(graph.Fail(132018, fmt.Sprintf("buttons: Button at index %d is of type %s, not %s", i, title(b.Type), got)))
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
			if text := c.text(params[0], "text", 2000); t.Code {
				c.code(text)
			}
		case b.Type == "QUICK_REPLY":
			c.maybe(params[0], "payload", 128)
		case b.Type == "COPY_CODE":
			c.text(params[0], "coupon_code", 20)
		case b.Type == "MPM":
			checkProducts(c, params[0])
		}
	}
	for i := range given {
		if i >= len(t.Buttons) {
			c.fail(graph.Fail(132000, fmt.Sprintf("buttons: Button at index %d does not exist in the template", i)))
		}
	}
}

// checkProducts checks the products of a multi-product button: at most 30 in 10 sections.
func checkProducts(c *checker, p *node) {
	action := c.object(p, "action")
	if action == nil {
		return
	}
	total := 0
	for _, section := range c.array(action, "sections", 1, 10) {
		for _, item := range c.array(section, "product_items", 1, 0) {
			total++
			c.text(item, "product_retailer_id", 0)
		}
	}
	if total > 30 {
		c.invalid("Total product count exceed max allowed count: 30")
	}
}

func title(kind string) string { return kind[:1] + strings.ToLower(kind[1:]) }
