package sim

import (
	"encoding/json"
	"maps"
	"net/http"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// customerPatch is PUT /sim/v1/customers/{wa_id}; what is left out stays as it is, for a new customer the usual.
type customerPatch struct {
	Name            *string `json:"name"`
	OnWhatsApp      *bool   `json:"on_whatsapp"`
	ReadReceipts    *bool   `json:"read_receipts"`
	Blocked         *bool   `json:"blocked"`
	MarketingOptOut *bool   `json:"marketing_opt_out"`
	BusinessBlocked *bool   `json:"business_blocked"`
	OldClient       *bool   `json:"old_client"`
	HidesNumber     *bool   `json:"hides_number"`
	IdentityKeyHash *string `json:"identity_key_hash"`
}

func (c *customer) object() object {
	return object{"wa_id": c.WAID, "user_id": c.UserID, "name": c.Name, "on_whatsapp": !c.NotOnWhatsApp,
		"read_receipts": !c.NoReadReceipts, "blocked": c.Blocked, "marketing_opt_out": c.MarketingOptOut,
		"business_blocked": c.BusinessBlocked, "old_client": c.CannotReceiveNew, "hides_number": c.HidesNumber, "identity_key_hash": c.IdentityKeyHash}
}

// pathCustomer reads the customer's number from the path; a leading plus is forgiven.
func pathCustomer(r *http.Request) (string, error) {
	given := r.PathValue("wa_id")
	digits := digitsOnly(given)
	if len(digits) < 7 || len(digits) > 15 || (given != digits && given != "+"+digits) {
		return "", fault.New(fault.Validation, "%q is not a WhatsApp number: give 7 to 15 digits", given)
	}
	return digits, nil
}

func putCustomer(s *Sim, r *http.Request) (shown any, err error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	var p customerPatch
	if err := input(r, &p); err != nil {
		return nil, err
	}
	s.with(func(st *state) {
		w := s.customer(waID).Customer
		set(&w.Name, p.Name)
		set(&w.Blocked, p.Blocked)
		set(&w.BusinessBlocked, p.BusinessBlocked)
		set(&w.CannotReceiveNew, p.OldClient)
		set(&w.HidesNumber, p.HidesNumber)
		set(&w.IdentityKeyHash, p.IdentityKeyHash)
		if p.OnWhatsApp != nil {
			w.NotOnWhatsApp = !*p.OnWhatsApp
		}
		if p.ReadReceipts != nil {
			w.NoReadReceipts = !*p.ReadReceipts
		}
		if p.MarketingOptOut != nil && *p.MarketingOptOut != w.MarketingOptOut {
			w.MarketingOptOut = *p.MarketingOptOut
			s.announcePreference(waID, w.MarketingOptOut)
		}
		shown = st.describe(s.world.Portfolio, w).object()
	})
	return shown, nil
}

func set[T any](to, from *T) {
	if from != nil {
		*to = *from
	}
}

func getCustomer(s *Sim, r *http.Request) (shown any, err error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	s.with(func(*state) { shown = s.customer(waID).object() })
	return shown, nil
}

// announcePreference tells every number the user talked to that marketing messages were stopped or resumed.
func (s *Sim) announcePreference(waID string, stopped bool) {
	value, detail := "resume", "User requested to resume marketing messages"
	if stopped {
		value, detail = "stop", "User requested to stop marketing messages"
	}
	who := object{"wa_id": waID}
	preference := object{"detail": detail, "category": "marketing_messages", "value": value}
	if user := s.customer(waID); user.HidesNumber {
		who = object{"user_id": user.UserID}
	}
	maps.Copy(preference, who)
	now := s.now()
	preference["timestamp"] = now.Unix()
	for _, a := range s.st.order {
		for _, n := range a.numbers {
			if n.threads[waID] == nil {
				continue
			}
			u := n.update(courier.Value, graph.Marshal(object{"messaging_product": "whatsapp",
				"metadata": object{"display_phone_number": n.digits, "phone_number_id": n.ID},
				"contacts": []object{who}, "user_preferences": []object{preference}}))
			u.Field = "user_preferences"
			s.post(n, u, nil, 0, now.UnixNano())
		}
	}
}

// announce tells the app about an account; such updates always go to the app's own callback.
func (s *Sim) announce(a *account, field string, value any, now time.Time) {
	if !a.subscribed {
		return
	}
	s.courier.Send("", &courier.Update{Account: a.ID, Field: field, Kind: courier.Value, Body: graph.Marshal(value), Time: now.Unix()})
}

func postCustomerMessage(s *Sim, r *http.Request) (any, error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	var in inboundMessage
	if err := input(r, &in); err != nil {
		return nil, err
	}
	id, err := s.write(waID, in)
	if err != nil {
		return nil, err
	}
	return struct {
		ID string `json:"id"`
	}{id}, nil
}

// readRequest is POST /sim/v1/customers/{wa_id}/read: one message, or all there are.
type readRequest struct {
	Message string `json:"message_id"`
	Number  string `json:"phone_number_id"`
}

// postRead lets the customer look at the chat. What was not delivered yet is read at once, as with an open thread.
func postRead(s *Sim, r *http.Request) (any, error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	var in readRequest
	if err := input(r, &in); err != nil {
		return nil, err
	}
	ids := []string{}
	s.with(func(st *state) {
		now := s.now().UnixNano()
		list := st.messages
		if in.Message != "" {
			m := st.message(in.Message)
			if m == nil || m.inbound || m.user.WAID != waID {
				err = fault.New(fault.NotFound, "the customer has no message %q from a business", in.Message)
				return
			}
			list = []*message{m}
		}
		for _, m := range list {
			if m.inbound || m.user.WAID != waID || (in.Number != "" && m.number.ID != in.Number) ||
				m.stage < sent || m.stage > delivered || m.reaction || s.customer(waID).Blocked {
				continue
			}
			m.shown = true
			ids = append(ids, m.wamid)
			if !s.customer(waID).NoReadReceipts {
				s.advance(m, read, now)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return struct {
		Read []string `json:"read"`
	}{ids}, nil
}

// getChat shows the chat on the customer's phone, oldest first: what the customer wrote and what arrived.
func getChat(s *Sim, r *http.Request) (any, error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	number := r.URL.Query().Get("phone_number_id")
	var chat []*message
	shown := []object{}
	s.with(func(st *state) {
		if number != "" && st.numbers[number] == nil {
			err = fault.New(fault.NotFound, "no phone number has the id %q", number)
			return
		}
		for _, m := range st.messages {
			if m.user.WAID == waID && m.shown && (number == "" || m.number.ID == number) {
				chat = append(chat, m)
			}
		}
		for _, m := range chat {
			shown = append(shown, m.chatEntry())
		}
	})
	if err != nil {
		return nil, err
	}
	return object{"messages": shown}, nil
}

// chatEntry is one bubble: Meta's own members of the message, and whose it is.
func (m *message) chatEntry() object {
	o := object{"id": m.wamid, "phone_number_id": m.number.ID, "timestamp": strconv.FormatInt(m.at/int64(time.Second), 10), "type": m.kind}
	var body map[string]json.RawMessage
	if json.Unmarshal(m.raw, &body) == nil {
		for _, key := range []string{m.kind, "context", "errors", "referral"} {
			if v, ok := body[key]; ok {
				o[key] = v
			}
		}
	}
	if m.inbound {
		o["direction"], o["from"], o["to"] = "inbound", m.user.WAID, m.number.digits
		t := m.number.threads[m.user.key()]
		o["read_by_business"] = t != nil && t.seen >= m.serial
		return o
	}
	o["direction"], o["from"], o["to"], o["status"] = "outbound", m.number.digits, m.user.WAID, m.stage.String()
	if m.template != nil {
		o["rendered"] = m.rendered()
	}
	return o
}
