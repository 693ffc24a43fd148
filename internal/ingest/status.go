package ingest

import (
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// maxStatus is longer than any status of Meta's.
const maxStatus = 64

// status reads one element of statuses.
func (c change) status(value, item rawjson.Value) change {
	s := c
	var errs, pricing, conversation, participant, user rawjson.Value
	for name, member := range item.Members() {
		switch string(name) {
		case "id":
			s.WAMID = member.Text()
		case "status":
			s.Status = member.Text()
		case "timestamp":
			s.At = timestamp(member, c.At)
		case "biz_opaque_callback_data":
			s.Opaque = member.Text()
		case "errors":
			errs = member
		case "pricing":
			pricing = member
		case "conversation":
			conversation = member
		case "recipient_participant_id":
			participant = member
		case "recipient_participant_user_id":
			user = member
		}
	}
	if s.WAMID == "" || s.Status == "" || len(s.WAMID) > maxID || len(s.Status) > maxStatus {
		return c.other(value)
	}
	if who := names(participant, user); len(who) > 0 {
		s.Participant = who[0]
	}
	s.Kind, s.Failures, s.Pricing = event.StatusChange, failures(errs), pricingOf(pricing, conversation)
	s.Key = key("status", s.WABAMetaID, s.PhoneMetaID, s.WAMID, s.Status, s.Participant, string(errs))
	return s.relay(value)
}

// failures reads the errors of a status. Members of another form than Meta's say nothing; the others are not lost for it.
func failures(list rawjson.Value) (out []message.Failure) {
	for _, e := range list.Elements() {
		var f message.Failure
		for name, member := range e.Members() {
			switch string(name) {
			case "code":
				if n, ok := member.Number(); ok && n == float64(int32(n)) {
					f.Code = int(n)
				}
			case "title":
				f.Title = member.Text()
			case "message":
				f.Message = member.Text()
			case "error_data":
				f.Details = member.Get("details").Text()
			}
		}
		if f != (message.Failure{}) {
			out = append(out, f)
		}
	}
	return out
}

// pricingOf reads what a status says about the price of its message.
func pricingOf(pricing, conversation rawjson.Value) (p message.Pricing) {
	billable := false
	for name, member := range pricing.Members() {
		switch string(name) {
		case "billable":
			billable, p.Billable = true, string(member) == "true"
		case "pricing_model":
			p.Model = member.Text()
		case "type":
			p.Type = member.Text()
		case "category": // with a hyphen here, with an underscore elsewhere
			p.Category = strings.ReplaceAll(member.Text(), "-", "_")
		}
	}
	if !billable { // Meta has announced that the type will have to say it alone
		p.Billable = p.Type == "regular"
	}
	for name, member := range conversation.Members() {
		switch string(name) {
		case "id":
			p.Conversation = member.Text()
		case "origin":
			p.Origin = member.Get("type").Text()
		case "expiration_timestamp":
			p.Expires = timestamp(member, p.Expires)
		}
	}
	return p
}
