package deliver

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

// rig is an engine on a real store with two business accounts that have destinations of their own.
type rig struct {
	*Engine
	t  *testing.T
	db *sqlite.DB

	mu        sync.Mutex
	published map[string][]string // message ids by destination
	calls     map[string]int
	roles     map[string]string // last one used, by event's id
	sizes     []int             // events of every call to the first topic
	fail      func(arn string, m event.Outgoing) error
	count     int
	manager   *Manager
	full      atomic.Bool // nothing that was published can be recorded
}

// store is the rig's store, which can be full.
type store struct {
	*sqlite.DB
	rig *rig
}

func (s store) SettleEvents(ctx context.Context, l lease.Lease, name string, o event.Settlement) (bool, error) {
	if s.rig.full.Load() {
		return false, fault.New(fault.Unavailable, "storage is full")
	}
	return s.DB.SettleEvents(ctx, l, name, o)
}

// address is where additional destinations of tests are.
const address = "https://example.com/hook"

type opener struct{}

func (opener) Seal(s, ad []byte) ([]byte, error) { return s, nil }

func (opener) Open(s, ad []byte) ([]byte, error) {
	if string(s) == "damaged" {
		return nil, errors.New("damaged")
	}
	return s, nil
}

const bus = "arn:aws:events:us-east-1:000000000000:event-bus/default"

func arn(n int) string { return fmt.Sprint("arn:aws:sns:us-east-1:000000000000:topic-", n) }

func newRig(t *testing.T, bus func(string) string) *rig {
	t.Helper()
	ctx := t.Context()
	db := sqlitetest.Open(t, sqlite.Options{Exclusive: true, Bus: bus})
	if err := db.CreateAccount(ctx, identity.Account{ID: "000000000000"}, identity.AccessKey{User: identity.User{ID: "u", AccountID: "000000000000", Name: "admin"}}, nil); err != nil {
		t.Fatal(err)
	}
	for n := range 3 { // the third shares the first one's destination
		waba := account.WABA{Key: fmt.Sprint("waba", n), AccountID: "000000000000", MetaID: fmt.Sprint("12", n),
			Destination: &account.Destination{ARN: arn(n % 2), RoleARN: fmt.Sprint("arn:aws:iam::000000000000:role/publish-", n)}}
		if err := db.Link(ctx, waba, []byte("t"), nil); err != nil {
			t.Fatal(err)
		}
	}
	r := &rig{t: t, db: db, published: map[string][]string{}, calls: map[string]int{}, roles: map[string]string{}}
	r.Engine = New(Options{Store: store{db, r}, Publisher: r, Sealer: opener{}, Scope: account.Scope{Partition: "aws", Region: "us-east-1"}, Owner: "node",
		RetryWindow: 10 * time.Minute, DisableAfter: 6 * time.Minute, Logger: slog.New(slog.DiscardHandler)})
	r.manager = NewManager(ManagerOptions{Store: db, Sealer: opener{}, Scope: r.Scope, Changed: r.Hurry, Publisher: r, Now: time.Now})
	run, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := r.Run(run); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		db.Close()
	})
	return r
}

// Publish implements Publisher.
func (r *rig) Publish(_ context.Context, d event.Destination, messages []event.Outgoing) []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls[d.Address]++
	if d.Address == arn(0) {
		r.sizes = append(r.sizes, len(messages))
	}
	errs := make([]error, len(messages))
	for i, m := range messages {
		var doc struct {
			Account string `json:"aws_account_id"`
			Entry   string `json:"whatsAppWebhookEntry"`
		}
		if json.Unmarshal(m.Envelope(), &doc) != nil || doc.Account != "000000000000" || (d.RoleARN == "") != (d.Address == bus || d.Kind == event.HTTPS) {
			r.t.Errorf("published %s to %+v", m.Opened, d)
		}
		if d.RoleARN != "" {
			r.roles[m.ID] = d.RoleARN
		}
		if r.fail != nil {
			if errs[i] = r.fail(d.Address, m); errs[i] != nil {
				continue
			}
		}
		r.published[d.Address] = append(r.published[d.Address], doc.Entry)
	}
	return errs
}

