package directory

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// SignUpStore keeps links in the making, and what was unlinked.
type SignUpStore interface {
	LinkedKeys(ctx context.Context, accountID string, metaIDs []string) (map[string]string, error)
	BeginSignUp(ctx context.Context, s account.SignUp, candidates []account.Candidate) error
	CheckSignUp(ctx context.Context, hash []byte, accountID string, now time.Time) error
	FinishSignUp(ctx context.Context, hash []byte, accountID string, f account.Finish, now time.Time) error
	Unlink(ctx context.Context, accountID, wabaKey string, now time.Time) error
	UnlinkedLine(ctx context.Context, accountID, phoneKey string) (l account.Line, sealed []byte, err error)
}

// BeginSignUp stores what Meta grants access to with a token: business accounts that are new to the account as INCOMPLETE, with
// numbers that are not set up; of the others the token, what Meta tells and numbers that are new. It returns the keys of the
// business accounts in the order of facts, and the token that FinishSignUp takes. Refused are what is linked elsewhere (Conflict)
// and too many business accounts (LimitExceeded); then nothing is stored. callback is where Meta sends their callbacks; nil leaves
// that as it is.
func (d *Directory) BeginSignUp(ctx context.Context, accountID string, token identity.Secret, callback *string, facts []account.Facts, now time.Time) (
	keys []string, signUp identity.Secret, err error) {
	var ids []string
	for _, f := range facts {
		ids = append(ids, f.MetaID)
		for _, p := range f.Numbers {
			ids = append(ids, p.MetaID)
		}
	}
	known, err := d.store.LinkedKeys(ctx, accountID, ids)
	if err != nil {
		return nil, "", err
	}
	keyOf := func(metaID string) string {
		if key := known[metaID]; key != "" {
			return key
		}
		return account.NewKey()
	}
	candidates := make([]account.Candidate, len(facts))
	for i, f := range facts {
		w := account.WABA{Key: keyOf(f.MetaID), AccountID: accountID, MetaID: f.MetaID, Name: f.Name, RegistrationStatus: account.Incomplete,
			LinkedAt: now, MarketingStatus: f.MarketingStatus}
		sealed, err := d.sealer.Seal([]byte(token.Reveal()), tokenSeal(w.Key))
		if err != nil {
			return nil, "", err
		}
		c := account.Candidate{WABA: w, Token: sealed}
		for _, p := range f.Numbers {
			p.Key, p.AccountID, p.WABAKey, p.Status = keyOf(p.MetaID), accountID, w.Key, account.IncompleteSetup
			c.Numbers = append(c.Numbers, p)
		}
		candidates[i], keys = c, append(keys, w.Key)
	}
	secret := account.NewSignUpToken()
	defer d.Forget()
	err = d.store.BeginSignUp(ctx, account.SignUp{Hash: account.HashSignUpToken(secret), AccountID: accountID,
		ExpiresAt: now.Add(account.SignUpLife), Callback: callback}, candidates)
	return keys, identity.Secret(secret), err
}

// CheckSignUp returns InvalidParameters unless FinishSignUp would take the token.
func (d *Directory) CheckSignUp(ctx context.Context, accountID string, token identity.Secret, now time.Time) error {
	return d.store.CheckSignUp(ctx, account.HashSignUpToken(token.Reveal()), accountID, now)
}

// FinishSignUp makes registered numbers Active and, for a new business account, stores its destination and tags; the token is
// used up. When anything is wrong nothing changes, and the token stays.
func (d *Directory) FinishSignUp(ctx context.Context, accountID string, token identity.Secret, f account.Finish, now time.Time) error {
	defer d.Forget()
	return d.store.FinishSignUp(ctx, account.HashSignUpToken(token.Reveal()), accountID, f, now)
}

// LinkedKeys returns the keys under which the account has linked business accounts and numbers, by Meta's ids.
func (d *Directory) LinkedKeys(ctx context.Context, accountID string, metaIDs []string) (map[string]string, error) {
	return d.store.LinkedKeys(ctx, accountID, metaIDs)
}

// Unlink takes a business account and its numbers away from an account. Messages that were accepted are still sent.
func (d *Directory) Unlink(ctx context.Context, accountID, wabaKey string, now time.Time) error {
	defer d.Forget()
	return d.store.Unlink(ctx, accountID, wabaKey, now)
}

// Forget drops what is cached about numbers: changes that others made are seen at once.
func (d *Directory) Forget() {
	d.phones.clear()
	d.lines.clear()
	if d.changed != nil {
		d.changed()
	}
}

// unlinkedLine is Line for a number that was unlinked with messages waiting. missing is the answer when there is none.
func (d *Directory) unlinkedLine(ctx context.Context, accountID, phoneKey string, missing error) (account.Line, error) {
	l, sealed, err := d.store.UnlinkedLine(ctx, accountID, phoneKey)
	if fault.Is(err, fault.NotFound) {
		return account.Line{}, missing
	}
	if err != nil {
		return account.Line{}, err
	}
	token, err := d.sealer.Open(sealed, tokenSeal(l.WABAKey))
	l.Token = identity.Secret(token)
	return l, err
}
