package sim

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Restrictions Meta puts on business accounts.
const (
	noStarting    = "RESTRICTED_BIZ_INITIATED_MESSAGING"
	noAnswering   = "RESTRICTED_CUSTOMER_INITIATED_MESSAGING"
	noNumbers     = "RESTRICTED_ADD_PHONE_NUMBER_ACTION"
	noUtility     = "RESTRICTED_UTILITY_TEMPLATES"
	noCalling     = "RESTRICTED_BUSINESS_INITIATED_CALLING"
	noBeingCalled = "RESTRICTED_USER_INITIATED_CALLING"
)

// Ban states of a business account.
const (
	banScheduled = "SCHEDULE_FOR_DISABLE"
	banDisabled  = "DISABLE"
	banLifted    = "REINSTATE"
)

// standing is what Meta holds against a business account. The zero value is a clean record.
type standing struct {
	ban        string // "", banScheduled or banDisabled
	banned     int    // how often the ban changed, so that a plan that was overtaken does nothing
	restricted map[string]int64
	violation  string // the last one
	review     string // account_review_status; APPROVED when empty
	offboarded bool
	eligible   object // auth_international_rate_eligibility; nil is none
}

// bars reports whether a restriction is in force. One without an expiration is for good.
func (a *account) bars(restriction string, now int64) bool {
	until, ok := a.standing.restricted[restriction]
	return ok && (until == 0 || now < until*int64(time.Second))
}

// locked refuses what a disabled account cannot do: everything but being looked at.
func (a *account) locked() *graph.Error {
	if a.standing.ban == banDisabled {
		return graph.Fail(131031, "The WhatsApp Business account was disabled for violating a policy of WhatsApp.")
	}
	return nil
}

// checkRestrictions refuses a message that a restriction of its account does not let pass. A template sent within a customer
// service window answers, as any other message there.
func (s *Sim) checkRestrictions(c *call, d *draft) *graph.Error {
	a := c.account
	open := d.thread.open(c.now) || d.thread.freeTill > c.now
	switch {
	case !open && c.number.Status == statusRestricted:
		return graph.Fail(131048, "The phone number has used up its messaging limit; customers who write can be answered.")
	case d.template != nil && d.template.Category == "UTILITY" && a.bars(noUtility, c.now):
		return graph.Fail(131064, "The account may send no utility templates for now, because of templates of the wrong category.")
	case open && a.bars(noAnswering, c.now):
		return graph.Fail(368, "The account is restricted from answering customers for now.")
	case !open && a.bars(noStarting, c.now):
		return graph.Fail(368, "The account is restricted from starting conversations for now.")
	}
	return nil
}

// States of a number beside CONNECTED in which it can send: Meta watches its quality, or it may only answer for now.
const (
	statusFlagged    = "FLAGGED"
	statusRestricted = "RESTRICTED"
)

// registered reports whether a number can send at all.
func (n *number) registered() bool {
	return n.Status == "CONNECTED" || n.Status == statusFlagged || n.Status == statusRestricted
}

// health is can_send_message.
func (a *account) health(now int64) string {
	switch {
	case a.standing.ban == banDisabled || a.standing.offboarded:
		return "BLOCKED"
	case a.bars(noStarting, now) || a.bars(noAnswering, now) || a.bars(noUtility, now):
		return "LIMITED"
	default:
		return "AVAILABLE"
	}
}

// ban changes the ban state, tells the app, and plans what a scheduled ban becomes.
func (s *Sim) ban(a *account, state string, at time.Time) {
	st := &a.standing
	st.banned++
	if st.ban = state; state == banLifted {
		st.ban = ""
	}
	s.announce(a, "account_update", object{"event": "DISABLED_UPDATE",
		"ban_info": object{"waba_ban_state": state, "waba_ban_date": at.UTC().Format("January 2, 2006")}}, s.now())
	if state != banScheduled {
		return
	}
	plan := st.banned
	s.at(at.UnixNano(), timer{then: func(int64) {
		if a.standing.banned == plan && s.st.accounts[a.ID] == a {
			s.ban(a, banDisabled, at)
		}
	}})
}

// revoke takes the app's access to an account away: no token opens it any more, and its webhooks end.
func (st *state) revoke(a *account) {
	for _, t := range st.tokens {
		rest := []string{"none"} // an empty list would open everything
		if len(t.Accounts) == 0 {
			for _, other := range st.order {
				rest = append(rest, other.ID)
			}
		} else {
			rest = append(rest, t.Accounts...)
		}
		t.Accounts = without(rest, a.ID)
	}
	a.subscribed, a.callback = false, ""
}

func without(list []string, s string) (rest []string) {
	for _, x := range list {
		if x != s {
			rest = append(rest, x)
		}
	}
	return rest
}

// drop deletes an account with everything in it. What its numbers have sent stays in the ledger, and gets no statuses any more.
func (st *state) drop(a *account) {
	for _, n := range a.numbers {
		delete(st.numbers, n.ID)
	}
	for _, t := range a.templates {
		delete(st.templates, t.ID)
	}
	for _, f := range a.flows {
		delete(st.flows, f.id)
	}
	if a.dataset != nil {
		delete(st.datasets, a.dataset.id)
	}
	delete(st.accounts, a.ID)
	for i, other := range st.order {
		if other == a {
			st.order = append(st.order[:i:i], st.order[i+1:]...)
			break
		}
	}
	a.subscribed = false
}
