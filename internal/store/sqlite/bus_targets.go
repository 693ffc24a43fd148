package sqlite

import (
	"context"
	"encoding/json"

	"github.com/waxwing-messaging/waxwing/internal/bus"
)

const targetColumns = `seq, account_id, rule_arn, id, arn, settings`

const targetQuery = `SELECT ` + targetColumns + ` FROM bus_targets WHERE seq = ?`

func scanTarget(scan func(...any) error) (t bus.Target, err error) {
	var settings []byte
	if err := scan(&t.Key, &t.AccountID, &t.RuleARN, &t.ID, &t.ARN, &settings); err != nil {
		return bus.Target{}, err
	}
	return t, json.Unmarshal(settings, &t.Settings)
}

// hasRule reports whether there is a rule with an ARN, and whose it is.
func (t *tx) hasRule(arn string) (accountID string, err error) {
	ok, err := t.row(`SELECT account_id FROM bus_rules WHERE arn = ?`, args(arn), &accountID)
	if err == nil && !ok {
		err = errNoRule(arn)
	}
	return accountID, err
}

// PutBusTargets stores targets of one rule, or changes those that have their ids, which keep their queues.
func (db *DB) PutBusTargets(ctx context.Context, ruleARN string, targets []bus.Target, most int) error {
	settings := make([]string, len(targets))
	for i := range targets {
		b, err := json.Marshal(&targets[i].Settings)
		if err != nil {
			return err
		}
		settings[i] = string(b)
	}
	return db.write(ctx, func(tx *tx) error {
		accountID, err := tx.hasRule(ruleARN)
		if err != nil {
			return err
		}
		for i := range targets {
			t := &targets[i]
			n, err := tx.exec(`UPDATE bus_targets SET arn = ?, settings = ? WHERE rule_arn = ? AND id = ?`, t.ARN, settings[i], ruleARN, t.ID)
			if err != nil {
				return err
			}
			if n == 1 {
				continue
			}
			key, err := tx.openQueue(t.Name(), accountID)
			if err != nil {
				return err
			}
			if _, err := tx.exec(`INSERT INTO bus_targets (seq, account_id, rule_arn, id, arn, settings) VALUES (?, ?, ?, ?, ?, ?)`,
				key, accountID, ruleARN, t.ID, t.ARN, settings[i]); err != nil {
				return err
			}
		}
		var have int
		if _, err := tx.row(`SELECT count(*) FROM bus_targets WHERE rule_arn = ?`, args(ruleARN), &have); err != nil {
			return err
		}
		if have > most {
			return errTooMany
		}
		return tx.rulesChanged(accountID)
	})
}

// BusTargets lists the targets of a rule by id.
func (db *DB) BusTargets(ctx context.Context, ruleARN, after string, limit int) (list []bus.Target, err error) {
	if _, err := db.BusRule(ctx, ruleARN); err != nil {
		return nil, err
	}
	rows, err := db.query(ctx, `SELECT `+targetColumns+` FROM bus_targets WHERE rule_arn = ? AND id > ? ORDER BY id LIMIT ?`, ruleARN, after, limit)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		t, err := scanTarget(scan)
		list = append(list, t)
		return err
	})
	return list, err
}

// RemoveBusTargets ends targets. Their queues are emptied later, a batch at a time.
func (db *DB) RemoveBusTargets(ctx context.Context, ruleARN string, ids []string) (queues []int64, absent []string, err error) {
	err = db.write(ctx, func(tx *tx) error {
		queues, absent = nil, nil
		accountID, err := tx.hasRule(ruleARN)
		if err != nil {
			return err
		}
		for _, id := range ids {
			var key int64
			ok, err := tx.row(`DELETE FROM bus_targets WHERE rule_arn = ? AND id = ? RETURNING seq`, args(ruleARN, id), &key)
			if err != nil {
				return err
			}
			if !ok {
				absent = append(absent, id)
				continue
			}
			if err := tx.endQueue(key); err != nil {
				return err
			}
			queues = append(queues, key)
		}
		return tx.rulesChanged(accountID)
	})
	return queues, absent, err
}

// BusRuleNames lists the names of the account's rules that have a target with an ARN.
func (db *DB) BusRuleNames(ctx context.Context, accountID, targetARN, after string, limit int) (names []string, err error) {
	rows, err := db.query(ctx, `SELECT r.name FROM bus_rules r WHERE r.account_id = ? AND r.name > ?
		AND EXISTS (SELECT 1 FROM bus_targets t WHERE t.account_id = r.account_id AND t.arn = ? AND t.rule_arn = r.arn)
		ORDER BY r.name LIMIT ?`, accountID, after, targetARN, limit)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		names = append(names, name)
		return err
	})
	return names, err
}
