// Package account holds what is linked to a tenant: WhatsApp Business Accounts (WABAs), their phone numbers, event
// destinations and tags, and the identifiers all of these go by.
//
// AWS ids and ARNs are ours; Meta ids are Meta's. A WABA belongs to one account and Region, a number to one WABA.
package account

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// RegistrationStatus tells whether a WABA finished sign-up.
type RegistrationStatus string

const (
	Complete   RegistrationStatus = "COMPLETE"
	Incomplete RegistrationStatus = "INCOMPLETE"
)

// WABA is a linked WhatsApp Business Account.
type WABA struct {
	Key                string // 32 hex digits: the variable part of its id and ARN
	AccountID          string
	MetaID             string
	Name               string
	RegistrationStatus RegistrationStatus
	LinkedAt           time.Time
	Destination        *Destination // where its events go; nil publishes nothing
	MarketingStatus    string       // Meta's marketing-messages onboarding status, free text
	CallbackURL        string       // where Meta sends its callbacks; "" is where this installation is usually reached
}

// Destination is an event destination of a WABA: an SNS topic or an Amazon Connect instance.
type Destination struct {
	ARN     string
	RoleARN string // assumed to publish; empty publishes as the service itself
}

// NumberStatus is what decides whether a number may send.
type NumberStatus string

const (
	Active          NumberStatus = "Active"
	IncompleteSetup NumberStatus = "Incomplete setup"
)

// ThroughputLevel is Meta's class of a number's messages-per-second limit.
type ThroughputLevel string

const (
	ThroughputStandard ThroughputLevel = "STANDARD"
	ThroughputHigh     ThroughputLevel = "HIGH"
	ThroughputShared   ThroughputLevel = "SHARED" // also used by the WhatsApp Business app
)

// PerSecond returns how many messages a second Meta lets the number exchange: 80, 1,000 when upgraded, 20 when shared with
// the WhatsApp Business app. Unknown levels get the standard rate.
func (l ThroughputLevel) PerSecond() float64 {
	switch l {
	case ThroughputHigh:
		return 1000
	case ThroughputShared:
		return 20
	default:
		return 80
	}
}

// PhoneNumber is a business phone number of a linked WABA.
type PhoneNumber struct {
	Key            string // 32 hex digits
	AccountID      string
	WABAKey        string
	MetaID         string
	E164           string // with "+"
	DisplayName    string
	DisplayNumber  string // as Meta formats it for people
	QualityRating  string // GREEN, YELLOW, RED or UNKNOWN
	DataRegion     string // ISO country of local data storage, or ""
	Status         NumberStatus
	Throughput     ThroughputLevel
	MessagingLimit string // Meta's tier, e.g. TIER_250
	Registered     bool   // its set-up was finished here
	MetaStatus     string // Meta's own state of the number, e.g. CONNECTED; "" until Meta was asked
	NameStatus     string // Meta's review of the display name, e.g. APPROVED
	Official       bool   // an official business account, with the check mark
}

// Tag is a label on a WABA or phone number. Value may be empty.
type Tag struct {
	Key   string
	Value string
}

// MarketingOnboarded is the MarketingStatus of a WABA that may use the Marketing Messages API.
const MarketingOnboarded = "ONBOARDED"

// Line is all that is needed to talk to WhatsApp as one phone number.
type Line struct {
	AccountID     string
	WABAKey       string
	WABAMetaID    string
	PhoneKey      string
	PhoneMetaID   string
	DisplayNumber string
	Throughput    ThroughputLevel
	Marketing     bool // the business account is onboarded to the Marketing Messages API
	Token         identity.Secret
}
