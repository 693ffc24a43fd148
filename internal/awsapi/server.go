package awsapi

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"reflect"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Options configures the front door. Region, Keys and Services are required.
type Options struct {
	Region    string
	Partition string           // default "aws"
	ClockSkew time.Duration    // how far clients' clocks may be off; default sigv4.DefaultSkew
	Now       func() time.Time // default time.Now
	Keys      sigv4.Keys
	Limits    Limits       // default: NewQuotas(Services, nil)
	Calls     Calls        // optional: remembers operations that are carried out once
	Admit     func() error // optional: refuses operations that store something, while there is no room for it
	Logger    *slog.Logger // default slog.Default()
	// Services in order of importance: the first one's protocol answers requests that do not say which service they are for.
	Services []Service
	// Observe, when set, is told of every request that was answered. Service and operation are names from the tables, or
	// "" when the request did not get that far; code is the error's, or "".
	Observe func(service, operation, code string, status int, took time.Duration)
}

// New returns the handler. It panics when a service's table is wrong, since that is a mistake in the program.
func New(o Options) http.Handler {
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Limits == nil {
		o.Limits = NewQuotas(o.Services, nil)
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	s := &server{Options: o, verifier: sigv4.New(o.Keys, o.ClockSkew, o.Now), byName: make(map[string]*service)}
	for i := range o.Services {
		compiled, err := compile(&o.Services[i], o.Region)
		if err != nil {
			panic("awsapi: " + err.Error())
		}
		s.services = append(s.services, compiled)
		s.byName[compiled.Name] = compiled
	}
	if len(s.services) == 0 || o.Region == "" || o.Keys == nil {
		panic("awsapi: Region, Keys and Services are required")
	}
	return s
}

type server struct {
	Options
	verifier *sigv4.Verifier
	services []*service
	byName   map[string]*service
	running  singleflight.Group // calls that are carried out once
}

// exchange is one request on its way through the server.
type exchange struct {
	*server
	w       http.ResponseWriter
	r       *http.Request
	request Request
	claim   sigv4.Claim
	service *service
	op      *operation // nil until known
	in      []byte     // pooled
	out     bytes.Buffer
	checker shape.Checker
	status  int
	failure *Error
}

var exchanges = sync.Pool{New: func() any { return new(exchange) }}

// maxKept is the largest buffer worth keeping between requests.
const maxKept = 256 << 10

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now := s.Now()
	h := w.Header()
	h.Set("Date", now.UTC().Format(http.TimeFormat)) // SDKs correct their clock by it
	if r.Header.Get("Origin") != "" {
		allowOrigin(h)
	}
	if r.Method == http.MethodOptions {
		preflight(h)
		w.WriteHeader(http.StatusOK)
		return
	}

	x := exchanges.Get().(*exchange)
	x.server, x.w, x.r, x.status = s, w, r, http.StatusOK
	x.request = Request{ID: uuid.NewString(), InvocationID: invocation(r), UserAgent: r.UserAgent(),
		SourceIP: host(r.RemoteAddr), Host: r.Host, TLS: r.TLS != nil, Time: now, Partition: s.Partition, Region: s.Region}
	x.claim = sigv4.Parse(r)
	x.service = s.serviceFor(r, &x.claim)
	h.Set("X-Amzn-Requestid", x.request.ID)
	defer x.finish()
	if err := x.run(); err != nil {
		x.fail(err)
	}
	x.respond()
}

// serviceFor returns the service a request says it is for, or the one most likely meant, which then refuses it.
func (s *server) serviceFor(r *http.Request, c *sigv4.Claim) *service {
	if named := s.byName[c.Service]; named != nil {
		return named
	}
	if c.Service == "" {
		for _, candidate := range s.services {
			if candidate.Protocol.Speaks(r) {
				return candidate
			}
		}
	}
	return s.services[0]
}

// run takes the request through every stage. What an error looks like is decided by its caller.
func (x *exchange) run() error {
	limit := x.service.limit(x.r)
	if x.r.ContentLength > limit {
		return x.tooLarge(limit)
	}
	ctx := x.r.Context()
	key, err := x.verifier.Identify(ctx, x.r, &x.claim, &x.service.signing)
	if err != nil {
		return err
	}
	if err := x.read(limit); err != nil {
		return err
	}
	if err := x.verifier.Verify(x.r, &x.claim, key, &x.service.signing, x.in); err != nil {
		return err
	}
	x.request.Caller = key.Caller()
	x.request.Service = x.service.Name

	if x.op = x.service.find(x.r, x.in); x.op == nil {
		return &Error{Code: x.service.Protocol.Unknown(), Message: fmt.Sprintf("The requested operation does not exist: %.200q.", x.service.asked(x.r, x.in))}
	}
	x.request.Operation = x.op.Name
	if ok, wait := x.Limits.Allow(key.User.AccountID, x.service.Name, x.op.Name, x.request.Time); !ok {
		return &fault.Error{Kind: fault.Throttled, Message: textThrottled, RetryAfter: wait}
	}
	if x.op.Stores && x.Admit != nil {
		if err := x.Admit(); err != nil {
			return err
		}
	}
	out, err := x.call(ctx)
	if err != nil {
		return err
	}
	if earlier, ok := out.(encoded); ok {
		x.out.Write(earlier)
		return nil
	}
	return x.service.Protocol.Encode(&x.out, x.op.Name, x.request.ID, out)
}

