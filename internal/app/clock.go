package app

import (
	"context"
	"log/slog"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// clockWatch notices when somebody sets the machine's clock, or lets the machine sleep. Set forward, what waits for a time comes due
// early; but WhatsApp had no more time than before to report something, so what waits for its callbacks waits anew. Set back, it would
// wait for as much longer: it is made due instead.
type clockWatch struct {
	store interface {
		SetBack(ctx context.Context, now time.Time) (more bool, err error)
	}
	reread func() // what is in memory
	anew   func() // begins to wait for callbacks anew
	log    *slog.Logger

	offset time.Duration // of the wall clock, from the one that nobody can set
	behind bool          // the clock was set back, and not everything has been made due
}

const (
	clockTick = time.Second
	// clockStep is what counts as set. Less is the steady correction that every clock needs.
	clockStep = 2 * time.Second
)

func (c *clockWatch) run(ctx context.Context) error {
	begun := time.Now()
	c.offset = time.Duration(begun.UnixNano())
	tick := time.NewTicker(clockTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			now := time.Now()
			c.look(ctx, now.Round(0), now.Sub(begun))
		}
	}
}

// look compares the wall clock with the time that has really passed.
func (c *clockWatch) look(ctx context.Context, wall time.Time, elapsed time.Duration) {
	offset := time.Duration(wall.UnixNano()) - elapsed
	jump := offset - c.offset
	c.offset = offset
	if jump.Abs() >= clockStep {
		c.log.Warn("the clock was set", "by", jump.Round(time.Millisecond))
		if c.behind = c.behind || jump < 0; jump > 0 {
			c.anew()
		}
	}
	for c.behind {
		more, err := c.store.SetBack(ctx, wall)
		if err != nil {
			fault.Log(ctx, c.log, "make due what waits", err)
			return // again at the next look
		}
		if c.behind = more; !more {
			c.reread()
		}
	}
}
