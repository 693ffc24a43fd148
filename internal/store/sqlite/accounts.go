package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// MaxTags is how many tags a resource may have, the limit across AWS.
const MaxTags = 50

const wabaColumns = `key, account_id, meta_id, name, status, linked_at, destination_arn, destination_role, marketing_status, callback_url`

func scanWABA(scan func(dest ...any) error) (w account.WABA, err error) {
	var linked int64
	var d account.Destination
	err = scan(&w.Key, &w.AccountID, &w.MetaID, &w.Name, &w.RegistrationStatus, &linked, &d.ARN, &d.RoleARN, &w.MarketingStatus, &w.CallbackURL)
	w.LinkedAt = fromMicro(linked)
	if d.ARN != "" {
		w.Destination = &d
	}
	return w, err
}

const phoneColumns = `key, account_id, waba_key, meta_id, e164, display_name, display_number, quality, data_region, status,
	throughput, messaging_limit, registered, meta_status, name_status, official`

func scanPhone(scan func(dest ...any) error) (p account.PhoneNumber, err error) {
	err = scan(&p.Key, &p.AccountID, &p.WABAKey, &p.MetaID, &p.E164, &p.DisplayName, &p.DisplayNumber, &p.QualityRating,
		&p.DataRegion, &p.Status, &p.Throughput, &p.MessagingLimit, &p.Registered, &p.MetaStatus, &p.NameStatus, &p.Official)
	return p, err
}

// phoneValues are a number's values in the order of phoneColumns.
func phoneValues(p *account.PhoneNumber) []any {
	return []any{p.Key, p.AccountID, p.WABAKey, p.MetaID, p.E164, p.DisplayName, p.DisplayNumber, p.QualityRating, p.DataRegion,
		p.Status, p.Throughput, p.MessagingLimit, p.Registered, p.MetaStatus, p.NameStatus, p.Official}
}

// WABAs lists an account's business accounts in the order they were linked, starting behind the one with key after ("" is
// the start).
func (db *DB) WABAs(ctx context.Context, accountID, after string, limit int) ([]account.WABA, error) {
	rows, err := db.query(ctx, `SELECT `+wabaColumns+` FROM wabas
		WHERE account_id = ?1 AND (linked_at, key) > (coalesce((SELECT linked_at FROM wabas WHERE key = ?2), -1), ?2)
		ORDER BY linked_at, key LIMIT ?3`, accountID, after, limit)
	if err != nil {
		return nil, err
	}
	var list []account.WABA
	err = collect(rows, func(scan func(...any) error) error {
		w, err := scanWABA(scan)
		list = append(list, w)
		return err
	})
	return list, err
}

// WABA returns a business account and its numbers.
func (db *DB) WABA(ctx context.Context, accountID, key string) (account.WABA, []account.PhoneNumber, error) {
	w, err := scanWABA(db.queryRow(ctx, `SELECT `+wabaColumns+` FROM wabas WHERE key = ? AND account_id = ?`,
		key, accountID).Scan)
	if err != nil {
		return account.WABA{}, nil, notFound(err, "WhatsApp Business Account", account.ID(account.KindWABA, key))
	}
	rows, err := db.query(ctx, `SELECT `+phoneColumns+` FROM phone_numbers WHERE waba_key = ? ORDER BY key`, key)
	if err != nil {
		return account.WABA{}, nil, err
	}
	var numbers []account.PhoneNumber
	err = collect(rows, func(scan func(...any) error) error {
		p, err := scanPhone(scan)
		numbers = append(numbers, p)
		return err
	})
	return w, numbers, err
}

// PhoneNumber returns a number.
func (db *DB) PhoneNumber(ctx context.Context, accountID, key string) (account.PhoneNumber, error) {
	p, err := scanPhone(db.queryRow(ctx, `SELECT `+phoneColumns+` FROM phone_numbers WHERE key = ? AND account_id = ?`,
		key, accountID).Scan)
	if err != nil {
		return account.PhoneNumber{}, notFound(err, "phone number", account.ID(account.KindPhoneNumber, key))
	}
	return p, nil
}

// Token returns the sealed access token of a business account.
func (db *DB) Token(ctx context.Context, wabaKey string) (sealed []byte, err error) {
	err = db.queryRow(ctx, `SELECT token FROM wabas WHERE key = ?`, wabaKey).Scan(&sealed)
	if err != nil {
		return nil, notFound(err, "WhatsApp Business Account", account.ID(account.KindWABA, wabaKey))
	}
	return sealed, nil
}

