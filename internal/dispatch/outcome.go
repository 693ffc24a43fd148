package dispatch

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

// Verdict is what an attempt to hand a message over means for the message. The set is closed; it is also a metric label.
type Verdict string

const (
	Taken       Verdict = "taken"       // WhatsApp has it
	Refused     Verdict = "refused"     // WhatsApp will never take it
	Failed      Verdict = "failed"      // WhatsApp did not take it; it may later
	Throttled   Verdict = "throttled"   // too fast; see Scope
	Blocked     Verdict = "blocked"     // the number, or all of the business account, may not send; see Scope
	Credentials Verdict = "credentials" // the business account's token was not accepted
	Unreached   Verdict = "unreached"   // the request certainly never got there
	Unknown     Verdict = "unknown"     // WhatsApp may or may not have it
)

// Scope is what a throttle, a block or trouble on WhatsApp's side applies to.
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
	Scope      Scope  // when Throttled, Blocked or Failed; "" is the one message
	RetryAfter time.Duration
	Failure    message.Failure // why not, in Meta's words
}

// retriesExhausted is AWS's text for a message given up after the retry window.
const retriesExhausted = "Message retries exhausted, dropping message."

// policy holds the settings that decide about another attempt.
type policy struct {
	window      time.Duration
	backoff     retry.Backoff // of a message after transient failures
	inDoubtWait time.Duration
}

// How long a lane pauses while nothing gets through, by what stands in the way.
var (
	pauseThrottled  = retry.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}
	pauseShared     = retry.Backoff{Min: time.Second, Max: time.Minute}
	pauseOutOfOrder = retry.Backoff{Min: time.Second, Max: 30 * time.Second}
	pauseUnreached  = retry.Backoff{Min: 50 * time.Millisecond, Max: 15 * time.Second}
)

// decision is what to do with a message after an attempt.
type decision struct {
	finish  message.State // Accepted, Failed or Dropped; "" keeps it in the queue
	at      time.Time     // of the next attempt
	inDoubt bool          // WhatsApp may have it
	pause   time.Duration // for the whole lane
	slower  bool          // the lane's rate was too high
}

// decide is the retry policy: a pure function of the message's age and attempts, of how the lane has been doing lately
// (streak: consecutive attempts that did not get through, this one included) and of chance in [0, 1).
func (p policy) decide(j *message.Job, o Outcome, streak int, now time.Time, chance float64) decision {
	deadline := j.Deadline(p.window)
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
		// Waiting for proof is not a retry: the deadline is looked at when the wait is over. Every further attempt may be one
		// message too many, so the waits grow.
		return decision{at: now.Add(max(p.inDoubtWait, p.backoff.Equal(j.Attempts, chance))), inDoubt: true}
	case Throttled:
		switch o.Scope {
		case Pair:
			// Meta's advice: 4^X seconds.
			d = decision{at: next(retry.Backoff{Min: time.Second, Max: p.backoff.Max, Factor: 4}.Ceiling(j.Attempts))}
		case Number:
			d = decision{at: next(0), slower: true, pause: max(o.RetryAfter, pauseThrottled.Ceiling(streak))}
		default:
			d = decision{at: next(0), slower: true, pause: max(o.RetryAfter, pauseShared.Ceiling(streak))}
		}
	case Blocked, Credentials:
		d = decision{at: next(0)} // the lane holds it back; see block
	case Unreached:
		d = decision{at: next(p.backoff.Equal(j.Attempts, chance)), pause: pauseUnreached.Ceiling(streak)}
	default:
		d = decision{at: next(p.backoff.Equal(j.Attempts, chance))}
		switch {
		case o.Scope == Number, o.Scope == Shared:
			d.pause = pauseOutOfOrder.Ceiling(streak)
		case streak > steady:
			d.pause = pauseUnreached.Ceiling(streak - steady)
		}
	}
	if !now.Before(deadline) {
		d.finish = message.Dropped
	}
	return d
}
