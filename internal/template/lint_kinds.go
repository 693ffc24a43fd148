package template

import (
	"fmt"
	"slices"
	"strings"
)

// authentication checks a template for one-time passwords, whose text is Meta's own.
func (l *linter) authentication(c content) {
	for _, v := range []value{c.header, c.offer, c.carousel} {
		if v.v != nil {
			l.refuse(v, 0, "cannot be part of an AUTHENTICATION template", "leave a body, a footer and one OTP button")
		}
	}
	if c.body.has("text") {
		l.doubt(c.body.get("text"), codeBody, "is fixed by Meta for AUTHENTICATION templates", "leave it out")
	}
	if v := c.body.get("add_security_recommendation"); v.v != nil && v.v != true && v.v != false {
		l.refuse(v, 0, "must be true or false", "write it without quotes")
	}
	if v := c.footer.get("code_expiration_minutes"); v.v != nil {
		if n, ok := v.whole(); !ok || n < 1 || n > 90 {
			l.refuse(v, codeFooter, "must be 1 to 90 minutes", "change it")
		}
	}
	if c.footer.has("text") {
		l.doubt(c.footer.get("text"), codeFooter, "is fixed by Meta for AUTHENTICATION templates", "give code_expiration_minutes instead")
	}
	list := c.buttons.get("buttons").list()
	if len(list) != 1 || !slices.Contains([]string{"OTP", "URL"}, list[0].get("type").word()) {
		at := c.buttons.get("buttons")
		if c.buttons.v == nil {
			at = c.at
		}
		l.refuse(at, 0, "must be one OTP button", "AUTHENTICATION templates have exactly one, with which the code is taken over")
		return
	}
	if list[0].get("type").word() == "OTP" { // URL is how Meta lists it afterwards
		l.password(list[0])
	}
}

// password checks an OTP button.
func (l *linter) password(b value) {
	kind := l.oneOf(b.get("otp_type"), "COPY_CODE", "ONE_TAP", "ZERO_TAP")
	l.label(b.get("text"), "OTP")
	if kind == "COPY_CODE" || kind == "" {
		return
	}
	apps := b.get("supported_apps")
	list := apps.list()
	switch legacy := b.has("package_name") && b.has("signature_hash"); {
	case len(list) == 0 && !legacy:
		l.refuse(apps, 0, "is required for "+string(kind), "name the app that reads the code: package_name and signature_hash")
	case len(list) > maxSupported:
		l.refuse(apps, 0, fmt.Sprintf("has more than %d apps", maxSupported), "remove some")
	}
	for _, app := range list {
		for _, name := range []string{"package_name", "signature_hash"} {
			if app.get(name).str() == "" {
				l.refuse(app.get(name), 0, "is required", "an app is named by package_name and signature_hash")
			}
		}
	}
	if terms := b.get("zero_tap_terms_accepted"); kind == "ZERO_TAP" && terms.v != true {
		l.refuse(terms, 0, "must be true", "ZERO_TAP needs the consent to Meta's terms")
	}
}

// limitedOffer checks what a limited-time offer asks of the template around it.
func (l *linter) limitedOffer(c content) {
	at := c.offer
	if l.category != Marketing && l.category != "" {
		l.refuse(at, 0, "is only for MARKETING templates", "change the category")
	}
	if text := at.get("limited_time_offer").get("text"); length(text.str()) > maxOfferText {
		l.refuse(text, codeTooLong, fmt.Sprintf("is longer than %d characters", maxOfferText), "shorten it")
	}
	if c.footer.v != nil {
		l.refuse(c.footer, codeFooter, "cannot stand beside a limited-time offer", "leave the footer out")
	}
	if text := c.body.get("text"); length(text.str()) > maxOfferBody && length(text.str()) <= maxBody {
		l.refuse(text, codeTooLong, fmt.Sprintf("has more than the %d characters allowed beside a limited-time offer", maxOfferBody), "shorten it")
	}
	if format := c.header.get("format"); c.header.v != nil && format.word() != "IMAGE" && format.word() != "VIDEO" {
		l.refuse(format, codeHeader, "must be IMAGE or VIDEO beside a limited-time offer", "change it, or leave the header out")
	}
	buttons := c.buttons.get("buttons").list()
	for i, b := range buttons {
		if b.get("type").word() == "COPY_CODE" && i > 0 {
			l.refuse(b, 0, "must be the first button beside a limited-time offer", "move it to the front")
		}
	}
	if !slices.ContainsFunc(buttons, func(b value) bool { return b.get("type").word() == "URL" }) {
		l.doubt(at, 0, "has no URL button beside it", "add one that leads to the offer")
	}
}

// cardContent checks the parts of one card. That cards are alike is for carousel.
func (l *linter) cardContent(c content) {
	if !c.header.isObject() {
		l.refuse(c.at, codeHeader, "has no HEADER", "every card needs an image, a video or a product")
	} else if word := c.header.get("format").word(); !slices.Contains([]string{"IMAGE", "VIDEO", "PRODUCT"}, word) {
		l.refuse(c.header.get("format"), codeHeader, "must be IMAGE, VIDEO or PRODUCT in a card", "change it")
	} else {
		l.header(c.header)
	}
	l.body(c.body, maxCardBody)
	l.buttons(c.buttons, maxCardButtons)
}

// carousel checks the cards, and what may stand around them.
func (l *linter) carousel(c content) {
	for _, v := range []value{c.header, c.footer, c.buttons} {
		if v.v != nil {
			l.refuse(v, 0, "cannot stand beside a carousel", "put it into the cards, or leave it out")
		}
	}
	cards := c.carousel.get("cards")
	list := cards.list()
	if len(list) < minCards || len(list) > maxCards {
		l.refuse(cards, 0, fmt.Sprintf("has %d cards; %d to %d are allowed", len(list), minCards, maxCards), "add or remove some")
	}
	var first string
	for i, card := range list {
		made := l.components(card.get("components"), true)
		kinds := made.shape()
		if i == 0 {
			first = kinds
		} else if kinds != first {
			l.refuse(card, 0, "is not made like the first card", "give every card the same components, header and buttons")
		}
	}
}

// shape describes what a card is made of, for comparing cards.
func (c *content) shape() string {
	kinds := slices.Sorted(slices.Values(c.kinds))
	s := strings.Join(kinds, " ") + "/" + c.header.get("format").word() + "/"
	for _, b := range c.buttons.get("buttons").list() {
		s += b.get("type").word() + " "
	}
	return s
}
