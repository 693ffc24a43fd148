package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/app"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

const nodeHelp = `
Runs a node and a simulated WhatsApp like ` + "`waxwing dev --ephemeral`" + `, in a world that is made for load: as many fast phone
numbers as asked for. It listens on free ports, prints where, and stops when its standard input is closed. The other measurements
start it by themselves; on its own it serves for profiling while something else makes the load.
`

func runNode(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) error {
	numbers := flags.Int("numbers", 0, "`count` of phone numbers that send 1,000 messages a second each; 0 is the development world")
	sent := flags.Int("sent", 0, "`count` of messages that were handed over before, so that callbacks can be about them")
	null := flags.Bool("null", false, "answer every request with the same messageId at once, and do nothing else")
	dir := flags.String("dir", "", "`directory` to make the temporary data in (default the system's)")
	var sets []string
	declareSet(flags, &sets)
	if err := parse(flags, args); err != nil {
		return err
	}
	if *numbers < 0 || *numbers > 1000 {
		return usage("--numbers must be from 0 to 1000")
	}
	if *sent < 0 || *sent > 10_000_000 {
		return usage("--sent must be from 0 to 10,000,000")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() { // the parent is gone when this ends
		io.Copy(io.Discard, os.Stdin) //nolint:errcheck // either way
		stop()
	}()
	if *null {
		return serveNull(ctx, stdout)
	}
	data, err := os.MkdirTemp(*dir, "waxwing-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(data)
	cfg := config.Dev(data)
	quiet := []string{"listen=127.0.0.1:0", "meta_listen=127.0.0.1:0", "ops_listen=127.0.0.1:0", "log.level=warn",
		"limits.SendWhatsAppMessage=1000000"}
	if err := cfg.Override(append(quiet, sets...)); err != nil {
		return err
	}
	world := sim.SeededWorld()
	if *numbers > 0 {
		world = fastWorld(*numbers)
	}
	if err := seedHandedOver(ctx, cfg.SQLitePath(), *sent, max(*numbers, 1)); err != nil {
		return fmt.Errorf("make messages: %w", err)
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	a, err := app.New(ctx, app.Options{Config: cfg, Dev: true, World: &world, Logger: log, Ready: func(a *app.App) {
		fmt.Fprintf(stdout, "export %s=http://%s %s=http://%s %s=http://%s\n", envEndpoint, a.APIAddr(), envSimulator, a.MetaAddr(), envOps, a.OpsAddr())
	}})
	if err != nil {
		return err
	}
	return a.Run(ctx)
}

// serveNull reads requests and answers them: what HTTP alone costs between two processes.
func serveNull(ctx context.Context, stdout io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Write([]byte(`{"messageId":"00000000-0000-7000-8000-000000000000"}`)) //nolint:errcheck // the client is gone when it fails
	})}
	defer context.AfterFunc(ctx, func() { s.Close() })()
	fmt.Fprintf(stdout, "export %s=http://%s\n", envEndpoint, l.Addr())
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// fastWorld is one account with numbers of the highest throughput.
func fastWorld(numbers int) sim.World {
	w := sim.SeededWorld()
	acct := &w.Accounts[0]
	acct.Numbers = make([]sim.Number, numbers)
	for i := range acct.Numbers {
		acct.Numbers[i] = sim.Number{ID: fmt.Sprintf("11000000000%05d", i+1), Phone: fmt.Sprintf("+1555020%04d", i), VerifiedName: fmt.Sprintf("Fast %d", i+1),
			Throughput: sim.ThroughputHigh}
	}
	w.Accounts = w.Accounts[:1]
	return w
}

// The n-th seeded phone number, and the topic its events go to.
func phoneNumberID(n int) string { return fmt.Sprintf("phone-number-id-%032d", n) }

// TopicARN is where the events of the development world go.
const TopicARN = "arn:aws:sns:us-east-1:" + config.DevAccountID + ":whatsapp-events"

// What a node exports. The first is what `waxwing dev` exports too.
const (
	envEndpoint  = "AWS_ENDPOINT_URL"
	envSimulator = "WAXWING_SIMULATOR_URL"
	envOps       = "WAXWING_OPS_URL"
)

// exports is how the line begins with which a node says that it is ready.
const exports = "export "

// Process is a program that runs in the background and has said that it is ready.
type Process struct {
	Ready time.Duration     // from the start to the line that said so
	Line  string            // the rest of that line
	Env   map[string]string // the variables it sets, if they are exports
	cmd   *exec.Cmd
	stdin io.Closer
	log   *tail
	ended chan struct{} // closed once it has ended
	err   error         // how, valid after ended
}

// Start runs a program until ctx ends or it is stopped, and waits until it prints a line that begins with a sign. What the
// program logs is kept for when it fails.
func Start(ctx context.Context, sign, program string, args ...string) (*Process, error) {
	p := &Process{Env: map[string]string{}, cmd: exec.CommandContext(ctx, program, args...), log: &tail{}, ended: make(chan struct{})}
	p.cmd.Stderr = p.log
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 15 * time.Second
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = write
	begin := time.Now()
	err = p.cmd.Start()
	write.Close()
	if err != nil {
		read.Close()
		return nil, err
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	defer func() { go func() { io.Copy(io.Discard, read); read.Close() }() }() //nolint:errcheck // nobody reads on
	lines := bufio.NewScanner(read)
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), sign)
		if !ok {
			continue
		}
		p.Ready, p.Line = time.Since(begin), rest
		for word := range strings.FieldsSeq(rest) {
			if name, value, ok := strings.Cut(word, "="); ok {
				p.Env[name] = value
			}
		}
		return p, nil
	}
	<-p.ended
	return nil, fmt.Errorf("%s ended before it was ready: %w\n%s", strings.Join(p.cmd.Args, " "), errors.Join(p.err, lines.Err()), p.log)
}

