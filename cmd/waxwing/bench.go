package main

import (
	"context"
	"flag"

	"github.com/waxwing-messaging/waxwing/internal/bench"
)

// runBench leaves flags and help to the load generator, which has commands of its own.
func runBench(ctx context.Context, _ *flag.FlagSet, args []string, out output) error {
	if status := bench.Main(ctx, args, out.stdout, out.stderr); status != 0 {
		return exitStatus(status)
	}
	return nil
}
