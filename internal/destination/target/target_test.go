package target_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/destination/target"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

const (
	account = "000000000000"
	rule    = "arn:aws:events:us-east-1:" + account + ":rule/orders"
	hook    = "arn:aws:events:us-east-1:" + account + ":api-destination/hook/1"
	event   = `{"version":"0","id":"e-1","detail-type":"Order","source":"shop","detail":{"id":"a/b","text":"line\nbreak"}}`
	key     = "sup3rsecret"
)

// sealed undoes the protection of what begins with "sealed ".
type sealed struct{}

func (sealed) Open(s, id []byte) ([]byte, error) {
	if text, ok := strings.CutPrefix(string(s), "sealed "+string(id)+" "); ok {
		return []byte(text), nil
	}
	return nil, errors.New("cannot be opened")
}

func waiting(text string) *queue.Waiting {
	return &queue.Waiting{Record: queue.Record{ID: "e-1", PublishedAt: time.Unix(1763800000, 0), Sealed: []byte("sealed e-1 " + text)}}
}

// sent remembers what topics and queues were sent.
type sent struct {
	mu  sync.Mutex
	all [][3]string // ARN, id, body
	err error
}

func (s *sent) add(arn, id, body string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, [3]string{arn, id, body})
	return s.err
}

type topics struct{ *sent }

func (t topics) Send(_ context.Context, arn, id, body string) error { return t.add(arn, id, body) }

type queues struct{ *sent }

func (q queues) Send(_ context.Context, arn, body string, attributes []topic.Attribute) error {
	if len(attributes) > 0 {
		return errors.New("attributes that nobody asked for")
	}
	return q.add(arn, "", body)
}

// destinations are the API destinations there are, by ARN.
type destinations map[string]bus.Call

func (d destinations) Call(_ context.Context, arn string) (bus.Call, error) {
	if c, ok := d[arn]; ok {
		return c, nil
	}
	return bus.Call{}, fault.New(fault.NotFound, "the API destination does not exist")
}

func options() target.Options {
	return target.Options{Opener: sealed{}, Topics: topics{&sent{}}, Client: &http.Client{}}
}

func to(arn string, settings bus.Settings) *bus.Target {
	return &bus.Target{AccountID: account, RuleARN: rule, ID: "t", ARN: arn, Settings: settings}
}

