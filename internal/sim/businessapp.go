package sim

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// What happens on the phone of a number that is used with the WhatsApp Business app and the Cloud API at once.

// historyDays is how far back a shared history goes, and where its phases end.
var historyDays = [...]int{1, 90, 180}

// errHistoryOff is Meta's code for an owner who does not share.
const errHistoryOff = 2593109

// onPhone finds the number of a control call, which has to be one that its owner also uses in the app.
func (st *state) onPhone(r *http.Request) (*number, error) {
	n := st.numbers[r.PathValue("id")]
	switch {
	case n == nil:
		return nil, fault.New(fault.NotFound, "no phone number has the id %q", r.PathValue("id"))
	case n.Throughput != ThroughputCoexistence:
		return nil, fault.New(fault.Validation, "the number is not used with the WhatsApp Business app: its throughput has to be NOT_APPLICABLE")
	}
	return n, nil
}

// tellPhone announces something about a number in the envelope of messages.
func (s *Sim) tellPhone(n *number, field string, members object) {
	members["messaging_product"] = "whatsapp"
	members["metadata"] = object{"display_phone_number": n.digits, "phone_number_id": n.ID}
	s.announce(n.account, field, members, s.now())
}

// postHistory is POST /sim/v1/phone-numbers/{id}/history: the owner shares the chats of the last 180 days, or refuses to.
func postHistory(s *Sim, r *http.Request) (told any, err error) {
	in := struct {
		Refused bool `json:"refused"`
		Chunk   int  `json:"chunk_size"`
	}{Chunk: 100}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	if in.Chunk < 1 {
		return nil, fault.New(fault.Validation, "chunk_size must be at least 1")
	}
	s.with(func(st *state) {
		var n *number
		if n, err = st.onPhone(r); err != nil {
			return
		}
		if in.Refused {
			const text = "History sharing is turned off by the business from the WhatsApp Business App"
			s.tellPhone(n, "history", object{"history": []object{{"errors": []object{{"code": errHistoryOff, "title": text, "message": text,
				"error_data": object{"details": "The business owner has turned off history sharing."}}}}}})
			told = object{"chunks": 1, "messages": 0}
			return
		}
		told = s.shareHistory(n, in.Chunk)
	})
	return told, err
}

// shareHistory tells of a number's chats, newest phase first. A phase without messages is one chunk without threads.
func (s *Sim) shareHistory(n *number, size int) object {
	now, total, chunks := s.now(), 0, 0
	until := now
	for phase, days := range historyDays {
		from := now.Add(-time.Duration(days) * 24 * time.Hour)
		var list []*message
		for _, m := range s.st.messages {
			if m.number == n && m.at >= from.UnixNano() && (phase == 0 || m.at < until.UnixNano()) {
				list = append(list, m)
			}
		}
		until, total = from, total+len(list)
		parts := slices.Collect(slices.Chunk(list, size))
		if len(parts) == 0 {
			parts = [][]*message{nil}
		}
		for i, part := range parts {
			progress := (phase*100 + 100*(i+1)/len(parts)) / len(historyDays)
			s.tellPhone(n, "history", object{"history": []object{{
				"metadata": object{"phase": phase, "chunk_order": i + 1, "progress": progress}, "threads": s.threads(n, part)}}})
			chunks++
		}
	}
	return object{"chunks": chunks, "messages": total}
}

// threads groups messages by the user they were exchanged with.
func (s *Sim) threads(n *number, list []*message) []object {
	threads := []object{}
	at := map[string]int{}
	for _, m := range list {
		user := m.user.key()
		i, ok := at[user]
		if !ok {
			i = len(threads)
			at[user] = i
			threads = append(threads, object{"id": user, "messages": []object{}})
		}
		threads[i]["messages"] = append(threads[i]["messages"].([]object), m.remembered(n))
	}
	return threads
}

// remembered is a message as a history tells it. Files are not in it.
func (m *message) remembered(n *number) object {
	o := object{"from": m.user.key(), "id": m.wamid, "timestamp": strconv.FormatInt(m.at/int64(time.Second), 10), "type": m.kind}
	status := "READ"
	if !m.inbound {
		o["from"], o["to"] = n.digits, m.user.key()
		status = map[stage]string{accepted: "PENDING", sent: "SENT", delivered: "DELIVERED", read: "READ", played: "PLAYED", failed: "ERROR"}[m.stage]
	}
	o["history_context"] = object{"status": status}
	if slices.Contains([]string{"image", "video", "audio", "document", "sticker"}, m.kind) {
		o["type"] = "media_placeholder"
		return o
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(m.raw, &body) == nil && body[m.kind] != nil {
		o[m.kind] = body[m.kind]
	}
	return o
}

// postEcho is POST /sim/v1/phone-numbers/{id}/echoes: the owner writes to a customer on the phone. The message is Meta's object
// without from, to, id and timestamp.
func postEcho(s *Sim, r *http.Request) (told any, err error) {
	var in struct {
		To      string          `json:"to"`
		Message json.RawMessage `json:"message"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	list, problem := members(in.Message)
	kind := text(find(list, "type"))
	if problem != nil || kind == "" || digitsOnly(in.To) == "" {
		return nil, fault.New(fault.Validation, "to, and a message with a type, are required")
	}
	s.with(func(st *state) {
		var n *number
		if n, err = st.onPhone(r); err != nil {
			return
		}
		user, now := s.customer(canonical(digitsOnly(in.To))), s.now().UnixNano()
		id := wamid(user.shown(), true, st.ids.outbound())
		echo := object{"from": n.digits, "to": user.WAID, "to_user_id": user.UserID, "id": id, "timestamp": strconv.FormatInt(now/int64(time.Second), 10)}
		for _, m := range list {
			echo[m.key] = m.value
		}
		st.remember(&message{serial: st.accepted + st.received, wamid: id, number: n, user: user, kind: kind, at: now, raw: graph.Marshal(echo),
			stage: delivered, shown: true, onPhone: true})
		s.tellPhone(n, "smb_message_echoes", object{"message_echoes": []object{echo}})
		told = objID{id}
	})
	return told, err
}

// postContact is POST /sim/v1/phone-numbers/{id}/contacts: the owner adds, changes or removes a contact on the phone.
func postContact(s *Sim, r *http.Request) (any, error) {
	var in struct {
		Action string `json:"action"`
		Full   string `json:"full_name"`
		First  string `json:"first_name"`
		Phone  string `json:"phone_number"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	contact := object{"phone_number": digitsOnly(in.Phone)}
	switch {
	case digitsOnly(in.Phone) == "":
		return nil, fault.New(fault.Validation, "phone_number is required")
	case in.Action == "add":
		contact["full_name"], contact["first_name"] = in.Full, in.First
	case in.Action != "remove":
		return nil, fault.New(fault.Validation, "action must be add or remove")
	}
	var err error
	s.with(func(st *state) {
		var n *number
		if n, err = st.onPhone(r); err == nil {
			s.tellPhone(n, "smb_app_state_sync", object{"state_sync": []object{{"type": "contact", "action": in.Action, "contact": contact,
				"metadata": object{"timestamp": strconv.FormatInt(s.now().Unix(), 10)}}}})
		}
	})
	return nil, err
}
