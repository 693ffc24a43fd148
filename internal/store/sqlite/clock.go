package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// SetBack makes due what waits for a time in the future, a bounded number at a time, and reports whether there may be more. It is for
// when the clock was set back: what was to be tried again in a minute would wait for an hour. Messages that are scheduled keep their
// time, which is their sender's.
func (db *DB) SetBack(ctx context.Context, now time.Time) (more bool, err error) {
	const batch = 500
	at := unixMicro(now)
	err = db.write(ctx, func(tx *tx) error {
		more = false
		for _, query := range []string{
			`UPDATE outbox SET not_before = ?1 WHERE seq IN (
				SELECT seq FROM outbox WHERE place > 0 AND not_before > 0 AND not_before > ?1 LIMIT ?2)`,
			`UPDATE deliveries SET not_before = ?1 WHERE (destination, not_before, seq) IN (
				WITH RECURSIVE d (name) AS (
				SELECT min(destination) FROM deliveries
				UNION ALL
				SELECT (SELECT min(destination) FROM deliveries WHERE destination > d.name) FROM d WHERE d.name IS NOT NULL)
				SELECT w.destination, w.not_before, w.seq FROM d CROSS JOIN deliveries w WHERE w.destination = d.name AND w.not_before > ?1 LIMIT ?2)`,
			// Every queue is asked; the planner would rather read all deliveries.
			`UPDATE fanout_deliveries SET not_before = ?1 WHERE (queue_seq, not_before, message_seq) IN (
				SELECT w.queue_seq, w.not_before, w.message_seq FROM fanout_queues q
				CROSS JOIN fanout_deliveries w WHERE w.queue_seq = q.seq AND w.not_before > ?1 LIMIT ?2)`,
		} {
			n, err := tx.exec(query, at, batch)
			if err != nil {
				return err
			}
			more = more || n == batch
		}
		return nil
	})
	return more, err
}

// clockSlack is how far clocks may differ without anybody having set one.
const clockSlack = 2 * time.Second

// lastSeen is a time at which a process was working on these data; the zero time if that cannot be told.
func lastSeen(ctx context.Context, db *sql.DB) (time.Time, error) {
	var last *int64
	err := db.QueryRowContext(ctx, `SELECT max(at) FROM (
		SELECT max(expires_at) - ? AS at FROM leases WHERE expires_at > 0
		UNION ALL SELECT accepted_at FROM (SELECT accepted_at FROM messages ORDER BY seq DESC LIMIT 1)
		UNION ALL SELECT at FROM (SELECT at FROM events ORDER BY seq DESC LIMIT 1))`, lease.TTL.Microseconds()).Scan(&last)
	if err != nil || last == nil {
		return time.Time{}, err
	}
	return fromMicro(*last), nil
}

// takeOver frees the leases of the process that drove the queues before, and reports whether the clock has been set back since then.
func takeOver(ctx context.Context, db *sql.DB) (setBack bool, err error) {
	last, err := lastSeen(ctx, db)
	if err == nil {
		_, err = db.ExecContext(ctx, `UPDATE leases SET expires_at = 0`)
	}
	if err != nil {
		return false, fmt.Errorf("free leases: %w", err)
	}
	return time.Until(last) > clockSlack, nil
}
