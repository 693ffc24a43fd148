package account

import "time"

// Matter is what a notice is about. The set is closed.
type Matter string

const (
	Restriction  Matter = "restriction"           // of what the account may do, by its kind
	Ban          Matter = "ban"                   // of the whole account
	Violation    Matter = "violation"             // of Meta's policies, by its kind
	Review       Matter = "review"                // of the account by Meta
	Alert        Matter = "alert"                 // by its type
	Lifecycle    Matter = "lifecycle"             // deleted, offboarded, reconnected
	Partner      Matter = "partner"               // which partners and apps may act for the account
	Capability   Matter = "capability"            // quotas of the business, by their name
	PricingTier  Matter = "pricing_tier"          // volume tier, by category and market
	Announcement Matter = "announcement"          // every other event of account_update, by its name
	Settings     Matter = "settings"              // by their type
	Solution     Matter = "solution"              // multi-partner solutions, by id
	Payment      Matter = "payment_configuration" // by name
	NumberLimits Matter = "number_limits"         // quality, throughput and messaging limit of a number
	NumberName   Matter = "display_name"          // review of a number's display name
	Username     Matter = "username"              // review of a number's username
	Security     Matter = "security"              // two-step verification of a number, by event
	FlowStatus   Matter = "flow_status"           // by flow
	FlowAlert    Matter = "flow_alert"            // errors, latency and availability of a flow's endpoint, by flow and event
	HistorySync  Matter = "history_sync"          // of a number that is used on a phone too
)

// Notice is the last word of Meta's webhooks on one matter of a business account or of one of its numbers: what Meta tells when it
// happens, and cannot be asked about later.
type Notice struct {
	Matter  Matter
	Subject string // which one of several; "" when there is only one
	Number  NumberRef
	State   string // Meta's word
	Reason  string // why, or how severe
	Detail  string
	Until   time.Time // when it ends by itself; zero when Meta does not say
	At      time.Time
}

// NumberRef says which number a webhook is about, in either of the ways that Meta names one. Zero is the account as a whole.
type NumberRef struct {
	MetaID string
	Digits string
}

// Placed is a notice and whom it concerns here.
type Placed struct {
	Notice
	AccountID string
	WABAKey   string
	PhoneKey  string // "" for the business account as a whole
}

// Replaces reports whether a notice takes the place of an older one on the same matter. Webhooks come late and out of order, so
// it is Meta's time that counts; the parts of a history come in any order, so it is progress that counts there.
func (n *Notice) Replaces(old *Notice) bool {
	if n.Matter == HistorySync {
		return n.progress() >= old.progress()
	}
	return !n.At.Before(old.At)
}

// States of a history that is passed on; between them it is a percentage.
const historyRefused = "REFUSED"

func (n *Notice) progress() int {
	p := 0
	for _, c := range n.State {
		if c < '0' || c > '9' || p > 100 {
			return 101 // refused: nothing more will come
		}
		p = p*10 + int(c-'0')
	}
	return p
}

// Over reports whether a notice has ended by itself.
func (n *Notice) Over(now time.Time) bool { return !n.Until.IsZero() && !now.Before(n.Until) }

// Grave reports whether somebody should look at it: messages will not be sent, or somebody may have taken over a number.
func (n *Notice) Grave() bool {
	switch n.Matter {
	case Restriction, Violation, Security:
		return true
	case Ban:
		return n.State != Reinstated
	case Review:
		return n.State == "REJECTED"
	case Alert:
		return n.Reason == "CRITICAL" && n.State != "NONE"
	case Lifecycle:
		return n.State != "ACCOUNT_RECONNECTED"
	case Partner:
		return n.State == "PARTNER_REMOVED" || n.State == "PARTNER_APP_UNINSTALLED"
	default:
		return false
	}
}

// States of a Ban, and Restrictions that stop messages.
const (
	Reinstated = "REINSTATE"
	Disabled   = "DISABLE"

	NoBusinessInitiated = "RESTRICTED_BIZ_INITIATED_MESSAGING"
	NoCustomerInitiated = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
)

// Obstacle finds the notice that keeps a number from sending, if there is one: replies are stopped by other restrictions than
// messages that the business begins with.
func Obstacle(notices []Placed, reply bool, now time.Time) (Placed, bool) {
	for _, n := range notices {
		switch {
		case n.Over(now):
		case n.Matter == Ban && n.State == Disabled,
			n.Matter == Restriction && n.Subject == NoBusinessInitiated && !reply,
			n.Matter == Restriction && n.Subject == NoCustomerInitiated && reply:
			return n, true
		}
	}
	return Placed{}, false
}
