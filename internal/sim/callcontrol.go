package sim

import (
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// customerCall is POST /sim/v1/customers/{wa_id}/calls: the user calls, answers, rejects or hangs up.
type customerCall struct {
	Number string `json:"phone_number_id"`
	Action string `json:"action"` // call, accept, reject, hang_up
	ID     string `json:"call_id"`
	SDP    string `json:"sdp"`
}

// sampleSDP stands for the media of a simulated phone: well-formed, and nobody listens.
const sampleSDP = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 127.0.0.1\r\na=rtpmap:111 opus/48000/2\r\n"

func postCustomerCall(s *Sim, r *http.Request) (any, error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	in := customerCall{SDP: sampleSDP}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixNano()
	if in.Action == "call" {
		return s.customerCalls(waID, in, now)
	}
	v := s.st.voices.calls[in.ID]
	switch {
	case v == nil || v.user.WAID != waID:
		return nil, fault.New(fault.NotFound, "the customer has no call %q", in.ID)
	case v.state == callOver:
		return nil, fault.New(fault.Validation, "the call is over")
	}
	ringing := v.direction == businessStarted && v.state == callRinging
	switch {
	case in.Action == "accept" && ringing:
		s.answered(v, now)
		o := v.object("connect", now)
		o["session"] = object{"sdp_type": "answer", "sdp": in.SDP}
		s.tellCall(v, object{"calls": []object{o}}, now)
		s.tellCallStatus(v, callAnswered, now)
	case in.Action == "reject" && ringing:
		s.tellCallStatus(v, "REJECTED", now)
		s.endCall(v, now)
	case in.Action == "hang_up":
		s.endCall(v, now)
	default:
		return nil, fault.New(fault.Validation, "action must be call, hang_up or, for a call of the business that rings, accept or reject")
	}
	return objID{v.id}, nil
}

// customerCalls lets a user call the business. It opens the customer service window.
func (s *Sim) customerCalls(waID string, in customerCall, now int64) (any, error) {
	n := s.st.numbers[in.Number]
	if n == nil {
		return nil, fault.New(fault.NotFound, "no phone number has the id %q", in.Number)
	}
	if !n.takesCalls() {
		return nil, fault.New(fault.Validation, "calling is not enabled for this number: POST /%s/settings with calling.status ENABLED first", n.ID)
	}
	if n.account.bars(noBeingCalled, now) || n.account.standing.ban == banDisabled {
		return nil, fault.New(fault.Validation, "Meta does not let the business be called")
	}
	user := s.st.customers[waID]
	if user == nil {
		user = s.st.describe(s.world.Portfolio, s.customer(waID).Customer)
	}
	v := &voice{id: s.callID(), number: n, user: user, direction: customerStarted, state: callRinging}
	s.st.voices.add(v)
	n.thread(waID, now).written = now
	o := v.object("connect", now)
	o["session"] = object{"sdp_type": "offer", "sdp": in.SDP}
	s.tellCall(v, object{"calls": []object{o}}, now)
	return objID{v.id}, nil
}

// putCallPermission is PUT /sim/v1/customers/{wa_id}/call-permission: the user allows a number to call, or no longer does.
func putCallPermission(s *Sim, r *http.Request) (any, error) {
	waID, err := pathCustomer(r)
	if err != nil {
		return nil, err
	}
	var in struct {
		Number string `json:"phone_number_id"`
		Status string `json:"status"`
	}
	if err := input(r, &in); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n, book := s.st.numbers[in.Number], &s.st.voices
	if n == nil {
		return nil, fault.New(fault.NotFound, "no phone number has the id %q", in.Number)
	}
	g := grant{status: in.Status}
	switch in.Status {
	case permissionTimed:
		g.until = s.now().Add(permissionLife).UnixNano()
	case permissionNone, permissionAlways:
	default:
		return nil, fault.New(fault.Validation, "status must be no_permission, temporary or permanent")
	}
	if book.granted == nil {
		book.granted = map[string]grant{}
	}
	book.granted[pairKey(n, s.customer(waID))] = g
	return nil, nil
}
