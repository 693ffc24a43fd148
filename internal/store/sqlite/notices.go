package sqlite

import (
	"context"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

const noticeColumns = `phone_key, matter, subject, state, reason, detail, until, at`

func scanNotice(scan func(...any) error) (n account.Placed, err error) {
	var until, at int64
	err = scan(&n.PhoneKey, &n.Matter, &n.Subject, &n.State, &n.Reason, &n.Detail, &until, &at)
	n.Until, n.At = fromMicro(until), fromMicro(at)
	return n, err
}

// Notices returns what Meta's webhooks have said about a business account and its numbers, by number, matter and subject.
func (db *DB) Notices(ctx context.Context, accountID, wabaKey string) ([]account.Placed, error) {
	var linked int
	err := db.queryRow(ctx, `SELECT 1 FROM wabas WHERE key = ? AND account_id = ?`, wabaKey, accountID).Scan(&linked)
	if err != nil {
		return nil, notFound(err, "WhatsApp Business Account", account.ID(account.KindWABA, wabaKey))
	}
	rows, err := db.query(ctx, `SELECT `+noticeColumns+` FROM notices WHERE waba_key = ? ORDER BY phone_key, matter, subject`, wabaKey)
	if err != nil {
		return nil, err
	}
	var list []account.Placed
	err = collect(rows, func(scan func(...any) error) error {
		n, err := scanNotice(scan)
		n.AccountID, n.WABAKey = accountID, wabaKey
		list = append(list, n)
		return err
	})
	return list, err
}

// notices keeps what a change says about its business account and numbers. What is about a number that is not linked here has no
// place; its event has been published.
func (a *applier) notices(c *event.Change, waba wabaRef) error {
	for i := range c.Notices {
		n := account.Placed{Notice: c.Notices[i], AccountID: waba.accountID, WABAKey: waba.key}
		var err error
		if n.PhoneKey, err = a.numberOf(waba, n.Number); err != nil {
			return err
		}
		if n.PhoneKey == "" && n.Number != (account.NumberRef{}) {
			continue
		}
		var old account.Placed
		known := false
		if err := a.tx.rows(`SELECT `+noticeColumns+` FROM notices WHERE waba_key = ? AND phone_key = ? AND matter = ? AND subject = ?`,
			args(waba.key, n.PhoneKey, n.Matter, n.Subject), func(scan func(...any) error) error {
				known = true
				old, err = scanNotice(scan)
				return err
			}); err != nil {
			return err
		}
		if known && !n.Replaces(&old.Notice) {
			continue
		}
		if _, err := a.tx.exec(`INSERT OR REPLACE INTO notices (waba_key, `+noticeColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			waba.key, n.PhoneKey, n.Matter, n.Subject, n.State, n.Reason, n.Detail, unixMicro(n.Until), unixMicro(n.At)); err != nil {
			return err
		}
		a.res.Notices = append(a.res.Notices, n)
	}
	return nil
}

// numberOf finds the number that a webhook names; "" is none, or one that is not linked to the business account.
func (a *applier) numberOf(waba wabaRef, ref account.NumberRef) (key string, err error) {
	switch {
	case ref.MetaID != "":
		return a.phone(waba.key, ref.MetaID)
	case ref.Digits != "":
		_, err = a.tx.row(`SELECT key FROM phone_numbers WHERE waba_key = ? AND e164 = ?`, args(waba.key, "+"+ref.Digits), &key)
	}
	return key, err
}
