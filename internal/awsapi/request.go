package awsapi

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Request is what an operation may want to know about the call it answers. It is read-only.
type Request struct {
	ID           string // x-amzn-RequestId
	Service      string
	Operation    string
	Caller       identity.Caller
	InvocationID string // amz-sdk-invocation-id: the same for every attempt an SDK makes of one call; "" when not sent
	// Repeated reports that an earlier attempt of the call was made whose outcome is not known: what the operation would make may
	// be there. It is told to operations that are carried out once.
	Repeated  bool
	SourceIP  string // of the connection's other end
	UserAgent string
	Host      string // the server as the client addressed it, perhaps with a port
	TLS       bool
	Time      time.Time // of arrival
	Partition string
	Region    string
}

// Scope is where the caller's resources live.
func (r *Request) Scope() account.Scope {
	return account.Scope{Partition: r.Partition, Region: r.Region, AccountID: r.Caller.AccountID}
}

type requestKey struct{}

// With returns a context that carries a request, for code that calls operations without a server, such as tests.
func With(ctx context.Context, r *Request) context.Context {
	return context.WithValue(ctx, requestKey{}, r)
}

// From returns the request a context belongs to. Outside of one it returns an empty Request, which no account answers to.
func From(ctx context.Context) *Request {
	if r, ok := ctx.Value(requestKey{}).(*Request); ok {
		return r
	}
	return new(Request)
}

// CallerFrom returns who makes the request a context belongs to.
func CallerFrom(ctx context.Context) identity.Caller { return From(ctx).Caller }
