package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// LinkedKeys returns the keys that business accounts and numbers of an account are linked under, by Meta's ids. What is not
// linked, or by another account, is left out.
func (db *DB) LinkedKeys(ctx context.Context, accountID string, metaIDs []string) (map[string]string, error) {
	keys := make(map[string]string, len(metaIDs))
	if len(metaIDs) == 0 {
		return keys, nil
	}
	marks := strings.TrimSuffix(strings.Repeat("?,", len(metaIDs)), ",")
	values := make([]any, 0, 2*len(metaIDs)+2)
	for range 2 {
		for _, id := range metaIDs {
			values = append(values, id)
		}
		values = append(values, accountID)
	}
	rows, err := db.query(ctx, `SELECT meta_id, key FROM wabas WHERE meta_id IN (`+marks+`) AND account_id = ?
		UNION ALL SELECT meta_id, key FROM phone_numbers WHERE meta_id IN (`+marks+`) AND account_id = ?`, values...)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var id, key string
		err := scan(&id, &key)
		keys[id] = key
		return err
	})
	return keys, err
}

// BeginSignUp stores the first phase of a link: business accounts that are new as they are given, and of those the account has
// already their name, marketing status, token, callback and new numbers. It refuses what is linked elsewhere as a Conflict, and more
// business accounts than account.MaxWABAs as LimitExceeded; then nothing is stored.
func (db *DB) BeginSignUp(ctx context.Context, s account.SignUp, candidates []account.Candidate) error {
	return db.write(ctx, func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO sign_ups (hash, account_id, expires_at) VALUES (?, ?, ?)`, s.Hash, s.AccountID, unixMicro(s.ExpiresAt)); err != nil {
			return err
		}
		for i := range candidates {
			if err := tx.candidate(&candidates[i], s.Callback); err != nil {
				return err
			}
		}
		var n int
		if _, err := tx.row(`SELECT count(*) FROM wabas WHERE account_id = ?`, args(s.AccountID), &n); err != nil {
			return err
		}
		if n > account.MaxWABAs {
			return fault.New(fault.LimitExceeded, "an account can link at most %d WhatsApp Business Accounts in a Region", account.MaxWABAs)
		}
		return nil
	})
}

func (t *tx) candidate(c *account.Candidate, callback *string) error {
	w := &c.WABA
	n, err := t.exec(`INSERT INTO wabas (`+wabaColumns+`, token, refresh_at) VALUES (?, ?, ?, ?, ?, ?, '', '', ?, '', ?, ?)
		ON CONFLICT (key) DO UPDATE SET name = excluded.name, marketing_status = excluded.marketing_status, token = excluded.token
		WHERE account_id = excluded.account_id AND meta_id = excluded.meta_id`,
		w.Key, w.AccountID, w.MetaID, w.Name, w.RegistrationStatus, unixMicro(w.LinkedAt), w.MarketingStatus, c.Token, unixMicro(w.LinkedAt.Add(known)))
	if err := linked(n, err, "business account "+w.MetaID); err != nil {
		return err
	}
	if callback != nil {
		if _, err := t.exec(`UPDATE wabas SET callback_url = ? WHERE key = ?`, *callback, w.Key); err != nil {
			return err
		}
	}
	for i := range c.Numbers {
		p := &c.Numbers[i]
		n, err := t.exec(`INSERT INTO phone_numbers (`+phoneColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
			ON CONFLICT (key) DO UPDATE SET e164 = excluded.e164, display_name = excluded.display_name,
			  display_number = excluded.display_number, quality = excluded.quality, throughput = excluded.throughput,
			  messaging_limit = excluded.messaging_limit, meta_status = excluded.meta_status, name_status = excluded.name_status,
			  official = excluded.official
			WHERE account_id = excluded.account_id AND waba_key = excluded.waba_key AND meta_id = excluded.meta_id`,
			phoneValues(p)...)
		if err := linked(n, err, "phone number "+p.MetaID); err != nil {
			return err
		}
	}
	return nil
}

