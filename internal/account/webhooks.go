package account

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// Notices reads what a webhook of a field says about an account or its numbers. Fields that say nothing of the kind, and values
// of another form than Meta's, give none.
func Notices(field string, value []byte, at time.Time) []Notice {
	read, v := readers[field], rawjson.Value(value)
	if read == nil || !v.IsObject() {
		return nil
	}
	r := reading{v: v, at: at}
	read(&r)
	return r.notices
}

// readers know the fields.
var readers = map[string]func(*reading){
	"account_update":               (*reading).accountUpdate,
	"account_review_update":        func(r *reading) { r.add(Notice{Matter: Review, State: r.text("decision")}) },
	"account_alerts":               (*reading).alert,
	"account_settings_update":      (*reading).settings,
	"business_capability_update":   (*reading).capability,
	"business_status_update":       (*reading).announcement,
	"partner_solutions":            (*reading).solution,
	"payment_configuration_update": (*reading).payment,
	"phone_number_quality_update":  (*reading).limits,
	"phone_number_name_update":     (*reading).name,
	"phone_number_username_update": (*reading).username,
	"business_username_update":     (*reading).username,
	"security":                     (*reading).security,
	"flows":                        (*reading).flow,
	"history":                      (*reading).history,
}

// reading is a value that is being read.
type reading struct {
	v       rawjson.Value
	at      time.Time
	notices []Notice
}

// maxText bounds what is kept of a text of Meta's.
const maxText = 500

// add keeps a notice. One without a state says nothing.
func (r *reading) add(n Notice) {
	if n.State == "" {
		return
	}
	for _, text := range []*string{&n.Subject, &n.State, &n.Reason, &n.Detail} {
		if len(*text) > maxText {
			*text = strings.ToValidUTF8((*text)[:maxText], "")
		}
		if !utf8.ValidString(*text) {
			*text = strings.ToValidUTF8(*text, "\ufffd")
		}
	}
	n.At = r.at
	r.notices = append(r.notices, n)
}

// text returns the text at a path of members; numbers are texts too.
func (r *reading) text(path ...string) string { return text(r.v, path...) }

func text(v rawjson.Value, path ...string) string {
	for _, name := range path {
		v = v.Get(name)
	}
	if v.IsString() || v == nil {
		return v.Text()
	}
	if v.IsObject() || v.IsArray() {
		return ""
	}
	return string(v)
}

// number is the number that a value names by its digits.
func (r *reading) number() NumberRef {
	return NumberRef{Digits: strings.Map(func(c rune) rune {
		if c < '0' || c > '9' {
			return -1
		}
		return c
	}, r.text("display_phone_number"))}
}

func (r *reading) accountUpdate() {
	switch event := r.text("event"); event {
	case "ACCOUNT_RESTRICTION":
		for _, each := range r.v.Get("restriction_info").Elements() {
			r.add(Notice{Matter: Restriction, Subject: text(each, "restriction_type"), State: "RESTRICTED", Until: moment(text(each, "expiration"))})
		}
	case "ACCOUNT_VIOLATION":
		r.add(Notice{Matter: Violation, Subject: r.text("violation_info", "violation_type"), State: "VIOLATED"})
	case "DISABLED_UPDATE":
		r.add(Notice{Matter: Ban, State: r.text("ban_info", "waba_ban_state"), Detail: r.text("ban_info", "waba_ban_date")})
	case "ACCOUNT_DELETED", "ACCOUNT_OFFBOARDED", "ACCOUNT_RECONNECTED":
		r.add(Notice{Matter: Lifecycle, State: event})
	case "PARTNER_ADDED", "PARTNER_REMOVED":
		r.add(Notice{Matter: Partner, Subject: "access", State: event, Reason: r.text("disconnection_info", "reason"),
			Detail: r.text("disconnection_info", "initiated_by")})
	case "PARTNER_APP_INSTALLED", "PARTNER_APP_UNINSTALLED":
		r.add(Notice{Matter: Partner, Subject: "app", State: event, Detail: r.text("waba_info", "partner_app_id")})
	case "VOLUME_BASED_PRICING_TIER_UPDATE":
		r.add(Notice{Matter: PricingTier, Subject: r.text("volume_tier_info", "pricing_category") + "/" + r.text("volume_tier_info", "region"),
			State: r.text("volume_tier_info", "tier"), Detail: r.text("volume_tier_info", "effective_month")})
	case "BUSINESS_PRIMARY_LOCATION_COUNTRY_UPDATE":
		r.add(Notice{Matter: Announcement, Subject: event, State: r.text("country")})
	default:
		r.announcement()
	}
}