// add stores n events for the destination of a business account.
func (r *rig) add(waba, n int) {
	r.t.Helper()
	ctx := context.Background()
	if err := r.db.Receive(ctx, []byte("x"), time.Now()); err != nil {
		r.t.Fatal(err)
	}
	hooks, err := r.db.Webhooks(ctx, 10)
	if err != nil {
		r.t.Fatal(err)
	}
	var changes []event.Change
	for range n {
		r.count++
		changes = append(changes, event.Change{Kind: event.OtherChange, WABAMetaID: fmt.Sprint("12", waba), Field: "account_update",
			Key: fmt.Append(nil, r.count), EventID: fmt.Sprint("event-", r.count), Entry: fmt.Append(nil, "entry-", r.count)})
	}
	if _, err := r.db.Apply(ctx, []event.Understood{{Webhook: hooks[0], Changes: changes}}, time.Now(), nil); err != nil {
		r.t.Fatal(err)
	}
	r.Wake(arn(waba % 2))
	list, err := r.db.Additionals(ctx, "000000000000")
	if err != nil {
		r.t.Fatal(err)
	}
	for _, a := range list {
		r.Wake(a.ID())
	}
}

// additional makes an additional destination and returns its name.
func (r *rig) additional(change func(*event.Spec)) string {
	r.t.Helper()
	s := event.Spec{Kind: event.HTTPS, Address: address}
	if change != nil {
		change(&s)
	}
	a, secret, err := r.manager.Create(context.Background(), "000000000000", s)
	if err != nil || secret == "" {
		r.t.Fatal(err)
	}
	return a.ID()
}

func (r *rig) health(name string) event.Health {
	r.t.Helper()
	h, err := r.db.Health(context.Background(), name)
	if err != nil {
		r.t.Fatal(err)
	}
	return h
}

func (r *rig) got(n int) []string { return r.arrived(arn(n)) }

func (r *rig) arrived(address string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.published[address])
}

func (r *rig) called(address string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls[address]
}

func (r *rig) carried() []int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sizes)
}

func (r *rig) failing(fn func(arn string, m event.Outgoing) error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.fail = fn
}

func (r *rig) waiting(n int) int {
	r.t.Helper()
	list, err := r.db.Undelivered(context.Background(), arn(n), time.Now().Add(time.Hour), 100_000)
	if err != nil {
		r.t.Fatal(err)
	}
	return len(list)
}

// A bus gets the events of all business accounts of its account, whatever their roles, and without any.
func TestBus(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, func(string) string { return bus })
		r.add(0, 2)
		r.add(1, 2)
		r.add(2, 2)
		r.Wake(bus)
		time.Sleep(time.Second)
		r.mu.Lock()
		defer r.mu.Unlock()
		if got := strings.Join(r.published[bus], " "); got != "entry-1 entry-2 entry-3 entry-4 entry-5 entry-6" {
			t.Errorf("on the bus: %s", got)
		}
	})
}

