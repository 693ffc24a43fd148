package meta

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Error is an answer that is no success.
type Error struct {
	HTTPStatus int
	Graph      bool // the answer had Graph's error object; without it the members below but RetryAfter say little
	Code       int
	Subcode    int
	Type       string // nearly always OAuthException
	Message    string // Meta's, usually "(#code) title"
	Details    string
	UserTitle  string // localised; for template and number management often the only useful text
	UserMsg    string
	TraceID    string // fbtrace_id, for Meta's support
	Transient  bool   // Meta's own hint
	RetryAfter time.Duration
}

// Error puts Meta's words on one line.
func (e *Error) Error() string {
	if !e.Graph {
		return fmt.Sprintf("Meta answered HTTP %d: %s", e.HTTPStatus, e.Message)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "Meta answered HTTP %d, code %d", e.HTTPStatus, e.Code)
	if e.Subcode != 0 {
		fmt.Fprintf(&b, "/%d", e.Subcode)
	}
	for _, s := range [...]string{e.Message, e.Details, e.UserMsg} {
		if s != "" {
			b.WriteString(": " + s)
		}
	}
	return b.String()
}

// Failure returns the error as the reason a message failed.
func (e *Error) Failure() message.Failure {
	f := message.Failure{Code: e.Code, Title: e.title(), Message: e.Message, Details: e.Details}
	if f.Details == "" {
		f.Details = e.UserMsg
	}
	return f
}

// title is the table's; Meta's message holds one only by habit.
func (e *Error) title() string {
	if row, ok := find(codes, e.Code); ok && e.Graph {
		return row.Title
	}
	return strings.TrimPrefix(e.Message, "(#"+strconv.Itoa(e.Code)+") ")
}

// maxWords bounds, in bytes, each text taken from an answer: it is stored with the message and shown.
const maxWords = 2000

// newError decodes an answer as an error. Graph is false when the body holds none.
func newError(res *http.Response, body []byte) *Error {
	e := decodeError(body)
	e.HTTPStatus = res.StatusCode
	e.RetryAfter = retryAfter(res.Header, time.Now())
	if !e.Graph && e.Message == "" {
		e.Message = notGraph(res, len(body))
	}
	return e
}

// notGraph describes an answer that is not Graph's, without repeating what may be a whole page.
func notGraph(res *http.Response, size int) string {
	kind, _, _ := strings.Cut(res.Header.Get("Content-Type"), ";")
	if size == 0 {
		return "empty answer"
	}
	return fmt.Sprintf("answer of type %q and %d bytes without an error object", clip(kind), size)
}

// decodeError reads Graph's error object in all the forms it has been seen in: error_data as an object or a string, numbers as
// strings, members of unexpected types. A member that makes no sense costs that member only.
func decodeError(body []byte) *Error {
	var envelope struct {
		Error json.RawMessage `json:"error"`
	}
	if json.Unmarshal(body, &envelope) != nil || len(envelope.Error) == 0 {
		return &Error{}
	}
	var m map[string]json.RawMessage
	if json.Unmarshal(envelope.Error, &m) != nil {
		return &Error{Message: words(envelope.Error)}
	}
	e := &Error{
		Type: words(m["type"]), Message: words(m["message"]), Details: details(m["error_data"]), UserTitle: words(m["error_user_title"]),
		UserMsg: words(m["error_user_msg"]), TraceID: words(m["fbtrace_id"]), Transient: string(m["is_transient"]) == "true",
	}
	e.Code, e.Graph = whole(m["code"])
	e.Subcode, _ = whole(m["error_subcode"])
	return e
}

// details reads error_data: the object of the messaging edges, the list of fields to blame of others, or a bare string.
func details(raw json.RawMessage) string {
	var m struct {
		Details json.RawMessage   `json:"details"`
		Blame   []json.RawMessage `json:"blame_field_specs"`
	}
	if json.Unmarshal(raw, &m) != nil {
		return words(raw)
	}
	if s := words(m.Details); s != "" || len(m.Blame) == 0 {
		return s
	}
	fields := make([]string, len(m.Blame))
	for i, b := range m.Blame {
		fields[i] = strings.Trim(string(b), `[]"`)
	}
	return clip("fields: " + strings.Join(fields, ", "))
}

// words returns a JSON string's text; "" for anything else.
func words(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return clip(s)
}

// whole returns a whole number, quoted or not.
func whole(raw json.RawMessage) (int, bool) {
	n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 32)
	if err != nil {
		return 0, false
	}
	return int(n), true
}

func clip(s string) string {
	if len(s) <= maxWords {
		return s
	}
	end := maxWords
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

const maxMinutes = 72 * 60 // the longest wait Meta imposes

// retryAfter returns how long to wait by the headers of an answer: Retry-After, in seconds or as a date, or Meta's business
// usage, in minutes. It is 0 when they say nothing.
func retryAfter(h http.Header, now time.Time) time.Duration {
	var wait time.Duration
	if v := h.Get("Retry-After"); v != "" {
		if seconds, err := strconv.ParseInt(v, 10, 32); err == nil {
			wait = time.Duration(seconds) * time.Second
		} else if at, err := http.ParseTime(v); err == nil {
			wait = at.Sub(now)
		}
	}
	var usage map[string][]struct {
		Minutes int32 `json:"estimated_time_to_regain_access"`
	}
	if v := h.Get("X-Business-Use-Case-Usage"); v != "" && json.Unmarshal([]byte(v), &usage) == nil {
		for _, uses := range usage {
			for _, u := range uses {
				wait = max(wait, time.Duration(min(u.Minutes, maxMinutes))*time.Minute)
			}
		}
	}
	return min(max(0, wait), maxMinutes*time.Minute)
}
