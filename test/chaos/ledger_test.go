package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// account is what came of everything in a season.
type account struct {
	kills, full  bool
	acknowledged int
	unclaimed    int // messages that exist although nobody was given their id
	handedOver   int // WhatsApp has them
	failed       int // of those and of the rest, by their last state
	dropped      int
	lost         int // acknowledged, and neither at WhatsApp nor given up with a reason and an event
	twice        int // sent twice
	needless     int // of those: although the first copy's status was told
	wrong        int // in another state than WhatsApp's books say
	refused      int // sends that were refused for lack of room
	webhooks     int // updates that were taken
	customers    int // messages of customers
	events       int
	repeated     int
	p50, p99     time.Duration // from WhatsApp to the subscriber
}

// finding is something that must not be, by kind.
type findings map[string][]string

func (f findings) add(kind, what string, args ...any) {
	f[kind] = append(f[kind], fmt.Sprintf(what, args...))
}

// audit compares every message in the node with WhatsApp's books, and with the events that came.
func (w *world) audit(t *testing.T, s season, entries []entry) account {
	t.Helper()
	copies := map[string][]entry{}
	for _, e := range entries {
		copies[e.Opaque] = append(copies[e.Opaque], e)
	}
	ids := w.books.ids(copies)
	states := w.ask(t, ids)
	b := w.books
	delays := b.delays(entries)
	b.mu.Lock()
	defer b.mu.Unlock()

	a := account{kills: s.kills, full: s.full, acknowledged: len(b.acked), refused: b.unheard, customers: len(b.written), events: len(b.events)}
	bad := findings{}
	for i, id := range ids {
		a.judge(id, b.acked[id], copies[id], &states[i], b.reported[id], bad)
	}
	for i := range entries {
		e := &entries[i]
		for _, status := range e.tells() {
			if b.events[e.key(status)] == 0 {
				bad.add("webhooks that were taken became no event", "%s %s", e.Opaque, status)
			}
		}
		if owner := b.owners[strings.TrimPrefix(e.WAMID, "wamid.")]; owner != e.Opaque && len(e.tells()) > 0 {
			bad.add("events name another message than WhatsApp does", "%s as %q", e.Opaque, owner)
		}
	}
	for wamid := range b.written {
		if b.events[wamid+" "] == 0 {
			bad.add("customers' messages became no event", "%s", wamid)
		}
	}
	for code, n := range b.odd {
		bad.add("sends were refused for no good reason", "%d times %s", n, code)
	}
	for _, n := range b.events {
		a.repeated += n - 1
	}
	if n := len(delays); n > 0 {
		a.p50, a.p99 = delays[n/2], delays[n*99/100]
	}
	for kind, list := range bad {
		slices.Sort(list)
		t.Errorf("%s: %d %s: %s", s.name, len(list), kind, strings.Join(list[:min(len(list), 5)], "; "))
	}
	return a
}

// judge decides what became of one message.
func (a *account) judge(id string, acknowledged bool, copies []entry, st *status, events map[string]int, bad findings) {
	state := message.State(st.State)
	if !acknowledged {
		a.unclaimed++
	}
	want, certain := message.Accepted, len(copies) > 0 && !copies[len(copies)-1].Untold
	for i := range copies {
		for _, status := range copies[i].tells() {
			want = message.Advance(want, message.State(status))
		}
		if i > 0 && !copies[i-1].Untold {
			a.needless++
		}
	}
	switch {
	case len(copies) > 0:
		a.handedOver++
		if len(copies) > 1 {
			a.twice++
		}
		// What was never told cannot be known, unless the answer was: then it is accepted, or given up with a reason.
		if gaveUp := (state == message.Dropped || state == message.Failed) && !certain; state != want && !gaveUp {
			a.wrong++
			bad.add("messages are in another state than at WhatsApp", "%s is %s, not %s", id, state, want)
		}
		if events["accepted"] == 0 && state != message.Dropped {
			bad.add("messages were handed over without an event", "%s, %s", id, state)
		}
	case state == message.Failed || state == message.Dropped:
	default:
		a.lost++
		bad.add("messages are lost", "%s is %q", id, state)
	}
	switch state {
	case message.Failed:
		a.failed++
	case message.Dropped:
		a.dropped++
	default:
		return
	}
	if st.reason() == "" || events["failed"] == 0 {
		bad.add("messages failed without a reason or an event", "%s: %q, %d events", id, st.reason(), events["failed"])
	}
}

