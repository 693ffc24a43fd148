package meta

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestFault(t *testing.T) {
	t.Parallel()
	graph := func(status, code, subcode int) *Error {
		return &Error{HTTPStatus: status, Graph: true, Code: code, Subcode: subcode, Message: "(#1) Words"}
	}
	for _, tc := range []struct {
		name string
		err  error
		want fault.Kind
		text string
	}{
		{"token expired", &Error{HTTPStatus: 401, Graph: true, Code: 190, Message: "Session has expired."}, fault.AccessDeniedByMeta,
			"Meta refused the request: Session has expired. (#190)"},
		{"permission", graph(403, 10, 0), fault.AccessDeniedByMeta, ""},
		{"permission of the 200s", graph(403, 273, 0), fault.AccessDeniedByMeta, ""},
		{"401 without an error object", &Error{HTTPStatus: 401, Message: "empty answer"}, fault.AccessDeniedByMeta, ""},
		{"policy", graph(403, 368, 0), fault.AccessDeniedByMeta, ""},
		{"Flow blocked for integrity", graph(400, 139000, 0), fault.AccessDeniedByMeta, ""},
		{"unknown object", graph(400, 100, 33), fault.NotFound, ""},
		{"unknown template name", graph(404, 100, 0), fault.NotFound, ""},
		{"throttled", graph(400, 80007, 0), fault.Throttled, ""},
		{"throttled by status", &Error{HTTPStatus: 429, Message: "slow"}, fault.Throttled, ""},
		{"invalid", graph(400, 100, 0), fault.InvalidParameters, ""},
		{"Flow cannot be published", graph(400, 139002, 0), fault.InvalidParameters, ""},
		{"everything Meta says, once", &Error{HTTPStatus: 400, Graph: true, Code: 100, Message: "(#100) Invalid parameter", Details: "field: name",
			UserTitle: "Duplicate name.", UserMsg: "Choose another.", TraceID: "Ax"}, fault.InvalidParameters,
			"Meta refused the request: Duplicate name. Choose another. (#100) Invalid parameter. field: name. [fbtrace_id Ax]"},
		{"silence", &Error{HTTPStatus: 400, Graph: true, Code: 131009}, fault.InvalidParameters,
			"Meta refused the request: Parameter value is not valid. (#131009)"},
		{"server error", graph(500, 2, 0), fault.Dependency, "Meta failed on the request: (#1) Words. (#2)"},
		{"gateway", &Error{HTTPStatus: 502, Message: "answer of type text/html"}, fault.Dependency, ""},
		{"no answer", &Unanswered{Fate: Unknown, Err: errors.New("reset")}, fault.Dependency,
			"Meta could not be reached, or gave no answer that can be read."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var f *fault.Error
			if !errors.As(Fault(tc.err), &f) || f.Kind != tc.want {
				t.Fatalf("Fault(%v) = %v, want %s", tc.err, Fault(tc.err), tc.want)
			}
			if tc.text != "" && f.Message != tc.text {
				t.Errorf("message = %q\nwant %q", f.Message, tc.text)
			}
			if !errors.Is(f, tc.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestFaultKeepsTheHint(t *testing.T) {
	t.Parallel()
	err := Fault(&Error{HTTPStatus: 400, Graph: true, Code: 80007, RetryAfter: time.Minute})
	if f, ok := errors.AsType[*fault.Error](err); !ok || f.RetryAfter != time.Minute {
		t.Errorf("Fault = %v, want a retry after one minute", err)
	}
}

func TestFaultLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	if Fault(nil) != nil {
		t.Error("Fault(nil) is an error")
	}
	for _, err := range []error{errors.New("x"), fault.New(fault.Conflict, "x"), &Unanswered{Fate: Unknown, Err: context.Canceled}} {
		if got := Fault(err); got != err {
			t.Errorf("Fault(%v) = %v", err, got)
		}
	}
}
