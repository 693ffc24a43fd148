package sim

import (
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// message is one message in either direction, from acceptance to what became of it.
type message struct {
	serial   uint64 // 1, 2, 3… over both directions
	wamid    string
	number   *number
	user     *customer
	inbound  bool
	kind     string // Meta's type
	at       int64  // accepted or written, unix nanoseconds
	raw      []byte // outbound: the call's JSON body; inbound: the element of messages[]
	opaque   string // biz_opaque_callback_data
	stage    stage  // of outbound messages
	stamps   [failed + 1]int64
	shown    bool // the customer's phone has it
	code     int  // what an outbound message will fail with, 0 for nothing
	details  string
	template *template
	onPhone  bool // the owner wrote it in the WhatsApp Business app
	held     bool // for quality assessment, before it is sent
	voice    bool
	reaction bool
	price    price
	effect   *WebhookEffect
	told     func() // called when the webhook of sent was tried; nil unless somebody waits for it
}

// price is what a status says about cost, decided when a message is sent.
type price struct {
	category string // service, utility, marketing, marketing_lite, authentication
	kind     string // regular, free_customer_service, free_entry_point
}

// advance lets a message reach a stage, tells the app, and plans the next one. Stages that no longer make sense (a message
// read before it was delivered is never delivered) are skipped.
func (s *Sim) advance(m *message, to stage, now int64) {
	user := m.user
	if u := s.st.customers[user.WAID]; u != nil {
		user = u
	}
	if to == sent && m.code == 0 && m.held {
		m.code, m.details = s.assessed(m)
	}
	if to == sent && m.code != 0 {
		to = failed
	}
	if to == delivered && m.expired(now) {
		return // nobody is told, as at Meta
	}
	if to <= m.stage {
		return
	}
	set := &s.st.settings
	switch to {
	case sent:
		m.price = s.priceOf(m, user, now)
		m.shown = m.reaction && !user.Blocked
		if !m.reaction && !user.Blocked && set.DeliveredMS >= 0 {
			s.at(max(now, set.DeliveredMS.after(m.at)), timer{msg: m, stage: delivered})
		}
	case delivered:
		m.shown = true
		if set.ReadMS >= 0 && !user.NoReadReceipts {
			s.at(max(now, set.ReadMS.after(m.at)), timer{msg: m, stage: read})
		}
	case read:
		if m.voice {
			s.at(now, timer{msg: m, stage: played})
		}
	}
	first := m.stage < delivered // of delivered and read
	m.stage, m.stamps[to] = to, now
	s.st.statuses[to]++
	s.tell(m, user, to, first, now)
}

// tell queues the webhook of a status.
func (s *Sim) tell(m *message, user *customer, to stage, first bool, now int64) {
	priced := to == sent || first && (to == delivered || to == read)
	u := m.number.update(courier.Status, s.appendStatus(make([]byte, 0, 512), m, user, to, priced, now))
	if to != failed {
		u.Contact = user.contact
	}
	if to == sent || to == failed {
		u.Tried = m.told
	}
	var late int64
	if m.effect != nil && m.effect.Reorder {
		late = s.overtaken(m, to)
	}
	s.post(m.number, u, m.effect, late, now)
}

// overtaken is how long a status has to wait so that all that follow it arrive first, in reverse; 0 for the last one.
func (s *Sim) overtaken(m *message, to stage) int64 {
	set := &s.st.settings
	times := map[stage]millis{sent: set.SentMS, delivered: set.DeliveredMS, read: set.ReadMS}
	last := read
	switch {
	case m.reaction || m.user.Blocked || set.DeliveredMS < 0:
		last = sent
	case set.ReadMS < 0 || m.user.NoReadReceipts:
		last = delivered
	}
	if to >= last {
		return 0
	}
	return max(0, times[last]-times[to]).after(0) + int64(last-to)*int64(20*time.Millisecond)
}

func (n *number) update(kind courier.Kind, body []byte) *courier.Update {
	return &courier.Update{Account: n.account.ID, Number: n.ID, Display: n.digits, Field: "messages", Kind: kind, Body: body}
}

// post routes an update about a number and applies what faults want: number override, account override, app callback. Without
// a subscription there is no webhook at all, and none later either.
func (s *Sim) post(n *number, u *courier.Update, effect *WebhookEffect, late, now int64) {
	if !n.account.subscribed || effect != nil && effect.Drop {
		if u.Tried != nil {
			u.Tried()
		}
		return
	}
	url := n.callback
	if url == "" {
		url = n.account.callback
	}
	if effect == nil {
		s.courier.Send(url, u)
		return
	}
	u.Forgery = effect.forgery()
	due := now + late + effect.DelayMS*int64(time.Millisecond)
	if due > now {
		s.at(due, timer{hook: u, to: url})
	} else {
		s.courier.Send(url, u)
	}
	for i := range effect.Duplicate {
		copied := *u
		copied.Tried, copied.Forgery = nil, courier.Genuine
		s.at(due+int64(i+1)*int64(25*time.Millisecond), timer{hook: &copied, to: url})
	}
}

// appendStatus renders an element of statuses[].
func (s *Sim) appendStatus(b []byte, m *message, user *customer, to stage, priced bool, now int64) []byte {
	b = graph.AppendString(append(b, `{"id":`...), m.wamid)
	b = append(append(b, `,"status":"`...), to.String()...)
	b = strconv.AppendInt(append(b, `","timestamp":"`...), now/int64(time.Second), 10)
	b = append(b, '"')
	if !user.HidesNumber {
		b = graph.AppendString(append(b, `,"recipient_id":`...), user.WAID)
	}
	b = graph.AppendString(append(b, `,"recipient_user_id":`...), user.UserID)
	if m.opaque != "" {
		b = graph.AppendString(append(b, `,"biz_opaque_callback_data":`...), m.opaque)
	}
	if to == failed {
		b = append(b, `,"errors":[`...)
		b = append(b, graph.WebhookNode(m.code, m.details)...)
		return append(b, `]}`...)
	}
	if m.reaction {
		return append(b, '}')
	}
	if to <= read && (versionNumber(s.st.settings.WebhookVersion) < 24 || m.price.kind == "free_entry_point") {
		b = m.appendConversation(b, to)
	}
	if priced {
		b = append(b, `,"pricing":{"billable":`...)
		b = strconv.AppendBool(b, m.price.kind == "regular")
		b = append(append(b, `,"pricing_model":"PMP","type":"`...), m.price.kind...)
		b = append(append(b, `","category":"`...), m.price.category...)
		b = append(b, `"}`...)
	}
	return append(b, '}')
}

// appendConversation renders the object that webhooks up to v23.0 carry; its id is the message's own since prices are per
// message.
func (m *message) appendConversation(b []byte, to stage) []byte {
	id := source{seed: hash64(m.wamid)}
	b = append(append(b, `,"conversation":{"id":"`...), id.hex(32)...)
	if to == sent {
		b = strconv.AppendInt(append(b, `","expiration_timestamp":"`...), m.at/int64(time.Second)+86400, 10)
	}
	b = append(append(b, `","origin":{"type":"`...), m.price.category...)
	return append(b, `"}}`...)
}

// freeServiceMessages is how many service messages a number delivers for nothing in a month, since October 2026.
const freeServiceMessages = 1000

// priceOf applies the rules in force since 1 October 2026: free inside a free-entry-point window, the first thousand service
// messages of a number's month free, everything else charged, utility templates in an open window too.
func (s *Sim) priceOf(m *message, user *customer, now int64) price {
	p := price{category: m.price.category, kind: "regular"}
	n := m.number
	if t := n.threads[user.WAID]; t != nil && t.freeTill > now {
		p.kind = "free_entry_point"
		return p
	}
	if p.category != "service" || m.reaction {
		return p
	}
	at := time.Unix(0, now).UTC()
	if month := at.Year()*12 + int(at.Month()); month != n.month {
		n.month, n.free = month, 0
	}
	if n.free < freeServiceMessages {
		p.kind = "free_customer_service"
		if !user.Blocked { // only what is delivered counts
			n.free++
		}
	}
	return p
}
