package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/waxwing-messaging/waxwing/internal/bus"
)

// BusVersion changes with every change of an account's rules and targets. It is 0 before the first one.
func (db *DB) BusVersion(ctx context.Context, accountID string) (version int64, err error) {
	err = db.queryRow(ctx, `SELECT version FROM bus_versions WHERE account_id = ?`, accountID).Scan(&version)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return version, err
}

// BusRouting returns the patterns of the account's enabled rules with the queues of their targets. The version is read first: what
// changes meanwhile makes it out of date, not wrong.
func (db *DB) BusRouting(ctx context.Context, accountID string) (routes []bus.Route, version int64, err error) {
	if version, err = db.BusVersion(ctx, accountID); err != nil {
		return nil, 0, err
	}
	rows, err := db.query(ctx, `SELECT r.arn, r.pattern, t.seq FROM bus_rules r JOIN bus_targets t ON t.rule_arn = r.arn
		WHERE r.account_id = ? AND r.state <> 'DISABLED' ORDER BY r.name, t.id`, accountID)
	if err != nil {
		return nil, 0, err
	}
	last := ""
	err = collect(rows, func(scan func(...any) error) error {
		var rule, pattern string
		var key int64
		if err := scan(&rule, &pattern, &key); err != nil {
			return err
		}
		if rule != last {
			routes, last = append(routes, bus.Route{Pattern: pattern}), rule
		}
		r := &routes[len(routes)-1]
		r.Queues = append(r.Queues, key)
		return nil
	})
	return routes, version, err
}

// PutBusEvents stores events, each with a delivery in its queues, if the account's rules have the version: then all of the queues
// are there.
func (db *DB) PutBusEvents(ctx context.Context, accountID string, version int64, events []bus.Routed) (current bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var now int64
		ok, err := tx.row(`SELECT version FROM bus_versions WHERE account_id = ?`, args(accountID), &now)
		if current = ok && now == version; err != nil || !current {
			return err
		}
		for i := range events {
			if err := tx.enqueue(&events[i].Record, events[i].Queues); err != nil {
				return err
			}
		}
		return nil
	})
	return current, err
}

// busWanted reports whether an account has an enabled rule, so that events put on its bus may have somewhere to go.
func (t *tx) busWanted(accountID string) (bool, error) {
	var one int
	return t.row(`SELECT 1 FROM bus_rules WHERE account_id = ? AND state <> 'DISABLED' LIMIT 1`, args(accountID), &one)
}
