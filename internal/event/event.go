// Package event defines what we tell the owner of a WhatsApp Business Account: one envelope per change, in the form AWS End
// User Messaging Social publishes.
//
// Events come from two origins. Relayed ones carry a piece of Meta's own webhook, byte for byte. Generated ones report the
// outcome of handing a message over, in the same shape as Meta's statuses, so that a consumer needs one parser.
package event

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Event is one change, ready to publish to the destination of its business account. ID is stable across redeliveries, so
// consumers can drop repeats.
type Event struct {
	ID        string // UUID
	AccountID string
	WABAKey   string
	PhoneKey  string // "" for changes of the business account as a whole
	MessageID string // ours; "" unless the event is about a message sent through the API
	WAMID     string
	Field     string // Meta's webhook field, "messages" for messages and statuses
	Status    string // message status ("accepted", "sent", …) or "received"; "" for other fields
	Failures  []message.Failure
	Recipient string // not published; for matching and metrics only
	At        time.Time
	Entry     []byte // whatsAppWebhookEntry: {"id":…,"changes":[…]}
	// Destinations are the names of the queues that the store has put the event into; none when nobody wants it.
	Destinations []string
}
