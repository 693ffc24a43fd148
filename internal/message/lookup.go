package message

import "time"

// Query selects messages of one account. Zero members select everything.
type Query struct {
	PhoneKey  string
	Recipient string // digits or business-scoped id
	State     State
	Template  string    // its name
	ErrorCode int       // Meta's, of any failure of the message
	Overdue   bool      // only messages whose first status is overdue
	From, To  time.Time // acceptance: From included, To not
	// Before continues an earlier search: only messages accepted before the one with this place are looked at. 0 is the start.
	Before int64
	Limit  int
}

// Found is a page of a search, newest first.
type Found struct {
	Messages []Summary
	// Next is where to continue, 0 at the end. A search reads a bounded part of the table at a time, so a page can be short, or
	// empty, and still have a Next.
	Next int64
}

// Summary is a message in a list.
type Summary struct {
	Seq        int64
	ID         string
	WAMID      string
	PhoneKey   string
	Recipient  string
	Kind       string
	Template   string
	State      State
	AcceptedAt time.Time
	SendAt     time.Time // zero: at once
	ValidUntil time.Time // zero: for as long as any message is tried
	UpdatedAt  time.Time
	Overdue    bool // WhatsApp took it and has reported nothing about it in time
}

// Withdrawal is what came of taking a message back.
type Withdrawal struct {
	Done         bool  // it is Cancelled, now or since an earlier call
	State        State // of the message afterwards
	InDoubt      bool  // an attempt is under way, or ended without an answer: WhatsApp may have it
	Seq          int64
	PhoneKey     string
	Destinations []string // that have an event about it to publish
}

// Window is what is known of a customer in relation to one business number.
type Window struct {
	LastInboundAt time.Time // zero: never wrote
	Marketing     string    // "stop" or "resume", the customer's last word about marketing messages; "" for none
	MarketingAt   time.Time
}

// WindowLength is how long free-form messages are allowed after a customer wrote.
const WindowLength = 24 * time.Hour

// OpenUntil returns when the customer service window closes; it may lie in the past, and is zero if it never opened.
func (w Window) OpenUntil() time.Time {
	if w.LastInboundAt.IsZero() {
		return time.Time{}
	}
	return w.LastInboundAt.Add(WindowLength)
}

// Open reports whether free-form messages are allowed.
func (w Window) Open(now time.Time) bool { return now.Before(w.OpenUntil()) }
