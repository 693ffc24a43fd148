package sqlite

import (
	"context"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const ruleColumns = `arn, account_id, name, pattern, state, description, role_arn, created_at`

func scanRule(scan func(...any) error) (r bus.Rule, err error) {
	var created int64
	err = scan(&r.ARN, &r.AccountID, &r.Name, &r.Pattern, &r.State, &r.Description, &r.RoleARN, &created)
	r.CreatedAt = fromMicro(created)
	return r, err
}

// errNoRule says that there is no rule with an ARN, by the name at its end.
func errNoRule(arn string) error {
	return fault.New(fault.NotFound, "Rule %s does not exist on EventBus %s.", arn[strings.LastIndexByte(arn, '/')+1:], bus.Default)
}

var errTooMany = fault.New(fault.LimitExceeded, "The requested resource exceeds the maximum number allowed.")

// rulesChanged makes whoever has compiled the account's rules read them again.
func (t *tx) rulesChanged(accountID string) error {
	_, err := t.exec(`INSERT INTO bus_versions (account_id, version) VALUES (?, 1)
		ON CONFLICT (account_id) DO UPDATE SET version = version + 1`, accountID)
	return err
}

// PutBusRule stores a rule, or changes the one that has its ARN.
func (db *DB) PutBusRule(ctx context.Context, r bus.Rule, most int) error {
	return db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`UPDATE bus_rules SET pattern = ?, state = ?, description = ?, role_arn = ? WHERE arn = ?`,
			r.Pattern, string(r.State), r.Description, r.RoleARN, r.ARN)
		if err != nil {
			return err
		}
		if n == 0 {
			var have int
			if _, err := tx.row(`SELECT count(*) FROM bus_rules WHERE account_id = ?`, args(r.AccountID), &have); err != nil {
				return err
			}
			if have >= most {
				return errTooMany
			}
			if _, err := tx.exec(`INSERT INTO bus_rules (arn, account_id, name, pattern, state, description, role_arn, created_at)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?)`, r.ARN, r.AccountID, r.Name, r.Pattern, string(r.State), r.Description, r.RoleARN,
				unixMicro(r.CreatedAt)); err != nil {
				return err
			}
		}
		return tx.rulesChanged(r.AccountID)
	})
}

// BusRule returns a rule.
func (db *DB) BusRule(ctx context.Context, arn string) (bus.Rule, error) {
	r, err := scanRule(db.queryRow(ctx, `SELECT `+ruleColumns+` FROM bus_rules WHERE arn = ?`, arn).Scan)
	return r, missing(err, errNoRule(arn))
}

// BusRules lists an account's rules by name.
func (db *DB) BusRules(ctx context.Context, accountID, prefix, after string, limit int) (list []bus.Rule, err error) {
	rows, err := db.query(ctx, `SELECT `+ruleColumns+` FROM bus_rules WHERE account_id = ? AND name > ? AND name >= ? AND name < ?
		ORDER BY name LIMIT ?`, accountID, after, prefix, beyond(prefix), limit)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		r, err := scanRule(scan)
		list = append(list, r)
		return err
	})
	return list, err
}

// beyond is the end of what begins with a prefix. Names are ASCII.
func beyond(prefix string) string { return prefix + "\x7f" }

// SetBusRuleState enables or disables a rule.
func (db *DB) SetBusRuleState(ctx context.Context, arn string, s bus.State) error {
	return db.write(ctx, func(tx *tx) error {
		var accountID string
		ok, err := tx.row(`UPDATE bus_rules SET state = ? WHERE arn = ? RETURNING account_id`, args(string(s), arn), &accountID)
		if err != nil {
			return err
		}
		if !ok {
			return errNoRule(arn)
		}
		return tx.rulesChanged(accountID)
	})
}

// DeleteBusRule removes a rule that has no targets.
func (db *DB) DeleteBusRule(ctx context.Context, arn string) error {
	return db.write(ctx, func(tx *tx) error {
		var one int
		if has, err := tx.row(`SELECT 1 FROM bus_targets WHERE rule_arn = ? LIMIT 1`, args(arn), &one); err != nil {
			return err
		} else if has {
			return fault.New(fault.Validation, "Rule can't be deleted since it has targets.")
		}
		var accountID string
		if ok, err := tx.row(`DELETE FROM bus_rules WHERE arn = ? RETURNING account_id`, args(arn), &accountID); err != nil || !ok {
			return err
		}
		return tx.rulesChanged(accountID)
	})
}
