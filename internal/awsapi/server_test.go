package awsapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsjson"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/query"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/restjson"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

var (
	key   = awsapitest.Key("111122223333")
	start = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
)

type echoInput struct {
	Text   string `json:"text" required:"true" len:"1..10"`
	Secret string `json:"secret" len:"0..3" sensitive:"true"`
}

type echoOutput struct {
	Text string `json:"text" xml:"Text"`
}

type shoutInput struct {
	Text string `form:"Text" required:"true"`
}

// services is a small API in both protocols.
func services(echo func(context.Context, *echoInput) (*echoOutput, error)) []awsapi.Service {
	if echo == nil {
		echo = func(_ context.Context, in *echoInput) (*echoOutput, error) { return &echoOutput{in.Text}, nil }
	}
	codes := query.Codes()
	return []awsapi.Service{
		{Name: "echo", Protocol: restjson.Protocol{}, Codes: codes, Operations: []awsapi.Operation{
			{Name: "Echo", Method: "POST", Path: "/echo", MaxBody: 200, Do: awsapi.Op(echo),
				Errors: []fault.Kind{fault.InvalidParameters}},
			{Name: "EchoAgain", Method: "PUT", Path: "/echo", Do: awsapi.Op(echo), Rate: 1},
		}},
		{Name: "shout", Protocol: query.Protocol{Namespace: "urn:shout"}, Codes: codes, Operations: []awsapi.Operation{
			{Name: "Shout", Do: awsapi.Op(func(_ context.Context, in *shoutInput) (*echoOutput, error) {
				return &echoOutput{strings.ToUpper(in.Text)}, nil
			})},
		}},
	}
}

