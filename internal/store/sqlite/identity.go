package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/ncruces/go-sqlite3"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// CreateAccount stores an account, the user of an access key and the key with its sealed secret; without an id there is no key
// yet. An account id that is taken is a Conflict.
func (db *DB) CreateAccount(ctx context.Context, a identity.Account, k identity.AccessKey, sealed []byte) error {
	return db.write(ctx, func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO accounts (id, alias, created_at) VALUES (?, ?, ?)`, a.ID, a.Alias, unixMicro(a.CreatedAt)); err != nil {
			if isConstraint(err) {
				return fault.New(fault.Conflict, "account %s exists already", a.ID)
			}
			return err
		}
		if _, err := tx.exec(`INSERT INTO users (id, account_id, name, path, created_at) VALUES (?, ?, ?, ?, ?)`,
			k.User.ID, a.ID, k.User.Name, k.User.Path, unixMicro(k.User.CreatedAt)); err != nil || k.ID == "" {
			return err
		}
		return tx.putAccessKey(k, sealed)
	})
}

// PutAccessKey stores a key with its sealed secret, replacing what was stored under the same id for the same user.
func (db *DB) PutAccessKey(ctx context.Context, k identity.AccessKey, sealed []byte) error {
	return db.write(ctx, func(tx *tx) error { return tx.putAccessKey(k, sealed) })
}

func (t *tx) putAccessKey(k identity.AccessKey, sealed []byte) error {
	n, err := t.exec(`INSERT INTO access_keys (id, user_id, secret, active, created_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET secret = excluded.secret, active = excluded.active WHERE user_id = excluded.user_id`,
		k.ID, k.User.ID, sealed, k.Active, unixMicro(k.CreatedAt))
	if err == nil && n == 0 {
		return fault.New(fault.Conflict, "access key %s belongs to another user", k.ID)
	}
	return err
}

// AccessKey returns a key and its sealed secret.
func (db *DB) AccessKey(ctx context.Context, id string) (k identity.AccessKey, sealed []byte, err error) {
	var created, userCreated int64
	err = db.queryRow(ctx, `SELECT k.id, k.secret, k.active, k.created_at, u.id, u.account_id, u.name, u.path, u.created_at
		FROM access_keys k JOIN users u ON u.id = k.user_id WHERE k.id = ?`, id).
		Scan(&k.ID, &sealed, &k.Active, &created, &k.User.ID, &k.User.AccountID, &k.User.Name, &k.User.Path, &userCreated)
	if err != nil {
		return identity.AccessKey{}, nil, notFound(err, "access key", id)
	}
	k.CreatedAt, k.User.CreatedAt = fromMicro(created), fromMicro(userCreated)
	return k, sealed, nil
}

// Setting returns a sealed value by name; nil if it was never stored.
func (db *DB) Setting(ctx context.Context, name string) (sealed []byte, err error) {
	err = db.queryRow(ctx, `SELECT value FROM settings WHERE name = ?`, name).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return sealed, err
}

// InitSetting stores a sealed value unless there is one, and returns what is stored then.
func (db *DB) InitSetting(ctx context.Context, name string, sealed []byte) (stored []byte, err error) {
	err = db.write(ctx, func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT DO NOTHING`, name, sealed); err != nil {
			return err
		}
		_, err := tx.row(`SELECT value FROM settings WHERE name = ?`, args(name), &stored)
		return err
	})
	return stored, err
}

// isConstraint reports whether a statement failed because a row would break a constraint.
func isConstraint(err error) bool { return errors.Is(err, sqlite3.CONSTRAINT) }
