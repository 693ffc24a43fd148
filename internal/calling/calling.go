// Package calling knows WhatsApp voice calls as far as a gateway has to: it carries the signalling between a business and Meta,
// never the voice. It checks events before they are handed over and renders the event that reports the outcome.
package calling

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// MaxBytes is the largest call event the API takes (AWS's documentation of SendWhatsAppCallEvent).
const MaxBytes = 2_048_000

// Event is what we need to know of a call event. The object itself travels as it came.
type Event struct {
	Action    string // connect, pre_accept, accept, reject, terminate; an open set
	CallID    string // Meta's id; "" when the event starts a call
	Recipient string // digits or a business-scoped id; "" unless the event starts a call
	Opaque    string // biz_opaque_callback_data
}

// ActionConnect starts a call; every other action is about one that exists.
const ActionConnect = "connect"

const maxOpaque = 512 // characters; Meta's calling reference

// Parse checks a call event, Meta's object of POST /calls. Actions that did not exist when this was written pass. The error is
// a fault.InvalidParameters that names the offending member.
func Parse(raw []byte) (Event, error) {
	var e struct {
		Product   *string         `json:"messaging_product"`
		Action    *string         `json:"action"`
		To        json.RawMessage `json:"to"`
		Recipient string          `json:"recipient"`
		CallID    string          `json:"call_id"`
		Opaque    string          `json:"biz_opaque_callback_data"`
		Session   json.RawMessage `json:"session"`
	}
	if !utf8.Valid(raw) || json.Unmarshal(raw, &e) != nil {
		return Event{}, bad("callEvent must be a JSON object in UTF-8 whose members have the types Meta documents")
	}
	switch {
	case e.Product == nil || !strings.EqualFold(*e.Product, "whatsapp"):
		return Event{}, bad("callEvent: messaging_product must be \"whatsapp\"")
	case e.Action == nil || *e.Action == "":
		return Event{}, bad("callEvent: action is required")
	case utf8.RuneCountInString(e.Opaque) > maxOpaque:
		return Event{}, bad("callEvent: biz_opaque_callback_data must be at most 512 characters")
	}
	event := Event{Action: strings.ToLower(*e.Action), CallID: e.CallID, Opaque: e.Opaque}
	switch event.Action {
	case ActionConnect:
		event.CallID = ""
		if event.Recipient = digits(e.To); event.Recipient == "" {
			event.Recipient = e.Recipient
		}
		if event.Recipient == "" {
			return Event{}, bad("callEvent: to is required for the action connect")
		}
	default:
		if event.CallID == "" {
			return Event{}, bad("callEvent: call_id is required for the action " + event.Action)
		}
	}
	needsSession := event.Action == ActionConnect || event.Action == "accept" || event.Action == "pre_accept"
	if needsSession && (len(e.Session) == 0 || e.Session[0] != '{') {
		return Event{}, bad("callEvent: session is required for the action " + event.Action)
	}
	return event, nil
}

func bad(text string) error { return fault.New(fault.InvalidParameters, "%s", text) }

// digits reads a phone number, given as a string or, as some do, as a number.
func digits(raw json.RawMessage) string {
	s := string(raw)
	if len(raw) > 0 && raw[0] == '"' && json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Permission is whether a user may be called.
type Permission struct {
	Status    string // no_permission, temporary or permanent
	ExpiresAt int64  // Unix seconds; 0 when it does not expire
	Actions   []Action
}

// Action is something a business may do about calls to a user, within limits.
type Action struct {
	Name    string // send_call_permission_request or start_call
	Allowed bool   // right now
	Limits  []Limit
}

// Limit is how often something may be done in a period.
type Limit struct {
	Period    string // ISO 8601: PT24H, P7D
	Max       int
	Used      int
	ExpiresAt int64 // Unix seconds; 0 unless the limit is reached
}

// Outcome is the result of handing a call event to WhatsApp.
type Outcome struct {
	WABAMetaID    string
	PhoneMetaID   string
	DisplayNumber string
	CallID        string // "" when a call could not be started
	Event         Event
	At            int64            // Unix seconds
	Failure       *message.Failure // nil for success
}

// Status returns what the event about the outcome says: accepted or failed.
func (o *Outcome) Status() string {
	if o.Failure != nil {
		return string(message.Failed)
	}
	return string(message.Accepted)
}
