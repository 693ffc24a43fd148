package bus

import (
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Kind is what a target is.
type Kind string

// The kinds of target that the bus can invoke.
const (
	TopicTarget Kind = "sns"
	QueueTarget Kind = "sqs"
	HTTPTarget  Kind = "api-destination"
)

// Target is whom a rule sends the events that it matches. It implements queue.Subscriber.
type Target struct {
	Key       int64 // of its queue
	AccountID string
	RuleARN   string
	ID        string
	ARN       string
	Settings
}

// Settings are what a target receives, and how. They are stored as one JSON text.
type Settings struct {
	RoleARN  string          `json:"roleArn,omitempty"` // kept, and of no effect
	Input    Input           `json:"input,omitzero"`
	HTTP     *HTTPParameters `json:"http,omitempty"`     // of API destinations
	MaxAge   int             `json:"maxAge,omitempty"`   // seconds; 0: EventBridge's day
	Attempts int             `json:"attempts,omitempty"` // how many there are at most, the first one included; 0: EventBridge's
}

// HTTPParameters go into the request to an API destination. Values that begin with "$." are paths into the event.
type HTTPParameters struct {
	Path   []string          `json:"path,omitempty"` // in place of the stars in its URL
	Header map[string]string `json:"header,omitempty"`
	Query  map[string]string `json:"query,omitempty"`
}

// What EventBridge does unless a target's retry policy says otherwise.
const (
	defaultMaxAge   = 24 * time.Hour
	defaultAttempts = 1 + 185
)

// Name implements queue.Subscriber. AWS has no ARNs for targets; this is the rule's, and more.
func (t *Target) Name() string { return t.RuleARN + "/target/" + t.ID }

// Wants implements queue.Subscriber: a target wants all that was queued for it.
func (t *Target) Wants(uint8) bool { return true }

// Retry implements queue.Subscriber.
func (t *Target) Retry() queue.Retry {
	r := queue.Retry{Window: defaultMaxAge, Attempts: defaultAttempts}
	if t.MaxAge > 0 {
		r.Window = time.Duration(t.MaxAge) * time.Second
	}
	if t.Attempts > 0 {
		r.Attempts = t.Attempts
	}
	return r
}

// Kind tells what the target is, "" if it is nothing that the bus can invoke.
func (t *Target) Kind() Kind {
	parts := strings.SplitN(t.ARN, ":", 6)
	switch {
	case len(parts) < 6:
		return ""
	case parts[2] == "events" && strings.HasPrefix(parts[5], "api-destination/"):
		return HTTPTarget
	case parts[2] == "sns":
		return TopicTarget
	case parts[2] == "sqs":
		return QueueTarget
	default:
		return ""
	}
}

// Payload makes what the target receives of an event. An error that says why it never will is a fault.InvalidParameters.
func (t *Target) Payload(evt []byte, ingested time.Time) ([]byte, error) {
	return t.Input.render(evt, t.RuleARN, ingested)
}

// Limits of HTTP parameters. AWS names none; a path can stand for a whole event, so ours keep small what is made of them.
const (
	maxHTTPParameters = 100
	maxHTTPBytes      = 64 << 10 // of all values together
)

// Parameters returns the HTTP parameters with values of an event in place of paths. What does not exist is empty. An error, which
// says that they get too long, is a fault.InvalidParameters.
func (t *Target) Parameters(evt []byte) (HTTPParameters, error) {
	size := 0
	out := t.HTTP.with(func(value string) string {
		if size > maxHTTPBytes {
			return ""
		}
		if p, ok := parsePath(value); ok && strings.HasPrefix(value, "$.") {
			v := p.find(evt)
			if value = string(v); v.IsString() {
				value = v.Text()
			}
		}
		size += len(value)
		return value
	})
	if size > maxHTTPBytes {
		return HTTPParameters{}, fault.New(fault.InvalidParameters, "with this event the HttpParameters are longer than %d bytes", maxHTTPBytes)
	}
	return out, nil
}

// with returns the parameters with what change makes of each value.
func (h *HTTPParameters) with(change func(value string) string) HTTPParameters {
	if h == nil {
		return HTTPParameters{}
	}
	out := HTTPParameters{Path: make([]string, len(h.Path)), Header: make(map[string]string, len(h.Header)), Query: make(map[string]string, len(h.Query))}
	for i, value := range h.Path {
		out.Path[i] = change(value)
	}
	for name, value := range h.Header {
		out.Header[name] = change(value)
	}
	for name, value := range h.Query {
		out.Query[name] = change(value)
	}
	return out
}

// names returns the length of the names of headers and query parameters.
func (h *HTTPParameters) names() (size int) {
	if h == nil {
		return 0
	}
	for name := range h.Header {
		size += len(name)
	}
	for name := range h.Query {
		size += len(name)
	}
	return size
}

// check reports why a rule of the account in scope cannot have the target.
func (t *Target) check(s account.Scope) error {
	parts := strings.SplitN(t.ARN, ":", 6)
	if len(parts) < 6 || parts[0] != "arn" || parts[5] == "" {
		return invalid("Arn", "Provided Arn is not in correct format.")
	}
	kind := t.Kind()
	switch {
	case kind == "":
		return invalid("Arn", "the built-in event bus invokes SNS topics, SQS queues and API destinations, not %.64s.", parts[2])
	case kind != HTTPTarget && strings.HasSuffix(parts[5], ".fifo"):
		return invalid("Arn", "FIFO topics and queues are not supported by the built-in event bus, choose a standard one.")
	case parts[1] != s.Partition || parts[3] != s.Region || parts[4] != s.AccountID:
		return invalid("Arn", "a target has to be in the account and Region of its rule.")
	case kind != HTTPTarget && strings.ContainsAny(parts[5], ":/"):
		return invalid("Arn", "Provided Arn is not in correct format.")
	case t.HTTP != nil && kind != HTTPTarget:
		return invalid("HttpParameters", "only API destinations have them.")
	}
	if t.HTTP != nil {
		if len(t.HTTP.Path)+len(t.HTTP.Header)+len(t.HTTP.Query) > maxHTTPParameters {
			return invalid("HttpParameters", "there are more than %d.", maxHTTPParameters)
		}
		for name := range t.HTTP.Header {
			if !headerName(name) {
				return invalid("HttpParameters", "%.64s is no name of an HTTP header.", name)
			}
		}
	}
	malformed, size := "", t.HTTP.names()
	t.HTTP.with(func(value string) string {
		size += len(value)
		if _, ok := parsePath(value); strings.HasPrefix(value, "$.") && !ok {
			malformed = value
		}
		return value
	})
	if malformed != "" {
		return invalid("HttpParameters", "%.64s is no JSON path.", malformed)
	}
	if size > maxHTTPBytes {
		return invalid("HttpParameters", "they are longer than %d bytes.", maxHTTPBytes)
	}
	return t.Input.check(t.ID)
}
