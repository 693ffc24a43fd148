package account

import "time"

// Facts are what Meta tells about a business account and its numbers. Of the numbers only what Meta knows is set: not Key,
// AccountID, WABAKey, DataRegion, Registered and Status.
type Facts struct {
	MetaID          string
	Name            string
	MarketingStatus string
	Numbers         []PhoneNumber
}

// Due is a business account about which Meta has to be asked again.
type Due struct {
	AccountID string
	WABAKey   string
	At        time.Time // when it is due again unless it is answered for before; identifies the claim
}

// CanSend reports whether Meta hands on messages of a number in one of its states. Meta's documents disagree about the set of
// states, so those that are known to need a set-up step are listed, and Meta judges the rest itself.
func CanSend(metaStatus string) bool {
	switch metaStatus {
	case "PENDING", "UNVERIFIED", "DISCONNECTED", "DELETED", "MIGRATED":
		return false
	default:
		return true
	}
}

// NumberStatusOf returns a number's status: it is Active once its set-up was finished here, while Meta lets it send.
func NumberStatusOf(registered bool, metaStatus string) NumberStatus {
	if registered && CanSend(metaStatus) {
		return Active
	}
	return IncompleteSetup
}

// DailyReach returns how many customers a day a messaging limit allows to be written to first; 0 is no limit, and ok is false
// for tiers nobody has heard of.
func DailyReach(tier string) (customers int, ok bool) {
	switch tier {
	case "TIER_50":
		return 50, true
	case "TIER_250":
		return 250, true
	case "TIER_1K":
		return 1_000, true
	case "TIER_2K":
		return 2_000, true
	case "TIER_10K":
		return 10_000, true
	case "TIER_100K":
		return 100_000, true
	case "TIER_UNLIMITED":
		return 0, true
	default:
		return 0, false
	}
}
