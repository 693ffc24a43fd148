package dispatch

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

// How long a blocked lane waits before it tries one message again, by what stands in the way.
var probeAfter = map[message.Cause]retry.Backoff{
	message.TokenRejected:  {Min: time.Second, Max: time.Minute},
	message.AccountBlocked: {Min: 5 * time.Second, Max: 5 * time.Minute},
	message.NumberBlocked:  {Min: 5 * time.Second, Max: 5 * time.Minute},
}

// settleAfter is how long a lane has to get through before the incident is declared over: what comes and goes is one.
const settleAfter = time.Minute

// block is what a lane knows of WhatsApp taking none of its messages. Those of the priority that met it and of the ones behind that
// wait, but for one in a while that finds out whether it is over. What goes ahead of them is not held back before it has met the
// block itself: an answer within a conversation may pass where a campaign may not. The zero value is no block. It is a plain value:
// no clock, no locks.
type block struct {
	message.Block
	held    bool
	told    bool            // the store knows that this number met it, or is being told
	token   identity.Secret // that was rejected, when the cause is that
	at      time.Time       // when it was last met
	until   time.Time       // when the next message may try
	tries   int             // that met it in a row
	probing bool            // one is trying now
	passed  time.Time       // when WhatsApp took a message again; zero while held
}

// worst is the last priority of which a message may leave now.
func (b *block) worst(now time.Time) message.Priority {
	if b.held && (b.probing || now.Before(b.until)) {
		return b.From - 1
	}
	return message.Bulk
}

// holds reports whether a message waits for the block to end.
func (b *block) holds(p message.Priority) bool { return b.held && p >= b.From }

// meet takes note of an attempt, begun at start, that met a block, and reports whether it is another one than was known. Attempts
// that were under way together count once.
func (b *block) meet(met message.Block, token identity.Secret, retryAfter time.Duration, start, now time.Time) (fresh bool) {
	fresh = !b.held && b.passed.IsZero() || b.Cause != met.Cause || b.token != token
	if !fresh && !b.held {
		b.held, b.passed, b.tries = true, time.Time{}, 0 // it was not over
	}
	together := !fresh && start.Before(b.at)
	switch {
	case fresh:
		*b = block{Block: met, held: true, token: token, probing: b.probing}
	case met.From < b.From || met.Met > b.Met:
		b.From, b.Met, b.Why, b.told = min(b.From, met.From), max(b.Met, met.Met), met.Why, false
	}
	if !together {
		b.at = now
		b.tries++
		b.until = now.Add(max(retryAfter, probeAfter[b.Cause].Ceiling(b.tries)))
	}
	return fresh
}

// join takes over the block that another number of the business account has met.
func (b *block) join(of message.Block, token identity.Secret, now time.Time) {
	if b.held && b.Cause == of.Cause && b.token == token {
		return
	}
	*b = block{Block: of, held: true, token: token, at: now, tries: 1, until: now.Add(probeAfter[of.Cause].Ceiling(1)), probing: b.probing}
}

// pass takes note of a message that WhatsApp took, and reports whether nothing is held back any more with that. An attempt that
// began before the block was last met proves nothing.
func (b *block) pass(p message.Priority, start, now time.Time) (over bool) {
	switch {
	case !b.held || start.Before(b.at):
	case p >= b.Met:
		b.held, b.passed = false, now
		return true
	case p >= b.From:
		b.From = p + 1
	}
	return false
}

// over reports whether an incident has ended: messages have passed for long enough.
func (b *block) over(now time.Time) bool {
	return !b.passed.IsZero() && now.Sub(b.passed) >= settleAfter
}

// retry lets the next message try at once: what kept the lane waiting may be over.
func (b *block) retry(now time.Time) {
	if b.held && b.until.After(now) {
		b.until = now
	}
}
