package storetest

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

const patience = 15 * time.Minute

// find looks for overdue messages until all were looked at, few at a time.
func (w *world) find(t *testing.T) (looked int) {
	t.Helper()
	for {
		n, err := w.FindOverdue(w.ctx, w.now, patience, 2)
		must(t, err)
		looked += n
		if n < 2 {
			return looked
		}
	}
}

// silence returns the one silence there is, zero without one.
func (w *world) silence(t *testing.T) (s message.Silence) {
	t.Helper()
	list, err := w.Silences(w.ctx)
	must(t, err)
	if len(list) > 1 {
		t.Fatalf("silences: %+v", list)
	}
	if len(list) == 1 {
		s = list[0]
	}
	return s
}

// overdue lists the ids of messages whose status is overdue, newest first.
func (w *world) overdue(t *testing.T) (ids []string) {
	t.Helper()
	for q := (message.Query{Overdue: true, Limit: 2}); ; {
		found, err := w.Search(w.ctx, w.waba.AccountID, q)
		must(t, err)
		for _, m := range found.Messages {
			if !m.Overdue {
				t.Errorf("%s is found, and does not say that it is overdue", m.ID)
			}
			ids = append(ids, m.ID)
		}
		if q.Before = found.Next; q.Before == 0 {
			return ids
		}
	}
}

// missingStatuses: a message that WhatsApp took and says nothing about is found once it is late, once, and until it has a status.
func missingStatuses(t *testing.T, w *world) {
	begun := w.now
	a, b, c := w.handOver(t, "wamid.a"), w.handOver(t, "wamid.b"), w.handOver(t, "wamid.c")
	w.receive(t, w.change(event.StatusChange, "wamid.c", "sent"))
	receipt := w.outbound()
	receipt.Kind = message.KindRead
	j, l := w.accept(t, receipt), w.lane(t)
	w.begin(t, l, &j)
	if ok, err := w.Finish(w.ctx, &j, message.Accepted, "", nil, w.now); err != nil || !ok {
		t.Fatal(ok, err)
	}
	w.now = begun.Add(time.Minute)
	young := w.handOver(t, "wamid.young")

	w.now = begun.Add(patience - time.Microsecond)
	if n := w.find(t); n != 0 || w.silence(t) != (message.Silence{}) {
		t.Errorf("looked at %d too early: %+v", n, w.silence(t))
	}
	w.now = begun.Add(patience)
	if n := w.find(t); n != 2 {
		t.Errorf("looked at %d messages, want those of the first minute that have no status", n)
	}
	if n := w.find(t); n != 0 {
		t.Errorf("looked at %d messages again", n)
	}
	want := message.Silence{AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: w.phone.Key, Overdue: 2, Since: begun, Count: 2, FoundAt: w.now,
		WABAMetaID: w.waba.MetaID, PhoneMetaID: w.phone.MetaID, DisplayNumber: w.phone.DisplayNumber}
	if diff := gocmp.Diff(want, w.silence(t)); diff != "" {
		t.Errorf("silence (-want +got):\n%s", diff)
	}
	if got := fmt.Sprint(w.overdue(t)); got != fmt.Sprint([]string{b.ID, a.ID}) {
		t.Errorf("overdue: %s", got)
	}
	if st := w.state(t, a.ID); !st.Overdue || w.state(t, c.ID).Overdue || w.state(t, young.ID).Overdue {
		t.Errorf("message %+v does not say whether its status is overdue", st.Summary)
	}

	// Told, and then a status comes after all; one that says nothing about delivery counts too.
	s := w.silence(t)
	if ok, err := w.TellSilence(w.ctx, &s, false, w.event("", "", "raised")); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if ok, err := w.TellSilence(w.ctx, &message.Silence{PhoneKey: s.PhoneKey, Since: s.Since, Count: 1, Overdue: 1}, true, nil); err != nil || ok {
		t.Errorf("an old look at the silence ended it: %v, %v", ok, err)
	}
	w.now = begun.Add(20 * time.Minute)
	w.receive(t, w.change(event.StatusChange, "wamid.a", "warning"))
	want.Overdue, want.Told, want.HeardAt = 1, 2, w.now
	if diff := gocmp.Diff(want, w.silence(t)); diff != "" {
		t.Errorf("after one status (-want +got):\n%s", diff)
	}
	w.find(t)
	if got := fmt.Sprint(w.overdue(t)); got != fmt.Sprint([]string{young.ID, b.ID}) {
		t.Errorf("overdue: %s", got)
	}
	w.receive(t, w.change(event.StatusChange, "wamid.b", "failed"), w.change(event.StatusChange, "wamid.young", "read"))
	s = w.silence(t)
	if s.Overdue != 0 || s.Count != 3 || !s.HeardAt.Equal(w.now) || len(w.overdue(t)) != 0 {
		t.Errorf("after all statuses: %+v", s)
	}
	if ok, err := w.TellSilence(w.ctx, &s, true, w.event("", "", "cleared")); err != nil || !ok || w.silence(t) != (message.Silence{}) {
		t.Errorf("ended: %v, %v, %+v", ok, err, w.silence(t))
	}
	if got := w.published(t); got == "" || got[len(got)-len("raised \nwarning "+a.ID+"\nfailed "+b.ID+"\nread "+young.ID+"\ncleared \n"):] !=
		"raised \nwarning "+a.ID+"\nfailed "+b.ID+"\nread "+young.ID+"\ncleared \n" {
		t.Errorf("events:\n%s", got)
	}
}