// errSignUp does not tell a token that is unknown from one that was used, is too old or belongs to another account.
var errSignUp = fault.New(fault.InvalidParameters, "associateInProgressToken is not valid: it was used, has expired or belongs to another account")

// CheckSignUp returns InvalidParameters unless FinishSignUp would take the token.
func (db *DB) CheckSignUp(ctx context.Context, hash []byte, accountID string, now time.Time) error {
	var one int
	err := db.queryRow(ctx, `SELECT count(*) FROM sign_ups WHERE hash = ? AND account_id = ? AND expires_at > ?`,
		hash, accountID, unixMicro(now)).Scan(&one)
	if err == nil && one == 0 {
		return errSignUp
	}
	return err
}

// FinishSignUp stores the second phase of a link and uses up its token. What is not the account's own is NotFound, a token
// that cannot be used InvalidParameters, too many tags LimitExceeded; then nothing changes and the token stays.
func (db *DB) FinishSignUp(ctx context.Context, hash []byte, accountID string, f account.Finish, now time.Time) error {
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM sign_ups WHERE hash = ? AND account_id = ? AND expires_at > ?`, hash, accountID, unixMicro(now))
		if err != nil {
			return err
		}
		if n == 0 {
			return errSignUp
		}
		if f.Complete {
			if err := tx.complete(accountID, &f); err != nil {
				return err
			}
		}
		for _, p := range f.Numbers {
			n, err := tx.exec(`UPDATE phone_numbers SET registered = 1, status = ?, meta_status = 'CONNECTED',
				data_region = CASE WHEN ?2 = '' THEN data_region ELSE ?2 END WHERE key = ?3 AND account_id = ?4 AND waba_key = ?5`,
				account.Active, p.DataRegion, p.Key, accountID, f.WABAKey)
			if err != nil {
				return err
			}
			if n == 0 {
				return fault.New(fault.NotFound, "phone number %s does not exist", account.ID(account.KindPhoneNumber, p.Key))
			}
			if err := tx.putTags(account.KindPhoneNumber+"/"+p.Key, p.Tags); err != nil {
				return err
			}
		}
		if err := tx.wantImports(f.WABAKey); err != nil {
			return err
		}
		// What Meta thinks of numbers it has just registered is worth asking for soon.
		_, err = tx.exec(`UPDATE wabas SET refresh_at = 0 WHERE key = ?`, f.WABAKey)
		return err
	})
}

func (t *tx) complete(accountID string, f *account.Finish) error {
	n, err := t.exec(`UPDATE wabas SET status = ? WHERE key = ? AND account_id = ?`, account.Complete, f.WABAKey, accountID)
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.New(fault.NotFound, "WhatsApp Business Account %s does not exist", account.ID(account.KindWABA, f.WABAKey))
	}
	if !f.KeepDestination {
		var d account.Destination
		if f.Destination != nil {
			d = *f.Destination
		}
		if _, err := t.exec(`UPDATE wabas SET destination_arn = ?, destination_role = ? WHERE key = ?`, d.ARN, d.RoleARN, f.WABAKey); err != nil {
			return err
		}
	}
	return t.putTags(account.KindWABA+"/"+f.WABAKey, f.Tags)
}

// PruneSignUps forgets links whose second phase never came.
func (db *DB) PruneSignUps(ctx context.Context, now time.Time) (more bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`DELETE FROM sign_ups WHERE expires_at <= ?`, unixMicro(now))
		return err
	})
	if err != nil {
		err = fmt.Errorf("prune sign-ups: %w", err)
	}
	return false, err
}

// HasAccounts reports whether there is any account.
func (db *DB) HasAccounts(ctx context.Context) (has bool, err error) {
	err = db.readers.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM accounts)`).Scan(&has)
	return has, err
}

// HasAccount reports whether an account exists.
func (db *DB) HasAccount(ctx context.Context, id string) (bool, error) {
	var n int
	err := db.readers.QueryRowContext(ctx, `SELECT count(*) FROM accounts WHERE id = ?`, id).Scan(&n)
	return n > 0, err
}
