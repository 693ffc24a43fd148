package dispatch

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Verdict is what an attempt to hand a message over means for the message. The set is closed; it is also a metric label.
type Verdict string

const (
	Taken       Verdict = "taken"       // WhatsApp has it
	Refused     Verdict = "refused"     // WhatsApp will never take it
	Failed      Verdict = "failed"      // WhatsApp did not take it; it may later
	Throttled   Verdict = "throttled"   // too fast; see Scope
	Credentials Verdict = "credentials" // the business account's token was not accepted
	Unreached   Verdict = "unreached"   // the request certainly never got there
	Unknown     Verdict = "unknown"     // WhatsApp may or may not have it
)

// Scope is what a throttle applies to.
type Scope string

const (
	Pair   Scope = "pair"   // this number to this recipient
	Number Scope = "number" // everything this number sends
	Shared Scope = "shared" // the whole business account or app
)

// Outcome is the result of one attempt.
type Outcome struct {
	Verdict    Verdict
	WAMID      string // when Taken; "" for receipts
	Scope      Scope  // when Throttled
	RetryAfter time.Duration
	Failure    message.Failure // why not, in Meta's words
}

// retriesExhausted is AWS's text for a message given up after the retry window.
const retriesExhausted = "Message retries exhausted, dropping message."

// policy holds the settings that decide about another attempt.
type policy struct {
	window, backoffMin, backoffMax, inDoubtWait time.Duration
}

// decision is what to do with a message after an attempt.
type decision struct {
	finish  message.State // Accepted, Failed or Dropped; "" keeps it in the queue
	at      time.Time     // of the next attempt
	inDoubt bool          // WhatsApp may have it
	pause   time.Duration // for the whole lane
	slower  bool          // the lane's rate was too high
}

// decide is the retry policy: a pure function of the message's age and attempts, of how the lane has been doing lately
// (streak: consecutive attempts that could not get through) and of chance in [0, 1).
func (p policy) decide(j *message.Job, o Outcome, streak int, now time.Time, chance float64) decision {
	deadline := j.AcceptedAt.Add(p.window)
	next := func(delay time.Duration) time.Time {
		at := now.Add(max(delay, o.RetryAfter))
		if at.After(deadline) && now.Before(deadline) {
			return deadline // one last time
		}
		return at
	}
	var d decision
	switch o.Verdict {
	case Taken:
		return decision{finish: message.Accepted}
	case Refused:
		return decision{finish: message.Failed}
	case Unknown:
		// Waiting for proof is not a retry: the deadline is looked at when the wait is over.
		return decision{at: now.Add(p.inDoubtWait), inDoubt: true}
	case Throttled:
		switch o.Scope {
		case Pair:
			d = decision{at: next(power(time.Second, 4, j.Attempts-1, p.backoffMax))}
		case Number:
			d = decision{at: next(0), slower: true, pause: max(o.RetryAfter, power(100*time.Millisecond, 2, streak, 5*time.Second))}
		default:
			d = decision{at: next(0), slower: true, pause: max(o.RetryAfter, power(time.Second, 2, streak, time.Minute))}
		}
	case Credentials:
		d = decision{at: next(0), pause: power(time.Second, 2, streak, time.Minute)}
	case Unreached:
		d = decision{at: next(p.backoff(j.Attempts, chance)), pause: power(50*time.Millisecond, 2, streak, 15*time.Second)}
	default:
		d = decision{at: next(p.backoff(j.Attempts, chance))}
		if streak > 2 {
			d.pause = power(50*time.Millisecond, 2, streak-2, 15*time.Second)
		}
	}
	if !now.Before(deadline) {
		d.finish = message.Dropped
	}
	return d
}

// backoff is exponential with equal jitter: between half and all of min·2^(attempts−1), capped.
func (p policy) backoff(attempts int, chance float64) time.Duration {
	full := power(p.backoffMin, 2, attempts-1, p.backoffMax)
	return full/2 + time.Duration(chance*float64(full/2))
}

// power returns base·factor^n, at most limit, without overflowing.
func power(base time.Duration, factor, n int, limit time.Duration) time.Duration {
	d := base
	for range n {
		if d >= limit/time.Duration(factor) {
			return limit
		}
		d *= time.Duration(factor)
	}
	return min(d, limit)
}
