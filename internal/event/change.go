package event

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// ChangeKind tells what a change in a webhook is about.
type ChangeKind uint8

const (
	OtherChange   ChangeKind = iota // anything about the account, its numbers, templates, flows, …
	StatusChange                    // a status of a message we or someone else sent
	InboundChange                   // a customer wrote
)

// Change is one update out of a webhook: the smallest part that becomes an event of its own.
type Change struct {
	Kind        ChangeKind
	WABAMetaID  string
	PhoneMetaID string // "" when the change is not about one number
	Field       string
	Key         []byte   // identifies the change, so that a repeat is recognised; unset for statuses of known messages
	WAMID       string   // of the message concerned
	Opaque      string   // biz_opaque_callback_data of a status
	Status      string   // of a status; "received" for inbound messages
	Participant string   // of a group whom a status is about; "" for all others
	Opens       []string // whose customer service window it opens: a customer's digits, business-scoped id, or both; a group's id
	At          time.Time
	Failures    []message.Failure
	Pricing     message.Pricing
	Preferences []Preference     // of customers about marketing messages
	Template    *template.Update // what it says about a message template; nil if it does not
	Notices     []account.Notice // what it says about its business account or a number
	EventID     string
	Entry       []byte // sealed whatsAppWebhookEntry
	// Retry returns the sealed webhook holding just this change, for one that has to wait or be set aside.
	Retry func() ([]byte, error)
}

// Received is the Status of events about a customer's message.
const Received = "received"

// TellsOfAccount reports whether webhooks of a field announce a change of a business account or of its numbers: of status,
// review, limits, throughput or display name.
func TellsOfAccount(field string) bool {
	switch field {
	case "account_update", "account_review_update", "account_alerts", "business_capability_update", "phone_number_name_update",
		"phone_number_quality_update":
		return true
	default:
		return false
	}
}

// Preference is a customer's word about marketing messages of one number.
type Preference struct {
	Recipient string
	Value     string // Meta's "stop" or "resume"
	At        time.Time
}
