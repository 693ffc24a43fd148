package archtest

import (
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// The service and the simulated WhatsApp do not import each other, but have to agree on the development world.
func TestDevelopmentSecretsAgree(t *testing.T) {
	t.Parallel()
	c := config.Dev("unused")
	for name, pair := range map[string][2]string{
		"app id":       {c.Meta.AppID, sim.AppID},
		"app secret":   {c.Meta.AppSecret.Reveal(), sim.AppSecret},
		"verify token": {c.Meta.VerifyToken.Reveal(), sim.VerifyToken},
	} {
		if pair[0] != pair[1] || pair[0] == "" {
			t.Errorf("%s: the settings have %q, the simulator %q", name, pair[0], pair[1])
		}
	}
}
