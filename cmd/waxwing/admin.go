package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const accountCreateHelp = `
Makes an account with an administrator, and prints what to export to act as that administrator. The secret is shown once. It
works on the database itself, beside a running server or without one; name the same settings as the server's.

Events can only be published to topics of the same account. Where they are Amazon's own (sns.endpoint), give the account the id that
the topics have at AWS, with --id.
`

func runAccountCreate(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	alias := flags.String("alias", "", "`name` to know the account by")
	id := flags.String("id", "", "`number` of 12 digits for the account; without it, one that is free")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *id != "" && (len(*id) != 12 || strings.Trim(*id, "0123456789") != "") {
		return usageError("--id: an account's id has 12 digits")
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(cfg.SQLitePath())
	if err != nil {
		return err
	}
	_, before := os.Stat(path)
	key, err := app.CreateAccount(ctx, cfg, identity.Account{ID: *id, Alias: *alias})
	if err != nil {
		return err
	}
	if errors.Is(before, fs.ErrNotExist) { // by accident, should a server run on other data already
		fmt.Fprintf(out.stderr, "created database %s\n", path)
	}
	fmt.Fprintf(out.stderr, "created account %s\n", key.User.AccountID)
	return writeEnv(out.stdout, &cfg, cfg.Listen, key)
}

const configShowHelp = `
Prints the settings that a file and overrides amount to, as YAML. Secrets are masked.
`

func runConfigShow(_ context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	_, err = io.WriteString(out.stdout, cfg.YAML(false))
	return err
}

const configCheckHelp = `
Reports everything that is wrong with a file and overrides, one problem a line, and exits with 1 if anything is. Settings that
are allowed but probably not meant are listed too.
`

func runConfigCheck(_ context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg, err := s.load()
	if problems, ok := errors.AsType[config.Problems](err); ok {
		for _, p := range problems {
			fmt.Fprintln(out.stdout, p)
		}
		return exitStatus(1)
	}
	if err != nil {
		return err
	}
	problems := app.Check(cfg)
	for _, p := range problems {
		fmt.Fprintln(out.stdout, p)
	}
	if len(problems) > 0 {
		return exitStatus(1)
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintln(out.stdout, "warning:", w)
	}
	_, err = fmt.Fprintln(out.stdout, "ok")
	return err
}

const configDefaultsHelp = `
Prints every setting with its default and its meaning, as a file to start from.
`

func runConfigDefaults(_ context.Context, flags *flag.FlagSet, args []string, out output) error {
	if err := parse(flags, args); err != nil {
		return err
	}
	cfg := config.Default()
	_, err := io.WriteString(out.stdout, cfg.YAML(true))
	return err
}
