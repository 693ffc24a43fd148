// Package refresh keeps what is known about business accounts and their numbers up to date with Meta.
//
// Meta is asked on a schedule, and soon after a webhook has said that something changed: what the webhook says is not taken over,
// since webhooks repeat, come late and differ in form from version to version. The table of business accounts says what is due,
// so any node may do it, and one that dies has only delayed it.
package refresh

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Store says which business accounts are due, and takes what was learned.
type Store interface {
	ClaimRefreshes(ctx context.Context, now, retryAt time.Time, limit int) ([]account.Due, error)
	Refreshed(ctx context.Context, d account.Due, f account.Facts, next time.Time) error
}

// Accounts knows how to reach Meta for a business account.
type Accounts interface {
	Access(ctx context.Context, accountID, wabaKey string) (account.Access, error)
	// Forget drops what is cached about numbers.
	Forget()
}

// Meta is asked about a business account and its numbers.
type Meta interface {
	Account(ctx context.Context, metaID string, token identity.Secret) (account.Facts, error)
}

// Options configure an Engine.
type Options struct {
	Store    Store
	Accounts Accounts
	Meta     Meta
	Interval time.Duration // between two questions about the same business account, give or take a tenth
	Logger   *slog.Logger
}

// Engine asks Meta.
type Engine struct {
	Options
	wake chan struct{}
}

// New returns an Engine; Run makes it work.
func New(o Options) *Engine { return &Engine{Options: o, wake: make(chan struct{}, 1)} }

// Wake tells the engine that a business account has become due. It never blocks.
func (e *Engine) Wake() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

const (
	batchSize  = 16
	pollEvery  = 30 * time.Second // for what other nodes know to be due
	restBefore = time.Second      // after a wake: webhooks come in groups
	maxRetry   = 5 * time.Minute
)

// Run asks until ctx ends, and returns nil. What Meta refuses or does not answer is asked again later.
func (e *Engine) Run(ctx context.Context) error {
	for ctx.Err() == nil {
		n, err := e.step(ctx)
		if err != nil {
			fault.Log(ctx, e.Logger, "refresh business accounts", err)
		}
		if n == batchSize && err == nil {
			continue
		}
		if woken := e.sleep(ctx, pollEvery, e.wake); woken {
			e.sleep(ctx, restBefore, nil)
		}
	}
	return nil
}

// step asks about those that are due and returns how many there were.
func (e *Engine) step(ctx context.Context) (int, error) {
	now := time.Now()
	due, err := e.Store.ClaimRefreshes(ctx, now, now.Add(min(e.Interval, maxRetry)), batchSize)
	if err != nil {
		return 0, err
	}
	for _, d := range due {
		if ctx.Err() != nil {
			break
		}
		if err := e.ask(ctx, d); err != nil && ctx.Err() == nil {
			e.Logger.Warn("business account not refreshed", "waba", account.ID(account.KindWABA, d.WABAKey), "error", err)
		}
	}
	if len(due) > 0 {
		e.Accounts.Forget()
	}
	return len(due), nil
}

func (e *Engine) ask(ctx context.Context, d account.Due) error {
	access, err := e.Accounts.Access(ctx, d.AccountID, d.WABAKey)
	if err != nil {
		return err
	}
	facts, err := e.Meta.Account(ctx, access.MetaID, access.Token)
	if err != nil {
		return err
	}
	return e.Store.Refreshed(ctx, d, facts, time.Now().Add(jittered(e.Interval)))
}

// jittered spreads the questions about many accounts that were linked together.
func jittered(d time.Duration) time.Duration { return d - d/10 + rand.N(d/5+1) }

// sleep reports whether it was woken.
func (e *Engine) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
		return true
	}
	return false
}
