package sim

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/content"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

type sendReply struct {
	Product  string         `json:"messaging_product"`
	Contacts []contactReply `json:"contacts"`
	Messages []messageReply `json:"messages"`
}

type contactReply struct {
	Input  string `json:"input"`
	WAID   string `json:"wa_id,omitempty"`
	UserID string `json:"user_id,omitempty"`
}

type messageReply struct {
	ID     string `json:"id"`
	Status string `json:"message_status,omitempty"`
}

type successReply struct {
	Success bool `json:"success"`
}

var success = successReply{true}

// sendMessage is POST /{number}/messages. The order of its checks is Meta's: registration, the form of the parameters, the
// template, the recipient, and rates last.
func sendMessage(s *Sim, c *call) (any, *graph.Error) { return s.send(c, false) }

// sendMarketing is POST /{number}/marketing_messages.
func sendMarketing(s *Sim, c *call) (any, *graph.Error) { return s.send(c, true) }

func (s *Sim) send(c *call, marketing bool) (any, *graph.Error) {
	n := c.number
	if !n.registered() {
		return nil, graph.Fail(133010, "The phone number is not registered. Register it before sending.")
	}
	if err := c.account.locked(); err != nil {
		return nil, err
	}
	if err := c.malformed; err != nil {
		return nil, err
	}
	if err := messagingProduct(c.params); err != nil {
		return nil, err
	}
	if _, receipt := c.params["status"]; receipt && !marketing {
		return s.receipt(c)
	}
	d, err := s.draft(c)
	if err != nil {
		return nil, err
	}
	if err := s.checkTemplate(c, d, marketing); err != nil {
		return nil, err
	}
	if err := s.checkFlow(c, d); err != nil {
		return nil, err
	}
	if err := s.checkRecipient(c, d); err != nil {
		return nil, err
	}
	if err := s.checkCallRequest(c, d); err != nil {
		return nil, err
	}
	return s.accept(c, d), nil
}

func messagingProduct(p graph.Params) *graph.Error {
	switch product, _ := p.String("messaging_product"); {
	case product == "":
		return graph.Param("The parameter messaging_product is required.")
	case !strings.EqualFold(product, "whatsapp"):
		return graph.Param("Param messaging_product must be one of {WHATSAPP} - got \"%s\".", product)
	}
	return nil
}

// draft is a message whose parameters are well-formed.
type draft struct {
	kind     string
	input    string // the recipient as given
	scoped   bool   // given as a business-scoped user id
	user     *customer
	thread   *thread
	template *template
	category string
}

// draft checks the parameters that every message has, and its payload.
func (s *Sim) draft(c *call) (*draft, *graph.Error) {
	d := &draft{kind: "text", category: "service"}
	if v, given := c.params["type"]; given && v != nil {
		kind, ok := v.(string)
		if !ok {
			return nil, graph.Param("Param type must be a string.")
		}
		d.kind = strings.ToLower(kind)
	}
	switch who, _ := c.params.String("recipient_type"); strings.ToLower(who) {
	case "", "individual":
	case "group":
		return nil, graph.Fail(131041, "The group does not exist or the number is not in it.")
	default:
		return nil, graph.Param("Param recipient_type must be one of {INDIVIDUAL, GROUP} - got \"%s\".", who)
	}
	if err := s.addressee(c, d); err != nil {
		return nil, err
	}
	return d, content.Check(d.kind, c.params)
}

