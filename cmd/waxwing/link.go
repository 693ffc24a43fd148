package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const wabaLinkHelp = `
Links a WhatsApp Business Account with all of its numbers to an account, as the two phases of AssociateWhatsAppBusinessAccount do.
The token is one of Meta's with the permissions whatsapp_business_management and whatsapp_business_messaging, issued for the app
of meta.app_id, or the code that an embedded sign-up has ended with. Linking again replaces the token. It works on the database
itself, beside a running server; name the same settings as the server's.
`

func runWABALink(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	var o app.LinkOptions
	var tokenFile, pinFile string
	flags.StringVar(&o.AccountID, "account", "", "`id` of the account, twelve digits")
	flags.StringVar(&tokenFile, "token-file", "", "`file` with Meta's access token; - is standard input")
	flags.StringVar(&pinFile, "pin-file", "", "`file` with the two-step verification PIN of numbers that are to be set up; new ones get it")
	flags.StringVar(&o.MetaID, "meta-id", "", "Meta's `id` of the business account, when the token opens several")
	flags.StringVar(&o.Destination, "destination", "", "`ARN` of the topic its events go to")
	if err := parse(flags, args); err != nil {
		return err
	}
	if o.AccountID == "" || tokenFile == "" {
		return usageError("--account and --token-file are needed")
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	if o.Token, err = readSecret(tokenFile); err != nil {
		return err
	}
	if pinFile != "" {
		if o.PIN, err = readSecret(pinFile); err != nil {
			return err
		}
	}
	linked, err := app.LinkWABA(ctx, cfg, o)
	if err != nil {
		return err
	}
	if linked.WABA == "" {
		fmt.Fprintln(out.stderr, "nothing new to link: the business accounts that the token opens use it from now on")
		return nil
	}
	fmt.Fprintln(out.stdout, linked.WABA)
	for _, number := range linked.Numbers {
		fmt.Fprintln(out.stdout, number)
	}
	return nil
}

// maxSecret is more than any token has.
const maxSecret = 4096

// readSecret reads a secret from a file, so that it stays out of the list of processes and the shell's history.
func readSecret(file string) (identity.Secret, error) {
	in := io.Reader(os.Stdin)
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxSecret))
	if err != nil {
		return "", err
	}
	secret := strings.TrimSpace(string(text))
	if secret == "" {
		return "", fmt.Errorf("%s is empty", file)
	}
	return identity.Secret(secret), nil
}
