package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const pipelineHelp = `
Starts a node with a simulated WhatsApp, subscribes to its topic over HTTP, sends messages, and waits until the subscriber has every
status of every message. Prints how many messages a second went all the way, counted from the first request to the last delivery, and
for each leg how long after its request a message got there: handed over (the accepted event), sent, delivered. The simulated WhatsApp
is set to send and deliver at once, so the times are the service's own. Without --rate messages are accepted faster than they can go
out, and the times are those of a queue.
`

type pipelineOptions struct {
	drivenNode
	duration time.Duration
}

func (o *pipelineOptions) declare(flags *flag.FlagSet) {
	flags.IntVar(&o.numbers, "numbers", 4, "`count` of phone numbers, of 1,000 messages a second each")
	flags.IntVar(&o.connections, "connections", 32, "`count` of connections that send")
	flags.DurationVar(&o.duration, "duration", 10*time.Second, "`time` to send for")
	flags.Float64Var(&o.rate, "rate", 0, "`messages` a second; 0 sends the next one when one is accepted")
	o.drivenNode.declare(flags)
}

func (o *pipelineOptions) check() error {
	if o.duration <= 0 {
		return usage("--duration must be positive")
	}
	return o.drivenNode.check()
}

func runPipeline(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) error {
	var o pipelineOptions
	o.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	child, err := o.start(ctx, stderr)
	if err != nil {
		return err
	}
	defer child.Stop() //nolint:errcheck // it is thrown away
	count, err := o.run(ctx, child, stdout)
	if err != nil {
		return err
	}
	if err := child.Stop(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "processor  %9s a message, of the node with its simulated WhatsApp\n", milliseconds(child.Processor()/time.Duration(count)))
	return nil
}

// run measures and returns how many messages went all the way, at least one unless there is an error.
func (o *pipelineOptions) run(ctx context.Context, node *Process, stdout io.Writer) (count uint64, err error) {
	client, err := NewClient(Target{Endpoint: node.Env[envEndpoint]}, o.connections)
	if err != nil {
		return 0, err
	}
	defer client.Close()
	if err := setWhatsApp(ctx, node.Env[envSimulator], `{"sent_ms":0,"delivered_ms":0}`); err != nil {
		return 0, err
	}
	books := newBooks()
	sink, err := NewSubscriber(books.event)
	if err != nil {
		return 0, err
	}
	defer sink.Close()
	if err := sink.Subscribe(ctx, client, TopicARN); err != nil {
		return 0, err
	}
	senders := make([]*messages, o.numbers)
	for i := range senders {
		if senders[i], err = newMessages("", 0, phoneNumberID(i+1)); err != nil {
			return 0, err
		}
		senders[i].count.Store(uint64(i) * 1_000_000) // so that no two write to the same person
	}
	var turn atomic.Uint64
	accepted := load{connections: o.connections, duration: o.duration, rate: o.rate, call: func(ctx context.Context) error {
		begun := time.Now()
		id, err := client.Send(ctx, senders[turn.Add(1)%uint64(len(senders))].next(nil), "")
		if err == nil {
			books.accepted(id, begun)
		}
		return err
	}}.drive(ctx)
	missing := books.wait(ctx, o.patience)
	if err := verdict(ctx, &accepted); err != nil {
		return 0, err
	}

	fmt.Fprintf(stdout, "%d numbers, %d connections, times since the request\n", o.numbers, o.connections)
	accepted.print(stdout, "accepted")
	legs, span, repeats := books.close()
	for i, leg := range legs {
		fmt.Fprintf(stdout, "%-10s %12s %s  %d\n", stages[i].title, "", latencies(&leg), leg.Count())
	}
	fmt.Fprintf(stdout, "sustained  %9.0f/s  lost %d  repeated events %d\n", float64(legs[delivered].Count())/max(span.Seconds(), 1e-9), missing, repeats)
	if missing > 0 {
		return 0, fmt.Errorf("%d accepted messages have no delivered event", missing)
	}
	return legs[delivered].Count(), nil
}

// setWhatsApp changes settings of a simulated WhatsApp.
func setWhatsApp(ctx context.Context, url, settings string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url+"/sim/v1/settings", strings.NewReader(settings))
	if err != nil {
		return err
	}
	client := &http.Client{Timeout: 10 * time.Second}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New("the simulated WhatsApp refused its settings: " + resp.Status)
	}
	return nil
}

// Stages of a message as events tell them, in order.
const (
	handedOver = iota
	sent
	delivered
	stageCount
)

var stages = [stageCount]struct{ title, status string }{{"handed", "accepted"}, {"sent", "sent"}, {"delivered", "delivered"}}

// books keep what is known of every message: when its request began, and when its events came.
type books struct {
	mu       sync.Mutex
	messages map[string]*record
	open     int // accepted and not delivered
	repeats  int
	progress uint64
	first    time.Time
	last     time.Time // delivery
}

type record struct {
	begun time.Time // zero while only events are known: they can overtake the answer
	at    [stageCount]time.Time
}

func newBooks() *books { return &books{messages: map[string]*record{}} }

func (b *books) accepted(id string, begun time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.messages[id]
	if r == nil {
		r = &record{}
		b.messages[id] = r
	}
	r.begun = begun
	if r.at[delivered].IsZero() {
		b.open++
	}
	if b.first.IsZero() || begun.Before(b.first) {
		b.first = begun
	}
}

// event files a message of the topic.
func (b *books) event(envelope []byte) {
	e := Scan(envelope)
	stage := -1
	for i := range stages {
		if string(e.Status) == stages[i].status {
			stage = i
		}
	}
	if stage < 0 || e.MessageID == nil {
		return
	}
	now := time.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	r := b.messages[string(e.MessageID)]
	if r == nil {
		r = &record{}
		b.messages[string(e.MessageID)] = r
	}
	if !r.at[stage].IsZero() {
		b.repeats++
		return
	}
	r.at[stage] = now
	b.progress++
	if stage == delivered {
		b.last = now
		if !r.begun.IsZero() {
			b.open--
		}
	}
}

// wait returns once every accepted message is delivered, or how many are not after patience has passed without any event.
func (b *books) wait(ctx context.Context, patience time.Duration) (missing int) {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	seen, since := uint64(0), time.Now()
	for {
		b.mu.Lock()
		open, progress := b.open, b.progress
		b.mu.Unlock()
		if progress != seen {
			seen, since = progress, time.Now()
		}
		if open == 0 || time.Since(since) > patience {
			return open
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return open
		}
	}
}

// close adds up: the time to each stage, the time from the first request to the last delivery, and events that came again.
func (b *books) close() (legs [stageCount]Histogram, span time.Duration, repeats int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.messages {
		for i, at := range r.at {
			if !at.IsZero() && !r.begun.IsZero() {
				legs[i].Record(at.Sub(r.begun))
			}
		}
	}
	return legs, b.last.Sub(b.first), b.repeats
}
