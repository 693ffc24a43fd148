package awsapi

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/shape"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Service is one AWS service: a table of operations in one wire format.
type Service struct {
	Name       string // signing name, e.g. "social-messaging"
	Global     bool   // signed for us-east-1 wherever the server is
	Protocol   Protocol
	Codes      Codes
	Operations []Operation
}

// Operation is a row of the table.
type Operation struct {
	Name   string
	Method string // Method and Path route operations that have a path of their own; the rest is found by name
	Path   string
	// Errors are the kinds the model lists for this operation, beyond Validation, AccessDenied, Throttled, Internal and
	// Unavailable, which are always possible. Other kinds are shown as the nearest listed one. nil lists them all.
	Errors []fault.Kind
	// Rate is the default quota of requests per second and account; 0 means DefaultRate.
	Rate float64
	// MaxBody is the size limit in bytes; 0 means DefaultMaxBody. Operations found by name share the largest one's.
	MaxBody int64
	// Once says that repetitions of a call, by which SDKs make up for answers that got lost, have the first one's output. It is for
	// what changes something each time it is done.
	Once bool
	// Stores says that the operation takes something in that is kept until it is delivered: it is refused while there is no room.
	Stores bool
	Do     Function
}

const (
	// DefaultRate is the quota of operations for which AWS publishes none, in requests per second and account.
	DefaultRate = 10
	// DefaultMaxBody is generous for every operation that carries no document.
	DefaultMaxBody = 1 << 20
)

// Function is an operation's code, bound to the types of its input and output by Op.
type Function struct {
	in, out reflect.Type
	// prepare binds the input; what it returns runs the operation and needs nothing of the request any more.
	prepare func(bind func(reflect.Value) error) (run, error)
}

// run carries an operation out.
type run func(ctx context.Context) (any, error)

// Types returns the structs of the input and the output, for whoever describes an API.
func (f Function) Types() (in, out reflect.Type) { return f.in, f.out }

// Op makes an operation of a typed function. In is described by the tags of package shape.
func Op[In, Out any](fn func(context.Context, *In) (*Out, error)) Function {
	return Function{
		in:  reflect.TypeFor[In](),
		out: reflect.TypeFor[Out](),
		prepare: func(bind func(reflect.Value) error) (run, error) {
			in := new(In)
			if err := bind(reflect.ValueOf(in).Elem()); err != nil {
				return nil, err
			}
			return func(ctx context.Context) (any, error) {
				out, err := fn(ctx, in)
				if err != nil || out == nil {
					return nil, err // a nil *Out must not become an any that is not nil
				}
				return out, nil
			}, nil
		},
	}
}

// Protocol is a wire format. Implementations are stateless.
type Protocol interface {
	// Speaks reports whether a request looks as only requests in the protocol do. It is asked when no signature says which
	// service a request is for, so that what is wrong with it is told in words that its sender understands.
	Speaks(r *http.Request) bool
	// Action names the operation a request asks for, or returns "". It is asked only when no operation has the request's
	// path, and once the body is there.
	Action(r *http.Request, body []byte) string
	// Decode fills v, a struct described by in, from the request and has every structure checked by c. An error means that
	// the request cannot be understood; constraints that are broken are for c to report. What it keeps of body it copies.
	Decode(r *http.Request, body []byte, in *shape.Struct, v reflect.Value, c *shape.Checker) error
	// Encode renders an operation's output, a pointer to a struct or nil.
	Encode(b *bytes.Buffer, operation, requestID string, out any) error
	// EncodeError renders an error.
	EncodeError(h http.Header, b *bytes.Buffer, requestID string, e *Error)
	// ContentType of whatever Encode and EncodeError produce.
	ContentType() string
	// Refusal is the code for a request that is not properly signed.
	Refusal(sigv4.Reason) Code
	// Unreadable is the code for a body that cannot be understood, Unknown the one for an operation nobody has.
	Unreadable() Code
	Unknown() Code
}

// Code is an error's name on the wire and its HTTP status.
type Code struct {
	Name   string
	Status int
}

// Codes names every fault.Kind on the wire of one service.
type Codes map[fault.Kind]Code

// With returns a copy of the table in which one kind has another code.
func (c Codes) With(kind fault.Kind, name string, status int) Codes {
	c = maps.Clone(c)
	c[kind] = Code{name, status}
	return c
}

// service is a Service made ready: its routes and the descriptions of its inputs.
type service struct {
	*Service
	signing sigv4.Service
	byRoute map[route]*operation
	byName  map[string]*operation
	maxBody int64 // while the operation is not known
}

type route struct{ path, method string }

type operation struct {
	*Operation
	service *service
	input   *shape.Struct
}

// compile prepares a service. An error is a mistake in its table.
func compile(s *Service, region string) (*service, error) {
	c := &service{Service: s, byRoute: make(map[route]*operation), byName: make(map[string]*operation),
		signing: sigv4.Service{Name: s.Name, Regions: []string{region}}, maxBody: DefaultMaxBody}
	if s.Global && region != "us-east-1" {
		c.signing.Regions = append(c.signing.Regions, "us-east-1")
	}
	for _, kind := range fault.Kinds() {
		if s.Codes[kind].Name == "" || s.Codes[kind].Status < 400 {
			return nil, fmt.Errorf("service %s has no code for %q", s.Name, kind)
		}
	}
	for i := range s.Operations {
		row := &s.Operations[i]
		op := &operation{Operation: row, service: c}
		if row.Do.prepare == nil || row.Name == "" || c.byName[row.Name] != nil {
			return nil, fmt.Errorf("service %s: row %d (%q) has no function, no name, or one that is taken", s.Name, i, row.Name)
		}
		var err error
		if op.input, err = shape.Of(row.Do.in); err != nil {
			return nil, fmt.Errorf("%s.%s: %w", s.Name, row.Name, err)
		}
		c.byName[row.Name] = op
		c.maxBody = max(c.maxBody, row.MaxBody)
		if row.Path == "" {
			continue
		}
		at := route{row.Path, row.Method}
		if c.byRoute[at] != nil || row.Method == "" {
			return nil, fmt.Errorf("%s.%s: the route is taken or has no method", s.Name, row.Name)
		}
		c.byRoute[at] = op
	}
	return c, nil
}

// limit returns the size limit for a request's body.
func (s *service) limit(r *http.Request) int64 {
	op := s.byRoute[route{r.URL.Path, r.Method}]
	switch {
	case op == nil:
		return s.maxBody
	case op.MaxBody == 0:
		return DefaultMaxBody
	default:
		return op.MaxBody
	}
}

// find returns the operation a request asks for, or nil.
func (s *service) find(r *http.Request, body []byte) *operation {
	if op := s.byRoute[route{r.URL.Path, r.Method}]; op != nil {
		return op
	}
	if op := s.byName[s.Protocol.Action(r, body)]; op != nil && op.Path == "" {
		return op
	}
	return nil
}

// asked says which operation a request means, for those that find has none for: a wrong path in an endpoint's URL shows here.
func (s *service) asked(r *http.Request, body []byte) string {
	if action := s.Protocol.Action(r, body); action != "" {
		return action
	}
	return r.Method + " " + r.URL.Path
}

// models reports whether clients of the operation expect errors of a kind.
func (o *Operation) models(kind fault.Kind) bool {
	switch kind {
	case fault.Validation, fault.AccessDenied, fault.Throttled, fault.Internal, fault.Unavailable:
		return true
	default:
		return o.Errors == nil || slices.Contains(o.Errors, kind)
	}
}
