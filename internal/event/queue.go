package event

import "time"

// Delivery is an event waiting for one of its destinations, with what the envelope names.
type Delivery struct {
	Event
	Destination string // the name of the queue
	Seq         int64
	Due         time.Time // its place in the queue: zero, or when a failed attempt may be repeated
	Attempts    int       // failed ones
	WABAMetaID  string
	PhoneMetaID string
	RoleARN     string // of the business account's event destination, to assume for publishing; "" for none
}

// Fate is what became of a Delivery.
type Fate uint8

const (
	Done     Fate = iota // its destination has it
	Again                // it stays in the queue
	Dead                 // it is given up: a dead letter
	Unwanted             // it is not for its destination, which was not asked
)

// Outcome reports the fate of a Delivery.
type Outcome struct {
	Seq    int64
	Due    time.Time // as it was read
	Fate   Fate
	Next   time.Time // Again: not before; zero keeps its place in the queue
	Reason string    // Dead: why, safe to show
}

// Settlement is what came of one round of publishing to a destination.
type Settlement struct {
	AccountID string // whose destination it is
	Outcomes  []Outcome
	At        time.Time
	Took      time.Duration
	Reason    string // of the first failure, safe to show; "" if there was none
	Trouble   bool   // some failure was the destination's; false when all were for what the events hold
	// Disable says why nothing is published any more until someone resumes the destination; "" goes on.
	Disable string
	Alerts  []*Event // to be stored with it, for every destination but this one
}

// Halt says why nothing is published to a destination for now.
type Halt string

const (
	Running  Halt = ""
	Paused   Halt = "paused"   // someone asked for it; events wait, however long
	Disabled Halt = "disabled" // it failed for too long, or is gone; events wait until they are too old
)

// QueueState is what has to be known before anything is published to a destination.
type QueueState struct {
	Halt       Halt
	Additional *Additional // nil for AWS event destinations and buses
	// ResumedAt is when it was last allowed to run again, zero if it never was halted. What waits counts as no older than that.
	ResumedAt time.Time
	// Gone is set for an additional destination that was deleted: what waits for it goes, too.
	Gone         bool
	FailingSince time.Time // it has been in trouble since, and nothing has arrived; zero: it is not
}

// Health is how a destination is doing.
type Health struct {
	Name         string
	Halt         Halt
	HaltReason   string
	HaltedAt     time.Time
	Waiting      int // events in the queue; counted up to MaxCounted
	Oldest       time.Time
	FailingSince time.Time
	Failure      string // the last one
	FailedAt     time.Time
	DeliveredAt  time.Time // last success
}

// MaxCounted bounds how far waiting events are counted.
const MaxCounted = 100_000

// Attempts sums up the calls to a destination that ended the same way within a minute.
type Attempts struct {
	Minute  time.Time
	Reason  string // "" for those that went well
	Rounds  int    // calls, or rounds of calls
	Events  int    // in them
	Slowest time.Duration
	LastAt  time.Time
}
