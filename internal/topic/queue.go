package topic

import "time"

// Due is what a subscription's queue has to offer right now.
type Due struct {
	Subscription     Subscription // Key 0: it is gone, with its queue
	SignatureVersion string       // of its topic; "" when that is gone
	Messages         []Waiting
	Next             time.Time // when the next one comes due; zero: none is scheduled
}

// Waiting is a message that one subscription has not received yet.
type Waiting struct {
	Record
	Seq      int64 // the store's own number for the message
	Due      time.Time
	Attempts int // failed ones
}

// Fate is what became of a Waiting message.
type Fate uint8

const (
	Done   Fate = iota // delivered, or of no concern to the subscription any more
	Again              // to be tried again
	Undone             // given up: it becomes a dead letter
)

// Outcome reports the fate of a Waiting message.
type Outcome struct {
	Seq    int64
	Due    time.Time // as it was claimed
	Fate   Fate
	Next   time.Time // Again: when
	Reason string    // Undone: why, safe to show
}
