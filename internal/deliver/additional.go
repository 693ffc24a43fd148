package deliver

import (
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// openSettings reads the secret part of an additional destination.
func openSettings(s Sealer, a *event.Additional) (event.Settings, error) {
	if a.Sealed == nil {
		return event.Settings{}, nil
	}
	plain, err := s.Open(a.Sealed, []byte(a.ID()))
	if err != nil {
		return event.Settings{}, err
	}
	return event.ParseSettings(plain)
}

// sealSettings replaces the secret part of an additional destination.
func sealSettings(s Sealer, a *event.Additional, settings *event.Settings) (err error) {
	a.Sealed, err = s.Seal(settings.Reveal(), []byte(a.ID()))
	return err
}
