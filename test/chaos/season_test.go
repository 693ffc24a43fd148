package chaos

import (
	"context"
	"sync"
	"testing"
	"time"
)

// season is a time of one kind of trouble.
type season struct {
	name   string
	set    []string // settings of the node
	rules  string   // of the simulated WhatsApp
	strike func(ctx context.Context, t *testing.T)
	// doomed lets some messages be for recipients that WhatsApp refuses at once, later, or never answers for.
	doomed bool
	// receivers adds destinations that are dead, slow and flapping.
	receivers bool
	// full says that there is no room for what is sent, some of the time.
	full bool
	// kills says that the node dies at any moment: then a message may, rarely, be sent twice.
	kills bool
}

// settings of the simulated WhatsApp: it is quick, comes back soon after a refusal, and leaves rates to us.
const settings = `{"sent_ms":20,"delivered_ms":60,"retry_min_ms":50,"retry_max_ms":250,"throughput":false,"seed":%d}`

// Recipients with a fate, in seasons that have them.
const (
	neverAnswered = "447700900001"
	refusedAtOnce = "447700900002"
	refusedLater  = "447700900003"
)

var fates = [...]string{neverAnswered, refusedAtOnce, refusedLater}

// Rules of the simulated WhatsApp.
const (
	upstreamRules = `
	{"match":{"edge":"messages","to":"` + neverAnswered + `"},"effect":{"code":2,"http_status":500}},
	{"match":{"edge":"messages","to":"` + refusedAtOnce + `"},"effect":{"code":131009}},
	{"match":{"edge":"messages","to":"` + refusedLater + `"},"effect":{"code":131026}},
	{"match":{"edge":"messages"},"when":{"probability":0.03},"effect":{"cut":"before"}},
	{"match":{"edge":"messages"},"when":{"probability":0.03},"effect":{"cut":"after"}},
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"cut":"after","delay_ms":1200}},
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"delay_ms":1200}},
	{"match":{"edge":"messages"},"when":{"probability":0.03},"effect":{"code":2,"http_status":500}},
	{"match":{"edge":"messages"},"when":{"probability":0.02},"effect":{"http_status":503}},
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"code":131056}},
	{"match":{"edge":"messages"},"when":{"next":1},"effect":{"code":130429}}`
	webhookRules = `
	{"match":{"edge":"messages"},"when":{"probability":0.2},"effect":{"webhooks":{"duplicate":2}}},
	{"match":{"edge":"messages"},"when":{"probability":0.2},"effect":{"webhooks":{"reorder":true}}},
	{"match":{"edge":"messages"},"when":{"probability":0.1},"effect":{"webhooks":{"delay_ms":400}}},
	{"match":{"edge":"messages"},"when":{"probability":0.02},"effect":{"webhooks":{"signature":"wrong"}}},
	{"match":{"edge":"messages"},"when":{"probability":0.1},"effect":{"webhooks":{"before_reply":true}}},
	{"match":{"edge":"messages"},"when":{"probability":0.05},"effect":{"webhooks":{"drop":true}}},
	{"match":{"edge":"messages"},"when":{"probability":0.05},"effect":{"cut":"after"}},
	{"match":{"edge":"inbound"},"when":{"probability":0.2},"effect":{"webhooks":{"duplicate":1}}},
	{"match":{"edge":"inbound"},"when":{"probability":0.2},"effect":{"webhooks":{"reorder":true}}}`
	everyRule = `
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"cut":"after"}},
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"cut":"before"}},
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"cut":"after","delay_ms":1200}},
	{"match":{"edge":"messages"},"when":{"probability":0.02},"effect":{"code":2,"http_status":500}},
	{"match":{"edge":"messages"},"when":{"probability":0.05},"effect":{"webhooks":{"duplicate":1}}},
	{"match":{"edge":"messages"},"when":{"probability":0.05},"effect":{"webhooks":{"reorder":true}}},
	{"match":{"edge":"messages"},"when":{"probability":0.01},"effect":{"webhooks":{"signature":"missing"}}},
	{"match":{"edge":"inbound"},"when":{"probability":0.05},"effect":{"webhooks":{"duplicate":1}}}`
)

// seasons lists them in order. The first one is calm: what it measures is what the others are compared with.
func seasons(w *world) []season {
	list := []season{
		{name: "none"},
		{name: "kill -9", strike: w.kill, kills: true},
		{name: "upstream", rules: upstreamRules, doomed: true, set: []string{"handover.retry_window=8s"}},
		{name: "webhooks", rules: webhookRules},
		{name: "destinations", receivers: true, set: []string{"delivery.retry_window=3s"}},
		{name: "full disk", strike: w.fill, full: true},
	}
	var beside []func(context.Context, *testing.T) // what can happen to a node that is being killed
	if w.disk != nil {
		beside = append(beside, w.fill)
	}
	if w.clock != nil {
		list = append(list, season{name: "clock", strike: w.jump})
		beside = append(beside, w.jump)
	}
	return append(list, season{name: "all together", rules: everyRule, kills: true, full: w.disk != nil, strike: func(ctx context.Context, t *testing.T) {
		var others sync.WaitGroup
		for _, strike := range beside {
			others.Go(func() { strike(ctx, t) })
		}
		w.kill(ctx, t)
		others.Wait()
	}})
}

// shortestLife and longestLife of the node, from the start of its process: some do not live to be ready.
const (
	shortestLife = 20 * time.Millisecond
	longestLife  = 1500 * time.Millisecond
)

// kill is kill -9, again and again.
func (w *world) kill(ctx context.Context, t *testing.T) {
	for wait(ctx, shortestLife+w.upTo(longestLife-shortestLife)) {
		w.node.kill()
		w.kills++
		wait(ctx, w.upTo(200*time.Millisecond))
		w.node.start(t)
	}
}

// fill lets the disk run full, down to the last byte, and makes room again. Where no file system can be mounted, the size of the
// database is bounded instead for one life of the node.
func (w *world) fill(ctx context.Context, t *testing.T) {
	if w.disk == nil {
		w.node.bounded(t)
		<-ctx.Done()
		w.node.unbounded(t)
		return
	}
	for wait(ctx, 500*time.Millisecond+w.upTo(2*time.Second)) {
		for _, left := range []int64{40 << 20, 8 << 20, 64 << 10, 0} {
			w.disk.leave(t, left)
			if !wait(ctx, 200*time.Millisecond+w.upTo(500*time.Millisecond)) {
				break
			}
		}
		w.disk.leave(t, plenty)
	}
}

// jump sets the node's clock forward and back by up to an hour.
func (w *world) jump(ctx context.Context, _ *testing.T) {
	for wait(ctx, 200*time.Millisecond+w.upTo(2*time.Second)) {
		w.clock.jump(w.upTo(2*time.Hour) - time.Hour)
	}
}

func (w *world) upTo(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Duration(w.random.Int64N(int64(d)))
}

// ready waits until the node takes work: by itself, however it has been treated.
func (w *world) ready(t *testing.T) {
	t.Helper()
	const patience = 20 * time.Second
	var last error
	for begun := time.Now(); time.Since(begun) < patience; pause(t, 5*retryIn) {
		if last = w.api.ready(t.Context()); last == nil {
			return
		}
		w.node.supervise(t)
	}
	t.Fatalf("the node does not get ready: %v\n%s", last, w.node.log())
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
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
