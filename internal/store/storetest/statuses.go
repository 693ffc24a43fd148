package storetest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// statusesInAnyOrder draws histories of statuses and applies each to two messages, the second time in another order and with
// repeats: both messages end in the same state with the same timeline.
func statusesInAnyOrder(t *testing.T, w *world) {
	rng := rand.New(rand.NewPCG(7, 8))
	for range 12 {
		history := make([]event.Change, 1+rng.IntN(8))
		for i := range history {
			history[i] = w.someStatus(rng)
		}
		again := slices.Concat(history, history[:rng.IntN(len(history)+1)])
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		one, other := w.live(t, rng, history), w.live(t, rng, again)
		if diff := gocmp.Diff(one, other); diff != "" {
			t.Fatalf("in another order, and with repeats:\n%s", diff)
		}
	}
}

// someStatus is anything that WhatsApp may report: of one copy or the other, of somebody in a group, with reasons and prices.
func (w *world) someStatus(rng *rand.Rand) event.Change {
	pick := func(words ...string) string { return words[rng.IntN(len(words))] }
	c := w.change(event.StatusChange, "", pick("accepted", "sent", "delivered", "read", "played", "failed", "deleted", "warning", "unheard_of"))
	c.Participant, c.Opaque = pick("", "", "", "447", "448"), pick("", "", "", "second copy")
	c.At = w.now.Add(time.Duration(rng.IntN(3)) * time.Second)
	for range rng.IntN(3) {
		c.Failures = append(c.Failures, message.Failure{Code: 131000 + rng.IntN(3), Details: pick("", "d")})
	}
	if rng.IntN(2) == 0 {
		c.Pricing = message.Pricing{Category: pick("utility", "service"), Billable: rng.IntN(2) == 0, Expires: w.now.Add(time.Duration(rng.IntN(2)) * time.Hour)}
	}
	return c
}

// life is all that is known of a message, but for when that became known.
type life struct {
	State    message.State
	Timeline []message.Evidence
}

// live takes a fresh message through a history, some statuses to a callback.
func (w *world) live(t *testing.T, rng *rand.Rand, history []event.Change) (l life) {
	t.Helper()
	first, second := "wamid.1."+uuid.NewString(), "wamid.2."+uuid.NewString()
	m := w.handOver(t, first)
	proof := w.change(event.StatusChange, second, "sent") // it was handed over twice
	proof.Opaque = m.ID
	w.receive(t, proof)
	for rest := history; len(rest) > 0; {
		n := 1 + rng.IntN(len(rest))
		batch := slices.Clone(rest[:n])
		rest = rest[n:]
		for i := range batch {
			c := &batch[i]
			c.WAMID, c.EventID = first, uuid.NewString()
			if c.Opaque != "" {
				c.WAMID, c.Opaque = second, m.ID
			}
		}
		w.receive(t, batch...)
	}
	st := w.state(t, m.ID)
	l.State = st.State
	for _, s := range st.Timeline {
		if s.Copy != "" {
			s.Copy = "second copy"
		}
		l.Timeline = append(l.Timeline, s.Evidence)
	}
	slices.SortFunc(l.Timeline, func(a, b message.Evidence) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Participant, b.Participant), cmp.Compare(a.Copy, b.Copy))
	})
	return l
}

// groupStatuses: everybody in a group receives and reads for themselves, and each time it is an event.
func groupStatuses(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.g")
	of := func(status, participant string) event.Change {
		c := w.change(event.StatusChange, "wamid.g", status)
		c.Participant = participant
		return c
	}
	for i, c := range []event.Change{of("sent", ""), of("delivered", "447"), of("delivered", "448"), of("read", "447"), of("delivered", "449")} {
		if res := w.receive(t, c, c); res.Events != 1 || res.Repeats != 1 {
			t.Errorf("status %d, twice, gave %+v", i, res)
		}
	}
	st := w.state(t, m.ID)
	if st.State != message.Read || len(st.Timeline) != 6 {
		t.Errorf("state = %+v, want read with six steps", st)
	}
}

// evidenceGrows: what a repeat adds is kept and told, what it repeats is not.
func evidenceGrows(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	failed := func(failures ...message.Failure) event.Change {
		c := w.change(event.StatusChange, "wamid.1", "failed")
		c.Failures = failures
		return c
	}
	first, second := message.Failure{Code: 131026, Details: "b"}, message.Failure{Code: 131026, Details: "a"}
	priced := failed()
	priced.Pricing = message.Pricing{Category: "utility", Type: "regular", Model: "PMP", Billable: true, Expires: w.now}
	for _, tc := range []struct {
		name   string
		change event.Change
		events int
	}{
		{"for two reasons", failed(first, second), 1}, {"for one of them", failed(second), 0}, {"for no reason", failed(), 0},
		{"for a third", failed(message.Failure{Code: 131000}), 1}, {"with a price", priced, 1}, {"with that price again", priced, 0},
	} {
		if res := w.receive(t, tc.change); res.Events != tc.events || res.Repeats != 1-tc.events {
			t.Errorf("failed %s: %+v, want %d events", tc.name, res, tc.events)
		}
	}
	st := w.state(t, m.ID)
	want := message.Evidence{Mark: message.Mark{Status: "failed"}, At: w.now, Failures: []message.Failure{{Code: 131000}, second, first}, Pricing: priced.Pricing}
	if len(st.Timeline) != 2 {
		t.Fatalf("timeline = %+v", st.Timeline)
	}
	i := slices.IndexFunc(st.Timeline, func(s message.Step) bool { return s.Status == "failed" })
	if diff := gocmp.Diff(want, st.Timeline[i].Evidence); diff != "" {
		t.Errorf("evidence (-want +got):\n%s", diff)
	}
}

// copies: a message that WhatsApp has twice is told about twice.
func copies(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.a")
	w.receive(t, w.change(event.StatusChange, "wamid.a", "delivered"))
	late := w.change(event.StatusChange, "wamid.b", "delivered")
	late.Opaque = m.ID
	if res := w.receive(t, late, late); res.Events != 2 || res.Proved != 1 || res.Repeats != 1 {
		t.Errorf("the second copy gave %+v", res)
	}
	st := w.state(t, "wamid.b")
	var marks []message.Mark
	for _, s := range st.Timeline {
		marks = append(marks, s.Mark)
	}
	slices.SortFunc(marks, func(a, b message.Mark) int {
		return cmp.Or(cmp.Compare(a.Status, b.Status), cmp.Compare(a.Copy, b.Copy))
	})
	want := []message.Mark{{Status: "accepted"}, {Status: "accepted", Copy: "wamid.b"}, {Status: "delivered"}, {Status: "delivered", Copy: "wamid.b"}}
	if diff := gocmp.Diff(want, marks); diff != "" || st.WAMID != "wamid.a" || st.ID != m.ID {
		t.Errorf("message %s, %s; timeline (-want +got):\n%s", st.ID, st.WAMID, diff)
	}
	if got, want := w.published(t), "accepted "+m.ID+"\ndelivered "+m.ID+"\naccepted "+m.ID+"\ndelivered "+m.ID+"\n"; got != want {
		t.Errorf("events:\n%swant:\n%s", got, want)
	}
}
