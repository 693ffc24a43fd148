package app

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/ops"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// storage tells operators when the store runs out of room, once, and when it has room again. Whoever is refused meanwhile stays
// quiet about it.
type storage struct {
	health  *ops.Health
	log     *slog.Logger
	path    string
	minFree config.Size
	damage  chan error // has one when the node cannot go on
}

func newStorage(a *App) *storage {
	return &storage{health: a.health, log: a.log, path: a.cfg.SQLitePath(), minFree: a.cfg.Store.MinFree, damage: make(chan error, 1)}
}

// told is sqlite.Options.OnRoom.
func (s *storage) told(c sqlite.Condition) {
	about := []any{"path", s.path}
	if s.minFree > 0 {
		about = append(about, "free_bytes", c.Free)
	}
	if c.Trouble != nil {
		about = append(about, "error", c.Trouble)
	}
	switch {
	case c.Damaged:
		select {
		case s.damage <- fmt.Errorf("the data at %s is damaged, restore it from a backup: %w", s.path, c.Trouble):
		default: // it is known
		}
	case c.Room == sqlite.Ample:
		s.log.Info("storage has room again", about...)
		s.health.SetTrouble("")
	case c.Trouble != nil:
		s.log.Error("storage cannot be written: messages and callbacks are refused, hand-overs wait", about...)
		s.health.SetTrouble("storage cannot be written")
	case c.Room == sqlite.None:
		s.log.Error("storage is full: messages and callbacks are refused, hand-overs wait", about...)
		s.health.SetTrouble("storage is full")
	default:
		s.log.Error("storage is almost full: messages are refused", about...)
		s.health.SetTrouble("storage is almost full")
	}
}

// run ends the node when its data are damaged.
func (s *storage) run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.damage:
		return err
	}
}

// admit refuses to store what is new while there is little room.
func (p *parts) admit() error {
	if p.db.Condition().Room == sqlite.Ample {
		return nil
	}
	return fault.New(fault.Unavailable, "storage is full")
}
