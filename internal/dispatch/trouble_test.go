package dispatch

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// busy is a store that takes its time.
type busy struct {
	Store
	read, release, begin time.Duration
}

func (b busy) Jobs(ctx context.Context, key string, p message.Priority, after int64, limit int) ([]message.Job, error) {
	list, err := b.Store.Jobs(ctx, key, p, after, limit)
	time.Sleep(b.read)
	return list, err
}

func (b busy) Begin(ctx context.Context, l lease.Lease, j *message.Job, now time.Time) (bool, error) {
	time.Sleep(b.begin)
	return b.Store.Begin(ctx, l, j, now)
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

// putOff stores a message whose attempt another process began when its clock was an hour ahead, and put off for a while. The dispatcher
// does not run.
func (r *rig) putOff(delay time.Duration, inDoubt bool) message.Job {
	r.t.Helper()
	r.halt()
	j := r.store("a", "phone", "1", message.Bulk)
	ctx, ahead := context.Background(), time.Now().Add(time.Hour)
	l, err := r.db.AcquireLease(ctx, "lane/phone", "dead", ahead, time.Millisecond)
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.db.Begin(ctx, l, &j, ahead); err != nil || !ok {
		r.t.Fatalf("begin: %v, %v", ok, err)
	}
	j.Attempts++
	if ok, err := r.db.Postpone(ctx, &j, ahead.Add(delay), inDoubt); err != nil || !ok {
		r.t.Fatalf("postpone: %v, %v", ok, err)
	}
	if err := r.db.ReleaseLease(ctx, l); err != nil {
		r.t.Fatal(err)
	}
	return j
}

// A message in doubt from before the clock was set back waits as long as any other.
func clockSetBack(r *rig) {
	j := r.putOff(20*time.Second, true)
	r.restart("new")
	time.Sleep(14 * time.Second)
	r.wantState(j, message.Queued)
	time.Sleep(10 * time.Second)
	r.wantState(j, message.Accepted)
}

// A lane forgets the times it has read when they are not right any more.
func reread(r *rig) {
	j := r.putOff(0, false)
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

// roomAndTrouble has a message wait for a place while the store is out of order for longer than a lease is trusted.
func roomAndTrouble(r *rig) {
	r.slots = 1
	s := r.scarcity()
	r.script(func(j *message.Job) Outcome {
		s.rest.Store(true) // the disk fills up: what WhatsApp answers cannot be recorded, and keeps its place
		return r.take(j)
	})
	var jobs []message.Job
	for i := range laneOwn + 2 {
		jobs = append(jobs, r.accept("a", "phone", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(3 * lease.TTL)
	r.script(nil)
	s.rest.Store(false)
	time.Sleep(time.Minute)
	for _, j := range jobs {
		r.wantState(j, message.Accepted)
	}
}

// rereadInFlight has a lane forget what it knows while attempts are under way, with outcomes that only they know.
func rereadInFlight(r *rig) {
	r.script(func(j *message.Job) Outcome {
		time.Sleep(25 * time.Second) // longer than a doubt waits for proof
		if len(r.log()) == 1 {
			return Outcome{Verdict: Failed}
		}
		return r.take(j)
	})
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(5 * time.Second)
	r.Reread()
	time.Sleep(19 * time.Second)
	if got := r.log(); len(got) != 1 {
		r.t.Errorf("attempts = %v while the first one lasts", got)
	}
	time.Sleep(time.Minute)
	r.wantState(j, message.Accepted)
	if got := r.log(); len(got) != 2 {
		r.t.Errorf("attempts = %v, want two", got)
	}
}

// rereadBeforeBegin has a lane forget what it knows just before an attempt begins.
func rereadBeforeBegin(r *rig) {
	r.through = func(s Store) Store { return busy{Store: s, begin: 20 * time.Millisecond} }
	r.restart("busy")
	fails := 1
	r.script(func(j *message.Job) Outcome {
		if fails--; fails >= 0 {
			return Outcome{Verdict: Failed}
		}
		return r.take(j)
	})
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(10 * time.Millisecond)
	r.Reread()
	for i := range 60 { // the lane never rests, and so never starts anew
		r.accept("next", "phone", fmt.Sprint("2", i), message.Bulk)
		time.Sleep(time.Second)
	}
	r.wantState(j, message.Accepted)
}

// longPause has WhatsApp ask for more time than messages have.
func longPause(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Throttled, Scope: Shared, RetryAfter: 24 * time.Hour, Failure: message.Failure{Code: 80007, Title: "Rate limit issues"}}
	})
	var jobs []message.Job
	for i := range 3 {
		jobs = append(jobs, r.accept("a", "phone", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(179 * time.Minute)
	for _, j := range jobs {
		r.wantState(j, message.Queued)
	}
	time.Sleep(2 * time.Minute)
	for _, j := range jobs {
		r.wantState(j, message.Dropped)
	}
	if e := r.events(); len(e) != 3 || !strings.Contains(string(e[2].Entry), "Rate limit issues") {
		r.t.Errorf("events = %+v", e)
	}
	if got := r.log(); len(got) == 0 || len(got) > len(jobs) { // those that were under way together
		r.t.Errorf("attempts = %v", got)
	}
}

// cancelledDuringRead takes a message back between the reading of the table and the reader's look at it.
func cancelledDuringRead(r *rig) {
	j := r.store("a", "phone", "1", message.Bulk)
	r.halt()
	l, err := r.db.AcquireLease(context.Background(), "lane/phone", "dead", time.Now(), lease.TTL)
	if err != nil {
		r.t.Fatal(err)
	}
	if ok, err := r.db.Begin(context.Background(), l, &j, time.Now()); err != nil || !ok {
		r.t.Fatalf("begin: %v, %v", ok, err)
	}
	j.Attempts++
	if ok, err := r.db.Postpone(context.Background(), &j, time.Now().Add(5*time.Minute), false); err != nil || !ok {
		r.t.Fatalf("postpone: %v, %v", ok, err)
	}
	if err := r.db.ReleaseLease(context.Background(), l); err != nil {
		r.t.Fatal(err)
	}
	r.through = func(s Store) Store { return busy{Store: s, read: 5 * time.Millisecond} }
	r.restart("busy")
	time.Sleep(12 * time.Millisecond) // the bulk messages have been read
	if w, err := r.db.Cancel(context.Background(), j.AccountID, j.ID, time.Now(), func(h event.HandOver) (*event.Event, error) {
		return event.Failed(h, message.Because(message.CodeCancelled, ""), plain{}, "cancelled")
	}); err != nil || !w.Done {
		r.t.Fatalf("cancel: %+v, %v", w, err)
	}
	r.Forget(j.PhoneKey, j.Seq)
	next := r.accept("b", "phone", "1", message.Bulk)
	time.Sleep(time.Minute)
	r.wantState(next, message.Accepted)
}
