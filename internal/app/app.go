// Package app puts the parts together: it is the only one that knows them all.
//
// New opens and binds everything that can fail and starts nothing; Run works until its context ends. The order of stopping is
// that of the data: requests are no longer taken, the engines let go of their work, the store is closed.
package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/ops"
	"github.com/waxwing-messaging/waxwing/internal/sim"
	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
)

// Options say what to run.
type Options struct {
	Config config.Config
	Dev    bool // seed the development world, and start the simulated WhatsApp unless meta.base_url names another
	// World is what the simulated WhatsApp starts with, and what is seeded; default sim.SeededWorld().
	World  *sim.World
	Logger *slog.Logger
	Ready  func(*App) // optional: called once requests are answered
}

// App is a node, ready to run.
type App struct {
	o         Options
	cfg       *config.Config
	log       *slog.Logger
	metrics   *ops.Metrics
	health    *ops.Health
	api       net.Listener
	secured   *x509.Certificate // of the API; nil without TLS
	meta      net.Listener      // nil without a simulated WhatsApp
	ops       net.Listener      // nil when switched off
	parts     *parts
	simulated *sim.Sim // nil without
	cleanups  []cleanup
}

// cleanup is a step of undoing New.
type cleanup struct {
	name string
	do   func() error
}

// New prepares a node: it opens the store, binds the listeners and seeds what has to be there. Errors fit on one line.
func New(ctx context.Context, o Options) (*App, error) {
	a := &App{o: o, cfg: &o.Config, log: o.Logger, metrics: ops.NewMetrics(), health: &ops.Health{}}
	if err := a.prepare(ctx); err != nil {
		a.undo()
		return nil, err
	}
	return a, nil
}

func (a *App) prepare(ctx context.Context) (err error) {
	if problems := Check(*a.cfg); len(problems) > 0 {
		return errors.New(problems[0])
	}
	if a.api, err = a.listen("listen", a.cfg.Listen, a.cfg.TLSEnabled()); err != nil {
		return err
	}
	if a.cfg.OpsListen != "" {
		if a.ops, err = a.listen("ops_listen", a.cfg.OpsListen, false); err != nil {
			return err
		}
	}
	if a.o.Dev && a.cfg.Meta.BaseURL == "" {
		if a.meta, err = a.listen("meta_listen", a.cfg.MetaListen, false); err != nil {
			return err
		}
		world := sim.SeededWorld()
		if a.o.World != nil {
			world = *a.o.World
		}
		a.cfg.Meta.BaseURL = "http://" + a.meta.Addr().String()
		scheme := "http://"
		if a.secured != nil {
			scheme = "https://"
		}
		a.simulated = sim.New(sim.Options{WebhookURL: scheme + a.api.Addr().String() + webhookPath, Client: courier.NewClient(a.secured), PublicURL: a.cfg.Meta.BaseURL,
			AppID: a.cfg.Meta.AppID, AppSecret: a.cfg.Meta.AppSecret.Reveal(), VerifyToken: a.cfg.Meta.VerifyToken.Reveal(),
			World: world, Logger: a.log.With("part", "simulator")})
	}
	if a.parts, err = newParts(ctx, a); err != nil {
		return err
	}
	if a.o.Dev {
		return a.seed(ctx)
	}
	if err := a.refusePublishedKey(ctx); err != nil {
		return err
	}
	has, err := a.parts.db.HasAccounts(ctx)
	if err == nil && !has {
		a.log.Warn("there is no account, so every request will be refused: `waxwing admin account create` makes one")
	}
	return err
}

// refusePublishedKey keeps the development world out of production: its access key is public.
func (a *App) refusePublishedKey(ctx context.Context) error {
	_, err := a.parts.directory.AccessKey(ctx, config.DevAccessKeyID)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	default:
		return fmt.Errorf("the data at %s was made by waxwing dev and accepts its published access key: use other data", a.cfg.SQLitePath())
	}
}

