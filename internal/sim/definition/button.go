package definition

import (
	"encoding/json"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Button is one button as Meta lists it.
type Button struct {
	Type     string      `json:"type"`
	Text     string      `json:"text,omitempty"`
	URL      string      `json:"url,omitempty"`
	Phone    string      `json:"phone_number,omitempty"`
	Flow     json.Number `json:"flow_id,omitempty"`
	Action   string      `json:"flow_action,omitempty"`
	Screen   string      `json:"navigate_screen,omitempty"`
	Icon     string      `json:"icon,omitempty"`
	Minutes  int         `json:"ttl_minutes,omitempty"`
	Example  []string    `json:"example,omitempty"`
	otp      string      // kind of an OTP button
	autofill string
	apps     []app
}

const (
	maxButtons = 10
	maxLabel   = 25
	maxURL     = 2000
	maxPhone   = 20
	maxCoupon  = 20
)

// most is how many buttons of a type a template can have; a type that is not here is unknown.
var most = map[string]int{"QUICK_REPLY": 10, "URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "OTP": 1, "FLOW": 1, "CATALOG": 1, "MPM": 1,
	"SPM": 1, "VOICE_CALL": 1, "ORDER_DETAILS": 1, "APP": 1}

var buttonTypes = []string{"APP", "CATALOG", "COPY_CODE", "FLOW", "MPM", "ORDER_DETAILS", "OTP", "PHONE_NUMBER", "QUICK_REPLY", "SPM",
	"URL", "VOICE_CALL"}

func (r *reader) buttons(m map[string]any, card bool) (list []Button) {
	given := r.objects(m, "buttons")
	if r.err != nil {
		return nil
	}
	limit := maxButtons
	if card {
		limit = 2
	}
	if len(given) == 0 || len(given) > limit {
		r.refuse(BadComponent, "A component of type BUTTONS has 1 to %d buttons.", limit)
		return nil
	}
	count := map[string]int{}
	groups, previous := 0, false
	for _, g := range given {
		kind, err := word(g, "type", buttonTypes...)
		if err != nil {
			r.fail(err)
			return nil
		}
		if count[kind]++; count[kind] > most[kind] {
			r.refuse(BadComponent, "A template can have %d button(s) of type %s.", most[kind], kind)
		}
		reply := kind == "QUICK_REPLY"
		if reply && !previous {
			groups++
		}
		previous = reply
		list = append(list, r.button(kind, g))
	}
	if groups > 1 {
		r.refuse(BadComponent, "Quick replies must stand side by side; they can't be mixed with other buttons.")
	}
	if (count["OTP"] > 0) != (r.d.Category == Authentication) {
		r.refuse(BadComponent, "Authentication templates, and no others, have a button of type OTP.")
	}
	return list
}

func (r *reader) button(kind string, m map[string]any) Button {
	b := Button{Type: kind}
	switch kind {
	case "COPY_CODE":
		b.Text = "Copy offer code"
		b.Example = r.example(m, maxCoupon)
		return b
	case "OTP":
		return r.codeButton(m)
	}
	b.Text = r.text(m, "text", maxLabel, "button")
	if list, problem := scan(b.Text); len(list) > 0 || problem != "" || strings.Contains(b.Text, "\n") {
		r.refuse(BadComponent, "A button's text can't have variables or line breaks.")
	}
	switch kind {
	case "URL":
		r.link(&b, m)
	case "PHONE_NUMBER":
		b.Phone = r.text(m, "phone_number", maxPhone, "button")
		if r.err == nil && !phoneForm.MatchString(b.Phone) {
			r.refuse(BadComponent, "The phone number %s of a button is not valid.", b.Phone)
		}
	case "FLOW":
		r.flow(&b, m)
	case "VOICE_CALL":
		if text, given := graph.Scalar(m["ttl_minutes"]); given {
			minutes, err := strconv.Atoi(text)
			if err != nil || minutes < 1 {
				r.fail(graph.Param("Param ttl_minutes must be an integer of at least 1."))
			}
			b.Minutes = minutes
		}
	}
	return b
}

var phoneForm = regexp.MustCompile(`^\+?[0-9][0-9 ().-]{3,}$`)

// example reads the one example of a button, a string or a list of one.
func (r *reader) example(m map[string]any, limit int) []string {
	list, ok := m["example"].([]any)
	if !ok && m["example"] != nil {
		list = []any{m["example"]}
	}
	if len(list) != 1 {
		r.missing("BUTTONS")
		return nil
	}
	s := r.text(map[string]any{"example": list[0]}, "example", limit, "button")
	return []string{s}
}

// link checks the address of a URL button: at most one variable, as its last thing.
func (r *reader) link(b *Button, m map[string]any) {
	b.URL = r.text(m, "url", maxURL, "button")
	if r.err != nil {
		return
	}
	list, problem := scan(b.URL)
	plain := b.URL
	if len(list) > 0 {
		plain = b.URL[:list[0].start]
	}
	u, err := url.Parse(plain)
	switch {
	case problem != "" || len(list) > 1 || len(list) == 1 && list[0].end != len(b.URL):
		r.refuse(BadComponent, "The address of a URL button can have one variable, at its end.")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		r.refuse(BadComponent, "The address %s of a URL button is not valid.", b.URL)
	case u.Host == "wa.me" || strings.HasSuffix(u.Host, ".wa.me"):
		r.refuse(BadComponent, "A URL button can't lead to wa.me.")
	case len(list) == 1:
		b.Example = r.example(m, maxURL)
	}
}

// flow finds the Flow behind a button. flow_json would create one on the spot, which this simulator leaves to the flows edge.
func (r *reader) flow(b *Button, m map[string]any) {
	id, _ := graph.Scalar(m["flow_id"])
	name, _ := graph.Scalar(m["flow_name"])
	if (id == "") == (name == "") {
		r.refuse(MissingField, "A FLOW button needs one of flow_id and flow_name.")
		return
	}
	known, ok := "", false
	if r.o.Flow != nil {
		known, ok = r.o.Flow(id, name)
	}
	if !ok {
		r.refuse(BadComponent, "The Flow %s does not exist in this account.", id+name)
		return
	}
	b.Flow, b.Action = json.Number(known), "NAVIGATE"
	if m["flow_action"] != nil {
		action, err := word(m, "flow_action", "NAVIGATE", "DATA_EXCHANGE")
		r.fail2(err)
		b.Action = action
	}
	b.Screen, _ = graph.Scalar(m["navigate_screen"])
	b.Icon, _ = graph.Scalar(m["icon"])
}