// missingForEver: what never comes is left behind when an incident ends, and goes with the messages.
func missingForEver(t *testing.T, w *world) {
	lost := w.handOver(t, "wamid.lost")
	w.now = w.now.Add(patience)
	w.find(t)
	s := w.silence(t)
	if ok, err := w.TellSilence(w.ctx, &s, true, nil); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if s = w.silence(t); s.Overdue != 1 || !s.Since.IsZero() || s.Count != 0 {
		t.Errorf("between incidents: %+v", s)
	}
	next := w.now
	w.handOver(t, "wamid.next")
	w.now = w.now.Add(patience)
	w.find(t)
	if s = w.silence(t); s.Overdue != 2 || !s.Since.Equal(next) || s.Count != 1 {
		t.Errorf("a second incident: %+v", s)
	}
	_, err := w.PruneMessages(w.ctx, next.Add(-time.Second))
	must(t, err)
	if s = w.silence(t); s.Overdue != 1 || len(w.overdue(t)) != 1 {
		t.Errorf("after message %s was forgotten: %+v", lost.ID, s)
	}
	if ok, err := w.TellSilence(w.ctx, &s, true, nil); err != nil || !ok {
		t.Fatal(ok, err)
	}
	_, err = w.PruneMessages(w.ctx, w.now)
	must(t, err)
	if s = w.silence(t); s != (message.Silence{}) {
		t.Errorf("after all messages were forgotten: %+v", s)
	}
}

// overdueBehindInbox: while callbacks wait to be understood, their statuses are not missing; and a clock that was set back hides
// nothing.
func overdueBehindInbox(t *testing.T, w *world) {
	begun := w.now
	w.handOver(t, "wamid.1")
	w.now = begun.Add(patience - time.Second)
	must(t, w.Receive(w.ctx, []byte("may hold the status"), w.now))
	w.now = begun.Add(2 * patience)
	if n := w.find(t); n != 0 {
		t.Errorf("looked at %d messages while a callback of their time waits", n)
	}
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	w.apply(t, list[0])
	must(t, w.Receive(w.ctx, []byte("came too late"), begun.Add(patience)))
	if n := w.find(t); n != 1 {
		t.Errorf("looked at %d messages, want the one whose status would have been applied", n)
	}

	w.now = begun.Add(-24 * time.Hour)
	w.handOver(t, "wamid.2")
	w.now = w.now.Add(patience)
	list, err = w.Webhooks(w.ctx, 10)
	must(t, err)
	w.apply(t, list[0])
	if n := w.find(t); n != 1 || w.silence(t).Overdue != 2 {
		t.Errorf("after the clock was set back looked at %d messages: %+v", n, w.silence(t))
	}
	w.now = begun.Add(3 * patience)
	w.find(t)
	if s := w.silence(t); s.Overdue != 2 || s.Count != 2 {
		t.Errorf("after the clock was set right: %+v", s)
	}
}

// unlinkedSilence: of a number that is not linked any more it is known that it is not.
func unlinkedSilence(t *testing.T, w *world) {
	w.handOver(t, "wamid.1")
	w.now = w.now.Add(patience)
	w.find(t)
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	if s := w.silence(t); s.Overdue != 1 || s.WABAMetaID != "" || s.PhoneMetaID != "" {
		t.Errorf("silence = %+v", s)
	}
	must(t, w.Link(w.ctx, w.waba, []byte("sealed-token"), []account.PhoneNumber{w.phone}))
	if s := w.silence(t); s.WABAMetaID != w.waba.MetaID {
		t.Errorf("silence = %+v", s)
	}
}
