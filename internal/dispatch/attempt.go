package dispatch

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// attempt hands one job over and records what became of it. The lane and the lease may have moved on meanwhile; then the
// store refuses, and nothing happens.
func (l *lane) attempt(ctx context.Context, held lease.Lease, w *window, it *item) {
	job := &it.job
	if wait, err := l.proofWait(ctx, job); wait > 0 || err != nil {
		l.later(ctx, w, it, max(wait, retryLedger), err)
		return
	}
	if why, over := l.over(it, time.Now()); over {
		l.giveUp(ctx, w, it, why, time.Now())
		return
	}

	line, body, err := l.prepare(ctx, job)
	if err == nil {
		var ok bool
		if ok, err = l.d.Store.Begin(ctx, held, job, time.Now()); err == nil && !ok {
			l.end(w, it, false) // proved, finished or driven by another node
			return
		}
	}
	if err != nil {
		wait := retryLedger
		if hopeless(err) {
			now := time.Now()
			if wait = min(retryHopeless, job.Deadline(l.policy.window).Sub(now)); wait <= 0 {
				l.giveUp(ctx, w, it, message.Failure{Code: unsendable, Title: "The message could not be prepared"}, now)
				return
			}
		}
		l.later(ctx, w, it, wait, err)
		return
	}
	job.Attempts++
	start := time.Now()
	job.StartedAt = start

	// The order to stop does not interrupt a hand-over that has begun, for a while: its outcome would be lost.
	out := l.d.Upstream.HandOver(l.d.begun, line, job, body)
	now := time.Now()
	if l.d.OnAttempt != nil {
		l.d.OnAttempt(Attempt{Verdict: out.Verdict, Took: now.Sub(start), Waited: start.Sub(job.Due())})
	}
	dec, news := l.react(job, line, out, start, now)
	l.d.Logger.LogAttrs(ctx, levelOf(out.Verdict), "hand-over", attrs(job, out, now.Sub(start))...)
	keep := l.record(ctx, job, line, out, dec, now)
	job.Body, it.last = nil, out.Failure
	l.announce(ctx, line, news)
	l.end(w, it, keep)
}

// over reports whether a job has to end without another attempt, and why.
func (l *lane) over(it *item, now time.Time) (why message.Failure, over bool) {
	switch job := &it.job; {
	case job.InDoubt():
		return message.Failure{Code: unsendable, Title: "WhatsApp did not answer, and no status has shown that it has the message"},
			!now.Before(job.Deadline(l.policy.window))
	default:
		return it.last, job.Expired(now) || it.over
	}
}

// proofWait is how long a message in doubt has yet to wait for the status that proves its hand-over: callbacks must have been
// taken for the whole wait, since Meta repeats those that were not, and every one that came in the wait must have been applied.
func (l *lane) proofWait(ctx context.Context, job *message.Job) (time.Duration, error) {
	if !job.InDoubt() {
		return 0, nil
	}
	since := job.StartedAt
	if heard := l.d.Hearing(); heard.After(since) {
		since = heard
	}
	proven := since.Add(l.policy.inDoubtWait)
	if wait := time.Until(proven); wait > 0 {
		return wait, nil
	}
	understood, err := l.d.Store.Understood(ctx, proven)
	if err != nil || understood {
		return 0, err
	}
	return retryLedger, nil
}

// later puts a job back for which nothing was begun. While the store takes nothing the lane waits with it: no other job could
// begin either.
func (l *lane) later(ctx context.Context, w *window, it *item, wait time.Duration, err error) {
	if err != nil {
		fault.Log(ctx, l.d.Logger, "prepare hand-over", err, "message_id", it.job.ID)
	}
	now := time.Now()
	it.job.NotBefore = now.Add(wait)
	if fault.Is(err, fault.Unavailable) {
		l.mu.Lock()
		l.paused = now.Add(wait)
		l.mu.Unlock()
	}
	l.end(w, it, true)
}

// giveUp drops a job without another attempt.
func (l *lane) giveUp(ctx context.Context, w *window, it *item, why message.Failure, now time.Time) {
	// Without a number there is no line, and its names stay out of the event.
	line, err := l.d.Lines.Line(ctx, it.job.AccountID, it.job.PhoneKey)
	if err != nil {
		line = account.Line{}
	}
	l.end(w, it, l.record(ctx, &it.job, line, Outcome{Failure: why}, decision{finish: message.Dropped}, now))
}

// unsendable is the code of Meta's for what has no other: nobody at WhatsApp was asked.
const unsendable = 131000

// errUnreadable says that a stored body does not open with the keys there are.
var errUnreadable = errors.New("the stored message cannot be read")

// hopeless reports whether an attempt cannot be prepared for a reason that lies in the message and not in the store: its number
// is gone, or its body cannot be read.
func hopeless(err error) bool { return fault.Is(err, fault.NotFound) || errors.Is(err, errUnreadable) }

