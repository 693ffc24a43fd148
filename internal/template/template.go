// Package template knows WhatsApp message templates: what one consists of, what Meta would refuse about a definition (Lint) or
// about a message that uses one (CheckSend), and what Meta's webhooks say about it over time (Known).
//
// Meta stays the authority: nothing here invents a template or a status. Checks report what is wrong, where, and how to mend it,
// and tell what Meta refuses for certain from what is merely likely to be refused. Limits and rules are those of Meta's
// documentation of message templates, and of its error subcodes, up to November 2026.
package template

import (
	"encoding/json"
	"slices"
	"strings"
)

// Category decides what a template may say and what a message costs.
type Category string

const (
	Marketing      Category = "MARKETING"
	Utility        Category = "UTILITY"
	Authentication Category = "AUTHENTICATION"
)

// Status is Meta's word on whether a template can be sent. The set is open.
type Status string

const (
	Approved        Status = "APPROVED"
	Pending         Status = "PENDING" // in review, also after an edit
	Rejected        Status = "REJECTED"
	Paused          Status = "PAUSED"   // for a while, because of low quality
	Disabled        Status = "DISABLED" // for good, because of low quality
	Flagged         Status = "FLAGGED"  // will be disabled; can still be sent
	InAppeal        Status = "IN_APPEAL"
	PendingDeletion Status = "PENDING_DELETION"
	Archived        Status = "ARCHIVED"
	LimitExceeded   Status = "LIMIT_EXCEEDED"
	Locked          Status = "LOCKED"
)

// Sendable reports whether Meta takes messages with templates of the status.
func (s Status) Sendable() bool { return s == Approved || s == Flagged }

// Format is how variables are written: {{1}}, or {{first_name}}.
type Format string

const (
	Positional Format = "POSITIONAL"
	Named      Format = "NAMED"
)

// Template is one translation of a message template, as Meta lists it. Enumerations are upper case.
type Template struct {
	ID       string // Meta's
	Name     string
	Language string
	Category Category
	Status   Status
	Quality  string // GREEN, YELLOW, RED, UNKNOWN, or ""
	Format   Format
	Reason   string   // why it was rejected; "" or NONE if it was not
	Previous Category // before Meta changed it; ""
	Upcoming Category // that Meta will move it to; ""
	Raw      json.RawMessage

	Part
	Footer string
	Cards  []Part // of a carousel
	Offer  bool   // a limited-time offer that expires, so that a message has to say when
	// Only reports whether the body is all there is, which allows longer texts.
	Only bool
}

// Part is what a template and a card of its carousel have in common.
type Part struct {
	Header  Header
	Body    Text
	Buttons []Button
}

// Header is the top of a template or card.
type Header struct {
	Format string // "" without a header; TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION, PRODUCT, …
	Text   Text   // of a TEXT header
}

// Text is text with variables.
type Text struct {
	Text      string
	Variables []string // distinct names or numbers, in order of appearance
}

// Button is one button. Its place in the list is its index in messages.
type Button struct {
	Type string // QUICK_REPLY, URL, PHONE_NUMBER, COPY_CODE, OTP, FLOW, …
	Text string
	URL  Text
}

// Parse reads a template as Meta lists it. Members of unexpected types count as absent: one strange template must not hide
// the others. The error is for bytes that are no JSON object.
func Parse(raw []byte) (Template, error) {
	root, err := parse(raw)
	if err != nil {
		return Template{}, err
	}
	t := Template{ID: root.get("id").str(), Name: root.get("name").str(), Language: root.get("language").str(),
		Category: Category(root.get("category").word()), Status: Status(root.get("status").word()),
		Quality: root.get("quality_score").get("score").word(), Format: Format(root.get("parameter_format").word()),
		Reason: root.get("rejected_reason").word(), Previous: Category(root.get("previous_category").word()),
		Upcoming: Category(root.get("correct_category").word()), Raw: slices.Clone(raw)}
	if t.Format == "" {
		t.Format = Positional
	}
	components := root.get("components").list()
	t.Only = len(components) == 1
	for _, c := range components {
		switch c.get("type").word() {
		case "FOOTER":
			t.Footer = c.get("text").str()
		case "LIMITED_TIME_OFFER":
			t.Offer = c.get("limited_time_offer").get("has_expiration").v == true || c.get("has_expiration").v == true
		case "CAROUSEL":
			for _, card := range c.get("cards").list() {
				var p Part
				for _, c := range card.get("components").list() {
					p.add(c)
				}
				t.Cards = append(t.Cards, p)
			}
		default:
			t.add(c)
		}
	}
	if t.Category == Authentication && len(t.Body.Variables) == 0 {
		t.Body.Variables = []string{"1"} // the text is Meta's, and always has the code in it
	}
	return t, nil
}

func (p *Part) add(c value) {
	switch c.get("type").word() {
	case "HEADER":
		p.Header = Header{Format: c.get("format").word()}
		if p.Header.Format == "" {
			p.Header.Format = "TEXT"
		}
		if p.Header.Format == "TEXT" {
			p.Header.Text = textOf(c.get("text").str())
		}
	case "BODY":
		p.Body = textOf(c.get("text").str())
	case "BUTTONS":
		for _, b := range c.get("buttons").list() {
			p.Buttons = append(p.Buttons, Button{Type: b.get("type").word(), Text: b.get("text").str(), URL: textOf(b.get("url").str())})
		}
	}
}

func textOf(s string) Text {
	t := Text{Text: s}
	for _, v := range scan(s).variables {
		if !slices.Contains(t.Variables, v.name) {
			t.Variables = append(t.Variables, v.name)
		}
	}
	return t
}

// OneTimePassword reports whether a message has to carry a code, in its body and in its first button.
func (t *Template) OneTimePassword() bool { return t.Category == Authentication && len(t.Buttons) > 0 }

// NormalLanguage brings a language code into the form of the API: some webhooks write en-US for en_US.
func NormalLanguage(code string) string { return strings.ReplaceAll(code, "-", "_") }

// costs ranks categories by what a message costs. In every market of Meta's rate cards a marketing message costs the most, and
// authentication costs what utility costs.
func (c Category) costs() int {
	if c == Marketing {
		return 1
	}
	return 0
}

// PriceRises reports whether messages become more expensive when a template moves from one category to another.
func PriceRises(from, to Category) bool { return from != "" && to != "" && to.costs() > from.costs() }
