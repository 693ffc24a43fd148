package meta

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// subcodeUnknownObject marks an id that does not exist or that the token may not see; Graph answers it with 400.
const subcodeUnknownObject = 33

// Fault turns an error of this package into what the caller of a synchronous operation is told: who refused, and Meta's own
// words where it used any. Everything else is returned as it is.
//
//	access-denied-by-meta  the token, a permission, or Meta's policies
//	not-found              an id Meta does not know, or does not show to this token
//	throttled              a quota of Meta's, with its hint when to come back
//	invalid-parameters     whatever else Meta says no to for good
//	dependency             no answer, a broken one, or trouble on Meta's side
func Fault(err error) error {
	if errors.Is(err, context.Canceled) {
		return err // nobody is waiting for the answer
	}
	if broken, ok := errors.AsType[*BrokenBody](err); ok {
		if f, ok := errors.AsType[*fault.Error](broken.Err); ok {
			return f
		}
		return fault.Wrap(fault.Dependency, broken, "What was to be sent to Meta could not be read to its end.")
	}
	if u, ok := errors.AsType[*Unanswered](err); ok {
		return fault.Wrap(fault.Dependency, u, "Meta could not be reached, or gave no answer that can be read.")
	}
	e, ok := errors.AsType[*Error](err)
	if !ok {
		return err
	}
	f := fault.Wrap(e.kind(), e, "Meta refused the request: %s", e.Words())
	switch f.Kind {
	case fault.Dependency:
		f.Message = "Meta failed on the request: " + e.Words()
	case fault.Throttled:
		f.RetryAfter = e.RetryAfter
	}
	return f
}

// kind is the fault an answer amounts to.
func (e *Error) kind() fault.Kind {
	switch class := e.Class(); {
	case class == Throttled:
		return fault.Throttled
	case class == Credentials, e.Graph && (e.Code == 368 || e.Code == 131031 || e.Code == 139000): // the last three are policies
		return fault.AccessDeniedByMeta
	case class == Transient:
		return fault.Dependency
	case e.Graph && e.Code == 100 && (e.Subcode == subcodeUnknownObject || e.HTTPStatus == http.StatusNotFound):
		return fault.NotFound
	default:
		return fault.InvalidParameters
	}
}

// Words is what Meta says, as far as it is meant for people, and the code to look it up by. It is never empty.
func (e *Error) Words() string {
	if !e.Graph {
		return e.Error()
	}
	var said []string
	for _, s := range [...]string{e.UserTitle, e.UserMsg, e.Message, e.Details} {
		if s = strings.TrimRight(s, ". "); s != "" && !strings.Contains(strings.Join(said, ". "), s) {
			said = append(said, s)
		}
	}
	if len(said) == 0 {
		said = append(said, e.title())
	}
	text := strings.Join(said, ". ") + "."
	code := strconv.Itoa(e.Code)
	if !strings.Contains(text, "(#"+code+")") {
		text += " (#" + code + ")"
	}
	if e.TraceID != "" {
		text += " [fbtrace_id " + e.TraceID + "]"
	}
	return text
}