// prepare finds what the attempt needs.
func (l *lane) prepare(ctx context.Context, job *message.Job) (line account.Line, body []byte, err error) {
	if line, err = l.d.Lines.Line(ctx, job.AccountID, job.PhoneKey); err != nil {
		return line, nil, err
	}
	l.mu.Lock()
	l.pace.setLimit(line.Throughput.PerSecond(), time.Now())
	l.line = line
	l.mu.Unlock()
	if job.Body != nil {
		return line, job.Body, nil
	}
	sealed, err := l.d.Store.Body(ctx, job.Seq)
	if err != nil {
		return line, nil, err
	}
	if body, err = l.d.Sealer.Open(sealed, []byte(job.ID)); err != nil {
		return line, nil, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return line, body, nil
}

// react lets the lane learn from an outcome and decides about the message. Attempts that were in flight together and met the
// same trouble count once.
func (l *lane) react(job *message.Job, line account.Line, out Outcome, start, now time.Time) (decision, news) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case out.Verdict == Taken || out.Verdict == Refused:
		l.streak = 0
	case out.Verdict == Throttled && out.Scope == Pair, out.Verdict == Blocked, out.Verdict == Credentials:
	case !start.Before(l.streakAt):
		if l.streak == 0 {
			l.began = now
		}
		l.streak, l.streakAt, l.trouble = l.streak+1, now, out.Failure
	}
	dec := l.policy.decide(job, out, l.streak, now, rand.Float64())
	if dec.slower {
		l.pace.slower(now)
	}
	if until := now.Add(dec.pause); until.After(l.paused) && dec.pause > 0 {
		l.paused = until
	}
	return dec, l.learn(job, line, out, start, now)
}

// record stores a decision and reports whether the job stays in the window. While the store is out of order it keeps trying:
// the outcome is known only here.
func (l *lane) record(ctx context.Context, job *message.Job, line account.Line, out Outcome, dec decision, now time.Time) (keep bool) {
	for {
		var ok bool
		var err error
		if dec.finish == "" {
			ok, err = l.d.Store.Postpone(context.WithoutCancel(ctx), job, dec.at, dec.inDoubt)
		} else {
			var e *event.Event
			if e, err = l.report(job, line, out, dec, now); err == nil {
				ok, err = l.d.Store.Finish(context.WithoutCancel(ctx), job, dec.finish, out.WAMID, e, now)
			}
			if ok && e != nil && l.d.OnEvent != nil {
				l.d.OnEvent(e.Destinations...)
			}
		}
		if err == nil {
			if job.NotBefore = dec.at; !dec.inDoubt {
				job.StartedAt = time.Time{}
			}
			return ok && dec.finish == ""
		}
		fault.Log(ctx, l.d.Logger, "record hand-over", err, "message_id", job.ID, "verdict", out.Verdict)
		if ctx.Err() != nil {
			return false // in doubt for whoever comes next
		}
		l.sleep(ctx, retryLedger, nil)
	}
}

// report builds the event about the end of a hand-over; nil for receipts, which nobody is told about unless they fail.
func (l *lane) report(job *message.Job, line account.Line, out Outcome, dec decision, now time.Time) (*event.Event, error) {
	h := event.HandOver{MessageID: job.ID, AccountID: job.AccountID, WABAKey: job.WABAKey, WABAMetaID: line.WABAMetaID, PhoneKey: job.PhoneKey,
		PhoneMetaID: line.PhoneMetaID, DisplayNumber: line.DisplayNumber, Recipient: job.Recipient, WAMID: out.WAMID, At: now}
	if dec.finish == message.Accepted {
		if job.Receipt() {
			return nil, nil
		}
		return event.Accepted(h, l.d.Sealer, uuid.NewString())
	}
	f := out.Failure
	switch {
	case dec.finish == message.Dropped && job.Expired(now):
		f = message.Because(message.CodeExpired, lastReason(f))
	case dec.finish == message.Dropped:
		f = message.Failure{Code: f.Code, Title: retriesExhausted, Message: retriesExhausted, Details: lastReason(f)}
	}
	return event.Failed(h, f, l.d.Sealer, uuid.NewString())
}

func lastReason(f message.Failure) string {
	if f.Title == "" {
		return f.Details
	}
	if f.Details == "" {
		return "last: " + f.Title
	}
	return "last: " + f.Title + ": " + f.Details
}

// end returns a job to the window or removes it.
func (l *lane) end(w *window, it *item, keep bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if w != l.window {
		return // the lease changed hands; the window is gone
	}
	l.inFlight--
	if it.probe {
		it.probe, l.block.probing = false, false
	}
	if now := time.Now(); keep {
		w.putBack(it, now)
	} else {
		w.remove(it, now)
	}
	l.signal()
}
