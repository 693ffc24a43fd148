package sim

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// accountPatch is PATCH /sim/v1/accounts/{id}: what Meta or the business's owner does to a business account. What is left out
// stays. Members that are objects have the form in which the webhook tells them.
type accountPatch struct {
	Ban          *string         `json:"ban_state"`
	BanDate      *time.Time      `json:"ban_date"` // default: now, or in a week when scheduled
	Restrictions *[]restriction  `json:"restrictions"`
	Violation    *string         `json:"violation_type"`
	Review       *string         `json:"review_status"`
	Alert        *alert          `json:"alert"`
	Deleted      bool            `json:"deleted"`
	Offboarded   *bool           `json:"offboarded"`
	Partner      *string         `json:"partner"`
	Removal      *disconnection  `json:"disconnection_info"`
	Verification *certification  `json:"partner_client_certification_info"`
	Marketing    *bool           `json:"marketing_messages"`
	AdAccount    *string         `json:"ad_account_linked"`
	Country      *string         `json:"country"`
	Eligibility  *eligibility    `json:"auth_international_rate_eligibility"`
	Tier         *volumeTier     `json:"volume_tier_info"`
	Capability   *capabilityInfo `json:"business_capability"`
}

type restriction struct {
	Type       string `json:"restriction_type"`
	Expiration int64  `json:"expiration,omitempty"` // unix seconds; 0 is never
}

type disconnection struct {
	Reason      string `json:"reason"`
	InitiatedBy string `json:"initiated_by"`
}

type certification struct {
	Business string   `json:"client_business_id"`
	Status   string   `json:"status"`
	Reasons  []string `json:"rejection_reasons"`
}

type eligibility struct {
	Exceptions []struct {
		Country string `json:"country_code"`
		Start   int64  `json:"start_time"`
	} `json:"exception_countries"`
	Start int64 `json:"start_time"`
}

type volumeTier struct {
	UpdatedAt int64  `json:"tier_update_time"`
	Category  string `json:"pricing_category"`
	Tier      string `json:"tier"`
	Month     string `json:"effective_month"`
	Region    string `json:"region"`
}

type capabilityInfo struct {
	Conversations string `json:"max_daily_conversations_per_business"`
	Numbers       int    `json:"max_phone_numbers_per_waba"`
}

// alert is the alert_info of account_alerts.
type alert struct {
	Severity    string `json:"alert_severity"`
	Status      string `json:"alert_status"`
	Type        string `json:"alert_type"`
	Description string `json:"alert_description"`
}

var (
	banStates      = []string{banScheduled, banDisabled, banLifted}
	restrictions   = []string{noStarting, noAnswering, noNumbers, noUtility, noCalling, noBeingCalled}
	reviews        = []string{"APPROVED", "REJECTED", "PENDING", "DEFERRED"}
	partnerEvents  = []string{"ADDED", "REMOVED", "APP_INSTALLED", "APP_UNINSTALLED"}
	alertSeverity  = []string{"CRITICAL", "WARNING", "INFORMATIONAL"}
	certifications = []string{"APPROVED", "REJECTED", "PENDING", "FAILED", "DISCARDED", "REVOKED"}
)

// oneOf refuses a word that is not in a list; nil is no word.
func oneOf(name string, word *string, list []string) error {
	if word == nil {
		return nil
	}
	if *word = strings.ToUpper(*word); !slices.Contains(list, *word) {
		return fault.New(fault.Validation, "%s must be one of %s", name, strings.Join(list, ", "))
	}
	return nil
}

func (p *accountPatch) check() error {
	words := []struct {
		name string
		word *string
		list []string
	}{{"ban_state", p.Ban, banStates}, {"review_status", p.Review, reviews}, {"partner", p.Partner, partnerEvents}}
	if p.Verification != nil {
		words = append(words, struct {
			name string
			word *string
			list []string
		}{"partner_client_certification_info.status", &p.Verification.Status, certifications})
	}
	for _, w := range words {
		if err := oneOf(w.name, w.word, w.list); err != nil {
			return err
		}
	}
	if p.Restrictions != nil {
		for i := range *p.Restrictions {
			if err := oneOf(fmt.Sprintf("restrictions[%d].restriction_type", i), &(*p.Restrictions)[i].Type, restrictions); err != nil {
				return err
			}
		}
	}
	if p.Country != nil && len(*p.Country) != 2 {
		return fault.New(fault.Validation, "country must be a code of two letters")
	}
	if p.Capability != nil && (p.Capability.Numbers < 1 || p.Capability.Conversations == "") {
		return fault.New(fault.Validation, "business_capability needs max_daily_conversations_per_business and max_phone_numbers_per_waba")
	}
	if p.Removal != nil && (p.Partner == nil || *p.Partner != "REMOVED") {
		return fault.New(fault.Validation, "disconnection_info goes with partner REMOVED")
	}
	return p.Alert.check()
}

func (a *alert) check() error {
	if a == nil {
		return nil
	}
	if a.Type == "" {
		return fault.New(fault.Validation, "alert.alert_type is required")
	}
	defaultTo(&a.Severity, "WARNING")
	defaultTo(&a.Status, "ACTIVE")
	return oneOf("alert.alert_severity", &a.Severity, alertSeverity)
}

