package sim

import (
	"net/http"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// grantLife is how long the code of a sign-up can be exchanged.
const grantLife = 30 * time.Second

// authCode is what a finished sign-up allows the app, until its code is exchanged for a token.
type authCode struct {
	account string
	expires int64
	used    bool
}

// grantCode makes a code for one account, as the sign-up dialog does in the end. Old ones are forgotten.
func (s *Sim) grantCode(a *account) string {
	now := s.now().UnixNano()
	for code, g := range s.st.authCodes {
		if now-g.expires > int64(time.Hour) {
			delete(s.st.authCodes, code)
		}
	}
	code := "AQB" + s.st.traces.trace() + s.st.traces.trace()
	s.st.authCodes[code] = &authCode{account: a.ID, expires: now + int64(grantLife)}
	return code
}

// exchange is GET or POST /oauth/access_token, the one call that needs no token: the app proves itself with its secret.
func exchange(s *Sim, c *call) (any, *graph.Error) {
	if c.malformed != nil {
		return nil, c.malformed
	}
	id, _ := c.params.String("client_id")
	secret, _ := c.params.String("client_secret")
	code, _ := c.params.String("code")
	bad := func(subcode int, format string) *graph.Error {
		return &graph.Error{HTTP: http.StatusBadRequest, Code: 100, Subcode: subcode, Message: format}
	}
	switch {
	case id == "":
		return nil, &graph.Error{HTTP: http.StatusBadRequest, Code: 101, Message: "Missing client_id parameter."}
	case id != s.o.AppID:
		return nil, &graph.Error{HTTP: http.StatusBadRequest, Code: 101, Message: "Error validating application. Cannot get application info due to a system error."}
	case secret != s.o.AppSecret:
		return nil, &graph.Error{HTTP: http.StatusBadRequest, Code: 1, Message: "Error validating client secret."}
	}
	g := s.st.authCodes[code]
	switch {
	case code == "":
		return nil, bad(0, "Missing authorization code")
	case g == nil:
		return nil, bad(36008, "Invalid verification code format.")
	case g.used:
		return nil, bad(36009, "This authorization code has been used.")
	case c.now >= g.expires:
		return nil, bad(36007, "This authorization code has expired.")
	}
	g.used = true
	token := &Token{Value: "EAAG" + s.st.traces.trace() + s.st.traces.trace(), Accounts: []string{g.account},
		UserID: strconv.FormatUint(1_600_000_000_000_000+hash64(code)%1_000_000_000, 10)}
	s.st.tokens[token.Value] = token
	return object{"access_token": token.Value, "token_type": "bearer"}, nil
}
