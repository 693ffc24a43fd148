package event

import (
	"strconv"
	"time"
)

// AlertField is the field of alerts: changes that no webhook of Meta's reports, and that someone has to know about.
const AlertField = "waxwing_alert"

// AlertKind says what an alert is about. The set is closed; it is also a metric label.
type AlertKind string

const (
	DestinationDisabled AlertKind = "destination_disabled"  // nothing is published there until someone resumes it
	TokenRejected       AlertKind = "access_token_rejected" // Meta does not accept the business account's access token
	AccountBlocked      AlertKind = "account_blocked"       // WhatsApp takes no messages of the business account
	NumberBlocked       AlertKind = "number_blocked"        // WhatsApp takes no messages of the number
	StatusesMissing     AlertKind = "statuses_missing"      // WhatsApp took messages and reports nothing about them
)

// AlertKinds lists every kind, for tests that hold others to the list.
func AlertKinds() []AlertKind {
	return []AlertKind{DestinationDisabled, TokenRejected, AccountBlocked, NumberBlocked, StatusesMissing}
}

// Alert is an incident that began or is over. One incident is told once when it begins, perhaps again when it has become far worse, and
// once when it is over.
type Alert struct {
	Kind          AlertKind
	Cleared       bool // it is over
	AccountID     string
	WABAKey       string
	WABAMetaID    string
	PhoneKey      string // "" when it is not about one number
	PhoneMetaID   string
	DisplayNumber string
	Destination   string // the one concerned, if any
	Reason        string // for people; holds no secrets and no message text
	Count         int    // of what is affected; 0 says nothing
	Since         time.Time
	At            time.Time
}

// States of an alert, as they stand in its event.
const (
	Raised  = "raised"
	Cleared = "cleared"
)

// State is Raised or Cleared.
func (a *Alert) State() string {
	if a.Cleared {
		return Cleared
	}
	return Raised
}

// NewAlert is the generated event about an alert. It looks like a webhook of Meta's with a field of our own, so that consumers
// who do not know it pass over it as over any other new field.
func NewAlert(a *Alert, s Sealer, id string) (*Event, error) {
	sealed, err := s.Seal(alertEntry(a), []byte(id))
	if err != nil {
		return nil, err
	}
	return &Event{ID: id, AccountID: a.AccountID, WABAKey: a.WABAKey, PhoneKey: a.PhoneKey, Field: AlertField, Status: a.State(), At: a.At,
		Entry: sealed}, nil
}

func alertEntry(a *Alert) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"id":`...)
	b = AppendString(b, a.WABAMetaID)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, a.At.Unix(), 10)
	b = append(b, `,"changes":[{"value":{`...)
	if a.PhoneMetaID != "" {
		b = append(b, `"metadata":{"display_phone_number":`...)
		b = AppendString(b, digits(a.DisplayNumber))
		b = append(b, `,"phone_number_id":`...)
		b = AppendString(b, a.PhoneMetaID)
		b = append(b, `},`...)
	}
	b = append(b, `"alert":`...)
	b = AppendString(b, string(a.Kind))
	b = append(b, `,"state":"`...)
	b = append(b, a.State()...)
	b = append(b, `","since":"`...)
	b = strconv.AppendInt(b, a.Since.Unix(), 10)
	b = append(b, '"')
	if a.Destination != "" {
		b = append(b, `,"destination":`...)
		b = AppendString(b, a.Destination)
	}
	if a.Count > 0 {
		b = append(b, `,"count":`...)
		b = strconv.AppendInt(b, int64(a.Count), 10)
	}
	b = append(b, `,"reason":`...)
	b = AppendString(b, a.Reason)
	b = append(b, `},"field":"`...)
	b = append(b, AlertField...)
	return append(b, `"}]}`...)
}

// TestField is the field of test events, which someone asked for to see whether a destination works.
const TestField = "waxwing_test"

// TestEntry is the webhook entry of a test event.
func TestEntry(wabaMetaID string, now time.Time) []byte {
	b := append([]byte(nil), `{"id":`...)
	b = AppendString(b, wabaMetaID)
	b = append(b, `,"time":`...)
	b = strconv.AppendInt(b, now.Unix(), 10)
	return append(b, `,"changes":[{"value":{"test":true},"field":"waxwing_test"}]}`...)
}
