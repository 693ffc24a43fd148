package dispatch

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// What a sender can say about when a message leaves, in virtual time.
func TestWhenMessagesLeave(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*rig){
		"a scheduled message leaves at its time":           scheduledOnTime,
		"the window of a scheduled one begins then":        scheduledWindow,
		"scheduled messages need no memory, hold up none":  scheduledIsNoWork,
		"what others scheduled is found":                   scheduledElsewhere,
		"many due at once all leave":                       scheduledMany,
		"a message is not tried past its validity":         validity,
		"validity may be longer than the window":           longValidity,
		"validity ends deep in a queue":                    validityInQueue,
		"what is taken back holds up no others":            takenBack,
		"high priority overtakes everything":               overtaking,
		"a long queue for one recipient keeps out nobody":  longQueueForOne,
		"messages that wait for long keep out nobody else": manyWaiting,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scenario(newRig(t)) })
		})
	}
}

// deepQueue is more than a lane has room for.
const deepQueue = windowMax + windowMax/2 + 100

func scheduledOnTime(r *rig) {
	late := r.accept("late", "phone", "1", message.Bulk, in(40*time.Minute))
	early := r.accept("early", "phone", "2", message.Bulk, in(90*time.Second))
	time.Sleep(90*time.Second - time.Millisecond)
	if got := r.log(); len(got) != 0 {
		r.t.Errorf("left before their time: %v", got)
	}
	time.Sleep(10 * time.Millisecond)
	r.wantState(early, message.Accepted)
	r.wantState(late, message.Queued)
	time.Sleep(time.Hour)
	if diff := cmp.Diff([]string{"early@1m30s", "late@40m0s"}, r.log()); diff != "" {
		r.t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

func scheduledWindow(r *rig) {
	r.script(func(*message.Job) Outcome { return Outcome{Verdict: Failed} })
	j := r.accept("a", "phone", "1", message.Bulk, in(10*time.Minute))
	time.Sleep(10*time.Minute + 179*time.Minute)
	r.wantState(j, message.Queued)
	time.Sleep(2 * time.Minute)
	r.wantState(j, message.Dropped)
}

func scheduledIsNoWork(r *rig) {
	for range 50 {
		r.accept("later", "phone", "1", message.Bulk, in(time.Hour))
	}
	time.Sleep(time.Minute)
	if r.running() {
		r.t.Error("a lane runs for messages that are scheduled for later")
	}
	j := r.accept("now", "phone", "1", message.Bulk)
	synctest.Wait()
	r.wantState(j, message.Accepted)
	l, _ := r.lane("phone")
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.window.len(); n != 0 {
		r.t.Errorf("%d jobs in memory", n)
	}
}

func scheduledElsewhere(r *rig) {
	j := r.store("a", "phone", "1", message.Bulk, in(30*time.Second))
	time.Sleep(20 * time.Second)
	r.restart("another") // as after a crash
	time.Sleep(10*time.Second + 10*time.Millisecond)
	r.wantState(j, message.Accepted)
	soon := r.store("b", "phone", "2", message.Bulk, in(time.Second)) // by a node that died, or does not drive lanes
	time.Sleep(scanEvery + time.Second)
	r.wantState(soon, message.Accepted)
}

func scheduledMany(r *rig) {
	n := releaseSize*2 + 10
	for i := range n {
		r.accept("m", "fast", fmt.Sprint(i), message.Bulk, in(time.Minute))
	}
	time.Sleep(time.Minute + 10*time.Second)
	if got := len(r.log()); got != n {
		r.t.Errorf("%d of %d left", got, n)
	}
}

func validity(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Failed, Failure: message.Failure{Code: 131000, Title: "Something went wrong"}}
	})
	j := r.accept("a", "phone", "1", message.Bulk, until(20*time.Second))
	next := r.accept("b", "phone", "1", message.Bulk)
	time.Sleep(20*time.Second + 2*lease.Renew)
	r.wantState(j, message.Dropped)
	for _, a := range r.log() {
		name, at, _ := strings.Cut(a, "@")
		if d, err := time.ParseDuration(at); err != nil || name == "a" && d >= 20*time.Second {
			r.t.Errorf("tried after %s", at)
		}
	}
	want := []message.Failure{message.Because(message.CodeExpired, "last: Something went wrong")}
	if diff := cmp.Diff(want, r.state(j).Timeline[0].Failures); diff != "" {
		r.t.Errorf("reason (-want +got):\n%s", diff)
	}
	if e := r.events(); len(e) != 1 || e[0].Status != "failed" || e[0].MessageID != j.ID {
		r.t.Errorf("events = %+v", e)
	}
	r.script(nil)
	time.Sleep(time.Minute)
	r.wantState(next, message.Accepted)
}

func longValidity(r *rig) {
	r.script(func(*message.Job) Outcome { return Outcome{Verdict: Failed} })
	j := r.accept("a", "phone", "1", message.Bulk, until(4*time.Hour))
	time.Sleep(200 * time.Minute)
	r.wantState(j, message.Queued)
	r.script(nil)
	time.Sleep(30 * time.Minute)
	r.wantState(j, message.Accepted)
}

