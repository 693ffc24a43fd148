package message

import "time"

// Job is a message waiting to be handed to WhatsApp, as the queue of its phone number sees it.
type Job struct {
	Seq         int64 // order of acceptance
	ID          string
	AccountID   string
	WABAKey     string
	PhoneKey    string
	MetaVersion string
	Kind        string
	Recipient   string
	Priority    Priority
	OwnOpaque   bool
	AcceptedAt  time.Time
	Attempts    int       // attempts begun
	NotBefore   time.Time // zero: now
	// StartedAt is when an attempt began whose outcome is not known: WhatsApp may or may not have the message. Zero: none.
	StartedAt time.Time
	Body      []byte // the sender's object; nil when it has to be read from the store
}

// InDoubt reports whether WhatsApp may already have the message.
func (j *Job) InDoubt() bool { return !j.StartedAt.IsZero() }

// Receipt reports whether the job only marks something read.
func (j *Job) Receipt() bool { return j.Kind == KindRead }

// Job returns the queue's view of a message that was accepted under seq.
func (m *Outbound) Job(seq int64) Job {
	return Job{Seq: seq, ID: m.ID, AccountID: m.AccountID, WABAKey: m.WABAKey, PhoneKey: m.PhoneKey, MetaVersion: m.MetaVersion,
		Kind: m.Kind, Recipient: m.Recipient, Priority: m.Priority, OwnOpaque: m.OwnOpaque, AcceptedAt: m.AcceptedAt, Body: m.Body}
}

// Status is where a message is and how it got there.
type Status struct {
	Summary
	Timeline []Step // in the order it was learned
}

// Step is one piece of evidence about a message, and when it became known here.
type Step struct {
	Evidence
	RecordedAt time.Time
}
