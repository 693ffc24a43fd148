package storetest

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// withdrawals lets senders take messages back.
type withdrawals interface {
	Cancel(ctx context.Context, accountID, id string, now time.Time, report func(event.HandOver) (*event.Event, error)) (message.Withdrawal, error)
}

// schedule accepts a message that is due after a while.
func (w *world) schedule(t *testing.T, after time.Duration) message.Job {
	t.Helper()
	m := w.outbound()
	m.SendAt = w.now.Add(after)
	return w.accept(t, m)
}

// lined lists the bulk messages behind a place, by the names given to their ids, and the last one's place.
func (w *world) lined(t *testing.T, names map[string]string, after int64) (list string, last int64) {
	t.Helper()
	jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, after, 1000)
	must(t, err)
	for _, j := range jobs {
		if j.Place <= after {
			t.Errorf("%s has place %d, not behind %d", names[j.ID], j.Place, after)
		}
		list, after = list+" "+names[j.ID], j.Place
	}
	return strings.TrimSpace(list), after
}

func scheduled(t *testing.T, w *world) {
	j := w.schedule(t, time.Hour)
	if lanes, next, err := w.Release(w.ctx, w.now.Add(59*time.Minute), 10); err != nil || len(lanes) != 0 || !next.Equal(j.SendAt) {
		t.Errorf("before its time: %v, next %v, %v", lanes, next, err)
	}
	if lanes, err := w.Lanes(w.ctx); err != nil || len(lanes) != 0 || w.queued(t) != 0 {
		t.Errorf("a scheduled message is work already: %v, %v", lanes, err)
	}
	if st := w.state(t, j.ID); st.State != message.Queued || !st.SendAt.Equal(j.SendAt) {
		t.Errorf("it is %s for %v", st.State, st.SendAt)
	}
	lanes, next, err := w.Release(w.ctx, j.SendAt, 10)
	if err != nil || fmt.Sprint(lanes) != fmt.Sprint([]string{w.phone.Key}) || !next.IsZero() {
		t.Errorf("at its time: %v, next %v, %v", lanes, next, err)
	}
	if lanes, err = w.Lanes(w.ctx); err != nil || len(lanes) != 1 {
		t.Errorf("lanes = %v, %v", lanes, err)
	}
	jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, 0, 10)
	must(t, err)
	if len(jobs) != 1 || jobs[0].ID != j.ID || !jobs[0].SendAt.Equal(j.SendAt) || !jobs[0].NotBefore.IsZero() || !jobs[0].Due().Equal(j.SendAt) {
		t.Errorf("jobs = %+v", jobs)
	}
	if lanes, next, err := w.Release(w.ctx, w.now.Add(time.Hour*1000), 10); err != nil || len(lanes) != 0 || !next.IsZero() {
		t.Errorf("released twice: %v, %v, %v", lanes, next, err)
	}
}

// A scheduled message comes behind what is in the queue when it becomes due, whoever was accepted first; a reader that has come
// this far finds it.
func scheduleOrder(t *testing.T, w *world) {
	names := map[string]string{}
	name := func(n string, j message.Job) message.Job { names[j.ID] = n; return j }
	name("three", w.schedule(t, 3*time.Minute))
	name("two", w.schedule(t, 2*time.Minute))
	name("two too", w.schedule(t, 2*time.Minute))
	name("later", w.schedule(t, time.Hour))
	name("a", w.accept(t, w.outbound()))
	if got, last := w.lined(t, names, 0); got != "a" {
		t.Fatalf("before: %q", got)
	} else {
		name("b", w.accept(t, w.outbound()))
		if _, _, err := w.Release(w.ctx, w.now.Add(3*time.Minute), 2); err != nil { // more are due than it may take
			t.Fatal(err)
		}
		_, next, err := w.Release(w.ctx, w.now.Add(3*time.Minute), 2)
		if err != nil || !next.Equal(w.now.Add(time.Hour)) {
			t.Fatalf("next is %v, %v", next, err)
		}
		name("c", w.accept(t, w.outbound()))
		if got, _ := w.lined(t, names, last); got != "b two two too three c" {
			t.Errorf("behind a: %q", got)
		}
	}
	if got, _ := w.lined(t, names, 0); got != "a b two two too three c" {
		t.Errorf("in all: %q", got)
	}
}

