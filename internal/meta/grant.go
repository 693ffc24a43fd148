package meta

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Grant finds out what the outcome of an embedded sign-up opens. The credential is an access token, or the code that the sign-up
// ends with, which is exchanged for one. Only tokens of this app with the permissions it needs are accepted: with another app's,
// webhooks would go elsewhere. Errors are faults; a credential that cannot be used is InvalidParameters.
func (c *Client) Grant(ctx context.Context, credential identity.Secret) (account.Grant, error) {
	if c.appID == "" || c.secret == "" {
		return account.Grant{}, fault.New(fault.InvalidParameters, "Business accounts cannot be linked: this installation has no Meta app (meta.app_id and meta.app_secret).")
	}
	token := credential
	info, err := c.DebugToken(ctx, token)
	if err != nil {
		return account.Grant{}, Fault(err)
	}
	if !info.Valid && info.AppID == "" { // Meta does not know it as a token at all
		if token, err = c.ExchangeCode(ctx, credential); err != nil {
			if Outcome(err) == Refused && ClassOf(err) != Throttled && ClassOf(err) != Transient {
				return account.Grant{}, fault.Wrap(fault.InvalidParameters, err, "accessToken is neither an access token that Meta knows nor a sign-up code that can still be used.")
			}
			return account.Grant{}, Fault(err)
		}
		if info, err = c.DebugToken(ctx, token); err != nil {
			return account.Grant{}, Fault(err)
		}
	}
	switch {
	case !info.Valid:
		return account.Grant{}, fault.New(fault.InvalidParameters, "accessToken is not valid: %s", info.Reason)
	case info.AppID != c.appID:
		return account.Grant{}, fault.New(fault.InvalidParameters, "accessToken belongs to another Meta app than this installation's.")
	case !info.Has(ScopeManagement) || !info.Has(ScopeMessaging):
		return account.Grant{}, fault.New(fault.InvalidParameters, "accessToken lacks a permission: it needs %s and %s.", ScopeManagement, ScopeMessaging)
	case len(info.Accounts) == 0:
		return account.Grant{}, fault.New(fault.InvalidParameters, "accessToken names no WhatsApp Business Account it was granted.")
	}
	return account.Grant{Token: token, MetaIDs: info.Accounts}, nil
}
