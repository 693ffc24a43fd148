package message

import (
	"cmp"
	"slices"
	"time"
)

// Evidence is what is known of one kind of status of a message. WhatsApp means to send each kind once, and repeats itself:
// there is one Evidence for every Mark, however often it comes.
type Evidence struct {
	Mark
	At       time.Time // says WhatsApp
	Failures []Failure
	Pricing  Pricing // of the statuses that say what the message costs; zero for the others
}

// Mark tells statuses of one message apart.
type Mark struct {
	Status      string // a State, or what else WhatsApp reports: "deleted", "warning"
	Participant string // the member of a group whom it is about; "" for all others
	Copy        string // the wamid of the copy it is about, when a message was handed over twice; "" for the first
}

// Merge returns what two pieces of evidence with the same Mark say together, and whether o says something that e did not.
// Like Advance it is commutative, associative and idempotent, so no order of arrival loses a reason. The time is the earliest.
func (e Evidence) Merge(o Evidence) (merged Evidence, news bool) {
	merged = e
	if !o.At.IsZero() && (e.At.IsZero() || o.At.Before(e.At)) {
		merged.At = o.At
	}
	merged.Failures = mergeFailures(e.Failures, o.Failures)
	news = slices.ContainsFunc(o.Failures, func(f Failure) bool { return !slices.Contains(e.Failures, f) })
	if o.Pricing.compare(e.Pricing) > 0 {
		merged.Pricing, news = o.Pricing, true
	}
	return merged, news
}

// mergeFailures keeps a list that is the only one in Meta's order, which puts what matters first.
func mergeFailures(a, b []Failure) []Failure {
	switch {
	case len(b) == 0 || slices.Equal(a, b):
		return a
	case len(a) == 0:
		return b
	}
	both := slices.Concat(a, b)
	slices.SortFunc(both, Failure.compare)
	return slices.Compact(both)
}

func (f Failure) compare(o Failure) int {
	return cmp.Or(cmp.Compare(f.Code, o.Code), cmp.Compare(f.Title, o.Title), cmp.Compare(f.Message, o.Message), cmp.Compare(f.Details, o.Details))
}

// Pricing is what a status says about the price of its message. Meta says it with the sent status, and with delivered or read,
// whichever comes first. Members that a status leaves out are zero.
type Pricing struct {
	Category string `json:"category,omitempty"` // Meta's word, such as utility
	Type     string `json:"type,omitempty"`     // regular, free_customer_service, free_entry_point, …
	Model    string `json:"model,omitempty"`    // PMP by message, CBP by conversation
	Billable bool   `json:"billable,omitempty"`

	Conversation string    `json:"conversation,omitempty"` // its id
	Origin       string    `json:"origin,omitempty"`       // what opened the conversation
	Expires      time.Time `json:"expires,omitzero"`       // when it ends
}

// IsZero reports whether nothing was said.
func (p Pricing) IsZero() bool { return p == Pricing{} }

// compare orders prices; nothing comes first. Meta does not take a price back, so which of two that differ counts is only a matter
// of it being the same one in any order.
func (p Pricing) compare(o Pricing) int {
	flag := func(b bool) int {
		if b {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(p.Category, o.Category), cmp.Compare(p.Type, o.Type), cmp.Compare(p.Model, o.Model),
		cmp.Compare(flag(p.Billable), flag(o.Billable)), cmp.Compare(p.Conversation, o.Conversation), cmp.Compare(p.Origin, o.Origin),
		p.Expires.Compare(o.Expires))
}
