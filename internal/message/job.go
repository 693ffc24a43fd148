package message

import "time"

// Job is a message waiting to be handed to WhatsApp, as the queue of its phone number sees it.
type Job struct {
	Seq         int64 // order of acceptance
	Place       int64 // order in the queue: Seq, or a later place for a message that waited for its time
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
	SendAt      time.Time // not before; zero: from acceptance on
	ValidUntil  time.Time // not at this time or later; zero: see Deadline
	Attempts    int       // attempts begun
	NotBefore   time.Time // zero: now
	// StartedAt is when an attempt began whose outcome is not known: WhatsApp may or may not have the message. Zero: none.
	StartedAt time.Time
	Body      []byte // the sender's object; nil when it has to be read from the store
}

// Due returns when the message could leave for the first time.
func (j *Job) Due() time.Time {
	if j.SendAt.After(j.AcceptedAt) {
		return j.SendAt
	}
	return j.AcceptedAt
}

// Deadline returns when trying ends: with the message's validity, or a window after it was due.
func (j *Job) Deadline(window time.Duration) time.Time {
	if !j.ValidUntil.IsZero() {
		return j.ValidUntil
	}
	return j.Due().Add(window)
}

// Expired reports whether the message is not to be sent any more, whatever comes of it.
func (j *Job) Expired(now time.Time) bool { return !j.ValidUntil.IsZero() && !now.Before(j.ValidUntil) }

// InDoubt reports whether WhatsApp may already have the message.
func (j *Job) InDoubt() bool { return !j.StartedAt.IsZero() }

// Receipt reports whether the job only marks something read.
func (j *Job) Receipt() bool { return j.Kind == KindRead }

// Job returns the queue's view of a message that was accepted under seq.
func (m *Outbound) Job(seq int64) Job {
	return Job{Seq: seq, Place: seq, ID: m.ID, AccountID: m.AccountID, WABAKey: m.WABAKey, PhoneKey: m.PhoneKey, MetaVersion: m.MetaVersion,
		Kind: m.Kind, Recipient: m.Recipient, Priority: m.Priority, OwnOpaque: m.OwnOpaque, AcceptedAt: m.AcceptedAt, SendAt: m.SendAt, ValidUntil: m.ValidUntil, Body: m.Body}
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
