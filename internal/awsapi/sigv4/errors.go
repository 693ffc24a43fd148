package sigv4

import "strconv"

// Reason classifies a refusal. Each protocol has its own name for it on the wire.
type Reason int

const (
	Missing    Reason = iota + 1 // the request is not signed at all
	Incomplete                   // a part of the signature is absent or malformed
	Invalid                      // out of date, wrong scope, or the signature differs
	UnknownKey                   // no such access key, or not with this token
)

// Reasons lists every reason, for tests that hold tables against it.
func Reasons() []Reason { return []Reason{Missing, Incomplete, Invalid, UnknownKey} }

// Error is a refusal, in AWS's words.
type Error struct {
	Reason  Reason
	Message string
	Clock   bool // nothing is wrong but the time
}

func (e *Error) Error() string { return e.Message }

func refuse(reason Reason, message string) *Error { return &Error{Reason: reason, Message: message} }

func refuseTime(message string) *Error { return &Error{Reason: Invalid, Message: message, Clock: true} }

// errMismatch does not say what differs: the canonical request may hold what only the real signer should see.
var errMismatch = refuse(Invalid, "The request signature we calculated does not match the signature you provided. "+
	"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")

func itoa(n int) string { return strconv.Itoa(n) }