func releaseOnce(t *testing.T, w *world) {
	const n = 40
	for range n {
		w.schedule(t, time.Minute)
	}
	for _, err := range parallel(6, func(int) error { _, _, err := w.Release(w.ctx, w.now.Add(time.Minute), 10); return err }) {
		must(t, err)
	}
	jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, 0, 1000)
	must(t, err)
	places := map[int64]bool{}
	for _, j := range jobs {
		places[j.Place] = true
	}
	if len(jobs) != n || len(places) != n {
		t.Errorf("%d messages with %d places, want %d", len(jobs), len(places), n)
	}
}

func expired(t *testing.T, w *world) {
	valid := func(d time.Duration) message.Job {
		m := w.outbound()
		m.ValidUntil = w.now.Add(d)
		return w.accept(t, m)
	}
	unreleased := w.outbound()
	unreleased.SendAt, unreleased.ValidUntil = w.now.Add(time.Minute), w.now.Add(2*time.Minute)
	w.accept(t, unreleased)
	late, early, doubt := valid(2*time.Hour), valid(time.Hour), valid(time.Minute)
	w.accept(t, w.outbound())
	l := w.lane(t)
	w.begin(t, l, &doubt)
	for _, tc := range []struct {
		after time.Duration
		want  string
	}{
		{59 * time.Minute, "[]"}, {time.Hour, fmt.Sprint([]string{early.ID})}, {3 * time.Hour, fmt.Sprint([]string{early.ID, late.ID})},
	} {
		jobs, err := w.Expired(w.ctx, w.phone.Key, w.now.Add(tc.after), 10)
		must(t, err)
		got := make([]string, len(jobs))
		for i, j := range jobs {
			if got[i] = j.ID; j.ValidUntil.IsZero() || j.Place == 0 {
				t.Errorf("job came back as %+v", j)
			}
		}
		if fmt.Sprint(got) != tc.want {
			t.Errorf("after %v: %v, want %v", tc.after, got, tc.want)
		}
	}
	if _, _, err := w.Release(w.ctx, w.now.Add(time.Hour), 10); err != nil {
		t.Fatal(err)
	}
	if jobs, err := w.Expired(w.ctx, w.phone.Key, w.now.Add(3*time.Minute), 10); err != nil || len(jobs) != 1 || jobs[0].ID != unreleased.ID {
		t.Errorf("what was released too late: %+v, %v", jobs, err)
	}
}

// cancel takes a message back, with an event of the store's own world.
func (w *world) cancel(id string) (message.Withdrawal, error) {
	return w.Cancel(w.ctx, w.waba.AccountID, id, w.now, func(h event.HandOver) (*event.Event, error) {
		e := w.event(h.MessageID, "", "failed")
		e.Failures = []message.Failure{message.Because(message.CodeCancelled, h.PhoneMetaID)}
		return e, nil
	})
}

