package meta

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Permissions that a token needs for everything this service does.
const (
	ScopeMessaging  = "whatsapp_business_messaging"
	ScopeManagement = "whatsapp_business_management"
)

// TokenInfo is what Meta tells about an access token.
type TokenInfo struct {
	Valid   bool
	Reason  string // why it is not valid
	AppID   string
	Expires time.Time // zero is never
	Scopes  []string
	// Accounts are the WhatsApp Business Accounts that the token may manage; none listed can also mean all of its owner's.
	Accounts []string
}

// Has reports whether a permission was granted.
func (t *TokenInfo) Has(scope string) bool { return slices.Contains(t.Scopes, scope) }

// DebugToken asks Meta about a token, as the app. A token that Meta does not know is not an error.
func (c *Client) DebugToken(ctx context.Context, token identity.Secret) (TokenInfo, error) {
	var a struct {
		Data struct {
			AppID   string   `json:"app_id"`
			Valid   bool     `json:"is_valid"`
			Expires int64    `json:"expires_at"`
			Scopes  []string `json:"scopes"`
			Granted []struct {
				Scope   string   `json:"scope"`
				Targets []string `json:"target_ids"`
			} `json:"granular_scopes"`
			Error struct {
				Message string `json:"message"`
			} `json:"error"`
		} `json:"data"`
	}
	err := c.Do(ctx, Call{Version: Version, Path: "debug_token", Query: url.Values{"input_token": {token.Reveal()}}, Token: c.AppToken()}, &a)
	if err != nil {
		return TokenInfo{}, err
	}
	info := TokenInfo{Valid: a.Data.Valid, Reason: clip(a.Data.Error.Message), AppID: a.Data.AppID, Scopes: a.Data.Scopes}
	if a.Data.Expires > 0 {
		info.Expires = time.Unix(a.Data.Expires, 0)
	}
	for _, g := range a.Data.Granted {
		if g.Scope == ScopeManagement {
			info.Accounts = g.Targets
		}
	}
	return info, nil
}

// ExchangeCode turns the code that the embedded sign-up ends with into an access token. A code is good for one exchange within
// 30 seconds.
func (c *Client) ExchangeCode(ctx context.Context, code identity.Secret) (identity.Secret, error) {
	var a struct {
		Token identity.Secret `json:"access_token"`
	}
	query := url.Values{"client_id": {c.appID}, "client_secret": {c.secret.Reveal()}, "code": {code.Reveal()}}
	if err := c.Do(ctx, Call{Version: Version, Path: "oauth/access_token", Query: query}, &a); err != nil {
		return "", err
	}
	if a.Token == "" {
		return "", &Error{HTTPStatus: 200, Message: "the answer has no access_token"}
	}
	return a.Token, nil
}
