// Package flow holds what is known of WhatsApp Flows, the forms that open inside a chat. Meta keeps them and decides about
// them; these are the values that cross between its API and ours.
package flow

// MaxJSON is the longest Flow JSON, in bytes (Meta, and AWS's model).
const MaxJSON = 10 << 20

// Draft is a Flow to create.
type Draft struct {
	Name       string // unique within its business account
	Categories []string
	JSON       []byte // Flow JSON; nil to start without
	Publish    bool   // at once, if there is nothing wrong with it
	CloneID    string // Meta's id of a Flow to copy; "" for none
}

// Changes are what can be changed of a Flow beside its JSON. Empty members stay as they are.
type Changes struct {
	Name       string
	Categories []string
}

// Created is a new Flow. Problems keep it from being published, not from existing.
type Created struct {
	ID       string
	Problems []string
}

// Summary is a Flow in a list.
type Summary struct {
	ID         string
	Name       string
	Status     string // DRAFT, PUBLISHED, DEPRECATED, BLOCKED, THROTTLED; an open set
	Categories []string
	Problems   []string
}

// Flow is everything Meta tells of a Flow. What it does not tell is empty or nil.
type Flow struct {
	Summary
	JSONVersion    string
	DataAPIVersion string
	EndpointURI    string
	Preview        *Preview
	Account        *Account
	Application    *Application
	Health         *Health
}

// Preview is a public page that shows a Flow.
type Preview struct {
	URL       string
	ExpiresAt string // as Meta writes it
}

// Account is the business account a Flow belongs to.
type Account struct {
	ID         string // Meta's
	Name       string
	Currency   string
	TimezoneID string
	Namespace  string // of message templates
}

// Application is the Meta app behind a Flow's endpoint.
type Application struct {
	ID   string
	Name string
	Link string
}

// Health tells whether a Flow can be sent and, if not, who is in the way.
type Health struct {
	CanSend  string // AVAILABLE, LIMITED or BLOCKED
	Entities []Entity
}

// Entity is one of those who can be in the way of a message.
type Entity struct {
	Type    string // FLOW, WABA, BUSINESS or APP
	ID      string
	CanSend string
}

// Asset is a file of a Flow. The URL is open to whoever has it, for a short time.
type Asset struct {
	Name string
	Type string
	URL  string
}