func client(t testing.TB, o awsapi.Options) awsapitest.Client {
	t.Helper()
	o.Region, o.Keys, o.Now = "us-east-1", awsapitest.Keys{key}, func() time.Time { return start }
	if o.Services == nil {
		o.Services = services(nil)
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return awsapitest.Client{Handler: awsapi.New(o), Service: "echo", Key: key, Now: o.Now}
}

// Whoever put a path into the endpoint's URL has to see it.
func TestUnknownOperationIsNamed(t *testing.T) {
	t.Parallel()
	c := client(t, awsapi.Options{})
	if got := c.Do(t, "POST", "/api/echo", `{"text":"hi"}`); !strings.Contains(string(got.Body), `POST /api/echo`) {
		t.Errorf("answer = %s, want the path", got.Body)
	}
	c.Service = "shout"
	if got := c.Do(t, "POST", "/", "Action=Murmur&Text=hi"); !strings.Contains(string(got.Body), `Murmur`) || len(got.Body) > 1000 {
		t.Errorf("answer = %s, want the action", got.Body)
	}
	if got := c.Do(t, "POST", "/", "Action="+strings.Repeat("x", 100_000)); len(got.Body) > 1000 {
		t.Errorf("%d bytes of answer", len(got.Body))
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method, path string
		body               any
		change             func(*http.Request)
		status             int
		code               string
	}{
		{"success", "POST", "/echo", `{"text":"hi"}`, nil, 200, ""},
		{"same path, other method", "PUT", "/echo", `{"text":"hi"}`, nil, 200, ""},
		{"method nobody has", "GET", "/echo", nil, nil, 404, "UnknownOperationException"},
		{"path nobody has", "POST", "/nothing", `{"text":"hi"}`, nil, 404, "UnknownOperationException"},
		{"HEAD", "HEAD", "/echo", nil, nil, 404, "UnknownOperationException"},
		{"another service's operation", "POST", "/", "Action=Shout&Text=hi", nil, 404, "UnknownOperationException"},
		{"not signed", "POST", "/echo", `{"text":"hi"}`, func(r *http.Request) { r.Header.Del("Authorization") }, 403,
			"MissingAuthenticationTokenException"},
		{"not signed, and nobody's", "POST", "/nothing", `{"text":"hi"}`, func(r *http.Request) { r.Header.Del("Authorization") }, 403,
			"MissingAuthenticationTokenException"},
		{"half signed", "POST", "/echo", `{"text":"hi"}`, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") }, 403,
			"IncompleteSignatureException"},
		{"tampered", "POST", "/echo", `{"text":"hi"}`, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261101T120001Z") }, 403,
			"InvalidSignatureException"},
		{"tampered body that is not JSON either", "POST", "/echo", `{"text":"hi"}`,
			func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(strings.NewReader("{")), 1 }, 403, "InvalidSignatureException"},
		{"service nobody is", "POST", "/echo", `{"text":"hi"}`, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/echo/", "/sqs/", 1))
		}, 403, "InvalidSignatureException"},
		{"announced too large", "POST", "/echo", `{"text":"` + strings.Repeat("x", 200) + `"}`, nil, 413, "RequestEntityTooLargeException"},
		{"too large without announcing", "POST", "/echo", `{"text":"` + strings.Repeat("x", 200) + `"}`,
			func(r *http.Request) { r.ContentLength = -1 }, 413, "RequestEntityTooLargeException"},
		{"too large and not signed", "POST", "/echo", strings.Repeat("x", 2<<20), func(r *http.Request) { r.Header.Del("Authorization") }, 413,
			"RequestEntityTooLargeException"},
		{"body that breaks off", "POST", "/echo", `{"text":"hi"}`,
			func(r *http.Request) { r.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), broken{})) }, 400, "RequestAbortedException"},
		{"body that takes too long", "POST", "/echo", `{"text":"hi"}`, func(r *http.Request) { r.Body = io.NopCloser(broken{timeout: true}) }, 408,
			"RequestTimeoutException"},
		{"breaks constraints", "POST", "/echo", `{"text":"","secret":"1234"}`, nil, 400, "ValidationError"},
		{"not JSON", "POST", "/echo", `{`, nil, 400, "SerializationException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, awsapi.Options{})
			req := c.Request(t, tc.method, tc.path, tc.body)
			if tc.change != nil {
				tc.change(req)
			}
			got := c.Send(t, req)
			if got.Status != tc.status || got.Code() != tc.code {
				t.Errorf("answer = %d %s %s\nwant %d %s", got.Status, got.Code(), got.Body, tc.status, tc.code)
			}
			if got.Header.Get("Date") != "Sun, 01 Nov 2026 12:00:00 GMT" || len(got.Header.Get("X-Amzn-Requestid")) != 36 {
				t.Errorf("headers = %v, want a Date and a request id", got.Header)
			}
			if tc.method == "HEAD" && len(got.Body) > 0 {
				t.Errorf("HEAD has a body: %s", got.Body)
			}
			if tc.code != "" && tc.method != "HEAD" && got.Message() == "" {
				t.Errorf("body = %s, want a message", got.Body)
			}
		})
	}
}

// broken is a connection that fails.
type broken struct{ timeout bool }

func (b broken) Read([]byte) (int, error) {
	if b.timeout {
		return 0, fmt.Errorf("read tcp: %w", os.ErrDeadlineExceeded)
	}
	return 0, io.ErrUnexpectedEOF
}

func TestSensitiveValuesAreNotEchoed(t *testing.T) {
	t.Parallel()
	c := client(t, awsapi.Options{})
	got := c.Do(t, "POST", "/echo", `{"text":"much too long","secret":"hush"}`)
	const want = "2 validation errors detected: Value 'much too long' at 'text' failed to satisfy constraint: Member must have " +
		"length less than or equal to 10; Value at 'secret' failed to satisfy constraint: Member must have length less than or equal to 3"
	if got.Message() != want {
		t.Errorf("message = %q\nwant %q", got.Message(), want)
	}
}