// ask asks the node about every message.
func (w *world) ask(t *testing.T, ids []string) []status {
	t.Helper()
	states := make([]status, len(ids))
	next := make(chan int)
	var workers sync.WaitGroup
	for range 8 {
		workers.Go(func() {
			for i := range next {
				var err error
				if states[i], err = w.api.details(t.Context(), ids[i]); err != nil {
					t.Errorf("ask about %s: %v", ids[i], err)
				}
			}
		})
	}
	for i := range ids {
		next <- i
	}
	close(next)
	workers.Wait()
	return states
}

// ledger is the account of all seasons, by kind of trouble.
type ledger struct {
	names    []string
	accounts map[string]account
}

func (l *ledger) add(name string, a account) {
	if l.accounts == nil {
		l.accounts = map[string]account{}
	}
	if !slices.Contains(l.names, name) {
		l.names = append(l.names, name)
	}
	l.accounts[name] = l.accounts[name].plus(a)
}

func (a account) plus(b account) account {
	return account{kills: a.kills || b.kills, full: a.full || b.full, acknowledged: a.acknowledged + b.acknowledged, unclaimed: a.unclaimed + b.unclaimed,
		handedOver: a.handedOver + b.handedOver, failed: a.failed + b.failed, dropped: a.dropped + b.dropped, lost: a.lost + b.lost,
		twice: a.twice + b.twice, needless: a.needless + b.needless, wrong: a.wrong + b.wrong, refused: a.refused + b.refused,
		webhooks: a.webhooks + b.webhooks, customers: a.customers + b.customers, events: a.events + b.events, repeated: a.repeated + b.repeated,
		p50: max(a.p50, b.p50), p99: max(a.p99, b.p99)}
}

// check holds the whole against what is promised.
func (l *ledger) check(t *testing.T) {
	t.Helper()
	for _, name := range l.names {
		a := l.accounts[name]
		allowed := 0
		if a.kills {
			allowed = a.handedOver / 1000
		}
		if a.needless > allowed {
			t.Errorf("%s: %d of %d messages were sent twice although the status of the first copy was told, at most %d may be", name, a.needless, a.handedOver, allowed)
		}
		missed := a.full && a.refused == 0 && !a.kills // a node that is dead refuses nothing
		if a.acknowledged == 0 || a.customers == 0 || missed || a.refused > 0 && !a.full {
			t.Errorf("%s: it was not what it should be: %d acknowledged, %d customers' messages, %d refused for lack of room", name, a.acknowledged, a.customers, a.refused)
		}
	}
	calm, crowded := l.accounts["none"], l.accounts["destinations"]
	if limit := 5*calm.p50 + 250*time.Millisecond; crowded.p50 > limit {
		t.Errorf("beside dead, slow and flapping destinations an event takes %v, alone %v", crowded.p50, calm.p50)
	}
}

func (l *ledger) String() string {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, c := range cells {
			fmt.Fprint(table, c, "\t")
		}
		fmt.Fprintln(table)
	}
	row("trouble", "acknowledged", "unclaimed", "handed over", "failed", "dropped", "lost", "sent twice", "needlessly", "refused", "webhooks", "customers",
		"events", "repeated", "p50", "p99")
	var sum account
	line := func(name string, a account, times ...any) {
		row(append([]any{name, a.acknowledged, a.unclaimed, a.handedOver, a.failed, a.dropped, a.lost, a.twice, a.needless, a.refused, a.webhooks,
			a.customers, a.events, a.repeated}, times...)...)
	}
	for _, name := range l.names {
		a := l.accounts[name]
		line(name, a, a.p50.Round(time.Millisecond), a.p99.Round(time.Millisecond))
		sum = sum.plus(a)
	}
	line("together", sum)
	table.Flush()
	return b.String()
}
