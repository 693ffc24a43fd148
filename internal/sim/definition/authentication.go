package definition

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// app is a customer's app that a code can be handed to.
type app struct{ name, hash string }

const maxApps = 5

// words are the fixed texts of authentication templates in a language.
type words struct{ body, security, footer, copy, autofill string }

// speech has them for a few languages; the others use English, which is enough to see where a code goes.
var speech = map[string]words{
	"en": {"*{{1}}* is your verification code.", "For your security, do not share this code.", "This code expires in %d minutes.", "Copy code", "Autofill"},
	"es": {"*{{1}}* es tu código de verificación.", "Por tu seguridad, no lo compartas.", "Este código caduca en %d minutos.", "Copiar código", "Autocompletar"},
	"pt": {"*{{1}}* é o seu código de verificação.", "Para sua segurança, não o compartilhe.", "Este código expira em %d minutos.", "Copiar código", "Preencher"},
	"fr": {"*{{1}}* est votre code de vérification.", "Pour votre sécurité, ne le partagez pas.", "Ce code expire dans %d minutes.", "Copier le code", "Remplir"},
	"de": {"*{{1}}* ist dein Bestätigungscode.", "Teile diesen Code zu deiner Sicherheit mit niemandem.", "Dieser Code läuft in %d Minuten ab.", "Code kopieren", "Ausfüllen"},
	"it": {"*{{1}}* è il tuo codice di verifica.", "Per la tua sicurezza, non condividerlo.", "Questo codice scade tra %d minuti.", "Copia codice", "Compila"},
}

func speak(language string) words {
	if w, ok := speech[language[:min(2, len(language))]]; ok {
		return w
	}
	return speech["en"]
}

func (w words) full(security bool) string {
	if security {
		return w.body + " " + w.security
	}
	return w.body
}

func (w words) expiry(minutes int) string {
	return strings.Replace(w.footer, "%d", strconv.Itoa(minutes), 1)
}

// codeBody gives an authentication template its fixed text.
func (r *reader) codeBody(c *Component, m map[string]any) {
	if m["text"] != nil {
		r.refuse(BadBody, "The body of an authentication template has a fixed text; it can't be set.")
		return
	}
	security := false
	if m["add_security_recommendation"] != nil {
		s, ok := graph.Scalar(m["add_security_recommendation"])
		if !ok || s != "true" && s != "false" {
			r.fail(graph.Param("Param add_security_recommendation must be a boolean."))
			return
		}
		security = s == "true"
		c.Security = &security
	}
	c.Text = speak(r.d.Language).full(security)
	c.Example = &Example{BodyText: [][]string{{"123456"}}}
}

func (r *reader) codeFooter(c *Component, m map[string]any) {
	s, _ := graph.Scalar(m["code_expiration_minutes"])
	n, err := strconv.Atoi(s)
	switch {
	case m["text"] != nil && m["code_expiration_minutes"] == nil:
		r.refuse(BadFooter, "The footer of an authentication template has a fixed text; it can't be set.")
	case err != nil || n < 1 || n > 90:
		r.fail(graph.Param("Param code_expiration_minutes must be an integer between 1 and 90."))
	}
	c.Minutes, c.Text = n, speak(r.d.Language).expiry(n)
}

// codeButton reads an OTP button and shows it as the address it is.
func (r *reader) codeButton(m map[string]any) Button {
	w := speak(r.d.Language)
	b := Button{Type: "URL", Text: w.copy, autofill: w.autofill}
	var err *graph.Error
	if b.otp, err = word(m, "otp_type", "COPY_CODE", "ONE_TAP", "ZERO_TAP"); err != nil {
		r.fail(err)
		return b
	}
	if m["text"] != nil {
		b.Text = r.text(m, "text", maxLabel, "button")
	}
	address := url.Values{"otp_type": {b.otp}}
	if b.otp != "COPY_CODE" {
		r.tap(&b, m)
		if r.err != nil {
			return b
		}
		address.Set("cta_display_name", b.autofill)
		address.Set("package_name", b.apps[0].name)
		address.Set("signature_hash", b.apps[0].hash)
	}
	prefix := "https://www.whatsapp.com/otp/code/?" + address.Encode() + "&code=otp"
	b.URL, b.Example = prefix+"{{1}}", []string{prefix + "123456"}
	return b
}

// tap reads the apps that one-tap and zero-tap buttons hand the code to.
func (r *reader) tap(b *Button, m map[string]any) {
	if m["autofill_text"] != nil {
		b.autofill = r.text(m, "autofill_text", maxLabel, "button")
	}
	given := r.objects(m, "supported_apps")
	if given == nil && m["package_name"] != nil { // the form before there could be several
		given = []map[string]any{m}
	}
	if r.err == nil && (len(given) < 1 || len(given) > maxApps) {
		r.refuse(MissingField, "An OTP button of type %s needs 1 to %d supported_apps.", b.otp, maxApps)
	}
	for _, g := range given {
		a := app{r.text(g, "package_name", 224, "button"), r.text(g, "signature_hash", 11, "button")}
		if r.err == nil && len(a.hash) != 11 {
			r.refuse(BadComponent, "A signature_hash has 11 characters.")
		}
		b.apps = append(b.apps, a)
	}
	if accepted, _ := graph.Scalar(m["zero_tap_terms_accepted"]); b.otp == "ZERO_TAP" && accepted != "true" {
		r.refuse(MissingField, "Zero-tap templates need zero_tap_terms_accepted.")
	}
}

// codeParts checks what an authentication template is made of.
func (r *reader) codeParts(has map[string]*Component) {
	for kind := range has {
		if kind != "BODY" && kind != "FOOTER" && kind != "BUTTONS" {
			r.refuse(BadComponent, "An authentication template has a BODY, a FOOTER and BUTTONS, nothing else.")
		}
	}
	if buttons := has["BUTTONS"]; buttons == nil || len(buttons.Buttons) != 1 {
		r.refuse(MissingField, "An authentication template needs one button of type OTP.")
	}
}

// Preview is how an authentication template reads in a language.
type Preview struct {
	Body     string          `json:"body"`
	Buttons  []PreviewButton `json:"buttons,omitempty"`
	Footer   string          `json:"footer,omitempty"`
	Language string          `json:"language"`
}

// PreviewButton is the button of a Preview.
type PreviewButton struct {
	Type     string `json:"type"`
	Text     string `json:"text"`
	Autofill string `json:"autofill_text"`
}

// PreviewOf renders the fixed texts; minutes of 0 leave the footer out. ok is false for a language WhatsApp does not have.
func PreviewOf(language string, security bool, minutes int, button bool) (p Preview, ok bool) {
	w := speak(language)
	p = Preview{Body: w.full(security), Language: language}
	if minutes > 0 {
		p.Footer = w.expiry(minutes)
	}
	if button {
		p.Buttons = []PreviewButton{{"OTP", w.copy, w.autofill}}
	}
	return p, languages[language]
}
