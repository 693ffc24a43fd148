package chaos

import (
	"encoding/binary"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// clock moves the wall clock of the node. A static program cannot be lied to from outside, and the machine's own clock is
// everybody's; so the node is built with a copy of Go's time.Now that adds what stands in a file. Timers are not touched: the
// monotonic clock does not jump on a real machine either.
type clock struct{ path string }

const clockVariable = "WAXWING_CHAOS_CLOCK"

// skewSource is added to Go's package time.
const skewSource = `package time

import (
	"sync/atomic"
	"syscall"
	"unsafe"
)

var skewPage []byte

func init() {
	path, ok := syscall.Getenv("` + clockVariable + `")
	if !ok {
		return
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err == nil {
		skewPage, err = syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	}
	if err != nil {
		panic("the clock of the test: " + err.Error())
	}
}

func skew() int64 {
	if skewPage == nil {
		return 0
	}
	return atomic.LoadInt64((*int64)(unsafe.Pointer(&skewPage[0])))
}
`

// newClock prepares the clock, and the overlay that the node has to be built with.
func newClock(t *testing.T) (c *clock, overlay string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(strings.TrimSpace(string(out)), "src", "time", "time.go")
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	const reading = "\tsec, nsec, mono := runtimeNow()\n"
	if strings.Count(string(source), reading) != 1 {
		t.Fatal("this release of Go reads its clock in another way: the test has to learn it")
	}
	dir := t.TempDir()
	files := map[string]string{
		original: strings.Replace(string(source), reading, reading+"\tsec += skew()\n", 1),
		filepath.Join(filepath.Dir(original), "waxwing_skew.go"): skewSource,
	}
	replace := map[string]string{}
	for path, content := range files {
		replace[path] = filepath.Join(dir, filepath.Base(path))
		if err := os.WriteFile(replace[path], []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	overlay = filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(overlay, list, 0o600); err != nil {
		t.Fatal(err)
	}
	c = &clock{path: filepath.Join(dir, "clock")}
	if err := os.WriteFile(c.path, make([]byte, 8), 0o600); err != nil {
		t.Fatal(err)
	}
	return c, overlay
}

// env is what the node has to be started with. A nil clock is everybody's.
func (c *clock) env() []string {
	if c == nil {
		return nil
	}
	return []string{clockVariable + "=" + c.path}
}

// jump sets the node's clock so far ahead of the machine's.
func (c *clock) jump(ahead time.Duration) {
	if c == nil {
		return
	}
	f, err := os.OpenFile(c.path, os.O_WRONLY, 0)
	if err != nil {
		return // the test is over
	}
	defer f.Close()
	f.Write(binary.NativeEndian.AppendUint64(nil, uint64(int64(ahead/time.Second))))
}
