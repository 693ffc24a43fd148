package meta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const (
	token  identity.Secret = "EAAWtoken"
	secret identity.Secret = "app-secret"
	number                 = "1100000000000001"
)

// client returns a client of a server that answers with h.
func client(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return newClient(t, Options{BaseURL: srv.URL})
}

func newClient(t *testing.T, o Options) *Client {
	t.Helper()
	if o.HTTPClient == nil {
		o.HTTPClient = NewHTTPClient()
		t.Cleanup(o.HTTPClient.CloseIdleConnections)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func hello() SendRequest {
	return SendRequest{PhoneNumberID: number, Version: "v20.0", Token: token, Body: []byte(`{"to":"+14255550150"}`)}
}

func answer(status int, kind, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

const taken = `{"messaging_product":"whatsapp","contacts":[{"input":"+14255550150","wa_id":"14255550150"}],
	"messages":[{"id":"wamid.A=","message_status":"accepted"}]}`

func TestSend(t *testing.T) {
	t.Parallel()
	type seen struct{ Method, URI, Auth, Type, Agent, Body string }
	var got seen
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.RequestURI, r.Header.Get("Authorization"), r.Header.Get("Content-Type"), r.UserAgent(), string(body)}
		_, _ = io.WriteString(w, taken)
	})
	if wamid, err := c.Send(t.Context(), hello()); err != nil || wamid != "wamid.A=" {
		t.Errorf("got %q, %v", wamid, err)
	}
	want := seen{"POST", "/v20.0/" + number + "/messages", "Bearer EAAWtoken", "application/json", userAgent, `{"to":"+14255550150"}`}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
}

func TestSendEdges(t *testing.T) {
	t.Parallel()
	marketing, receipt := hello(), hello()
	marketing.Marketing, receipt.Receipt = true, true
	var path atomic.Value
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		path.Store(r.URL.Path)
		if strings.HasSuffix(r.URL.Path, "/marketing_messages") {
			_, _ = io.WriteString(w, taken)
			return
		}
		_, _ = io.WriteString(w, `{"success":true}`)
	})
	if wamid, err := c.Send(t.Context(), marketing); err != nil || wamid != "wamid.A=" || path.Load() != "/v20.0/"+number+"/marketing_messages" {
		t.Errorf("marketing: %q, %v, path %v", wamid, err, path.Load())
	}
	if wamid, err := c.Send(t.Context(), receipt); err != nil || wamid != "" {
		t.Errorf("receipt: %q, %v", wamid, err)
	}
	if _, err := c.Send(t.Context(), hello()); Outcome(err) != Unknown {
		t.Errorf("a message answered like a receipt: %v is %s, want unknown", err, Outcome(err))
	}
}

