// Package directory answers, from memory where it can, who may call and what is linked: access keys, business accounts,
// phone numbers and the tokens to use for them.
//
// It stands between the store, which keeps secrets sealed, and everyone who asks on the hot path. Changes made through it are
// seen at once; changes made by other processes within seconds.
package directory

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Store keeps accounts and identities. Every method is scoped to one account where it names one.
type Store interface {
	SignUpStore
	AccessKey(ctx context.Context, id string) (k identity.AccessKey, sealed []byte, err error)
	PutAccessKey(ctx context.Context, k identity.AccessKey, sealed []byte) error
	CreateAccount(ctx context.Context, a identity.Account, k identity.AccessKey, sealed []byte) error
	WABAs(ctx context.Context, accountID, after string, limit int) ([]account.WABA, error)
	WABA(ctx context.Context, accountID, key string) (account.WABA, []account.PhoneNumber, error)
	PhoneNumber(ctx context.Context, accountID, key string) (account.PhoneNumber, error)
	Token(ctx context.Context, wabaKey string) (sealed []byte, err error)
	Link(ctx context.Context, w account.WABA, token []byte, numbers []account.PhoneNumber) error
	SetDestination(ctx context.Context, accountID, wabaKey string, d *account.Destination) error
	Tags(ctx context.Context, accountID, kind, key string) ([]account.Tag, error)
	PutTags(ctx context.Context, accountID, kind, key string, tags []account.Tag) error
	DeleteTags(ctx context.Context, accountID, kind, key string, names []string) error
}

// Sealer protects what is stored.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Directory answers questions about accounts. It is safe for concurrent use.
type Directory struct {
	store  Store
	sealer Sealer
	scope  account.Scope // partition and Region; the account is each caller's

	keys    cache[identity.AccessKey]
	phones  cache[account.PhoneNumber]
	lines   cache[account.Line]
	changed func() // nil: nobody wants to know
}

// New returns a Directory for one partition and Region.
func New(store Store, sealer Sealer, scope account.Scope) *Directory {
	return &Directory{store: store, sealer: sealer, scope: scope}
}

// OnChange has fn called, from now on, right after what is known of business accounts or numbers, or the token to use for them, may
// have changed here. It must be called before the Directory is used.
func (d *Directory) OnChange(fn func()) { d.changed = fn }

// AccessKey returns a key with its secret; fault.NotFound if there is none.
func (d *Directory) AccessKey(ctx context.Context, id string) (identity.AccessKey, error) {
	return d.keys.get(ctx, id, func(ctx context.Context) (identity.AccessKey, error) {
		k, sealed, err := d.store.AccessKey(ctx, id)
		if err != nil {
			return identity.AccessKey{}, err
		}
		secret, err := d.sealer.Open(sealed, keySeal(id))
		k.Secret = identity.Secret(secret)
		return k, err
	})
}

// PutAccessKey stores a key for an existing user.
func (d *Directory) PutAccessKey(ctx context.Context, k identity.AccessKey) error {
	sealed, err := d.sealer.Seal([]byte(k.Secret.Reveal()), keySeal(k.ID))
	if err != nil {
		return err
	}
	defer d.keys.clear()
	return d.store.PutAccessKey(ctx, k, sealed)
}

// CreateAccount stores a new account with one user and a key for that user, all or nothing.
func (d *Directory) CreateAccount(ctx context.Context, a identity.Account, k identity.AccessKey) error {
	sealed, err := d.sealer.Seal([]byte(k.Secret.Reveal()), keySeal(k.ID))
	if err != nil {
		return err
	}
	defer d.keys.clear()
	return d.store.CreateAccount(ctx, a, k, sealed)
}

// WABAs lists an account's business accounts in the order they were linked, behind the one with key after.
func (d *Directory) WABAs(ctx context.Context, accountID, after string, limit int) ([]account.WABA, error) {
	return d.store.WABAs(ctx, accountID, after, limit)
}

