package dispatch

import (
	"fmt"
	"slices"
	"strings"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

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

// deepRecipient has one message behind thousands for a recipient who may not be written to now.
func deepRecipient(r *rig) {
	r.halt()
	for range 3000 {
		r.store("many", "phone", "1", message.Bulk)
	}
	other := r.store("other", "phone", "2", message.Bulk)
	r.script(func(j *message.Job) Outcome {
		if j.Recipient == "1" {
			return Outcome{Verdict: Throttled, Scope: Pair}
		}
		return r.take(j)
	})
	r.restart("new")
	time.Sleep(2 * time.Second)
	r.wantState(other, message.Accepted)
	late := r.accept("late", "phone", "3", message.Bulk)
	time.Sleep(2 * time.Second)
	r.wantState(late, message.Accepted)
}
