package chaos

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/bench"
)

// books hold what this side of the node knows: what was acknowledged, what customers wrote, and which events came.
type books struct {
	mu       sync.Mutex
	acked    map[string]bool // messageIds that a sender was given
	written  map[string]bool // wamids of customers' messages that WhatsApp took
	events   map[string]int  // by wamid and status: how often it came
	owners   map[string]string
	handed   map[string]bool // messageIds with an accepted event
	progress int
	after    uint64 // serial in WhatsApp's ledger up to which all is settled
}

func newBooks() *books {
	return &books{acked: map[string]bool{}, written: map[string]bool{}, events: map[string]int{}, owners: map[string]string{}, handed: map[string]bool{}}
}

func (b *books) acknowledged(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked[id] = true
}

func (b *books) wrote(wamid string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.written[strings.TrimPrefix(wamid, "wamid.")] = true
}

func (b *books) event(envelope []byte) {
	e := bench.Scan(envelope)
	wamid, status := string(e.WAMID), string(e.Status)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress++
	b.events[wamid+" "+status]++
	if e.MessageID != nil {
		b.owners[wamid] = string(e.MessageID)
		if status == "accepted" {
			b.handed[string(e.MessageID)] = true
		}
	}
}

// told are the statuses that WhatsApp reports by webhook.
var told = [...]string{"sent", "delivered", "read", "failed"}

// patience is how long nothing may happen before what is missing counts as lost. It is longer than a message can stay in doubt.
const patience = 15 * time.Second

// balance is the comparison of both sides' books.
type balance struct {
	waiting   int      // webhooks that WhatsApp has not got rid of
	lost      []string // acknowledged, and WhatsApp never had it
	untold    []string // WhatsApp's webhook was taken, and no event came
	misfiled  []string // events that name another message than WhatsApp does
	silent    []string // messages that WhatsApp has and that are not delivered
	unhanded  int      // acknowledged without an accepted event
	twice     int      // messages that WhatsApp has more than once
	messages  int      // at WhatsApp
	unclaimed int      // at WhatsApp, and nobody was given their id
}

func (b *balance) settled() bool {
	return b.waiting == 0 && len(b.lost)+len(b.untold)+len(b.silent)+len(b.misfiled) == 0
}

// settle waits until both sides agree, or until nothing has happened for a while, and fails the test for what is missing. What it
// has settled is forgotten.
func (b *books) settle(t *testing.T, sim simulator) (report string) {
	t.Helper()
	var last balance
	var entries []entry
	for seen, since := -1, time.Now(); ; pause(t, 100*time.Millisecond) {
		var err error
		if entries, err = sim.ledger(t.Context(), b.after); err != nil {
			t.Fatal(err)
		}
		waiting, dropped, err := sim.undelivered(t.Context())
		if err != nil || dropped > 0 {
			t.Fatalf("%d webhooks were given up, %v", dropped, err)
		}
		last = b.compare(entries)
		last.waiting = waiting
		b.mu.Lock()
		progress := b.progress + len(entries)
		b.mu.Unlock()
		if progress != seen {
			seen, since = progress, time.Now()
		}
		if last.settled() || time.Since(since) > patience {
			break
		}
	}
	for what, list := range map[string][]string{"acknowledged messages never reached WhatsApp": last.lost, "webhooks that were taken became no event": last.untold,
		"messages were not delivered": last.silent, "events name a wrong message": last.misfiled} {
		if len(list) > 0 {
			slices.Sort(list)
			t.Errorf("%d %s: %s", len(list), what, list[:min(len(list), 5)])
		}
	}
	if last.waiting > 0 {
		t.Errorf("%d webhooks are still refused", last.waiting)
	}
	return b.close(entries, &last)
}

// compare holds what WhatsApp knows against what came of it here.
func (b *books) compare(entries []entry) (r balance) {
	b.mu.Lock()
	defer b.mu.Unlock()
	copies := map[string]int{}
	for _, e := range entries {
		wamid := strings.TrimPrefix(e.WAMID, "wamid.")
		copies[e.Opaque]++
		if e.Status != "delivered" {
			r.silent = append(r.silent, e.Opaque+" is "+e.Status)
		}
		for _, status := range told {
			if e.TimesMS[status] > 0 && b.events[wamid+" "+status] == 0 {
				r.untold = append(r.untold, e.Opaque+" "+status)
			}
		}
		if owner := b.owners[wamid]; owner != "" && owner != e.Opaque {
			r.misfiled = append(r.misfiled, e.Opaque+" as "+owner)
		}
	}
	for wamid := range b.written {
		if b.events[wamid+" "] == 0 {
			r.untold = append(r.untold, "customer's message "+wamid)
		}
	}
	for id := range b.acked {
		if copies[id] == 0 {
			r.lost = append(r.lost, id)
		}
		if !b.handed[id] {
			r.unhanded++
		}
	}
	for id, n := range copies {
		r.messages++
		if n > 1 {
			r.twice++
		}
		if !b.acked[id] {
			r.unclaimed++
		}
	}
	return r
}

// close sums up and forgets what is settled.
func (b *books) close(entries []entry, r *balance) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	repeated := 0
	for _, n := range b.events {
		repeated += n - 1
	}
	report := fmt.Sprintf("acknowledged %d, lost %d; at WhatsApp %d (%d of them never acknowledged), sent twice %d; customers' messages %d; events %d, repeated %d; without accepted event %d",
		len(b.acked), len(r.lost), r.messages, r.unclaimed, r.twice, len(b.written), len(b.events), repeated, r.unhanded)
	if len(entries) > 0 {
		b.after = entries[len(entries)-1].Serial
	}
	clear(b.acked)
	clear(b.written)
	clear(b.events)
	clear(b.owners)
	clear(b.handed)
	return report
}
