package template

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// most is how many buttons of a kind a template can have; kinds that are missing here are bounded by the total.
var most = map[string]int{"URL": 2, "PHONE_NUMBER": 1, "COPY_CODE": 1, "OTP": 1, "FLOW": 1, "CATALOG": 1, "MPM": 1, "SPM": 1,
	"VOICE_CALL": 1, "APP": 1, "ORDER_DETAILS": 1}

// fixedLabel are kinds whose label is Meta's or may be left to it.
var fixedLabel = []string{"COPY_CODE", "OTP", "CATALOG", "MPM", "SPM", "VOICE_CALL", "APP", "ORDER_DETAILS"}

func (l *linter) buttons(component value, limit int) {
	if component.v == nil {
		return
	}
	v := component.get("buttons")
	list := v.list()
	if len(list) == 0 {
		l.refuse(v, 0, "has no button", "add one, or leave the component out")
		return
	}
	if len(list) > limit {
		l.refuse(v, 0, fmt.Sprintf("has %d buttons; %d are allowed", len(list), limit), "remove some")
	}
	count := map[string]int{}
	var labels []string
	for _, b := range list {
		kind := b.get("type").word()
		if count[kind]++; most[kind] > 0 && count[kind] == most[kind]+1 {
			l.refuse(b, 0, fmt.Sprintf("is one %s button too many; %d allowed", kind, most[kind]), "remove it")
		}
		l.button(b, kind)
		if label := b.get("text").str(); label != "" && slices.Contains(labels, label) {
			l.doubt(b.get("text"), 0, "is the label of another button too", "give each button its own")
		} else {
			labels = append(labels, label)
		}
	}
	l.grouping(v, list)
}

// grouping checks that quick replies stand together, in front of or behind all other buttons.
func (l *linter) grouping(v value, list []value) {
	changes := 0
	for i := 1; i < len(list); i++ {
		if (list[i].get("type").word() == "QUICK_REPLY") != (list[i-1].get("type").word() == "QUICK_REPLY") {
			changes++
		}
	}
	if changes > 1 {
		l.refuse(v, 0, "mixes quick replies with other buttons", "put the quick replies together, first or last")
	}
}

func (l *linter) button(b value, kind string) {
	if kind == "" {
		l.refuse(b.get("type"), 0, "is required", "say which button this is: QUICK_REPLY, URL, PHONE_NUMBER, …")
		return
	}
	l.label(b.get("text"), kind)
	l.meaning(b.get("text"))
	l.intent(b, kind)
	switch kind {
	case "QUICK_REPLY", "CATALOG", "MPM", "SPM", "VOICE_CALL", "APP", "ORDER_DETAILS":
	case "URL":
		l.url(b)
	case "PHONE_NUMBER":
		l.phone(b.get("phone_number"))
	case "COPY_CODE":
		l.coupon(b.get("example"))
	case "OTP":
		if l.category != Authentication && l.category != "" {
			l.refuse(b.get("type"), 0, "is only for AUTHENTICATION templates", "change the category, or use another button")
		}
	case "FLOW":
		l.flow(b)
	default:
		l.doubt(b.get("type"), 0, "is not a kind of button Meta is known to have", "check the spelling")
	}
}

func (l *linter) label(v value, kind string) {
	s := v.str()
	switch {
	case strings.TrimSpace(s) == "" && !slices.Contains(fixedLabel, kind):
		l.refuse(v, 0, "is required", "label the button")
	case length(s) > maxLabel:
		l.refuse(v, codeTooLong, fmt.Sprintf("has %d characters, %d more than the %d allowed", length(s), length(s)-maxLabel, maxLabel), "shorten it")
	case len(scan(s).variables) > 0:
		l.refuse(v, 0, "has a variable", "labels are fixed text")
	case hasEmoji(s) || strings.ContainsAny(s, "\n\r"):
		l.doubt(v, 0, "has emoji or a line break", "labels are plain text")
	}
}

// shorteners hide where a link leads, which reviewers do not accept.
var shorteners = []string{"bit.ly", "goo.gl", "tinyurl.com", "t.co", "ow.ly", "is.gd", "buff.ly", "rebrand.ly", "cutt.ly"}

func (l *linter) url(b value) {
	v := b.get("url")
	s := v.str()
	if s == "" {
		l.refuse(v, 0, "is required", "give the address to open")
		return
	}
	if length(s) > maxURL {
		l.refuse(v, codeTooLong, fmt.Sprintf("is longer than %d characters", maxURL), "shorten it")
	}
	found := scan(s)
	fixed := s
	if n := len(found.variables); n > 0 {
		last := found.variables[n-1]
		if n > 1 || last.end != len(s) {
			l.refuse(v, 0, "has a variable before its end", "addresses can have one variable, at the very end")
		}
		if l.format == Positional && last.name != "1" {
			l.refuse(v, 0, "has the variable {{"+last.name+"}}", "the variable of an address is {{1}}")
		}
		fixed = s[:found.variables[0].start]
		example := b.get("example")
		if example.isArray() {
			example = example.at(0)
		}
		if strings.TrimSpace(example.str()) == "" {
			l.refuse(b.get("example"), codeExample, "is required with a variable in the address", "give the whole address with a sample")
		}
	}
	if found.unbalanced {
		l.refuse(v, 0, "has curly braces that do not match", "write the variable as {{1}}")
		return
	}
	u, err := url.Parse(fixed)
	if err != nil || u.Hostname() == "" || !strings.EqualFold(u.Scheme, "https") && !strings.EqualFold(u.Scheme, "http") {
		l.refuse(v, 0, "is not an http or https address", "give the whole address, with https:// in front")
		return
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	switch {
	case host == "wa.me" || host == "api.whatsapp.com" || host == "chat.whatsapp.com":
		l.refuse(v, 0, "leads to WhatsApp itself", "link to a page of your own")
	case slices.Contains(shorteners, host):
		l.doubt(v, 0, "is a shortened address", "link to the page itself")
	}
}

func (l *linter) phone(v value) {
	s := v.scalar()
	digits := 0
	for _, c := range s {
		if c >= '0' && c <= '9' {
			digits++
		} else if !strings.ContainsRune("+ -()", c) {
			digits = -maxPhone
		}
	}
	switch {
	case s == "":
		l.refuse(v, 0, "is required", "give the number to call")
	case len(s) > maxPhone || digits < 5:
		l.refuse(v, 0, fmt.Sprintf("is not a phone number of at most %d characters", maxPhone), "write it as +15550100123")
	}
}

func (l *linter) coupon(v value) {
	if v.isArray() && v.at(0).v != nil {
		v = v.at(0)
	}
	switch s := v.str(); {
	case strings.TrimSpace(s) == "":
		l.refuse(v, codeExample, "is required", "give a sample of the code")
	case length(s) > maxCoupon:
		l.refuse(v, codeTooLong, fmt.Sprintf("is longer than %d characters", maxCoupon), "shorten it")
	}
}

func (l *linter) flow(b value) {
	n := 0
	for _, name := range []string{"flow_id", "flow_name", "flow_json"} {
		if b.has(name) {
			n++
		}
	}
	switch {
	case n == 0:
		l.refuse(b, 0, "names no Flow", "give flow_id, flow_name or flow_json")
	case n > 1:
		l.doubt(b, 0, "names its Flow in more than one way", "give one of flow_id, flow_name and flow_json")
	}
	if a := b.get("flow_action"); a.v != nil && a.word() != "NAVIGATE" && a.word() != "DATA_EXCHANGE" {
		l.refuse(a, 0, "must be navigate or data_exchange", "use one of the two")
	}
}
