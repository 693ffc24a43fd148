package sim

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// epoch is the start of time of tests that do not run in a bubble.
var epoch = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// wire is a RoundTripper that calls a handler in the same process. A handler that aborts looks like a cut connection.
type wire struct{ h http.Handler }

func (t wire) RoundTrip(r *http.Request) (res *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			if e, ok := p.(error); !ok || !errors.Is(e, http.ErrAbortHandler) {
				panic(p)
			}
			res, err = nil, io.ErrUnexpectedEOF
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := httptest.NewRecorder()
	t.h.ServeHTTP(w, r)
	res = w.Result()
	res.Request = r
	return res, nil
}

// hook is one webhook request as the app got it.
type hook struct {
	body   []byte
	header http.Header
	host   string
	at     time.Time
}

// app is the business's server: it passes the handshake and keeps what it gets. answer may refuse a delivery.
type app struct {
	mu         sync.Mutex
	hooks      []hook
	handshakes int
	missing    string                       // host whose next handshake is a 404
	answer     func(n int, body []byte) int // n counts from 1
	delay      time.Duration
}

func (a *app) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		a.mu.Lock()
		a.handshakes++
		missing := a.missing == r.URL.Host
		if missing {
			a.missing = ""
		}
		a.mu.Unlock()
		if missing {
			http.NotFound(w, r)
			return
		}
		if q := r.URL.Query(); q.Get("hub.mode") == "subscribe" && q.Get("hub.verify_token") == VerifyToken {
			_, _ = io.WriteString(w, q.Get("hub.challenge"))
			return
		}
		w.WriteHeader(http.StatusForbidden)
		return
	}
	body, _ := io.ReadAll(r.Body)
	if a.delay > 0 {
		time.Sleep(a.delay)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.hooks = append(a.hooks, hook{body, r.Header.Clone(), r.URL.Host, time.Now()})
	if a.answer != nil {
		w.WriteHeader(a.answer(len(a.hooks), body))
	}
}

func (a *app) taken() []hook {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]hook(nil), a.hooks...)
}

