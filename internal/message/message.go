// Package message knows WhatsApp messages: what a sender may ask for, the one state machine every message goes through, and
// how the ids of a message correlate.
//
// It validates and decides; it never talks to a network or a store.
package message

import (
	"time"
)

// Priority orders the work of one phone number. Lower goes first.
type Priority int8

const (
	High  Priority = iota - 1 // what its sender wants to overtake everything, its recipient's other messages too
	Reply                     // everything within a conversation: free-form messages, answers, reactions, read receipts
	Bulk                      // templates that answer nothing
)

// Priorities lists them, first things first.
func Priorities() []Priority { return []Priority{High, Reply, Bulk} }

// Outbound is a message a sender asked us to hand to WhatsApp.
type Outbound struct {
	ID          string // UUID, the messageId the sender gets
	AccountID   string
	WABAKey     string
	PhoneKey    string
	MetaVersion string // Graph API version to call, "v20.0"
	Kind        string // Meta's type: "text", "template", …; "read" for read receipts
	Recipient   string // what keeps order: the recipient's digits or business-scoped id; "" for receipts
	Priority    Priority
	Template    string // template name, when Kind is "template"
	OwnOpaque   bool   // the sender set biz_opaque_callback_data, so ours cannot travel
	Body        []byte // Meta's message object, byte for byte as the sender gave it
	AcceptedAt  time.Time
	SendAt      time.Time // not before; zero: at once
	ValidUntil  time.Time // not at this time or later; zero: for as long as any message is tried
	// InvocationID is the SDK's id of the logical call (amz-sdk-invocation-id). Two calls of one account with the same
	// non-empty id within an hour are one message.
	InvocationID string
}

// Receipt reports whether the message only marks something read (perhaps with a typing indicator): it has no recipient,
// gets no wamid and no statuses.
func (m *Outbound) Receipt() bool { return m.Kind == KindRead }

// KindRead is the Kind of read receipts and typing indicators, which have no type member.
const KindRead = "read"

// Failure is why WhatsApp would not take or deliver a message, in Meta's words.
type Failure struct {
	Code    int    `json:"code"`
	Title   string `json:"title,omitempty"`
	Message string `json:"message,omitempty"`
	Details string `json:"details,omitempty"`
}
