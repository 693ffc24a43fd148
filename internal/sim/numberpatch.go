package sim

import (
	"net/http"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// numberPatch is PATCH /sim/v1/phone-numbers/{id}; what is left out stays.
type numberPatch struct {
	Quality    *string `json:"quality_rating"`
	Tier       *string `json:"messaging_limit_tier"`
	Throughput *string `json:"throughput"`
	Status     *string `json:"status"`
	NameStatus *string `json:"name_status"`
	Name       *string `json:"verified_name"`
	Official   *bool   `json:"is_official_business_account"`
}

var nameStatuses = []string{"APPROVED", "AVAILABLE_WITHOUT_REVIEW", "DECLINED", "EXPIRED", "PENDING_REVIEW", "NONE"}

func (p *numberPatch) check() error {
	if p.Throughput != nil {
		switch *p.Throughput = strings.ToUpper(*p.Throughput); *p.Throughput {
		case ThroughputStandard, ThroughputHigh, ThroughputCoexistence:
		default:
			return fault.New(fault.Validation, "throughput must be STANDARD, HIGH or NOT_APPLICABLE")
		}
	}
	if p.Tier != nil {
		if _, ok := tiers[*p.Tier]; !ok && *p.Tier != "TIER_UNLIMITED" {
			return fault.New(fault.Validation, "messaging_limit_tier must be a TIER_ word such as TIER_250 or TIER_UNLIMITED")
		}
	}
	if p.NameStatus != nil && !slices.Contains(nameStatuses, *p.NameStatus) {
		return fault.New(fault.Validation, "name_status must be one of %s", strings.Join(nameStatuses, ", "))
	}
	return nil
}

// patchNumber changes a number as Meta would by itself, and tells the app what Meta tells: of throughput, limits and the name.
// Of quality and status there are no webhooks.
func patchNumber(s *Sim, r *http.Request) (shown any, err error) {
	var p numberPatch
	if err := input(r, &p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	s.with(func(st *state) {
		n := st.numbers[r.PathValue("id")]
		if n == nil {
			err = fault.New(fault.NotFound, "no phone number has the id %q", r.PathValue("id"))
			return
		}
		before := n.Number
		for to, from := range map[*string]*string{&n.Quality: p.Quality, &n.Tier: p.Tier, &n.Throughput: p.Throughput, &n.Status: p.Status,
			&n.NameStatus: p.NameStatus, &n.VerifiedName: p.Name} {
			if from != nil {
				*to = *from
			}
		}
		if p.Official != nil {
			n.Official = *p.Official
		}
		s.announcePatch(n, &before)
		shown = n.object(s)
	})
	return shown, err
}

func (s *Sim) announcePatch(n *number, before *Number) {
	now := s.now()
	if n.Throughput == ThroughputHigh && before.Throughput != ThroughputHigh {
		s.announce(n.account, "phone_number_quality_update", object{"display_phone_number": n.digits,
			"event": "THROUGHPUT_UPGRADE", "max_daily_conversations_per_business": n.Tier}, now)
	}
	if n.Tier != before.Tier {
		s.announce(n.account, "business_capability_update", object{"max_daily_conversations_per_business": n.Tier,
			"max_phone_numbers_per_waba": numbersPerAccount}, now)
	}
	if n.NameStatus != before.NameStatus || n.VerifiedName != before.VerifiedName {
		decision, reason := "DEFERRED", any(nil)
		switch n.NameStatus {
		case "APPROVED", "AVAILABLE_WITHOUT_REVIEW":
			decision = "APPROVED"
		case "DECLINED":
			decision, reason = "REJECTED", "NAME_FORMAT_UNACCEPTABLE"
		case "PENDING_REVIEW":
			decision = "PENDING"
		}
		s.announce(n.account, "phone_number_name_update", object{"display_phone_number": n.digits, "decision": decision,
			"requested_verified_name": n.VerifiedName, "rejection_reason": reason}, now)
	}
	if n.Official && !before.Official {
		s.announce(n.account, "account_alerts", object{"entity_type": "PHONE_NUMBER", "entity_id": n.ID,
			"alert_info": object{"alert_severity": "INFORMATIONAL", "alert_status": "NONE", "alert_type": "OBA_APPROVED",
				"alert_description": "The phone number is an official business account"}}, now)
	}
}

// getSetup shows a number with what only its owner would know: the verification code that was sent, and the PIN.
func getSetup(s *Sim, r *http.Request) (shown any, err error) {
	s.with(func(st *state) {
		n := st.numbers[r.PathValue("id")]
		if n == nil {
			err = fault.New(fault.NotFound, "no phone number has the id %q", r.PathValue("id"))
			return
		}
		o := n.object(s)
		o["waba_id"], o["pin"], o["data_localization_region"] = n.account.ID, n.PIN, n.setup.region
		o["verification_code"], o["code_method"] = n.setup.code, n.setup.method
		shown = o
	})
	return shown, err
}
