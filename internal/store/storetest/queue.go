package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

func acceptOnce(t *testing.T, w *world) {
	first := w.outbound()
	first.InvocationID = "call-1"
	w.accept(t, first)

	again := w.outbound()
	again.InvocationID = "call-1"
	id, seq, err := w.Accept(w.ctx, again, nil)
	must(t, err)
	if id != first.ID || seq != 0 {
		t.Errorf("a repeated call = %q, %d; want the first message %q and no place", id, seq, first.ID)
	}

	late := w.outbound()
	late.InvocationID, late.AcceptedAt = "call-1", w.now.Add(time.Hour)
	w.accept(t, late) // after an hour it is a call of its own

	_, err = w.PruneInvocations(w.ctx, w.now.Add(3*time.Hour))
	must(t, err)
	if n := w.queued(t); n != 2 {
		t.Errorf("%d messages queued, want 2", n)
	}
}

func acceptConcurrently(t *testing.T, w *world) {
	call := uuid.NewString()
	ids := parallel(20, func(int) string {
		m := w.outbound()
		m.InvocationID = call
		id, _, err := w.Accept(w.ctx, m, []byte("sealed"))
		if err != nil {
			return err.Error()
		}
		return id
	})
	for _, id := range ids {
		if id != ids[0] {
			t.Fatalf("attempts of one call became messages %v", ids)
		}
	}
	if n := w.queued(t); n != 1 {
		t.Errorf("%d messages queued, want 1", n)
	}
}

func jobsInOrder(t *testing.T, w *world) {
	var want []string
	for i := range 10 {
		m := w.outbound()
		m.OwnOpaque = i == 0
		if i%3 == 0 {
			m.Priority = message.Reply
		} else {
			want = append(want, m.ID)
		}
		w.accept(t, m)
	}
	var got []string
	for after := int64(0); ; {
		jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, after, 4)
		must(t, err)
		for _, j := range jobs {
			got, after = append(got, j.ID), j.Seq
			if j.Recipient != "14255550150" || j.Kind != "text" || j.MetaVersion != "v20.0" || !j.AcceptedAt.Equal(w.now) || j.InDoubt() {
				t.Fatalf("job came back as %+v", j)
			}
			body, err := w.Body(w.ctx, j.Seq)
			must(t, err)
			if string(body) != "sealed "+j.ID {
				t.Errorf("body of %s = %q", j.ID, body)
			}
		}
		if len(jobs) < 4 {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("bulk jobs = %v, want %v", got, want)
	}
	replies, err := w.Jobs(w.ctx, w.phone.Key, message.Reply, 0, 100)
	must(t, err)
	if len(replies) != 4 || !replies[0].OwnOpaque || replies[1].OwnOpaque {
		t.Errorf("replies = %+v", replies)
	}
}

func lanes(t *testing.T, w *world) {
	got, err := w.Lanes(w.ctx)
	must(t, err)
	if len(got) != 0 {
		t.Errorf("lanes of an empty queue = %v", got)
	}
	for i := range 30 {
		m := w.outbound()
		m.PhoneKey = fmt.Sprintf("phone-%d", i%3)
		w.accept(t, m)
	}
	got, err = w.Lanes(w.ctx)
	must(t, err)
	if fmt.Sprint(got) != "[phone-0 phone-1 phone-2]" {
		t.Errorf("lanes = %v", got)
	}
}

func leaseOwner(t *testing.T, w *world) {
	a, err := w.AcquireLease(w.ctx, "x", "a", w.now, lease.TTL)
	must(t, err)
	b, err := w.AcquireLease(w.ctx, "x", "b", w.now, lease.TTL)
	must(t, err)
	if !a.Held() || b.Held() {
		t.Fatalf("a = %+v, b = %+v; want only a to hold it", a, b)
	}
	again, err := w.AcquireLease(w.ctx, "x", "a", w.now, lease.TTL)
	must(t, err)
	if again.Fence != a.Fence {
		t.Errorf("the owner's second claim changed the fence from %d to %d", a.Fence, again.Fence)
	}
	must(t, w.ReleaseLease(w.ctx, a))
	b, err = w.AcquireLease(w.ctx, "x", "b", w.now, lease.TTL)
	must(t, err)
	if !b.Held() || b.Fence <= a.Fence {
		t.Errorf("after release b = %+v, want a higher fence than %d", b, a.Fence)
	}
}

