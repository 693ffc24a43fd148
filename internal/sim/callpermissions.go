package sim

import (
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/content"
	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// getCallPermissions is GET /{number}/call_permissions?user_wa_id=.
func getCallPermissions(s *Sim, c *call) (any, *graph.Error) {
	user, err := s.calledUser(c)
	if err != nil {
		return nil, err
	}
	book, key := &s.st.voices, pairKey(c.number, user)
	g := book.permission(c.number, user, c.now)
	permission := object{"status": g.status}
	if g.until != 0 {
		permission["expiration_time"] = g.until / int64(time.Second)
	}
	limit := func(period string, most, used int) object {
		return object{"time_period": period, "max_allowed": most, "current_usage": used}
	}
	day, week := within(book.asked[key], c.now, 24*time.Hour), within(book.asked[key], c.now, 7*24*time.Hour)
	calls := within(book.answered[key], c.now, 24*time.Hour)
	return object{"messaging_product": "whatsapp", "permission": permission, "actions": []object{
		{"action_name": "send_call_permission_request", "can_perform_action": day < requestsPerDay && week < requestsPerWeek,
			"limits": []object{limit("PT24H", requestsPerDay, day), limit("P7D", requestsPerWeek, week)}},
		{"action_name": "start_call", "can_perform_action": g.status != permissionNone && calls < callsPerDay,
			"limits": []object{limit("PT24H", callsPerDay, calls)}}}}, nil
}

// calledUser is the user a permission is asked about, by number or business-scoped id.
func (s *Sim) calledUser(c *call) (*customer, *graph.Error) {
	if id, given := c.params.String("recipient"); given && id != "" {
		if u := s.st.scoped[id]; u != nil {
			return u, nil
		}
		return nil, graph.Fail(131009, "Parameter 'recipient' is not a user of this business.")
	}
	id, _ := c.params.String("user_wa_id")
	if id == "" {
		return nil, graph.Param("The parameter user_wa_id is required.")
	}
	digits, err := dial(id, c.number.digits)
	if err != nil {
		return nil, err
	}
	return s.customer(canonical(digits)), nil
}

// checkCallRequest books a message that asks for the permission to call; beyond Meta's limits it is refused.
func (s *Sim) checkCallRequest(c *call, d *draft) *graph.Error {
	if d.kind != "interactive" || !strings.EqualFold(content.Member(c.params, "interactive", "type"), "call_permission_request") {
		return nil
	}
	if !c.number.takesCalls() {
		return graph.Fail(138000, "Calling is not enabled for this phone number.")
	}
	book, key := &s.st.voices, pairKey(c.number, d.user)
	if within(book.asked[key], c.now, 24*time.Hour) >= requestsPerDay || within(book.asked[key], c.now, 7*24*time.Hour) >= requestsPerWeek {
		return graph.Fail(138009, "The user has been asked for the permission to call too often.")
	}
	note(&book.asked, key, c.now, 7*24*time.Hour)
	return nil
}
