package awsapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Error is an error as clients see it. Protocols return one for what they cannot understand, and operations may for the rare
// code that no fault.Kind stands for; everything else returns faults and lets the table of its service choose the code.
type Error struct {
	Code
	Message    string
	RetryAfter time.Duration
	Cause      error // for the log only
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Name + ": " + e.Message + ": " + e.Cause.Error()
	}
	return e.Name + ": " + e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// Conditions of HTTP itself have the same codes in every protocol (AWS's common errors).
var (
	codeTooLarge = Code{"RequestEntityTooLargeException", http.StatusRequestEntityTooLarge}
	codeAborted  = Code{"RequestAbortedException", http.StatusBadRequest}
	codeTimeout  = Code{"RequestTimeoutException", http.StatusRequestTimeout}
)

// Fixed texts of what is not the caller's to understand.
const (
	textInternal    = "We encountered an internal error. Please try again."
	textUnavailable = "The service cannot handle the request at this time."
	textThrottled   = "Rate exceeded"
)

// stand says which kind an operation shows in place of one it does not model. Its clients know the stand-in; faults of ours
// need none, since every client understands a 5xx.
var stand = map[fault.Kind]fault.Kind{
	fault.NotFound:           fault.InvalidParameters,
	fault.Conflict:           fault.InvalidParameters,
	fault.LimitExceeded:      fault.InvalidParameters,
	fault.InvalidParameters:  fault.Validation,
	fault.AccessDeniedByMeta: fault.AccessDenied,
	fault.Dependency:         fault.Internal,
}

// wireError decides what a client sees of an error. op is nil when the request did not get as far as an operation.
func wireError(s *service, op *operation, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if refused, ok := errors.AsType[*sigv4.Error](err); ok {
		return &Error{Code: s.Protocol.Refusal(refused.Reason), Message: refused.Message}
	}
	e := &Error{Cause: err}
	kind := fault.Internal
	if f, ok := errors.AsType[*fault.Error](err); ok && s.Codes[f.Kind].Status != 0 {
		kind, e.Message, e.RetryAfter, e.Cause = f.Kind, f.Message, f.RetryAfter, f.Cause
	}
	for op != nil && !op.models(kind) {
		kind = stand[kind]
	}
	switch {
	case kind == fault.Internal: // whatever it was, its text is not for the client
		e.Message, e.Cause = textInternal, err
	case kind == fault.Unavailable && e.Message == "":
		e.Message = textUnavailable
	}
	e.Code = s.Codes[kind]
	return e
}
