package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// scenarios run in virtual time, each on a store of its own.
func TestDispatch(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*rig){
		"a fresh message leaves at once":                freshLeavesAtOnce,
		"what others stored is found":                   othersAreFound,
		"transient failures are retried with backoff":   transient,
		"an outage ends what waits when it is too late": longOutage,
		"retries end after the window":                  exhausted,
		"a refused message fails with its reason":       refused,
		"an unknown outcome waits for proof":            inDoubt,
		"an outcome that stays unknown is dropped":      neverKnown,
		"what is done during a read does not return":    doneDuringRead,
		"a lane that retires leaves nothing behind":     retireAndReturn,
		"proof saves the second try":                    proved,
		"a crash leaves the message in doubt":           crash,
		"proof is waited for while callbacks come in":   unheard,
		"callbacks that came in time may be the proof":  unread,
		"a store without room lets nothing begin":       noRoom,
		"an outcome outlives trouble with the store":    outcomeKept,
		"a lane reads its queue again when told":        reread,
		"a clock that was set back delays no doubt":     clockSetBack,
		"a recipient's messages keep their order":       order,
		"replies go ahead of bulk":                      replies,
		"replies pass a window full of bulk":            repliesPassFullWindow,
		"waiting for room does not lose the lane":       crowded,
		"what cannot be prepared is dropped in time":    unpreparable,
		"a lane keeps its rate":                         rate,
		"a throttled lane delays nobody else":           throttledLane,
		"a throttled pair delays only the pair":         throttledPair,
		"refused credentials park the lane":             credentials,
		"a long queue passes through a small window":    longQueue,
		"a lost lane is left alone":                     lostLane,
		"stopping lets attempts finish":                 stopping,
		"receipts need no recipient and no event":       receipts,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scenario(newRig(t)) })
		})
	}
}

func freshLeavesAtOnce(r *rig) {
	time.Sleep(time.Minute) // long after the start, and between two scans
	begin := time.Now()
	j := r.accept("a", "phone", "1", message.Bulk)
	synctest.Wait()
	if waited := time.Since(begin); waited > 5*time.Millisecond {
		r.t.Errorf("left after %v", waited)
	}
	r.wantState(j, message.Accepted)
	if e := r.events(); len(e) != 1 || e[0].Status != "accepted" || e[0].MessageID != j.ID || e[0].WAMID != "wamid.1" ||
		!strings.Contains(string(e[0].Entry), `"status":"accepted"`) {
		r.t.Errorf("events = %+v", e)
	}
	// A lane that has become idle and was forgotten starts again.
	time.Sleep(time.Minute)
	second := r.accept("b", "phone", "1", message.Bulk)
	synctest.Wait()
	r.wantState(second, message.Accepted)
}

func othersAreFound(r *rig) {
	time.Sleep(time.Minute)
	a := r.store("a", "phone", "1", message.Bulk)
	b := r.store("b", "other", "1", message.Reply)
	time.Sleep(scanEvery + time.Second)
	r.wantState(a, message.Accepted)
	r.wantState(b, message.Accepted)
}

func transient(r *rig) {
	fails := 4
	r.script(func(j *message.Job) Outcome {
		if fails--; fails >= 0 {
			return Outcome{Verdict: Failed}
		}
		return r.take(j)
	})
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(time.Minute)
	r.wantState(j, message.Accepted)
	var at []time.Duration
	for _, a := range r.log() {
		d, _ := time.ParseDuration(strings.TrimPrefix(a, "a@"))
		at = append(at, d)
	}
	if len(at) != 5 {
		r.t.Fatalf("%d attempts: %v", len(at), at)
	}
	for i, base := range []time.Duration{1, 2, 4, 8} {
		gap := at[i+1] - at[i]
		if gap < base*time.Second/2 || gap > base*time.Second+100*time.Millisecond {
			r.t.Errorf("gap %d = %v, want between %v and %v", i, gap, base*time.Second/2, base*time.Second)
		}
	}
}

