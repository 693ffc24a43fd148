package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/sim"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// CreateAccount makes an account with an administrator and returns the administrator's key. Without an id it gets one that is
// free; an id that is taken is a fault.Conflict. It works beside a running server.
func CreateAccount(ctx context.Context, cfg config.Config, a identity.Account) (identity.AccessKey, error) {
	db, box, err := openStore(ctx, &cfg, sqlite.Options{})
	if err != nil {
		return identity.AccessKey{}, err
	}
	defer db.Close()
	dir := directory.New(db, box, account.Scope{Partition: partition, Region: cfg.Region})
	for chosen := a.ID != ""; ; {
		if !chosen {
			id, err := rand.Int(rand.Reader, big.NewInt(899_999_999_999))
			if err != nil {
				return identity.AccessKey{}, err
			}
			a.ID = fmt.Sprintf("%012d", id.Int64()+100_000_000_000)
		}
		now := time.Now()
		a.CreatedAt = now
		key := identity.NewAccessKey(identity.User{ID: identity.NewUserID(), AccountID: a.ID, Name: "admin", Path: "/", CreatedAt: now}, now)
		err = dir.CreateAccount(ctx, a, key)
		if fault.Is(err, fault.Conflict) && !chosen {
			continue // the number is taken
		}
		return key, err
	}
}

// SimulateOptions configure Simulate.
type SimulateOptions struct {
	Listen     string
	WebhookURL string // "" delivers no webhooks until one is set
	Seed       uint64 // 0 takes one from the clock
	Logger     *slog.Logger
	Ready      func(addr string)
}

// Simulate runs the simulated WhatsApp alone until ctx ends.
func Simulate(ctx context.Context, o SimulateOptions) error {
	l, err := (&App{log: o.Logger}).listen("listen", o.Listen, false)
	if err != nil {
		return err
	}
	s := sim.New(sim.Options{WebhookURL: o.WebhookURL, PublicURL: "http://" + l.Addr().(*net.TCPAddr).String(), Seed: o.Seed, Logger: o.Logger})
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	server := serve(l, s.Handler(), o.Logger, fail)
	var g errgroup.Group
	g.Go(func() error { return s.Run(ctx) })
	if o.Ready != nil {
		o.Ready(l.Addr().String())
	}
	<-ctx.Done()
	stopServers([]*http.Server{server})
	if err := g.Wait(); err != nil {
		return err
	}
	if cause := context.Cause(ctx); cause != context.Canceled { //nolint:errorlint // Cause returns it bare
		return cause
	}
	return nil
}