// A client that is still sending gets to read why it should stop.
func TestTooLargeOverTheNetwork(t *testing.T) {
	t.Parallel()
	c := client(t, awsapi.Options{})
	server := httptest.NewServer(c.Handler)
	t.Cleanup(server.Close)
	c.URL, c.Handler = server.URL, nil
	got := c.Do(t, "POST", "/echo", strings.Repeat("x", 4<<20))
	if got.Status != 413 || got.Code() != "RequestEntityTooLargeException" {
		t.Errorf("answer = %d %s", got.Status, got.Code())
	}
	if got := c.Do(t, "POST", "/echo", `{"text":"hi"}`); got.Status != 200 {
		t.Errorf("the next request = %d %s", got.Status, got.Body)
	}
}

func TestThrottle(t *testing.T) {
	t.Parallel()
	c := client(t, awsapi.Options{})
	if got := c.Do(t, "PUT", "/echo", `{"text":"hi"}`); got.Status != 200 {
		t.Fatalf("first call: %d %s", got.Status, got.Body)
	}
	got := c.Do(t, "PUT", "/echo", `{"text":"hi"}`)
	if got.Status != 429 || got.Code() != "Throttling" || got.Header.Get("X-Amz-Retry-After") != "1000" {
		t.Errorf("answer = %d %s, retry after %q; want 429 Throttling, 1000", got.Status, got.Code(), got.Header.Get("X-Amz-Retry-After"))
	}
	impostor := c
	impostor.Key.Secret = "wrong"
	if got := impostor.Do(t, "PUT", "/echo", `{"text":"hi"}`); got.Status != 403 {
		t.Errorf("a bad signature: %d %s; want 403, since only real callers use up a quota", got.Status, got.Code())
	}
}

func TestCORS(t *testing.T) {
	t.Parallel()
	c := client(t, awsapi.Options{})
	ask := httptest.NewRequest("OPTIONS", "/echo", nil)
	ask.Header.Set("Origin", "https://console.example")
	ask.Header.Set("Access-Control-Request-Method", "POST")
	ask.Header.Set("Access-Control-Request-Headers", "authorization,x-amz-date")
	got := c.Send(t, ask)
	if got.Status != 200 || len(got.Body) != 0 {
		t.Errorf("preflight = %d %s", got.Status, got.Body)
	}
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  "*",
		"Access-Control-Allow-Methods": "GET,POST,PUT,DELETE",
		"Access-Control-Allow-Headers": "authorization,content-type,content-length,x-amz-date,x-amz-security-token,x-amz-content-sha256," +
			"x-amz-target,x-amz-user-agent,x-amzn-platform-id,x-amzn-trace-id,x-api-key,amz-sdk-request,amz-sdk-invocation-id,Csrf-Token",
		"Access-Control-Expose-Headers": "x-amzn-errortype,x-amzn-requestid,x-amzn-trace-id,Csrf-Token",
	} {
		if got.Header.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Header.Get(name), want)
		}
	}
	for _, body := range []string{`{"text":"hi"}`, `{`} { // errors too must be readable by the page
		req := c.Request(t, "POST", "/echo", body)
		req.Header.Set("Origin", "https://console.example")
		if got := c.Send(t, req); got.Header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("answer to %s lets no page read it: %v", body, got.Header)
		}
	}
	if got := c.Do(t, "POST", "/echo", `{"text":"hi"}`); got.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("answer outside a browser has CORS headers: %v", got.Header)
	}
}

