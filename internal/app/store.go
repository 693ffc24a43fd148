package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// openStore opens the database and the keys that its contents are sealed with. Both are created if there is nothing yet.
func openStore(ctx context.Context, cfg *config.Config, o sqlite.Options) (*sqlite.DB, *secret.Box, error) {
	o.Bus, o.BusWithRules = busOf(cfg), cfg.EventBridge.Endpoint == ""
	db, err := sqlite.Open(ctx, cfg.SQLitePath(), o)
	if errors.Is(err, sqlite.ErrInUse) {
		return nil, nil, fmt.Errorf("%w: %s", err, cfg.SQLitePath())
	}
	if err != nil {
		return nil, nil, err
	}
	box, err := openBox(ctx, db, cfg)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return db, box, nil
}

// openBox opens the key file and proves that the data were sealed with it: under another key, what is stored could not be read, and
// what is added only by those who have that key. A new key file is made for new data only.
func openBox(ctx context.Context, db *sqlite.DB, cfg *config.Config) (*secret.Box, error) {
	sealed, err := db.Setting(ctx, pageKeyName)
	if err != nil {
		return nil, err
	}
	open := secret.Open
	if sealed == nil {
		open = secret.OpenOrCreate
	}
	box, err := open(cfg.KeyPath())
	if errors.Is(err, fs.ErrNotExist) && sealed != nil {
		return nil, fmt.Errorf("there is no key file %s: put back the one that the data at %s are encrypted with", cfg.KeyPath(), cfg.SQLitePath())
	}
	if err != nil {
		return nil, err
	}
	_, err = pageKey(ctx, db, box)
	if errors.Is(err, secret.ErrSealed) {
		return nil, fmt.Errorf("the data at %s are encrypted with another key than that of %s", cfg.SQLitePath(), cfg.KeyPath())
	}
	return box, err
}

// busOf names the event bus of each account: the built-in one, unless the settings name a service.
func busOf(cfg *config.Config) func(accountID string) string {
	scope, name := account.Scope{Partition: partition, Region: cfg.Region}, bus.Default
	if cfg.EventBridge.Endpoint != "" {
		name = cfg.BusName()
	}
	return func(accountID string) string {
		s := scope
		s.AccountID = accountID
		return event.BusARN(s, name)
	}
}

// Migrate brings the database to this binary's schema and returns its version before and after.
func Migrate(ctx context.Context, cfg config.Config) (from, to int, err error) {
	from, to, err = sqlite.Versions(ctx, cfg.SQLitePath())
	if err != nil {
		return 0, 0, err
	}
	db, err := sqlite.Open(ctx, cfg.SQLitePath(), sqlite.Options{})
	if err != nil {
		return from, to, err
	}
	return from, to, db.Close()
}

// pruner forgets what has been kept for long enough.
type pruner struct {
	db   *sqlite.DB
	keep config.Retention
	log  *slog.Logger
}

func (p pruner) run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			p.round(ctx, now)
		}
	}
}

// round forgets all that is old at a time. Dead letters go before events, which stay while there is a dead letter of them.
func (p pruner) round(ctx context.Context, now time.Time) {
	p.prune(ctx, p.db.PruneInvocations, now)
	p.prune(ctx, p.db.PruneSignUps, now)
	p.prune(ctx, p.db.PruneTokens, now)
	p.prune(ctx, p.db.PruneUnlinked, now.Add(-p.keep.Events))
	p.prune(ctx, p.db.PruneDeadEvents, now.Add(-p.keep.Events))
	p.prune(ctx, p.db.PruneEvents, now.Add(-p.keep.Events))
	p.prune(ctx, p.db.PruneReached, now.Add(-message.WindowLength))
	p.prune(ctx, p.db.PruneAttempts, now.Add(-p.keep.Events))
	p.prune(ctx, p.db.PruneMessages, now.Add(-p.keep.Messages))
	p.prune(ctx, p.db.PruneUnclaimed, now.Add(-p.keep.Unclaimed))
}

// prune takes small steps, between which other writes get their turn.
func (p pruner) prune(ctx context.Context, step func(context.Context, time.Time) (bool, error), cutoff time.Time) {
	for more := true; more && ctx.Err() == nil; {
		var err error
		if more, err = step(ctx, cutoff); err != nil {
			fault.Log(ctx, p.log, "prune", err)
			return
		}
	}
}
