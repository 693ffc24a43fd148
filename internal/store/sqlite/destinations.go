package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const additionalColumns = `key, account_id, waba_key, name, kind, address, role_arn, filter, concurrency, per_second, settings, created_at, updated_at`

func scanAdditional(scan func(...any) error) (a event.Additional, err error) {
	var filter string
	var created, updated int64
	if err := scan(&a.Key, &a.AccountID, &a.WABAKey, &a.Name, &a.Kind, &a.Address, &a.RoleARN, &filter, &a.Concurrency, &a.PerSecond, &a.Sealed,
		&created, &updated); err != nil {
		return event.Additional{}, err
	}
	a.CreatedAt, a.UpdatedAt = fromMicro(created), fromMicro(updated)
	return a, json.Unmarshal([]byte(filter), &a.Filter)
}

func (t *tx) putAdditional(a *event.Additional) error {
	filter, err := json.Marshal(a.Filter)
	if err != nil {
		return err
	}
	_, err = t.exec(`INSERT INTO event_destinations (`+additionalColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (key) DO UPDATE SET waba_key = excluded.waba_key, name = excluded.name, address = excluded.address,
		  role_arn = excluded.role_arn, filter = excluded.filter, concurrency = excluded.concurrency, per_second = excluded.per_second,
		  settings = excluded.settings, updated_at = excluded.updated_at WHERE account_id = excluded.account_id`,
		a.Key, a.AccountID, a.WABAKey, a.Name, a.Kind, a.Address, a.RoleARN, string(filter), a.Concurrency, a.PerSecond, a.Sealed,
		unixMicro(a.CreatedAt), unixMicro(a.UpdatedAt))
	return err
}

// CreateAdditional stores a new additional destination; it gets what happens from now on. More than most in an account are
// LimitExceeded, a business account that is not the account's is NotFound.
func (db *DB) CreateAdditional(ctx context.Context, a *event.Additional, most int) error {
	return db.write(ctx, func(tx *tx) error {
		have := 0
		if _, err := tx.row(`SELECT count(*) FROM event_destinations WHERE account_id = ?`, args(a.AccountID), &have); err != nil {
			return err
		}
		if have >= most {
			return fault.New(fault.LimitExceeded, "An account can have %d additional event destinations.", most)
		}
		if err := tx.owns(a.AccountID, a.WABAKey); err != nil {
			return err
		}
		return tx.putAdditional(a)
	})
}

// owns reports as NotFound a business account, unless "", that does not belong to an account.
func (t *tx) owns(accountID, wabaKey string) error {
	if wabaKey == "" {
		return nil
	}
	var one int
	ok, err := t.row(`SELECT 1 FROM wabas WHERE key = ? AND account_id = ?`, args(wabaKey, accountID), &one)
	if err == nil && !ok {
		err = notFound(sql.ErrNoRows, "WhatsApp Business Account", account.ID(account.KindWABA, wabaKey))
	}
	return err
}

// UpdateAdditional changes an additional destination and returns it. An error of change is returned and changes nothing.
func (db *DB) UpdateAdditional(ctx context.Context, accountID, key string, change func(*event.Additional) error) (a event.Additional, err error) {
	err = db.write(ctx, func(tx *tx) error {
		found := false
		err := tx.rows(`SELECT `+additionalColumns+` FROM event_destinations WHERE key = ? AND account_id = ?`, args(key, accountID),
			func(scan func(...any) error) (err error) {
				found = true
				a, err = scanAdditional(scan)
				return err
			})
		if err != nil {
			return err
		}
		if !found {
			return noAdditional(key)
		}
		served := a.WABAKey
		if err := change(&a); err != nil {
			return err
		}
		if a.WABAKey != served { // one that was unlinked since is no obstacle to other changes
			if err := tx.owns(accountID, a.WABAKey); err != nil {
				return err
			}
		}
		return tx.putAdditional(&a)
	})
	return a, err
}

func noAdditional(key string) error {
	return notFound(sql.ErrNoRows, "event destination", account.ID(account.KindEventDestination, key))
}

// DeleteAdditional forgets an additional destination. What waits for it is forgotten by whoever drives its queue.
func (db *DB) DeleteAdditional(ctx context.Context, accountID, key string) error {
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM event_destinations WHERE key = ? AND account_id = ?`, key, accountID)
		if err != nil {
			return err
		}
		if n == 0 {
			return noAdditional(key)
		}
		name := account.ID(account.KindEventDestination, key)
		for _, step := range []string{`DELETE FROM queue_states WHERE destination = ?`, `DELETE FROM delivery_attempts WHERE destination = ?`} {
			if _, err := tx.exec(step, name); err != nil {
				return err
			}
		}
		return nil
	})
}

// Additional returns one additional destination of an account.
func (db *DB) Additional(ctx context.Context, accountID, key string) (event.Additional, error) {
	a, err := scanAdditional(db.queryRow(ctx, `SELECT `+additionalColumns+` FROM event_destinations WHERE key = ? AND account_id = ?`,
		key, accountID).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		err = noAdditional(key)
	}
	return a, err
}

// Additionals lists the additional destinations of an account, the oldest first.
func (db *DB) Additionals(ctx context.Context, accountID string) ([]event.Additional, error) {
	rows, err := db.query(ctx, `SELECT `+additionalColumns+` FROM event_destinations WHERE account_id = ? ORDER BY created_at, key`, accountID)
	if err != nil {
		return nil, err
	}
	var list []event.Additional
	err = collect(rows, func(scan func(...any) error) error {
		a, err := scanAdditional(scan)
		list = append(list, a)
		return err
	})
	return list, err
}
