package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

// wantImports notes which numbers of a business account belong into an instance of Amazon Connect, after its destination or its
// numbers have changed.
func (t *tx) wantImports(wabaKey string) error {
	if _, err := t.exec(`DELETE FROM imports WHERE waba_key = ?1 AND instance_arn <> (SELECT destination_arn FROM wabas WHERE key = ?1)`, wabaKey); err != nil {
		return err
	}
	_, err := t.exec(`INSERT OR IGNORE INTO imports (phone_key, waba_key, instance_arn, due_at)
		SELECT p.key, w.key, w.destination_arn, 1 FROM wabas w JOIN phone_numbers p ON p.waba_key = w.key
		WHERE w.key = ? AND instr(w.destination_arn, ':connect:') > 0 AND p.registered = 1`, wabaKey)
	return err
}

// ClaimImports takes up to limit numbers that should be imported now, longest due first. They are due again when later says, which
// knows how often they were tried, unless Imported comes before, so that whoever claimed them may die.
func (db *DB) ClaimImports(ctx context.Context, now time.Time, later func(attempts int) time.Time, limit int) (list []account.Import, err error) {
	err = db.write(ctx, func(tx *tx) error {
		list = list[:0]
		err := tx.rows(`SELECT p.account_id, p.key, p.display_number, i.instance_arn, w.destination_role, i.attempts
			FROM imports i JOIN phone_numbers p ON p.key = i.phone_key JOIN wabas w ON w.key = i.waba_key
			WHERE i.due_at > 0 AND i.due_at <= ? ORDER BY i.due_at LIMIT ?`, args(unixMicro(now), limit), func(scan func(...any) error) error {
			var i account.Import
			err := scan(&i.AccountID, &i.PhoneKey, &i.DisplayNumber, &i.InstanceARN, &i.RoleARN, &i.Attempts)
			list = append(list, i)
			return err
		})
		if err != nil {
			return err
		}
		for i := range list {
			list[i].Due = fromMicro(unixMicro(later(list[i].Attempts))) // as it will be compared
			if _, err := tx.exec(`UPDATE imports SET attempts = attempts + 1, due_at = ? WHERE phone_key = ?`, unixMicro(list[i].Due), list[i].PhoneKey); err != nil {
				return err
			}
		}
		return nil
	})
	return list, err
}

// Imported notes that a claimed number is in its instance, and as what. It changes nothing when the number has come to belong
// elsewhere meanwhile, or somebody else has claimed it.
func (db *DB) Imported(ctx context.Context, i *account.Import, connectARN string) error {
	return db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE imports SET connect_arn = ?, due_at = 0 WHERE phone_key = ? AND instance_arn = ? AND due_at = ?`,
			connectARN, i.PhoneKey, i.InstanceARN, unixMicro(i.Due))
		return err
	})
}
