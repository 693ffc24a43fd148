package app

import (
	"context"
	"fmt"
	"os"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// Unclaimed lists callbacks of Meta's that nobody here could use, newest first and without their bodies. It works beside a
// running server.
func Unclaimed(ctx context.Context, cfg config.Config, limit int) (list []event.Unclaimed, err error) {
	err = inspect(ctx, &cfg, func(db *sqlite.DB, _ *secret.Box) error {
		if list, err = db.Unclaimed(ctx, limit); err != nil {
			return err
		}
		for i := range list {
			list[i].Body = nil
		}
		return nil
	})
	return list, err
}

// UnclaimedWebhook returns one of the callbacks that Unclaimed lists, opened.
func UnclaimedWebhook(ctx context.Context, cfg config.Config, seq int64) (u event.Unclaimed, err error) {
	err = inspect(ctx, &cfg, func(db *sqlite.DB, box *secret.Box) error {
		var ok bool
		if u, ok, err = db.UnclaimedWebhook(ctx, seq); err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("there is no unclaimed callback %d", seq)
		}
		u.Body, err = box.Open(u.Body, event.InboxSeal)
		return err
	})
	return u, err
}

// inspect opens data that is there already, to look at it: nothing is created or upgraded.
func inspect(ctx context.Context, cfg *config.Config, look func(*sqlite.DB, *secret.Box) error) error {
	if err := hasData(cfg); err != nil {
		return err
	}
	box, err := secret.Open(cfg.KeyPath())
	if err != nil {
		return err
	}
	db, err := sqlite.Open(ctx, cfg.SQLitePath(), sqlite.Options{NoMigrate: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return look(db, box)
}

// hasData keeps a command that needs data from making new ones where a path is wrong.
func hasData(cfg *config.Config) error {
	if _, err := os.Stat(cfg.SQLitePath()); err != nil {
		return fmt.Errorf("no data: %w", err)
	}
	return nil
}