func TestTopicsAndQueues(t *testing.T) {
	t.Parallel()
	const topicARN, queueARN = "arn:aws:sns:us-east-1:" + account + ":orders", "arn:aws:sqs:us-east-1:" + account + ":orders"
	o := options()
	published, enqueued := &sent{}, &sent{}
	o.Topics, o.Queues = topics{published}, queues{enqueued}
	c := target.New(o)
	for _, settings := range []bus.Settings{{}, {Input: bus.Input{Path: "$.detail.id"}}, {}} {
		for _, arn := range []string{topicARN, queueARN} {
			if err := c.Deliver(t.Context(), to(arn, settings), waiting(event)); err != nil {
				t.Fatal(err)
			}
		}
	}
	id := published.all[0][1]
	if _, err := uuid.Parse(id); err != nil {
		t.Errorf("message id %q: %v", id, err)
	}
	if diff := cmp.Diff([][3]string{{topicARN, id, event}, {topicARN, id, `"a/b"`}, {topicARN, id, event}}, published.all); diff != "" {
		t.Errorf("published, always under the same id (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][3]string{{queueARN, "", event}, {queueARN, "", `"a/b"`}, {queueARN, "", event}}, enqueued.all); diff != "" {
		t.Errorf("enqueued (-want +got):\n%s", diff)
	}
	other := to(topicARN, bus.Settings{})
	other.ID = "another"
	if err := c.Deliver(t.Context(), other, waiting(event)); err != nil || published.all[3][1] == id {
		t.Errorf("another target's message has the same id, %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	o := options()
	o.Calls = destinations{}
	c := target.New(o)
	for _, tc := range []struct {
		name string
		to   queue.Subscriber
		m    *queue.Waiting
		kind fault.Kind
	}{
		{"no queues", to("arn:aws:sqs:us-east-1:"+account+":q", bus.Settings{}), waiting(event), fault.Dependency},
		{"no such API destination", to(hook, bus.Settings{}), waiting(event), fault.NotFound},
		{"input that the event has not", to(hook, bus.Settings{Input: bus.Input{Path: "$.detail.gone"}}), waiting(event), fault.InvalidParameters},
		{"unreadable", to(hook, bus.Settings{}), &queue.Waiting{Record: queue.Record{ID: "e-1", Sealed: []byte("x")}}, fault.InvalidParameters},
		{"target of a later release", to("arn:aws:lambda:us-east-1:"+account+":function:f", bus.Settings{}), waiting(event), fault.InvalidParameters},
		{"a subscription", &topic.Subscriber{}, waiting(event), fault.Internal},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if err := c.Deliver(t.Context(), tc.to, tc.m); err == nil || fault.KindOf(err) != tc.kind {
				t.Errorf("= %v, want %s", err, tc.kind)
			}
		})
	}
}

// received is a request as an endpoint sees it.
type received struct {
	Method, URI, Body string
	Header            http.Header
}

// endpoint is a server that remembers requests and answers as told.
func endpoint(t *testing.T, answer http.HandlerFunc) (url string, requests func() []received) {
	t.Helper()
	var mu sync.Mutex
	var all []received
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Header.Del("Accept-Encoding")
		r.Header.Del("Content-Length")
		mu.Lock()
		all = append(all, received{r.Method, r.URL.RequestURI(), string(body), r.Header})
		mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s.URL, func() []received { mu.Lock(); defer mu.Unlock(); return all }
}

func call(url, method string, auth bus.AuthType, username string) destinations {
	return destinations{hook: {Destination: bus.Destination{ARN: hook, Endpoint: url, Method: method, Rate: 300}, Type: auth, Username: username, Secret: key}}
}

func TestAPIDestination(t *testing.T) {
	t.Parallel()
	usual := http.Header{"Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"Amazon/EventBridge/ApiDestinations"}}
	with := func(pairs ...string) http.Header {
		h := usual.Clone()
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for _, tc := range []struct {
		name, path, method string
		auth               bus.AuthType
		username           string
		settings           bus.Settings
		want               received
	}{
		{"API key", "/in?x=1", "POST", bus.APIKey, "X-Api-Key", bus.Settings{}, received{"POST", "/in?x=1", event, with("X-Api-Key", key)}},
		{"basic", "/", "PUT", bus.Basic, "user", bus.Settings{Input: bus.Input{Constant: "{}"}},
			received{"PUT", "/", "{}", with("Authorization", "Basic dXNlcjpzdXAzcnNlY3JldA==")}},
		{"parameters", "/*/of/*?y=*", "PATCH", bus.APIKey, "X-Api-Key", bus.Settings{HTTP: &bus.HTTPParameters{Path: []string{"$.detail.id", "x y"},
			Header: map[string]string{"X-Source": "$.source", "Content-Type": "text/json", "x-api-key": "mine"}, Query: map[string]string{"q": "$.id", "r": "&"}}},
			received{"PATCH", "/a%2Fb/of/x%20y?q=e-1&r=%26&y=%2A", event, with("X-Source", "shop", "Content-Type", "text/json", "X-Api-Key", key)}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			url, requests := endpoint(t, nil)
			o := options()
			o.Calls = call(url+tc.path, tc.method, tc.auth, tc.username)
			if err := target.New(o).Deliver(t.Context(), to(hook, tc.settings), waiting(event)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]received{tc.want}, requests()); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		status int
		kind   fault.Kind // "" for success
		wait   time.Duration
	}{
		{200, "", 0}, {204, "", 0}, {302, fault.InvalidParameters, 0}, {400, fault.InvalidParameters, 0}, {401, fault.Dependency, 7 * time.Second},
		{403, fault.InvalidParameters, 0}, {404, fault.InvalidParameters, 0}, {407, fault.Dependency, 7 * time.Second},
		{409, fault.Dependency, 7 * time.Second}, {410, fault.InvalidParameters, 0}, {429, fault.Throttled, 7 * time.Second},
		{500, fault.Dependency, 7 * time.Second}, {503, fault.Dependency, 7 * time.Second}, {599, fault.Dependency, 7 * time.Second},
	} {
		t.Run(http.StatusText(tc.status), func(t *testing.T) {
			t.Parallel()
			url, requests := endpoint(t, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Retry-After", "7")
				w.Header().Set("Location", "/elsewhere")
				w.WriteHeader(tc.status)
				w.Write([]byte(r.Header.Get("X-Api-Key") + event)) // endpoints tell what they were sent
			})
			o := options()
			o.Calls = call(url+"/?token="+key, "POST", bus.APIKey, "X-Api-Key")
			err := target.New(o).Deliver(t.Context(), to(hook, bus.Settings{}), waiting(event))
			if n := len(requests()); n != 1 {
				t.Errorf("%d requests, want 1", n)
			}
			if tc.kind == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || f.Kind != tc.kind || f.RetryAfter != tc.wait {
				t.Fatalf("= %+v, want %s and a wait of %v", err, tc.kind, tc.wait)
			}
			if strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "shop") {
				t.Errorf("it tells too much: %v", err)
			}
		})
	}
	for name, url := range map[string]string{"absent": "http://127.0.0.1:1/?token=" + key, "nameless": "http://host.invalid/?token=" + key} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options()
			o.Calls = call(url, "POST", bus.APIKey, "X-Api-Key")
			err := target.New(o).Deliver(t.Context(), to(hook, bus.Settings{}), waiting(event))
			if !fault.Is(err, fault.Dependency) || strings.Contains(err.Error(), key) {
				t.Errorf("= %v", err)
			}
		})
	}
}

