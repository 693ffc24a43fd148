package template

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Meta's subcodes of refused definitions (code 100), where they are known.
const (
	codeTooLong   = 2388040
	codeExample   = 2388043
	codeHeader    = 2388047
	codeBody      = 2388072
	codeFooter    = 2388073
	codeTooMany   = 2388293
	codeEdge      = 2388299
	codeDuplicate = 2388024
)

// Limits, in characters or pieces.
const (
	maxNameLength  = 512
	maxHeader      = 60
	maxBody        = 1024
	maxOfferBody   = 600
	maxCardBody    = 160
	maxFooter      = 60
	maxOfferText   = 16
	maxButtons     = 10
	maxCardButtons = 2
	maxLabel       = 25
	maxURL         = 2000
	maxPhone       = 20
	maxCoupon      = 20
	minCards       = 2
	maxCards       = 10
	maxSupported   = 5 // apps of a one-tap button
)

// Lint checks a definition as CreateWhatsAppMessageTemplate takes it and returns everything that is wrong with it. Members
// nobody knows are ignored: what is copied from a listing carries an id and a status.
func Lint(definition []byte) []Problem {
	l := &linter{}
	root, err := parse(definition)
	if err != nil {
		l.refuse(value{}, 0, "is not a JSON object", "give the template as one JSON object")
		return l.list
	}
	l.envelope(root)
	if root.has("library_template_name") {
		return l.list // the content is Meta's own
	}
	l.components(root.get("components"), false)
	return l.list
}

// LintEdit checks new components of an existing template. They replace the old ones, so they have to be complete.
func LintEdit(t *Template, components []byte) []Problem {
	l := &linter{category: t.Category, language: t.Language, format: t.Format}
	root, err := parse(append(append([]byte(`{"components":`), components...), '}'))
	if err != nil {
		l.refuse(value{path: "components"}, 0, "is not JSON", "give an array of components")
		return l.list
	}
	if !root.get("components").isArray() && root.get("components").has("components") {
		root = root.get("components") // the whole definition, or its member
		root.path = ""
	}
	l.components(root.get("components"), false)
	return l.list
}

// linter checks one definition.
type linter struct {
	findings
	category Category // "" when it is wrong
	language string   // "" when it is wrong or not told
	format   Format
}

var (
	nameForm     = regexp.MustCompile(`^[a-z0-9_]+$`)
	languageForm = regexp.MustCompile(`^[a-z]{2,3}(_[A-Z]{2})?$`)
)

// envelope checks what stands around the components.
func (l *linter) envelope(root value) {
	name := root.get("name")
	switch s := name.str(); {
	case s == "":
		l.refuse(name, 0, "is required", "name the template")
	case length(s) > maxNameLength:
		l.refuse(name, codeTooLong, fmt.Sprintf("is longer than %d characters", maxNameLength), "shorten it")
	case !nameForm.MatchString(s):
		l.refuse(name, 0, "has characters other than lower-case letters, digits and underscores", "rename it, as in "+suggestName(s))
	}
	language := root.get("language")
	switch s := language.str(); {
	case s == "":
		l.refuse(language, 0, "is required", "give a language code such as en_US")
	case !languageForm.MatchString(s):
		l.refuse(language, 0, "is not a language code", "use a form such as en or en_US")
	case !knownLanguage(s):
		l.doubt(language, 0, "is not among the languages Meta is known to support", "check the code")
	default:
		l.language = s
	}
	l.category = l.oneOf(root.get("category"), string(Marketing), string(Utility), string(Authentication))
	l.format = Positional
	if f := root.get("parameter_format"); f.v != nil {
		l.format = Format(l.oneOf(f, string(Positional), string(Named)))
	}
	l.timeToLive(root.get("message_send_ttl_seconds"))
}

// oneOf demands one of a few words and returns it, or "".
func (l *linter) oneOf(v value, allowed ...string) Category {
	if word := v.word(); slices.Contains(allowed, word) {
		return Category(word)
	}
	text := "must be " + strings.Join(allowed, " or ")
	if v.v == nil {
		text = "is required"
	}
	l.refuse(v, 0, text, "use one of "+strings.Join(allowed, ", "))
	return ""
}

func suggestName(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '_', r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		default:
			return '_'
		}
	}, strings.ToLower(s))
	return s
}

// timeToLive checks how long Meta keeps trying to deliver; the bounds depend on the category.
func (l *linter) timeToLive(v value) {
	if v.v == nil || l.category == "" {
		return
	}
	least, most := int64(30), int64(43_200)
	switch l.category {
	case Authentication:
		most = 900
	case Marketing:
		least, most = 43_200, 2_592_000
	}
	n, ok := v.whole()
	if ok && (n >= least && n <= most || n == -1 && l.category != Marketing) {
		return
	}
	l.refuse(v, 0, fmt.Sprintf("must be %d to %d seconds for %s", least, most, l.category), "change it, or leave it out for Meta's default")
}

// content is the components of a template or card by what they are.
type content struct {
	at                                             value // of the list
	header, body, footer, buttons, offer, carousel value
	kinds                                          []string // in order
}