// A message that is not valid any more ends although its turn has not come: it is in the table still.
func validityInQueue(r *rig) {
	for i := range deepQueue {
		r.accept("bulk", "phone", fmt.Sprint(i), message.Bulk)
	}
	j := r.accept("a", "phone", "a", message.Bulk, until(5*time.Second))
	time.Sleep(5*time.Second + 2*lease.Renew)
	r.wantState(j, message.Dropped)
	if slices.Contains(names(r.log()), "a") {
		r.t.Error("it was tried")
	}
	time.Sleep(30 * time.Second)
	if n := len(r.log()); n != deepQueue {
		r.t.Errorf("%d of the others left", n)
	}
}

func (r *rig) cancel(j message.Job) message.Withdrawal {
	r.t.Helper()
	got, err := r.db.Cancel(context.Background(), j.AccountID, j.ID, time.Now(), func(h event.HandOver) (*event.Event, error) {
		return event.Failed(h, message.Because(message.CodeCancelled, ""), plain{}, "cancelled "+h.MessageID)
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.Forget(got.PhoneKey, got.Seq)
	return got
}

func takenBack(r *rig) {
	r.script(func(j *message.Job) Outcome {
		if r.name(j) == "stuck" {
			return Outcome{Verdict: Failed, RetryAfter: time.Hour}
		}
		return r.take(j)
	})
	stuck := r.accept("stuck", "phone", "1", message.Bulk)
	next := r.accept("next", "phone", "1", message.Bulk)
	last := r.accept("last", "phone", "1", message.Bulk)
	time.Sleep(time.Minute)
	r.wantState(next, message.Queued)
	if got := r.cancel(last); !got.Done {
		r.t.Errorf("cancel: %+v", got)
	}
	if got := r.cancel(stuck); !got.Done {
		r.t.Errorf("cancel: %+v", got)
	}
	synctest.Wait()
	r.wantState(next, message.Accepted)
	time.Sleep(2 * time.Hour)
	r.wantState(stuck, message.Cancelled)
	r.wantState(last, message.Cancelled)
	if diff := cmp.Diff([]string{"stuck", "next"}, names(r.log())); diff != "" {
		r.t.Errorf("attempts (-want +got):\n%s", diff)
	}
}

func overtaking(r *rig) {
	for i := range deepQueue {
		r.accept("bulk", "phone", fmt.Sprint(i), message.Bulk)
	}
	for i := range 300 {
		r.accept("reply", "phone", fmt.Sprint("r", i), message.Reply)
	}
	before := len(r.log())
	r.accept("code", "phone", fmt.Sprint(deepQueue-1), message.High) // its recipient has another message in the queue
	time.Sleep(time.Second)
	if i := slices.Index(names(r.log())[before:], "code"); i < 0 || i > 2 {
		r.t.Errorf("it left in place %d", i)
	}
}

// Thousands of messages for one recipient, to whom WhatsApp takes one in a while, leave room for everybody else's.
func longQueueForOne(r *rig) {
	n := deepQueue
	r.script(func(j *message.Job) Outcome {
		if j.Recipient == "1" {
			return Outcome{Verdict: Throttled, Scope: Pair}
		}
		return r.take(j)
	})
	var one []message.Job
	for range n {
		one = append(one, r.accept("one", "fast", "1", message.Bulk))
	}
	var others []message.Job
	for i := range 50 {
		others = append(others, r.accept("other", "fast", fmt.Sprint("other ", i), message.Bulk))
	}
	time.Sleep(2 * time.Second)
	for _, j := range others {
		r.wantState(j, message.Accepted)
	}
	l, _ := r.lane("fast")
	l.mu.Lock()
	if n := l.window.len(); n > chainRoom(windowMax) {
		r.t.Errorf("%d jobs of one recipient in memory", n)
	}
	l.mu.Unlock()
	r.script(nil)
	time.Sleep(10 * time.Minute)
	for _, j := range one {
		r.wantState(j, message.Accepted)
	}
	if e := r.events(); len(e) != n+50 || !slices.IsSortedFunc(accepted(e, one), func(a, b int) int { return a - b }) {
		r.t.Errorf("%d events, or not in the order of acceptance", len(e))
	}
}

// accepted lists the places of jobs in the order in which events say that WhatsApp took them.
func accepted(events []event.Delivery, jobs []message.Job) (order []int) {
	place := map[string]int{}
	for i, j := range jobs {
		place[j.ID] = i
	}
	for _, e := range events {
		if i, ok := place[e.MessageID]; ok {
			order = append(order, i)
		}
	}
	return order
}

// As many messages as a lane has room for, each of which has to wait, leave room for those that need not.
func manyWaiting(r *rig) {
	r.script(func(j *message.Job) Outcome {
		if r.name(j) == "waits" {
			return Outcome{Verdict: Throttled, Scope: Pair, RetryAfter: time.Hour}
		}
		return r.take(j)
	})
	for i := range windowMax + windowMax/2 {
		r.accept("waits", "fast", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(10 * time.Second)
	j := r.accept("a", "fast", "a", message.Bulk)
	time.Sleep(time.Second)
	r.wantState(j, message.Accepted)
}
