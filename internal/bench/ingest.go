package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

const ingestHelp = `
Starts a node, plays Meta and posts signed callbacks: for each of many messages that were handed over before the statuses sent, delivered
and read, and an answer of the customer. Prints how many updates a second were answered, which means that they are on disk, and how long
an answer took; how many a second became events, and how long after the last answer the last of them did; and how much memory the node
had at most. With --subscribe a subscriber of the topic receives the events, and the time from a callback to its event is printed. Fails
when an update is lost.

Callbacks carry one update, as Meta's do while there is little to tell; --batch has several in each, as they do in bursts.
`

type ingestOptions struct {
	drivenNode
	callbacks int
	batch     int
	subscribe bool
}

func (o *ingestOptions) declare(flags *flag.FlagSet) {
	flags.IntVar(&o.numbers, "numbers", 4, "`count` of phone numbers")
	flags.IntVar(&o.connections, "connections", 64, "`count` of connections that post")
	flags.IntVar(&o.callbacks, "callbacks", 10_000, "`count` of callbacks to post")
	flags.IntVar(&o.batch, "batch", 1, "`count` of updates in a callback; Meta sends up to 1,000")
	flags.Float64Var(&o.rate, "rate", 0, "`updates` a second; 0 posts the next callback when one is answered")
	flags.BoolVar(&o.subscribe, "subscribe", false, "receive the events")
	o.drivenNode.declare(flags)
}

func (o *ingestOptions) check() error {
	switch {
	case o.batch < 1 || o.batch > 1000:
		return usage("--batch must be from 1 to 1000")
	case o.callbacks < 1 || o.callbacks*o.batch > 10_000_000:
		return usage("--callbacks must be at least 1, and bring no more than 10,000,000 updates")
	}
	return o.drivenNode.check()
}

func runIngest(ctx context.Context, flags *flag.FlagSet, args []string, stdout, stderr io.Writer) error {
	var o ingestOptions
	o.declare(flags)
	if err := parse(flags, args); err != nil {
		return err
	}
	if err := o.check(); err != nil {
		return err
	}
	updates := o.callbacks * o.batch
	child, err := o.start(ctx, stderr, "--sent", strconv.Itoa((updates+kinds-1)/kinds))
	if err != nil {
		return err
	}
	defer child.Stop()                    //nolint:errcheck // it is thrown away
	before, _ := processorOf(child.PID()) // 0 where the system does not tell
	if err := o.run(ctx, child, stdout); err != nil {
		return err
	}
	peak, err := memoryOf(child.PID(), "VmHWM:")
	if err == nil {
		fmt.Fprintf(stdout, "memory     %6d MiB  at most, of the node\n", peak>>20)
	}
	if err := child.Stop(); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "processor  %7.0fµs an update, of the node\n", float64((child.Processor()-before).Nanoseconds())/1e3/float64(updates))
	return nil
}

// run posts, waits until everything has arrived, and prints.
func (o *ingestOptions) run(ctx context.Context, node *Process, stdout io.Writer) error {
	m := newMeta(node.Env[envEndpoint], config.Dev("").Meta.AppSecret.Reveal(), o.connections, o.numbers, o.callbacks*o.batch)
	defer m.close()
	if o.subscribe {
		client, err := NewClient(Target{Endpoint: node.Env[envEndpoint]}, 1)
		if err != nil {
			return err
		}
		defer client.Close()
		sink, err := NewSubscriber(m.event)
		if err != nil {
			return err
		}
		defer sink.Close()
		if err := sink.Subscribe(ctx, client, TopicARN); err != nil {
			return err
		}
	}
	watcher := watchChanges(ctx, node.Env[envOps])
	posted := load{connections: o.connections, calls: o.callbacks, rate: o.rate / float64(o.batch), call: func(ctx context.Context) error {
		return m.post(ctx, o.batch)
	}}.drive(ctx)
	answered := time.Now()
	updates := int(posted.ok) * o.batch
	became, err := watcher.wait(updates, o.patience)
	if err != nil {
		return err
	}
	missing := 0
	if o.subscribe {
		missing = m.wait(ctx, o.patience)
	}
	if err := verdict(ctx, &posted); err != nil {
		return err
	}

	manner := "as fast as they are answered"
	if o.rate > 0 {
		manner = fmt.Sprintf("%g updates a second", o.rate)
	}
	fmt.Fprintf(stdout, "%d numbers, %d connections, callbacks with %d updates, %s\n", o.numbers, o.connections, o.batch, manner)
	posted.print(stdout, "answered")
	fmt.Fprintf(stdout, "on disk    %9.0f updates/s\n", posted.perSecond()*float64(o.batch))
	fmt.Fprintf(stdout, "applied    %9.0f updates/s, the last %s after the last answer\n", float64(updates)/max(became.last.Sub(watcher.start).Seconds(), 1e-9),
		milliseconds(max(became.last.Sub(answered), 0)))
	if o.subscribe {
		times, repeats := m.times()
		fmt.Fprintf(stdout, "delivered  %12s %s  %d, repeated %d\n", "", latencies(&times), times.Count(), repeats)
	}
	if failed := posted.failed(); failed > 0 {
		return fmt.Errorf("%d callbacks were not taken", failed)
	}
	if became.events != updates || missing > 0 {
		return fmt.Errorf("of %d updates %d became events, and %d were not delivered (%s)", updates, became.events, missing, became.others)
	}
	fmt.Fprintf(stdout, "lost       %9d\n", 0)
	return nil
}

// changes is what has become of updates.
type changes struct {
	events int
	others string    // what did not become an event
	last   time.Time // when there was progress
}

// watcher looks at the node's metrics.
type watcher struct {
	ctx   context.Context
	url   string
	http  *http.Client
	start time.Time
}

func watchChanges(ctx context.Context, ops string) *watcher {
	return &watcher{ctx: ctx, url: ops + "/metrics", http: &http.Client{Timeout: 10 * time.Second}, start: time.Now()}
}

// lookEvery is how exactly it is known when updates became events: a look costs the node a millisecond.
const lookEvery = 25 * time.Millisecond

// wait returns once there are as many events as updates, or when nothing has changed for patience.
func (w *watcher) wait(updates int, patience time.Duration) (c changes, err error) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	c.last = time.Now()
	for {
		now, err := w.look()
		if err != nil {
			return c, err
		}
		if now.events != c.events || now.others != c.others {
			c = now
		}
		if c.events >= updates || time.Since(c.last) > patience {
			return c, nil
		}
		select {
		case <-tick.C:
		case <-w.ctx.Done():
			return c, w.ctx.Err()
		}
	}
}

func (w *watcher) look() (c changes, err error) {
	req, err := http.NewRequestWithContext(w.ctx, http.MethodGet, w.url, nil)
	if err != nil {
		return c, err
	}
	resp, err := w.http.Do(req)
	if err != nil {
		return c, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return c, err
	}
	c.last = time.Now()
	var others []string
	for line := range strings.Lines(string(text)) {
		rest, ok := strings.CutPrefix(line, `waxwing_changes_total{result="`)
		if !ok {
			continue
		}
		result, count, ok := strings.Cut(strings.TrimSpace(rest), `"} `)
		n, err := strconv.ParseFloat(count, 64)
		if !ok || err != nil {
			return c, errors.New("the node's metrics have another form")
		}
		if result == "event" {
			c.events = int(n)
		} else {
			others = append(others, fmt.Sprintf("%s %d", result, int(n)))
		}
	}
	c.others = strings.Join(others, ", ")
	return c, nil
}
