package chaos

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// victim is a node that is killed and started again with the same arguments.
type victim struct {
	binary string
	data   string
	args   []string
	set    []string // settings of the season
	bound  []string // settings that bound the database
	env    []string
	cmd    *exec.Cmd
	ended  chan struct{} // closed when the process is gone
	lives  int
	stderr output
}

func (v *victim) start(t *testing.T) {
	t.Helper()
	args := slices.Clone(v.args)
	for _, setting := range slices.Concat(v.set, v.bound) {
		args = append(args, "--set", setting)
	}
	v.cmd = exec.Command(v.binary, args...)
	v.cmd.Env = append(os.Environ(), v.env...)
	v.cmd.Stderr = &v.stderr
	v.lives++
	if err := v.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	cmd, ended := v.cmd, make(chan struct{})
	v.ended = ended
	go func() {
		cmd.Wait() //nolint:errcheck // it was killed, or its log tells
		close(ended)
	}()
}

// kill is kill -9, and waits until the process is gone.
func (v *victim) kill() {
	v.cmd.Process.Kill() //nolint:errcheck // it may have ended by itself
	<-v.ended
}

// supervise starts a node again that has ended by itself, as whatever looks after services does: on a full disk it does not start.
func (v *victim) supervise(t *testing.T) {
	t.Helper()
	select {
	case <-v.ended:
		v.start(t)
	default:
	}
}

// bounded goes on with a database that is about to reach its largest size. The node stops in peace before, which leaves everything in
// one file.
func (v *victim) bounded(t *testing.T) {
	t.Helper()
	v.cmd.Process.Signal(os.Interrupt) //nolint:errcheck // it may have ended by itself
	<-v.ended
	file, err := os.Stat(filepath.Join(v.data, "waxwing.db"))
	if err != nil {
		t.Fatal(err)
	}
	v.bound = []string{"store.min_free=512KiB", fmt.Sprintf("store.max_size=%d", max(file.Size()+640<<10, 2<<20))}
	v.start(t)
}

// unbounded goes on without that.
func (v *victim) unbounded(t *testing.T) {
	t.Helper()
	v.kill()
	v.bound = nil
	v.start(t)
}

// log is the end of what all lives have logged.
func (v *victim) log() string { return v.stderr.tail(8 << 10) }

// output collects what processes write one after the other.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) tail(n int) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := o.buf.Bytes()
	return string(all[max(0, len(all)-n):])
}
