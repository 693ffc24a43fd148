package awsapi

import (
	"bytes"
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Calls remembers calls of operations that are carried out once, for an hour and longer than the process lives. What it stores is
// the caller's and may be secret.
type Calls interface {
	// BeginCall notes that a call is about to be carried out. It returns the output of an earlier attempt that succeeded; repeated
	// reports that there was one at all.
	BeginCall(ctx context.Context, accountID, call string, now time.Time) (output []byte, repeated bool, err error)
	// SettleCall stores the output of a call. nil forgets the call: it changed nothing.
	SettleCall(ctx context.Context, accountID, call string, output []byte) error
}

// encoded is an output as it was sent before.
type encoded []byte

// once carries a call out unless an earlier attempt of it has succeeded. Attempts at the same time share one run, which goes on
// when its caller hangs up: SDKs do that before they repeat a call, and its outcome would be lost.
func (s *server) once(ctx context.Context, op *operation, request Request, do run) (any, error) {
	call := op.Name + "/" + request.InvocationID
	account := request.Caller.AccountID
	detached := context.WithoutCancel(ctx)
	done := s.running.DoChan(account+"/"+call, func() (any, error) {
		earlier, repeated, err := s.Calls.BeginCall(detached, account, call, request.Time)
		if err != nil || earlier != nil {
			return encoded(earlier), err
		}
		request.Repeated = repeated
		out, err := guarded(do)(With(detached, &request))
		s.settle(detached, op, &request, call, out, err)
		return out, err
	})
	select {
	case r := <-done:
		return r.Val, r.Err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// settle writes down what a call came to. When that does not work, or nobody knows what it came to, the next attempt is told that
// there was one.
func (s *server) settle(ctx context.Context, op *operation, request *Request, call string, out any, outcome error) {
	var output []byte
	if outcome == nil {
		var b bytes.Buffer
		if err := op.service.Protocol.Encode(&b, op.Name, request.ID, out); err != nil {
			return // whoever waits for it is told
		}
		output = b.Bytes()
	} else if kind := fault.KindOf(outcome); kind == fault.Internal || kind == fault.Dependency || kind == fault.Unavailable {
		return
	}
	if err := s.Calls.SettleCall(ctx, request.Caller.AccountID, call, output); err != nil {
		s.Logger.ErrorContext(ctx, "remember call", "request_id", request.ID, "operation", op.Name, "error", err)
	}
}
