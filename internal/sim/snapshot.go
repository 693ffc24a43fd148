package sim

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
)

// snapshot is GET /sim/v1/state: everything but the messages themselves, which the ledger and the chats have.
type snapshot struct {
	Simulator string            `json:"simulator"`
	Now       time.Time         `json:"now"`
	Settings  Settings          `json:"settings"`
	Accounts  []object          `json:"accounts"`
	Customers []object          `json:"customers"`
	Windows   []window          `json:"windows"`
	Faults    []Rule            `json:"faults"`
	Messages  map[string]uint64 `json:"messages"`
	Webhooks  webhookStats      `json:"webhooks"`
}

// window is an open customer service window.
type window struct {
	Number   string    `json:"phone_number_id"`
	Customer string    `json:"wa_id"`
	Until    time.Time `json:"open_until"`
}

type webhookStats struct {
	URL      string `json:"url"`
	Verified bool   `json:"verified"`
	courier.Stats
}

// maxWindows bounds the list of windows after a load test.
const maxWindows = 1000

func getState(s *Sim, _ *http.Request) (any, error) {
	var snap snapshot
	s.with(func(st *state) {
		now := s.now()
		snap = snapshot{Simulator: "waxwing", Now: now.UTC(), Settings: st.settings, Accounts: []object{}, Customers: []object{},
			Windows: []window{}, Faults: []Rule{}, Messages: map[string]uint64{"accepted": st.accepted, "received": st.received}}
		for i, n := range st.statuses {
			if i > int(accepted) {
				snap.Messages[stage(i).String()] = n
			}
		}
		for _, r := range st.rules {
			snap.Faults = append(snap.Faults, *r)
		}
		for _, c := range st.customers {
			snap.Customers = append(snap.Customers, c.object())
		}
		for _, a := range st.order {
			snap.Accounts = append(snap.Accounts, a.object(s))
			for _, n := range a.numbers {
				snap.Windows = n.windows(snap.Windows, now.UnixNano())
			}
		}
	})
	snap.Webhooks = webhookStats{snap.Settings.WebhookURL, s.courier.Verified(), s.courier.Stats()}
	sortObjects(snap.Customers, "wa_id")
	return snap, nil
}

func (a *account) object(s *Sim) object {
	numbers, templates := []object{}, []object{}
	for _, n := range a.numbers {
		numbers = append(numbers, n.object(s))
	}
	for _, t := range a.templates {
		templates = append(templates, t.object())
	}
	flows := []object{}
	for _, f := range a.flows {
		flows = append(flows, f.object(s))
	}
	restricted := []restriction{}
	for _, kind := range slices.Sorted(maps.Keys(a.standing.restricted)) {
		restricted = append(restricted, restriction{kind, a.standing.restricted[kind]})
	}
	return object{"id": a.ID, "name": a.Name, "country": a.Country, "subscribed": a.subscribed, "override_callback_uri": a.callback,
		"ban_state": a.standing.ban, "restrictions": restricted, "violation_type": a.standing.violation,
		"review_status": cmp.Or(a.standing.review, "APPROVED"), "offboarded": a.standing.offboarded, "marketing_messages": a.Marketing,
		"phone_numbers": numbers, "message_templates": templates, "flows": flows}
}

func (n *number) windows(list []window, now int64) []window {
	for id, t := range n.threads {
		if len(list) == maxWindows {
			break
		}
		if t.open(now) {
			list = append(list, window{n.ID, id, time.Unix(0, t.written).Add(24 * time.Hour).UTC()})
		}
	}
	return list
}

// sortObjects orders objects by a member that is a string, since they come from a map.
func sortObjects(list []object, key string) {
	slices.SortFunc(list, func(a, b object) int { return cmp.Compare(a[key].(string), b[key].(string)) })
}
