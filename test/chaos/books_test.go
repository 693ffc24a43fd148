package chaos

import (
	"fmt"
	"maps"
	"net/http"
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
	acked    map[string]bool           // messageIds that a sender was given
	written  map[string]bool           // wamids of customers' messages that WhatsApp took
	events   map[string]int            // by wamid and status: how often it came
	arrived  map[string]time.Time      // by wamid and status: when it came first
	owners   map[string]string         // by wamid: the messageId that its events name
	reported map[string]map[string]int // by messageId and status
	unheard  int                       // sends that were refused for lack of room
	odd      map[string]int            // other refusals, by code
	progress int
	after    uint64 // serial in WhatsApp's ledger up to which all is settled
}

func newBooks() *books {
	return &books{acked: map[string]bool{}, written: map[string]bool{}, events: map[string]int{}, arrived: map[string]time.Time{},
		owners: map[string]string{}, reported: map[string]map[string]int{}, odd: map[string]int{}}
}

func (b *books) acknowledged(id string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.acked[id] = true
}

func (b *books) refused(r *bench.Refusal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r.Status == http.StatusServiceUnavailable && r.Code == "ServiceUnavailable" {
		b.unheard++
	} else {
		b.odd[r.Error()]++
	}
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
	key := wamid + " " + status
	if b.events[key]++; b.events[key] == 1 {
		b.arrived[key] = time.Now()
	}
	if id := string(e.MessageID); id != "" {
		b.owners[wamid] = id
		if b.reported[id] == nil {
			b.reported[id] = map[string]int{}
		}
		b.reported[id][status]++
	}
}

// heard is how many events have come so far.
func (b *books) heard() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.progress
}

// told are the statuses that WhatsApp reports by webhook, in order.
var told = [...]string{"sent", "delivered", "read", "failed"}

// tells lists the statuses that WhatsApp has told of a message.
func (e *entry) tells() (list []string) {
	if e.Untold {
		return nil
	}
	for _, status := range told {
		if e.TimesMS[status] > 0 {
			list = append(list, status)
		}
	}
	return list
}

// patience is how long nothing may happen before what is missing counts as lost. It is longer than a message can stay in doubt, and
// than a queue can pause.
const patience = 15 * time.Second

// settle waits until nothing is under way any more, or until nothing has happened for a while, and returns what WhatsApp has.
func (w *world) settle(t *testing.T, receivers []*receiver) (entries []entry) {
	t.Helper()
	for seen, since := "", time.Now(); ; pause(t, 100*time.Millisecond) {
		events := w.books.heard()
		var err error
		if entries, err = w.sim.ledger(t.Context(), w.books.after); err != nil {
			t.Fatal(err)
		}
		hooks := w.sim.webhooks(t)
		if hooks.Dropped > 0 {
			t.Fatalf("%d webhooks were given up", hooks.Dropped)
		}
		waiting := 0
		for _, r := range receivers {
			if err := r.look(t.Context(), w.api); err != nil {
				t.Fatal(err)
			}
			waiting += r.waiting
		}
		open := w.books.open(entries)
		// An event that came meanwhile may be about a message that WhatsApp got after it was asked.
		if hooks.Queued+waiting+open == 0 && w.books.heard() == events {
			return entries
		}
		now := fmt.Sprint(events, len(entries), hooks, waiting, open)
		if now != seen {
			seen, since = now, time.Now()
		}
		if time.Since(since) > patience {
			t.Errorf("nothing moves any more: %d webhooks and %d events wait, %d things are open", hooks.Queued, waiting, open)
			return entries
		}
	}
}

// open counts what is not over: messages that WhatsApp has neither got nor that are given up, statuses on their way, events that
// have not come.
func (b *books) open(entries []entry) (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	there := map[string]bool{}
	for i := range entries {
		e := &entries[i]
		there[e.Opaque] = true
		if e.Status != "delivered" && e.Status != "failed" {
			n++
		}
		for _, status := range e.tells() {
			if b.events[e.key(status)] == 0 {
				n++
			}
		}
		if len(b.reported[e.Opaque]) == 0 {
			n++ // not even that it was accepted
		}
	}
	for id := range b.acked {
		if !there[id] && b.reported[id]["failed"] == 0 {
			n++
		}
	}
	for wamid := range b.written {
		if b.events[wamid+" "] == 0 {
			n++
		}
	}
	return n
}

// key is how the books call a status.
func (e *entry) key(status string) string {
	return strings.TrimPrefix(e.WAMID, "wamid.") + " " + status
}

// delays are the times from what happened at WhatsApp to its event, in order.
func (b *books) delays(entries []entry) (list []time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range entries {
		for _, status := range entries[i].tells() {
			if at, ok := b.arrived[entries[i].key(status)]; ok {
				list = append(list, at.Sub(time.UnixMilli(entries[i].TimesMS[status])))
			}
		}
	}
	slices.Sort(list)
	return list
}

// forget forgets what is settled.
func (b *books) forget(entries []entry) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(entries) > 0 {
		b.after = entries[len(entries)-1].Serial
	}
	for _, m := range []map[string]bool{b.acked, b.written} {
		clear(m)
	}
	clear(b.events)
	clear(b.arrived)
	clear(b.owners)
	clear(b.reported)
	clear(b.odd)
	b.unheard = 0
}

// ids are all messages there are, acknowledged or not.
func (b *books) ids(copies map[string][]entry) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := maps.Clone(b.acked)
	for id := range copies {
		all[id] = true
	}
	return slices.Sorted(maps.Keys(all))
}
