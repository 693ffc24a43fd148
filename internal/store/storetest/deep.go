package storetest

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Queue describes messages that an engine puts into an empty store's queue by its own means for RunDeep: accepting a million one
// by one would take minutes. Message i, from 0 on, is bulk of number QueueNumber(i % 2 == 0 ? 0 : i / 2 % Numbers), so that half
// of them wait for one number and the others for all.
type Queue struct {
	Messages int
	Numbers  int
}

// What every message of a Queue has. QueueNumber formats the key of its number.
const (
	QueueAccount  = "000000000000"
	QueueWABA     = "00000000000000000000000000000001"
	QueueNumber   = "phone-%04d"
	QueueBody     = "sealed body"
	QueueAccepted = 1_795_435_200_000_000 // microseconds since 1970
)

// The queues that RunDeep compares.
var (
	Shallow = Queue{Messages: 1000, Numbers: 400}
	Deep    = Queue{Messages: 1_000_000, Numbers: 400}
)

// RunDeep holds an engine, and the dispatcher on it, to what is promised about a long queue: memory stays bounded, and work costs
// the same with a million messages as with a thousand. open returns a store that has been filled with a queue. The test measures
// memory and must not run beside others.
func RunDeep(t *testing.T, open func(t *testing.T, q Queue) Store) {
	shallow, deep := newWorld(t, open(t, Shallow)), newWorld(t, open(t, Deep))
	t.Run("work costs the same", func(t *testing.T) { sameCost(t, shallow, deep) })
	t.Run("memory is bounded", func(t *testing.T) { boundedMemory(t, deep) })
}

