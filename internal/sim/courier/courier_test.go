package courier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func statusOf(n int) *Update {
	return &Update{Account: "1", Number: "10", Display: "1555", Field: "messages", Kind: Status,
		Body: fmt.Appendf(nil, `{"id":"s%d"}`, n), Contact: []byte(`{"wa_id":"44"}`)}
}

func TestEnvelopeBytes(t *testing.T) {
	t.Parallel()
	message := &Update{Account: "1", Number: "10", Display: "1555", Field: "messages", Kind: Message,
		Body: []byte(`{"id":"m1","text":{"body":"\u00e9\/"}}`), Contact: []byte(`{"wa_id":"44"}`)}
	other := *statusOf(9)
	other.Number, other.Display = "11", "1556"
	foreign := *statusOf(8)
	foreign.Account = "2"
	account := &Update{Account: "1", Field: "account_update", Kind: Value, Body: []byte(`{"event":"X"}`), Time: 1763800000}
	const head = `{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"1555","phone_number_id":"10"}`
	const contact = `,"contacts":[{"wa_id":"44"}]`
	for _, tc := range []struct {
		name    string
		updates []*Update
		mixed   bool
		want    string
	}{
		{"one status", []*Update{statusOf(1)}, false,
			`{"id":"1","changes":[` + head + contact + `,"statuses":[{"id":"s1"}]},"field":"messages"}]}`},
		{"statuses of a number share a value", []*Update{statusOf(1), statusOf(2)}, false,
			`{"id":"1","changes":[` + head + contact + `,"statuses":[{"id":"s1"},{"id":"s2"}]},"field":"messages"}]}`},
		{"a message between", []*Update{statusOf(1), message, statusOf(2)}, false,
			`{"id":"1","changes":[` + head + contact + `,"statuses":[{"id":"s1"}]},"field":"messages"},` +
				head + contact + `,"messages":[{"id":"m1","text":{"body":"\u00e9\/"}}]},"field":"messages"},` +
				head + contact + `,"statuses":[{"id":"s2"}]},"field":"messages"}]}`},
		{"mixed", []*Update{statusOf(1), message}, true,
			`{"id":"1","changes":[` + head + contact + `,"messages":[{"id":"m1","text":{"body":"\u00e9\/"}}],"statuses":[{"id":"s1"}]},"field":"messages"}]}`},
		{"two numbers", []*Update{statusOf(1), &other}, false,
			`{"id":"1","changes":[` + head + contact + `,"statuses":[{"id":"s1"}]},"field":"messages"},` +
				strings.NewReplacer("1555", "1556", `"10"`, `"11"`).Replace(head) + contact + `,"statuses":[{"id":"s9"}]},"field":"messages"}]}`},
		{"two accounts and an account field", []*Update{statusOf(1), &foreign, account}, false,
			`{"id":"1","changes":[` + head + contact + `,"statuses":[{"id":"s1"}]},"field":"messages"}]},` +
				`{"id":"2","changes":[` + head + contact + `,"statuses":[{"id":"s8"}]},"field":"messages"}]},` +
				`{"id":"1","time":1763800000,"changes":[{"value":{"event":"X"},"field":"account_update"}]}`},
		{"errors without a message", []*Update{{Account: "1", Number: "10", Display: "1555", Field: "messages", Errors: []byte(`[{"code":131000}]`)}}, false,
			`{"id":"1","changes":[` + head + `,"errors":[{"code":131000}]},"field":"messages"}]}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			want := `{"object":"whatsapp_business_account","entry":[` + tc.want + `]}`
			if diff := cmp.Diff(want, string(Envelope(tc.updates, tc.mixed))); diff != "" {
				t.Errorf("envelope (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSignature is the signature of a body as openssl computes it:
// printf %s '{"a":"\u00e9"}' | openssl dgst -sha256 -hmac secret (and -sha1).
func TestSignature(t *testing.T) {
	t.Parallel()
	c := New(Options{AppSecret: "secret"})
	h := http.Header{}
	c.sign(h, []byte(`{"a":"\u00e9"}`), &batch{updates: []*Update{statusOf(1)}})
	want := http.Header{
		"X-Hub-Signature-256": {"sha256=c0b240d8a0eff6d060a852938278e6857d51c06d9a5be3160043a150e0f5e5b5"},
		"X-Hub-Signature":     {"sha1=6e6b0f5850157d182415b5d53710390f958465ee"},
	}
	if diff := cmp.Diff(want, h); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// sink is a callback; bodies are kept per address.
type sink struct {
	mu         sync.Mutex
	bodies     map[string][]string
	handshakes map[string]int
	at         []time.Duration
	start      time.Time
	answer     func(to string, n int) (int, error) // n counts an address's deliveries from 1; nil is 200
	echo       func(challenge string) string
}

func newSink() *sink {
	return &sink{bodies: map[string][]string{}, handshakes: map[string]int{}, start: time.Now()}
}

func (s *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	to := r.URL.Scheme + "://" + r.URL.Host + r.URL.Path
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Method == http.MethodGet {
		s.handshakes[to]++
		challenge := r.URL.Query().Get("hub.challenge")
		if s.echo != nil {
			challenge = s.echo(challenge)
		}
		_, _ = io.WriteString(w, challenge)
		return w.Result(), nil
	}
	body, _ := io.ReadAll(r.Body)
	s.bodies[to] = append(s.bodies[to], string(body))
	s.at = append(s.at, time.Since(s.start))
	if s.answer != nil {
		status, err := s.answer(to, len(s.bodies[to]))
		if err != nil {
			s.mu.Unlock()
			<-r.Context().Done() // a callback that never answers
			s.mu.Lock()
			return nil, r.Context().Err()
		}
		w.WriteHeader(status)
	}
	return w.Result(), nil
}

func (s *sink) count(url string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.bodies[home])
}

const home = "http://app.test/hook"

// running runs test beside a courier that delivers to a sink, in virtual time.
func running(t *testing.T, o Options, test func(c *Courier, s *sink)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		o.AppSecret, o.VerifyToken, o.Client = "secret", "token", &http.Client{Transport: s}
		c := New(o)
		c.SetApp(home)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- c.Run(ctx) }()
		test(c, s)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v, want nil after cancel", err)
		}
	})
}

func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestBurstBecomesBatches(t *testing.T) {
	t.Parallel()
	running(t, Options{}, func(c *Courier, s *sink) {
		pass(time.Second)
		for i := range 2500 {
			c.Send("", statusOf(i))
		}
		pass(time.Second)
		if n := s.count(home); n != 3 && n != 4 {
			t.Errorf("%d requests, want 2500 updates in 3 or 4", n)
		}
		all := strings.Join(s.bodies[home], "")
		last := -1
		for i := range 2500 {
			at := strings.Index(all, fmt.Sprintf(`"s%d"`, i))
			if at <= last {
				t.Fatalf("update %d is missing or out of order", i)
			}
			last = at
		}
		if got := c.Stats(); got.Delivered != 2500 || got.Queued != 0 || got.Bytes != 0 {
			t.Errorf("stats %+v, want 2500 delivered and nothing queued", got)
		}
	})
}

func TestRetryInterleaves(t *testing.T) {
	t.Parallel()
	running(t, Options{}, func(c *Courier, s *sink) {
		s.answer = func(_ string, n int) (int, error) {
			if n <= 2 {
				return http.StatusInternalServerError, nil
			}
			return http.StatusOK, nil
		}
		pass(time.Second)
		c.Send("", statusOf(1))
		pass(10 * time.Millisecond)
		c.Send("", statusOf(2)) // waits out the pause, then fails too
		pass(time.Minute)
		want := []string{"s1", "s2", "s1", "s2"}
		for i, b := range s.bodies[home] {
			if !strings.Contains(b, want[i]) {
				t.Errorf("request %d carried %s, want %s", i, b, want[i])
			}
		}
		if got := c.Stats(); got.Delivered != 2 || got.Failed != 2 || got.Queued != 0 {
			t.Errorf("stats %+v, want 2 delivered, 2 failed", got)
		}
	})
}

func TestBackoffAndGivingUp(t *testing.T) {
	t.Parallel()
	running(t, Options{}, func(c *Courier, s *sink) {
		set := Defaults()
		set.RetryMin, set.RetryMax, set.RetryFor = time.Second, 4*time.Second, 12*time.Second
		c.Configure(set)
		s.answer = func(string, int) (int, error) { return http.StatusFound, nil } // a redirect is a failure
		pass(time.Second)
		s.start = time.Now()
		tried := 0
		u := statusOf(1)
		u.Tried = func() { tried++ }
		c.Send("", u)
		pass(time.Minute)
		want := []time.Duration{0, 1 * time.Second, 3 * time.Second, 7 * time.Second, 11 * time.Second, 15 * time.Second}
		if diff := cmp.Diff(want, s.at); diff != "" {
			t.Errorf("attempts (-want +got):\n%s", diff)
		}
		if got := c.Stats(); got.Dropped != 1 || got.Queued != 0 {
			t.Errorf("stats %+v, want the update dropped", got)
		}
		if tried == 0 {
			t.Error("Tried was not called")
		}
	})
}

func TestHandshakeComesFirst(t *testing.T) {
	t.Parallel()
	running(t, Options{}, func(c *Courier, s *sink) {
		s.mu.Lock()
		s.echo = func(string) string { return "nonsense" }
		s.mu.Unlock()
		c.Send("", statusOf(1))
		pass(10 * time.Second)
		if n := s.count(home); n != 0 || c.Verified() {
			t.Fatalf("%d deliveries before the handshake", n)
		}
		s.mu.Lock()
		s.echo = nil
		s.mu.Unlock()
		pass(2 * time.Second)
		if n := s.count(home); n != 1 || !c.Verified() {
			t.Errorf("%d deliveries after the handshake, want 1", n)
		}
		tries := s.handshakes[home]
		c.SetApp(home) // the same address stays verified
		pass(time.Second)
		c.SetApp(home + "2")
		c.Send("", statusOf(2))
		pass(time.Second)
		if s.handshakes[home] != tries || s.handshakes[home+"2"] != 1 || s.count(home+"2") != 1 {
			t.Errorf("handshakes %v and %d deliveries at the new address", s.handshakes, s.count(home+"2"))
		}
	})
}

func TestSickAddressDelaysNobody(t *testing.T) {
	t.Parallel()
	running(t, Options{}, func(c *Courier, s *sink) {
		const other = "http://other.test/hook"
		s.answer = func(to string, _ int) (int, error) {
			if to == home {
				return 0, errors.New("hang")
			}
			return http.StatusOK, nil
		}
		pass(time.Second)
		c.Send("", statusOf(1))
		pass(time.Millisecond)
		c.Send(other, statusOf(2))
		pass(time.Millisecond)
		if n := s.count(other); n != 1 {
			t.Errorf("%d deliveries to the healthy address, want 1", n)
		}
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	one := statusOf(0).size()
	c := New(Options{Limit: 10 * one})
	c.SetApp(home)
	lost := 0
	for range 25 {
		u := statusOf(0)
		u.Tried = func() { lost++ }
		c.Send("", u)
	}
	if got := c.Stats(); got.Queued != 10 || got.Dropped != 15 || got.Bytes > 10*one || lost != 15 {
		t.Errorf("stats %+v and %d told, want 10 queued and 15 dropped", got, lost)
	}
	c.Clear()
	if got := c.Stats(); got != (Stats{}) {
		t.Errorf("stats after Clear: %+v", got)
	}
}

func TestNoAddress(t *testing.T) {
	t.Parallel()
	c := New(Options{})
	c.Send("", statusOf(1))
	if got := c.Stats(); got.Unrouted != 1 || got.Queued != 0 {
		t.Errorf("stats %+v, want one unrouted", got)
	}
}

func TestForgedThenGenuine(t *testing.T) {
	t.Parallel()
	for _, forgery := range []Forgery{WrongSignature, NoSignature} {
		c := New(Options{AppSecret: "secret"})
		u := statusOf(1)
		u.Forgery = forgery
		b := &batch{updates: []*Update{u}}
		first, second, honest := http.Header{}, http.Header{}, http.Header{}
		c.sign(first, []byte("x"), b)
		b.attempts = 1
		c.sign(second, []byte("x"), b)
		c.sign(honest, []byte("x"), &batch{updates: []*Update{statusOf(1)}})
		if cmp.Equal(first, honest) || !cmp.Equal(second, honest) {
			t.Errorf("forgery %d: first %v, then %v, want %v", forgery, first, second, honest)
		}
	}
}

// TestForgedTravelsAlone keeps a bad signature from spoiling its neighbours.
func TestForgedTravelsAlone(t *testing.T) {
	t.Parallel()
	d := &destination{}
	forged := statusOf(2)
	forged.Forgery = WrongSignature
	d.fresh = []*Update{statusOf(0), statusOf(1), forged, statusOf(3)}
	var sizes []int
	for len(d.fresh) > 0 {
		b, _ := d.next(time.Now())
		sizes = append(sizes, len(b.updates))
	}
	if diff := cmp.Diff([]int{2, 1, 1}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestBatchBytes(t *testing.T) {
	t.Parallel()
	d := &destination{}
	big := &Update{Body: make([]byte, 1<<20)}
	d.fresh = []*Update{big, big, big, {Body: make([]byte, 4<<20)}}
	var sizes []int
	for len(d.fresh) > 0 {
		b, _ := d.next(time.Now())
		sizes = append(sizes, len(b.updates))
	}
	if diff := cmp.Diff([]int{2, 1, 1}, sizes); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
}

func TestVerify(t *testing.T) {
	t.Parallel()
	s := newSink()
	c := New(Options{Client: &http.Client{Transport: s}})
	for _, tc := range []struct{ name, address, say string }{
		{"good", "https://hooks.test/wa?x=1", ""},
		{"relative", "/wa", "absolute"},
		{"another scheme", "ftp://hooks.test/", "absolute"},
		{"unparsable", "http://[::1", "absolute"},
	} {
		err := c.Verify(t.Context(), tc.address, "t")
		if (err == nil) != (tc.say == "") || err != nil && !strings.Contains(err.Error(), tc.say) {
			t.Errorf("%s: Verify = %v, want %q", tc.name, err, tc.say)
		}
	}
	s.echo = func(string) string { return "" }
	if err := c.Verify(t.Context(), "http://hooks.test/", "t"); err == nil {
		t.Error("a callback that does not echo was verified")
	}
}
