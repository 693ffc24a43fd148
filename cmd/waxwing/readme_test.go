package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestReadmeStory types the README's story as it is written, on ports of its own. It needs the programs that the story uses.
func TestReadmeStory(t *testing.T) {
	t.Parallel()
	for _, program := range []string{"aws", "node", "curl", "bash"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skipf("the story needs %s", program)
		}
	}
	blocks := storyBlocks(t)
	api, meta, sink := freePort(t), freePort(t), freePort(t)
	ports := strings.NewReplacer("127.0.0.1:7767", "127.0.0.1:"+meta, "127.0.0.1:9999", "127.0.0.1:"+sink, "listen(9999)", "listen("+sink+")")
	for i := range blocks {
		blocks[i] = ports.Replace(blocks[i])
	}

	env := story{t: t, env: append(os.Environ(), "HOME="+t.TempDir(), "AWS_CONFIG_FILE="+cliConfig(t), "AWS_PAGER=")}
	var server, listener transcript
	env.background(&server, "waxwing", "dev", "--ephemeral", "--listen", "127.0.0.1:"+api, "--meta-listen", "127.0.0.1:"+meta, "--ops-listen", "")
	server.await(t, "AWS_SECRET_ACCESS_KEY")
	for _, pair := range exports(server.String()) {
		env.env = append(env.env, pair[0]+"="+pair[1])
	}

	env.background(&listener, "bash", "-c", "exec "+strings.TrimLeft(blocks[0], "\n"))
	awaitPort(t, sink)
	env.run(blocks[1])
	listener.await(t, "subscribed")
	id := regexp.MustCompile(`"messageId": "(.*)"`).FindStringSubmatch(env.run(blocks[2]))
	if id == nil {
		t.Fatal("no messageId")
	}
	for _, status := range []string{"accepted", "sent", "delivered"} {
		listener.await(t, fmt.Sprintf("%-10s %s", status, id[1]))
	}
	env.run(blocks[3])
	listener.await(t, "Diego wrote: That was quick!")
	if got := len(blocks); got != 4 {
		t.Errorf("the story has %d blocks of commands, this test knows 4", got)
	}
}

// storyBlocks returns the commands of the story in the README.
func storyBlocks(t *testing.T) (blocks []string) {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "\n## Sixty seconds\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	for _, m := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(section, -1) {
		blocks = append(blocks, m[1])
	}
	if len(blocks) < 4 {
		t.Fatalf("the README's story has only %d blocks of commands", len(blocks))
	}
	return blocks
}

// cliConfig is what the README tells users of version 2 of the AWS CLI.
func cliConfig(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(path, []byte("[default]\ncli_binary_format = raw-in-base64-out\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// story runs commands in one environment.
type story struct {
	t   *testing.T
	env []string
}

func (s *story) run(script string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("%v\n%s\n%s", err, script, out)
	}
	return string(out)
}

// background runs a command until the test ends, interrupted then as by Ctrl-C.
func (s *story) background(out io.Writer, name string, args ...string) {
	s.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env, cmd.Stdout = s.env, out
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGINT) //nolint:errcheck // it may have ended by itself
		err := cmd.Wait()
		if s.t.Failed() {
			s.t.Logf("%s: %v\n%s", name, err, errs.String())
		}
	})
}

// transcript collects output.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *transcript) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *transcript) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func (o *transcript) await(t *testing.T, text string) {
	t.Helper()
	waitFor(t, func() bool { return strings.Contains(o.String(), text) }, func() string { return fmt.Sprintf("%q in:\n%s", text, o.String()) })
}

func awaitPort(t *testing.T, port string) {
	t.Helper()
	waitFor(t, func() bool {
		c, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			c.Close()
		}
		return err == nil
	}, func() string { return "port " + port })
}

func waitFor(t *testing.T, ok func() bool, what func() string) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s", what())
		}
	}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}
