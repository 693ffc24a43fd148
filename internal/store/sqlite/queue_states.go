package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// QueueState returns what has to be known before anything is published to a destination.
func (db *DB) QueueState(ctx context.Context, destination string) (s event.QueueState, err error) {
	var failing, halted int64
	err = db.queryRow(ctx, `SELECT halt, failing_since, halted_at FROM queue_states WHERE destination = ?`, destination).Scan(&s.Halt, &failing, &halted)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return event.QueueState{}, err
	}
	s.FailingSince = fromMicro(failing)
	if s.Halt == event.Running {
		s.ResumedAt = fromMicro(halted)
	}
	if event.KindOf(destination) != "" {
		return s, nil
	}
	key, _ := account.ResolveKey(account.Scope{}, account.KindEventDestination, destination)
	a, err := scanAdditional(db.queryRow(ctx, `SELECT `+additionalColumns+` FROM event_destinations WHERE key = ?`, key).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		s.Gone = true
		return s, nil
	}
	s.Additional = &a
	return s, err
}

// Halt pauses or disables a destination of an account, or lets it run again; it reports whether that changed anything. Alerts
// are stored with a change, for every other destination.
func (db *DB) Halt(ctx context.Context, accountID, destination string, h event.Halt, reason string, now time.Time, alerts []*event.Event) (changed bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`INSERT INTO queue_states (destination, account_id, halt, halt_reason, halted_at) VALUES (?1, ?2, ?3, ?4, ?5)
			ON CONFLICT (destination) DO UPDATE SET halt = ?3, halt_reason = ?4, halted_at = ?5, failing_since = 0
			WHERE halt <> ?3`, destination, accountID, h, reason, unixMicro(now))
		if changed = n > 0; err != nil || !changed {
			return err
		}
		for _, e := range alerts {
			if err := tx.insertEventExcept(e, destination); err != nil {
				return err
			}
		}
		return nil
	})
	return changed, err
}

// Health tells how a destination is doing. One that never had an event is fine.
func (db *DB) Health(ctx context.Context, destination string) (h event.Health, err error) {
	h.Name = destination
	var halted, failing, failed, delivered int64
	err = db.queryRow(ctx, `SELECT halt, halt_reason, halted_at, failing_since, failure, failed_at, delivered_at FROM queue_states WHERE destination = ?`,
		destination).Scan(&h.Halt, &h.HaltReason, &halted, &failing, &h.Failure, &failed, &delivered)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return event.Health{}, err
	}
	h.HaltedAt, h.FailingSince, h.FailedAt, h.DeliveredAt = fromMicro(halted), fromMicro(failing), fromMicro(failed), fromMicro(delivered)
	if err := db.queryRow(ctx, `SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE destination = ? LIMIT ?)`, destination, event.MaxCounted).
		Scan(&h.Waiting); err != nil || h.Waiting == 0 {
		return h, err
	}
	// The oldest is the first that has not failed yet, or the first to be repeated.
	var oldest *int64
	err = db.queryRow(ctx, `SELECT min(at) FROM (
		SELECT e.at AS at FROM (SELECT seq FROM deliveries WHERE destination = ?1 AND not_before = 0 ORDER BY seq LIMIT 1) d JOIN events e ON e.seq = d.seq
		UNION ALL
		SELECT e.at FROM (SELECT seq FROM deliveries WHERE destination = ?1 AND not_before > 0 ORDER BY not_before, seq LIMIT 1) d JOIN events e ON e.seq = d.seq)`,
		destination).Scan(&oldest)
	if oldest != nil {
		h.Oldest = fromMicro(*oldest)
	}
	return h, err
}

// Senders lists the business accounts whose events go to a destination: those that have it as their AWS event destination, or
// those of the account that an additional destination, or a bus, serves.
func (db *DB) Senders(ctx context.Context, accountID, destination string) ([]account.WABA, error) {
	var rows *sql.Rows
	var err error
	switch key, additional := account.ResolveKey(account.Scope{}, account.KindEventDestination, destination); {
	case additional && event.KindOf(destination) == "":
		rows, err = db.query(ctx, `SELECT w.key, w.meta_id, w.destination_arn, w.destination_role FROM event_destinations d JOIN wabas w ON w.account_id = d.account_id
			WHERE d.key = ? AND d.account_id = ? AND d.waba_key IN ('', w.key) ORDER BY w.key`, key, accountID)
	case event.KindOf(destination) == event.SNS, event.KindOf(destination) == event.Connect:
		rows, err = db.query(ctx, `SELECT key, meta_id, destination_arn, destination_role FROM wabas WHERE account_id = ? AND destination_arn = ? ORDER BY key`, accountID, destination)
	default:
		rows, err = db.query(ctx, `SELECT key, meta_id, destination_arn, destination_role FROM wabas WHERE account_id = ? ORDER BY key`, accountID)
	}
	if err != nil {
		return nil, err
	}
	var list []account.WABA
	err = collect(rows, func(scan func(...any) error) error {
		w := account.WABA{AccountID: accountID}
		var d account.Destination
		err := scan(&w.Key, &w.MetaID, &d.ARN, &d.RoleARN)
		if d.ARN != "" {
			w.Destination = &d
		}
		list = append(list, w)
		return err
	})
	return list, err
}

// AWSDestinations lists the event destinations that an account's business accounts have.
func (db *DB) AWSDestinations(ctx context.Context, accountID string) (arns []string, err error) {
	rows, err := db.query(ctx, `SELECT DISTINCT destination_arn FROM wabas WHERE account_id = ? AND destination_arn <> '' ORDER BY destination_arn`, accountID)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var arn string
		err := scan(&arn)
		arns = append(arns, arn)
		return err
	})
	return arns, err
}

// Attempts lists the log of attempts of a destination, newest first, from before a minute.
func (db *DB) Attempts(ctx context.Context, destination string, before time.Time, limit int) ([]event.Attempts, error) {
	rows, err := db.query(ctx, `SELECT minute, reason, rounds, events, slowest, last_at FROM delivery_attempts
		WHERE destination = ? AND minute < ? ORDER BY minute DESC, reason DESC LIMIT ?`, destination, to(before), limit)
	if err != nil {
		return nil, err
	}
	var list []event.Attempts
	err = collect(rows, func(scan func(...any) error) error {
		var a event.Attempts
		var minute, slowest, last int64
		err := scan(&minute, &a.Reason, &a.Rounds, &a.Events, &slowest, &last)
		a.Minute, a.Slowest, a.LastAt = fromMicro(minute), time.Duration(slowest)*time.Microsecond, fromMicro(last)
		list = append(list, a)
		return err
	})
	return list, err
}

// PruneAttempts forgets attempts from before cutoff, a bounded number at a time, and reports whether there may be more.
func (db *DB) PruneAttempts(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 1000
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM delivery_attempts WHERE (destination, minute, reason) IN (
			SELECT destination, minute, reason FROM delivery_attempts WHERE minute <= ? ORDER BY minute LIMIT ?)`, unixMicro(cutoff), batch)
		more = n == batch
		return err
	})
	return more, err
}