func TestDeliver(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*rig){
		"events leave at once and in order": func(r *rig) {
			time.Sleep(time.Minute)
			begin := time.Now()
			r.add(0, 250)
			synctest.Wait()
			got := r.got(0)
			if len(got) != 250 || got[0] != "entry-1" || got[249] != "entry-250" || r.waiting(0) != 0 {
				r.t.Errorf("published %d, %d wait", len(got), r.waiting(0))
			}
			if took := time.Since(begin); took > 100*time.Millisecond {
				r.t.Errorf("took %v", took)
			}
		},
		"a dead destination delays nobody": func(r *rig) {
			r.failing(func(a string, _ event.Outgoing) error {
				if a == arn(0) {
					return fault.New(fault.Dependency, "dead")
				}
				return nil
			})
			r.add(0, 10)
			r.add(1, 10)
			synctest.Wait()
			if len(r.got(1)) != 10 || len(r.got(0)) != 0 {
				r.t.Errorf("published %d and %d", len(r.got(0)), len(r.got(1)))
			}
			time.Sleep(5 * time.Minute)
			r.mu.Lock()
			calls := r.calls[arn(0)]
			r.mu.Unlock()
			if calls > 40 {
				r.t.Errorf("%d calls to a dead destination in five minutes", calls)
			}
			r.failing(nil)
			time.Sleep(2 * time.Minute)
			if len(r.got(0)) != 10 {
				r.t.Errorf("%d arrived after it recovered", len(r.got(0)))
			}
		},
		"what a destination took is recorded when that is possible again": func(r *rig) {
			r.full.Store(true)
			r.add(0, 250)
			time.Sleep(time.Minute)
			if calls := r.calls[arn(0)]; calls != 1 {
				r.t.Errorf("%d calls although the first one's outcome is not recorded", calls)
			}
			r.full.Store(false)
			time.Sleep(2 * time.Second)
			got := r.got(0)
			slices.Sort(got)
			if n := len(slices.Compact(got)); len(r.got(0)) != 250 || n != 250 || r.waiting(0) != 0 {
				r.t.Errorf("published %d, %d of them different, %d wait", len(r.got(0)), n, r.waiting(0))
			}
		},
		"an event that can never arrive becomes a dead letter": func(r *rig) {
			r.failing(func(_ string, m event.Outgoing) error {
				if strings.Contains(string(m.Opened), "entry-2") {
					return fault.New(fault.InvalidParameters, "too large")
				}
				return nil
			})
			r.add(0, 3)
			time.Sleep(time.Second)
			if got := fmt.Sprint(r.got(0)); got != "[entry-1 entry-3]" || r.waiting(0) != 0 {
				r.t.Errorf("published %s, %d wait", got, r.waiting(0))
			}
		},
		"events give up after the window": func(r *rig) {
			r.failing(func(string, event.Outgoing) error { return errors.New("down") })
			r.add(0, 3)
			time.Sleep(9 * time.Minute)
			if r.waiting(0) != 3 {
				r.t.Errorf("%d wait", r.waiting(0))
			}
			time.Sleep(2 * time.Minute)
			if r.waiting(0) != 0 {
				r.t.Errorf("%d wait after the window", r.waiting(0))
			}
		},
		"a destination that takes some gets the rest later": func(r *rig) {
			seen := map[string]bool{}
			r.failing(func(_ string, m event.Outgoing) error {
				if !seen[m.ID] {
					seen[m.ID] = true
					return errors.New("not the first time")
				}
				return nil
			})
			r.add(0, 300)
			time.Sleep(time.Minute)
			if got := r.got(0); len(got) != 300 {
				r.t.Errorf("%d arrived", len(got))
			}
		},
		"what is repeated comes as soon as it is due, all of it": func(r *rig) {
			seen := map[string]bool{}
			r.failing(func(_ string, m event.Outgoing) error {
				if last := m.Opened[len(m.Opened)-1]; last%2 == 0 && !seen[m.ID] {
					seen[m.ID] = true
					return errors.New("not the first time")
				}
				return nil
			})
			r.add(0, 1000)
			time.Sleep(2 * time.Second)
			if got := r.got(0); len(got) != 1000 {
				r.t.Errorf("%d arrived, although the others were due a second later", len(got))
			}
		},
		"what there was no time for is tried at once, and was no attempt": func(r *rig) {
			round := 0
			r.failing(func(string, event.Outgoing) error {
				if round++; round%3 != 1 {
					return event.ErrUntried
				}
				return nil
			})
			begin := time.Now()
			r.add(0, 30)
			for len(r.got(0)) < 30 && time.Since(begin) < time.Minute {
				time.Sleep(time.Millisecond)
			}
			if took := time.Since(begin); took > 100*time.Millisecond || r.waiting(0) != 0 {
				r.t.Errorf("took %v, %d wait", took, r.waiting(0))
			}
		},
		"each business account publishes with its own role": func(r *rig) {
			for range 20 {
				r.add(0, 1)
				r.add(2, 1)
			}
			time.Sleep(time.Second)
			if got := r.got(0); len(got) != 40 {
				r.t.Errorf("%d arrived", len(got))
			}
			for id, role := range r.roles {
				var n int
				if _, err := fmt.Sscanf(id, "event-%d", &n); err != nil {
					r.t.Fatal(err)
				}
				if want := fmt.Sprint("arn:aws:iam::000000000000:role/publish-", (n+1)%2*2); role != want {
					r.t.Errorf("%s was published as %s, want %s", id, role, want)
				}
			}
		},
		"a role that cannot be assumed is in the way of no other business account": func(r *rig) {
			r.failing(func(_ string, m event.Outgoing) error {
				if m.WABAKey == "waba0" {
					return fault.New(fault.Dependency, "the role cannot be assumed")
				}
				return nil
			})
			for n := range 60 {
				r.add(0, 1)
				r.add(2, 1)
				time.Sleep(time.Second)
				if got := r.got(0); len(got) < n-5 { // a probe may have to come first
					r.t.Fatalf("%d of %d arrived in time", len(got), n+1)
				}
			}
			time.Sleep(10 * time.Second)
			if got := r.got(0); len(got) != 60 {
				r.t.Errorf("%d of 60 arrived", len(got))
			}
			if calls := r.called(arn(0)); calls > 600 {
				r.t.Errorf("%d calls", calls)
			}
		},
		"a queue that was lost is left alone": func(r *rig) {
			r.failing(func(string, event.Outgoing) error {
				r.fail = nil // another node takes the queue during the first call
				_, err := r.db.AcquireLease(context.Background(), "destination/"+arn(0), "other", time.Now().Add(lease.TTL), time.Minute)
				return err
			})
			r.add(0, 500)
			time.Sleep(30 * time.Second)
			if calls := r.calls[arn(0)]; calls != 1 || r.waiting(0) != 500 {
				r.t.Errorf("%d calls, %d wait; want 1 and everything", calls, r.waiting(0))
			}
		},
		"an event that cannot be taken now holds up no other": func(r *rig) {
			r.failing(func(_ string, m event.Outgoing) error {
				if len(m.Opened) == len("entry-1") && m.Opened[6] <= '5' {
					return fault.New(fault.Dependency, "500")
				}
				return nil
			})
			r.add(0, 5)
			time.Sleep(10 * time.Second)
			r.add(0, 5)
			time.Sleep(2 * time.Minute)
			if got := r.got(0); len(got) != 5 {
				r.t.Fatalf("%q arrived", got)
			}
			for n := range 100 {
				r.add(0, 1)
				time.Sleep(time.Second)
				if got := r.got(0); len(got) != 6+n {
					r.t.Fatalf("%d of %d arrived within a second", len(got)-5, n+1)
				}
			}
			if calls := r.called(arn(0)); calls > 250 {
				r.t.Errorf("%d calls", calls)
			}
			time.Sleep(15 * time.Minute)
			if n := r.waiting(0); n != 0 {
				r.t.Errorf("%d outlive the window", n)
			}
		},
		"a dead destination is probed with few events": func(r *rig) {
			r.failing(func(string, event.Outgoing) error { return fault.New(fault.Dependency, "dead") })
			r.add(0, 500)
			time.Sleep(4 * time.Minute)
			if sizes := r.carried(); sizes[0] != batchSize || slices.Max(sizes[1:]) != 1 {
				r.t.Errorf("calls carried %v events", sizes)
			}
			r.failing(nil)
			time.Sleep(2 * time.Minute)
			got := r.got(0)
			if len(got) != 500 || !slices.IsSortedFunc(got, func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) }) {
				r.t.Errorf("%d arrived, in another order: %q", len(got), got)
			}
		},
		"a destination may say when to come back": func(r *rig) {
			begin := time.Now()
			var again time.Time
			r.failing(func(string, event.Outgoing) error {
				if time.Since(begin) < time.Minute {
					return &fault.Error{Kind: fault.Throttled, Message: "slow down", RetryAfter: 3 * time.Minute}
				}
				if again.IsZero() {
					again = time.Now()
				}
				return nil
			})
			r.add(0, 1)
			time.Sleep(time.Minute)
			r.add(0, 1) // new events do not hurry it
			time.Sleep(5 * time.Minute)
			if sizes := r.carried(); len(sizes) != 3 || sizes[1] != 1 || again.Sub(begin) < 3*time.Minute || again.Sub(begin) > 4*time.Minute {
				r.t.Errorf("called again after %v, with %v events", again.Sub(begin), sizes)
			}
		},
		"old events of a dead destination are buried together": func(r *rig) {
			r.failing(func(string, event.Outgoing) error { return fault.New(fault.Dependency, "dead") })
			r.add(0, 3000)
			time.Sleep(12 * time.Minute)
			if n := r.waiting(0); n != 0 {
				r.t.Errorf("%d still wait", n)
			}
			letters, err := r.db.DeadEvents(context.Background(), "000000000000", 0, 1)
			if err != nil || len(letters) != 1 || !strings.Contains(letters[0].Reason, "dead") {
				r.t.Errorf("dead letters %+v, %v", letters, err)
			}
		},
		"a destination that is gone is disabled, and others are told": func(r *rig) {
			name := r.additional(nil)
			r.failing(func(to string, _ event.Outgoing) error {
				if to == address {
					return &event.GoneError{Reason: "410 Gone"}
				}
				return nil
			})
			r.add(0, 2)
			time.Sleep(time.Second)
			if h := r.health(name); h.Halt != event.Disabled || h.HaltReason != "410 Gone" || h.Waiting != 2 {
				r.t.Errorf("health = %+v", h)
			}
			if got := r.got(0); len(got) != 4 || !strings.Contains(got[3], `"alert":"destination_disabled","state":"raised"`) || !strings.Contains(got[3], name) {
				r.t.Errorf("the topic was told %q", got)
			}
			calls := r.called(address)
			time.Sleep(5 * time.Minute)
			if r.called(address) != calls {
				r.t.Error("a disabled destination is called")
			}
			time.Sleep(7 * time.Minute)
			if h := r.health(name); h.Waiting != 0 {
				r.t.Errorf("%d events outlive the retry window", h.Waiting)
			}
			r.failing(nil)
			r.add(0, 1)
			if err := r.manager.Resume(context.Background(), "000000000000", name); err != nil {
				r.t.Fatal(err)
			}
			synctest.Wait()
			if got := r.arrived(address); len(got) != 1 {
				r.t.Errorf("after resuming %q arrived", got)
			}
			if got := r.got(0); !strings.Contains(strings.Join(got, " "), `"state":"cleared"`) {
				r.t.Errorf("the topic was not told of the end: %q", got)
			}
		},
		"the end of a disabled destination is told, too, when it is paused": func(r *rig) {
			name := r.additional(nil)
			r.failing(func(to string, _ event.Outgoing) error {
				if to == address {
					return &event.GoneError{Reason: "410 Gone"}
				}
				return nil
			})
			r.add(0, 1)
			time.Sleep(time.Second)
			if err := r.manager.Pause(context.Background(), "000000000000", name, "maintenance"); err != nil {
				r.t.Fatal(err)
			}
			if err := r.manager.Resume(context.Background(), "000000000000", name); err != nil {
				r.t.Fatal(err)
			}
			synctest.Wait()
			if told := strings.Count(strings.Join(r.got(0), " "), `"state":"cleared"`); told != 2 { // business accounts of the topic
				r.t.Errorf("the topic was told %d times: %q", told, r.got(0))
			}
		},
		"a destination that took nothing for too long is disabled": func(r *rig) {
			name := r.additional(nil)
			r.failing(func(to string, _ event.Outgoing) error {
				if to == address {
					return fault.New(fault.Dependency, "503")
				}
				return nil
			})
			for range 4 {
				r.add(0, 1)
				time.Sleep(150 * time.Second)
			}
			if h := r.health(name); h.Halt != event.Disabled || !strings.Contains(h.HaltReason, "took nothing for") || !strings.Contains(h.HaltReason, "503") {
				r.t.Errorf("health = %+v", h)
			}
		},
		"what is not for a destination does not make it look well": func(r *rig) {
			r.failing(func(_ string, m event.Outgoing) error {
				var n int
				if _, err := fmt.Sscanf(string(m.Opened), "entry-%d", &n); err == nil && n%2 == 0 {
					return event.ErrUnwanted
				}
				return fault.New(fault.Dependency, "503")
			})
			r.add(0, 20)
			time.Sleep(time.Minute)
			if h := r.health(arn(0)); h.Waiting != 10 || h.FailingSince.IsZero() || !h.DeliveredAt.IsZero() {
				r.t.Errorf("health = %+v", h)
			}
			if log, err := r.db.Attempts(context.Background(), arn(0), time.Time{}, 10); err != nil || log[len(log)-1].Reason != "503" {
				r.t.Errorf("attempts %+v, %v", log, err)
			}
			r.failing(nil)
			time.Sleep(time.Minute)
			if got := r.got(0); len(got) != 10 || !slices.IsSortedFunc(got, func(a, b string) int { return len(a) - len(b) }) || got[0] != "entry-1" {
				r.t.Errorf("%q arrived", got)
			}
		},
		"an event that can never arrive is no failure of its destination": func(r *rig) {
			name := r.additional(nil)
			answer := fault.New(fault.InvalidParameters, "413")
			r.failing(func(to string, _ event.Outgoing) error {
				if to == address {
					return answer
				}
				return nil
			})
			r.add(0, 1)
			time.Sleep(7 * time.Minute)
			answer = fault.New(fault.Dependency, "503")
			r.add(0, 1)
			synctest.Wait()
			if h := r.health(name); h.Halt != event.Running || !h.FailingSince.Equal(h.FailedAt) || h.Failure != "503" {
				r.t.Errorf("health = %+v", h)
			}
		},
		"a paused destination keeps its events, however old": func(r *rig) {
			name := r.additional(nil)
			if err := r.manager.Pause(context.Background(), "000000000000", name, "maintenance"); err != nil {
				r.t.Fatal(err)
			}
			r.add(0, 3)
			time.Sleep(30 * time.Minute)
			if h := r.health(name); h.Waiting != 3 || r.called(address) != 0 {
				r.t.Errorf("health = %+v after %d calls", h, r.called(address))
			}
			if err := r.manager.Resume(context.Background(), "000000000000", name); err != nil {
				r.t.Fatal(err)
			}
			synctest.Wait()
			if got := r.arrived(address); len(got) != 3 {
				r.t.Errorf("after resuming %q arrived", got)
			}
		},
		"a destination that was resumed has all of the window again": func(r *rig) {
			name := r.additional(nil)
			if err := r.manager.Pause(context.Background(), "000000000000", name, "maintenance"); err != nil {
				r.t.Fatal(err)
			}
			r.add(0, 300)
			time.Sleep(30 * time.Minute)
			r.failing(func(to string, _ event.Outgoing) error {
				if to == address {
					return fault.New(fault.Dependency, "starting")
				}
				return nil
			})
			if err := r.manager.Resume(context.Background(), "000000000000", name); err != nil {
				r.t.Fatal(err)
			}
			time.Sleep(5 * time.Minute)
			if h := r.health(name); h.Waiting != 300 {
				r.t.Errorf("%d wait", h.Waiting)
			}
			r.failing(nil)
			time.Sleep(time.Minute)
			if got := r.arrived(address); len(got) != 300 {
				r.t.Errorf("%d arrived", len(got))
			}
		},
		"what is no destination cannot be halted": func(r *rig) {
			const account = "000000000000"
			ctx := context.Background()
			for name, known := range map[string]bool{arn(0): true, arn(7): false, bus: true, strings.Replace(arn(0), account, "111111111111", 1): false} {
				if err := r.manager.Pause(ctx, account, name, ""); (err == nil) != known || err != nil && !fault.Is(err, fault.NotFound) {
					r.t.Errorf("%s: %v, want it known: %v", name, err, known)
				}
			}
			for n := range 3 { // what was a destination stays one
				if err := r.db.SetDestination(ctx, account, fmt.Sprint("waba", n), nil); err != nil {
					r.t.Fatal(err)
				}
			}
			if err := r.manager.Resume(ctx, account, arn(0)); err != nil {
				r.t.Error(err)
			}
		},
		"a rate is kept": func(r *rig) {
			rate := 50.0
			r.additional(func(s *event.Spec) { s.PerSecond = &rate })
			r.add(0, 1000)
			time.Sleep(10 * time.Second)
			if got := len(r.arrived(address)); got < 495 || got > 510 {
				r.t.Errorf("%d in ten seconds at 50 a second", got)
			}
			if len(r.got(0)) != 1000 {
				r.t.Error("another destination waits, too")
			}
		},
		"what waits for a deleted destination goes": func(r *rig) {
			name := r.additional(nil)
			r.failing(func(string, event.Outgoing) error { return errors.New("down") })
			r.add(0, 10)
			time.Sleep(time.Second)
			if err := r.manager.Delete(context.Background(), "000000000000", strings.TrimPrefix(name, "event-destination-")); err != nil {
				r.t.Fatal(err)
			}
			time.Sleep(time.Minute)
			if h := r.health(name); h.Waiting != 0 {
				r.t.Errorf("health = %+v", h)
			}
		},
		"a destination that is paused while it is deleted keeps nothing": func(r *rig) {
			name := r.additional(nil)
			r.failing(func(string, event.Outgoing) error { return errors.New("down") })
			r.add(0, 10)
			synctest.Wait()
			if err := r.db.DeleteAdditional(context.Background(), "000000000000", strings.TrimPrefix(name, "event-destination-")); err != nil {
				r.t.Fatal(err)
			}
			if _, err := r.db.Halt(context.Background(), "000000000000", name, event.Paused, "", time.Now(), nil); err != nil {
				r.t.Fatal(err)
			}
			time.Sleep(2 * haltedFor)
			if h := r.health(name); h.Waiting != 0 {
				r.t.Errorf("health = %+v", h)
			}
		},
		"work of others is found": func(r *rig) {
			time.Sleep(time.Minute)
			r.add(0, 1)
			time.Sleep(2 * scanEvery)
			if len(r.got(0)) != 1 {
				r.t.Error("not found")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scenario(newRig(t, nil)) })
		})
	}
}
