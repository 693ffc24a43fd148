package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

// known is how long there is no need to ask about what Meta told when a business account was linked.
const known = time.Hour

// ClaimRefreshes takes up to limit business accounts about which Meta should be asked now, longest overdue first. They are due
// again at retryAt unless Refreshed comes before, so that whoever claimed them may die.
func (db *DB) ClaimRefreshes(ctx context.Context, now, retryAt time.Time, limit int) (due []account.Due, err error) {
	err = db.write(ctx, func(tx *tx) error {
		due = due[:0]
		at := fromMicro(unixMicro(retryAt)) // as it will be compared
		err := tx.rows(`SELECT account_id, key FROM wabas WHERE refresh_at <= ? ORDER BY refresh_at LIMIT ?`, args(unixMicro(now), limit),
			func(scan func(...any) error) error {
				d := account.Due{At: at}
				err := scan(&d.AccountID, &d.WABAKey)
				due = append(due, d)
				return err
			})
		if err != nil {
			return err
		}
		for _, d := range due {
			if _, err := tx.exec(`UPDATE wabas SET refresh_at = ? WHERE key = ?`, unixMicro(at), d.WABAKey); err != nil {
				return err
			}
		}
		return nil
	})
	return due, err
}

// Refreshed stores what Meta told about a claimed business account and its numbers, and when to ask next. Numbers that are not
// linked are left out; linked ones that Meta did not name are gone there, and lose their status. If a webhook has asked for
// another look meanwhile, it stays due.
func (db *DB) Refreshed(ctx context.Context, d account.Due, f account.Facts, next time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`UPDATE wabas SET name = ?, marketing_status = ?, refresh_at = CASE WHEN refresh_at = ? THEN ? ELSE refresh_at END
			WHERE key = ? AND account_id = ?`, f.Name, f.MarketingStatus, unixMicro(d.At), unixMicro(next), d.WABAKey, d.AccountID)
		if err != nil || n == 0 {
			return err // unlinked meanwhile
		}
		told := make(map[string]*account.PhoneNumber, len(f.Numbers))
		for i := range f.Numbers {
			told[f.Numbers[i].MetaID] = &f.Numbers[i]
		}
		var gone []string
		if err := tx.rows(`SELECT key, meta_id FROM phone_numbers WHERE waba_key = ?`, args(d.WABAKey), func(scan func(...any) error) error {
			var key, metaID string
			err := scan(&key, &metaID)
			if told[metaID] == nil {
				gone = append(gone, key)
			}
			return err
		}); err != nil {
			return err
		}
		for _, key := range gone {
			if _, err := tx.exec(`UPDATE phone_numbers SET status = ?, meta_status = 'DELETED' WHERE key = ?`, account.IncompleteSetup, key); err != nil {
				return err
			}
		}
		for _, p := range told {
			if _, err := tx.exec(`UPDATE phone_numbers SET e164 = ?, display_name = ?, display_number = ?, quality = ?, throughput = ?,
				messaging_limit = ?, meta_status = ?, name_status = ?, official = ?, status = CASE WHEN registered = 1 AND ? THEN ? ELSE ? END
				WHERE meta_id = ? AND waba_key = ?`,
				p.E164, p.DisplayName, p.DisplayNumber, p.QualityRating, p.Throughput, p.MessagingLimit, p.MetaStatus, p.NameStatus, p.Official,
				account.CanSend(p.MetaStatus), account.Active, account.IncompleteSetup, p.MetaID, d.WABAKey); err != nil {
				return err
			}
		}
		return nil
	})
}