// Values of events cannot break out of where they are put.
func TestParametersStayInTheirPlace(t *testing.T) {
	t.Parallel()
	url, requests := endpoint(t, nil)
	o := options()
	o.Calls = call(url+"/a/*", "POST", bus.APIKey, "X-Api-Key")
	c := target.New(o)
	for name, p := range map[string]bus.HTTPParameters{
		"line break in a header": {Header: map[string]string{"X-A": "$.detail.text"}},
		"one step up":            {Path: []string{".."}},
	} {
		if err := c.Deliver(t.Context(), to(hook, bus.Settings{HTTP: &p}), waiting(event)); !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := len(requests()); n != 0 {
		t.Errorf("%d requests were made", n)
	}
}

// transport answers in the process, so that virtual time can wait for it.
type transport func(*http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestRateAndTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := options()
		there := bus.Call{Destination: bus.Destination{ARN: hook, Endpoint: "https://a.example/", Method: "POST", Rate: 2}, Type: bus.Basic, Username: "u", Secret: key}
		known := destinations{hook: there}
		o.Calls = known
		o.Client = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
		})}
		c := target.New(o)
		start := time.Now()
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				if err := c.Deliver(t.Context(), to(hook, bus.Settings{}), waiting(event)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if took := time.Since(start); took < 4*time.Second || took > 5*time.Second {
			t.Errorf("ten requests took %v at two a second", took)
		}

		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := c.Deliver(ctx, to(hook, bus.Settings{}), waiting(event)); err == nil || ctx.Err() == nil {
			t.Errorf("waiting for its turn it did not see that it was over: %v", err)
		}

		there.Destination.Rate = 20
		known[hook] = there
		start = time.Now()
		for range 10 {
			if err := c.Deliver(t.Context(), to(hook, bus.Settings{}), waiting(event)); err != nil {
				t.Error(err)
			}
		}
		if took := time.Since(start); took > 500*time.Millisecond {
			t.Errorf("ten requests took %v after the rate was raised to twenty a second", took)
		}

		o.Client = &http.Client{Transport: transport(func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		start = time.Now()
		err := target.New(o).Deliver(t.Context(), to(hook, bus.Settings{}), waiting(event))
		if took := time.Since(start); !fault.Is(err, fault.Dependency) || took != 5*time.Second || !strings.Contains(err.Error(), "in time") {
			t.Errorf("an endpoint that hangs: %v after %v", err, took)
		}
	})
}
