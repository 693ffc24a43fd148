package bus

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// Event is something that happened.
type Event struct {
	ID         string // UUID; Put makes one if it is empty
	Source     string // who says so, such as com.example.shop
	DetailType string // what the detail is about
	Detail     []byte // a JSON object
	Resources  []string
	Time       time.Time // Put fills in its own if it is zero
}

// Limits of events.
const (
	// MaxSize is the most bytes that the events of one call have together.
	MaxSize = 1 << 20

	maxDetailType = 128  // characters
	maxDepth      = 1000 // of objects and lists within each other
)

// Size is how many bytes an event counts towards MaxSize, as EventBridge counts.
func (e *Event) Size() int {
	n := len(e.Source) + len(e.DetailType) + len(e.Detail)
	if !e.Time.IsZero() {
		n += 14
	}
	for _, r := range e.Resources {
		n += len(r)
	}
	return n
}

// Check reports why an event cannot be put: a fault.InvalidParameters, or a fault.Validation when it is the detail that is no JSON
// object.
func (e *Event) Check() error {
	missing := ""
	switch {
	case e.Source == "":
		missing = "Source"
	case e.DetailType == "":
		missing = "DetailType"
	case len(e.Detail) == 0:
		missing = "Detail"
	}
	if missing != "" {
		return fault.New(fault.InvalidParameters, "Parameter %s is not valid. Reason: %s is a required argument.", missing, missing)
	}
	if utf8.RuneCountInString(e.DetailType) > maxDetailType {
		return fault.New(fault.InvalidParameters, "Parameter DetailType is not valid. Reason: DetailType has more than %d characters.", maxDetailType)
	}
	if detail := bytes.TrimLeft(e.Detail, " \t\r\n"); len(detail) == 0 || detail[0] != '{' || !json.Valid(detail) || rawjson.Value(detail).Depth() > maxDepth {
		return fault.New(fault.Validation, "Detail is malformed.")
	}
	return nil
}

// Reserved reports whether only the service itself may put events of a source.
func Reserved(source string) bool { return strings.HasPrefix(source, "aws.") }

// envelope renders the event as rules see it and targets receive it, in EventBridge's layout.
func (e *Event) envelope(s account.Scope) ([]byte, error) {
	b := make([]byte, 0, len(e.Detail)+len(e.Source)+len(e.DetailType)+320)
	b = append(b, `{"version":"0","id":`...)
	b = event.AppendString(b, e.ID)
	b = append(b, `,"detail-type":`...)
	b = event.AppendString(b, e.DetailType)
	b = append(b, `,"source":`...)
	b = event.AppendString(b, e.Source)
	b = append(b, `,"account":`...)
	b = event.AppendString(b, s.AccountID)
	b = append(b, `,"time":"`...)
	b = e.Time.UTC().AppendFormat(b, time.RFC3339)
	b = append(b, `","region":`...)
	b = event.AppendString(b, s.Region)
	b = append(b, `,"resources":[`...)
	for i, r := range e.Resources {
		if i > 0 {
			b = append(b, ',')
		}
		b = event.AppendString(b, r)
	}
	b = append(b, `],"detail":`...)
	out := bytes.NewBuffer(b)
	if err := json.Compact(out, e.Detail); err != nil {
		return nil, err
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}
