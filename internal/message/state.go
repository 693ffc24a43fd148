package message

// State is where a message is in its life:
//
//	queued → accepted → sent → delivered → read → played
//	      ↘ dropped       ↘ failed
//
// A message only ever moves forward. WhatsApp repeats and reorders its statuses, so the state is the furthest point any
// evidence has shown: Advance is commutative, associative and idempotent, and the order in which evidence arrives does not
// matter.
type State string

const (
	Queued    State = "queued"    // durably ours, not yet taken by WhatsApp
	Dropped   State = "dropped"   // given up after the retry window
	Accepted  State = "accepted"  // WhatsApp took it; the wamid is known
	Sent      State = "sent"      // left WhatsApp's servers
	Failed    State = "failed"    // WhatsApp refused it or could not deliver it
	Delivered State = "delivered" // on the customer's device
	Read      State = "read"      // opened
	Played    State = "played"    // a voice note was listened to
)

// rank orders the states. Two places are judgement calls: evidence that a message was sent outranks our having given up on
// it, and evidence of delivery outranks a failure report.
var rank = map[State]int{Queued: 0, Dropped: 1, Accepted: 2, Sent: 3, Failed: 4, Delivered: 5, Read: 6, Played: 7}

// States lists every state in order of rank.
func States() []State {
	return []State{Queued, Dropped, Accepted, Sent, Failed, Delivered, Read, Played}
}

// Advance returns the state after evidence of another one. Unknown evidence (Meta's legacy "deleted" and "warning", or a
// future status) changes nothing.
func Advance(current, evidence State) State {
	r, known := rank[evidence]
	if !known || r <= rank[current] {
		return current
	}
	return evidence
}

// Final reports whether nothing more is owed for a message in this state: we neither queue nor retry it.
func (s State) Final() bool { return rank[s] > 0 }

// Rank returns the state's place in the order Advance follows; unknown states rank below all.
func (s State) Rank() int {
	if r, ok := rank[s]; ok {
		return r
	}
	return -1
}
