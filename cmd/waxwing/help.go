package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// help answers `waxwing help [command …]`.
func help(path string, list []command, args []string, out output) error {
	if len(args) == 0 {
		listCommands(out.stdout, path, list)
		return nil
	}
	// A command prints its own help, with the flags it declares, when it is run with --help.
	return dispatch(context.Background(), path, list, append(args[:len(args):len(args)], "--help"), out)
}

func listCommands(w io.Writer, path string, list []command) {
	if path == "waxwing" {
		fmt.Fprint(w, "Waxwing is a self-hosted WhatsApp messaging service that speaks the AWS End User Messaging Social API.\n\n")
	}
	fmt.Fprintf(w, "Usage: %s <command> [flags]\n\n", path)
	for _, c := range list {
		fmt.Fprintf(w, "  %-11s %s\n", c.name, c.summary)
	}
	fmt.Fprintf(w, "\n`%s help <command>` tells more about one of them.\n", path)
}

// help prints what a command does and every flag it has declared.
func (c *command) help(w io.Writer, path string, flags *flag.FlagSet) {
	fmt.Fprintf(w, "Usage: %s\n\n%s\n", strings.TrimSpace(path+" "+c.name+" "+c.args), strings.TrimSpace(c.details))
	first := true
	flags.VisitAll(func(f *flag.Flag) {
		if first {
			fmt.Fprint(w, "\nFlags:\n")
			first = false
		}
		arg, usage := flag.UnquoteUsage(f)
		name := strings.TrimSpace("--" + f.Name + " " + arg)
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" {
			usage += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, "  %-22s %s\n", name, usage)
	})
}
