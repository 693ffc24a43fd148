package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// Destinations lists where events are waiting to go. It reads one index entry a destination.
func (db *DB) Destinations(ctx context.Context) ([]string, error) {
	rows, err := db.query(ctx, `WITH RECURSIVE d (name) AS (
		SELECT min(destination) FROM deliveries
		UNION ALL
		SELECT (SELECT min(destination) FROM deliveries WHERE destination > d.name) FROM d WHERE d.name IS NOT NULL)
		SELECT name FROM d WHERE name IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	var names []string
	err = collect(rows, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}

const deliveryColumns = `SELECT d.seq, d.not_before, d.attempts, ` + envelopeColumns + `
	FROM deliveries d JOIN events e ON e.seq = d.seq ` + envelopeJoins

// envelopeColumns are what an event's envelope names.
const envelopeColumns = `e.id, e.account_id, e.waba_key,
	coalesce(w.meta_id, (SELECT u.waba_meta_id FROM unlinked u WHERE u.waba_key = e.waba_key AND u.phone_key = '')),
	coalesce(w.destination_role, (SELECT u.destination_role FROM unlinked u WHERE u.waba_key = e.waba_key AND u.phone_key = '')),
	e.phone_key, coalesce(p.meta_id, (SELECT u.phone_meta_id FROM unlinked u WHERE u.waba_key = e.waba_key AND u.phone_key = e.phone_key), ''),
	e.message_id, e.wamid, e.field, e.status, e.at, e.entry`

const envelopeJoins = `LEFT JOIN wabas w ON w.key = e.waba_key LEFT JOIN phone_numbers p ON p.key = e.phone_key `

// Undelivered reads what may be published to a destination now: events whose repetition is due, up to a quarter of limit, and
// then those that have not failed yet, both in order.
func (db *DB) Undelivered(ctx context.Context, destination string, now time.Time, limit int) ([]event.Delivery, error) {
	list, err := db.deliveries(ctx, nil, destination, deliveryColumns+
		`WHERE d.destination = ? AND d.not_before > 0 AND d.not_before <= ? ORDER BY d.not_before, d.seq LIMIT ?`,
		destination, unixMicro(now), (limit+3)/4)
	if err != nil || len(list) == limit {
		return list, err
	}
	return db.deliveries(ctx, list, destination, deliveryColumns+`WHERE d.destination = ? AND d.not_before = 0 ORDER BY d.seq LIMIT ?`,
		destination, limit-len(list))
}

// deliveries appends what a query of deliveryColumns finds to a list.
func (db *DB) deliveries(ctx context.Context, list []event.Delivery, destination, query string, args ...any) ([]event.Delivery, error) {
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		d := event.Delivery{Destination: destination}
		var due, at int64
		var wabaMetaID, role *string
		err := scan(&d.Seq, &due, &d.Attempts, &d.ID, &d.AccountID, &d.WABAKey, &wabaMetaID, &role, &d.PhoneKey, &d.PhoneMetaID, &d.MessageID,
			&d.WAMID, &d.Field, &d.Status, &at, &d.Entry)
		d.Due, d.At = fromMicro(due), fromMicro(at)
		if wabaMetaID != nil && role != nil {
			d.WABAMetaID, d.RoleARN = *wabaMetaID, *role
		}
		list = append(list, d)
		return err
	})
	return list, err
}

// NextDelivery returns when the next repetition to a destination comes due; zero: none is scheduled.
func (db *DB) NextDelivery(ctx context.Context, destination string) (time.Time, error) {
	var next *int64
	err := db.queryRow(ctx, `SELECT min(not_before) FROM deliveries WHERE destination = ? AND not_before > 0`, destination).Scan(&next)
	if err != nil || next == nil {
		return time.Time{}, err
	}
	return fromMicro(*next), nil
}

// SettleEvents records a round of publishing: what arrived leaves the queue, what is given up becomes a dead letter, and the
// destination's state and log of attempts say how it went. It does nothing and reports false when the lease has changed hands.
func (db *DB) SettleEvents(ctx context.Context, l lease.Lease, destination string, s event.Settlement) (held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		done, failed := 0, 0
		for i := range s.Outcomes {
			o := &s.Outcomes[i]
			switch o.Fate {
			case event.Done:
				done++
			case event.Again, event.Dead:
				failed++
			case event.Unwanted:
			}
			if err := tx.settleDelivery(destination, o, s.At); err != nil {
				return err
			}
		}
		if err := tx.noteState(destination, &s, done); err != nil {
			return err
		}
		if err := tx.noteAttempts(destination, &s, done, failed); err != nil {
			return err
		}
		for _, e := range s.Alerts {
			if err := tx.insertEventExcept(e, destination); err != nil {
				return err
			}
		}
		return nil
	})
	return held, err
}

func (t *tx) settleDelivery(destination string, o *event.Outcome, now time.Time) error {
	const where = ` WHERE destination = ? AND not_before = ? AND seq = ?`
	due := unixMicro(o.Due)
	switch o.Fate {
	case event.Done, event.Unwanted:
		_, err := t.exec(`DELETE FROM deliveries`+where, destination, due, o.Seq)
		return err
	case event.Dead:
		return t.bury(destination, due, o.Seq, 1, o.Reason, now)
	default:
		if !o.Next.IsZero() {
			_, err := t.exec(`UPDATE deliveries SET attempts = attempts + 1, not_before = ?`+where, unixMicro(o.Next), destination, due, o.Seq)
			return err
		}
		_, err := t.exec(`UPDATE deliveries SET attempts = attempts + 1`+where, destination, due, o.Seq)
		return err
	}
}

// bury makes a dead letter of a delivery, after as many more attempts.
func (t *tx) bury(destination string, due, seq int64, attempts int, reason string, now time.Time) error {
	if _, err := t.exec(`INSERT INTO dead_letters (seq, account_id, destination, attempts, reason, at)
		SELECT d.seq, e.account_id, d.destination, d.attempts + ?, ?, ? FROM deliveries d JOIN events e ON e.seq = d.seq
		WHERE d.destination = ? AND d.not_before = ? AND d.seq = ?
		ON CONFLICT (seq, destination) DO UPDATE SET attempts = excluded.attempts, reason = excluded.reason, at = excluded.at`,
		attempts, reason, unixMicro(now), destination, due, seq); err != nil {
		return err
	}
	_, err := t.exec(`DELETE FROM deliveries WHERE destination = ? AND not_before = ? AND seq = ?`, destination, due, seq)
	return err
}

// BuryEvents makes dead letters of the events of a queue that are from before cutoff, among the next limit of them, and returns
// how many. It does nothing and reports false when the lease has changed hands.
func (db *DB) BuryEvents(ctx context.Context, l lease.Lease, destination string, cutoff time.Time, reason string, now time.Time, limit int) (n int, held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		n = 0
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		type place struct{ due, seq int64 }
		var old []place
		err = tx.rows(`SELECT due, seq FROM (SELECT d.not_before AS due, d.seq AS seq, e.at AS at FROM deliveries d JOIN events e ON e.seq = d.seq
			WHERE d.destination = ? ORDER BY d.not_before, d.seq LIMIT ?) WHERE at <= ?`, args(destination, limit, unixMicro(cutoff)),
			func(scan func(...any) error) error {
				var p place
				err := scan(&p.due, &p.seq)
				old = append(old, p)
				return err
			})
		if err != nil {
			return err
		}
		for _, p := range old {
			if err := tx.bury(destination, p.due, p.seq, 0, reason, now); err != nil {
				return err
			}
		}
		n = len(old)
		return nil
	})
	return n, held, err
}

// PurgeEvents forgets up to limit events that wait for a destination and returns how many. It does nothing and reports false
// when the lease has changed hands.
func (db *DB) PurgeEvents(ctx context.Context, l lease.Lease, destination string, limit int) (n int, held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		n = 0
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		deleted, err := tx.exec(`DELETE FROM deliveries WHERE destination = ?1 AND (not_before, seq) IN (
			SELECT not_before, seq FROM deliveries WHERE destination = ?1 ORDER BY not_before, seq LIMIT ?2)`, destination, limit)
		n = int(deleted)
		return err
	})
	return n, held, err
}

// PruneEvents forgets published events recorded before cutoff and repeat-detection keys as old, a bounded number at a time,
// and reports whether there may be more.
func (db *DB) PruneEvents(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 1000
	// What waits or is a dead letter stays, and may be a lot: it is passed over by a reader, not by the writer.
	old, err := db.prunable(ctx, `SELECT seq, at, EXISTS (SELECT 1 FROM deliveries d WHERE d.seq = events.seq)
		OR EXISTS (SELECT 1 FROM dead_letters x WHERE x.seq = events.seq) FROM events WHERE seq > ? ORDER BY seq LIMIT ?`, cutoff, batch)
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

// prunable lists the oldest rows before cutoff that nobody waits for. The query reads a page behind a seq: each row's own seq, its
// time, and whether it is still needed.
func (db *DB) prunable(ctx context.Context, query string, cutoff time.Time, limit int) (seqs []int64, err error) {
	const page = 5000
	after, young := int64(0), false
	for read := page; read == page && !young && len(seqs) < limit; {
		rows, err := db.query(ctx, query, after, page)
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