// WABA returns a business account and its numbers.
func (d *Directory) WABA(ctx context.Context, accountID, key string) (account.WABA, []account.PhoneNumber, error) {
	return d.store.WABA(ctx, accountID, key)
}

// PhoneNumber returns a number.
func (d *Directory) PhoneNumber(ctx context.Context, accountID, key string) (account.PhoneNumber, error) {
	return d.phones.get(ctx, accountID+"/"+key, func(ctx context.Context) (account.PhoneNumber, error) {
		return d.store.PhoneNumber(ctx, accountID, key)
	})
}

// Line returns what is needed to talk to WhatsApp as a number.
func (d *Directory) Line(ctx context.Context, accountID, phoneKey string) (account.Line, error) {
	return d.lines.get(ctx, accountID+"/"+phoneKey, func(ctx context.Context) (account.Line, error) {
		p, err := d.store.PhoneNumber(ctx, accountID, phoneKey)
		if fault.Is(err, fault.NotFound) {
			return d.unlinkedLine(ctx, accountID, phoneKey, err)
		}
		if err != nil {
			return account.Line{}, err
		}
		w, _, err := d.store.WABA(ctx, accountID, p.WABAKey)
		if err != nil {
			return account.Line{}, err
		}
		sealed, err := d.store.Token(ctx, w.Key)
		if err != nil {
			return account.Line{}, err
		}
		token, err := d.sealer.Open(sealed, tokenSeal(w.Key))
		return account.Line{AccountID: accountID, WABAKey: w.Key, WABAMetaID: w.MetaID, PhoneKey: p.Key, PhoneMetaID: p.MetaID,
			DisplayNumber: p.DisplayNumber, Throughput: p.Throughput, Marketing: w.MarketingStatus == account.MarketingOnboarded,
			Token: identity.Secret(token)}, err
	})
}

// Link stores a business account, the token to use for it and its numbers, or updates them. It refuses what is linked to
// another account with fault.Conflict.
func (d *Directory) Link(ctx context.Context, w account.WABA, token identity.Secret, numbers []account.PhoneNumber) error {
	sealed, err := d.sealer.Seal([]byte(token.Reveal()), tokenSeal(w.Key))
	if err != nil {
		return err
	}
	defer d.Forget()
	return d.store.Link(ctx, w, sealed, numbers)
}

// SetDestination replaces where a business account's events go; nil switches publishing off.
func (d *Directory) SetDestination(ctx context.Context, accountID, wabaKey string, dest *account.Destination) error {
	return d.store.SetDestination(ctx, accountID, wabaKey, dest)
}

// Tags lists the tags of the resource with an ARN.
func (d *Directory) Tags(ctx context.Context, accountID, arn string) ([]account.Tag, error) {
	kind, key, err := d.resource(accountID, arn)
	if err != nil {
		return nil, err
	}
	return d.store.Tags(ctx, accountID, kind, key)
}

// PutTags adds or overwrites tags of the resource with an ARN.
func (d *Directory) PutTags(ctx context.Context, accountID, arn string, tags []account.Tag) error {
	kind, key, err := d.resource(accountID, arn)
	if err != nil {
		return err
	}
	return d.store.PutTags(ctx, accountID, kind, key, tags)
}

// DeleteTags removes tags of the resource with an ARN by name.
func (d *Directory) DeleteTags(ctx context.Context, accountID, arn string, names []string) error {
	kind, key, err := d.resource(accountID, arn)
	if err != nil {
		return err
	}
	return d.store.DeleteTags(ctx, accountID, kind, key, names)
}

func (d *Directory) resource(accountID, arn string) (kind, key string, err error) {
	scope := d.scope
	scope.AccountID = accountID
	for _, kind := range []string{account.KindWABA, account.KindPhoneNumber} {
		if key, ok := account.ResolveKey(scope, kind, arn); ok {
			return kind, key, nil
		}
	}
	return "", "", fault.New(fault.NotFound, "resource %s does not exist", arn)
}

func keySeal(id string) []byte        { return []byte("access-key/" + id) }
func tokenSeal(wabaKey string) []byte { return []byte("token/" + wabaKey) }
