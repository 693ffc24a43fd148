// Package chaos kills a working node with SIGKILL, again and again, and then proves from the books of the simulated WhatsApp that
// nothing which was acknowledged is lost.
//
// Three processes are real: the node, which dies and comes back on the same data; the simulated WhatsApp, which lives through it
// and is the truth; and this test, which sends, lets customers write, and subscribes to the events. All moments come from a seed,
// which a failure prints; WAXWING_CHAOS_SEED repeats it as far as the machine allows. WAXWING_CHAOS=10m makes it last longer.
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

const (
	kills     = 20 // in a round
	senders   = 8
	sendEvery = 90 * time.Millisecond // and sender: together a little more than a number may send, so that a queue builds up
	writers   = 4
	saysEvery = 200 * time.Millisecond
	retryIn   = 20 * time.Millisecond // after the node was not there
	phoneID   = "phone-number-id-00000000000000000000000000000001"
	metaID    = "1100000000000001" // Meta's id of the number
)

// shortestLife and longestLife of the node, from the start of its process: some do not live to be ready.
const (
	shortestLife = 20 * time.Millisecond
	longestLife  = 1500 * time.Millisecond
)

// settings of the simulated WhatsApp: it is quick, comes back soon after a refusal, and leaves rates to us.
const settings = `{"sent_ms":20,"delivered_ms":60,"retry_min_ms":50,"retry_max_ms":250,"throughput":false,"seed":%d}`

// faults of the simulated WhatsApp: now and then it takes a message and hangs up, fails, or tells twice and out of order.
const faults = `{"rules":[
 {"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"cut":"after"}},
 {"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"cut":"before"}},
 {"match":{"edge":"messages"},"when":{"probability":0.02},"effect":{"code":2,"http_status":500}},
 {"match":{"edge":"messages"},"when":{"probability":0.05},"effect":{"webhooks":{"duplicate":1}}},
 {"match":{"edge":"messages"},"when":{"probability":0.05},"effect":{"webhooks":{"reorder":true}}},
 {"match":{"edge":"inbound"},"when":{"probability":0.05},"effect":{"webhooks":{"duplicate":1}}}]}`

func TestKillLoop(t *testing.T) {
	if testing.Short() {
		t.Skip("takes most of a minute")
	}
	budget, seed := environment(t)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("repeat with WAXWING_CHAOS_SEED=%d", seed)
		}
	})
	binary := build(t)
	port := freePort(t)
	whatsApp, err := bench.Start(t.Context(), "simulated WhatsApp at ", binary, "simulate", "--quiet", "--listen", "127.0.0.1:0",
		"--webhook-url", fmt.Sprintf("http://127.0.0.1:%d/webhooks/meta", port))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(whatsApp.Kill)
	sim := simulator(whatsApp.Line)
	sim.put(t, "settings", fmt.Sprintf(settings, seed))
	sim.put(t, "faults", faults)

	node := &victim{binary: binary, args: []string{"dev", "--quiet", "--data", t.TempDir(), "--listen", fmt.Sprintf("127.0.0.1:%d", port),
		"--set", "ops_listen=", "--set", "meta.base_url=" + string(sim), "--set", "handover.backoff_min=50ms", "--set", "handover.backoff_max=500ms",
		"--set", "handover.in_doubt_wait=1500ms", "--set", "limits.SendWhatsAppMessage=100000"}}
	client, err := bench.NewClient(bench.Target{Endpoint: fmt.Sprintf("http://127.0.0.1:%d", port)}, senders)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	books := newBooks()
	sink, err := bench.NewSubscriber(books.event)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })

	node.start(t)
	t.Cleanup(node.kill)
	subscribe(t, sink, client)
	random := rand.New(rand.NewPCG(seed, 1))
	begun := time.Now()
	for round := 1; round == 1 || time.Since(begun) < budget; round++ {
		ctx, quiet := context.WithCancel(t.Context())
		traffic := start(ctx, client, sim, books, round)
		for range kills {
			pause(t, shortestLife+time.Duration(random.Int64N(int64(longestLife-shortestLife))))
			node.kill()
			pause(t, time.Duration(random.Int64N(int64(200*time.Millisecond))))
			node.start(t)
		}
		quiet()
		traffic.Wait()
		report := books.settle(t, sim)
		t.Logf("round %d: %d kills; %s", round, kills, report)
		if t.Failed() {
			t.Log(node.log())
			return
		}
	}
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

func build(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "waxwing")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/waxwing").CombinedOutput(); err != nil {
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

// subscribe tries until the node's first life is ready.
func subscribe(t *testing.T, sink *bench.Subscriber, client *bench.Client) {
	t.Helper()
	var err error
	for range 500 {
		if err = sink.Subscribe(t.Context(), client, bench.TopicARN); err == nil {
			return
		}
		pause(t, retryIn)
	}
	t.Fatal(err)
}

// start lets applications send and customers write until ctx ends.
func start(ctx context.Context, client *bench.Client, sim simulator, books *books, round int) *sync.WaitGroup {
	var traffic sync.WaitGroup
	for i := range senders {
		traffic.Go(func() {
			for n := 0; wait(ctx, sendEvery); n++ {
				send(ctx, client, books, round, i, n)
			}
		})
	}
	for i := range writers {
		traffic.Go(func() {
			for wait(ctx, saysEvery) {
				if wamid, err := sim.customerWrites(ctx, fmt.Sprintf("1425555%04d", i)); err == nil {
					books.wrote(wamid)
				}
			}
		})
	}
	return &traffic
}

// send makes a call the way applications do: every other one tries again, as the same call, until it has an answer; the others
// give up. Only what was acknowledged goes on the books.
func send(ctx context.Context, client *bench.Client, books *books, round, sender, n int) {
	message := fmt.Sprintf(`{"messaging_product":"whatsapp","to":"+4479%02d%02d%05d","type":"template","template":{"name":"hello_world","language":{"code":"en_US"}}}`,
		round%100, sender, n)
	body := bench.Compose(nil, phoneID, []byte(message))
	invocation := fmt.Sprintf("%d-%d-%d", round, sender, n)
	for {
		id, err := client.Send(ctx, body, invocation)
		if err == nil {
			books.acknowledged(id)
			return
		}
		if n%2 == 1 || !wait(ctx, retryIn) {
			return
		}
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func pause(t *testing.T, d time.Duration) {
	t.Helper()
	if !wait(t.Context(), d) {
		t.Fatal("the test was stopped")
	}
}
