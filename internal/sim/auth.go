package sim

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// managementLimit is how many management calls an account with a registered number may get in a moving hour.
const managementLimit = 5000

// bearer finds the access token of a call: the Authorization header (Bearer or OAuth), the query or a form member.
func bearer(r *http.Request, p graph.Params) string {
	scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " ")
	if ok && (strings.EqualFold(scheme, "Bearer") || strings.EqualFold(scheme, "OAuth")) {
		return strings.TrimSpace(token)
	}
	token, _ = p["access_token"].(string)
	return token
}

// authenticate finds out who calls. Tokens are this simulator's own and well known, so a map look-up is no secret's leak.
func (s *Sim) authenticate(c *call) *graph.Error {
	c.secret = bearer(c.r, c.params)
	if c.secret == "" {
		if c.edge == "whatsapp_business_profile" {
			return graph.NoAppID()
		}
		return graph.NoToken()
	}
	if c.secret == s.appToken() {
		c.token = &Token{Value: c.secret, UserID: s.o.AppID, Scopes: []string{scopeManagement}}
	} else if c.token = s.st.tokens[c.secret]; c.token == nil {
		return graph.BadToken()
	}
	if e := c.token.Expires; !e.IsZero() && c.now >= e.UnixNano() {
		return graph.ExpiredToken(metaTime(e) + ". The current time is " + metaTime(time.Unix(0, c.now)))
	}
	if proof, given := c.params.String("appsecret_proof"); given {
		m := hmac.New(sha256.New, []byte(s.o.AppSecret))
		m.Write([]byte(c.secret))
		if subtle.ConstantTimeCompare([]byte(proof), []byte(hex.EncodeToString(m.Sum(nil)))) != 1 {
			return &graph.Error{HTTP: http.StatusBadRequest, Code: 100, Type: "GraphMethodException",
				Message: "Invalid appsecret_proof provided in the API argument"}
		}
	}
	return nil
}

func (s *Sim) appToken() string { return s.o.AppID + "|" + s.o.AppSecret }

// sees reports whether the token was granted an account.
func (t *Token) sees(account string) bool {
	return len(t.Accounts) == 0 || slices.Contains(t.Accounts, account)
}

func (t *Token) may(scope string) bool {
	return scope == "" || len(t.Scopes) == 0 || slices.Contains(t.Scopes, scope)
}

// permit checks the permission a row asks for, and counts management calls.
func (s *Sim) permit(c *call, row *edge) *graph.Error {
	if !c.token.may(row.scope) {
		return graph.Fail(10, "")
	}
	if row.scope == scopeManagement && c.account != nil {
		c.usage = c.account.calls.add(time.Unix(0, c.now))
		if c.usage > managementLimit {
			return graph.Fail(80007, "There have been too many calls to this WhatsApp Business account. Wait a bit and try again.")
		}
	}
	return nil
}
