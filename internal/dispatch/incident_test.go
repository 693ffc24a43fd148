package dispatch

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// What a lane does while WhatsApp takes none of its messages, in virtual time.
func TestBlockedLanes(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*rig){
		"a locked hour loses nothing":                     lockedHour,
		"an account's other numbers wait with it":         othersWait,
		"a number's block is its own":                     ownBlock,
		"what waits too long ends with the reason":        blockedTooLong,
		"replies go on while campaigns may not":           repliesGoOn,
		"a message that is wrong does not prolong it":     wrongOnes,
		"a replaced token is used at once":                tokenReplaced,
		"a token replaced by another process is noticed":  tokenReplacedElsewhere,
		"a restart remembers and tells nobody again":      blockSurvives,
		"a stop after it is over tells so":                blockEndsWithStop,
		"an older success does not end it":                olderSuccess,
		"maintenance pauses the lane and tells nobody":    maintenance,
		"what comes and goes is one incident":             comesAndGoes,
		"an account that works again wakes all its lanes": allWake,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scenario(newRig(t)) })
		})
	}
}

var (
	locked  = Outcome{Verdict: Blocked, Scope: Shared, Failure: message.Failure{Code: 131031, Title: "Account has been locked"}}
	flagged = Outcome{Verdict: Blocked, Scope: Number, Failure: message.Failure{Code: 131048, Title: "Spam rate limit hit"}}
	expiry  = Outcome{Verdict: Credentials, Scope: Shared, Failure: message.Failure{Code: 190, Title: "Access token has expired"}}
)

// alerts lists the alerts as "state kind reason".
func (r *rig) alerts() (list []string) {
	r.t.Helper()
	for _, e := range r.events() {
		if e.Field != event.AlertField {
			continue
		}
		kind, entry := "", string(e.Entry)
		for _, k := range []event.AlertKind{event.TokenRejected, event.AccountBlocked, event.NumberBlocked} {
			if strings.Contains(entry, `"alert":"`+string(k)+`"`) {
				kind = string(k)
			}
		}
		_, reason, _ := strings.Cut(entry, `"reason":"`)
		reason, _, _ = strings.Cut(reason, `"`)
		list = append(list, e.Status+" "+kind+" "+reason)
	}
	return list
}

