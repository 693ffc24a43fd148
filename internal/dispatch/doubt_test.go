package dispatch

import (
	"context"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// unanswered accepts a message whose first attempt ends without an answer; the next one would get through.
func (r *rig) unanswered() message.Job {
	first := true
	r.script(func(j *message.Job) Outcome {
		if first {
			first = false
			return Outcome{Verdict: Unknown}
		}
		return r.take(j)
	})
	return r.accept("a", "phone", "1", message.Bulk)
}

func inDoubt(r *rig) {
	j := r.unanswered()
	time.Sleep(14 * time.Second)
	if n := len(r.log()); n != 1 {
		r.t.Errorf("%d attempts before the wait was over", n)
	}
	time.Sleep(2 * time.Second)
	r.wantState(j, message.Accepted)
}

func neverKnown(r *rig) {
	r.script(func(*message.Job) Outcome { return Outcome{Verdict: Unknown} })
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(200 * time.Minute)
	r.wantState(j, message.Dropped)
	n := len(r.log())
	if n > 60 {
		r.t.Errorf("%d attempts, each of which may have sent the message", n)
	}
	time.Sleep(time.Hour)
	if more := len(r.log()); more != n {
		r.t.Errorf("%d attempts after it was dropped", more-n)
	}
}

func proved(r *rig) {
	r.script(func(*message.Job) Outcome { return Outcome{Verdict: Unknown} })
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(10 * time.Second)
	r.status(j, "wamid.proof", "sent")
	time.Sleep(time.Hour)
	r.wantState(j, message.Sent)
	if got := r.log(); len(got) != 1 {
		r.t.Errorf("attempts = %v, want the first only", got)
	}
}

// status applies a status webhook that carries our id as opaque data.
func (r *rig) status(j message.Job, wamid, status string) {
	r.t.Helper()
	ctx := context.Background()
	if err := r.db.Receive(ctx, []byte("x"), time.Now()); err != nil {
		r.t.Fatal(err)
	}
	hooks, err := r.db.Webhooks(ctx, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	c := event.Change{Kind: event.StatusChange, WABAMetaID: "12", PhoneMetaID: "11", Field: "messages", WAMID: wamid, Opaque: j.ID, Status: status,
		At: time.Now(), EventID: wamid + status, Entry: []byte("{}")}
	if _, err := r.db.Apply(ctx, []event.Understood{{Webhook: hooks[0], Changes: []event.Change{c}}}, time.Now(),
		func(h event.HandOver) (*event.Event, error) { return event.Accepted(h, plain{}, "id") }); err != nil {
		r.t.Fatal(err)
	}
}

func crash(r *rig) {
	r.halt()
	j := r.store("a", "phone", "1", message.Bulk)
	next := r.store("b", "phone", "1", message.Bulk)
	// The process that died had begun an attempt.
	l, err := r.db.AcquireLease(context.Background(), "lane/phone", "dead", time.Now(), time.Millisecond)
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.db.Begin(context.Background(), l, &j, time.Now()); err != nil || !ok {
		r.t.Fatalf("begin: %v, %v", ok, err)
	}
	time.Sleep(time.Hour) // a long outage
	r.start = time.Now()
	r.restart("new")
	time.Sleep(14 * time.Second)
	if got := r.log(); len(got) != 0 {
		r.t.Errorf("attempts while in doubt: %v", got)
	}
	time.Sleep(5 * time.Second)
	r.wantState(j, message.Accepted)
	r.wantState(next, message.Accepted)
	if got := r.log(); len(got) != 2 || !strings.HasPrefix(got[0], "a@") {
		r.t.Errorf("attempts = %v", got)
	}
}

// What is in doubt is not tried again before callbacks have been taken for the whole wait: the proof may be among those that
// Meta has to repeat.
func unheard(r *rig) {
	refusedUntil := r.start.Add(time.Minute)
	r.hearing = func() time.Time { return refusedUntil }
	r.restart("node")
	j := r.unanswered()
	time.Sleep(74 * time.Second)
	if n := len(r.log()); n != 1 {
		r.t.Errorf("%d attempts although callbacks had been refused", n)
	}
	time.Sleep(2 * time.Second)
	r.wantState(j, message.Accepted)
}

func unread(r *rig) {
	r.script(func(*message.Job) Outcome { return Outcome{Verdict: Unknown} })
	r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(10 * time.Second)
	if err := r.db.Receive(context.Background(), []byte("nobody has looked at it yet"), time.Now()); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(time.Hour)
	if n := len(r.log()); n != 1 {
		r.t.Errorf("%d attempts with a callback unread that came in time", n)
	}
	hooks, err := r.db.Webhooks(context.Background(), 1)
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.db.Reject(context.Background(), hooks[0], "it proves nothing"); err != nil {
		r.t.Fatal(err)
	}
	time.Sleep(2 * time.Second)
	if n := len(r.log()); n != 2 {
		r.t.Errorf("%d attempts after the last callback was read, want 2", n)
	}
}
