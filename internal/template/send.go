package template

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Meta's codes of messages refused because of their template.
const (
	codeCount       = 132000 // number of parameters
	codeNotThere    = 132001
	codeHydrated    = 132005 // too long once filled in
	codeMismatch    = 132012 // kind of parameter
	codePaused      = 132015
	codeDisabled    = 132016
	codeParameter   = 132018
	codeMissing     = 131008 // a required parameter
	codeScopedID    = 131062 // no one-time passwords to business-scoped ids
	maxPassword     = 15
	maxHydratedOnly = 32_768 // when the body is all there is
)

// Wanted returns the name and language of the template a message object asks for.
func Wanted(message []byte) (name, language string) {
	root, err := parse(message)
	if err != nil {
		return "", ""
	}
	t := root.get("template")
	return t.get("name").str(), t.get("language").get("code").str()
}

// Missing is the problem with a template that does not exist in the language asked for. languages are those it does exist in.
func Missing(name, language string, languages []string) []Problem {
	p := Problem{Member: "template.name", Code: codeNotThere, Certain: true, Text: "there is no template " + strconv.Quote(name),
		Mend: "create it, or correct the name"}
	if len(languages) > 0 {
		p.Member, p.Text = "template.language.code", fmt.Sprintf("the template %q does not exist in %q", name, language)
		p.Mend = "it exists in " + strings.Join(languages, ", ")
	}
	return []Problem{p}
}

// CheckSend compares a message object with the template it uses and returns everything Meta would refuse: the template's status,
// the number, kinds and names of parameters, the header's media, buttons and cards, and codes that are not given twice. It
// expects what SendWhatsAppMessage accepts; the form of single parameters is not its business.
func CheckSend(t *Template, message []byte) []Problem {
	s := &sendCheck{t: t}
	root, err := parse(message)
	if err != nil {
		s.refuse(value{}, 0, "is not a JSON object", "")
		return s.list
	}
	s.status(root.get("template"))
	s.named = t.Format == Named
	components := root.get("template").get("components")
	limit := maxBody
	if t.Only {
		limit = maxHydratedOnly
	}
	given := s.sort(components)
	s.part(&t.Part, given, limit)
	if t.OneTimePassword() {
		s.password(root, given)
	}
	if offer := given.offer; t.Offer && !offer.get("parameters").at(0).get("limited_time_offer").has("expiration_time_ms") {
		s.refuse(orElse(offer, components), codeMissing, "the offer's end is missing", "add a limited_time_offer component with expiration_time_ms")
	}
	s.cards(given.carousel, components)
	return s.list
}

// sendCheck compares one message.
type sendCheck struct {
	findings
	t     *Template
	named bool
}

func (s *sendCheck) status(at value) {
	at = at.get("name")
	switch st := s.t.Status; {
	case st == "" || st.Sendable():
	case st == Paused:
		s.refuse(at, codePaused, "the template is paused because of low quality", "wait until Meta ends the pause, or edit the template")
	case st == Disabled:
		s.refuse(at, codeDisabled, "the template is disabled because of low quality", "use another template")
	case st == Pending || st == InAppeal:
		s.refuse(at, codeNotThere, "the template is not approved yet: its status is "+string(st), "wait for Meta's review")
	default:
		s.refuse(at, codeNotThere, "the template cannot be sent: its status is "+string(st), "use an approved template")
	}
}

// given is what a message brings for a template or card.
type given struct {
	at                            value // of the list
	header, body, carousel, offer value
	buttons                       map[int]value
}

func (s *sendCheck) sort(list value) given {
	g := given{at: list, buttons: map[int]value{}}
	for _, c := range list.list() {
		switch strings.ToLower(c.get("type").str()) {
		case "header":
			g.header = c
		case "body":
			g.body = c
		case "carousel":
			g.carousel = c
		case "limited_time_offer":
			g.offer = c
		case "button":
			index := c.get("index")
			n, ok := index.whole()
			if !ok || n < 0 || n >= maxButtons {
				s.refuse(index, codeParameter, "is not the place of a button", "count the buttons of the template from 0")
				continue
			}
			if _, twice := g.buttons[int(n)]; twice {
				s.refuse(index, codeParameter, "names a button a second time", "give each button once")
			}
			g.buttons[int(n)] = c
		}
	}
	return g
}

