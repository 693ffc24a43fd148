package topic

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Kind is the type of a document that subscribers receive.
type Kind uint8

const (
	Notification Kind = iota
	SubscriptionConfirmation
	UnsubscribeConfirmation
)

// String is the kind's name on the wire.
func (k Kind) String() string {
	switch k {
	case SubscriptionConfirmation:
		return "SubscriptionConfirmation"
	case UnsubscribeConfirmation:
		return "UnsubscribeConfirmation"
	default:
		return "Notification"
	}
}

// Concerns reports whether a document of the kind is meant for a subscription in the given state. What is not is thrown away.
func (k Kind) Concerns(s State) bool {
	switch k {
	case SubscriptionConfirmation:
		return s == Pending
	case UnsubscribeConfirmation:
		return s == Deactivated
	default:
		return s == Confirmed
	}
}

// Message is something published to a topic, or one of the two confirmations.
type Message struct {
	ID          string // UUID; Publish makes one if it is empty
	Kind        Kind
	Subject     string // "" sends none
	Body        []byte
	Variants    map[string][]byte // bodies for particular protocols; nil: the same for all
	Attributes  []Attribute
	Token       string // of a confirmation
	PublishedAt time.Time
}

// Attribute is a structured detail beside the body.
type Attribute struct {
	Name   string
	Type   string // String, String.Array, Number or Binary, perhaps with a custom label: "Number.int"
	String string
	Binary []byte
}

// MaxSize is the most bytes a message has, body and attributes together; a batch published through the API too.
const MaxSize = 256 << 10

// BodyFor returns what a protocol's subscribers get.
func (m *Message) BodyFor(protocol string) []byte {
	if b, ok := m.Variants[protocol]; ok {
		return b
	}
	return m.Body
}

// Structure splits a body published with MessageStructure=json into the default body and those for single protocols.
func (m *Message) Structure() error {
	var bodies map[string]json.RawMessage
	if err := json.Unmarshal(m.Body, &bodies); err != nil || bodies == nil {
		return invalid("Message Structure - JSON message body failed to parse")
	}
	variants := make(map[string][]byte, len(bodies))
	for protocol, raw := range bodies {
		var s string
		if json.Unmarshal(raw, &s) == nil && raw[0] == '"' {
			variants[protocol] = []byte(s)
		}
	}
	body, ok := variants["default"]
	if !ok {
		return invalid("Message Structure - No default entry in JSON message body")
	}
	delete(variants, "default")
	m.Body, m.Variants = body, variants
	return nil
}

// Size returns how many bytes count towards MaxSize.
func (m *Message) Size() int {
	n := len(m.Body)
	for _, b := range m.Variants {
		n += len(b)
	}
	for i := range m.Attributes {
		a := &m.Attributes[i]
		n += len(a.Name) + len(a.Type) + len(a.String) + len(a.Binary)
	}
	return n
}

// Check reports why a message cannot be published.
func (m *Message) Check() error {
	if len(m.Body) == 0 {
		return invalid("Empty message")
	}
	if m.Size() > MaxSize {
		return invalid("Message too long")
	}
	if !utf8.Valid(m.Body) {
		return invalid("Message Reason: not valid UTF-8")
	}
	for _, b := range m.Variants {
		if !utf8.Valid(b) {
			return invalid("Message Reason: not valid UTF-8")
		}
	}
	if utf8.RuneCountInString(m.Subject) > 100 || !printable(m.Subject) || strings.HasPrefix(m.Subject, " ") {
		return invalid("Subject")
	}
	for i := range m.Attributes {
		if err := m.Attributes[i].check(); err != nil {
			return err
		}
		for j := range i {
			if m.Attributes[j].Name == m.Attributes[i].Name {
				return badAttribute("The message attribute name '%s' is used more than once.", m.Attributes[i].Name)
			}
		}
	}
	return nil
}

func (a *Attribute) check() error {
	if !attributeName(a.Name) {
		return badAttribute("The message attribute name '%.64s' is invalid: 1 to 256 of A-Za-z0-9_-. are allowed, no leading or "+
			"repeated period, no prefix AWS. or Amazon.", a.Name)
	}
	base, _, _ := strings.Cut(a.Type, ".")
	switch {
	case a.Type == "":
		return badAttribute("The message attribute '%s' must contain non-empty message attribute type.", a.Name)
	case len(a.Type) > 256 || !printable(a.Type):
		return badAttribute("The message attribute '%s' has an invalid message attribute type.", a.Name)
	case a.String != "" && len(a.Binary) > 0:
		return badAttribute("The message attribute '%s' has more than one value.", a.Name)
	case base == "Binary":
		if len(a.Binary) == 0 {
			return noValue(a)
		}
	case base == "String" || base == "Number":
		if a.String == "" {
			return noValue(a)
		}
		if !utf8.ValidString(a.String) {
			return badAttribute("The message attribute '%s' has a value that is not valid UTF-8.", a.Name)
		}
		if base == "Number" && !number(a.String) {
			return badAttribute("Could not cast message attribute '%s' value to number.", a.Name)
		}
		if a.Type == "String.Array" && !array(a.String) {
			return badAttribute("The message attribute '%s' of type 'String.Array' must be a JSON array.", a.Name)
		}
	default:
		return badAttribute("The message attribute '%s' has an invalid message attribute type, the set of supported type prefixes is "+
			"Binary, Number, and String.", a.Name)
	}
	return nil
}

func attributeName(s string) bool {
	if s == "" || len(s) > 256 || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	if lower := strings.ToLower(s); strings.HasPrefix(lower, "aws.") || strings.HasPrefix(lower, "amazon.") {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func number(s string) bool {
	var n json.Number
	return json.Unmarshal([]byte(s), &n) == nil && n != "" && s[0] != '"' // null sets nothing
}

func array(s string) bool {
	b := bytes.TrimSpace([]byte(s))
	return len(b) > 0 && b[0] == '[' && json.Valid(b)
}

func noValue(a *Attribute) error {
	return badAttribute("The message attribute '%s' must contain non-empty message attribute value for message attribute type '%s'.",
		a.Name, a.Type)
}

// badAttribute is the one complaint that SNS words as a wrong value rather than a wrong parameter.
func badAttribute(format string, args ...any) error {
	return fault.New(fault.Validation, format, args...)
}
