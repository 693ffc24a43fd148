package awsapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// ledger is awsapi.Calls in memory. It fails where told.
type ledger struct {
	mu              sync.Mutex
	calls           map[string][]byte // nil: begun
	noBegin, noDone error
}

func (l *ledger) BeginCall(_ context.Context, accountID, call string, _ time.Time) ([]byte, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	output, repeated := l.calls[accountID+" "+call]
	if !repeated && l.noBegin == nil {
		l.calls[accountID+" "+call] = nil
	}
	return output, repeated, l.noBegin
}

func (l *ledger) SettleCall(_ context.Context, accountID, call string, output []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.noDone != nil:
		return l.noDone
	case output == nil:
		delete(l.calls, accountID+" "+call)
	default:
		l.calls[accountID+" "+call] = output
	}
	return nil
}

// making is a service with an operation that makes something new each time it is run.
func making(t *testing.T, l *ledger, do func(ctx context.Context, n int64) error) (post func(invocation string) *awsapitest.Response, ran *atomic.Int64, c awsapitest.Client) {
	t.Helper()
	ran = new(atomic.Int64)
	operation := awsapi.Op(func(ctx context.Context, _ *echoInput) (*echoOutput, error) {
		n := ran.Add(1)
		if err := do(ctx, n); err != nil {
			return nil, err
		}
		return &echoOutput{fmt.Sprint("thing ", n)}, nil
	})
	c = client(t, awsapi.Options{Calls: l, Services: []awsapi.Service{{Name: "echo", Protocol: restjson.Protocol{}, Codes: services(nil)[0].Codes,
		Operations: []awsapi.Operation{{Name: "Make", Method: "POST", Path: "/make", Once: true, Rate: 1000, Do: operation}}}}})
	return func(invocation string) *awsapitest.Response {
		client := c
		if invocation != "" {
			client.Header = http.Header{"Amz-Sdk-Invocation-Id": {invocation}}
		}
		return client.Do(t, "POST", "/make", `{"text":"hi"}`)
	}, ran, c
}

func TestOnce(t *testing.T) {
	t.Parallel()
	post, _, _ := making(t, &ledger{calls: map[string][]byte{}}, func(context.Context, int64) error { return nil })
	for _, tc := range []struct{ invocation, want string }{
		{"a", `{"text":"thing 1"}`}, {"a", `{"text":"thing 1"}`}, {"b", `{"text":"thing 2"}`}, {"a", `{"text":"thing 1"}`},
		{"", `{"text":"thing 3"}`}, {"", `{"text":"thing 4"}`}, // calls without an id are calls of their own
	} {
		if res := post(tc.invocation); res.Status != http.StatusOK || string(res.Body) != tc.want {
			t.Errorf("%q: %d %s, want %s", tc.invocation, res.Status, res.Body, tc.want)
		}
	}
}

// What an attempt came to decides about the next one.
func TestOnceAfterErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name     string
		first    error
		repeated bool // the second attempt is told of the first
	}{
		{"refused", fault.New(fault.InvalidParameters, "no"), false},
		{"throttled", &fault.Error{Kind: fault.Throttled, RetryAfter: time.Second}, false},
		{"no answer", fault.New(fault.Dependency, "gone"), true},
		{"broken", errors.New("broken"), true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var told []bool
			post, ran, _ := making(t, &ledger{calls: map[string][]byte{}}, func(ctx context.Context, n int64) error {
				told = append(told, awsapi.From(ctx).Repeated)
				if n == 1 {
					return tc.first
				}
				return nil
			})
			if res := post("a"); res.Status < 400 {
				t.Errorf("first: %d", res.Status)
			}
			for range 2 {
				if res := post("a"); string(res.Body) != `{"text":"thing 2"}` {
					t.Errorf("repeated: %d %s", res.Status, res.Body)
				}
			}
			if ran.Load() != 2 || told[0] || told[1] != tc.repeated {
				t.Errorf("ran %d times, told %v", ran.Load(), told)
			}
		})
	}
}

// A client that hangs up does not end the call, and its repetition waits for what it comes to.
func TestOnceAtTheSameTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		post, ran, c := making(t, &ledger{calls: map[string][]byte{}}, func(context.Context, int64) error {
			time.Sleep(time.Minute)
			return nil
		})
		c.Header = http.Header{"Amz-Sdk-Invocation-Id": {"a"}}
		ctx, hangUp := context.WithCancel(t.Context())
		left := make(chan *awsapitest.Response)
		go func() { left <- c.Send(t, c.Request(t, "POST", "/make", `{"text":"hi"}`).WithContext(ctx)) }()
		time.Sleep(time.Second)
		hangUp()
		if res := <-left; res.Code() != "RequestAbortedException" {
			t.Errorf("hung up: %d %s", res.Status, res.Body)
		}
		begin := time.Now()
		if res := post("a"); string(res.Body) != `{"text":"thing 1"}` || time.Since(begin) != 59*time.Second {
			t.Errorf("repeated: %d %s after %v", res.Status, res.Body, time.Since(begin))
		}
		if ran.Load() != 1 {
			t.Errorf("ran %d times", ran.Load())
		}
	})
}

func TestOnceWithoutALedger(t *testing.T) {
	t.Parallel()
	l := &ledger{calls: map[string][]byte{}, noBegin: fault.New(fault.Unavailable, "storage is full")}
	post, ran, _ := making(t, l, func(context.Context, int64) error { return nil })
	if res := post("a"); res.Status != http.StatusServiceUnavailable || ran.Load() != 0 {
		t.Errorf("%d %s, ran %d times", res.Status, res.Body, ran.Load())
	}
	// What was made is told even if it cannot be written down.
	l.noBegin, l.noDone = nil, errors.New("broken")
	if res := post("a"); string(res.Body) != `{"text":"thing 1"}` {
		t.Errorf("%d %s", res.Status, res.Body)
	}
}

func TestOncePanics(t *testing.T) {
	t.Parallel()
	post, _, _ := making(t, &ledger{calls: map[string][]byte{}}, func(context.Context, int64) error { panic("oh") })
	if res := post("a"); res.Status != http.StatusInternalServerError {
		t.Errorf("%d %s", res.Status, res.Body)
	}
}