func leaseMoves(t *testing.T, w *world) {
	a, err := w.AcquireLease(w.ctx, "x", "a", w.now, lease.TTL)
	must(t, err)
	if held, err := w.RenewLease(w.ctx, a, w.now.Add(lease.TTL/2), lease.TTL); err != nil || !held {
		t.Fatalf("renew in time = %v, %v", held, err)
	}
	late := w.now.Add(2 * lease.TTL)
	b, err := w.AcquireLease(w.ctx, "x", "b", late, lease.TTL)
	must(t, err)
	if !b.Held() || b.Fence <= a.Fence {
		t.Fatalf("b = %+v after expiry, want a higher fence than %d", b, a.Fence)
	}
	if held, err := w.RenewLease(w.ctx, a, late, lease.TTL); err != nil || held {
		t.Errorf("renewing a lost lease = %v, %v", held, err)
	}
	must(t, w.ReleaseLease(w.ctx, a))
	if held, err := w.RenewLease(w.ctx, b, late, lease.TTL); err != nil || !held {
		t.Errorf("releasing a lost lease took it from its owner (%v, %v)", held, err)
	}
}

// A clock that jumps takes no lease away from a holder that nobody else has replaced.
func leaseOutlivesJump(t *testing.T, w *world) {
	l, err := w.AcquireLease(w.ctx, "x", "a", w.now, lease.TTL)
	must(t, err)
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 0} {
		if held, err := w.RenewLease(w.ctx, l, w.now.Add(jump), lease.TTL); err != nil || !held {
			t.Errorf("renewing with the clock %v off = %v, %v", jump, held, err)
		}
	}
	must(t, w.ReleaseLease(w.ctx, l))
	if held, err := w.RenewLease(w.ctx, l, w.now, lease.TTL); err != nil || held {
		t.Errorf("renewing a lease that was given back = %v, %v", held, err)
	}
}

func leaseRace(t *testing.T, w *world) {
	got := parallel(10, func(i int) bool {
		l, err := w.AcquireLease(w.ctx, "x", fmt.Sprint("node-", i), w.now, lease.TTL)
		return err == nil && l.Held()
	})
	n := 0
	for _, held := range got {
		if held {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of 10 claimers hold the lease, want 1", n)
	}
}

func beginOnce(t *testing.T, w *world) {
	j, l := w.accept(t, w.outbound()), w.lane(t)
	began := parallel(5, func(int) bool {
		ok, err := w.Begin(w.ctx, l, &j, w.now)
		return err == nil && ok
	})
	n := 0
	for _, ok := range began {
		if ok {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d of 5 attempts began, want 1", n)
	}
	jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, 0, 10)
	must(t, err)
	if len(jobs) != 1 || !jobs[0].InDoubt() || jobs[0].Attempts != 1 {
		t.Errorf("after a crash the job is %+v, want it in doubt after 1 attempt", jobs)
	}
}

func lateSettle(t *testing.T, w *world) {
	m := w.outbound()
	j, old := w.accept(t, m), w.lane(t)
	w.begin(t, old, &j)

	// Another node takes over and is on its second attempt.
	newer, err := w.AcquireLease(w.ctx, old.Name, "other", w.now.Add(2*lease.TTL), lease.TTL)
	must(t, err)
	k := j
	w.begin(t, newer, &k)

	if ok, err := w.Finish(w.ctx, &j, message.Accepted, "wamid.late", w.event(m.ID, "wamid.late", "accepted"), w.now); err != nil || ok {
		t.Errorf("a late Finish = %v, %v", ok, err)
	}
	if ok, err := w.Postpone(w.ctx, &j, w.now, false); err != nil || ok {
		t.Errorf("a late Postpone = %v, %v", ok, err)
	}
	if ok, err := w.Begin(w.ctx, old, &j, w.now); err != nil || ok {
		t.Errorf("a late Begin = %v, %v", ok, err)
	}
	// The same node, but an attempt that is not the current one.
	stale := k
	stale.Attempts--
	if ok, err := w.Finish(w.ctx, &stale, message.Failed, "", nil, w.now); err != nil || ok {
		t.Errorf("settling an earlier attempt = %v, %v", ok, err)
	}
	if st := w.state(t, m.ID); st.State != message.Queued || w.queued(t) != 1 || w.published(t) != "" {
		t.Errorf("a late settle left state %s, %d queued, events %q", st.State, w.queued(t), w.published(t))
	}
	later := w.now.Add(time.Minute)
	if ok, err := w.Postpone(w.ctx, &k, later, false); err != nil || !ok {
		t.Fatalf("Postpone = %v, %v", ok, err)
	}
	jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, 0, 10)
	must(t, err)
	if len(jobs) != 1 || jobs[0].InDoubt() || !jobs[0].NotBefore.Equal(later) || jobs[0].Attempts != 2 {
		t.Errorf("postponed job = %+v", jobs)
	}
}