func (s *sendCheck) part(p *Part, g given, limit int) {
	s.header(&p.Header, g)
	s.texts("body", p.Body, orElse(g.body, g.at), g.body.get("parameters"), limit)
	s.buttons(p.Buttons, g)
}

// orElse returns v, or where it would have been.
func orElse(v, or value) value {
	if v.v == nil {
		return or
	}
	return v
}

func (s *sendCheck) header(h *Header, g given) {
	params := g.header.get("parameters")
	at := orElse(g.header, g.at)
	switch h.Format {
	case "", "TEXT":
		s.texts("header", h.Text, at, params, maxHeader)
	case "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", "PRODUCT", "GIF":
		kind := strings.ToLower(h.Format)
		list := params.list()
		if len(list) != 1 {
			s.refuse(at, codeMismatch, fmt.Sprintf("the header has %d parameters, and the template's is one %s", len(list), kind), "give one of type "+kind)
			return
		}
		got := list[0].get("type")
		if !strings.EqualFold(got.str(), kind) && (kind != "gif" || !strings.EqualFold(got.str(), "video")) {
			s.refuse(got, codeMismatch, fmt.Sprintf("is %s, and the template's header is %s", strconv.Quote(got.str()), kind), "give a parameter of type "+kind)
		}
	}
}

// texts compares the parameters of a text with its variables.
func (s *sendCheck) texts(part string, text Text, at, params value, limit int) {
	list := params.list()
	if len(list) != len(text.Variables) {
		s.refuse(orElse(params, at), codeCount, fmt.Sprintf("the %s has %d parameters, and the template has %d", part, len(list), len(text.Variables)),
			"give one for each variable of the text")
		return
	}
	fill := make(map[string]string, len(list))
	for i, p := range list {
		kind := p.get("type")
		var content string
		switch strings.ToLower(kind.str()) {
		case "text":
			content = p.get("text").str()
		case "currency", "date_time":
			content = p.get(strings.ToLower(kind.str())).get("fallback_value").str()
		default:
			s.refuse(kind, codeMismatch, "is "+strconv.Quote(kind.str())+", and the "+part+" takes text", "give a parameter of type text")
			continue
		}
		name := text.Variables[i]
		if s.named {
			name = s.parameterName(p, text.Variables, fill)
		}
		fill[name] = content
	}
	if n := hydrated(text.Text, fill); n > limit {
		s.refuse(orElse(params, at), codeHydrated, fmt.Sprintf("the %s would have %d characters, and %d are allowed", part, n, limit), "shorten the parameters")
	}
}

// parameterName checks that a parameter names a variable, and that no other one does.
func (s *sendCheck) parameterName(p value, variables []string, fill map[string]string) string {
	at := p.get("parameter_name")
	name := at.str()
	_, taken := fill[name]
	switch {
	case name == "":
		s.refuse(at, codeCount, "is required: the template's variables have names", "name one of "+strings.Join(variables, ", "))
	case !slices.Contains(variables, name):
		s.refuse(at, codeCount, "names "+strconv.Quote(name)+", which the template does not have", "name one of "+strings.Join(variables, ", "))
	case taken:
		s.refuse(at, codeCount, "names "+strconv.Quote(name)+" a second time", "give each variable once")
	}
	return name
}

// hydrated counts the characters of a text with its variables filled in.
func hydrated(text string, fill map[string]string) int {
	n, at := 0, 0
	for _, v := range scan(text).variables {
		n += length(text[at:v.start]) + length(fill[v.name])
		at = v.end
	}
	return n + length(text[at:])
}

func (s *sendCheck) cards(carousel, components value) {
	list := carousel.get("cards").list()
	if len(list) != len(s.t.Cards) {
		s.refuse(orElse(carousel.get("cards"), components), codeCount, fmt.Sprintf("there are %d cards, and the template has %d", len(list), len(s.t.Cards)),
			"give as many as the template has")
		return
	}
	seen := map[int64]bool{}
	for i, card := range list {
		index := card.get("card_index")
		n, ok := index.whole()
		if !ok || n < 0 || n >= int64(len(list)) || seen[n] {
			s.refuse(index, codeParameter, "is not the place of a card, or names one a second time", "count the cards from 0")
			n = int64(i)
		}
		seen[n] = true
		s.part(&s.t.Cards[n], s.sort(card.get("components")), maxCardBody)
	}
}
