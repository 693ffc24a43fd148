package message

import "time"

// Block is why the messages of a number wait: WhatsApp takes none of them for now, whatever they say. There is one of a number at a
// time; it is an incident that begins and ends.
type Block struct {
	AccountID string
	WABAKey   string
	PhoneKey  string
	Cause     Cause
	From      Priority // messages of this priority and of those behind it wait
	Met       Priority // the last one of a message that met the block: it ends when one like that passes
	Why       Failure
	Since     time.Time // when the incident began, for the whole business account if it is blocked as a whole
}

// Cause is what a block is about. The set is closed; it is also a metric label.
type Cause string

const (
	TokenRejected  Cause = "token"   // the business account's access token is not accepted
	AccountBlocked Cause = "account" // the business account may not send
	NumberBlocked  Cause = "number"  // the number may not send
)

// Causes lists them.
func Causes() []Cause { return []Cause{TokenRejected, AccountBlocked, NumberBlocked} }

// Shared reports whether the block is that of all numbers of the business account.
func (c Cause) Shared() bool { return c == TokenRejected || c == AccountBlocked }