// What is wrong with the signature is told in the protocol of the target, and so is what is wrong without one.
func TestTargetsAreAnsweredInTheirProtocol(t *testing.T) {
	t.Parallel()
	echo := func(_ context.Context, in *echoInput) (*echoOutput, error) { return &echoOutput{in.Text}, nil }
	c := client(t, awsapi.Options{Services: append(services(nil), awsapi.Service{Name: "events", Protocol: awsjson.Protocol{Prefix: "AWSEvents"},
		Codes: awsjson.Codes(), Operations: []awsapi.Operation{{Name: "Echo", MaxBody: 2 << 20, Rate: 1000, Do: awsapi.Op(echo)},
			{Name: "Rare", Rate: 1, Do: awsapi.Op(echo)}}})})
	c.Service = "events"
	for _, tc := range []struct {
		name, body string
		change     func(*http.Request)
		status     int
		code       string
	}{
		{"success", `{"text":"hi"}`, nil, 200, ""},
		{"not signed", `{}`, func(r *http.Request) { r.Header.Del("Authorization") }, 400, "MissingAuthenticationTokenException"},
		{"half signed", `{}`, func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256") }, 400, "IncompleteSignatureException"},
		{"another clock", `{}`, func(r *http.Request) { r.Header.Set("X-Amz-Date", "20261101T110000Z") }, 400, "InvalidSignatureException"},
		{"tampered", `{}`, func(r *http.Request) { r.Header.Set("X-Amz-Target", "AWSEvents.Other") }, 400, "InvalidSignatureException"},
		{"unknown key", `{}`, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), key.ID, "AKIANOBODY", 1))
		}, 400, "UnrecognizedClientException"},
		{"too large", strings.Repeat(" ", 2<<20+1), nil, 413, "RequestEntityTooLargeException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := c
			c.Header = http.Header{"X-Amz-Target": {"AWSEvents.Echo"}}
			req := c.Request(t, "POST", "/", tc.body)
			if tc.change != nil {
				tc.change(req)
			}
			got := c.Send(t, req)
			if got.Status != tc.status || got.Code() != tc.code || got.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
				t.Errorf("answer = %d %s %s", got.Status, got.Header, got.Body)
			}
		})
	}
	t.Run("throttled", func(t *testing.T) {
		t.Parallel()
		c := c
		c.Header = http.Header{"X-Amz-Target": {"AWSEvents.Rare"}}
		var got *awsapitest.Response
		for range 20 {
			got = c.Do(t, "POST", "/", `{"text":"hi"}`)
		}
		if got.Status != 400 || got.Code() != "ThrottlingException" || got.Header.Get("X-Amz-Retry-After") == "" {
			t.Errorf("answer = %d %v %s", got.Status, got.Header, got.Body)
		}
	})
	t.Run("nobody's operation", func(t *testing.T) {
		t.Parallel()
		for _, target := range []string{"AWSEvents.Nothing", "Echo", "AWSEvents.", ""} {
			c := c
			c.Header = http.Header{"X-Amz-Target": {target}}
			if got := c.Do(t, "POST", "/", `{}`); got.Status != 400 || got.Code() != "UnknownOperationException" {
				t.Errorf("target %q: %d %s", target, got.Status, got.Body)
			}
		}
	})
}

func TestUnsignedFormsAreAnsweredInXML(t *testing.T) {
	t.Parallel()
	c := client(t, awsapi.Options{})
	req := httptest.NewRequest("POST", "/", strings.NewReader("Action=Shout"))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	got := c.Send(t, req)
	if got.Status != 403 || !strings.Contains(string(got.Body), "<Code>MissingAuthenticationToken</Code>") {
		t.Errorf("answer = %d %s", got.Status, got.Body)
	}
}

