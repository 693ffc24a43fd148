package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// Destinations lists where events are waiting to go. It reads one index entry a destination.
func (db *DB) Destinations(ctx context.Context) ([]string, error) {
	rows, err := db.query(ctx, `WITH RECURSIVE d (arn) AS (
		SELECT min(destination) FROM deliveries
		UNION ALL
		SELECT (SELECT min(destination) FROM deliveries WHERE destination > d.arn) FROM d WHERE d.arn IS NOT NULL)
		SELECT arn FROM d WHERE arn IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	var arns []string
	err = collect(rows, func(scan func(...any) error) error {
		var arn string
		err := scan(&arn)
		arns = append(arns, arn)
		return err
	})
	return arns, err
}

// Undelivered reads the oldest events that wait for a destination, in order.
func (db *DB) Undelivered(ctx context.Context, destination string, limit int) ([]event.Delivery, error) {
	rows, err := db.query(ctx, `SELECT d.seq, d.attempts, e.id, e.account_id, e.waba_key,
		coalesce(w.meta_id, (SELECT u.waba_meta_id FROM unlinked u WHERE u.waba_key = e.waba_key AND u.phone_key = '')),
		coalesce(w.destination_role, (SELECT u.destination_role FROM unlinked u WHERE u.waba_key = e.waba_key AND u.phone_key = '')),
		e.phone_key, coalesce(p.meta_id, (SELECT u.phone_meta_id FROM unlinked u WHERE u.waba_key = e.waba_key AND u.phone_key = e.phone_key), ''), e.message_id, e.wamid, e.field, e.status, e.at, e.entry
		FROM deliveries d JOIN events e ON e.seq = d.seq
		LEFT JOIN wabas w ON w.key = e.waba_key
		LEFT JOIN phone_numbers p ON p.key = e.phone_key
		WHERE d.destination = ? ORDER BY d.seq LIMIT ?`, destination, limit)
	if err != nil {
		return nil, err
	}
	var list []event.Delivery
	err = collect(rows, func(scan func(...any) error) error {
		d := event.Delivery{Destination: destination}
		var at int64
		var wabaMetaID, role *string
		err := scan(&d.Seq, &d.Attempts, &d.ID, &d.AccountID, &d.WABAKey, &wabaMetaID, &role, &d.PhoneKey, &d.PhoneMetaID, &d.MessageID,
			&d.WAMID, &d.Field, &d.Status, &at, &d.Entry)
		d.At = fromMicro(at)
		if wabaMetaID != nil && role != nil {
			d.WABAMetaID, d.RoleARN = *wabaMetaID, *role
		}
		list = append(list, d)
		return err
	})
	return list, err
}

// Delivered takes published events out of the queue. It does nothing and reports false when the lease has changed hands.
func (db *DB) Delivered(ctx context.Context, l lease.Lease, seqs []int64) (held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		for _, seq := range seqs {
			if _, err := tx.exec(`DELETE FROM deliveries WHERE seq = ?`, seq); err != nil {
				return err
			}
		}
		return nil
	})
	return held, err
}

// Undeliverable counts a failed attempt for events that stay in the queue, and makes dead letters of the others. It does
// nothing and reports false when the lease has changed hands.
func (db *DB) Undeliverable(ctx context.Context, l lease.Lease, failed []event.Undelivered, now time.Time) (held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		for _, u := range failed {
			if _, err := tx.exec(`UPDATE deliveries SET attempts = attempts + 1 WHERE seq = ?`, u.Seq); err != nil {
				return err
			}
			if u.Dead == "" {
				continue
			}
			if _, err := tx.exec(`INSERT INTO dead_letters (seq, account_id, destination, attempts, reason, at)
				SELECT d.seq, e.account_id, d.destination, d.attempts, ?, ? FROM deliveries d JOIN events e ON e.seq = d.seq
				WHERE d.seq = ?`, u.Dead, unixMicro(now), u.Seq); err != nil {
				return err
			}
			if _, err := tx.exec(`DELETE FROM deliveries WHERE seq = ?`, u.Seq); err != nil {
				return err
			}
		}
		return nil
	})
	return held, err
}

// PruneEvents forgets published events recorded before cutoff and repeat-detection keys as old, a bounded number at a time,
// and reports whether there may be more.
func (db *DB) PruneEvents(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 1000
	// What waits or is a dead letter stays, and may be a lot: it is passed over by a reader, not by the writer.
	old, err := db.prunable(ctx, cutoff, batch)
	if err != nil {
		return false, err
	}
	err = db.write(ctx, func(tx *tx) error {
		for _, seq := range old {
			if _, err := tx.exec(`DELETE FROM events WHERE seq = ?1 AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = ?1)
				AND NOT EXISTS (SELECT 1 FROM dead_letters x WHERE x.seq = ?1)`, seq); err != nil {
				return err
			}
		}
		m, err := tx.exec(`DELETE FROM changes_seen WHERE key IN (SELECT key FROM changes_seen WHERE at <= ? ORDER BY at LIMIT ?)`,
			unixMicro(cutoff), batch)
		more = len(old) == batch || m == batch
		return err
	})
	return more, err
}

// prunable lists the oldest events before cutoff that nobody waits for.
func (db *DB) prunable(ctx context.Context, cutoff time.Time, limit int) (seqs []int64, err error) {
	const page = 5000
	after, young := int64(0), false
	for read := page; read == page && !young && len(seqs) < limit; {
		rows, err := db.query(ctx, `SELECT seq, at, EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = events.seq)
			OR EXISTS (SELECT 1 FROM dead_letters x WHERE x.seq = events.seq) FROM events WHERE seq > ? ORDER BY seq LIMIT ?`, after, page)
		if err != nil {
			return nil, err
		}
		read = 0
		err = collect(rows, func(scan func(...any) error) error {
			var at int64
			var needed bool
			err := scan(&after, &at, &needed)
			young = young || at > unixMicro(cutoff) // and so is the rest
			if !young && !needed && len(seqs) < limit {
				seqs = append(seqs, after)
			}
			read++
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return seqs, nil
}
