package app

import (
	"net/http"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// blockage is what GetPhoneNumber shows of a block.
type blockage struct {
	Cause, MetBy string
	Since        float64
	Error        struct {
		Code                                       int
		Title, Class, Explanation, SuggestedAction string
	}
}

func (n *node) blockage(t *testing.T) *blockage {
	t.Helper()
	var out struct{ Blocked *blockage }
	n.ask(t, "GET", path("phone-numbers/details", "phoneNumberId", seededPhone), nil, &out)
	return out.Blocked
}

// A token that expires stops its business account, not its messages: they leave as soon as another one is stored, by the API or on
// the command line.
func TestTokenExpires(t *testing.T) {
	t.Parallel()
	const second, third = "EAASECONDTOKEN", "EAATHIRDTOKEN"
	world := sim.SeededWorld()
	expires := time.Now().Add(5 * time.Second)
	for i := range world.Tokens {
		if world.Tokens[i].Value == sim.AccessToken {
			world.Tokens[i].Expires = expires
		}
	}
	world.Tokens = append(world.Tokens, sim.Token{Value: second, Accounts: []string{sim.AccountID}, Expires: expires.Add(6 * time.Second)},
		sim.Token{Value: third, Accounts: []string{sim.AccountID}})
	n := startOptions(t, t.TempDir(), func(c *config.Config) { c.Limits = map[string]float64{"GetPhoneNumber": 1000, "GetMessage": 1000} },
		func(o *Options) { o.World = &world })
	n.await(t, n.send(t, template), "delivered")
	if b := n.blockage(t); b != nil {
		t.Errorf("blocked at the start: %+v", b)
	}

	waitFor(t, "expiry", func() bool { return time.Now().After(expires) })
	id := n.send(t, template)
	waitFor(t, "block", func() bool { return n.blockage(t) != nil })
	if b := n.blockage(t); b.Cause != "token" || b.MetBy != seededPhone || b.Since == 0 || b.Error.Code != 190 || b.Error.Class != "credentials" || b.Error.SuggestedAction == "" {
		t.Errorf("block = %+v", b)
	}
	var dry struct{ Problems []struct{ Code int } }
	n.ask(t, "POST", "/v1/waxwing/messages/validate", sending(template), &dry)
	if len(dry.Problems) != 1 || dry.Problems[0].Code != 190 {
		t.Errorf("a dry run finds %+v", dry.Problems)
	}
	begun := time.Now()
	n.does(t, "POST", signUpPath, object{"signupCallback": object{"accessToken": second}})
	n.await(t, id, "delivered")
	if waited := time.Since(begun); waited > 3*time.Second {
		t.Errorf("the message waited %v for a token that was there", waited)
	}

	waitFor(t, "second expiry", func() bool { return time.Now().After(expires.Add(6 * time.Second)) })
	id = n.send(t, template)
	waitFor(t, "second block", func() bool { return n.blockage(t) != nil })
	linked, err := LinkWABA(t.Context(), *n.cfg, LinkOptions{AccountID: config.DevAccountID, Token: identity.Secret(third)})
	if err != nil || linked.WABA != "" {
		t.Errorf("link = %+v, %v; want a new token and nothing else", linked, err)
	}
	n.await(t, id, "delivered")
}

// A business account that Meta has locked keeps its messages, and its owner is told once.
func TestAccountLocked(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) { c.Limits = map[string]float64{"GetPhoneNumber": 1000, "GetMessage": 1000} })
	n.control(t, http.MethodPut, "/sim/v1/faults", `{"rules":[{"match":{"edge":"messages"},"when":"always","effect":{"code":131031,"http_status":403}}]}`)
	var ids []string
	for range 5 {
		ids = append(ids, n.send(t, template))
	}
	waitFor(t, "block", func() bool { return n.blockage(t) != nil })
	if b := n.blockage(t); b.Cause != "account" || b.Error.Code != 131031 || b.Error.Class != "blocked" {
		t.Errorf("block = %+v", b)
	}
	n.control(t, http.MethodDelete, "/sim/v1/faults", "")
	for _, id := range ids {
		n.await(t, id, "delivered")
	}
	waitFor(t, "end of the block", func() bool { return n.blockage(t) == nil })
}
