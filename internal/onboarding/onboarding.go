// Package onboarding links WhatsApp Business Accounts to accounts here, in the two phases of the API, and unlinks them.
//
// The first phase finds out what Meta's embedded sign-up has granted and stores it as unfinished. The second subscribes to the
// webhooks of the business account, registers its numbers, and only then stores that it is done: whatever fails before leaves
// nothing behind here, and may be tried again with the same token, since Meta takes the same registration twice.
package onboarding

import (
	"context"
	"net/url"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Meta is asked about accounts and numbers. Its errors are faults.
type Meta interface {
	Grant(ctx context.Context, credential identity.Secret) (account.Grant, error)
	Account(ctx context.Context, metaID string, token identity.Secret) (account.Facts, error)
	Register(ctx context.Context, phoneMetaID string, token identity.Secret, pin, region string) error
	ChangeSettings(ctx context.Context, phoneMetaID string, token identity.Secret, settings any) error
}

// Callbacks switches the webhooks of a business account on and off. Its errors are faults.
type Callbacks interface {
	// Subscribe has them sent to an address; "" is the installation's own. Meta asks the address whether it is ours.
	Subscribe(ctx context.Context, metaID string, token identity.Secret, address string) error
	Unsubscribe(ctx context.Context, metaID string, token identity.Secret) error
}

// Links stores what is linked.
type Links interface {
	BeginSignUp(ctx context.Context, accountID string, token identity.Secret, callback *string, facts []account.Facts, now time.Time) ([]string, identity.Secret, error)
	CheckSignUp(ctx context.Context, accountID string, token identity.Secret, now time.Time) error
	FinishSignUp(ctx context.Context, accountID string, token identity.Secret, f account.Finish, now time.Time) error
	Unlink(ctx context.Context, accountID, wabaKey string, now time.Time) error
}

// Accounts looks up what is linked. What does not exist in the account is a fault.NotFound.
type Accounts interface {
	WABA(ctx context.Context, accountID, key string) (account.WABA, []account.PhoneNumber, error)
	Access(ctx context.Context, accountID, wabaKey string) (account.Access, error)
	LinkedKeys(ctx context.Context, accountID string, metaIDs []string) (map[string]string, error)
}

// Options are the parts of a Service. All are required.
type Options struct {
	Meta      Meta
	Callbacks Callbacks
	Links     Links
	Accounts  Accounts
	Now       func() time.Time
}

// Service links and unlinks. It is safe for concurrent use.
type Service struct{ Options }

// New returns a Service.
func New(o Options) *Service { return &Service{o} }

// Begin is the first phase: it stores every business account that a credential opens, and returns those that are not finished
// or have numbers that are not, with the token that finishes one of them. Business accounts the account has already get the new
// access token: this is also how an expired one is replaced.
//
// callback is where Meta shall send the callbacks of these business accounts, for installations that are reached under more than
// one address; "" is the usual one, nil leaves it as it is. Those that are finished follow at once, the others when they are.
func (s *Service) Begin(ctx context.Context, accountID string, credential identity.Secret, callback *string) (identity.Secret, []account.Pending, error) {
	if err := checkCallback(callback); err != nil {
		return "", nil, err
	}
	grant, err := s.Meta.Grant(ctx, credential)
	if err != nil {
		return "", nil, err
	}
	if callback != nil {
		if err := s.redirect(ctx, accountID, grant, *callback); err != nil {
			return "", nil, err
		}
	}
	return s.begin(ctx, accountID, grant, callback)
}

// checkCallback refuses what cannot be an address of Meta's callbacks.
func checkCallback(callback *string) error {
	if callback == nil || *callback == "" {
		return nil
	}
	u, err := url.Parse(*callback)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || u.User != nil || u.Fragment != "" {
		return refuse("callbackUrl has to be an absolute http or https URL without a user or fragment.")
	}
	return nil
}

// redirect has the callbacks of business accounts that are finished sent elsewhere.
func (s *Service) redirect(ctx context.Context, accountID string, grant account.Grant, callback string) error {
	keys, err := s.Accounts.LinkedKeys(ctx, accountID, grant.MetaIDs)
	if err != nil {
		return err
	}
	for _, id := range grant.MetaIDs {
		if keys[id] == "" {
			continue
		}
		w, _, err := s.Accounts.WABA(ctx, accountID, keys[id])
		if err == nil && w.RegistrationStatus == account.Complete && w.CallbackURL != callback {
			err = s.Callbacks.Subscribe(ctx, id, grant.Token, callback)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) begin(ctx context.Context, accountID string, grant account.Grant, callback *string) (identity.Secret, []account.Pending, error) {
	facts := make([]account.Facts, len(grant.MetaIDs))
	for i, id := range grant.MetaIDs {
		var err error
		if facts[i], err = s.Meta.Account(ctx, id, grant.Token); err != nil {
			return "", nil, err
		}
	}
	keys, token, err := s.Links.BeginSignUp(ctx, accountID, grant.Token, callback, facts, s.Now())
	if err != nil {
		return "", nil, err
	}
	var pending []account.Pending
	for _, key := range keys {
		w, numbers, err := s.Accounts.WABA(ctx, accountID, key)
		if err != nil {
			return "", nil, err
		}
		p := account.Pending{WABA: w}
		for _, n := range numbers {
			if !n.Registered {
				p.Numbers = append(p.Numbers, n)
			}
		}
		if w.RegistrationStatus != account.Complete || len(p.Numbers) > 0 {
			pending = append(pending, p)
		}
	}
	return token, pending, nil
}

// Unlink ends the webhooks of a business account and takes it away from the account. Messages that were accepted are still sent.
// A token that Meta refuses does not stand in the way: often it is the reason for unlinking. Meta being out of reach does, since
// the webhooks would go on.
func (s *Service) Unlink(ctx context.Context, accountID, wabaKey string) error {
	access, err := s.Accounts.Access(ctx, accountID, wabaKey)
	if err != nil {
		return err
	}
	err = s.Callbacks.Unsubscribe(ctx, access.MetaID, access.Token)
	switch fault.KindOf(err) {
	case fault.AccessDeniedByMeta, fault.NotFound, fault.InvalidParameters:
	default:
		if err != nil {
			return err
		}
	}
	return s.Links.Unlink(ctx, accountID, wabaKey, s.Now())
}

// ChangeSettings sends Meta's settings object of a number, of which what is left out stays.
func (s *Service) ChangeSettings(ctx context.Context, p *account.PhoneNumber, settings any) error {
	access, err := s.Accounts.Access(ctx, p.AccountID, p.WABAKey)
	if err != nil {
		return err
	}
	return s.Meta.ChangeSettings(ctx, p.MetaID, access.Token, settings)
}
