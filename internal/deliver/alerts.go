package deliver

import (
	"context"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// senders knows whose events go to a destination.
type senders interface {
	Senders(ctx context.Context, accountID, destination string) ([]account.WABA, error)
}

// alerts makes the events about an alert, one for each business account whose events go to the destination.
func alerts(ctx context.Context, s senders, sealer event.Sealer, a event.Alert) ([]*event.Event, error) {
	list, err := s.Senders(ctx, a.AccountID, a.Destination)
	if err != nil {
		return nil, err
	}
	events := make([]*event.Event, 0, len(list))
	for _, w := range list {
		a.WABAKey, a.WABAMetaID = w.Key, w.MetaID
		e, err := event.NewAlert(&a, sealer, uuid.NewString())
		if err != nil {
			return nil, err
		}
		events = append(events, e)
	}
	return events, nil
}
