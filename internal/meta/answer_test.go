package meta

import (
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

func TestDecodeError(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		want     Error
	}{
		{"messaging", `{"error":{"message":"(#131009) Parameter value is not valid","type":"OAuthException","code":131009,
			"error_data":{"messaging_product":"whatsapp","details":"button title is too long"},"error_subcode":2494010,"fbtrace_id":"AqX0"}}`,
			Error{Graph: true, Code: 131009, Subcode: 2494010, Type: "OAuthException", Message: "(#131009) Parameter value is not valid",
				Details: "button title is too long", TraceID: "AqX0"}},
		{"error_data is a string", `{"error":{"code":100,"error_data":"field name"}}`, Error{Graph: true, Code: 100, Details: "field name"}},
		{"error_data blames fields", `{"error":{"code":100,"error_data":{"blame_field_specs":[["name"],["category"]]}}}`,
			Error{Graph: true, Code: 100, Details: "fields: name, category"}},
		{"error_data is a number", `{"error":{"code":100,"error_data":3}}`, Error{Graph: true, Code: 100}},
		{"template", `{"error":{"code":100,"error_subcode":2388024,"is_transient":false,"error_user_title":"Exists","error_user_msg":"It already exists."}}`,
			Error{Graph: true, Code: 100, Subcode: 2388024, UserTitle: "Exists", UserMsg: "It already exists."}},
		{"transient", `{"error":{"code":2,"is_transient":true,"message":"Service temporarily unavailable"}}`,
			Error{Graph: true, Code: 2, Transient: true, Message: "Service temporarily unavailable"}},
		{"code in quotes", `{"error":{"code":"190","error_subcode":"463"}}`, Error{Graph: true, Code: 190, Subcode: 463}},
		{"code 0", `{"error":{"code":0,"message":"auth"}}`, Error{Graph: true, Message: "auth"}},
		{"members of the wrong type", `{"error":{"code":1,"message":{},"type":7,"fbtrace_id":null,"error_subcode":"x","is_transient":"yes"}}`,
			Error{Graph: true, Code: 1}},
		{"no code", `{"error":{"message":"m"}}`, Error{Message: "m"}},
		{"code out of range", `{"error":{"code":99999999999}}`, Error{}},
		{"error is a string", `{"error":"invalid_request"}`, Error{Message: "invalid_request"}},
		{"error is null", `{"error":null}`, Error{}},
		{"no error", `{"success":true}`, Error{}},
		{"HTML", `<html><body>Bad Gateway</body></html>`, Error{}},
		{"truncated", `{"error":{"code":190`, Error{}},
		{"empty", ``, Error{}},
		{"array", `[]`, Error{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, *decodeError([]byte(tt.in))); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeErrorBoundsTexts(t *testing.T) {
	t.Parallel()
	e := decodeError([]byte(`{"error":{"code":1,"message":"` + strings.Repeat("é", 5000) + `"}}`))
	if len(e.Message) > maxWords+len("…") || !utf8.ValidString(e.Message) || !strings.HasSuffix(e.Message, "é…") {
		t.Errorf("message has %d bytes and ends in %q", len(e.Message), e.Message[len(e.Message)-8:])
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	e := &Error{HTTPStatus: 400, Graph: true, Code: 131009, Subcode: 2494010, Message: "(#131009) Parameter value is not valid", Details: "title"}
	if got, want := e.Error(), "Meta answered HTTP 400, code 131009/2494010: (#131009) Parameter value is not valid: title"; got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
	tests := []struct {
		name string
		err  Error
		want message.Failure
	}{
		{"known code", *e, message.Failure{Code: 131009, Title: "Parameter value is not valid", Message: e.Message, Details: "title"}},
		{"unknown code", Error{Graph: true, Code: 7, Message: "(#7) Odd"}, message.Failure{Code: 7, Title: "Odd", Message: "(#7) Odd"}},
		{"text for users", Error{Graph: true, Code: 100, Message: "Invalid parameter", UserMsg: "It already exists."},
			message.Failure{Code: 100, Title: "Invalid parameter", Message: "Invalid parameter", Details: "It already exists."}},
		{"not Graph's", Error{HTTPStatus: 502, Message: "empty answer"}, message.Failure{Title: "empty answer", Message: "empty answer"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tt.want, tt.err.Failure()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	usage := func(minutes string) string {
		return `{"1200000000000001":[{"type":"whatsapp","call_count":100,"estimated_time_to_regain_access":` + minutes + `}]}`
	}
	tests := []struct {
		name, after, usage string
		want               time.Duration
	}{
		{"nothing", "", "", 0},
		{"seconds", "7", "", 7 * time.Second},
		{"date", "Sun, 22 Nov 2026 10:01:00 GMT", "", time.Minute},
		{"date in the past", "Sun, 22 Nov 2026 09:00:00 GMT", "", 0},
		{"negative", "-5", "", 0},
		{"nonsense", "soon", "often", 0},
		{"usage in minutes", "", usage("19"), 19 * time.Minute},
		{"the longer of two", "7", usage("1"), time.Minute},
		{"seconds are bounded", "2000000000", "", 72 * time.Hour},
		{"dates are bounded", "Sun, 22 Nov 2990 10:00:00 GMT", "", 72 * time.Hour},
		{"usage is bounded", "", usage("2000000000"), 72 * time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set("Retry-After", tt.after)
			h.Set("X-Business-Use-Case-Usage", tt.usage)
			if got := retryAfter(h, now); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func FuzzDecodeError(f *testing.F) {
	f.Add([]byte(`{"error":{"message":"m","code":131009,"error_data":{"details":"d","blame_field_specs":[["a"]]},"error_subcode":1}}`))
	f.Add([]byte(`{"error":"s"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e := decodeError(body)
		if !e.Graph && e.Code != 0 {
			t.Errorf("code %d without an error object", e.Code)
		}
		for _, s := range []string{e.Message, e.Details, e.UserMsg, e.TraceID} {
			if len(s) > maxWords+len("…") || !utf8.ValidString(s) {
				t.Errorf("text of %d bytes, valid: %v", len(s), utf8.ValidString(s))
			}
		}
		e.HTTPStatus = http.StatusBadRequest
		if e.Class() == "" || e.Error() == "" {
			t.Error("an error without class or text")
		}
	})
}

func FuzzDecodeSent(f *testing.F) {
	f.Add([]byte(`{"messages":[{"id":"wamid.A="}],"contacts":[{"wa_id":"1"}]}`), false)
	f.Add([]byte(`{"success":true}`), true)
	f.Fuzz(func(t *testing.T, body []byte, receipt bool) {
		if wamid, ok := decodeSent(body, receipt); ok && !receipt && wamid == "" {
			t.Error("a message was taken without an id")
		}
	})
}