func (r *rig) wantAlerts(want ...string) {
	r.t.Helper()
	if diff := cmp.Diff(want, r.alerts()); diff != "" {
		r.t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

func (r *rig) wantBlocked(c message.Cause, lanes int) {
	r.t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.blocked[c] != lanes {
		r.t.Errorf("%d lanes are blocked because of the %s, want %d", r.blocked[c], c, lanes)
	}
}

// attemptsOf counts attempts by name.
func (r *rig) attemptsOf(name string) (n int) {
	for _, a := range names(r.log()) {
		if a == name {
			n++
		}
	}
	return n
}

const (
	lockedRaised  = "raised account_blocked Account has been locked (131031)"
	lockedCleared = "cleared account_blocked Account has been locked (131031)"
	tokenRaised   = "raised access_token_rejected Access token has expired (190)"
	tokenCleared  = "cleared access_token_rejected Access token has expired (190)"
)

// blockEndsWithStop stops the node after messages have passed: nobody else knows that they have.
func blockEndsWithStop(r *rig) {
	r.script(func(*message.Job) Outcome { return locked })
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(time.Second)
	r.script(nil)
	time.Sleep(8 * time.Second)
	r.wantState(j, message.Accepted)
	r.halt()
	if b, blocked, err := r.db.Blocked(context.Background(), "phone"); err != nil || blocked {
		r.t.Errorf("blocked by %+v, %v", b, err)
	}
	r.wantAlerts(lockedRaised, lockedCleared)
}

func lockedHour(r *rig) {
	r.script(func(*message.Job) Outcome { return locked })
	var jobs []message.Job
	for i := range 300 {
		jobs = append(jobs, r.accept("m", "phone", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(time.Second)
	if n := len(r.log()); n > laneMax {
		r.t.Errorf("%d attempts in the first second", n)
	}
	before := len(r.log())
	time.Sleep(time.Hour)
	if n := len(r.log()) - before; n < 10 || n > 25 {
		r.t.Errorf("%d attempts in an hour, want one in a while", n)
	}
	r.wantAlerts(lockedRaised)
	r.wantBlocked(message.AccountBlocked, 1)
	r.script(nil)
	time.Sleep(probeAfter[message.AccountBlocked].Max + 10*time.Second)
	for _, j := range jobs {
		r.wantState(j, message.Accepted)
	}
	r.wantAlerts(lockedRaised, lockedCleared)
	r.wantBlocked(message.AccountBlocked, 0)
}

func othersWait(r *rig) {
	r.accept("warm", "other", "1", message.Bulk) // so that it is known whose number it is
	r.accept("warm", "foreign", "1", message.Bulk)
	synctest.Wait()
	r.script(func(j *message.Job) Outcome {
		if strings.HasPrefix(j.PhoneKey, "foreign") {
			return r.take(j)
		}
		return locked
	})
	r.accept("first", "phone", "1", message.Bulk)
	time.Sleep(time.Second)
	for i := range 200 {
		r.accept("other", "other", fmt.Sprint(i), message.Bulk)
		r.accept("foreign", "foreign", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(probeAfter[message.AccountBlocked].Min - 2*time.Second)
	if n := r.attemptsOf("other"); n != 0 {
		r.t.Errorf("%d attempts by another number of the blocked account", n)
	}
	if n := r.attemptsOf("foreign"); n != 200 {
		r.t.Errorf("%d attempts of 200 by a number of another account", n)
	}
	time.Sleep(10 * time.Minute)
	if n := r.attemptsOf("other"); n < 5 || n > 15 {
		r.t.Errorf("%d attempts by it in ten minutes", n)
	}
	r.wantAlerts(lockedRaised)
	r.wantBlocked(message.AccountBlocked, 2)
}

func ownBlock(r *rig) {
	r.accept("warm", "other", "1", message.Bulk)
	r.script(func(j *message.Job) Outcome {
		if j.PhoneKey == "phone" {
			return flagged
		}
		return r.take(j)
	})
	r.accept("first", "phone", "1", message.Bulk)
	time.Sleep(time.Second)
	for i := range 50 {
		r.accept("other", "other", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(time.Second)
	if n := r.attemptsOf("other"); n != 50 {
		r.t.Errorf("%d of 50 left", n)
	}
	r.wantAlerts("raised number_blocked Spam rate limit hit (131048)")
	if e := r.events(); !strings.Contains(string(e[1].Entry), `"phone_number_id":"11"`) && !strings.Contains(string(e[2].Entry), `"phone_number_id":"11"`) {
		r.t.Error("the alert does not name the number")
	}
}

// A queue longer than what fits into memory ends when its time is over, without an attempt for each message.
func blockedTooLong(r *rig) {
	r.script(func(*message.Job) Outcome { return locked })
	n := deepQueue
	var jobs []message.Job
	for i := range n {
		jobs = append(jobs, r.accept("m", "phone", fmt.Sprint(i), message.Bulk))
	}
	reply := r.accept("reply", "phone", "reply", message.Reply, in(time.Hour))
	time.Sleep(179 * time.Minute)
	r.wantState(jobs[n-1], message.Queued)
	time.Sleep(2 * time.Minute)
	for _, j := range jobs {
		r.wantState(j, message.Dropped)
	}
	r.wantState(reply, message.Queued) // its time began later
	if got := len(r.log()); got > laneMax+100 {
		r.t.Errorf("%d attempts", got)
	}
	want := []message.Failure{{Code: 131031, Title: retriesExhausted, Message: retriesExhausted, Details: "last: Account has been locked"}}
	for _, j := range []message.Job{jobs[0], jobs[n-1]} {
		if diff := cmp.Diff(want, r.state(j).Timeline[0].Failures); diff != "" {
			r.t.Errorf("reason (-want +got):\n%s", diff)
		}
	}
	if e := r.events(); len(e) != n+1 { // and the alert
		r.t.Errorf("%d events for %d messages", len(e), n)
	}
	time.Sleep(time.Hour)
	r.wantState(reply, message.Dropped)
}

func repliesGoOn(r *rig) {
	r.script(func(j *message.Job) Outcome {
		if j.Priority == message.Bulk {
			return flagged
		}
		return r.take(j)
	})
	for i := range 20 {
		r.accept("bulk", "phone", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(time.Minute)
	for i := range 20 {
		begin := time.Now()
		j := r.accept("reply", "phone", fmt.Sprint("r", i), message.Reply)
		synctest.Wait()
		r.wantState(j, message.Accepted)
		if waited := time.Since(begin); waited > 100*time.Millisecond {
			r.t.Errorf("a reply waited %v", waited)
		}
		time.Sleep(30 * time.Second)
	}
	if n := r.attemptsOf("bulk"); n > 20+12 {
		r.t.Errorf("%d attempts of bulk messages", n)
	}
	r.wantAlerts("raised number_blocked Spam rate limit hit (131048)")
}

// Once WhatsApp takes messages again, those that are wrong fail one after the other until a good one has shown it.
func wrongOnes(r *rig) {
	r.script(func(*message.Job) Outcome { return locked })
	for i := range 30 {
		r.accept("wrong", "phone", fmt.Sprint(i), message.Bulk)
	}
	good := r.accept("good", "phone", "good", message.Bulk)
	time.Sleep(time.Hour)
	r.script(func(j *message.Job) Outcome {
		if r.name(j) == "wrong" {
			return Outcome{Verdict: Refused, Failure: message.Failure{Code: 132001}}
		}
		return r.take(j)
	})
	time.Sleep(probeAfter[message.AccountBlocked].Max + 10*time.Second)
	r.wantState(good, message.Accepted)
	r.wantAlerts(lockedRaised, lockedCleared)
}

// rejectOld takes messages with a token that is not the first one.
func (r *rig) rejectOld() {
	r.script(func(j *message.Job) Outcome {
		if line, _ := r.lines.Line(r.t.Context(), j.AccountID, j.PhoneKey); line.Token == "token" {
			return expiry
		}
		return r.take(j)
	})
}

func tokenReplaced(r *rig) {
	r.rejectOld()
	a, b := r.accept("a", "phone", "1", message.Reply), r.accept("b", "other", "1", message.Bulk)
	time.Sleep(20 * time.Minute)
	if n := len(r.log()); n > 70 {
		r.t.Errorf("%d attempts with a token that is not accepted", n)
	}
	r.wantAlerts(tokenRaised)
	r.wantBlocked(message.TokenRejected, 2)
	time.Sleep(30 * time.Second)
	r.lines.token.Store(identity.Secret("new"))
	begin := time.Now()
	r.Recheck()
	synctest.Wait()
	r.wantState(a, message.Accepted)
	r.wantState(b, message.Accepted)
	if waited := time.Since(begin); waited > 100*time.Millisecond {
		r.t.Errorf("the new token waited %v", waited)
	}
	time.Sleep(2 * settleAfter)
	r.wantAlerts(tokenRaised, tokenCleared)
}

func tokenReplacedElsewhere(r *rig) {
	r.rejectOld()
	j := r.accept("a", "phone", "1", message.Bulk)
	time.Sleep(20*time.Minute + 20*time.Second) // the next try is not due soon
	r.lines.token.Store(identity.Secret("new"))
	time.Sleep(lease.Renew + time.Second)
	r.wantState(j, message.Accepted)
	time.Sleep(2 * settleAfter)
	r.wantAlerts(tokenRaised, tokenCleared)
}

func blockSurvives(r *rig) {
	r.script(func(*message.Job) Outcome { return locked })
	for i := range 100 {
		r.accept("m", "phone", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(time.Minute)
	before := len(r.log())
	r.restart("another")
	time.Sleep(20 * time.Second)
	if n := len(r.log()) - before; n < 1 || n > 4 {
		r.t.Errorf("%d attempts after the restart, want one in a while", n)
	}
	r.wantAlerts(lockedRaised)
	r.halt()
	r.script(nil)
	r.restart("a third")
	time.Sleep(2 * settleAfter)
	if n := len(r.log()); r.attemptsOf("m") < before+100 {
		r.t.Errorf("%d attempts in all: not everything left", n)
	}
	r.wantAlerts(lockedRaised, lockedCleared)
}

func olderSuccess(r *rig) {
	r.script(func(j *message.Job) Outcome {
		if r.name(j) == "slow" {
			time.Sleep(3 * time.Second) // it was taken before the account was locked
			return r.take(j)
		}
		time.Sleep(time.Second)
		return locked
	})
	r.accept("slow", "phone", "1", message.Bulk)
	r.accept("fast", "phone", "2", message.Bulk)
	time.Sleep(4 * time.Second)
	r.wantAlerts(lockedRaised)
	r.wantBlocked(message.AccountBlocked, 1)
}

func maintenance(r *rig) {
	r.script(func(*message.Job) Outcome {
		return Outcome{Verdict: Failed, Scope: Number, Failure: message.Failure{Code: 131057, Title: "Account in maintenance mode"}}
	})
	var jobs []message.Job
	for i := range 200 {
		jobs = append(jobs, r.accept(fmt.Sprint("m", i), "phone", fmt.Sprint(i), message.Bulk))
	}
	time.Sleep(time.Second)
	before := len(r.log())
	time.Sleep(4 * pauseOutOfOrder.Max) // the pause may have grown to its longest by then
	if n := len(r.log()) - before; n < 3 || n > 10 {
		r.t.Errorf("%d attempts in two minutes of maintenance", n)
	}
	refused := map[string]bool{}
	for _, a := range r.log() {
		name, _, _ := strings.Cut(a, "@")
		refused[name] = true
	}
	r.script(nil)
	time.Sleep(time.Minute)
	for i, j := range jobs {
		if !refused[fmt.Sprint("m", i)] { // those wait for times of their own as well
			r.wantState(j, message.Accepted)
		}
	}
	time.Sleep(5 * time.Minute) // the longest pause of a message
	for _, j := range jobs {
		r.wantState(j, message.Accepted)
	}
	r.wantAlerts()
}

func comesAndGoes(r *rig) {
	var n int
	r.script(func(j *message.Job) Outcome {
		if n++; n%3 == 0 {
			return flagged
		}
		return r.take(j)
	})
	for i := range 100 {
		r.accept("m", "phone", fmt.Sprint(i), message.Bulk)
		time.Sleep(3 * time.Second)
	}
	r.script(nil)
	for i := range 40 {
		r.accept("m", "phone", fmt.Sprint(i), message.Bulk)
		time.Sleep(3 * time.Second)
	}
	r.wantAlerts("raised number_blocked Spam rate limit hit (131048)", "cleared number_blocked Spam rate limit hit (131048)")
}

func allWake(r *rig) {
	r.script(func(*message.Job) Outcome { return locked })
	for i := range 5 {
		r.accept("a", "phone", fmt.Sprint(i), message.Bulk)
		r.accept("b", "other", fmt.Sprint(i), message.Bulk)
	}
	time.Sleep(time.Hour)
	r.script(nil)
	taken := func() (n int) {
		for _, e := range r.events() {
			if e.Status == "accepted" {
				n++
			}
		}
		return n
	}
	for taken() == 0 {
		time.Sleep(time.Second)
	}
	time.Sleep(time.Second)
	if n := taken(); n != 10 {
		r.t.Errorf("%d of 10 left right after the first one", n)
	}
	time.Sleep(2 * settleAfter)
	r.wantAlerts(lockedRaised, lockedCleared)
}
