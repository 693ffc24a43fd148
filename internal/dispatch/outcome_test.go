package dispatch

import (
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

func TestDecide(t *testing.T) {
	t.Parallel()
	p := policy{window: 180 * time.Minute, backoff: retry.Backoff{Min: time.Second, Max: 5 * time.Minute}, inDoubtWait: 15 * time.Second}
	accepted := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	const half = 0.5
	for _, tc := range []struct {
		name     string
		attempts int
		age      time.Duration
		out      Outcome
		streak   int
		want     decision // at is an offset from now, in at
		delay    time.Duration
	}{
		{name: "taken", attempts: 1, out: Outcome{Verdict: Taken}, want: decision{finish: message.Accepted}},
		{name: "taken late is still taken", attempts: 9, age: 4 * time.Hour, out: Outcome{Verdict: Taken}, want: decision{finish: message.Accepted}},
		{name: "refused", attempts: 1, out: Outcome{Verdict: Refused}, want: decision{finish: message.Failed}},
		{name: "failed once", attempts: 1, out: Outcome{Verdict: Failed}, delay: 750 * time.Millisecond},
		{name: "failed five times", attempts: 5, out: Outcome{Verdict: Failed}, delay: 12 * time.Second},
		{name: "backoff is capped", attempts: 60, age: time.Hour, out: Outcome{Verdict: Failed}, delay: 225 * time.Second},
		{name: "Retry-After wins when longer", attempts: 1, out: Outcome{Verdict: Failed, RetryAfter: time.Minute}, delay: time.Minute},
		{name: "one last time at the end", attempts: 60, age: 179 * time.Minute, out: Outcome{Verdict: Failed}, delay: time.Minute},
		{name: "the end", attempts: 61, age: 180 * time.Minute, out: Outcome{Verdict: Failed}, delay: 225 * time.Second, want: decision{finish: message.Dropped}},
		{name: "many failures slow the lane", attempts: 1, out: Outcome{Verdict: Failed}, streak: 7, delay: 750 * time.Millisecond, want: decision{pause: 400 * time.Millisecond}},
		{name: "pair throttle waits 4^X", attempts: 3, out: Outcome{Verdict: Throttled, Scope: Pair}, delay: 16 * time.Second},
		{name: "number throttle slows the lane", attempts: 1, out: Outcome{Verdict: Throttled, Scope: Number}, streak: 1, want: decision{slower: true, pause: 100 * time.Millisecond}},
		{name: "number throttle again", attempts: 1, out: Outcome{Verdict: Throttled, Scope: Number}, streak: 4, want: decision{slower: true, pause: 800 * time.Millisecond}},
		{name: "account throttle", attempts: 1, out: Outcome{Verdict: Throttled, Scope: Shared}, streak: 3, want: decision{slower: true, pause: 4 * time.Second}},
		{name: "credentials keep the message", attempts: 1, out: Outcome{Verdict: Credentials}},
		{name: "a block keeps the message", attempts: 7, age: 179 * time.Minute, out: Outcome{Verdict: Blocked, Scope: Number}},
		{name: "a block keeps it no longer than the window", attempts: 7, age: 180 * time.Minute, out: Outcome{Verdict: Blocked, Scope: Shared}, want: decision{finish: message.Dropped}},
		{name: "maintenance of the number pauses the lane", attempts: 1, out: Outcome{Verdict: Failed, Scope: Number}, streak: 3, delay: 750 * time.Millisecond, want: decision{pause: 4 * time.Second}},
		{name: "unreached backs off and pauses", attempts: 2, out: Outcome{Verdict: Unreached}, streak: 1, delay: 1500 * time.Millisecond, want: decision{pause: 50 * time.Millisecond}},
		{name: "unknown waits longer every time", attempts: 6, out: Outcome{Verdict: Unknown}, delay: 24 * time.Second, want: decision{inDoubt: true}},
		{name: "unknown waits for proof", attempts: 1, out: Outcome{Verdict: Unknown}, delay: 15 * time.Second, want: decision{inDoubt: true}},
		{name: "unknown waits for proof even at the end", attempts: 1, age: 181 * time.Minute, out: Outcome{Verdict: Unknown}, delay: 15 * time.Second, want: decision{inDoubt: true}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			now := accepted.Add(tc.age)
			got := p.decide(&message.Job{AcceptedAt: accepted, Attempts: tc.attempts}, tc.out, tc.streak, now, half)
			if tc.want.finish == "" || tc.want.finish == message.Dropped {
				if delay := got.at.Sub(now); delay != tc.delay {
					t.Errorf("next attempt after %v, want %v", delay, tc.delay)
				}
			}
			got.at = time.Time{}
			if got != tc.want {
				t.Errorf("decision = %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	p := newPace()
	p.setLimit(80, now)
	run := func(d time.Duration) (n int) {
		for end := now.Add(d); now.Before(end); {
			if wait := p.wait(now); wait > 0 {
				now = now.Add(wait)
				continue
			}
			p.take(now)
			n++
		}
		return n
	}
	run(time.Second) // what had gathered before
	if n := run(10 * time.Second); n < 795 || n > 805 {
		t.Errorf("%d messages in 10 s at 80/s", n)
	}
	p.slower(now)
	p.slower(now) // in flight together: counts once
	if n := run(5 * time.Second); n < 370 || n > 390 {
		t.Errorf("%d messages in the 5 s after a throttle, want about 380", n)
	}
	run(20 * time.Second)
	if n := run(10 * time.Second); n < 795 || n > 805 {
		t.Errorf("%d messages in 10 s in the end", n)
	}
	for range 20 {
		now = now.Add(time.Second)
		p.slower(now)
	}
	if n := run(3 * time.Second); n < 3 {
		t.Errorf("%d messages in 3 s after twenty throttles", n)
	}
	p.setLimit(1000, now)
	run(30 * time.Second)
	if n := run(time.Second); n < 990 || n > 1010 {
		t.Errorf("%d messages in a second after an upgrade", n)
	}
}
