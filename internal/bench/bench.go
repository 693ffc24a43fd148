// Package bench measures a running service from outside: `waxwing bench`.
//
// Every number comes from real requests over HTTP, signed like those of an SDK. Unless an endpoint is given, the node under
// test is a child process on free ports with a temporary database on the real disk, so one command reproduces a figure. Times
// differ between machines; what travels is the ratio to a handler that does nothing, measured in alternation in the same run.
//
// The client, the subscriber and the node are exported because the chaos tests drive a service the same way.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// usage is a mistake on the command line.
type usage string

func (u usage) Error() string { return string(u) }

// measurements are the commands, in the order help lists them.
var measurements = [...]struct {
	name, summary, details string
	run                    func(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) error
}{
	{"send", "how many messages a second are accepted", sendHelp, runSend},
	{"pipeline", "how fast messages go all the way, and their statuses come back", pipelineHelp, runPipeline},
	{"ingest", "how many callbacks of Meta's are taken, and how soon they are events", ingestHelp, runIngest},
	{"start", "how soon a node is ready, and how much memory it has while idle", startHelp, runStart},
	{"node", "run a node to be measured", nodeHelp, runNode},
}

// Main runs `waxwing bench` with the arguments after that. Results go to stdout, what goes wrong to stderr. The status is 0 when
// it was measured, 1 when it could not be, and 2 when the command line is wrong.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "help" {
		if args = args[1:]; len(args) > 0 {
			args = []string{args[0], "--help"}
		} else {
			args = []string{"--help"}
		}
	}
	if len(args) == 0 {
		list(stderr)
		return 2
	}
	if args[0] == "-h" || strings.TrimLeft(args[0], "-") == "help" {
		list(stdout)
		return 0
	}
	for _, m := range measurements {
		if m.name != args[0] {
			continue
		}
		flags := flag.NewFlagSet("waxwing bench "+m.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.Usage = func() {}
		err := m.run(ctx, flags, args[1:], stdout, stderr)
		switch _, isUsage := errors.AsType[usage](err); {
		case err == nil:
			return 0
		case errors.Is(err, flag.ErrHelp):
			fmt.Fprintf(stdout, "Usage: %s [flags]\n\n%s\n\nFlags:\n", flags.Name(), strings.TrimSpace(m.details))
			flags.VisitAll(func(f *flag.Flag) { describe(stdout, f) })
			return 0
		case isUsage:
			fmt.Fprintf(stderr, "waxwing: %s; see `%s --help`\n", err, flags.Name())
			return 2
		default:
			fmt.Fprintf(stderr, "waxwing: %s\n", err)
			return 1
		}
	}
	fmt.Fprintf(stderr, "waxwing: unknown measurement %q; `waxwing bench help` lists what there is\n", args[0])
	return 2
}

func list(w io.Writer) {
	fmt.Fprint(w, "Usage: waxwing bench <measurement> [flags]\n\n")
	for _, m := range measurements {
		fmt.Fprintf(w, "  %-10s %s\n", m.name, m.summary)
	}
	fmt.Fprint(w, "\n`waxwing bench help <measurement>` tells more about one of them.\n")
}

func describe(w io.Writer, f *flag.Flag) {
	arg, text := flag.UnquoteUsage(f)
	if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" {
		text += " (default " + f.DefValue + ")"
	}
	fmt.Fprintf(w, "  %-26s %s\n", strings.TrimSpace("--"+f.Name+" "+arg), text)
}

// parse reads flags; what is wrong with them is a usage error.
func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return usage(strings.ReplaceAll(err.Error(), " -", " --"))
	case flags.NArg() > 0:
		return usage(fmt.Sprintf("unexpected argument %q", flags.Arg(0)))
	}
	return nil
}

// declareSet adds the repeatable --set.
func declareSet(flags *flag.FlagSet, sets *[]string) {
	flags.Func("set", "`key=value` that overrides a setting of the node that is started; repeatable", func(v string) error {
		*sets = append(*sets, v)
		return nil
	})
}