// addressee finds the user a message is for: "to" wins over "recipient".
func (s *Sim) addressee(c *call, d *draft) *graph.Error {
	if v := c.params["to"]; v != nil {
		to, ok := graph.Scalar(v)
		if !ok {
			return graph.Param("Param to must be a string.")
		}
		if strings.TrimSpace(to) != "" {
			digits, err := dial(to, c.number.digits)
			if err != nil {
				return err
			}
			d.input, d.user = to, s.customer(canonical(digits))
			return nil
		}
	}
	id, _ := c.params.String("recipient")
	switch {
	case id == "":
		return graph.Param("The parameter to is required.")
	case !scopedForm(id):
		return graph.Fail(131009, "Parameter 'recipient' is not a business-scoped user id.")
	}
	d.input, d.scoped, d.user = id, true, s.st.scoped[id]
	if d.user == nil { // somebody else's user: accepted, and never delivered
		d.user = &customer{Customer: Customer{NotOnWhatsApp: true}, UserID: id}
	}
	return nil
}

// scopedForm reports whether id looks like a business-scoped user id: two letters, a dot, perhaps "ENT.", and up to 128
// letters and digits.
func scopedForm(id string) bool {
	if len(id) < 4 || id[2] != '.' || !upper(id[0]) || !upper(id[1]) {
		return false
	}
	rest := strings.TrimPrefix(id[3:], "ENT.")
	return rest != "" && len(rest) <= 128 && !strings.ContainsFunc(rest, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z')
	})
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// checkTemplate finds the template of a send and compares the parameters.
func (s *Sim) checkTemplate(c *call, d *draft, marketing bool) *graph.Error {
	if d.kind != "template" {
		if marketing {
			return graph.Param("Message must be a template message")
		}
		return nil
	}
	name, language, err := content.Ref(c.params)
	if err != nil {
		return err
	}
	account := c.number.account
	t := account.template(name, language)
	switch {
	case t == nil:
		return content.Missing(name, language)
	case t.Status == statusPaused:
		return graph.Fail(132015, "Template is paused due to low quality so it cannot be sent in a template message.")
	case t.Status == statusDisabled:
		return graph.Fail(132016, "Template has been paused too many times due to low quality and is now permanently disabled.")
	case t.Status != statusApproved:
		return content.Missing(name, language)
	case marketing && !account.Marketing:
		return graph.Fail(131055, "The account is not onboarded to the Marketing Messages API.")
	case marketing && t.Category != "MARKETING":
		return graph.Fail(134100, "Template "+name+" is not a marketing template.")
	case d.scoped && t.Category == "AUTHENTICATION":
		return graph.Fail(131062, "Authentication templates need a phone number.")
	}
	d.template, d.category = t, strings.ToLower(t.Category)
	if marketing {
		d.category = "marketing_lite"
	}
	return t.compiled.Check(c.params)
}

// checkRecipient refuses what depends on who is written to, and how fast.
func (s *Sim) checkRecipient(c *call, d *draft) *graph.Error {
	n, set, now := c.number, &s.st.settings, c.now
	if d.user.WAID == n.digits {
		return graph.Fail(131021, "The recipient is the number the message is sent from.")
	}
	if n.Mode == "SANDBOX" && !n.allows(d.input) {
		return graph.Fail(131030, "Recipient phone number not in allowed list: Add recipient phone number to recipient list and try again.")
	}
	d.thread = n.thread(d.user.key(), now)
	if err := s.checkRestrictions(c, d); err != nil {
		return err
	}
	if set.Throughput && !n.rate.take(now, n.perSecond()) {
		return graph.Fail(130429, "Message failed to send because there were too many messages sent from this phone number in a short period of time.")
	}
	if set.PairRate && !d.thread.debt.take(now) {
		return graph.Fail(131056, "Message failed to send because there were too many messages sent from this phone number to the same phone number in a short period of time.")
	}
	return nil
}

// key names the user's thread: the number, or the scoped id of a user without one.
func (c *customer) key() string {
	if c.WAID == "" {
		return c.UserID
	}
	return c.WAID
}

// shown is what a message's id tells of the user.
func (c *customer) shown() string {
	if c.HidesNumber {
		return c.UserID
	}
	return c.key()
}

