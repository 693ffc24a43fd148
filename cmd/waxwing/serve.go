package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/config"
)

const serveHelp = `
Runs the service with the settings of a file. Nothing is seeded: ` + "`waxwing admin account create`" + ` makes the first account. The
first SIGINT or SIGTERM stops taking requests, finishes what is under way and exits; a second one quits at once, which loses
nothing that was acknowledged.
`

func runServe(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	var loud loudness
	s.declare(flags)
	loud.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	if err := loud.apply(&cfg.Log); err != nil {
		return err
	}
	return serve(ctx, cfg, false, out, func(*app.App) error { return nil })
}

// serve runs the service until ctx ends. It calls ready once it answers.
func serve(ctx context.Context, cfg config.Config, dev bool, out output, ready func(*app.App) error) error {
	log := logger(cfg.Log, out)
	for _, w := range cfg.Warnings() {
		log.Warn(w)
	}
	var readyErr error
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ctx, func() { log.Info("stopping") })()
	a, err := app.New(ctx, app.Options{Config: cfg, Dev: dev, Logger: log, Ready: func(a *app.App) {
		log.Info("ready", "version", version, "api", a.APIAddr(), "meta", a.MetaAddr(), "ops", a.OpsAddr())
		if readyErr = ready(a); readyErr != nil {
			cancel()
		}
	}})
	if err != nil {
		return err
	}
	return errors.Join(a.Run(ctx), readyErr)
}

const simulateHelp = `
Runs the simulated WhatsApp alone, for anyone who talks to Meta's Cloud API: the Graph API under /v20.0 and later, and a control
API under /sim/v1 through which tests play the customers and inject faults. It keeps nothing.
`

func runSimulate(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var loud loudness
	def := config.Dev(os.TempDir()) // nothing is kept
	listen := flags.String("listen", def.MetaListen, "`address` to answer on")
	webhook := flags.String("webhook-url", "", "`URL` that callbacks are posted to")
	seed := flags.Uint64("seed", 0, "`number` that makes ids and random faults repeatable")
	plain := flags.Bool("allow-plaintext", false, "allow an address that other machines can reach")
	loud.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := loud.apply(&def.Log); err != nil {
		return err
	}
	def.MetaListen, def.AllowPlaintext = *listen, *plain
	if err := def.Validate(); err != nil {
		return usageError(strings.NewReplacer("meta_listen", "--listen", "allow_plaintext", "--allow-plaintext").Replace(err.Error()))
	}
	if u, err := url.Parse(*webhook); *webhook != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return usageError("--webhook-url: want a URL such as http://127.0.0.1:8080/webhook")
	}
	return app.Simulate(ctx, app.SimulateOptions{Listen: *listen, WebhookURL: *webhook, Seed: *seed, Logger: logger(def.Log, out),
		Ready: func(addr string) {
			fmt.Fprintf(out.stdout, "simulated WhatsApp at http://%s\n", addr)
		}})
}

const migrateHelp = `
Brings the database to the schema of this version, and says what it did. ` + "`waxwing serve` and `waxwing dev`" + ` do the same when they
start; run it by itself to choose the moment. A database that a newer version has written is refused.
`

func runMigrate(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	from, to, err := app.Migrate(ctx, cfg)
	switch {
	case err != nil:
		return err
	case from == to:
		_, err = fmt.Fprintf(out.stdout, "schema %d is current\n", to)
	default:
		_, err = fmt.Fprintf(out.stdout, "schema %d is now %d\n", from, to)
	}
	return err
}