// call binds the input and runs the operation.
func (x *exchange) call(ctx context.Context) (any, error) {
	do, err := x.bind()
	if err != nil {
		return nil, err
	}
	request := x.request // outlives the exchange in whatever the operation starts
	if x.op.Once && x.Calls != nil && request.InvocationID != "" {
		return x.once(ctx, x.op, request, do)
	}
	return guarded(do)(With(ctx, &request))
}

func (x *exchange) bind() (do run, err error) {
	_, err = guarded(func(context.Context) (any, error) {
		do, err = x.op.Do.prepare(func(v reflect.Value) error {
			if err := x.service.Protocol.Decode(x.r, x.in, x.op.input, v, &x.checker); err != nil {
				return err
			}
			return x.checker.Err()
		})
		return nil, err
	})(nil)
	return do, err
}

// guarded makes an error of a panic.
func guarded(do run) run {
	return func(ctx context.Context) (out any, err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
			}
		}()
		return do(ctx)
	}
}

// fail turns whatever was to be answered into an error.
func (x *exchange) fail(err error) {
	if x.r.Context().Err() != nil { // nobody is waiting; the cause is that they left
		err = &Error{Code: codeAborted, Message: "The request was aborted by the client.", Cause: err}
	}
	x.failure = wireError(x.service, x.op, err)
	x.status = x.failure.Status
	x.out.Reset()
	h := x.w.Header()
	if wait := x.failure.RetryAfter; wait > 0 {
		ms := (wait + time.Millisecond - 1) / time.Millisecond
		h.Set("X-Amz-Retry-After", strconv.FormatInt(int64(ms), 10))
	}
	x.service.Protocol.EncodeError(h, &x.out, x.request.ID, x.failure)
}

func (x *exchange) respond() {
	h := x.w.Header()
	h.Set("Content-Type", x.service.Protocol.ContentType())
	h.Set("Content-Length", strconv.Itoa(x.out.Len()))
	x.w.WriteHeader(x.status)
	if x.r.Method != http.MethodHead {
		x.w.Write(x.out.Bytes()) //nolint:errcheck // the client is gone when it fails, and net/http knows
	}
}

// finish reports the request and gives the buffers back.
func (x *exchange) finish() {
	took := x.Now().Sub(x.request.Time)
	code := ""
	if x.failure != nil {
		code = x.failure.Name
	}
	x.log(code, took)
	if x.Observe != nil {
		x.Observe(x.request.Service, x.request.Operation, code, x.status, took)
	}
	in, out := x.in[:0], x.out
	out.Reset()
	if cap(in) > maxKept {
		in = nil
	}
	if out.Cap() > maxKept {
		out = bytes.Buffer{}
	}
	*x = exchange{in: in, out: out}
	exchanges.Put(x)
}

// log writes the one record of the request. Failures that are ours are errors and carry their cause.
func (x *exchange) log(code string, took time.Duration) {
	level := slog.LevelInfo
	if x.status >= 500 && x.status != http.StatusServiceUnavailable { // whoever is not available has said why
		level = slog.LevelError
	}
	ctx := x.r.Context()
	if !x.Logger.Enabled(ctx, level) {
		return
	}
	attrs := [12]slog.Attr{
		slog.String("request_id", x.request.ID),
		slog.String("service", x.request.Service),
		slog.String("operation", x.request.Operation),
		slog.Int("status", x.status),
		slog.Duration("took", took),
		slog.Int("bytes_in", len(x.in)),
	}
	n := 6
	add := func(a slog.Attr) { attrs[n] = a; n++ }
	if x.request.Caller != (identity.Caller{}) {
		add(slog.String("account", x.request.Caller.AccountID))
		add(slog.String("access_key_id", x.request.Caller.AccessKeyID))
	}
	add(slog.String("source_ip", x.request.SourceIP))
	if code != "" {
		add(slog.String("code", code))
		if x.failure.Cause != nil {
			add(slog.String("cause", x.failure.Cause.Error()))
		}
	}
	x.Logger.LogAttrs(ctx, level, "request", attrs[:n]...)
}

// maxInvocation is longer than any SDK's ids, which are UUIDs. What is longer is not one.
const maxInvocation = 128

func invocation(r *http.Request) string {
	if id := r.Header.Get("Amz-Sdk-Invocation-Id"); len(id) <= maxInvocation {
		return id
	}
	return ""
}

func host(address string) string {
	if h, _, err := net.SplitHostPort(address); err == nil {
		return h
	}
	return address
}
