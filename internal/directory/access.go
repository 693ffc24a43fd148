package directory

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Access returns what is needed to act on a business account at Meta. It is read from the store each time: nothing on the hot
// path asks.
func (d *Directory) Access(ctx context.Context, accountID, wabaKey string) (account.Access, error) {
	w, _, err := d.store.WABA(ctx, accountID, wabaKey)
	if err != nil {
		return account.Access{}, err
	}
	sealed, err := d.store.Token(ctx, w.Key)
	if err != nil {
		return account.Access{}, err
	}
	token, err := d.sealer.Open(sealed, tokenSeal(w.Key))
	return account.Access{AccountID: accountID, WABAKey: w.Key, MetaID: w.MetaID, Token: identity.Secret(token)}, err
}
