package fanout_test

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/notify"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// fixture is a node with topics on a real store, whose subscribers live in the process.
type fixture struct {
	*topic.Service
	db       *sqlite.DB
	net      *network
	renderer *topic.Renderer
	engine   *fanout.Engine
	options  func(*fanout.Options)
	stop     func()
}

const account = "000000000000"

type gcm struct{ cipher.AEAD }

func (g gcm) Seal(plaintext, associated []byte) ([]byte, error) {
	return g.AEAD.Seal(nil, make([]byte, 12), plaintext, associated), nil
}

func (g gcm) Open(sealed, associated []byte) ([]byte, error) {
	return g.AEAD.Open(nil, make([]byte, 12), sealed, associated)
}

func newSealer(t testing.TB) topic.Sealer {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm{aead}
}

// newFixture opens a store. In a bubble, close must run before the bubble ends; hence no cleanup function.
func newFixture(t testing.TB, path string, options func(*fanout.Options)) *fixture {
	t.Helper()
	sqlitetest.Seed(t, path)
	db, err := sqlite.Open(t.Context(), path, sqlite.Options{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	sealer := newSealer(t)
	f := &fixture{db: db, net: &network{hosts: map[string]http.HandlerFunc{}}, options: options, stop: func() {}}
	f.renderer = topic.NewRenderer(sealer, topic.NewSigner(db, sealer, time.Now), "https://sns.example")
	f.Service = topic.NewService(topic.Options{Store: db, Sealer: sealer, Partition: "aws", Region: "us-east-1", Now: time.Now,
		Wake: func(keys ...int64) {
			if f.engine != nil {
				f.engine.Wake(keys...)
			}
		}})
	return f
}

func dbPath(t testing.TB) string { return filepath.Join(t.TempDir(), "waxwing.db") }

// start runs an engine until stop.
func (f *fixture) start(t testing.TB) {
	t.Helper()
	o := fanout.Options{Store: f.db, Courier: notify.New(notify.Options{Renderer: f.renderer, Client: &http.Client{Transport: f.net}}), Owner: "node", Logger: slog.New(slog.DiscardHandler)}
	if f.options != nil {
		f.options(&o)
	}
	f.engine = fanout.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f.engine.Run(ctx); err != nil {
			t.Errorf("Run = %v, want nil after cancel", err)
		}
	}()
	f.stop = func() { cancel(); <-done }
}

func (f *fixture) close(t testing.TB) {
	f.stop()
	if err := f.db.Close(); err != nil {
		t.Error(err)
	}
}

func (f *fixture) topic(t testing.TB, name string) string {
	t.Helper()
	arn, err := f.EnsureTopic(t.Context(), account, name)
	if err != nil {
		t.Fatal(err)
	}
	return arn
}

// subscribe adds a confirmed raw subscription without the handshake.
func (f *fixture) subscribe(t testing.TB, arn, endpoint string) topic.Subscription {
	t.Helper()
	s, err := f.Service.Subscribe(t.Context(), arn, topic.HTTP, endpoint, map[string]string{topic.AttrRaw: "true"})
	if err != nil {
		t.Fatal(err)
	}
	stored, err := f.db.Subscription(t.Context(), s.ARN)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.db.ConfirmSubscription(t.Context(), arn, stored.TokenHash, false, false, time.Now()); err != nil {
		t.Fatal(err)
	}
	return stored
}

func (f *fixture) publish(t testing.TB, arn string, n int) {
	t.Helper()
	batch := make([]topic.Message, n)
	for i := range batch {
		batch[i].Body = fmt.Append(nil, "message ", i)
	}
	if err := f.PublishBatch(t.Context(), arn, batch); err != nil {
		t.Fatal(err)
	}
}

// left returns the messages that a subscription has not received, due or not.
func (f *fixture) left(t testing.TB, s topic.Subscription) []queue.Waiting {
	t.Helper()
	due, err := f.db.DueMessages(t.Context(), s.Key, time.Now().Add(24*time.Hour), nil, 100_000, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return due.Messages
}

func (f *fixture) deadLetters(t testing.TB) []queue.DeadLetter {
	t.Helper()
	list, err := f.db.DeadMessages(t.Context(), account, 0, 100_000)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// network carries requests to handlers by host name, without sockets, so that it works in a bubble.
type network struct {
	mu    sync.Mutex
	hosts map[string]http.HandlerFunc
}

func (n *network) serve(host string, h http.HandlerFunc) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.hosts[host] = h
}

func (n *network) RoundTrip(r *http.Request) (*http.Response, error) {
	n.mu.Lock()
	h := n.hosts[r.URL.Host]
	n.mu.Unlock()
	if h == nil {
		return nil, fmt.Errorf("connect to %s: connection refused", r.URL.Host)
	}
	w := &recorder{header: http.Header{}, status: http.StatusOK}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h(w, r)
	}()
	select {
	case <-done:
	case <-r.Context().Done():
		<-done
		return nil, r.Context().Err()
	}
	return &http.Response{StatusCode: w.status, Header: w.header, Body: io.NopCloser(&w.body), Request: r, ProtoMajor: 1, ProtoMinor: 1}, nil
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }
func (r *recorder) WriteHeader(status int)      { r.status = status }

// inbox collects what an endpoint received.
type inbox struct {
	mu sync.Mutex
	arrivals
}

// arrivals are the requests that an endpoint has seen, in order.
type arrivals struct {
	bodies   []string
	headers  []http.Header
	times    []time.Time
	flying   int
	together int // most requests at once
}

func (i *inbox) begin(r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.bodies, i.headers, i.times = append(i.bodies, string(body)), append(i.headers, r.Header.Clone()), append(i.times, time.Now())
	i.flying++
	i.together = max(i.together, i.flying)
}

func (i *inbox) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.flying--
}

// seen returns a copy of what has arrived so far.
func (i *inbox) seen() arrivals {
	i.mu.Lock()
	defer i.mu.Unlock()
	return arrivals{bodies: slices.Clone(i.bodies), headers: slices.Clone(i.headers), times: slices.Clone(i.times), together: i.together}
}

func (i *inbox) len() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return len(i.bodies)
}

// answering returns a handler that records requests and answers with what status says for the n-th, counted from 1.
func (i *inbox) answering(status func(n int) int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		i.begin(r)
		defer i.end()
		w.WriteHeader(status(i.len()))
	}
}

func always(status int) func(int) int { return func(int) int { return status } }
