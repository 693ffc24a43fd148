package bench

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

const startHelp = `
Starts ` + "`waxwing dev --ephemeral`" + ` several times and prints how long it took until it was ready, and how much memory it has
after a while without any work. Memory is known on Linux only.
`

func runStart(ctx context.Context, flags *flag.FlagSet, args []string, stdout, _ io.Writer) error {
	runs := flags.Int("runs", 5, "`count` of starts")
	idle := flags.Duration("idle", 2*time.Second, "`time` without work before memory is looked at")
	if err := parse(flags, args); err != nil {
		return err
	}
	if *runs < 1 || *runs > 1000 || *idle < 0 {
		return usage("--runs must be from 1 to 1000, and --idle not negative")
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	return measureStart(ctx, *runs, *idle, stdout, self, "dev", "--ephemeral", "--quiet", "--listen", "127.0.0.1:0", "--meta-listen", "127.0.0.1:0",
		"--ops-listen", "127.0.0.1:0")
}

func measureStart(ctx context.Context, runs int, idle time.Duration, stdout io.Writer, program string, args ...string) error {
	var ready []time.Duration
	var memory []int64
	for range runs {
		p, err := Start(ctx, exports, program, args...)
		if err != nil {
			return err
		}
		ready = append(ready, p.Ready)
		if !wait(ctx, time.Now().Add(idle)) {
			return errors.Join(ctx.Err(), p.Stop())
		}
		if rss, err := residentBytes(p.PID()); err == nil {
			memory = append(memory, rss)
		}
		if err := p.Stop(); err != nil {
			return err
		}
	}
	slices.Sort(ready)
	fmt.Fprintf(stdout, "ready in   %7s  (median of %d, longest %s)\n", milliseconds(ready[len(ready)/2]), len(ready), milliseconds(ready[len(ready)-1]))
	if len(memory) > 0 {
		slices.Sort(memory)
		fmt.Fprintf(stdout, "memory     %4d MiB  (resident after %v, median)\n", memory[len(memory)/2]>>20, idle)
	}
	return nil
}

// residentBytes is how much of a process is in memory.
func residentBytes(pid int) (int64, error) { return memoryOf(pid, "VmRSS:") }

// memoryOf reads a line of a process's status.
func memoryOf(pid int, line string) (int64, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), line); ok {
			kib, err := strconv.ParseInt(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "kB")), 10, 64)
			return kib << 10, err
		}
	}
	return 0, errors.New("the system does not tell")
}

// processorOf is the processor time a running process has taken so far.
func processorOf(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ") // behind the name, which may hold anything
	fields := strings.Fields(rest)
	const user, system, perSecond = 11, 12, 100 // from the state on; the kernel tells hundredths of a second
	if len(fields) <= system {
		return 0, errors.New("the system does not tell")
	}
	total := time.Duration(0)
	for _, field := range fields[user : system+1] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(ticks) * time.Second / perSecond
	}
	return total, nil
}
