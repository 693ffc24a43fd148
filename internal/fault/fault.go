// Package fault is the one error vocabulary that crosses package boundaries.
//
// An Error carries a Kind, a message that is safe to show to the caller, an optional retry hint and the cause, which is only
// ever logged. The domain and the engines return these; internal/awsapi is the only place that turns a Kind into a wire code.
// Any error that is not an Error is an internal one: its text stays in the log.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong in terms a caller can act on. The set is closed: the front door maps every kind to exactly one
// wire code, and a test holds the two lists together.
type Kind string

const (
	Internal           Kind = "internal"              // our fault; details are for the log only
	Validation         Kind = "validation"            // a value breaks a constraint of the API model
	InvalidParameters  Kind = "invalid-parameters"    // well-formed, but makes no sense here
	LimitExceeded      Kind = "limit-exceeded"        // a quota on the number of things is used up
	AccessDenied       Kind = "access-denied"         // the caller may not do this
	AccessDeniedByMeta Kind = "access-denied-by-meta" // Meta refused the business account's credentials
	NotFound           Kind = "not-found"             // no such thing in the caller's account
	Conflict           Kind = "conflict"              // the thing is not in the state the change expects
	Throttled          Kind = "throttled"             // too many requests; see RetryAfter
	Dependency         Kind = "dependency"            // something we depend on (Meta, S3, SNS) failed
	Unavailable        Kind = "unavailable"           // we cannot serve right now: shutting down, disk full; see Log
)

// Kinds lists every kind, for tests that hold tables against it.
func Kinds() []Kind {
	return []Kind{Internal, Validation, InvalidParameters, LimitExceeded, AccessDenied, AccessDeniedByMeta, NotFound, Conflict,
		Throttled, Dependency, Unavailable}
}

// Error is a failure with a Kind. Message is shown to the caller; Cause is not.
type Error struct {
	Kind       Kind
	Message    string
	RetryAfter time.Duration // when to come back; 0 says nothing
	Cause      error
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return e.Message + ": " + e.Cause.Error()
	}
	return e.Message
}

func (e *Error) Unwrap() error { return e.Cause }

// New returns an Error of a kind whose formatted text is safe to show.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// Wrap is New with a cause that is logged but never shown.
func Wrap(kind Kind, cause error, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// KindOf returns the kind of the first Error in err's chain, or Internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return Internal
}

// Is reports whether err is a fault of the given kind.
func Is(err error, kind Kind) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Kind == kind
}