// listen binds an address, with TLS if asked to.
func (a *App) listen(setting, addr string, secure bool) (net.Listener, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return nil, fmt.Errorf("%s: %s is in use by another process", setting, addr)
		}
		return nil, fmt.Errorf("%s: %w", setting, err)
	}
	if secure {
		cert, err := tls.LoadX509KeyPair(a.cfg.TLS.CertFile, a.cfg.TLS.KeyFile)
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("tls: %w", err)
		}
		a.secured = cert.Leaf
		l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}})
	}
	a.onUndo(setting, l.Close)
	return l, nil
}

func (a *App) onUndo(name string, do func() error) {
	a.cleanups = append(a.cleanups, cleanup{name, do})
}

// undo releases what New obtained, last first. Listeners may have been closed by their servers.
func (a *App) undo() {
	for i := len(a.cleanups) - 1; i >= 0; i-- {
		c := a.cleanups[i]
		if err := c.do(); err != nil && !errors.Is(err, net.ErrClosed) {
			a.log.Error("release", "what", c.name, "error", err)
		}
	}
	a.cleanups = nil
}

// APIAddr returns the address of the API.
func (a *App) APIAddr() string { return addr(a.api) }

// MetaAddr returns the address of the simulated WhatsApp, or "" without one.
func (a *App) MetaAddr() string { return addr(a.meta) }

// OpsAddr returns the address of the metrics, or "" when they are switched off.
func (a *App) OpsAddr() string { return addr(a.ops) }

func addr(l net.Listener) string {
	if l == nil {
		return ""
	}
	return l.Addr().String()
}

// stopRequests is how long requests that are being answered get when the node stops; see grace.Period for the whole budget.
const stopRequests = 2 * time.Second

// Run answers requests and drives the engines until ctx ends, then stops in order. It returns nil after that, or the error of
// the part that could not go on.
func (a *App) Run(ctx context.Context) error {
	defer a.undo()
	engines, stopEngines := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngines()

	var work errgroup.Group
	failed, fail := context.WithCancelCause(ctx)
	engine := func(name string, run func(context.Context) error) {
		work.Go(func() error {
			if err := run(engines); err != nil {
				err = fmt.Errorf("%s: %w", name, err)
				fail(err)
				return err
			}
			return nil
		})
	}
	for _, e := range a.parts.engines {
		engine(e.name, e.run)
	}

	servers := []*http.Server{serve(a.api, a.parts.handler, a.log, fail)}
	if a.ops != nil {
		servers = append(servers, serve(a.ops, ops.Handler(a.metrics), a.log, fail))
	}
	if a.simulated != nil {
		servers = append(servers, serve(a.meta, a.simulated.Handler(), a.log, fail))
		engine("simulator", a.simulated.Run)
	}
	a.health.SetReady(true)
	if a.o.Ready != nil {
		a.o.Ready(a)
	}

	<-failed.Done()
	a.health.SetReady(false)
	stopServers(servers)
	stopEngines()
	err := work.Wait()
	if cause := context.Cause(failed); err == nil && ctx.Err() == nil {
		err = cause
	}
	return err
}

// serve starts a server; if it ends by itself the node cannot go on.
func serve(l net.Listener, h http.Handler, log *slog.Logger, fail context.CancelCauseFunc) *http.Server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 5 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug)}
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			fail(err)
		}
	}()
	return s
}

// stopServers stops taking requests and lets those under way finish, all servers at once.
func stopServers(servers []*http.Server) {
	ctx, cancel := context.WithTimeout(context.Background(), stopRequests)
	defer cancel()
	var g errgroup.Group
	for _, s := range servers {
		g.Go(func() error {
			if s.Shutdown(ctx) != nil {
				return s.Close()
			}
			return nil
		})
	}
	g.Wait() //nolint:errcheck // their connections are gone either way
}
