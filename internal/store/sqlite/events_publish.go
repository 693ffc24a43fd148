package sqlite

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// Publish stores one event and queues it for the destination its business account has now, which it notes in the event. It is
// on disk when Publish returns.
func (db *DB) Publish(ctx context.Context, e *event.Event) error {
	return db.write(ctx, func(tx *tx) error { return tx.insertEvent(e) })
}
