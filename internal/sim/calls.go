package sim

import (
	"encoding/base64"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// States of a voice call.
const (
	callRinging  = "RINGING"
	callPrepared = "PRE_ACCEPTED" // the business has set up the media of a user's call, and has not answered yet
	callAnswered = "ACCEPTED"
	callOver     = "OVER"
)

// Limits of calls a business starts, and of asking for the permission. Meta's calling reference, November 2025.
const (
	callsPerDay      = 10 // that the user answers
	requestsPerDay   = 1
	requestsPerWeek  = 2
	permissionLife   = 7 * 24 * time.Hour
	maxOpaqueCall    = 512
	maxCallsKept     = 10_000
	businessStarted  = "BUSINESS_INITIATED"
	customerStarted  = "USER_INITIATED"
	permissionNone   = "no_permission"
	permissionTimed  = "temporary"
	permissionAlways = "permanent"
)

// voice is one voice call.
type voice struct {
	id        string
	number    *number
	user      *customer
	direction string
	state     string
	opaque    string
	started   int64 // answered, unix nanoseconds
}

// callBook is what the simulator remembers of calls. Its zero value is ready to use.
type callBook struct {
	calls    map[string]*voice
	order    []*voice
	granted  map[string]grant   // permission to call, by number and user
	answered map[string][]int64 // calls that connected, by number and user, within a day
	asked    map[string][]int64 // permission requests, by number and user, within a week
}

// grant is a user's permission to be called.
type grant struct {
	status string
	until  int64 // unix nanoseconds; 0 for a permanent one
}

func pairKey(n *number, u *customer) string { return n.ID + "/" + u.key() }

func (b *callBook) permission(n *number, u *customer, now int64) grant {
	g := b.granted[pairKey(n, u)]
	if g.status == "" || g.until != 0 && g.until <= now {
		return grant{status: permissionNone}
	}
	return g
}

func (b *callBook) add(v *voice) {
	if b.calls == nil {
		b.calls = map[string]*voice{}
	}
	if len(b.order) == maxCallsKept {
		delete(b.calls, b.order[0].id)
		b.order = b.order[1:]
	}
	b.calls[v.id] = v
	b.order = append(b.order, v)
}

// within counts the times of a list that are less than a period ago.
func within(times []int64, now int64, period time.Duration) (n int) {
	for _, at := range times {
		if now-at < int64(period) {
			n++
		}
	}
	return n
}

// note adds a time to a list and drops those that are over. Lists that hold nothing any more go when there are too many.
func note(book *map[string][]int64, key string, now int64, period time.Duration) {
	if *book == nil {
		*book = map[string][]int64{}
	}
	if len(*book) >= threadLimit {
		maps.DeleteFunc(*book, func(_ string, times []int64) bool { return within(times, now, period) == 0 })
	}
	if len(*book) >= threadLimit {
		clear(*book) // memory comes first
	}
	recent := slices.DeleteFunc((*book)[key], func(at int64) bool { return now-at >= int64(period) })
	(*book)[key] = append(recent, now)
}

type callReply struct {
	Product string  `json:"messaging_product"`
	Calls   []objID `json:"calls"`
}

type objID struct {
	ID string `json:"id"`
}

type callDone struct {
	Product string `json:"messaging_product"`
	Success bool   `json:"success"`
}

// postCall is POST /{number}/calls: start a call, or act on one that is there.
func postCall(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	if err := messagingProduct(c.params); err != nil {
		return nil, err
	}
	if c.number.Status != "CONNECTED" {
		return nil, graph.Fail(133010, "The phone number is not registered.")
	}
	if err := c.account.locked(); err != nil {
		return nil, err
	}
	if !c.number.takesCalls() {
		return nil, graph.Fail(138000, "Calling is not enabled for this phone number.")
	}
	action, _ := c.params.String("action")
	switch action {
	case "connect":
		return s.connectCall(c)
	case "pre_accept", "accept", "reject", "terminate":
	case "":
		return nil, graph.Param("The parameter action is required.")
	default:
		return nil, graph.Param("Param action must be one of {CONNECT, PRE_ACCEPT, ACCEPT, REJECT, TERMINATE} - got \"%s\".", action)
	}
	id, _ := c.params.String("call_id")
	v := s.st.voices.calls[id]
	switch {
	case id == "":
		return nil, graph.Param("The parameter call_id is required.")
	case v == nil || v.number != c.number:
		return nil, graph.Fail(138004, "There is no call with this id.")
	case v.state == callOver:
		return nil, graph.Fail(138004, "The call is over.")
	}
	return s.actOnCall(c, v, action)
}

// takesCalls reports whether calling was switched on in the number's settings; at first it is off.
func (n *number) takesCalls() bool { return n.setup.calling["status"] == "ENABLED" }

// connectCall starts a call to a user who allowed it.
func (s *Sim) connectCall(c *call) (any, *graph.Error) {
	d := &draft{}
	if err := s.addressee(c, d); err != nil {
		return nil, err
	}
	opaque, _ := c.params.String("biz_opaque_callback_data")
	if len([]rune(opaque)) > maxOpaqueCall {
		return nil, graph.Param("Param biz_opaque_callback_data must be at most %d characters long.", maxOpaqueCall)
	}
	if err := checkSession(c, "offer"); err != nil {
		return nil, err
	}
	if c.account.bars(noCalling, c.now) {
		return nil, graph.Fail(138013, "The account is restricted from calling for now.")
	}
	key, book := pairKey(c.number, d.user), &s.st.voices
	switch {
	case d.user.NotOnWhatsApp || d.user.Blocked || d.user.CannotReceiveNew:
		return nil, graph.Fail(138001, "The user cannot be called.")
	case book.permission(c.number, d.user, c.now).status == permissionNone:
		return nil, graph.Fail(138006, "The user has not allowed the business to call.")
	case within(book.answered[key], c.now, 24*time.Hour) >= callsPerDay:
		return nil, graph.Fail(138012, "The user has answered as many calls as a business may make in a day.")
	}
	for _, v := range book.calls {
		if v.number == c.number && v.user.key() == d.user.key() && v.state != callOver {
			return nil, graph.Fail(138003, "There is a call with this user already.")
		}
	}
	v := &voice{id: s.callID(), number: c.number, user: d.user, direction: businessStarted, state: callRinging, opaque: opaque}
	book.add(v)
	s.tellCallStatus(v, callRinging, c.now)
	return callReply{Product: "whatsapp", Calls: []objID{{v.id}}}, nil
}

// actOnCall moves a call on. Only a user's call can be accepted or rejected; either can be ended.
func (s *Sim) actOnCall(c *call, v *voice, action string) (any, *graph.Error) {
	waiting := v.direction == customerStarted && (v.state == callRinging || v.state == callPrepared)
	if action != "terminate" && !waiting {
		return nil, graph.Fail(138004, "The call cannot be "+strings.ReplaceAll(action, "_", "-")+"ed now.")
	}
	if action == "accept" || action == "pre_accept" {
		if err := checkSession(c, "answer"); err != nil {
			return nil, err
		}
	}
	switch action {
	case "pre_accept":
		v.state = callPrepared
	case "accept":
		s.answered(v, c.now)
	default:
		s.endCall(v, c.now)
	}
	return callDone{"whatsapp", true}, nil
}

// checkSession checks the media description of a call.
func checkSession(c *call, kind string) *graph.Error {
	m, ok := c.params["session"].(map[string]any)
	if !ok {
		return graph.Param("The parameter session is required.")
	}
	if t, _ := graph.Scalar(m["sdp_type"]); t != kind {
		return graph.Param("Param session['sdp_type'] must be one of {%s} - got \"%s\".", strings.ToUpper(kind), t)
	}
	if sdp, _ := graph.Scalar(m["sdp"]); !strings.HasPrefix(sdp, "v=0") {
		return graph.Fail(138004, "Parameter 'session['sdp']' is not a session description (RFC 8866).")
	}
	return nil
}

func (s *Sim) callID() string {
	return "wacid." + base64.StdEncoding.EncodeToString([]byte("\x1c\x18\x0c"+s.st.ids.hex(24)))
}

// answered connects a call.
func (s *Sim) answered(v *voice, now int64) {
	v.state, v.started = callAnswered, now
	key, book := pairKey(v.number, v.user), &s.st.voices
	note(&book.answered, key, now, 24*time.Hour)
	delete(book.asked, key) // a connected call resets the limit on asking
}

// endCall ends a call and tells the app.
func (s *Sim) endCall(v *voice, now int64) {
	o := v.object("terminate", now)
	if o["status"] = "FAILED"; v.state == callAnswered {
		o["status"] = "COMPLETED"
		o["start_time"], o["end_time"] = seconds(v.started), seconds(now)
		o["duration"] = (now - v.started) / int64(time.Second)
	}
	if v.opaque != "" {
		o["biz_opaque_callback_data"] = v.opaque
	}
	v.state = callOver
	s.tellCall(v, object{"calls": []object{o}}, now)
}

func seconds(t int64) string { return strconv.FormatInt(t/int64(time.Second), 10) }

// object is an element of calls[] in a webhook.
func (v *voice) object(event string, now int64) object {
	from, to := v.number.digits, v.user.WAID
	if v.direction == customerStarted {
		from, to = to, from
	}
	return object{"id": v.id, "from": from, "to": to, "event": event, "timestamp": seconds(now), "direction": v.direction}
}

func (s *Sim) tellCallStatus(v *voice, status string, now int64) {
	o := object{"id": v.id, "type": "call", "status": status, "timestamp": seconds(now), "recipient_id": v.user.WAID}
	if v.opaque != "" {
		o["biz_opaque_callback_data"] = v.opaque
	}
	s.tellCall(v, object{"statuses": []object{o}}, now)
}

// tellCall is a webhook of the field calls.
func (s *Sim) tellCall(v *voice, value object, now int64) {
	value["messaging_product"] = "whatsapp"
	value["metadata"] = object{"display_phone_number": v.number.digits, "phone_number_id": v.number.ID}
	value["contacts"] = []object{{"profile": object{"name": v.user.Name}, "wa_id": v.user.WAID}}
	u := v.number.update(courier.Value, graph.Marshal(value))
	u.Field = "calls"
	s.post(v.number, u, nil, 0, now)
}
