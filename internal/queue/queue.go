// Package queue is what the queues of the fan-out hold: messages that are stored once and wait for each of their subscribers.
//
// A subscription of a built-in topic has such a queue, and so has a target of a rule of the built-in event bus. Which of them
// a queue belongs to, and in what form and by what way it wants its messages, is its Subscriber's affair; that messages wait,
// are tried again and are given up in the end is the same for all. internal/fanout drives the queues.
package queue

import "time"

// Record is a message as it is stored: what queues need in the clear, the rest sealed.
type Record struct {
	ID          string
	Kind        uint8 // for its subscribers to understand
	PublishedAt time.Time
	Sealed      []byte
}

// Subscriber is whom a queue's messages are for.
type Subscriber interface {
	// Name is the ARN under which logs and dead letters mention it.
	Name() string
	// Wants reports whether a kind of message is for it, in the state it is in. What is not is thrown away.
	Wants(kind uint8) bool
	// Retry is the policy it goes by. What is zero is as the engine has it.
	Retry() Retry
}

// Due is what a queue has to offer right now.
type Due struct {
	Subscriber Subscriber // nil: it is gone, and what is left is to be thrown away
	Messages   []Waiting
	Next       time.Time // when the next one comes due; zero: none is scheduled
}

// Waiting is a message that one subscriber has not received yet.
type Waiting struct {
	Record
	Seq      int64 // the store's own number for the message
	Due      time.Time
	Attempts int // failed ones
}

// Fate is what became of a Waiting message.
type Fate uint8

const (
	Done   Fate = iota // delivered, or of no concern to the subscriber any more
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

// DeadLetter is a message that could not be delivered to one subscriber.
type DeadLetter struct {
	Key         int64
	Subscriber  string // its Name
	MessageID   string
	Kind        uint8
	PublishedAt time.Time
	At          time.Time
	Attempts    int
	Reason      string
}