func cancelQueued(t *testing.T, w *world) {
	for name, j := range map[string]message.Job{"waiting": w.accept(t, w.outbound()), "scheduled": w.schedule(t, time.Hour)} {
		for range 2 { // again changes nothing
			got, err := w.cancel(j.ID)
			if err != nil || !got.Done || got.State != message.Cancelled || got.PhoneKey != w.phone.Key || got.Seq != j.Seq {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		st := w.state(t, j.ID)
		if st.State != message.Cancelled || len(st.Timeline) != 1 || st.Timeline[0].Status != "cancelled" {
			t.Fatalf("%s: %+v", name, st)
		}
		if diff := cmp.Diff([]message.Failure{message.Because(message.CodeCancelled, w.phone.MetaID)}, st.Timeline[0].Failures); diff != "" {
			t.Errorf("%s: reason (-want +got):\n%s", name, diff)
		}
	}
	if n := w.queued(t); n != 0 {
		t.Errorf("%d left in the queue", n)
	}
	if lanes, next, err := w.Release(w.ctx, w.now.Add(time.Hour), 10); err != nil || len(lanes) != 0 || !next.IsZero() {
		t.Errorf("a cancelled message is still scheduled: %v, %v, %v", lanes, next, err)
	}
	if n := strings.Count(w.published(t), "failed "); n != 2 {
		t.Errorf("%d events for two messages:\n%s", n, w.published(t))
	}
}

func cancelTooLate(t *testing.T, w *world) {
	sent := w.handOver(t, "wamid.1")
	for _, id := range []string{sent.ID, "wamid.1"} {
		if got, err := w.cancel(id); err != nil || got.Done || got.InDoubt || got.State != message.Accepted {
			t.Errorf("after the hand-over, by %s: %+v, %v", id, got, err)
		}
	}
	doubt, l := w.accept(t, w.outbound()), w.lane(t)
	w.begin(t, l, &doubt)
	if got, err := w.cancel(doubt.ID); err != nil || got.Done || !got.InDoubt || got.State != message.Queued {
		t.Errorf("in doubt: %+v, %v", got, err)
	}
	if ok, err := w.Postpone(w.ctx, &doubt, w.now.Add(time.Minute), false); err != nil || !ok {
		t.Fatalf("Postpone = %v, %v", ok, err)
	}
	if got, err := w.cancel(doubt.ID); err != nil || !got.Done {
		t.Errorf("between two attempts: %+v, %v", got, err)
	}
	if _, err := w.cancel("no-such-message"); !fault.Is(err, fault.NotFound) {
		t.Errorf("an unknown message: %v", err)
	}
	w.link(t, "111111111111", 2)
	if _, err := w.Cancel(w.ctx, "111111111111", sent.ID, w.now, nil); !fault.Is(err, fault.NotFound) {
		t.Errorf("another account's message: %v", err)
	}
}

// A message that is taken back while its attempt begins is either not sent, or sent and not taken back.
func cancelRace(t *testing.T, w *world) {
	l := w.lane(t)
	won := map[bool]int{}
	for range 60 {
		j := w.accept(t, w.outbound())
		var began, cancelled bool
		for i, err := range parallel(2, func(i int) (err error) {
			if i == 0 {
				began, err = w.Begin(w.ctx, l, &j, w.now)
				return err
			}
			got, err := w.cancel(j.ID)
			cancelled = got.Done
			return err
		}) {
			if err != nil {
				t.Fatal(i, err)
			}
		}
		if began == cancelled {
			t.Fatalf("began: %v, cancelled: %v", began, cancelled)
		}
		won[cancelled]++
	}
	t.Logf("%d cancelled, %d began", won[true], won[false])
}

// Should WhatsApp turn out to have a message that was taken back, that is what counts.
func cancelDisproved(t *testing.T, w *world) {
	j := w.accept(t, w.outbound())
	if got, err := w.cancel(j.ID); err != nil || !got.Done {
		t.Fatalf("%+v, %v", got, err)
	}
	c := w.change(event.StatusChange, "wamid.1", "sent")
	c.Opaque = j.ID
	w.receive(t, c)
	if st := w.state(t, j.ID); st.State != message.Sent || st.WAMID != "wamid.1" {
		t.Errorf("state = %+v", st)
	}
}

// Messages that are scheduled for later keep no others from being forgotten.
func pruneScheduled(t *testing.T, w *world) {
	for range 600 {
		w.schedule(t, 30*24*time.Hour)
	}
	done := w.handOver(t, "wamid.1")
	if _, err := w.PruneMessages(w.ctx, w.now); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := w.Lookup(w.ctx, w.waba.AccountID, done.ID); err != nil || ok {
		t.Errorf("the message that is done is still there (%v, %v)", ok, err)
	}
	if _, next, err := w.Release(w.ctx, w.now, 1); err != nil || next.IsZero() {
		t.Errorf("nothing is scheduled any more: %v, %v", next, err)
	}
}