// What an attempt came to is recorded although the lease is another's by now, as long as that one has not begun another attempt.
func outcomeWithoutLease(t *testing.T, w *world) {
	taken, failed := w.outbound(), w.outbound()
	j, l := w.accept(t, taken), w.lane(t)
	w.begin(t, l, &j)
	k := w.accept(t, failed)
	w.begin(t, l, &k)
	_, err := w.AcquireLease(w.ctx, l.Name, "other", w.now.Add(2*lease.TTL), lease.TTL)
	must(t, err)
	if ok, err := w.Finish(w.ctx, &j, message.Accepted, "wamid.1", w.event(taken.ID, "wamid.1", "accepted"), w.now); err != nil || !ok {
		t.Errorf("Finish = %v, %v", ok, err)
	}
	if ok, err := w.Postpone(w.ctx, &k, w.now, false); err != nil || !ok {
		t.Errorf("Postpone = %v, %v", ok, err)
	}
	if st := w.state(t, taken.ID); st.State != message.Accepted {
		t.Errorf("state = %s", st.State)
	}
	if jobs, err := w.Jobs(w.ctx, w.phone.Key, message.Bulk, 0, 10); err != nil || len(jobs) != 1 || jobs[0].InDoubt() {
		t.Errorf("jobs = %+v, %v, want one that is not in doubt", jobs, err)
	}
}

func finish(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	st := w.state(t, m.ID)
	if st.State != message.Accepted || st.WAMID != "wamid.1" || len(st.Timeline) != 1 {
		t.Errorf("state = %+v", st)
	}
	if byWAMID := w.state(t, "wamid.1"); byWAMID.ID != m.ID {
		t.Errorf("look-up by wamid found %q, want %q", byWAMID.ID, m.ID)
	}
	if got, want := w.published(t), "accepted "+m.ID+"\n"; got != want {
		t.Errorf("events = %q, want %q", got, want)
	}
	if n := w.queued(t); n != 0 {
		t.Errorf("%d jobs left", n)
	}

	refused := w.outbound()
	j, l := w.accept(t, refused), w.lane(t)
	w.begin(t, l, &j)
	e := w.event(refused.ID, "", "failed")
	e.Failures = []message.Failure{{Code: 131009, Title: "Parameter value is not valid", Details: "why"}}
	if ok, err := w.Finish(w.ctx, &j, message.Failed, "", e, w.now); err != nil || !ok {
		t.Fatalf("Finish = %v, %v", ok, err)
	}
	st = w.state(t, refused.ID)
	if st.State != message.Failed || len(st.Timeline) != 1 || st.Timeline[0].Failures[0].Details != "why" {
		t.Errorf("a refused message keeps %+v", st)
	}
}
