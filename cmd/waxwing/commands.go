package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"runtime"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

// commands is the command line, in the order help lists it.
func commands() []command {
	return []command{
		{name: "dev", args: "[flags]", summary: "run everything on this machine, with a simulated WhatsApp", details: devHelp, run: runDev},
		{name: "serve", args: "--config FILE [flags]", summary: "run the service in production", details: serveHelp, run: runServe},
		{name: "simulate", args: "[flags]", summary: "run only the simulated WhatsApp", details: simulateHelp, run: runSimulate},
		{name: "migrate", args: "[flags]", summary: "bring the database to this version's schema", details: migrateHelp, run: runMigrate},
		{name: "config", summary: "show and check settings", sub: []command{
			{name: "show", args: "[flags]", summary: "print the settings in effect, secrets masked", details: configShowHelp, run: runConfigShow},
			{name: "check", args: "[flags]", summary: "report everything that is wrong with the settings", details: configCheckHelp, run: runConfigCheck},
			{name: "defaults", summary: "print a commented file with every default", details: configDefaultsHelp, run: runConfigDefaults},
		}},
		{name: "admin", summary: "create accounts, repair what was missed", sub: []command{
			{name: "account", summary: "accounts of this installation", sub: []command{
				{name: "create", args: "[flags]", summary: "make an account with an administrator", details: accountCreateHelp, run: runAccountCreate},
			}},
			{name: "waba", summary: "WhatsApp Business Accounts", sub: []command{
				{name: "link", args: "--account ID --token-file FILE [flags]", summary: "link one to an account", details: wabaLinkHelp, run: runWABALink},
			}},
			{name: "destination", summary: "where events go, and how that is going", sub: []command{
				{name: "list", args: "--account ID [flags]", summary: "list them with their state", details: destinationListHelp, run: runDestinationList},
				{name: "pause", args: "NAME --account ID [flags]", summary: "stop publishing to one", details: destinationPauseHelp, run: runDestinationPause},
				{name: "resume", args: "NAME --account ID [flags]", summary: "publish to one again", details: destinationResumeHelp, run: runDestinationResume},
			}},
			{name: "dead-letter", summary: "events that were given up", sub: []command{
				{name: "list", args: "--account ID [flags]", summary: "list them with the reasons", details: letterListHelp, run: runLetterList},
				{name: "show", args: "ID --account ID [flags]", summary: "print what one carries", details: letterShowHelp, run: runLetterShow},
				{name: "requeue", args: "[ID …] --account ID [flags]", summary: "try them again", details: letterRequeueHelp, run: runLetterRequeue},
				{name: "discard", args: "[ID …] --account ID [flags]", summary: "forget them", details: letterDiscardHelp, run: runLetterDiscard},
			}},
			{name: "replay", args: "--account ID [flags]", summary: "publish stored events once more", details: replayHelp, run: runReplay},
			{name: "unclaimed", summary: "callbacks of Meta's that nobody here could use", sub: []command{
				{name: "list", args: "[flags]", summary: "list them, newest first", details: unclaimedListHelp, run: runUnclaimedList},
				{name: "show", args: "NUMBER [flags]", summary: "print the body of one", details: unclaimedShowHelp, run: runUnclaimedShow},
			}},
		}},
		{name: "bench", args: "<measurement> [flags]", summary: "measure how fast it is", run: runBench},
		{name: "version", summary: "print the version", details: "Prints the version, the Go release it was built with, and the platform.", run: runVersion},
	}
}

func runVersion(_ context.Context, flags *flag.FlagSet, args []string, out output) error {
	if err := parse(flags, args); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out.stdout, "waxwing %s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return err
}

// settings are the flags that commands share which need a configuration.
type settings struct {
	file string
	data string
	sets []string
}

func (s *settings) declare(flags *flag.FlagSet) {
	flags.StringVar(&s.file, "config", "", "YAML `file` with the settings")
	flags.StringVar(&s.data, "data", "", "`directory` with the data; the same as --set data=…")
	declareSet(flags, &s.sets)
}

// declareSet adds the repeatable --set.
func declareSet(flags *flag.FlagSet, sets *[]string) {
	flags.Func("set", "`key=value` that overrides a setting; repeatable", func(v string) error {
		*sets = append(*sets, v)
		return nil
	})
}

// load reads the configuration that the flags describe.
func (s *settings) load() (config.Config, error) {
	sets := s.sets
	if s.data != "" {
		sets = append(sets[:len(sets):len(sets)], "data="+s.data)
	}
	return config.Load(s.file, sets)
}

// loudness are the flags that change how much is logged.
type loudness struct{ quiet, verbose bool }

func (l *loudness) declare(flags *flag.FlagSet) {
	flags.BoolVar(&l.quiet, "quiet", false, "log warnings and errors only")
	flags.BoolVar(&l.verbose, "verbose", false, "log details for debugging")
}

// apply overrides the level of the settings.
func (l *loudness) apply(c *config.Log) error {
	switch {
	case l.quiet && l.verbose:
		return usageError("--quiet and --verbose exclude each other")
	case l.quiet:
		c.Level = "warn"
	case l.verbose:
		c.Level = "debug"
	}
	return nil
}

// readable gives durations in JSON their unit, as they have it in text: numbers of nanoseconds mean nothing to anybody.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}

// logger writes to standard error as the settings say.
func logger(c config.Log, out output) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // validation has refused anything else
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == "json" {
		options.ReplaceAttr = readable
		return slog.New(slog.NewJSONHandler(out.stderr, options))
	}
	return slog.New(slog.NewTextHandler(out.stderr, options))
}
