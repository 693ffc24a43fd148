package fanout_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// visits is a courier that answers as told and remembers whom it was sent to, and when.
type visits struct {
	answer func(n int) error // to the n-th visit, counted from 1

	mu    sync.Mutex
	names []string
	ids   []string
	times []time.Time
}

func (v *visits) Deliver(_ context.Context, to queue.Subscriber, m *queue.Waiting) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.names, v.ids, v.times = append(v.names, to.Name()), append(v.ids, m.ID), append(v.times, time.Now())
	return v.answer(len(v.times))
}

// target gives the node a rule with one target, and returns a function that puts an event into its queue.
func (f *fixture) target(t testing.TB, settings bus.Settings) (name string, put func(id string)) {
	t.Helper()
	const rule = "arn:aws:events:us-east-1:" + account + ":rule/r"
	target := bus.Target{AccountID: account, RuleARN: rule, ID: "t", ARN: "arn:aws:sqs:us-east-1:" + account + ":q", Settings: settings}
	err := errors.Join(f.db.PutBusRule(t.Context(), bus.Rule{ARN: rule, AccountID: account, Name: "r", Pattern: "{}", State: bus.Enabled}, 1),
		f.db.PutBusTargets(t.Context(), rule, []bus.Target{target}, 1))
	if err != nil {
		t.Fatal(err)
	}
	routes, version, err := f.db.BusRouting(t.Context(), account)
	if err != nil {
		t.Fatal(err)
	}
	return target.Name(), func(id string) {
		t.Helper()
		stored, err := f.db.PutBusEvents(t.Context(), account, version,
			[]bus.Routed{{Record: queue.Record{ID: id, PublishedAt: time.Now(), Sealed: []byte("x")}, Queues: routes[0].Queues}})
		if err != nil || !stored {
			t.Fatalf("stored %v, %v", stored, err)
		}
		f.engine.Wake(routes[0].Queues...)
	}
}

func TestTargetsHaveQueuesToo(t *testing.T) {
	t.Parallel()
	v := &visits{answer: func(int) error { return nil }}
	bubble(t, func(o *fanout.Options) { o.Courier = v }, func(t *testing.T, f *fixture) {
		name, put := f.target(t, bus.Settings{})
		f.start(t)
		put("1")
		put("2")
		time.Sleep(time.Second)
		f.stop()
		if diff := cmp.Diff([]string{name, name}, v.names); diff != "" {
			t.Errorf("visits (-want +got):\n%s", diff)
		}
	})
}

// What can never be delivered is given up at once, and slows nothing down.
func TestUndeliverable(t *testing.T) {
	t.Parallel()
	v := &visits{answer: func(n int) error {
		if n == 1 {
			return fault.Wrap(fault.InvalidParameters, errors.New("a detail"), "no such value")
		}
		return nil
	}}
	bubble(t, func(o *fanout.Options) { o.Courier = v }, func(t *testing.T, f *fixture) {
		name, put := f.target(t, bus.Settings{})
		f.start(t)
		put("1")
		time.Sleep(time.Second)
		put("2")
		time.Sleep(time.Second)
		letters := f.deadLetters(t)
		if len(letters) != 1 || letters[0].Subscriber != name || letters[0].MessageID != "1" || letters[0].Reason != "no such value" {
			t.Errorf("dead letters %+v, want one that says why and nothing else", letters)
		}
		if diff := cmp.Diff([]string{"1", "2"}, v.ids); diff != "" {
			t.Errorf("visits (-want +got):\n%s", diff)
		}
	})
}

func TestSubscriberHasItsOwnPolicy(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings bus.Settings
		visits   func(n int) bool
		over     time.Duration // when it is given up
	}{
		"attempts": {bus.Settings{Attempts: 3}, func(n int) bool { return n == 3 }, time.Minute},
		"no retry": {bus.Settings{Attempts: 1}, func(n int) bool { return n == 1 }, time.Second},
		"age":      {bus.Settings{MaxAge: 60}, func(n int) bool { return n > 4 && n < 20 }, 3 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &visits{answer: func(int) error { return errors.New("not now") }}
			bubble(t, func(o *fanout.Options) { o.Courier = v }, func(t *testing.T, f *fixture) {
				_, put := f.target(t, tc.settings)
				f.start(t)
				put("1")
				time.Sleep(tc.over)
				if letters := f.deadLetters(t); len(letters) != 1 || letters[0].Reason == "" {
					t.Errorf("dead letters %+v, want one", letters)
				}
				f.stop()
				if n := len(v.times); !tc.visits(n) {
					t.Errorf("%d visits", n)
				}
			})
		})
	}
}

func TestSubscriberMayAskToBeLeftAlone(t *testing.T) {
	t.Parallel()
	v := &visits{answer: func(n int) error {
		if n == 1 {
			return &fault.Error{Kind: fault.Throttled, Message: "busy", RetryAfter: 10 * time.Minute}
		}
		return nil
	}}
	bubble(t, func(o *fanout.Options) { o.Courier = v; o.PerQueue = 1 }, func(t *testing.T, f *fixture) {
		_, put := f.target(t, bus.Settings{})
		f.start(t)
		put("1")
		time.Sleep(time.Second)
		put("2")
		time.Sleep(time.Hour)
		f.stop()
		if len(v.times) != 3 {
			t.Fatalf("%d visits, want 3", len(v.times))
		}
		for i := 1; i < 3; i++ {
			if wait := v.times[i].Sub(v.times[0]); wait < 10*time.Minute || wait > 11*time.Minute {
				t.Errorf("visit %d came %v after the first", i+1, wait)
			}
		}
	})
}
