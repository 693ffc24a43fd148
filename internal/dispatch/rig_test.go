package dispatch

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

// rig is a dispatcher on a real store, in virtual time, with an upstream that a test scripts.
type rig struct {
	*Dispatcher
	t     *testing.T
	db    *sqlite.DB
	start time.Time
	wamid int

	mu       sync.Mutex
	lines    lines
	blocked  map[message.Cause]int        // lanes, as the metrics know
	handOver func(j *message.Job) Outcome // nil takes everything
	through  func(Store) Store            // what stands between the dispatcher and its store; nil: nothing
	slots    int                          // attempts in flight; 0 means 64
	hearing  func() time.Time             // nil: since the start
	attempts []string                     // "name@offset" of every attempt
	names    map[string]string            // by message id
	stop     context.CancelFunc
	done     chan struct{}
}

type plain struct{}

func (plain) Seal(p, _ []byte) ([]byte, error) { return p, nil }
func (plain) Open(s, _ []byte) ([]byte, error) { return s, nil }

// lines serves every number of the rig: standard ones, and "fast" ones.
type lines struct {
	token atomic.Value
	gone  atomic.Int64 // questions about the one that is gone
}

func (ls *lines) Line(_ context.Context, accountID, phoneKey string) (account.Line, error) {
	if phoneKey == "gone" {
		ls.gone.Add(1)
		return account.Line{}, fault.New(fault.NotFound, "no such number")
	}
	l := account.Line{AccountID: accountID, WABAKey: "waba", WABAMetaID: "12", PhoneKey: phoneKey, PhoneMetaID: "11", Token: "token"}
	if t, ok := ls.token.Load().(identity.Secret); ok {
		l.Token = t
	}
	if strings.HasPrefix(phoneKey, "foreign") {
		l.WABAKey, l.WABAMetaID = "foreign", "13"
	}
	if strings.HasPrefix(phoneKey, "fast") {
		l.Throughput = account.ThroughputHigh
	}
	return l, nil
}

const topicARN = "arn:aws:sns:us-east-1:000000000000:events"

// newRig opens a store in the test's bubble.
func newRig(t *testing.T) *rig {
	t.Helper()
	db := sqlitetest.Open(t, sqlite.Options{Exclusive: true})
	user := identity.User{ID: "u", AccountID: "000000000000", Name: "admin", Path: "/"}
	if err := db.CreateAccount(t.Context(), identity.Account{ID: "000000000000"}, identity.AccessKey{User: user}, nil); err != nil {
		t.Fatal(err)
	}
	waba := account.WABA{Key: "waba", AccountID: "000000000000", MetaID: "12", Destination: &account.Destination{ARN: topicARN}}
	phone := account.PhoneNumber{Key: "phone", AccountID: "000000000000", WABAKey: "waba", MetaID: "11", DisplayNumber: "+1 555-010-0001"}
	other := account.PhoneNumber{Key: "other", AccountID: "000000000000", WABAKey: "waba", MetaID: "14", DisplayNumber: "+1 555-010-0004"}
	if err := db.Link(t.Context(), waba, []byte("token"), []account.PhoneNumber{phone, other}); err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, db: db, start: time.Now(), names: map[string]string{}, blocked: map[message.Cause]int{}}
	r.restart("node")
	t.Cleanup(func() {
		r.halt()
		db.Close()
	})
	return r
}

// restart runs a new dispatcher on the same store, as after a crash or on another node.
func (r *rig) restart(owner string) {
	r.halt()
	if r.slots == 0 {
		r.slots = 64
	}
	var store Store = r.db
	if r.through != nil {
		store = r.through(store)
	}
	r.Dispatcher = New(Options{Store: store, Upstream: r, Lines: &r.lines, Sealer: plain{}, Owner: owner, RetryWindow: 180 * time.Minute,
		BackoffMin: time.Second, BackoffMax: 5 * time.Minute, InDoubtWait: 15 * time.Second, Concurrency: r.slots,
		Hearing: r.hearing, OnBlocked: func(c message.Cause, n int) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.blocked[c] += n
		}, Logger: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.done = stop, make(chan struct{})
	go func(d *Dispatcher, done chan struct{}) {
		defer close(done)
		if err := d.Run(ctx); err != nil {
			r.t.Error(err)
		}
	}(r.Dispatcher, r.done)
}

func (r *rig) halt() {
	if r.stop != nil {
		r.stop()
		<-r.done
	}
}

// HandOver implements Upstream.
func (r *rig) HandOver(_ context.Context, _ account.Line, j *message.Job, body []byte) Outcome {
	if string(body) != "body of "+j.ID {
		r.t.Errorf("body of %s = %q", j.ID, body)
	}
	r.mu.Lock()
	r.attempts = append(r.attempts, fmt.Sprintf("%s@%v", r.names[j.ID], time.Since(r.start).Round(time.Millisecond)))
	script := r.handOver
	r.mu.Unlock()
	if script == nil {
		return r.take(j)
	}
	return script(j)
}

// take is WhatsApp accepting a message.
func (r *rig) take(*message.Job) Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wamid++
	return Outcome{Verdict: Taken, WAMID: fmt.Sprint("wamid.", r.wamid)}
}

// accept stores a message called name and offers it, as the API does.
func (r *rig) accept(name, phone, recipient string, p message.Priority, with ...func(*message.Outbound)) message.Job {
	r.t.Helper()
	j := r.store(name, phone, recipient, p, with...)
	r.Offer(j)
	return j
}

// store stores a message without telling the dispatcher, as another node or an earlier process would have.
func (r *rig) store(name, phone, recipient string, p message.Priority, with ...func(*message.Outbound)) message.Job {
	r.t.Helper()
	m := message.Outbound{ID: uuid.NewString(), AccountID: "000000000000", WABAKey: "waba", PhoneKey: phone, MetaVersion: "v20.0", Kind: "text",
		Recipient: recipient, Priority: p, AcceptedAt: time.Now()}
	m.Body = []byte("body of " + m.ID)
	for _, change := range with {
		change(&m)
	}
	r.mu.Lock()
	r.names[m.ID] = name // before it is stored: a scan may find it at once
	r.mu.Unlock()
	_, seq, err := r.db.Accept(context.Background(), &m, m.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return m.Job(seq)
}

// in has a message sent after a while, and until has it valid for a while.
func in(d time.Duration) func(*message.Outbound) {
	return func(m *message.Outbound) { m.SendAt = m.AcceptedAt.Add(d) }
}

func until(d time.Duration) func(*message.Outbound) {
	return func(m *message.Outbound) { m.ValidUntil = m.AcceptedAt.Add(d) }
}

func (r *rig) script(fn func(j *message.Job) Outcome) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.handOver = fn
}

func (r *rig) name(j *message.Job) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.names[j.ID]
}

// log returns the attempts so far.
func (r *rig) log() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]string(nil), r.attempts...)
}

func (r *rig) state(j message.Job) message.Status {
	r.t.Helper()
	st, ok, err := r.db.Lookup(context.Background(), j.AccountID, j.ID)
	if err != nil || !ok {
		r.t.Fatalf("look up %s: %v, %v", j.ID, ok, err)
	}
	return st
}

func (r *rig) wantState(j message.Job, want message.State) {
	r.t.Helper()
	if got := r.state(j).State; got != want {
		r.t.Errorf("state = %s, want %s", got, want)
	}
}

// events returns what waits for the topic.
func (r *rig) events() []event.Delivery {
	r.t.Helper()
	list, err := r.db.Undelivered(context.Background(), topicARN, time.Now(), 10_000)
	if err != nil {
		r.t.Fatal(err)
	}
	return list
}
