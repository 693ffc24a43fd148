package event

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// InboxSeal is the associated data of sealed webhooks: they have no id of their own before they are stored.
var InboxSeal = []byte("inbox")

// Webhook is a stored callback of Meta's, waiting to be understood.
type Webhook struct {
	Seq        int64
	ReceivedAt time.Time
	Final      bool   // publish its changes even if the message they are about is unknown
	Body       []byte // sealed
}

// Understood is a webhook and the updates in it.
type Understood struct {
	Webhook Webhook
	Changes []Change
}

// Unclaimed is a webhook, or a part of one, that nobody here could use.
type Unclaimed struct {
	Seq        int64
	ReceivedAt time.Time
	Reason     string
	Body       []byte // sealed
}

// HandOver is a message that WhatsApp is known to have taken.
type HandOver struct {
	MessageID     string
	AccountID     string
	WABAKey       string
	WABAMetaID    string
	PhoneKey      string
	PhoneMetaID   string
	DisplayNumber string
	Recipient     string
	WAMID         string
	At            time.Time
}

// Applied says what became of a webhook's changes.
type Applied struct {
	Events       int                // published
	Repeats      int                // known already
	Orphans      int                // waiting for their message
	Unclaimed    int                // of business accounts not linked here
	Proved       int                // messages whose hand-over only a status has shown
	Accounts     int                // changes of a business account or number that Meta has to be asked about
	Destinations []string           // that have new work
	Templates    []template.Changed // that are known to have changed
	Notices      []account.Placed   // that are new
}

// Outgoing is an event on its way to a destination, which asks for the form that it wants.
type Outgoing struct {
	Delivery
	Scope  account.Scope // of the account the event belongs to
	Opened []byte        // the event's whatsAppWebhookEntry
}

// Envelope is the document that AWS publishes to SNS.
func (o *Outgoing) Envelope() []byte { return Envelope(&o.Delivery, o.Scope, o.Opened) }