func exhausted(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Failed, Failure: message.Failure{Code: 131000, Title: "Something went wrong"}}
	})
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(179 * time.Minute)
	r.wantState(j, message.Queued)
	time.Sleep(2 * time.Minute)
	r.wantState(j, message.Dropped)
	log := r.log()
	// A lane on which nothing gets through may pause for some seconds just then.
	if last, err := time.ParseDuration(strings.TrimPrefix(log[len(log)-1], "a@")); err != nil || last < 3*time.Hour || last > 3*time.Hour+pauseUnreached.Max {
		r.t.Errorf("last attempt after %v, want one at the end of the window", last)
	}
	e := r.events()
	if len(e) != 1 || e[0].Status != "failed" || !strings.Contains(string(e[0].Entry), retriesExhausted) ||
		!strings.Contains(string(e[0].Entry), "Something went wrong") {
		r.t.Errorf("events = %+v", e)
	}
	time.Sleep(time.Hour)
	if got := r.log(); len(got) != len(log) {
		r.t.Errorf("tried again after it was dropped: %v", got[len(log):])
	}
}

// When an outage outlasts the window, everything that has waited for it ends about then, and not one attempt at a time.
func longOutage(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Failed, Failure: message.Failure{Code: 2, Title: "API service"}}
	})
	var jobs []message.Job
	for i := range 300 {
		jobs = append(jobs, r.accept("a", "phone", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(181 * time.Minute)
	for _, j := range jobs {
		r.wantState(j, message.Dropped)
	}
	for _, e := range r.events() {
		if e.Status != "failed" || !strings.Contains(string(e.Entry), "API service") {
			r.t.Fatalf("event %s %s does not say why", e.Status, e.Entry)
		}
	}
	if n := len(r.events()); n != len(jobs) {
		r.t.Errorf("%d events about %d messages", n, len(jobs))
	}
	// What comes now is tried as before.
	r.script(nil)
	late := r.accept("b", "phone", "1", message.Bulk)
	time.Sleep(time.Minute)
	r.wantState(late, message.Accepted)
}

func refused(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Refused, Failure: message.Failure{Code: 131009, Title: "Parameter value is not valid", Details: "no such thing"}}
	})
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(time.Minute)
	st := r.state(j)
	if st.State != message.Failed || len(r.log()) != 1 {
		r.t.Errorf("state %s after %v", st.State, r.log())
	}
	want := []message.Failure{{Code: 131009, Title: "Parameter value is not valid", Details: "no such thing"}}
	if diff := cmp.Diff(want, st.Timeline[0].Failures); diff != "" {
		r.t.Errorf("reason (-want +got):\n%s", diff)
	}
}

