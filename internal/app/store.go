package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// openStore opens the database and the keys that its contents are sealed with. A node that drives queues opens it exclusively.
func openStore(ctx context.Context, cfg *config.Config, exclusive bool) (*sqlite.DB, *secret.Box, error) {
	box, err := secret.OpenOrCreate(cfg.KeyPath())
	if err != nil {
		return nil, nil, err
	}
	db, err := sqlite.Open(ctx, cfg.SQLitePath(), sqlite.Options{Exclusive: exclusive})
	if errors.Is(err, sqlite.ErrInUse) {
		return nil, nil, fmt.Errorf("%w: %s", err, cfg.SQLitePath())
	}
	if err != nil {
		return nil, nil, err
	}
	return db, box, nil
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

// pruner forgets what is kept only for a time.
type pruner struct {
	db  *sqlite.DB
	log *slog.Logger
}

func (p pruner) run(ctx context.Context) error {
	tick := time.NewTicker(time.Minute)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case now := <-tick.C:
			for _, prune := range []func() (bool, error){
				func() (bool, error) { return p.db.PruneInvocations(ctx, now) },
				func() (bool, error) { return p.db.PruneEvents(ctx, now.Add(-keepEvents)) },
			} {
				for more := true; more && ctx.Err() == nil; {
					var err error
					if more, err = prune(); err != nil {
						p.log.Error("prune", "error", err)
						break
					}
				}
			}
		}
	}
}
