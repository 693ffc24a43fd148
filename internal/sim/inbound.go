package sim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// inboundMessage is what a customer writes: POST /sim/v1/customers/{wa_id}/messages. The message is Meta's object without from,
// id and timestamp; whatever members it has are passed on as they are, so future types work. Media may be given inline:
// {"type":"image","image":{"data":"<base64>","mime_type":"image/png"}}.
type inboundMessage struct {
	Number  string          `json:"phone_number_id"`
	Message json.RawMessage `json:"message"`
	Errors  json.RawMessage `json:"errors"` // value.errors beside (or instead of) the message
}

// member is one member of a JSON object, in its original place.
type member struct {
	key   string
	value json.RawMessage
}

// members splits an object without losing the order.
func members(raw json.RawMessage) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("a JSON object is required")
	}
	var list []member
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := member{key: t.(string)} // an object's keys are strings
		if err := dec.Decode(&m.value); err != nil {
			return nil, err
		}
		list = append(list, m)
	}
	return list, nil
}

func find(list []member, key string) json.RawMessage {
	for _, m := range list {
		if m.key == key {
			return m.value
		}
	}
	return nil
}

func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s)
	return s
}

// write lets a customer write to a number and returns the message's id. It opens the customer service window, unless it is a system
// message: that is WhatsApp's own.
func (s *Sim) write(waID string, in inboundMessage) (id string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.st.numbers[in.Number]
	if n == nil {
		return "", fault.New(fault.NotFound, "no phone number has the id %q", in.Number)
	}
	if n.account.standing.ban == banDisabled {
		return "", fault.New(fault.Validation, "the business account is disabled: nobody can write to it")
	}
	now := s.now().UnixNano()
	user := s.st.customers[waID]
	if user == nil {
		user = s.customer(waID)
		if len(s.st.customers) < threadLimit { // beyond that, strangers stay strangers
			s.st.keep(user)
		}
	}
	u := n.update(courier.Message, nil)
	if len(in.Errors) > 0 {
		u.Errors = graph.AppendEscaped(nil, in.Errors)
	}
	effect := s.st.fault("", edgeInbound, n.ID, waID)
	if len(in.Message) > 0 {
		if id, err = s.compose(u, n, user, in.Message, now); err != nil {
			return "", err
		}
	} else if u.Errors == nil {
		return "", errors.New("message is required")
	}
	var hooks *WebhookEffect
	var late int64
	if effect != nil {
		if hooks = effect.Webhooks; hooks.Reorder {
			late = int64(100 * time.Millisecond)
		}
	}
	s.post(n, u, hooks, late, now)
	return id, nil
}

// compose fills in the update of a customer's message and files it.
func (s *Sim) compose(u *courier.Update, n *number, user *customer, raw json.RawMessage, now int64) (id string, err error) {
	list, err := members(raw)
	if err != nil {
		return "", fmt.Errorf("message: %w", err)
	}
	kind := text(find(list, "type"))
	if kind == "" {
		return "", errors.New("message.type is required")
	}
	if kind == "text" && find(list, "text") == nil {
		return "", errors.New("message.text is required for a text")
	}
	for i := range list {
		switch m := &list[i]; m.key {
		case "from", "id", "timestamp", "from_user_id":
			return "", fmt.Errorf("message.%s is the simulator's to set", m.key)
		case kind:
			if m.value, err = s.inline(n, m.value, now); err != nil {
				return "", fmt.Errorf("message.%s: %w", kind, err)
			}
		case "context":
			if m.value, err = quote(n, m.value); err != nil {
				return "", fmt.Errorf("message.context: %w", err)
			}
		}
	}
	st := s.st
	id = wamid(user.shown(), false, st.ids.inbound(user.WAID))
	b := append(make([]byte, 0, 256+len(raw)), '{')
	if !user.HidesNumber {
		b = append(graph.AppendString(append(b, `"from":`...), user.WAID), ',')
	}
	b = graph.AppendString(append(b, `"from_user_id":`...), user.UserID)
	b = graph.AppendString(append(b, `,"id":`...), id)
	b = strconv.AppendInt(append(b, `,"timestamp":"`...), now/int64(time.Second), 10)
	b = append(b, '"')
	for _, m := range list {
		b = graph.AppendString(append(b, ','), m.key)
		b = graph.AppendEscaped(append(b, ':'), m.value)
	}
	u.Body = append(b, '}')
	if kind != "system" {
		u.Contact = user.contact
	}
	if st.settings.Throughput {
		n.rate.force(now, n.perSecond())
	}
	t := n.thread(user.WAID, now)
	if kind != "system" {
		t.written = now
	}
	if find(list, "referral") != nil {
		t.referred = now
	}
	st.received++
	st.remember(&message{serial: st.accepted + st.received, wamid: id, number: n, user: user, inbound: true, kind: kind, at: now,
		raw: u.Body, shown: true, reaction: kind == "reaction"})
	if number := text(find(mustMembers(find(list, "system")), "wa_id")); kind == "system" && number != "" {
		moved := user.Customer
		moved.WAID = number
		st.describe(s.world.Portfolio, moved)
	}
	return id, nil
}

func mustMembers(raw json.RawMessage) []member {
	list, _ := members(raw) // not an object: no members
	return list
}

// quote completes the context of a reply: message_id may be given as in sends, and the business number is added as from.
func quote(n *number, raw json.RawMessage) (json.RawMessage, error) {
	list, err := members(raw)
	if err != nil {
		return nil, err
	}
	from, id := false, false
	for i := range list {
		if list[i].key == "message_id" {
			list[i].key = "id"
		}
		from, id = from || list[i].key == "from", id || list[i].key == "id"
	}
	if id && !from {
		list = append([]member{{"from", json.RawMessage(strconv.Quote(n.digits))}}, list...)
	}
	return join(list), nil
}

func join(list []member) json.RawMessage {
	b := []byte{'{'}
	for i, m := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(graph.AppendString(b, m.key), ':')
		b = append(b, m.value...)
	}
	return append(b, '}')
}

// inline stores the bytes of a media object given as base64 in data, and puts id, mime_type, sha256 and url in their place.
// Any other payload is left alone.
func (s *Sim) inline(n *number, raw json.RawMessage, now int64) (json.RawMessage, error) {
	list, err := members(raw)
	if err != nil || find(list, "data") == nil {
		return raw, nil // contacts and future types need not be objects
	}
	data, err := base64.StdEncoding.DecodeString(text(find(list, "data")))
	if err != nil {
		return nil, errors.New("data is not standard base64")
	}
	mime := text(find(list, "mime_type"))
	if mime == "" {
		return nil, errors.New("mime_type is required beside data")
	}
	m := &media{id: s.st.ids.digits(), number: n, mime: mime, filename: text(find(list, "filename")),
		blob: blob{data: data, size: int64(len(data)), sum: sha256.Sum256(data)}, expires: now + int64(inboundMediaLife)}
	s.st.media.add(m)
	out := []member{
		{"id", graph.Marshal(m.id)},
		{"mime_type", graph.Marshal(mime)},
		{"sha256", graph.Marshal(base64.StdEncoding.EncodeToString(m.sum[:]))},
		{"url", graph.Marshal(s.address(m, s.o.PublicURL, now) + "&source=webhook")},
	}
	for _, o := range list {
		if o.key != "data" && o.key != "mime_type" {
			out = append(out, o)
		}
	}
	return join(out), nil
}
