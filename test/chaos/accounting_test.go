// Package chaos lets everything go wrong that can, and then proves from the books of the simulated WhatsApp that every message and
// every webhook is accounted for.
//
// Three processes are real: the node, which dies and comes back on the same data; the simulated WhatsApp, which lives through it
// and is the truth; and this test, which sends, lets customers write, and receives the events. Trouble comes in seasons, one kind
// after the other and at last all together. After each, applications and customers rest until both sides' books agree, and each
// message is held against the truth.
//
// All moments come from a seed, which a failure prints; WAXWING_CHAOS_SEED repeats it as far as the machine allows. WAXWING_CHAOS=10m
// makes the seasons longer and repeats them, and lets the node's clock jump, for which Go's own is built anew.
package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/bench"
)

// world is everything that takes part.
type world struct {
	sim    simulator
	node   *victim
	api    api
	client *bench.Client
	books  *books
	disk   *disk         // nil when file systems cannot be mounted here
	clock  *clock        // nil when the node's clock cannot be moved
	length time.Duration // of a season
	kills  int           // kill -9 so far

	mu     sync.Mutex
	random *rand.Rand
}

func TestAccounting(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	if withDisk(t) {
		return
	}
	budget, seed := environment(t)
	w := newWorld(t, seed, budget > 0)
	var total ledger
	begun := time.Now()
	t.Cleanup(func() {
		t.Logf("%v, %d lives of the node, %d times killed, seed %d\n%s", time.Since(begun).Round(time.Second), w.node.lives, w.kills, seed, &total)
		if t.Failed() {
			t.Logf("repeat with WAXWING_CHAOS_SEED=%d; the node's log ends with:\n%s", seed, w.node.log())
		}
	})
	for round := 1; round == 1 || time.Since(begun) < budget; round++ {
		for _, s := range seasons(w) {
			total.add(s.name, w.live(t, s, round))
			if t.Failed() {
				return
			}
		}
	}
	total.check(t)
	if w.kills < fewestKills {
		t.Errorf("the node was killed only %d times, want at least %d", w.kills, fewestKills)
	}
}

// A short run kills the node for so long, which is at least so often.
const (
	killsFor    = 16 * time.Second
	fewestKills = 20
)

// newWorld starts the simulated WhatsApp and the node, and subscribes to its events.
func newWorld(t *testing.T, seed uint64, long bool) *world {
	t.Helper()
	w := &world{random: rand.New(rand.NewPCG(seed, 1)), books: newBooks(), length: 4 * time.Second}
	var overlay string
	if long {
		w.length = 25 * time.Second
		w.clock, overlay = newClock(t)
	}
	binary := build(t, overlay)
	port := freePort(t)
	whatsApp, err := bench.Start(t.Context(), "simulated WhatsApp at ", binary, "simulate", "--quiet", "--listen", "127.0.0.1:0",
		"--webhook-url", fmt.Sprintf("http://127.0.0.1:%d/webhooks/meta", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(whatsApp.Kill)
	w.sim = simulator(whatsApp.Line)
	w.sim.put(t, "settings", fmt.Sprintf(settings, seed))

	data := t.TempDir()
	if w.disk = newDisk(); w.disk != nil {
		data = w.disk.path
	}
	endpoint := fmt.Sprintf("http://127.0.0.1:%d", port)
	w.api = api(endpoint)
	w.node = &victim{binary: binary, data: data, env: w.clock.env(), args: []string{"dev", "--quiet", "--data", data, "--listen", fmt.Sprintf("127.0.0.1:%d", port),
		"--set", "ops_listen=", "--set", "meta.base_url=" + string(w.sim), "--set", "meta.timeout=1s", "--set", "handover.backoff_min=50ms",
		"--set", "handover.backoff_max=500ms", "--set", "handover.in_doubt_wait=1500ms", "--set", "auth.clock_skew=3h",
	}}
	for _, operation := range []string{"SendWhatsAppMessage", "GetMessage", "GetEventDestination", "ListDeadLetters", "ResumeEventDestination"} {
		w.node.args = append(w.node.args, "--set", "limits."+operation+"=100000")
	}
	t.Cleanup(func() { w.node.kill() })
	if w.client, err = bench.NewClient(bench.Target{Endpoint: endpoint}, senders); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	sink, err := bench.NewSubscriber(w.books.event)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	w.node.start(t)
	w.ready(t)
	if err := sink.Subscribe(t.Context(), w.client, bench.TopicARN); err != nil {
		t.Fatal(err)
	}
	return w
}

// live lets a season pass, waits until nothing moves any more, and draws up the account.
func (w *world) live(t *testing.T, s season, round int) account {
	t.Helper()
	w.node.kill()
	w.node.set = s.set
	w.node.start(t)
	w.ready(t)
	w.sim.put(t, "faults", `{"rules":[`+s.rules+`]}`)
	taken := w.sim.webhooks(t)
	receivers := w.receivers(t, s)

	length := w.length
	if s.kills {
		length = max(length, killsFor)
	}
	ctx, quiet := context.WithTimeout(t.Context(), length)
	traffic := start(ctx, w, s, round)
	if s.strike != nil {
		s.strike(ctx, t)
	}
	<-ctx.Done()
	quiet()
	traffic.Wait()
	w.clock.jump(0)
	w.ready(t)
	entries := w.settle(t, receivers)
	a := w.audit(t, s, entries)
	a.webhooks = w.sim.webhooks(t).Delivered - taken.Delivered
	w.close(t, receivers)
	w.books.forget(entries)
	return a
}

// environment returns for how long to go on, and the seed.
func environment(t *testing.T) (budget time.Duration, seed uint64) {
	t.Helper()
	var err error
	if v := os.Getenv("WAXWING_CHAOS"); v != "" {
		if budget, err = time.ParseDuration(v); err != nil {
			t.Fatalf("WAXWING_CHAOS: %v", err)
		}
	}
	if v := os.Getenv("WAXWING_CHAOS_SEED"); v != "" {
		if seed, err = strconv.ParseUint(v, 10, 64); err != nil {
			t.Fatalf("WAXWING_CHAOS_SEED: %v", err)
		}
		return budget, seed
	}
	return budget, rand.Uint64() >> 16
}

// build makes the program, with some of Go's own files replaced if overlay names them.
func build(t *testing.T, overlay string) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "waxwing")
	args := []string{"build", "-o", binary}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	if out, err := exec.CommandContext(t.Context(), "go", append(args, "../../cmd/waxwing")...).CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return binary
}

// freePort finds a port that the node can have in all its lives.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}
