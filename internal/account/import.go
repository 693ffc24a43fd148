package account

import "time"

// Import is a number that belongs into an instance of Amazon Connect: the event destination of its business account.
type Import struct {
	AccountID     string
	PhoneKey      string
	DisplayNumber string
	InstanceARN   string
	RoleARN       string
	Attempts      int       // before this one
	Due           time.Time // when it is due again unless it is done before; identifies the claim
}