// allows compares the dialled form, as Meta's allow-list does: not WhatsApp's canonical one.
func (n *number) allows(input string) bool {
	for _, a := range n.Allowed {
		if digitsOnly(a) == digitsOnly(input) {
			return true
		}
	}
	return false
}

// accept files the message and answers for it. Its fate is decided here and told later.
func (s *Sim) accept(c *call, d *draft) sendReply {
	st := s.st
	opaque, _ := c.params.String("biz_opaque_callback_data")
	st.accepted++
	m := &message{serial: st.accepted + st.received, wamid: wamid(d.user.shown(), true, st.ids.outbound()), number: c.number, user: d.user,
		kind: d.kind, at: c.now, raw: c.kept(), opaque: opaque, template: d.template, voice: content.Voice(d.kind, c.params),
		reaction: d.kind == "reaction", price: price{category: d.category}}
	m.stamps[accepted] = c.now
	m.code, m.details = s.fate(c, d)
	reply := sendReply{Product: "whatsapp", Contacts: []contactReply{{Input: d.input, WAID: d.user.WAID}},
		Messages: []messageReply{{ID: m.wamid}}}
	if d.scoped {
		reply.Contacts[0].UserID = d.user.UserID
		if d.user.HidesNumber {
			reply.Contacts[0].WAID = ""
		}
	}
	due := st.settings.SentMS
	if d.template != nil {
		reply.Messages[0].Status = "accepted"
		until, paced := s.hold(d.template, c.now)
		if m.held = paced || c.effect != nil && c.effect.Held; m.held {
			reply.Messages[0].Status, due = "held_for_quality_assessment", st.settings.HeldMS
		}
		if paced {
			due = millis((until - c.now) / int64(time.Millisecond))
		}
	}
	if d.thread.referred > 0 && c.now-d.thread.referred < int64(24*time.Hour) && d.thread.freeTill < c.now {
		d.thread.freeTill = c.now + int64(7*24*time.Hour)
	}
	st.remember(m)
	c.message = m
	if c.effect != nil {
		m.effect = c.effect.Webhooks
	}
	switch {
	case m.effect != nil && m.effect.BeforeReply:
		told := make(chan struct{})
		m.told, c.told = sync.OnceFunc(func() { close(told) }), told
		s.advance(m, sent, c.now)
	case due >= 0:
		s.at(due.after(c.now), timer{msg: m, stage: sent})
	}
	return reply
}

// kept is the JSON body to remember: the call's own, unless it came without one or with a token in it.
func (c *call) kept() []byte {
	if _, secret := c.params["access_token"]; !secret && c.raw != nil {
		return c.raw
	}
	clean := maps.Clone(c.params)
	delete(clean, "access_token")
	return graph.Marshal(clean)
}

// receipt marks a customer's message, and the earlier ones of its thread, as read; with a typing indicator it shows that too.
func (s *Sim) receipt(c *call) (any, *graph.Error) {
	status, _ := c.params.String("status")
	if !strings.EqualFold(status, "read") {
		return nil, graph.Param("Param status must be one of {READ} - got \"%s\".", status)
	}
	if c.params["to"] != nil || c.params["type"] != nil {
		return nil, graph.Invalid("A status and a message cannot be sent together.")
	}
	id, ok := c.params.String("message_id")
	if !ok || id == "" {
		return nil, graph.Param("The parameter message_id is required.")
	}
	if typing, given := c.params["typing_indicator"]; given {
		if t, ok := typing.(map[string]any); !ok || t["type"] != "text" {
			return nil, graph.Param("Param typing_indicator['type'] must be one of {TEXT}.")
		}
	}
	m := s.st.message(id)
	if m == nil || !m.inbound || m.number != c.number || c.now-m.at > int64(30*24*time.Hour) {
		return nil, graph.Fail(131009, "Message ID is invalid or too old.")
	}
	t := m.number.thread(m.user.key(), c.now)
	t.seen = max(t.seen, m.serial)
	return success, nil
}