// patchAccount changes a business account and tells the app what Meta tells of it.
func patchAccount(s *Sim, r *http.Request) (shown any, err error) {
	var p accountPatch
	if err := input(r, &p); err != nil {
		return nil, err
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	s.with(func(st *state) {
		a := st.accounts[r.PathValue("id")]
		if a == nil {
			err = fault.New(fault.NotFound, "no business account has the id %q", r.PathValue("id"))
			return
		}
		s.enforce(a, &p)
		s.describeBusiness(a, &p)
		s.share(a, &p)
		shown = a.object(s)
		if p.Deleted {
			s.updateAccount(a, "ACCOUNT_DELETED", nil)
			st.drop(a)
			shown = nil
		}
	})
	return shown, err
}

// updateAccount tells of an event of account_update, with the members that belong to it.
func (s *Sim) updateAccount(a *account, event string, members object) {
	value := object{"event": event}
	for name, v := range members {
		value[name] = v
	}
	s.announce(a, "account_update", value, s.now())
}

// enforce does what Meta's policies do to an account.
func (s *Sim) enforce(a *account, p *accountPatch) {
	if p.Violation != nil {
		a.standing.violation = *p.Violation
		s.updateAccount(a, "ACCOUNT_VIOLATION", object{"violation_info": object{"violation_type": *p.Violation}})
	}
	if p.Restrictions != nil {
		a.standing.restricted = map[string]int64{}
		for _, r := range *p.Restrictions {
			a.standing.restricted[r.Type] = r.Expiration
		}
		if len(*p.Restrictions) > 0 { // that they end, nobody is told
			s.updateAccount(a, "ACCOUNT_RESTRICTION", object{"restriction_info": *p.Restrictions})
		}
	}
	if p.Ban != nil {
		at := s.now()
		if *p.Ban == banScheduled {
			at = at.Add(s.scaled(7 * 24 * time.Hour))
		}
		if p.BanDate != nil {
			at = *p.BanDate
		}
		s.ban(a, *p.Ban, at)
	}
	if p.Review != nil {
		a.standing.review = *p.Review
		s.announce(a, "account_review_update", object{"decision": *p.Review}, s.now())
	}
	if p.Alert != nil {
		s.announce(a, "account_alerts", object{"entity_type": "BUSINESS", "entity_id": s.world.Portfolio, "alert_info": p.Alert}, s.now())
	}
}

// describeBusiness changes what is known of the business behind an account, and what it pays.
func (s *Sim) describeBusiness(a *account, p *accountPatch) {
	if p.Country != nil {
		a.Country = *p.Country
		s.updateAccount(a, "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE", object{"country": a.Country})
	}
	if p.Eligibility != nil {
		value := object{"exception_countries": p.Eligibility.Exceptions, "start_time": p.Eligibility.Start}
		a.standing.eligible = value
		s.updateAccount(a, "AUTH_INTL_PRICE_ELIGIBILITY_UPDATE", object{"auth_international_rate_eligibility": value})
	}
	if t := p.Tier; t != nil {
		if t.UpdatedAt == 0 {
			t.UpdatedAt = s.now().Unix()
		}
		s.updateAccount(a, "VOLUME_BASED_PRICING_TIER_UPDATE", object{"volume_tier_info": t})
	}
	if p.Capability != nil {
		s.announce(a, "business_capability_update", p.Capability, s.now())
	}
	if v := p.Verification; v != nil {
		defaultTo(&v.Business, s.world.Portfolio)
		if v.Reasons == nil {
			v.Reasons = []string{"NONE"}
		}
		s.updateAccount(a, "PARTNER_CLIENT_CERTIFICATION_STATUS_UPDATE", object{"partner_client_certification_info": v})
	}
}

// share does what the owner of an account does with the app and with what it may use.
func (s *Sim) share(a *account, p *accountPatch) {
	info := func(more ...any) object {
		o := object{"waba_id": a.ID, "owner_business_id": s.world.Portfolio}
		for i := 0; i+1 < len(more); i += 2 {
			o[more[i].(string)] = more[i+1]
		}
		return o
	}
	if p.Marketing != nil {
		if a.Marketing = *p.Marketing; a.Marketing {
			s.updateAccount(a, "MM_LITE_TERMS_SIGNED", object{"waba_info": info()})
		}
	}
	if p.AdAccount != nil {
		s.updateAccount(a, "AD_ACCOUNT_LINKED", object{"waba_info": info("ad_account_linked", *p.AdAccount)})
	}
	if p.Offboarded != nil && *p.Offboarded != a.standing.offboarded {
		a.standing.offboarded = *p.Offboarded
		from, to, event := "CONNECTED", "DISCONNECTED", "ACCOUNT_OFFBOARDED"
		if !a.standing.offboarded {
			from, to, event = to, from, "ACCOUNT_RECONNECTED"
		}
		for _, n := range a.numbers {
			if n.Status == from {
				n.Status = to
			}
		}
		s.updateAccount(a, event, object{"waba_info": info()})
	}
	if p.Partner == nil {
		return
	}
	members := object{"waba_info": info()}
	if strings.HasPrefix(*p.Partner, "APP_") {
		members["waba_info"] = info("partner_app_id", s.o.AppID)
	}
	if p.Removal != nil {
		members["disconnection_info"] = p.Removal
	}
	s.updateAccount(a, "PARTNER_"+*p.Partner, members)
	if *p.Partner == "REMOVED" || *p.Partner == "APP_UNINSTALLED" {
		s.st.revoke(a)
	}
}
