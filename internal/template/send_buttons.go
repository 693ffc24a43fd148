package template

import (
	"fmt"
	"strconv"
	"strings"
)

// subTypes says which sub_type of a message's button component goes with a kind of button.
var subTypes = map[string]string{"QUICK_REPLY": "quick_reply", "URL": "url", "OTP": "url", "COPY_CODE": "copy_code", "FLOW": "flow",
	"CATALOG": "catalog", "MPM": "mpm", "ORDER_DETAILS": "order_details", "VOICE_CALL": "voice_call"}

func (s *sendCheck) buttons(buttons []Button, g given) {
	for i := range buttons {
		b := &buttons[i]
		c, there := g.buttons[i]
		if !there {
			if want := b.needs(); want != "" {
				s.refuse(g.at, codeMissing, fmt.Sprintf("nothing is given for button %d (%s), which needs %s", i, b.Type, want),
					fmt.Sprintf("add a button component with sub_type %s and index %d", subTypes[b.Type], i))
			}
			continue
		}
		s.button(b, i, c)
	}
	for i := len(buttons); i < maxButtons; i++ {
		if c, there := g.buttons[i]; there {
			s.refuse(c.get("index"), codeCount, fmt.Sprintf("is %d, and the template has %d buttons", i, len(buttons)), "count the buttons from 0")
		}
	}
}

// needs says what a message must bring for the button; "" for nothing.
func (b *Button) needs() string {
	switch {
	case b.Type == "URL" && len(b.URL.Variables) > 0:
		return "the end of its address"
	case b.Type == "OTP":
		return "the code"
	case b.Type == "COPY_CODE":
		return "the code to copy"
	case b.Type == "MPM":
		return "the products"
	default:
		return ""
	}
}

func (s *sendCheck) button(b *Button, i int, c value) {
	sub := c.get("sub_type")
	if want, known := subTypes[b.Type]; known && !strings.EqualFold(sub.str(), want) {
		s.refuse(sub, codeMismatch, fmt.Sprintf("is %s, and button %d is a %s button", strconv.Quote(sub.str()), i, b.Type), "use "+want)
		return
	}
	params := c.get("parameters")
	list := params.list()
	if len(list) > 1 {
		s.refuse(params, codeParameter, "has more than one parameter", "give one")
		return
	}
	if len(list) == 0 {
		if want := b.needs(); want != "" {
			s.refuse(orElse(params, c), codeMissing, fmt.Sprintf("button %d needs %s", i, want), "give one parameter")
		}
		return
	}
	p := list[0]
	switch b.Type {
	case "URL":
		if len(b.URL.Variables) == 0 {
			s.refuse(params, codeParameter, fmt.Sprintf("button %d takes no parameter: its address has no variable", i), "leave the component out")
			return
		}
		s.suffix(s.kind(p, "text"))
	case "OTP":
		s.kind(p, "text")
	case "QUICK_REPLY":
		s.kind(p, "payload")
	case "COPY_CODE":
		if code := s.kind(p, "coupon_code"); length(code.str()) > maxCoupon {
			s.refuse(code, codeParameter, fmt.Sprintf("is longer than %d characters", maxCoupon), "shorten it")
		}
	case "FLOW", "CATALOG", "MPM", "ORDER_DETAILS":
		s.kind(p, "action")
	}
}

// kind demands a parameter of a type and returns the member that holds it.
func (s *sendCheck) kind(p value, want string) value {
	if got := p.get("type"); !strings.EqualFold(got.str(), want) {
		s.refuse(got, codeMismatch, "is "+strconv.Quote(got.str())+", and the button takes "+want, "give a parameter of type "+want)
		return value{}
	}
	content := p.get(want)
	if content.v == nil || content.v == "" {
		if want != "payload" { // an empty one falls back to the label
			s.refuse(content, codeMissing, "is required", "")
		}
		return value{}
	}
	return content
}

// suffix points at characters that Meta does not encode in the end of an address.
func (s *sendCheck) suffix(v value) {
	for _, c := range v.str() {
		if c == ' ' || c == ':' || c == '|' || c > '~' {
			s.doubt(v, codeParameter, "has characters that WhatsApp does not encode in an address", "percent-encode them")
			return
		}
	}
}

// password checks a message with a one-time password: the code stands in the body and again in the first button.
func (s *sendCheck) password(root value, g given) {
	body := g.body.get("parameters").at(0).get("text")
	button := g.buttons[0].get("parameters").at(0).get("text")
	if n := length(body.str()); n > maxPassword {
		s.refuse(body, codeParameter, fmt.Sprintf("has %d characters, and codes can have %d", n, maxPassword), "shorten the code")
	}
	if button.v != nil && body.v != nil && button.str() != body.str() {
		s.refuse(button, codeParameter, "is not the code of the body", "give the same code in the body and in the button")
	}
	if !root.has("to") && root.has("recipient") {
		s.refuse(root.get("recipient"), codeScopedID, "one-time passwords cannot go to a business-scoped id", "send to a phone number")
	}
}