func TestErrorsOfOperations(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		err    error
		status int
		code   string
		text   string
	}{
		{"modelled", fault.New(fault.InvalidParameters, "no good"), 400, "InvalidParameterValue", "no good"},
		{"wrapped", errors.Join(errors.New("x"), fault.New(fault.InvalidParameters, "no good")), 400, "InvalidParameterValue", "no good"},
		{"not modelled", fault.New(fault.NotFound, "not there"), 400, "InvalidParameterValue", "not there"},
		{"dependency, not modelled", fault.New(fault.Dependency, "internal detail"), 500, "InternalFailure", "We encountered an internal error. Please try again."},
		{"unavailable without words", &fault.Error{Kind: fault.Unavailable}, 503, "ServiceUnavailable", "The service cannot handle the request at this time."},
		{"kind nobody knows", fault.New("new", "internal detail"), 500, "InternalFailure", "We encountered an internal error. Please try again."},
		{"own code", &awsapi.Error{Code: awsapi.Code{Name: "OutOfTea", Status: 418}, Message: "boil some"}, 418, "OutOfTea", "boil some"},
		{"plain", errors.New("internal detail"), 500, "InternalFailure", "We encountered an internal error. Please try again."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := client(t, awsapi.Options{Services: services(func(context.Context, *echoInput) (*echoOutput, error) { return nil, tc.err })})
			got := c.Do(t, "POST", "/echo", `{"text":"hi"}`)
			if got.Status != tc.status || got.Code() != tc.code || got.Message() != tc.text {
				t.Errorf("answer = %d %s %q\nwant %d %s %q", got.Status, got.Code(), got.Message(), tc.status, tc.code, tc.text)
			}
		})
	}
}

func TestPanicsAreInternalErrors(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	c := client(t, awsapi.Options{Logger: slog.New(slog.NewTextHandler(&log, nil)),
		Services: services(func(context.Context, *echoInput) (*echoOutput, error) { panic("at the disco") })})
	if got := c.Do(t, "POST", "/echo", `{"text":"hi"}`); got.Status != 500 || strings.Contains(string(got.Body), "disco") {
		t.Errorf("answer = %d %s", got.Status, got.Body)
	}
	if !strings.Contains(log.String(), "disco") || !strings.Contains(log.String(), "server_test.go") {
		t.Errorf("log = %s, want the panic and where it was", log.String())
	}
}

func TestClientThatLeft(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	c := client(t, awsapi.Options{Services: services(func(ctx context.Context, _ *echoInput) (*echoOutput, error) {
		leave()
		return nil, ctx.Err()
	})})
	got := c.Send(t, c.Request(t, "POST", "/echo", `{"text":"hi"}`).WithContext(ctx))
	if got.Status != 400 || got.Code() != "RequestAbortedException" {
		t.Errorf("answer = %d %s, want RequestAbortedException and no alarm", got.Status, got.Code())
	}
}

func TestOperationsKnowTheirRequest(t *testing.T) {
	t.Parallel()
	var got awsapi.Request
	c := client(t, awsapi.Options{Services: services(func(ctx context.Context, _ *echoInput) (*echoOutput, error) {
		got = *awsapi.From(ctx)
		if awsapi.CallerFrom(ctx) != got.Caller {
			t.Errorf("caller = %v, want %v", awsapi.CallerFrom(ctx), got.Caller)
		}
		return nil, nil
	})})
	c.Header = http.Header{"Amz-Sdk-Invocation-Id": {"one-call"}, "User-Agent": {"aws-cli/2"}}
	answer := c.Do(t, "POST", "/echo", `{"text":"hi"}`)
	if string(answer.Body) != "{}" {
		t.Errorf("answer = %s", answer.Body)
	}
	want := awsapi.Request{ID: answer.Header.Get("X-Amzn-Requestid"), Service: "echo", Operation: "Echo", Caller: key.Caller(),
		InvocationID: "one-call", SourceIP: "192.0.2.1", UserAgent: "aws-cli/2", Host: "waxwing.test", Time: start,
		Partition: "aws", Region: "us-east-1"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("request (-want +got):\n%s", diff)
	}
	if got, want := got.Scope(), (account.Scope{Partition: "aws", Region: "us-east-1", AccountID: "111122223333"}); got != want {
		t.Errorf("scope = %v, want %v", got, want)
	}
	c.Header.Set("Amz-Sdk-Invocation-Id", strings.Repeat("x", 129))
	c.Do(t, "POST", "/echo", `{"text":"hi"}`)
	if got.InvocationID != "" {
		t.Errorf("an invocation id of %d characters was believed", len(got.InvocationID))
	}
	if outside := awsapi.From(t.Context()); *outside != (awsapi.Request{}) {
		t.Errorf("outside of a request: %v", outside)
	}
}

