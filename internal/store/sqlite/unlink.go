package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

// Unlink takes a business account and its numbers away from an account, with their tags and the destination: they are gone for
// every look-up, and their ids at Meta are free to be linked again. What is needed to finish messages that wait in the outbox
// stays behind for UnlinkedLine.
func (db *DB) Unlink(ctx context.Context, accountID, wabaKey string, now time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		const columns = `(phone_key, waba_key, account_id, waba_meta_id, phone_meta_id, display_number, throughput, destination_role, token, unlinked_at)`
		n, err := tx.exec(`INSERT OR REPLACE INTO unlinked `+columns+`
			SELECT '', key, account_id, meta_id, '', '', '', destination_role, x'', ? FROM wabas WHERE key = ? AND account_id = ?`,
			unixMicro(now), wabaKey, accountID)
		if err != nil {
			return err
		}
		if n == 0 {
			return notFound(sql.ErrNoRows, "WhatsApp Business Account", account.ID(account.KindWABA, wabaKey))
		}
		if _, err := tx.exec(`INSERT OR REPLACE INTO unlinked `+columns+`
			SELECT p.key, w.key, w.account_id, w.meta_id, p.meta_id, p.display_number, p.throughput, w.destination_role, w.token, ?
			FROM phone_numbers p JOIN wabas w ON w.key = p.waba_key WHERE w.key = ?`, unixMicro(now), wabaKey); err != nil {
			return err
		}
		for _, step := range []string{
			`DELETE FROM tags WHERE resource IN (SELECT 'phone-number-id/' || key FROM phone_numbers WHERE waba_key = ?)`,
			`DELETE FROM tags WHERE resource = 'waba/' || ?`,
			`DELETE FROM templates WHERE waba_key = ?`,
			`DELETE FROM notices WHERE waba_key = ?`,
			`DELETE FROM blocks WHERE waba_key = ?`,
			`DELETE FROM phone_numbers WHERE waba_key = ?`,
			`DELETE FROM wabas WHERE key = ?`,
		} {
			if _, err := tx.exec(step, wabaKey); err != nil {
				return err
			}
		}
		return nil
	})
}

// UnlinkedLine returns how to finish the messages of a number that was unlinked, without the token, which is returned sealed.
// It is NotFound once no message waits any more.
func (db *DB) UnlinkedLine(ctx context.Context, accountID, phoneKey string) (l account.Line, token []byte, err error) {
	err = db.queryRow(ctx, `SELECT account_id, waba_key, waba_meta_id, phone_key, phone_meta_id, display_number, throughput, token
		FROM unlinked WHERE phone_key = ? AND account_id = ? AND token <> x'' ORDER BY unlinked_at DESC LIMIT 1`, phoneKey, accountID).
		Scan(&l.AccountID, &l.WABAKey, &l.WABAMetaID, &l.PhoneKey, &l.PhoneMetaID, &l.DisplayNumber, &l.Throughput, &token)
	if err != nil {
		return account.Line{}, nil, notFound(err, "phone number", account.ID(account.KindPhoneNumber, phoneKey))
	}
	return l, token, nil
}

// unlinkedGrace is how long after unlinking a message may still come in: on a node that has not noticed yet.
const unlinkedGrace = time.Minute

// PruneTokens forgets the tokens of what was unlinked once nothing waits to be sent with them. Messages that are scheduled for
// later do not keep them: they are dropped when they are due.
func (db *DB) PruneTokens(ctx context.Context, now time.Time) (more bool, err error) {
	return false, db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE unlinked SET token = x'' WHERE token <> x'' AND unlinked_at <= ?
			AND NOT `+hasWork("unlinked.phone_key"), unixMicro(now.Add(-unlinkedGrace)))
		return err
	})
}

// PruneUnlinked forgets what was unlinked before cutoff and has no token any more.
func (db *DB) PruneUnlinked(ctx context.Context, cutoff time.Time) (more bool, err error) {
	return false, db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`DELETE FROM unlinked WHERE token = x'' AND unlinked_at <= ?`, unixMicro(cutoff))
		return err
	})
}
