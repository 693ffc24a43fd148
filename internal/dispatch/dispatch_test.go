package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// scenarios run in virtual time, each on a store of its own.
func TestDispatch(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*rig){
		"a fresh message leaves at once":                 freshLeavesAtOnce,
		"what others stored is found":                    othersAreFound,
		"transient failures are retried with backoff":    transient,
		"an outage ends what waits when it is too late":  longOutage,
		"and so does a pause":                            longPause,
		"retries end after the window":                   exhausted,
		"a refused message fails with its reason":        refused,
		"an unknown outcome waits for proof":             inDoubt,
		"an outcome that stays unknown is dropped":       neverKnown,
		"what is done during a read does not return":     doneDuringRead,
		"nor does what is taken back then":               cancelledDuringRead,
		"a lane that retires leaves nothing behind":      retireAndReturn,
		"proof saves the second try":                     proved,
		"a crash leaves the message in doubt":            crash,
		"proof is waited for while callbacks come in":    unheard,
		"callbacks that came in time may be the proof":   unread,
		"a store without room lets nothing begin":        noRoom,
		"an outcome outlives trouble with the store":     outcomeKept,
		"a lane reads its queue again when told":         reread,
		"reading again waits for what is under way":      rereadInFlight,
		"nothing is lost between two readings":           rereadBeforeBegin,
		"a clock that was set back delays no doubt":      clockSetBack,
		"a recipient's messages keep their order":        order,
		"a long queue for one recipient delays no other": deepRecipient,
		"replies go ahead of bulk":                       replies,
		"replies pass a window full of bulk":             repliesPassFullWindow,
		"waiting for room does not lose the lane":        crowded,
		"nor does trouble lose what waits for room":      roomAndTrouble,
		"what cannot be prepared is dropped in time":     unpreparable,
		"a lane keeps its rate":                          rate,
		"a throttled lane delays nobody else":            throttledLane,
		"a throttled pair delays only the pair":          throttledPair,
		"refused credentials park the lane":              credentials,
		"a long queue passes through a small window":     longQueue,
		"a lost lane is left alone":                      lostLane,
		"stopping lets attempts finish":                  stopping,
		"receipts need no recipient and no event":        receipts,
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
	if n := r.lines.gone.Load(); n > 200 {
		r.t.Errorf("it was tried %d times, each a line in the log", n)
	}
}