// envelope is a webhook body, read the way a client would.
type envelope struct {
	Object string `json:"object"`
	Entry  []struct {
		ID      string `json:"id"`
		Time    int64  `json:"time"`
		Changes []struct {
			Field string `json:"field"`
			Value struct {
				Metadata struct {
					Display string `json:"display_phone_number"`
					Number  string `json:"phone_number_id"`
				} `json:"metadata"`
				Contacts []map[string]any `json:"contacts"`
				Messages []map[string]any `json:"messages"`
				Statuses []status         `json:"statuses"`
				Errors   []map[string]any `json:"errors"`
				Event    string           `json:"event"`
			} `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

type status struct {
	ID           string          `json:"id"`
	Status       string          `json:"status"`
	Timestamp    string          `json:"timestamp"`
	Recipient    string          `json:"recipient_id"`
	Opaque       string          `json:"biz_opaque_callback_data"`
	Pricing      *pricing        `json:"pricing"`
	Conversation json.RawMessage `json:"conversation"`
	Errors       []struct {
		Code  int    `json:"code"`
		Title string `json:"title"`
	} `json:"errors"`
}

type pricing struct {
	Billable bool   `json:"billable"`
	Model    string `json:"pricing_model"`
	Type     string `json:"type"`
	Category string `json:"category"`
}

func parse(t *testing.T, body []byte) envelope {
	t.Helper()
	var e envelope
	if err := json.Unmarshal(body, &e); err != nil {
		t.Fatalf("webhook is not JSON: %v\n%s", err, body)
	}
	return e
}

// statuses lists every status the app got, in order.
func (a *app) statuses(t *testing.T) (list []status) {
	t.Helper()
	for _, h := range a.taken() {
		for _, e := range parse(t, h.body).Entry {
			for _, c := range e.Changes {
				list = append(list, c.Value.Statuses...)
			}
		}
	}
	return list
}

// messages lists every customer's message the app got, in order.
func (a *app) messages(t *testing.T) (list []map[string]any) {
	t.Helper()
	for _, h := range a.taken() {
		for _, e := range parse(t, h.body).Entry {
			for _, c := range e.Changes {
				list = append(list, c.Value.Messages...)
			}
		}
	}
	return list
}

func names(list []status) string {
	var b []string
	for _, s := range list {
		b = append(b, s.Status)
	}
	return strings.Join(b, " ")
}

func signed(body []byte) string {
	m := hmac.New(sha256.New, []byte(AppSecret))
	m.Write(body)
	return "sha256=" + hex.EncodeToString(m.Sum(nil))
}

// world is a running simulator with an app, inside a bubble.
type fixture struct {
	t      *testing.T
	sim    *Sim
	app    *app
	client *http.Client
}

const hookURL = "http://app.test/webhooks/meta"

// bubble runs a test with virtual time against a running simulator whose webhooks go to an app.
func bubble(t *testing.T, o Options, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, o)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- f.sim.Run(ctx) }()
		test(f)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run returned %v, want nil after cancel", err)
		}
	})
}

// newFixture is a simulator that does not run: calls work, nothing is delivered.
func newFixture(t *testing.T, o Options) *fixture {
	t.Helper()
	f := &fixture{t: t, app: &app{}}
	if o.Seed == 0 {
		o.Seed = 7
	}
	o.WebhookURL = hookURL
	o.Client = &http.Client{Transport: wire{f.app}}
	f.sim = New(o)
	f.client = &http.Client{Transport: wire{f.sim.Handler()}}
	return f
}

// reply is what a call was answered with.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) errorCode(t *testing.T) int {
	t.Helper()
	return r.graphError(t).Code
}

type graphErrorBody struct {
	Message string          `json:"message"`
	Type    string          `json:"type"`
	Code    int             `json:"code"`
	Subcode int             `json:"error_subcode"`
	Data    json.RawMessage `json:"error_data"`
	Trace   string          `json:"fbtrace_id"`
}

func (r reply) graphError(t *testing.T) graphErrorBody {
	t.Helper()
	var e struct {
		Error graphErrorBody `json:"error"`
	}
	if err := json.Unmarshal(r.body, &e); err != nil {
		t.Fatalf("reply is not JSON: %v\n%s", err, r.body)
	}
	return e.Error
}

func (f *fixture) request(method, path, body string, headers ...string) *http.Request {
	f.t.Helper()
	req, err := http.NewRequest(method, "http://127.0.0.1:7767"+path, bytes.NewReader([]byte(body)))
	if err != nil {
		f.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

func (f *fixture) do(req *http.Request) (reply, error) {
	f.t.Helper()
	res, err := f.client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, body}, err
}

// graph calls the Graph API with the development token.
func (f *fixture) graph(method, path, body string) reply {
	f.t.Helper()
	r, err := f.do(f.request(method, path, body, "Authorization", "Bearer "+AccessToken))
	if err != nil {
		f.t.Fatalf("%s %s: %v", method, path, err)
	}
	return r
}

// control calls the control API and fails the test unless it answers 200.
func (f *fixture) control(method, path, body string) []byte {
	f.t.Helper()
	r, err := f.do(f.request(method, path, body))
	if err != nil || r.status != http.StatusOK {
		f.t.Fatalf("%s %s = %d %v\n%s", method, path, r.status, err, r.body)
	}
	return r.body
}

const messagesPath = "/v25.0/" + NumberID + "/messages"

func (f *fixture) post(body string) reply {
	f.t.Helper()
	return f.graph(http.MethodPost, messagesPath, body)
}

// send posts a message that must be accepted and returns its wamid.
func (f *fixture) send(body string) string {
	f.t.Helper()
	r := f.post(body)
	var ok sendReply
	if err := json.Unmarshal(r.body, &ok); err != nil || r.status != http.StatusOK || len(ok.Messages) != 1 {
		f.t.Fatalf("send = %d\n%s", r.status, r.body)
	}
	return ok.Messages[0].ID
}

// writes lets a customer write, which opens the window.
func (f *fixture) writes(waID, message string) string {
	f.t.Helper()
	var id struct {
		ID string `json:"id"`
	}
	body := f.control(http.MethodPost, "/sim/v1/customers/"+waID+"/messages", `{"phone_number_id":"`+NumberID+`","message":`+message+`}`)
	if err := json.Unmarshal(body, &id); err != nil || id.ID == "" {
		f.t.Fatalf("no id in %s", body)
	}
	return id.ID
}

func textTo(to, body string) string {
	return `{"messaging_product":"whatsapp","to":"` + to + `","type":"text","text":{"body":"` + body + `"}}`
}

func templateTo(to, name string) string {
	return `{"messaging_product":"whatsapp","to":"` + to + `","type":"template","template":{"name":"` + name + `","language":{"code":"en_US"}}}`
}

const hi = `{"type":"text","text":{"body":"Hi"}}`

// after lets virtual time pass.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}
