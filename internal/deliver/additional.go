package deliver

import (
	"crypto/rand"
	"encoding/base64"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Name is the name of an additional destination's queue: its id.
func Name(key string) string { return account.ID(account.KindEventDestination, key) }

// openSettings reads the secret part of an additional destination.
func openSettings(s Sealer, a *event.Additional) (event.Settings, error) {
	if a.Sealed == nil {
		return event.Settings{}, nil
	}
	plain, err := s.Open(a.Sealed, []byte(Name(a.Key)))
	if err != nil {
		return event.Settings{}, err
	}
	return event.ParseSettings(plain)
}

// sealSettings replaces the secret part of an additional destination.
func sealSettings(s Sealer, a *event.Additional, settings *event.Settings) (err error) {
	a.Sealed, err = s.Seal(settings.Reveal(), []byte(Name(a.Key)))
	return err
}

// newSecret makes a signing secret in the form of Standard Webhooks: whsec_ and 24 bytes in base64.
func newSecret() identity.Secret {
	b := make([]byte, 24)
	rand.Read(b)
	return identity.Secret("whsec_" + base64.StdEncoding.EncodeToString(b))
}