// sameCost takes messages through the queue in both stores by turns and compares what that took. A single measurement says
// nothing on a busy machine; the typical one of many does.
func sameCost(t *testing.T, shallow, deep *world) {
	const rounds = 60
	steps := []struct {
		name string
		work func(t *testing.T, w *world, l lease.Lease)
	}{
		{"list the lanes", func(t *testing.T, w *world, _ lease.Lease) {
			keys, err := w.Lanes(w.ctx)
			must(t, err)
			if len(keys) != Deep.Numbers {
				t.Fatalf("%d lanes, want %d", len(keys), Deep.Numbers)
			}
		}},
		{"claim and finish", func(t *testing.T, w *world, l lease.Lease) {
			jobs, err := w.Jobs(w.ctx, fmt.Sprintf(QueueNumber, 0), message.Bulk, 0, 100)
			must(t, err)
			j := jobs[0]
			_, err = w.Body(w.ctx, j.Seq)
			must(t, err)
			w.begin(t, l, &j)
			wamid := "wamid." + j.ID
			if ok, err := w.Finish(w.ctx, &j, message.Accepted, wamid, w.event(j.ID, wamid, "accepted"), w.now); err != nil || !ok {
				t.Fatalf("Finish = %v, %v", ok, err)
			}
		}},
		{"accept", func(t *testing.T, w *world, _ lease.Lease) { w.accept(t, w.outbound()) }},
	}
	for _, step := range steps {
		var took [2][]time.Duration
		for range rounds {
			for i, w := range []*world{shallow, deep} {
				l, err := w.AcquireLease(w.ctx, "lane/"+fmt.Sprintf(QueueNumber, 0), "node", w.now, lease.TTL)
				must(t, err)
				start := time.Now()
				step.work(t, w, l)
				took[i] = append(took[i], time.Since(start))
			}
		}
		few, many := median(took[0]), median(took[1])
		t.Logf("%s: %v with %d messages queued, %v with %d", step.name, few, Shallow.Messages, many, Deep.Messages)
		if many > 4*few {
			t.Errorf("%s takes %v with %d messages queued and %v with %d, want about the same", step.name, few, Shallow.Messages, many, Deep.Messages)
		}
	}
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// What a dispatcher may take on top, whatever waits in its store.
const (
	deepHeap     = 32 << 20
	deepInFlight = 256
)

// boundedMemory runs a dispatcher on the long queue until every number has work in memory and a good many messages have been
// handed over, and looks at what it holds then.
func boundedMemory(t *testing.T, w *world) {
	const handOvers = 1500
	parallel(64, func(i int) error { // what the engine keeps for its readers is not the dispatcher's
		_, err := w.Jobs(w.ctx, fmt.Sprintf(QueueNumber, i), message.Bulk, 0, 1000)
		return err
	})
	before := held()
	up := &upstream{limit: handOvers, reached: make(chan struct{}), release: make(chan struct{})}
	spy := &jobsSpy{Store: w.Store, numbers: map[string]bool{}, want: Deep.Numbers, all: make(chan struct{})}
	d := dispatch.New(dispatch.Options{Store: spy, Upstream: up, Lines: deepLines{}, Sealer: unsealed{}, Owner: "deep", RetryWindow: 180 * time.Minute,
		BackoffMin: time.Second, BackoffMax: time.Minute, InDoubtWait: time.Minute, Concurrency: deepInFlight, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	start := time.Now()
	go func() {
		defer close(stopped)
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		close(up.release)
		stop()
		<-stopped
	})
	for what, reached := range map[string]chan struct{}{"hand-overs": up.reached, "reads of every number": spy.all} {
		select {
		case <-reached:
		case <-time.After(2 * time.Minute):
			t.Fatalf("no %s after two minutes: %d handed over", what, up.taken.Load())
		}
	}
	after := held()
	spy.mu.Lock()
	defer spy.mu.Unlock()
	t.Logf("%d messages handed over, and all numbers looked at, in %v; %d KiB more in memory; at most %d in flight, %d messages read at once",
		handOvers, time.Since(start).Round(time.Millisecond), (after-before)>>10, up.most.Load(), spy.most)
	if n := up.taken.Load(); n < handOvers {
		t.Errorf("%d messages handed over", n)
	}
	if after-before > deepHeap {
		t.Errorf("the dispatcher holds %d KiB with a million messages queued, want at most %d", (after-before)>>10, deepHeap>>10)
	}
	if n, most := up.most.Load(), int64(deepInFlight+2*len(spy.numbers)); n > most {
		t.Errorf("%d attempts in flight, want at most %d", n, most)
	}
}

// held returns the memory of live objects and of goroutines.
func held() int64 {
	runtime.GC()
	runtime.GC() // what the first one only made unreachable
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

// upstream takes messages up to a limit; what comes then hangs until release, so that every place stays taken.
type upstream struct {
	limit                 int64
	reached, release      chan struct{}
	taken, inFlight, most atomic.Int64
}

// HandOver implements dispatch.Upstream.
func (u *upstream) HandOver(_ context.Context, _ account.Line, j *message.Job, body []byte) dispatch.Outcome {
	n := u.inFlight.Add(1)
	defer u.inFlight.Add(-1)
	for most := u.most.Load(); n > most && !u.most.CompareAndSwap(most, n); {
		most = u.most.Load()
	}
	switch n := u.taken.Add(1); {
	case n == u.limit:
		close(u.reached)
	case n > u.limit:
		<-u.release
		return dispatch.Outcome{Verdict: dispatch.Unreached}
	}
	if string(body) != QueueBody {
		return dispatch.Outcome{Verdict: dispatch.Refused}
	}
	return dispatch.Outcome{Verdict: dispatch.Taken, WAMID: "wamid.deep." + j.ID}
}

// jobsSpy notes whose messages have been read, and how many at once.
type jobsSpy struct {
	Store
	mu      sync.Mutex
	numbers map[string]bool
	want    int
	all     chan struct{}
	most    int
}

func (s *jobsSpy) Jobs(ctx context.Context, phoneKey string, p message.Priority, after int64, limit int) ([]message.Job, error) {
	jobs, err := s.Store.Jobs(ctx, phoneKey, p, after, limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.most = max(s.most, len(jobs))
	if len(jobs) > 0 && !s.numbers[phoneKey] {
		if s.numbers[phoneKey] = true; len(s.numbers) == s.want {
			close(s.all)
		}
	}
	return jobs, err
}

type deepLines struct{}

// Line implements dispatch.Lines: every number is a fast one.
func (deepLines) Line(_ context.Context, accountID, phoneKey string) (account.Line, error) {
	return account.Line{AccountID: accountID, WABAKey: QueueWABA, WABAMetaID: "12", PhoneKey: phoneKey, PhoneMetaID: "11", Token: "token",
		Throughput: account.ThroughputHigh}, nil
}

type unsealed struct{}

func (unsealed) Seal(p, _ []byte) ([]byte, error) { return p, nil }
func (unsealed) Open(s, _ []byte) ([]byte, error) { return s, nil }