// What an answer says beside the id comes in more than one form.
func TestSendReadsTheIDOnly(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"contacts":[{"input":"GB.1","user_id":"GB.1"}],"messages":[{"id":"wamid.B="}]}`,
		`{"contacts":[{"input":"+14255550150","wa_id":14255550150}],"messages":[{"id":"wamid.B="}]}`,
		`{"contacts":{},"messages":[{"id":"wamid.B=","message_status":{"status":"accepted"}}]}`,
	} {
		c := client(t, answer(200, "application/json", body))
		if wamid, err := c.Send(t.Context(), hello()); err != nil || wamid != "wamid.B=" {
			t.Errorf("%s: got %q, %v", body, wamid, err)
		}
	}
}

// TestAnswers takes every kind of answer through a real connection.
func TestAnswers(t *testing.T) {
	t.Parallel()
	graph := func(code int) string {
		return fmt.Sprintf(`{"error":{"code":%d,"message":"m","fbtrace_id":"A"}}`, code)
	}
	tests := []struct {
		name       string
		status     int
		kind, body string
		fate       Fate
		class      Class
		code       int
	}{
		{"refused", 400, "application/json", graph(131009), Refused, Permanent, 131009},
		{"refused, content type with charset", 400, "application/json; charset=UTF-8", graph(131009), Refused, Permanent, 131009},
		{"refused, wrong content type", 400, "text/javascript", graph(131009), Refused, Permanent, 131009},
		{"token expired", 401, "application/json", graph(190), Refused, Credentials, 190},
		{"throttled", 429, "application/json", graph(130429), Refused, Throttled, 130429},
		{"Meta's own trouble", 500, "application/json", graph(131000), Refused, Transient, 131000},
		{"error in a 206", 206, "application/json", graph(131201), Refused, Permanent, 131201},
		{"error in a 200", 200, "application/json", graph(100), Refused, Permanent, 100},
		{"HTML 502", 502, "text/html", "<html>Bad Gateway</html>", Unknown, Transient, 0},
		{"HTML 404", 404, "text/html", "<html>Not Found</html>", Refused, Transient, 0},
		{"empty 500", 500, "", "", Unknown, Transient, 0},
		{"empty 503", 503, "application/json", "", Unknown, Transient, 0},
		{"JSON 500 without error object", 500, "application/json", `{"message":"oops"}`, Unknown, Transient, 0},
		{"request time-out", 408, "text/plain", "", Unknown, Transient, 0},
		{"page 429", 429, "text/html", "slow down", Refused, Throttled, 0},
		{"empty 200", 200, "application/json", "", Unknown, Transient, 0},
		{"HTML 200", 200, "text/html", "<html>Sign in to the network</html>", Unknown, Transient, 0},
		{"200 without messages", 200, "application/json", `{"messaging_product":"whatsapp"}`, Unknown, Transient, 0},
		{"200 with an empty wamid", 200, "application/json", `{"messages":[{"id":""}]}`, Unknown, Transient, 0},
		{"200 cut in JSON", 200, "application/json", taken[:len(taken)-20], Unknown, Transient, 0},
		{"202", 202, "application/json", `{}`, Unknown, Transient, 0},
		{"endless 200", 200, "application/json", strings.Repeat(" ", maxAnswer+1), Unknown, Transient, 0},
		{"endless 400", 400, "text/html", strings.Repeat("x", maxAnswer+1), Refused, Transient, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := client(t, answer(tt.status, tt.kind, tt.body)).Send(t.Context(), hello())
			if err == nil {
				t.Fatal("no error")
			}
			if got := Outcome(err); got != tt.fate {
				t.Errorf("fate %s, want %s (%v)", got, tt.fate, err)
			}
			if got := ClassOf(err); got != tt.class {
				t.Errorf("class %s, want %s (%v)", got, tt.class, err)
			}
			if e, ok := errors.AsType[*Error](err); ok && (e.Code != tt.code || e.HTTPStatus != tt.status || e.Graph != (tt.code != 0)) {
				t.Errorf("got %+v", e)
			}
			if strings.Contains(err.Error(), string(token)) || strings.Contains(err.Error(), "<html>") {
				t.Errorf("error tells too much: %v", err)
			}
		})
	}
}

func TestRetryAfterReachesTheError(t *testing.T) {
	t.Parallel()
	_, err := client(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "3")
		answer(429, "application/json", `{"error":{"code":130429}}`)(w, r)
	}).Send(t.Context(), hello())
	if e, ok := errors.AsType[*Error](err); !ok || e.RetryAfter != 3*time.Second {
		t.Errorf("got %#v", err)
	}
}

// TestBrokenExchanges breaks the exchange on the way and asks what is known of the request.
func TestBrokenExchanges(t *testing.T) {
	t.Parallel()
	hijack := func(w http.ResponseWriter) net.Conn {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		return conn
	}
	read := func(r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }
	tests := []struct {
		name string
		h    http.HandlerFunc
		fate Fate
	}{
		{"reset after the request", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			conn := hijack(w)
			_ = conn.(*net.TCPConn).SetLinger(0)
			_ = conn.Close()
		}, Unknown},
		{"closed after the request", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			_ = hijack(w).Close()
		}, Unknown},
		{"closed within the headers", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			conn := hijack(w)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-")
			_ = conn.Close()
		}, Unknown},
		{"200 cut short", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			conn := hijack(w)
			_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"+taken)
			_ = conn.Close()
		}, Unknown},
		{"error cut short", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			conn := hijack(w)
			_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 500\r\n\r\n{\"error\":")
			_ = conn.Close()
		}, Refused},
		{"not HTTP", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			conn := hijack(w)
			_, _ = io.WriteString(conn, "SSH-2.0-OpenSSH_9.2\r\n")
			_ = conn.Close()
		}, Unknown},
		{"redirected", func(w http.ResponseWriter, r *http.Request) {
			read(r)
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		}, Refused},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var requests atomic.Int32
			c := client(t, func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				tt.h(w, r)
			})
			_, err := c.Send(t.Context(), hello())
			if got := Outcome(err); got != tt.fate {
				t.Errorf("fate %s, want %s (%v)", got, tt.fate, err)
			}
			if n := requests.Load(); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
		})
	}
}

// TestNoSilentRepeat lets a server close a kept connection on the second request, where net/http repeats what it may.
func TestNoSilentRepeat(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if requests.Add(1) == 1 {
			_, _ = io.WriteString(w, taken)
			return
		}
		conn, _, _ := http.NewResponseController(w).Hijack()
		_ = conn.Close()
	})
	if _, err := c.Send(t.Context(), hello()); err != nil {
		t.Fatal(err)
	}
	_, err := c.Send(t.Context(), hello())
	if got := Outcome(err); got != Unknown {
		t.Errorf("fate %s, want unknown (%v)", got, err)
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("the server saw %d requests, want 2", n)
	}
}

// TestHTTP2 aborts a stream after its request, on a connection that stays usable.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	var requests atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		if requests.Add(1) == 2 {
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, strings.Replace(taken, "wamid.A=", r.Proto, 1))
	}))
	srv.EnableHTTP2 = true
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c := newClient(t, Options{BaseURL: srv.URL, HTTPClient: srv.Client()})
	if proto, err := c.Send(t.Context(), hello()); err != nil || proto != "HTTP/2.0" {
		t.Fatalf("got %q, %v", proto, err)
	}
	if _, err := c.Send(t.Context(), hello()); Outcome(err) != Unknown {
		t.Errorf("aborted stream: %v is %s, want unknown", err, Outcome(err))
	}
	if n := requests.Load(); n != 2 {
		t.Errorf("the server saw %d requests, want 2", n)
	}
}

func TestTimeoutAfterTheRequest(t *testing.T) {
	t.Parallel()
	arrived, done := make(chan struct{}), make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		close(arrived)
		<-done
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(done) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, err := newClient(t, Options{BaseURL: srv.URL}).Send(ctx, hello())
	if got := Outcome(err); got != Unknown || !errors.Is(err, context.Canceled) {
		t.Errorf("fate %s, want unknown (%v)", got, err)
	}

	_, err = newClient(t, Options{BaseURL: srv.URL, Timeout: time.Nanosecond}).Send(t.Context(), hello())
	if got := Outcome(err); got != NotSent || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("time-out before the request: fate %s, want not sent (%v)", got, err)
	}
}

func TestNotSent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + listener.Addr().String()
	_ = listener.Close()
	secure := httptest.NewUnstartedServer(answer(200, "application/json", taken))
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	noDNS := &http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "graph.example", IsNotFound: true}
	}}}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()

	tests := []struct {
		name    string
		options Options
		ctx     context.Context
	}{
		{"connection refused", Options{BaseURL: closed}, t.Context()},
		{"certificate not trusted", Options{BaseURL: secure.URL}, t.Context()},
		{"name not found", Options{BaseURL: "http://graph.example", HTTPClient: noDNS}, t.Context()},
		{"cancelled before", Options{BaseURL: secure.URL}, cancelled},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := newClient(t, tt.options).Send(tt.ctx, hello())
			if got := Outcome(err); got != NotSent {
				t.Errorf("fate %s, want not sent (%v)", got, err)
			}
			if ClassOf(err) != Transient {
				t.Errorf("class %s, want transient", ClassOf(err))
			}
		})
	}
}

// TestNotSentIsFinal gives up on a request while net/http could still write it: whoever is told "not sent" can rely on it.
func TestNotSentIsFinal(t *testing.T) {
	t.Parallel()
	b := newOnceBody([]byte("hello"))
	if got := b.fate(errors.New("cancelled")); got != NotSent {
		t.Fatalf("fate %s, want not sent", got)
	}
	if n, err := b.Read(make([]byte, 8)); n != 0 || !errors.Is(err, errVoid) {
		t.Errorf("Read after that: %d bytes, %v", n, err)
	}

	b = newOnceBody([]byte("hello"))
	if got, err := io.ReadAll(b); err != nil || string(got) != "hello" {
		t.Fatalf("ReadAll = %q, %v", got, err)
	}
	if got := b.fate(errors.New("reset")); got != Unknown {
		t.Errorf("fate after reading %s, want unknown", got)
	}
}

// TestNotSentUnderCancellation races cancellations against the writing of requests: a server must never see a whole request
// whose sender was told that it was not sent.
func TestNotSentUnderCancellation(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	arrived := map[string]bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, err := io.ReadAll(r.Body); err == nil {
			mu.Lock()
			arrived[string(body)] = true
			mu.Unlock()
		}
		_, _ = io.WriteString(w, taken)
	}))
	t.Cleanup(srv.Close)
	c := newClient(t, Options{BaseURL: srv.URL})
	var wg sync.WaitGroup
	notSent := make(chan string, 400)
	for i := range 400 {
		wg.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*10*time.Microsecond)
			defer cancel()
			r := hello()
			r.Body = fmt.Appendf(nil, "%d", i)
			if _, err := c.Send(ctx, r); Outcome(err) == NotSent {
				notSent <- string(r.Body)
			}
		})
	}
	wg.Wait()
	srv.Close()
	close(notSent)
	for body := range notSent {
		if arrived[body] {
			t.Errorf("request %s was called not sent, but arrived", body)
		}
	}
}

func TestDo(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method != http.MethodGet || r.ContentLength > 0:
			answer(400, "application/json", `{"error":{"code":100}}`)(w, r)
		case r.URL.Path == "/bad":
			_, _ = io.WriteString(w, `{"id":`)
		default:
			fmt.Fprintf(w, `{"id":%q,"query":%q}`, r.URL.EscapedPath(), r.URL.RawQuery)
		}
	})
	var got struct{ ID, Query string }
	if err := c.Do(t.Context(), Call{Version: "v23.0", Path: "upload:MT ph", Query: url.Values{"fields": {"id,name"}}}, &got); err != nil {
		t.Fatal(err)
	}
	if got.ID != "/v23.0/upload:MT%20ph" || got.Query != "fields=id%2Cname" {
		t.Errorf("got %+v", got)
	}
	if err := c.Do(t.Context(), Call{Path: "x"}, nil); err != nil {
		t.Errorf("without an output: %v", err)
	}
	if err := c.Do(t.Context(), Call{Path: "bad"}, &got); Outcome(err) != Unknown {
		t.Errorf("bad JSON: %v", err)
	}
	if err := c.Do(t.Context(), Call{Method: http.MethodDelete, Path: "x"}, nil); Outcome(err) != Refused {
		t.Errorf("refused: %v", err)
	}
}

func TestFateWithoutBody(t *testing.T) {
	t.Parallel()
	var none *onceBody
	if got := none.fate(&net.OpError{Op: "dial", Err: errors.New("refused")}); got != NotSent {
		t.Errorf("dial: %s", got)
	}
	if got := none.fate(io.ErrUnexpectedEOF); got != Unknown {
		t.Errorf("EOF: %s", got)
	}
	if Outcome(nil) != Taken || Outcome(errors.New("foreign")) != Unknown {
		t.Error("nil is taken, foreign errors are unknown")
	}
}

func TestProof(t *testing.T) {
	t.Parallel()
	var query atomic.Value
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query.Store(r.URL.RawQuery)
		_, _ = io.WriteString(w, taken)
	}))
	t.Cleanup(srv.Close)
	// printf EAAWtoken | openssl dgst -sha256 -hmac app-secret
	const proof = "5cfc2b9ba92fe9da58dd99fee1ef604458833ad612b9d3ec43e6576658f6e8bd"
	c := newClient(t, Options{BaseURL: srv.URL + "/", AppID: "13", AppSecret: secret, Prove: true})
	if _, err := c.Send(t.Context(), hello()); err != nil || query.Load() != "appsecret_proof="+proof {
		t.Errorf("query %v, %v", query.Load(), err)
	}
	if err := c.Do(t.Context(), Call{Path: "x", Query: url.Values{"a": {"b"}}}, nil); err != nil || query.Load() != "a=b" {
		t.Errorf("without a token: query %v, %v", query.Load(), err)
	}
	if got := c.AppToken().Reveal(); got != "13|app-secret" {
		t.Errorf("app token %q", got)
	}

	srv.Close()
	_, err := c.Send(t.Context(), hello())
	if err == nil || strings.Contains(err.Error(), proof) {
		t.Errorf("the proof is in the error: %v", err)
	}
}

func TestLogTellsNoSecrets(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	srv := httptest.NewServer(answer(400, "application/json", `{"error":{"code":131009,"message":"m"}}`))
	t.Cleanup(srv.Close)
	c := newClient(t, Options{BaseURL: srv.URL, AppSecret: secret, Prove: true,
		Logger: slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	_, _ = c.Send(t.Context(), hello())
	line := out.String()
	if !strings.Contains(line, `"status":400`) || !strings.Contains(line, `"class":"permanent"`) {
		t.Errorf("log line %s", line)
	}
	for _, hidden := range []string{string(token), string(secret), "14255550150", "appsecret"} {
		if strings.Contains(line, hidden) {
			t.Errorf("log line has %q: %s", hidden, line)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{BaseURL: "graph.facebook.com"}, {BaseURL: "ftp://x"}, {BaseURL: "http://"}, {BaseURL: "http://[::1"}, {Prove: true}} {
		if _, err := New(o); err == nil {
			t.Errorf("New(%+v) accepted", o)
		}
	}
	if _, err := New(Options{}); err != nil {
		t.Errorf("the zero value: %v", err)
	}
}

func TestVerifySignature(t *testing.T) {
	t.Parallel()
	// printf '{"object":"whatsapp_business_account"}' | openssl dgst -sha256 -hmac app-secret
	const body, digest = `{"object":"whatsapp_business_account"}`, "0bf7374433906636bed1653bc7c64affb42fa5da9a39e251ab95c2e3a9c06923"
	tests := []struct {
		name   string
		secret identity.Secret
		header string
		body   string
		want   bool
	}{
		{"good", secret, "sha256=" + digest, body, true},
		{"upper case", secret, "sha256=" + strings.ToUpper(digest), body, true},
		{"other body", secret, "sha256=" + digest, body + " ", false},
		{"other secret", "x", "sha256=" + digest, body, false},
		{"no secret", "", "sha256=" + digest, body, false},
		{"no header", secret, "", body, false},
		{"sha1", secret, "sha1=" + digest[:40], body, false},
		{"no prefix", secret, digest, body, false},
		{"short", secret, "sha256=" + digest[:62], body, false},
		{"not hex", secret, "sha256=" + strings.Repeat("z", 64), body, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := VerifySignature(tt.secret, tt.header, []byte(tt.body)); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func BenchmarkSend(b *testing.B) {
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: 200, Header: http.Header{}, ContentLength: int64(len(taken)), Body: io.NopCloser(strings.NewReader(taken))}, nil
	})
	c, err := New(Options{HTTPClient: &http.Client{Transport: transport}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Send(b.Context(), hello()); err != nil {
			b.Fatal(err)
		}
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