// Link stores a business account with its sealed token and numbers, or updates what Meta told about them if they are
// linked to the same account already; its destination and the time it was linked stay. A business account or number that
// belongs to another account is refused as a Conflict.
func (db *DB) Link(ctx context.Context, w account.WABA, token []byte, numbers []account.PhoneNumber) error {
	var d account.Destination
	if w.Destination != nil {
		d = *w.Destination
	}
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`INSERT INTO wabas (`+wabaColumns+`, token, refresh_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET name = excluded.name, status = excluded.status,
			  marketing_status = excluded.marketing_status, token = excluded.token
			WHERE account_id = excluded.account_id AND meta_id = excluded.meta_id`,
			w.Key, w.AccountID, w.MetaID, w.Name, w.RegistrationStatus, unixMicro(w.LinkedAt), d.ARN, d.RoleARN, w.MarketingStatus, w.CallbackURL, token,
			unixMicro(w.LinkedAt.Add(known)))
		if err := linked(n, err, "business account "+w.MetaID); err != nil {
			return err
		}
		for _, p := range numbers {
			n, err := tx.exec(`INSERT INTO phone_numbers (`+phoneColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
				ON CONFLICT (key) DO UPDATE SET e164 = excluded.e164, display_name = excluded.display_name,
				  display_number = excluded.display_number, quality = excluded.quality, data_region = excluded.data_region,
				  status = excluded.status, throughput = excluded.throughput, messaging_limit = excluded.messaging_limit,
				  registered = excluded.registered, meta_status = excluded.meta_status, name_status = excluded.name_status,
				  official = excluded.official
				WHERE account_id = excluded.account_id AND waba_key = excluded.waba_key AND meta_id = excluded.meta_id`,
				phoneValues(&p)...)
			if err := linked(n, err, "phone number "+p.MetaID); err != nil {
				return err
			}
		}
		return tx.wantImports(w.Key)
	})
}

func linked(changed int64, err error, what string) error {
	if isConstraint(err) || (err == nil && changed == 0) {
		return fault.New(fault.Conflict, "%s is linked elsewhere", what)
	}
	return err
}

// SetDestination replaces where a business account's events go; nil switches publishing off.
func (db *DB) SetDestination(ctx context.Context, accountID, wabaKey string, d *account.Destination) error {
	if d == nil {
		d = &account.Destination{}
	}
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`UPDATE wabas SET destination_arn = ?, destination_role = ? WHERE key = ? AND account_id = ?`,
			d.ARN, d.RoleARN, wabaKey, accountID)
		if err == nil && n == 0 {
			return notFound(sql.ErrNoRows, "WhatsApp Business Account", account.ID(account.KindWABA, wabaKey))
		}
		if err != nil {
			return err
		}
		return tx.wantImports(wabaKey)
	})
}

// Tags lists the tags of a resource of the account by name.
func (db *DB) Tags(ctx context.Context, accountID, kind, key string) ([]account.Tag, error) {
	var one int
	if err := db.queryRow(ctx, ownerQuery(kind), key, accountID).Scan(&one); err != nil {
		return nil, notFound(err, "resource", account.ID(kind, key))
	}
	rows, err := db.query(ctx, `SELECT name, value FROM tags WHERE resource = ? ORDER BY name`, kind+"/"+key)
	if err != nil {
		return nil, err
	}
	tags := []account.Tag{}
	err = collect(rows, func(scan func(...any) error) error {
		var t account.Tag
		err := scan(&t.Key, &t.Value)
		tags = append(tags, t)
		return err
	})
	return tags, err
}

// PutTags adds or overwrites tags. More than MaxTags in all is refused as LimitExceeded, and then nothing changes.
func (db *DB) PutTags(ctx context.Context, accountID, kind, key string, tags []account.Tag) error {
	return db.changeTags(ctx, accountID, kind, key, func(tx *tx, resource string) error {
		return tx.putTags(resource, tags)
	})
}

func (t *tx) putTags(resource string, tags []account.Tag) error {
	if len(tags) == 0 {
		return nil
	}
	for _, tag := range tags {
		if _, err := t.exec(`INSERT INTO tags (resource, name, value) VALUES (?, ?, ?)
			ON CONFLICT (resource, name) DO UPDATE SET value = excluded.value`, resource, tag.Key, tag.Value); err != nil {
			return err
		}
	}
	var n int
	if _, err := t.row(`SELECT count(*) FROM tags WHERE resource = ?`, args(resource), &n); err != nil {
		return err
	}
	if n > MaxTags {
		return fault.New(fault.LimitExceeded, "a resource can have at most %d tags", MaxTags)
	}
	return nil
}

// DeleteTags removes tags by name; names that are not there are ignored.
func (db *DB) DeleteTags(ctx context.Context, accountID, kind, key string, names []string) error {
	return db.changeTags(ctx, accountID, kind, key, func(tx *tx, resource string) error {
		for _, name := range names {
			if _, err := tx.exec(`DELETE FROM tags WHERE resource = ? AND name = ?`, resource, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func (db *DB) changeTags(ctx context.Context, accountID, kind, key string, change func(tx *tx, resource string) error) error {
	return db.write(ctx, func(tx *tx) error {
		var one int
		if ok, err := tx.row(ownerQuery(kind), args(key, accountID), &one); err != nil {
			return err
		} else if !ok {
			return notFound(sql.ErrNoRows, "resource", account.ID(kind, key))
		}
		return change(tx, kind+"/"+key)
	})
}

func ownerQuery(kind string) string {
	if kind == account.KindWABA {
		return `SELECT 1 FROM wabas WHERE key = ? AND account_id = ?`
	}
	return `SELECT 1 FROM phone_numbers WHERE key = ? AND account_id = ?`
}

// notFound turns the absence of a row into a fault that names what is missing.
func notFound(err error, what, id string) error {
	if errors.Is(err, sql.ErrNoRows) {
		return fault.New(fault.NotFound, "%s %s does not exist", what, id)
	}
	return fmt.Errorf("read %s: %w", what, err)
}