// sort finds the components, and what is wrong with their number and kind.
func (l *linter) sort(list value, card bool) (c content) {
	c.at = list
	if !list.isArray() || len(list.list()) == 0 {
		text := "must be an array of at least one component"
		if list.v == nil {
			text = "is required"
		}
		l.refuse(list, 0, text, "give at least a BODY")
		return c
	}
	for _, one := range list.list() {
		kind := one.get("type").word()
		if kind == "" {
			l.refuse(one.get("type"), 0, "is required", "say which component this is: HEADER, BODY, FOOTER, BUTTONS, …")
			continue
		}
		if slices.Contains(c.kinds, kind) {
			l.refuse(one, 0, "is a second "+kind, "leave one")
			continue
		}
		c.kinds = append(c.kinds, kind)
		switch kind {
		case "HEADER":
			c.header = one
		case "BODY":
			c.body = one
		case "FOOTER":
			c.footer = one
		case "BUTTONS":
			c.buttons = one
		case "LIMITED_TIME_OFFER":
			c.offer = one
		case "CAROUSEL":
			c.carousel = one
		case "CALL_PERMISSION_REQUEST", "ORDER_STATUS", "TAP_TARGET_CONFIGURATION":
		default:
			l.doubt(one.get("type"), 0, "is not a component Meta is known to have", "check the spelling")
		}
		if card && !slices.Contains([]string{"HEADER", "BODY", "BUTTONS"}, kind) {
			l.refuse(one.get("type"), 0, "cannot be part of a card", "cards have a header, a body and buttons")
		}
	}
	return c
}

// components checks the components of a template, or of one card.
func (l *linter) components(list value, card bool) content {
	c := l.sort(list, card)
	if len(c.kinds) == 0 {
		return c
	}
	if c.body.v == nil && !card {
		l.refuse(list, codeBody, "has no BODY", "every template needs a body")
	}
	switch {
	case l.category == Authentication && !card:
		l.authentication(c)
		return c
	case card:
		l.cardContent(c)
	default:
		l.header(c.header)
		l.body(c.body, maxBody)
		l.footer(c.footer)
		l.buttons(c.buttons, maxButtons)
	}
	if c.offer.v != nil {
		l.limitedOffer(c)
	}
	if c.carousel.v != nil {
		l.carousel(c)
	}
	return c
}

func (l *linter) header(h value) {
	if h.v == nil {
		return
	}
	format := h.get("format")
	switch word := format.word(); word {
	case "TEXT", "":
		if word == "" && !h.has("text") {
			l.refuse(format, codeHeader, "is required", "say TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION")
			return
		}
		text := h.get("text")
		if s := text.str(); strings.ContainsAny(s, "\n\r") {
			l.refuse(text, codeHeader, "has a line break", "headers are one line")
		} else if strings.ContainsAny(s, "*~`") || hasEmoji(s) {
			l.doubt(text, codeHeader, "has formatting or emoji", "headers are plain text")
		}
		found := l.text(text, maxHeader, codeHeader)
		if len(names(found)) > 1 {
			l.refuse(text, codeHeader, "has more than one variable", "headers can have one")
		}
		l.examples(h, text, "header_text", found)
		l.meaning(text)
	case "IMAGE", "VIDEO", "DOCUMENT", "GIF":
		l.handle(h.get("example").get("header_handle"), word)
	case "LOCATION", "PRODUCT":
	default:
		l.doubt(format, codeHeader, "is not a kind of header Meta is known to have", "use TEXT, IMAGE, VIDEO, DOCUMENT or LOCATION")
	}
}

// handle checks the sample of a media header.
func (l *linter) handle(v value, kind string) {
	if v.isArray() && v.at(0).v != nil {
		v = v.at(0)
	}
	switch s := v.str(); {
	case s == "":
		l.refuse(v, codeExample, "is required: reviewers want to see a sample of the "+strings.ToLower(kind),
			"upload one with CreateWhatsAppMessageTemplateMedia and give its handle")
	case strings.HasPrefix(s, "http:") || strings.HasPrefix(s, "https:"):
		l.doubt(v, codeExample, "is a URL", "give the handle that CreateWhatsAppMessageTemplateMedia returned")
	}
}

func (l *linter) body(b value, limit int) {
	if b.v == nil {
		return
	}
	text := b.get("text")
	found := l.text(text, limit, codeBody)
	l.edges(text, found)
	l.density(text, found)
	l.examples(b, text, "body_text", found)
	l.meaning(text)
	l.script(text)
}

func (l *linter) footer(f value) {
	if f.v == nil {
		return
	}
	text := f.get("text")
	if found := l.text(text, maxFooter, codeFooter); len(found.variables) > 0 {
		l.refuse(text, codeFooter, "has a variable", "footers are fixed text")
	}
	if strings.ContainsAny(text.str(), "\n\r") {
		l.refuse(text, codeFooter, "has a line break", "footers are one line")
	}
	l.meaning(text)
}
