package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/deadletter"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// besides is what the commands about events have in common.
const besides = `
It works on the database itself, beside a running server; name the same settings as the server's.
`

const destinationListHelp = `
Lists the event destinations of an account: name, kind, state, how many events wait, and what stands in the way. Those of its
business accounts go by their ARN, additional ones by their id.
` + besides

const destinationPauseHelp = `
Stops publishing to a destination, by its name in ` + "`waxwing admin destination list`" + `. Its events wait, however long.
` + besides

const destinationResumeHelp = `
Publishes to a destination again that was paused or disabled.
` + besides

const letterListHelp = `
Lists dead letters: events that a destination did not take, then notifications that a subscriber of a built-in topic did not take.
Each line has the id, since when, the attempts, the destination and the reason.
` + besides

const letterShowHelp = `
Prints what a dead letter carries: the document that an event destination did not take, the message that was published to a topic, or the
event that was put on the event bus.
` + besides

const letterRequeueHelp = `
Has dead letters tried again, by their ids; without ids all those of --destination.
` + besides

const letterDiscardHelp = `
Forgets dead letters, by their ids; without ids all those of --destination. The events stay in the history and can be replayed.
` + besides

const replayHelp = `
Publishes stored events once more, with the ids they had, to every destination that wants them now, or to one. At least one
condition is needed.
` + besides

// operator declares the flags of a command that acts on one account, and runs it.
type operator struct {
	settings
	account string
	named   bool     // takes ids
	ids     []string // the arguments before the flags
}

func (o *operator) declare(flags *flag.FlagSet) {
	o.settings.declare(flags)
	flags.StringVar(&o.account, "account", "", "`id` of the account, twelve digits")
}

// run parses arguments, of which those before the first flag are ids if the command takes any, and does the work.
func (o *operator) run(ctx context.Context, flags *flag.FlagSet, args []string, work func(*app.Operator) error) error {
	for o.named && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		o.ids, args = append(o.ids, args[0]), args[1:]
	}
	if err := parse(flags, args); err != nil {
		return err
	}
	if o.account == "" {
		return usageError("--account is needed")
	}
	cfg, err := o.load()
	if err != nil {
		return err
	}
	return app.Operate(ctx, cfg, o.account, work)
}

func runDestinationList(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var o operator
	o.declare(flags)
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		list, err := op.Destinations(ctx)
		for _, d := range list {
			kind, state, why := event.KindOf(d.Name), "working", ""
			if d.Additional != nil {
				kind = d.Additional.Kind
			}
			switch {
			case d.Health.Halt != event.Running:
				state, why = string(d.Health.Halt), d.Health.HaltReason
			case !d.Health.FailingSince.IsZero():
				state, why = "failing", d.Health.Failure
			}
			fmt.Fprintf(out.stdout, "%s\t%s\t%s\t%d\t%s\n", d.Name, kind, state, d.Health.Waiting, strconv.QuoteToGraphic(why))
		}
		return err
	})
}

func runDestinationPause(ctx context.Context, flags *flag.FlagSet, args []string, _ output) error {
	o := operator{named: true}
	o.declare(flags)
	reason := flags.String("reason", "", "`text` that is shown with the destination")
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		return o.each("destination", "name", func(name string) error { return op.PauseDestination(ctx, name, *reason) })
	})
}

func runDestinationResume(ctx context.Context, flags *flag.FlagSet, args []string, _ output) error {
	o := operator{named: true}
	o.declare(flags)
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		return o.each("destination", "name", func(name string) error { return op.ResumeDestination(ctx, name) })
	})
}

// each calls do for every id that was given, of which there must be one.
func (o *operator) each(what, by string, do func(id string) error) error {
	if len(o.ids) == 0 {
		return usageError("the " + by + " of a " + what + " comes first")
	}
	for _, id := range o.ids {
		if err := do(id); err != nil {
			return err
		}
	}
	return nil
}

func runLetterList(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var o operator
	o.declare(flags)
	destination := flags.String("destination", "", "only those of this destination, by `name`")
	limit := flags.Int("limit", 50, "`number` to list at most")
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		if *limit < 1 {
			return usageError("--limit must be at least 1")
		}
		list, err := op.Letters(ctx, *destination, *limit)
		for _, l := range list {
			fmt.Fprintf(out.stdout, "%s\t%s\t%d\t%s\t%s\n", l.ID, l.DeadSince.Format(time.RFC3339), l.Attempts, l.Destination, strconv.QuoteToGraphic(l.Reason))
		}
		return err
	})
}

func runLetterShow(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	o := operator{named: true}
	o.declare(flags)
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		return o.each("dead letter", "id", func(text string) error {
			id, err := deadletter.ParseID(text)
			if err != nil {
				return err
			}
			carried, err := op.ShowLetter(ctx, id)
			if err == nil {
				fmt.Fprintln(out.stdout, string(carried))
			}
			return err
		})
	})
}

func runLetterRequeue(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	return settleLetters(ctx, flags, args, out, "requeued", (*app.Operator).RequeueLetters)
}

func runLetterDiscard(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	return settleLetters(ctx, flags, args, out, "discarded", (*app.Operator).DiscardLetters)
}

// mostLetters is how many dead letters one command settles.
const mostLetters = 100_000

func settleLetters(ctx context.Context, flags *flag.FlagSet, args []string, out output, done string,
	settle func(*app.Operator, context.Context, []deadletter.ID) (int, error)) error {
	o := operator{named: true}
	o.declare(flags)
	destination := flags.String("destination", "", "all those of this destination, by `name`")
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		if (len(o.ids) == 0) == (*destination == "") {
			return usageError("say which dead letters: ids, or --destination")
		}
		ids, err := deadletter.ParseIDs(o.ids)
		if err != nil {
			return err
		}
		if *destination != "" {
			list, err := op.Letters(ctx, *destination, mostLetters)
			if err != nil {
				return err
			}
			for _, l := range list {
				ids = append(ids, l.ID)
			}
		}
		n, err := settle(op, ctx, ids)
		if err == nil {
			fmt.Fprintln(out.stdout, done, n)
		}
		return err
	})
}

func runReplay(ctx context.Context, flags *flag.FlagSet, args []string, out output) error {
	var o operator
	o.declare(flags)
	var q event.Replay
	moment := func(t *time.Time) func(string) error {
		return func(v string) (err error) {
			if *t, err = time.Parse(time.RFC3339, v); err != nil {
				return errors.New("want a time like 2026-11-23T12:00:00Z")
			}
			return nil
		}
	}
	flags.Func("from", "`time` of the change, like 2026-11-23T12:00:00Z", moment(&q.From))
	flags.Func("to", "`time` before which the change was", moment(&q.To))
	flags.StringVar(&q.Field, "field", "", "Meta's webhook `field`")
	flags.StringVar(&q.Status, "status", "", "`status` of a message")
	flags.StringVar(&q.MessageID, "message", "", "`id` of a message, either one")
	flags.StringVar(&q.Destination, "destination", "", "publish to this destination only, by `name`")
	return o.run(ctx, flags, args, func(op *app.Operator) error {
		if q == (event.Replay{Destination: q.Destination}) {
			return usageError("say which events: --from, --to, --field, --status or --message")
		}
		r, err := op.ReplayEvents(ctx, q)
		if err == nil {
			fmt.Fprintf(out.stdout, "replayed %d, waiting already %d, wanted by nobody %d\n", r.Queued, r.Waiting, r.Undirected)
		}
		return err
	})
}
