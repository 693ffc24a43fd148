package account

import "github.com/waxwing-messaging/waxwing/internal/identity"

// Access is what is needed to act on a business account at Meta. Line is the same for a number.
type Access struct {
	AccountID string
	WABAKey   string
	MetaID    string // of the business account
	Token     identity.Secret
}

// Access returns the line's access to its business account.
func (l *Line) Access() Access {
	return Access{AccountID: l.AccountID, WABAKey: l.WABAKey, MetaID: l.WABAMetaID, Token: l.Token}
}
