package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const devHelp = `
Runs the service and a simulated WhatsApp on this machine, with an account, a phone number, templates and customers already
there. When it is ready it prints what to export, so that the AWS CLI and every AWS SDK talk to it:

  eval "$(waxwing dev --print-env)"

The data stays between runs unless --ephemeral is given. With --set meta.base_url=URL another server takes the place of the
simulated WhatsApp.
`

func runDev(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var (
		loud      loudness
		sets      []string
		def       = config.Dev("")
		listen    = flags.String("listen", def.Listen, "`address` of the AWS API")
		meta      = flags.String("meta-listen", def.MetaListen, "`address` of the simulated WhatsApp")
		ops       = flags.String("ops-listen", def.OpsListen, "`address` of metrics and profiles")
		data      = flags.String("data", "", "`directory` to keep data in (default a waxwing folder in your data directory)")
		ephemeral = flags.Bool("ephemeral", false, "keep data in a temporary directory that goes away at exit")
		printEnv  = flags.Bool("print-env", false, "print what to export, and exit")
	)
	declareSet(flags, &sets)
	loud.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if *ephemeral && *data != "" {
		return usageError("--data and --ephemeral exclude each other")
	}
	flags.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "listen":
			sets = append(sets, "listen="+*listen)
		case "meta-listen":
			sets = append(sets, "meta_listen="+*meta)
		case "ops-listen":
			sets = append(sets, "ops_listen="+*ops)
		case "data":
			sets = append(sets, "data="+*data)
		}
	})
	dir := config.DevDataDir()
	if *ephemeral || *printEnv {
		dir = os.TempDir() // nothing is written there
	}
	cfg := config.Dev(dir)
	if err := cfg.Override(sets); err != nil {
		return err
	}
	if err := loud.apply(&cfg.Log); err != nil {
		return err
	}
	if *printEnv {
		return writeEnv(out.stdout, &cfg, cfg.Listen, devKey())
	}
	if *ephemeral {
		dir, err := os.MkdirTemp("", "waxwing-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		cfg.Data = dir
	}
	return serve(ctx, cfg, true, out, func(a *app.App) error {
		return writeEnv(out.stdout, &cfg, a.APIAddr(), devKey())
	})
}

func devKey() identity.AccessKey {
	return identity.AccessKey{ID: config.DevAccessKeyID, Secret: config.DevSecretAccessKey}
}

// writeEnv prints the lines that point the AWS CLI and SDKs at this service, ready to be evaluated by a shell.
func writeEnv(w io.Writer, c *config.Config, addr string, key identity.AccessKey) error {
	_, err := fmt.Fprintf(w, `export AWS_ENDPOINT_URL=%s
export AWS_REGION=%[2]s AWS_DEFAULT_REGION=%[2]s
export AWS_ACCESS_KEY_ID=%[3]s
export AWS_SECRET_ACCESS_KEY=%[4]s
`, quote(c.BaseURL(addr)), quote(c.Region), quote(key.ID), quote(key.Secret.Reveal()))
	return err
}

// quote makes text one word of a shell.
func quote(text string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:+=@%,"
	if text != "" && strings.Trim(text, plain) == "" {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
