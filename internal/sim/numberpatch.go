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
	// Rejection is why a declined name was declined.
	Rejection string `json:"name_rejection_reason"`
	// PINReset is how far the owner has come with a forgotten PIN: REQUESTED, by somebody, or DONE, and then there is no PIN.
	PINReset *string   `json:"pin_reset"`
	Username *username `json:"username"`
	Alert    *alert    `json:"alert"`
}

// username is what Meta decides about the user name a business asked for.
type username struct {
	Decision  string   `json:"decision"`
	Requested string   `json:"requested_username"`
	Reasons   []string `json:"rejection_reasons,omitempty"`
}

var nameRejections = []string{"NAME_EMPLOYEE_ISSUE", "NAME_ENDCLIENT_NOTRELATED", "NAME_FORMAT_UNACCEPTABLE", "NAME_INDIVIDUAL_ISSUE", "NAME_NOT_CONSISTENT"}

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
	defaultTo(&p.Rejection, "NAME_FORMAT_UNACCEPTABLE")
	if p.Username != nil && p.Username.Requested == "" {
		return fault.New(fault.Validation, "username.requested_username is required")
	}
	for _, err := range []error{oneOf("name_rejection_reason", &p.Rejection, nameRejections), oneOf("pin_reset", p.PINReset, []string{"REQUESTED", "DONE"}), p.Alert.check()} {
		if err != nil {
			return err
		}
	}
	return nil
}

// patchNumber changes a number as Meta would by itself, and tells the app what Meta tells: of throughput, limits, the name, low
// quality that is being watched, and security. Of other changes of quality and status there are no webhooks.
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
		s.announcePatch(n, &before, p.Rejection)
		s.announceNews(n, &p)
		shown = n.object(s)
	})
	return shown, err
}

// announceNews tells what a patch brings that is no property of the number.
func (s *Sim) announceNews(n *number, p *numberPatch) {
	now := s.now()
	if p.PINReset != nil {
		value := object{"display_phone_number": n.digits, "event": "PIN_RESET_REQUEST", "requester": s.world.Portfolio}
		if *p.PINReset == "DONE" {
			n.PIN, n.setup.guesses, n.setup.locked = "", 0, 0
			value = object{"display_phone_number": n.digits, "event": "PIN_REQUEST_SUCCESS"}
		}
		s.announce(n.account, "security", value, now)
	}
	if p.Username != nil {
		s.announce(n.account, "phone_number_username_update", p.Username, now)
	}
	if p.Alert != nil {
		s.announce(n.account, "account_alerts", object{"entity_type": "PHONE_NUMBER", "entity_id": n.ID, "alert_info": p.Alert}, now)
	}
}

func (s *Sim) announcePatch(n *number, before *Number, rejection string) {
	now := s.now()
	if flagged := n.Status == statusFlagged; flagged != (before.Status == statusFlagged) {
		event := "UNFLAGGED"
		if flagged {
			event = "FLAGGED"
		}
		s.announce(n.account, "phone_number_quality_update", object{"display_phone_number": n.digits, "event": event,
			"max_daily_conversations_per_business": n.Tier}, now)
	}
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
			decision, reason = "REJECTED", rejection
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
