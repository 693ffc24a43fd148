package main

import (
	"context"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/app"
)

const unclaimedListHelp = `
Lists callbacks of Meta's that nobody here could use, newest first: about business accounts that are not linked, or in a form that
is not understood. Each line has a number, the time of arrival and the reason. It works on the database itself, beside a running
server; name the same settings as the server's.
`

func runUnclaimedList(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	limit := flags.Int("limit", 50, "`number` to list at most")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *limit < 1 {
		return usageError("--limit must be at least 1")
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	list, err := app.Unclaimed(ctx, cfg, *limit)
	if err != nil {
		return err
	}
	for _, u := range list {
		fmt.Fprintf(out.stdout, "%d\t%s\t%s\n", u.Seq, u.ReceivedAt.Format(time.RFC3339), strconv.QuoteToGraphic(u.Reason))
	}
	return nil
}

const unclaimedShowHelp = `
Prints the body of a callback that nobody here could use, as it came; the time of arrival and the reason go to standard error.
It can hold what customers wrote. NUMBER is the first column of ` + "`waxwing admin unclaimed list`" + `.
`

func runUnclaimedShow(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var s settings
	s.declare(flags)
	number := ""
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		number, args = args[0], args[1:]
	}
	if err := parse(flags, args); err != nil {
		return err
	}
	seq, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return usageError(fmt.Sprintf("the number of a callback comes first, not %q; see `%s --help`", number, flags.Name()))
	}
	cfg, err := s.load()
	if err != nil {
		return err
	}
	u, err := app.UnclaimedWebhook(ctx, cfg, seq)
	if err != nil {
		return err
	}
	fmt.Fprintf(out.stderr, "received %s: %s\n", u.ReceivedAt.Format(time.RFC3339), u.Reason)
	_, err = fmt.Fprintf(out.stdout, "%s\n", u.Body)
	return err
}
