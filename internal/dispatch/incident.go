package dispatch

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// news is what an attempt tells about the block of its lane, as far as others have to know.
type news struct {
	block  block
	began  bool // this number met it
	passed bool // WhatsApp takes messages again
	wide   bool // it is news for the other numbers of the business account
}

// learn has the lane's block take note of an attempt. The lane is locked.
func (l *lane) learn(job *message.Job, line account.Line, out Outcome, start, now time.Time) (n news) {
	b := &l.block
	switch out.Verdict {
	case Blocked, Credentials:
		var token identity.Secret
		if out.Verdict == Credentials {
			token = line.Token
		}
		fresh := b.meet(met(job, line, out, now), token, out.RetryAfter, start, now)
		n.began, n.wide = !b.told, fresh && b.Cause.Shared()
		b.told = true
	case Taken:
		n.passed = b.pass(job.Priority, start, now)
		n.wide = n.passed && b.Cause.Shared()
	}
	n.block = *b
	l.showBlock()
	return n
}

// met is the block that an attempt ran into.
func met(job *message.Job, line account.Line, out Outcome, now time.Time) message.Block {
	b := message.Block{AccountID: job.AccountID, WABAKey: line.WABAKey, PhoneKey: job.PhoneKey, Cause: message.NumberBlocked,
		From: job.Priority, Met: job.Priority, Why: out.Failure, Since: now}
	switch {
	case out.Verdict == Credentials: // whatever its priority, nothing passes
		b.Cause, b.From, b.Met = message.TokenRejected, message.High, message.High
	case out.Scope == Shared:
		b.Cause = message.AccountBlocked
	}
	return b
}

// announce passes news on: to the other numbers of the business account, to the log, and to the store.
func (l *lane) announce(ctx context.Context, line account.Line, n news) {
	if n.wide {
		for _, other := range l.d.siblings(line.WABAKey, l) {
			other.hear(n)
		}
	}
	if b := &n.block; n.began {
		l.d.Logger.Error("blocked", "lane", l.key, "cause", string(b.Cause), "code", b.Why.Code, "title", b.Why.Title, "next_try", b.until)
		l.tell(ctx, line, func(ctx context.Context, alert Alert) ([]string, error) {
			return l.d.Store.Block(ctx, b.Block, b.Since, alert)
		})
	}
}

// settle declares the lane's incident over once it is, or when the lane ends and messages have passed.
func (l *lane) settle(ctx context.Context, ending bool) {
	l.mu.Lock()
	b, line := l.block, l.line
	over := b.over(time.Now()) || ending && !b.passed.IsZero()
	if over {
		l.block = block{}
	}
	l.mu.Unlock()
	if over {
		l.d.Logger.Info("not blocked any more", "lane", l.key, "cause", string(b.Cause), "code", b.Why.Code)
		l.tell(ctx, line, func(ctx context.Context, alert Alert) ([]string, error) {
			return l.d.Store.Unblock(ctx, line.WABAKey, l.key, alert)
		})
	}
}

// tell has the store record the beginning or the end of a block. It makes an alert of the first and of the last word about an
// incident. While it is out of order it is asked again: others would not be told.
func (l *lane) tell(ctx context.Context, line account.Line, record func(ctx context.Context, alert Alert) ([]string, error)) {
	for {
		told := map[event.AlertKind]string{}
		destinations, err := record(context.WithoutCancel(ctx), func(b message.Block, over bool) (*event.Event, error) {
			a := alertOf(&b, line, over)
			told[a.Kind] = a.State()
			return event.NewAlert(&a, l.d.Sealer, uuid.NewString())
		})
		if err == nil {
			for kind, state := range told {
				if l.d.OnAlert != nil {
					l.d.OnAlert(kind, state)
				}
			}
			if l.d.OnEvent != nil {
				l.d.OnEvent(destinations...)
			}
			return
		}
		fault.Log(ctx, l.d.Logger, "record a block", err, "lane", l.key)
		if ctx.Err() != nil {
			return // whoever comes next finds out again
		}
		l.sleep(ctx, retryLedger, nil)
	}
}

// alertOf is the alert about a block.
func alertOf(b *message.Block, line account.Line, over bool) event.Alert {
	a := event.Alert{Kind: event.AccountBlocked, Cleared: over, AccountID: b.AccountID, WABAKey: b.WABAKey, WABAMetaID: line.WABAMetaID,
		Reason: fmt.Sprintf("%s (%d)", b.Why.Title, b.Why.Code), Since: b.Since, At: time.Now()}
	switch b.Cause {
	case message.TokenRejected:
		a.Kind = event.TokenRejected
	case message.NumberBlocked:
		a.Kind, a.PhoneKey, a.PhoneMetaID, a.DisplayNumber = event.NumberBlocked, b.PhoneKey, line.PhoneMetaID, line.DisplayNumber
	}
	return a
}

// hear takes over what another number of the business account has found out.
func (l *lane) hear(n news) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if n.passed {
		l.block.retry(now)
	} else {
		l.block.join(n.block.Block, n.block.token, now)
	}
	l.showBlock()
	l.signal()
}

// recall returns the block that was known before this lane began. One message will try at once.
func (l *lane) recall(ctx context.Context) block {
	b, blocked, err := l.d.Store.Blocked(ctx, l.key)
	if err != nil {
		fault.Log(ctx, l.d.Logger, "read block", err, "lane", l.key)
	}
	return block{Block: b, held: blocked, told: b.PhoneKey == l.key}
}

// recheck lets a message try at once when the access token that was rejected has been replaced, by whomever.
func (l *lane) recheck(ctx context.Context) {
	l.mu.Lock()
	b := l.block
	l.mu.Unlock()
	if !b.held || b.Cause != message.TokenRejected || !time.Now().Before(b.until) {
		return
	}
	line, err := l.d.Lines.Line(ctx, b.AccountID, l.key)
	if err != nil || line.Token == b.token {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.block.retry(time.Now())
}

// showBlock keeps the count of blocked lanes. The lane is locked.
func (l *lane) showBlock() {
	now := message.Cause("")
	if l.block.held {
		now = l.block.Cause
	}
	if l.shown == now {
		return
	}
	if l.d.OnBlocked != nil && l.shown != "" {
		l.d.OnBlocked(l.shown, -1)
	}
	if l.d.OnBlocked != nil && now != "" {
		l.d.OnBlocked(now, 1)
	}
	l.shown = now
}

// siblings are the lanes of a business account but one.
func (d *Dispatcher) siblings(wabaKey string, but *lane) (list []*lane) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		if l == but {
			continue
		}
		l.mu.Lock()
		if l.line.WABAKey == wabaKey {
			list = append(list, l)
		}
		l.mu.Unlock()
	}
	return list
}

// Recheck has lanes whose access token was rejected look whether it has been replaced. It never blocks.
func (d *Dispatcher) Recheck() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, l := range d.lanes {
		l.signal()
	}
}
