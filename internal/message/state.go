package message

// State is where a message is in its life:
//
//	queued → accepted → sent → delivered → read → played
//	      ↘ cancelled     ↘ failed
//	      ↘ dropped
//
// A message only ever moves forward. WhatsApp repeats and reorders its statuses, so the state is the furthest point any
// evidence has shown: Advance is commutative, associative and idempotent, and the order in which evidence arrives does not
// matter.
type State string

const (
	Queued    State = "queued"    // durably ours, not yet taken by WhatsApp
	Cancelled State = "cancelled" // taken back by its sender before WhatsApp had it
	Dropped   State = "dropped"   // given up: the retry window or its validity was over
	Accepted  State = "accepted"  // WhatsApp took it; the wamid is known
	Sent      State = "sent"      // left WhatsApp's servers
	Failed    State = "failed"    // WhatsApp refused it or could not deliver it
	Delivered State = "delivered" // on the customer's device
	Read      State = "read"      // opened
	Played    State = "played"    // a voice note was listened to
)

// Rank returns the state's place in the order Advance follows; unknown states rank below all. Two places are judgement calls:
// evidence that a message was sent outranks our having given up on it, and evidence of delivery outranks a failure report.
func (s State) Rank() int {
	switch s {
	case Queued:
		return 0
	case Cancelled:
		return 1
	case Dropped:
		return 2
	case Accepted:
		return 3
	case Sent:
		return 4
	case Failed:
		return 5
	case Delivered:
		return 6
	case Read:
		return 7
	case Played:
		return 8
	default:
		return -1
	}
}

// States lists every state in order of rank.
func States() []State {
	return []State{Queued, Cancelled, Dropped, Accepted, Sent, Failed, Delivered, Read, Played}
}

// Advance returns the state after evidence of another one. Unknown evidence (Meta's legacy "deleted" and "warning", or a
// future status) changes nothing.
func Advance(current, evidence State) State {
	if evidence.Rank() > current.Rank() {
		return evidence
	}
	return current
}

// Final reports whether nothing more is owed for a message in this state: we neither queue nor retry it.
func (s State) Final() bool { return s.Rank() > 0 }