// Stop asks the program to end and waits until it has. The error says if it did not end well.
func (p *Process) Stop() error {
	p.stdin.Close()
	p.cmd.Process.Signal(syscall.SIGTERM) //nolint:errcheck // it may have ended
	<-p.ended
	if p.err != nil {
		return fmt.Errorf("%w\n%s", p.err, p.log)
	}
	return nil
}

// Processor is the processor time that the program took, user and system together. It is known once the program has ended.
func (p *Process) Processor() time.Duration {
	<-p.ended
	return p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
}

// Kill ends the program at once, as kill -9 does, and waits until it is gone.
func (p *Process) Kill() {
	p.cmd.Process.Kill() //nolint:errcheck // it may have ended
	<-p.ended
}

// PID is the process's id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Log is the end of what the program has logged.
func (p *Process) Log() string { return p.log.String() }

// tail keeps the end of what is written to it.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const tailSize = 16 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.buf.Write(p)
	if over := t.buf.Len() - 2*tailSize; over > 0 {
		t.buf.Next(over + tailSize)
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// ownNode is a node that a measurement starts for itself.
type ownNode struct {
	dir  string
	sets []string
}

func (n *ownNode) declare(flags *flag.FlagSet) {
	flags.StringVar(&n.dir, "dir", "", "`directory` for the temporary data of the node (default the system's)")
	declareSet(flags, &n.sets)
}

// start runs the node as a child process, with flags of bench node.
func (n *ownNode) start(ctx context.Context, args ...string) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args = append([]string{"bench", "node", "--dir", n.dir}, args...)
	for _, set := range n.sets {
		args = append(args, "--set", set)
	}
	return Start(ctx, exports, self, args...)
}

// drivenNode is such a node under load on several phone numbers, watched until nothing moves any more.
type drivenNode struct {
	ownNode
	numbers     int
	connections int
	rate        float64
	patience    time.Duration
}

func (n *drivenNode) declare(flags *flag.FlagSet) {
	flags.DurationVar(&n.patience, "patience", 10*time.Second, "`time` without any progress after which what is missing is lost")
	n.ownNode.declare(flags)
}

func (n *drivenNode) check() error {
	switch {
	case n.numbers < 1 || n.numbers > 1000:
		return usage("--numbers must be from 1 to 1000")
	case n.connections < 1 || n.connections > maxConnections:
		return usage(fmt.Sprintf("--connections must be from 1 to %d", maxConnections))
	case n.rate < 0:
		return usage("--rate must not be negative")
	case n.patience <= 0:
		return usage("--patience must be positive")
	}
	return nil
}

// start runs the node and tells where its profiles are.
func (n *drivenNode) start(ctx context.Context, stderr io.Writer, args ...string) (*Process, error) {
	child, err := n.ownNode.start(ctx, append([]string{"--numbers", strconv.Itoa(n.numbers)}, args...)...)
	if err == nil {
		fmt.Fprintf(stderr, "profiles at %s/debug/pprof/\n", child.Env[envOps])
	}
	return child, err
}
