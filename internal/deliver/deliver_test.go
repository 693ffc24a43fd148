package deliver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
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
	fail      func(arn string, m event.Outgoing) error
	count     int
}

type opener struct{}

func (opener) Seal(s, ad []byte) ([]byte, error) { return s, nil }

func (opener) Open(s, ad []byte) ([]byte, error) {
	if string(s) == "damaged" {
		return nil, errors.New("damaged")
	}
	return s, nil
}

func arn(n int) string { return fmt.Sprint("arn:aws:sns:us-east-1:000000000000:topic-", n) }

func newRig(t *testing.T) *rig {
	t.Helper()
	ctx := t.Context()
	db, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "waxwing.db"), sqlite.Options{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
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
	r.Engine = New(Options{Store: db, Publisher: r, Sealer: opener{}, Scope: account.Scope{Partition: "aws", Region: "us-east-1"}, Owner: "node",
		RetryWindow: time.Hour, DisableAfter: 24 * time.Hour, Logger: slog.New(slog.DiscardHandler)})
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
	errs := make([]error, len(messages))
	for i, m := range messages {
		var doc struct {
			Account string `json:"aws_account_id"`
			Entry   string `json:"whatsAppWebhookEntry"`
		}
		if json.Unmarshal(m.Envelope(), &doc) != nil || doc.Account != "000000000000" || d.RoleARN == "" {
			r.t.Errorf("published %s to %+v", m.Opened, d)
		}
		r.roles[m.ID] = d.RoleARN
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
}

func (r *rig) got(n int) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.published[arn(n)]...)
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
			time.Sleep(30 * time.Minute)
			r.mu.Lock()
			calls := r.calls[arn(0)]
			r.mu.Unlock()
			if calls > 60 {
				r.t.Errorf("%d calls to a dead destination in half an hour", calls)
			}
			r.failing(nil)
			time.Sleep(2 * time.Minute)
			if len(r.got(0)) != 10 {
				r.t.Errorf("%d arrived after it recovered", len(r.got(0)))
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
			time.Sleep(59 * time.Minute)
			if r.waiting(0) != 3 {
				r.t.Errorf("%d wait", r.waiting(0))
			}
			time.Sleep(3 * time.Minute)
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
			synctest.Test(t, func(t *testing.T) { scenario(newRig(t)) })
		})
	}
}