// One record per request says who did what with which outcome, and nothing of what they said.
func TestLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	var observed []string
	c := client(t, awsapi.Options{Logger: slog.New(slog.NewJSONHandler(&log, nil)),
		Observe: func(service, operation, code string, status int, _ time.Duration) {
			observed = append(observed, service+" "+operation+" "+code+" "+http.StatusText(status))
		}})
	c.Do(t, "POST", "/echo", `{"text":"private"}`)
	c.Do(t, "POST", "/echo", `{"text":"private","secret":"hush!"}`)
	unsigned := c.Request(t, "POST", "/echo", `{"text":"private"}`)
	unsigned.Header.Del("Authorization")
	c.Send(t, unsigned)

	type record struct {
		Level     string
		Service   string
		Operation string
		Status    int
		Code      string
		Account   string
		KeyID     string `json:"access_key_id"`
		RequestID string `json:"request_id"`
	}
	want := []record{
		{"INFO", "echo", "Echo", 200, "", "111122223333", key.ID, ""},
		{"INFO", "echo", "Echo", 400, "ValidationError", "111122223333", key.ID, ""},
		{"INFO", "", "", 403, "MissingAuthenticationTokenException", "", "", ""},
	}
	var got []record
	for line := range strings.Lines(log.String()) {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`^[0-9a-f-]{36}$`).MatchString(r.RequestID) {
			t.Errorf("request id = %q", r.RequestID)
		}
		r.RequestID = ""
		got = append(got, r)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"private", "hush", key.Secret.Reveal(), "Signature="} {
		if strings.Contains(log.String(), secret) {
			t.Errorf("log has %q:\n%s", secret, log.String())
		}
	}
	wantObserved := []string{"echo Echo  OK", "echo Echo ValidationError Bad Request", "  MissingAuthenticationTokenException Forbidden"}
	if diff := cmp.Diff(wantObserved, observed); diff != "" {
		t.Errorf("observed (-want +got):\n%s", diff)
	}
}

func TestWrongTablesPanic(t *testing.T) {
	t.Parallel()
	echo := awsapi.Op(func(context.Context, *echoInput) (*echoOutput, error) { return nil, nil })
	for _, tc := range []struct {
		name   string
		change func(*awsapi.Service)
	}{
		{"no code for a kind", func(s *awsapi.Service) { s.Codes = awsapi.Codes{} }},
		{"no function", func(s *awsapi.Service) { s.Operations = []awsapi.Operation{{Name: "X"}} }},
		{"no name", func(s *awsapi.Service) { s.Operations = []awsapi.Operation{{Do: echo}} }},
		{"name twice", func(s *awsapi.Service) {
			s.Operations = []awsapi.Operation{{Name: "X", Do: echo}, {Name: "X", Do: echo}}
		}},
		{"route twice", func(s *awsapi.Service) {
			s.Operations = []awsapi.Operation{{Name: "X", Method: "GET", Path: "/", Do: echo}, {Name: "Y", Method: "GET", Path: "/", Do: echo}}
		}},
		{"bad pattern", func(s *awsapi.Service) {
			s.Operations = []awsapi.Operation{{Name: "X", Do: awsapi.Op(func(context.Context, *struct {
				A string `json:"a" pattern:"("`
			}) (*echoOutput, error) {
				return nil, nil
			})}}
		}},
		{"type without form", func(s *awsapi.Service) {
			s.Operations = []awsapi.Operation{{Name: "X", Do: awsapi.Op(func(context.Context, *struct {
				A chan int `json:"a"`
			}) (*echoOutput, error) {
				return nil, nil
			})}}
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			list := services(nil)
			tc.change(&list[0])
			defer func() {
				if recover() == nil {
					t.Error("New accepted it")
				}
			}()
			awsapi.New(awsapi.Options{Region: "us-east-1", Keys: awsapitest.Keys{}, Services: list})
		})
	}
}