// announcement keeps an event whose meaning is in its name.
func (r *reading) announcement() {
	event := r.text("event")
	r.add(Notice{Matter: Announcement, Subject: event, State: event})
}

func (r *reading) alert() {
	n := Notice{Matter: Alert, Subject: r.text("alert_info", "alert_type"), State: r.text("alert_info", "alert_status"),
		Reason: r.text("alert_info", "alert_severity"), Detail: r.text("alert_info", "alert_description")}
	if r.text("entity_type") == "PHONE_NUMBER" {
		n.Number.MetaID = r.text("entity_id")
	}
	r.add(n)
}

func (r *reading) settings() {
	kind := r.text("type")
	r.add(Notice{Matter: Settings, Subject: kind, State: "CHANGED", Number: NumberRef{MetaID: r.text(kind, "phone_number_id")}})
}

// capability keeps every quota: Meta has renamed them before.
func (r *reading) capability() {
	for name, quota := range r.v.Members() {
		if strings.HasPrefix(string(name), "max_") {
			r.add(Notice{Matter: Capability, Subject: string(name), State: text(quota)})
		}
	}
}

func (r *reading) solution() {
	r.add(Notice{Matter: Solution, Subject: r.text("solution_id"), State: r.text("solution_status"), Reason: r.text("event")})
}

func (r *reading) payment() {
	state := r.text("status")
	if state == "" {
		state = "CHANGED"
	}
	r.add(Notice{Matter: Payment, Subject: r.text("configuration_name"), State: state, Detail: r.text("provider_name")})
}

func (r *reading) limits() {
	n := Notice{Matter: NumberLimits, Subject: "messaging_limit", Number: r.number(), State: r.text("event"), Detail: r.text("max_daily_conversations_per_business")}
	if n.Detail == "" {
		n.Detail = r.text("current_limit")
	}
	switch n.State {
	case "THROUGHPUT_UPGRADE":
		n.Subject = "throughput"
	case "FLAGGED", "UNFLAGGED":
		n.Subject = "quality"
	}
	r.add(n)
}

func (r *reading) name() {
	r.add(Notice{Matter: NumberName, Number: r.number(), State: r.text("decision"), Reason: r.text("rejection_reason"), Detail: r.text("requested_verified_name")})
}

func (r *reading) username() {
	var reasons []string
	for _, why := range r.v.Get("rejection_reasons").Elements() {
		reasons = append(reasons, why.Text())
	}
	n := Notice{Matter: Username, Number: r.number(), State: r.text("decision"), Reason: strings.Join(reasons, ","), Detail: r.text("requested_username")}
	if n.State == "" { // the older form
		n.State, n.Detail = r.text("status"), r.text("username")
	}
	r.add(n)
}

func (r *reading) security() {
	event := r.text("event")
	r.add(Notice{Matter: Security, Subject: event, Number: r.number(), State: event, Detail: r.text("requester")})
}

func (r *reading) flow() {
	flow, event := r.text("flow_id"), r.text("event")
	switch {
	case flow == "":
	case event == "FLOW_STATUS_CHANGE":
		r.add(Notice{Matter: FlowStatus, Subject: flow, State: r.text("new_status"), Detail: r.text("message")})
	default:
		n := Notice{Matter: FlowAlert, Subject: flow + "/" + event, State: r.text("alert_state"), Detail: r.text("message")}
		if n.State == "" {
			n.State = event
		}
		r.add(n)
	}
}

// history follows how much of a number's past has come over from the phone, or that its owner keeps it.
func (r *reading) history() {
	number := NumberRef{MetaID: r.text("metadata", "phone_number_id")}
	for _, part := range r.v.Get("history").Elements() {
		if errs := part.Get("errors"); errs != nil {
			for _, e := range errs.Elements() {
				r.add(Notice{Matter: HistorySync, Number: number, State: historyRefused, Reason: text(e, "code"), Detail: text(e, "title")})
			}
			continue
		}
		r.add(Notice{Matter: HistorySync, Number: number, State: text(part, "metadata", "progress"), Detail: "phase " + text(part, "metadata", "phase")})
	}
}

// moment reads seconds since 1970, or a time as Meta's Graph API writes it; anything else is the zero time.
func moment(s string) time.Time {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && n > 0 && n < 1e11 {
		return time.Unix(n, 0).UTC()
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
