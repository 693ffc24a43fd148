package event

import "time"

// DeadLetter is an event that was given up: its destination did not take it within the retry window, or never will.
type DeadLetter struct {
	Key         int64 // grows in the order of giving up
	ID          string
	WABAKey     string
	PhoneKey    string // "" for changes of the business account as a whole
	MessageID   string
	Field       string
	Status      string
	At          time.Time // of the change
	Destination string
	Attempts    int
	Reason      string
	DiedAt      time.Time
}

// Replay selects stored events to publish once more. Zero members select everything.
type Replay struct {
	From, To  time.Time // of the change: From included, To not
	Field     string
	Status    string
	MessageID string // ours
	// Destination is the only one to publish to, by the name of its queue; "" for all that want the event now.
	Destination string
	After       Place // continues an earlier replay: only events behind this place are looked at
	Limit       int   // of events to queue
}

// Place is where an event stands in an account's history.
type Place struct {
	At  time.Time
	Seq int64
}

// Replayed is what became of a replay.
type Replayed struct {
	Queued       int // events in the queue once more
	Waiting      int // events that were in the queue of every such destination already
	Undirected   int // events that no destination wants now
	Destinations []string
	// Next is where to continue, zero at the end. A replay reads a bounded part of the history at a time, so it can queue
	// little, or nothing, and still have a Next.
	Next Place
}
