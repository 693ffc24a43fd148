// Command waxwing is a self-hosted WhatsApp messaging service that speaks the AWS End User Messaging Social API.
//
// `waxwing help` lists its commands. Standard output carries only what a command was asked for, so that it can be piped or
// evaluated; logs and errors go to standard error. The exit status is 0 after success and after a drained stop, 1 when
// something failed, 2 when the command line was wrong, and 130 when a second signal cut the drain short.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

// version is set by the linker.
var version = "development"

func main() {
	if os.Getenv("GOGC") == "" {
		// What lives is little, what passes through is much: collecting half as often costs some megabytes and saves processor time.
		debug.SetGCPercent(200)
	}
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes a command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := untilSignal(stderr)
	defer stop()
	err := dispatch(ctx, "waxwing", commands(), args, output{stdout, stderr})
	switch usage, isUsage := errors.AsType[usageError](err); {
	case err == nil:
		return 0
	case isUsage:
		fmt.Fprintf(stderr, "waxwing: %s\n", usage)
		return 2
	}
	if status, ok := errors.AsType[exitStatus](err); ok {
		return int(status)
	}
	fmt.Fprintf(stderr, "waxwing: %s\n", err)
	if problems, ok := errors.AsType[config.Problems](err); ok && problems.Overrides() {
		return 2
	}
	return 1
}

// untilSignal returns a context that ends with the first SIGINT or SIGTERM. The second one ends the process.
func untilSignal(stderr io.Writer) (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		if s := <-signals; s == os.Interrupt { // someone at a terminal; services are told by the log
			fmt.Fprintln(stderr, "waxwing: finishing what is under way; a second signal quits at once")
		}
		cancel()
		<-signals
		os.Exit(130)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}

// output is where a command writes.
type output struct{ stdout, stderr io.Writer }

// command is one word of the command line. It has either run or sub-commands.
type command struct {
	name    string
	args    string // what follows the name, for the usage line
	summary string // one line, for the list of commands
	details string // paragraphs, for the command's own help
	run     func(ctx context.Context, flags *flag.FlagSet, args []string, out output) error
	sub     []command
}

// usageError is a mistake on the command line.
type usageError string

func (e usageError) Error() string { return string(e) }

// exitStatus ends a command that has already told what went wrong.
type exitStatus int

func (e exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// dispatch finds the command that the first argument names and runs it with the rest.
func dispatch(ctx context.Context, path string, list []command, args []string, out output) error {
	if len(args) == 0 {
		listCommands(out.stderr, path, list)
		return exitStatus(2)
	}
	if name := args[0]; name == "help" || name == "-h" || name == "--help" || name == "-help" {
		return help(path, list, args[1:], out)
	}
	if name := args[0]; path == "waxwing" && (name == "--version" || name == "-version") {
		args = append([]string{"version"}, args[1:]...) // what people try first
	}
	for _, c := range list {
		if c.name != args[0] {
			continue
		}
		if c.sub != nil {
			return dispatch(ctx, path+" "+c.name, c.sub, args[1:], out)
		}
		flags := flag.NewFlagSet(path+" "+c.name, flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		flags.Usage = func() {} // help is printed below, mistakes by run
		err := c.run(ctx, flags, args[1:], out)
		if errors.Is(err, flag.ErrHelp) {
			c.help(out.stdout, path, flags)
			return nil
		}
		return err
	}
	return usageError(fmt.Sprintf("unknown command %q; `%s help` lists what there is", strings.TrimSpace(args[0]), path))
}

// parse reads the flags of a command. Its errors are usage errors, and flag.ErrHelp.
func parse(flags *flag.FlagSet, args []string) error {
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return usageError(fmt.Sprintf("%s; see `%s --help`", twoDashes.Replace(err.Error()), flags.Name()))
	case flags.NArg() > 0:
		return usageError(fmt.Sprintf("unexpected argument %q; see `%s --help`", flags.Arg(0), flags.Name()))
	}
	return nil
}

// twoDashes writes the flags in errors of package flag the way this command line does.
var twoDashes = strings.NewReplacer("defined: -", "defined: --", "argument: -", "argument: --", "for flag -", "for flag --")
