package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// reach notes that a message which WhatsApp took reached out to a customer whose window is closed.
func (t *tx) reach(seq int64, now time.Time) error {
	_, err := t.exec(`INSERT INTO reached (waba_key, recipient, at) SELECT m.waba_key, m.recipient, ?2 FROM messages m
		WHERE m.seq = ?1 AND m.kind = ?3 AND m.recipient <> '' AND NOT EXISTS (
			SELECT 1 FROM windows w WHERE w.phone_key = m.phone_key AND w.recipient = m.recipient AND w.last_inbound_at > ?4)
		ON CONFLICT (waba_key, recipient) DO UPDATE SET at = excluded.at`, seq, unixMicro(now), message.KindTemplate,
		unixMicro(now.Add(-message.WindowLength)))
	return err
}

// Reached counts the customers that a business account has written to first since a time, up to limit, and tells whether the
// recipient is one of them.
func (db *DB) Reached(ctx context.Context, wabaKey, recipient string, since time.Time, limit int) (customers int, counted bool, err error) {
	err = db.queryRow(ctx, `SELECT (SELECT count(*) FROM (SELECT 1 FROM reached WHERE waba_key = ?1 AND at > ?3 LIMIT ?4)),
		EXISTS (SELECT 1 FROM reached WHERE waba_key = ?1 AND recipient = ?2 AND at > ?3)`, wabaKey, recipient, unixMicro(since), limit).
		Scan(&customers, &counted)
	return customers, counted, err
}

// PruneReached forgets whom business accounts wrote to before cutoff.
func (db *DB) PruneReached(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 1000
	var keys []string
	rows, err := db.query(ctx, `WITH RECURSIVE w (key) AS (
		SELECT min(waba_key) FROM reached
		UNION ALL
		SELECT (SELECT min(waba_key) FROM reached WHERE waba_key > w.key) FROM w WHERE w.key IS NOT NULL)
		SELECT key FROM w WHERE key IS NOT NULL`)
	if err != nil {
		return false, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var key string
		err := scan(&key)
		keys = append(keys, key)
		return err
	})
	if err != nil {
		return false, err
	}
	err = db.write(ctx, func(tx *tx) error {
		more = false
		for _, key := range keys {
			n, err := tx.exec(`DELETE FROM reached WHERE waba_key = ?1 AND recipient IN (
				SELECT recipient FROM reached WHERE waba_key = ?1 AND at <= ?2 ORDER BY at LIMIT ?3) AND at <= ?2`, key, unixMicro(cutoff), batch)
			if err != nil {
				return err
			}
			more = more || n == batch
		}
		return nil
	})
	return more, err
}