func inDoubt(r *rig) {
	first := true
	r.script(func(j *message.Job) Outcome {
		if first {
			first = false
			return Outcome{Verdict: Unknown}
		}
		return r.take(j)
	})
	j := r.accept("a", "phone", "1", message.Bulk)
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

// busy is a store that takes its time.
type busy struct {
	Store
	read, release time.Duration
}

func (b busy) Jobs(ctx context.Context, key string, p message.Priority, after int64, limit int) ([]message.Job, error) {
	list, err := b.Store.Jobs(ctx, key, p, after, limit)
	time.Sleep(b.read)
	return list, err
}

func (b busy) ReleaseLease(ctx context.Context, l lease.Lease) error {
	time.Sleep(b.release)
	return b.Store.ReleaseLease(ctx, l)
}

// doneDuringRead finishes a message between the reading of the table and the reader's look at it.
func doneDuringRead(r *rig) {
	r.through = func(s Store) Store { return busy{Store: s, read: 5 * time.Millisecond} }
	r.restart("busy")
	r.accept("warm", "phone", "9", message.Bulk)
	time.Sleep(time.Second)
	r.script(func(j *message.Job) Outcome {
		time.Sleep(8 * time.Millisecond) // while the replies have been read and the bulk messages are
		return r.take(j)
	})
	r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(time.Millisecond) // it is on its way
	l, _ := r.lane("phone")
	l.poke()
	time.Sleep(100 * time.Millisecond)
	begin := time.Now()
	next := r.accept("b", "phone", "1", message.Bulk)
	time.Sleep(time.Second)
	r.wantState(next, message.Accepted)
	if waited := time.Since(begin); waited > 2*time.Second {
		r.t.Errorf("waited %v behind a message that was done", waited)
	}
}

// retireAndReturn has messages come while an idle lane gives its lease back.
func retireAndReturn(r *rig) {
	r.through = func(s Store) Store { return busy{Store: s, release: 5 * time.Millisecond} }
	r.restart("busy")
	r.accept("first", "phone", "1", message.Bulk)
	time.Sleep(time.Second)
	for r.running() {
		time.Sleep(time.Millisecond)
	}
	r.script(func(j *message.Job) Outcome {
		time.Sleep(4 * time.Second)
		return r.take(j)
	})
	for i := range 60 {
		r.accept("next", "phone", fmt.Sprint(i), message.Bulk)
		time.Sleep(100 * time.Millisecond)
	}
	time.Sleep(time.Minute)
	if n := len(r.log()); n != 61 {
		r.t.Errorf("%d attempts for 61 messages", n)
	}
}

// running reports whether there is a lane.
func (r *rig) running() bool {
	r.Dispatcher.mu.Lock()
	defer r.Dispatcher.mu.Unlock()
	return len(r.lanes) > 0
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
	j := r.store("a", "phone", "1", message.Bulk)
	next := r.store("b", "phone", "1", message.Bulk)
	r.halt()
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
	first := true
	r.script(func(j *message.Job) Outcome {
		if first {
			first = false
			return Outcome{Verdict: Unknown}
		}
		return r.take(j)
	})
	j := r.accept("a", "phone", "1", message.Bulk)
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

// scarce is a store that cannot do everything, like one whose disk is full.
type scarce struct {
	Store
	begin, rest *atomic.Bool // whether they fail
	refusals    *atomic.Int64
}

func (s scarce) full(is *atomic.Bool) error {
	if is.Load() {
		s.refusals.Add(1)
		return fault.New(fault.Unavailable, "storage is full")
	}
	return nil
}

func (s scarce) Begin(ctx context.Context, l lease.Lease, j *message.Job, now time.Time) (bool, error) {
	if err := s.full(s.begin); err != nil {
		return false, err
	}
	return s.Store.Begin(ctx, l, j, now)
}

func (s scarce) Finish(ctx context.Context, j *message.Job, st message.State, wamid string, e *event.Event, now time.Time) (bool, error) {
	if err := s.full(s.rest); err != nil {
		return false, err
	}
	return s.Store.Finish(ctx, j, st, wamid, e, now)
}

func (s scarce) AcquireLease(ctx context.Context, name, owner string, now time.Time, ttl time.Duration) (lease.Lease, error) {
	if err := s.full(s.rest); err != nil {
		return lease.Lease{}, err
	}
	return s.Store.AcquireLease(ctx, name, owner, now, ttl)
}

func (s scarce) RenewLease(ctx context.Context, l lease.Lease, now time.Time, ttl time.Duration) (bool, error) {
	if err := s.full(s.rest); err != nil {
		return false, err
	}
	return s.Store.RenewLease(ctx, l, now, ttl)
}

// scarcity puts a scarce store under the dispatcher.
func (r *rig) scarcity() scarce {
	s := scarce{begin: new(atomic.Bool), rest: new(atomic.Bool), refusals: new(atomic.Int64)}
	r.through = func(store Store) Store {
		s.Store = store
		return s
	}
	r.restart("node")
	return s
}

func noRoom(r *rig) {
	s := r.scarcity()
	s.begin.Store(true)
	var jobs []message.Job
	for i := range 200 {
		jobs = append(jobs, r.accept("a", "fast", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(10 * time.Second)
	if n := len(r.log()); n != 0 {
		r.t.Errorf("%d hand-overs began", n)
	}
	if n := s.refusals.Load(); n > 10*(laneMax+1) {
		r.t.Errorf("the store was asked %d times in ten seconds", n)
	}
	s.begin.Store(false)
	time.Sleep(3 * time.Second)
	for _, j := range jobs {
		r.wantState(j, message.Accepted)
	}
}

// What WhatsApp answered is recorded when the store works again, although the lease has been lost meanwhile; nothing is sent
// twice.
func outcomeKept(r *rig) {
	s := r.scarcity()
	r.script(func(j *message.Job) Outcome {
		s.rest.Store(true) // the disk fills up while WhatsApp takes the message
		return r.take(j)
	})
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(3 * lease.TTL)
	r.wantState(j, message.Queued)
	s.rest.Store(false)
	time.Sleep(5 * time.Second)
	r.wantState(j, message.Accepted)
	time.Sleep(time.Minute)
	if got := r.log(); len(got) != 1 {
		r.t.Errorf("attempts = %v, want one", got)
	}
}

// A message in doubt from before the clock was set back waits as long as any other.
func clockSetBack(r *rig) {
	j := r.store("a", "phone", "1", message.Bulk)
	r.halt()
	ahead := time.Now().Add(time.Hour)
	l, err := r.db.AcquireLease(context.Background(), "lane/phone", "dead", ahead, time.Millisecond)
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.db.Begin(context.Background(), l, &j, ahead); err != nil || !ok {
		r.t.Fatalf("begin: %v, %v", ok, err)
	}
	j.Attempts++
	if ok, err := r.db.Postpone(context.Background(), &j, ahead.Add(20*time.Second), true); err != nil || !ok {
		r.t.Fatalf("postpone: %v, %v", ok, err)
	}
	if err := r.db.ReleaseLease(context.Background(), l); err != nil {
		r.t.Fatal(err)
	}
	r.restart("new")
	time.Sleep(14 * time.Second)
	r.wantState(j, message.Queued)
	time.Sleep(10 * time.Second)
	r.wantState(j, message.Accepted)
}

// A lane forgets the times it has read when they are not right any more.
func reread(r *rig) {
	j := r.store("a", "phone", "1", message.Bulk)
	r.halt()
	ahead := time.Now().Add(time.Hour)
	l, err := r.db.AcquireLease(context.Background(), "lane/phone", "dead", ahead, time.Millisecond)
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.db.Begin(context.Background(), l, &j, ahead); err != nil || !ok {
		r.t.Fatalf("begin: %v, %v", ok, err)
	}
	j.Attempts++
	if ok, err := r.db.Postpone(context.Background(), &j, ahead, false); err != nil || !ok {
		r.t.Fatalf("postpone: %v, %v", ok, err)
	}
	if err := r.db.ReleaseLease(context.Background(), l); err != nil {
		r.t.Fatal(err)
	}
	r.restart("new")
	time.Sleep(time.Minute)
	r.wantState(j, message.Queued) // it is not due
	if more, err := r.db.SetBack(context.Background(), time.Now()); err != nil || more {
		r.t.Fatal(more, err)
	}
	r.Reread()
	time.Sleep(time.Second)
	r.wantState(j, message.Accepted)
}

func order(r *rig) {
	failed := false
	r.script(func(j *message.Job) Outcome {
		if r.name(j) == "a1" && !failed {
			failed = true
			return Outcome{Verdict: Failed}
		}
		return r.take(j)
	})
	for _, m := range []struct{ name, to string }{{"a1", "1"}, {"b1", "2"}, {"a2", "1"}, {"b2", "2"}, {"a3", "1"}} {
		r.accept(m.name, "phone", m.to, message.Bulk)
	}
	synctest.Wait()
	time.Sleep(100 * time.Millisecond)
	early := names(r.log())
	slices.Sort(early)
	if diff := cmp.Diff([]string{"a1", "b1", "b2"}, early); diff != "" {
		r.t.Errorf("while a1 waits (-want +got):\n%s", diff)
	}
	time.Sleep(time.Minute)
	var got []string
	for _, n := range names(r.log()) {
		if strings.HasPrefix(n, "a") {
			got = append(got, n)
		}
	}
	if diff := cmp.Diff([]string{"a1", "a1", "a2", "a3"}, got); diff != "" {
		r.t.Errorf("recipient 1 (-want +got):\n%s", diff)
	}
}

func names(log []string) []string {
	out := make([]string, len(log))
	for i, a := range log {
		out[i], _, _ = strings.Cut(a, "@")
	}
	return out
}

func replies(r *rig) {
	const bulk = 400
	for i := range bulk {
		r.accept("bulk", "phone", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(2 * time.Second) // by then the lane has learned the number's rate and made up for what left too fast before
	before := len(r.log())
	r.accept("reply", "phone", "reply", message.Reply)
	time.Sleep(100 * time.Millisecond)
	after := names(r.log())[before:]
	if i := slices.Index(after, "reply"); i < 0 || i > 1 {
		r.t.Errorf("the reply left behind %d bulk messages of %d: %v", i, bulk-before, after)
	}
}

func rate(r *rig) {
	for i := range 400 {
		r.accept("m", "phone", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(4 * time.Second)
	if n := len(r.log()); n < 320 || n > 332 {
		r.t.Errorf("%d messages in 4 seconds, want 80 a second", n)
	}
	time.Sleep(time.Minute)
	if n := len(r.log()); n != 400 {
		r.t.Errorf("%d messages in the end", n)
	}
}

func throttledLane(r *rig) {
	r.script(func(j *message.Job) Outcome {
		if j.PhoneKey == "phone" {
			return Outcome{Verdict: Throttled, Scope: Number}
		}
		return r.take(j)
	})
	var other []message.Job
	for i := range 50 {
		r.accept("throttled", "phone", fmt.Sprint(i), message.Bulk)
		other = append(other, r.accept("fine", "fast", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(time.Second)
	for _, j := range other {
		r.wantState(j, message.Accepted)
	}
	throttled := 0
	for _, n := range names(r.log()) {
		if n == "throttled" {
			throttled++
		}
	}
	if throttled > 40 {
		r.t.Errorf("%d attempts in a second on a throttled lane", throttled)
	}
	r.script(nil)
	time.Sleep(2 * time.Minute)
	for _, e := range r.events() {
		if e.Status != "accepted" {
			r.t.Errorf("event %s", e.Status)
		}
	}
	if n := len(r.events()); n != 100 {
		r.t.Errorf("%d messages accepted in the end, want 100", n)
	}
}

func throttledPair(r *rig) {
	r.script(func(j *message.Job) Outcome {
		if j.Recipient == "1" && j.Attempts < 3 {
			return Outcome{Verdict: Throttled, Scope: Pair}
		}
		return r.take(j)
	})
	a := r.accept("a", "phone", "1", message.Bulk)
	b := r.accept("b", "phone", "2", message.Bulk)
	synctest.Wait()
	r.wantState(b, message.Accepted)
	time.Sleep(4 * time.Second)
	r.wantState(a, message.Queued) // 1 s, then 4 s
	time.Sleep(2 * time.Second)
	r.wantState(a, message.Accepted)
}

func credentials(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Credentials, Failure: message.Failure{Code: 190, Title: "Access token expired"}}
	})
	var jobs []message.Job
	for i := range 20 {
		jobs = append(jobs, r.accept("m", "phone", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(30 * time.Minute)
	if n := len(r.log()); n > 80 {
		r.t.Errorf("%d attempts with a token that does not work", n)
	}
	r.script(nil)
	time.Sleep(2 * time.Minute)
	for _, j := range jobs {
		r.wantState(j, message.Accepted)
	}
}

func longQueue(r *rig) {
	n := windowMax + load(windowMax) + 100
	r.halt()
	for i := range n {
		r.store("m", "fast", fmt.Sprint(i), message.Bulk)
	}
	r.restart("new")
	high := 0
	for range 100 {
		time.Sleep(100 * time.Millisecond)
		r.Dispatcher.mu.Lock()
		if l := r.Dispatcher.lanes["fast"]; l != nil {
			l.mu.Lock()
			high = max(high, l.window.len())
			l.mu.Unlock()
		}
		r.Dispatcher.mu.Unlock()
	}
	if high > windowMax+load(windowMax) {
		r.t.Errorf("%d jobs in memory", high)
	}
	if got := len(r.log()); got != n {
		r.t.Errorf("%d attempts, want %d", got, n)
	}
}

func lostLane(r *rig) {
	a := r.accept("a", "phone", "1", message.Bulk)
	synctest.Wait()
	r.wantState(a, message.Accepted)
	// Another node has taken the lane while this one was not looking.
	if _, err := r.db.AcquireLease(context.Background(), "lane/phone", "other", time.Now().Add(time.Hour), 2*time.Hour); err != nil {
		r.t.Fatal(err)
	}
	b := r.accept("b", "phone", "1", message.Bulk)
	time.Sleep(time.Minute)
	r.wantState(b, message.Queued)
	if got := names(r.log()); len(got) != 1 {
		r.t.Errorf("attempts = %v, want none after the lane was lost", got)
	}
}

func stopping(r *rig) {
	r.script(func(j *message.Job) Outcome {
		time.Sleep(3 * time.Second)
		return r.take(j)
	})
	a := r.accept("a", "phone", "1", message.Bulk)
	b := r.accept("b", "phone", "1", message.Bulk)
	time.Sleep(time.Second)
	r.halt()
	r.wantState(a, message.Accepted)
	r.wantState(b, message.Queued)
}

func receipts(r *rig) {
	j := r.store("receipt", "phone", "", message.Reply)
	r.script(func(*message.Job) Outcome { return Outcome{Verdict: Taken} })
	j.Kind = message.KindRead
	r.Offer(j)
	synctest.Wait()
	time.Sleep(time.Second)
	r.wantState(j, message.Accepted)
	if e := r.events(); len(e) > 0 && e[0].WAMID != "" {
		r.t.Errorf("events = %+v", e)
	}
}

// A queue much longer than the window must not keep a reply in the table.
func repliesPassFullWindow(r *rig) {
	for i := range windowMax + 2*load(windowMax) {
		r.accept("bulk", "phone", fmt.Sprint(i), message.Bulk)
	}
	before := len(r.log())
	r.accept("reply", "phone", "reply", message.Reply)
	time.Sleep(time.Second)
	if i := slices.Index(names(r.log())[before:], "reply"); i < 0 || i > 2 {
		r.t.Errorf("the reply left in place %d", i)
	}
}

// While every place for attempts is taken, a lane that waits for one keeps its lease: what comes of its attempt is recorded.
func crowded(r *rig) {
	r.slots = 1
	r.restart("crowded")
	r.script(func(j *message.Job) Outcome {
		if j.PhoneKey == "fast slow" {
			time.Sleep(3 * lease.TTL)
		}
		return r.take(j)
	})
	var slow []message.Job
	for i := range laneOwn + 2 { // the last one waits for a place
		slow = append(slow, r.accept("slow", "fast slow", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(time.Second)
	if n := len(r.log()); n != laneOwn+1 {
		r.t.Errorf("%d attempts at once with %d places", n, laneOwn+1)
	}
	begin := time.Now()
	j := r.accept("a", "phone", "1", message.Bulk)
	synctest.Wait()
	r.wantState(j, message.Accepted) // numbers that hang leave room for others
	if waited := time.Since(begin); waited > time.Second {
		r.t.Errorf("another number waited %v", waited)
	}
	time.Sleep(6*lease.TTL + time.Second)
	for _, j := range slow {
		r.wantState(j, message.Accepted)
	}
	if n := len(r.log()); n != laneOwn+3 {
		r.t.Errorf("%d attempts, want one each", n)
	}
}

// A message whose number is gone is not tried for ever: it ends like any other that could not be sent in time, with its event.
func unpreparable(r *rig) {
	j := r.accept("a", "gone", "1", message.Bulk)
	time.Sleep(179 * time.Minute)
	r.wantState(j, message.Queued)
	time.Sleep(2 * time.Minute)
	r.wantState(j, message.Dropped)
	if e := r.events(); len(e) != 1 || e[0].Status != "failed" || e[0].MessageID != j.ID {
		r.t.Errorf("events = %+v, want one about the failure", e)
	}
	if got := r.log(); len(got) != 0 {
		r.t.Errorf("attempts = %v", got)
	}
}
