package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Release gives messages that were scheduled, and are due now, their places in the queue: behind everything that is there, in the
// order of their times, at most limit. It returns the numbers that have them, and when the next one is due; zero: none is
// scheduled.
func (db *DB) Release(ctx context.Context, now time.Time, limit int) (lanes []string, next time.Time, err error) {
	if next, err = db.nextScheduled(ctx); err != nil || next.IsZero() || next.After(now) {
		return nil, next, err
	}
	err = db.write(ctx, func(tx *tx) error {
		lanes = lanes[:0]
		var due []int64
		if err := tx.rows(`SELECT seq, phone_key FROM outbox WHERE place IS NULL AND not_before <= ? ORDER BY not_before, seq LIMIT ?`,
			args(unixMicro(now), limit), func(scan func(...any) error) error {
				var seq int64
				var lane string
				err := scan(&seq, &lane)
				due, lanes = append(due, seq), appendNew(lanes, lane)
				return err
			}); err != nil || len(due) == 0 {
			return err
		}
		// Places are taken out of the sequence of messages: what is accepted from now on comes behind them.
		var last int64
		if _, err := tx.row(`UPDATE sqlite_sequence SET seq = seq + ? WHERE name = 'messages' RETURNING seq`, args(len(due)), &last); err != nil {
			return err
		}
		for i, seq := range due {
			if _, err := tx.exec(`UPDATE outbox SET place = ?, not_before = 0 WHERE seq = ?`, last-int64(len(due)-1-i), seq); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	next, err = db.nextScheduled(ctx)
	return lanes, next, err
}

func (db *DB) nextScheduled(ctx context.Context) (time.Time, error) {
	var at int64
	err := db.queryRow(ctx, `SELECT coalesce(min(not_before), 0) FROM outbox WHERE place IS NULL`).Scan(&at)
	return fromMicro(at), err
}

// Cancel takes a message back that waits and that WhatsApp certainly does not have, and stores the event that report makes of it.
// Whether this or the next attempt comes first, the other one finds that it is too late. A message that the account does not have
// is a fault.NotFound.
func (db *DB) Cancel(ctx context.Context, accountID, id string, now time.Time,
	report func(event.HandOver) (*event.Event, error)) (w message.Withdrawal, err error) {
	err = db.write(ctx, func(tx *tx) error {
		w = message.Withdrawal{}
		h := event.HandOver{AccountID: accountID, At: now}
		var started int64
		var waits bool
		known, err := tx.row(`SELECT m.seq, m.id, m.waba_key, m.phone_key, m.recipient, coalesce(s.state, 'queued'), o.seq IS NOT NULL,
			coalesce(o.started_at, 0), coalesce(w.meta_id, ''), coalesce(p.meta_id, ''), coalesce(p.display_number, '')
			FROM messages m LEFT JOIN states s ON s.seq = m.seq LEFT JOIN outbox o ON o.seq = m.seq
			LEFT JOIN wabas w ON w.key = m.waba_key LEFT JOIN phone_numbers p ON p.key = m.phone_key
			WHERE m.account_id = ?1 AND m.seq = coalesce((SELECT seq FROM messages WHERE id = ?2), (SELECT seq FROM wamids WHERE wamid = ?2))`,
			args(accountID, id), &w.Seq, &h.MessageID, &h.WABAKey, &h.PhoneKey, &h.Recipient, &w.State, &waits, &started,
			&h.WABAMetaID, &h.PhoneMetaID, &h.DisplayNumber)
		if err != nil {
			return err
		}
		if !known {
			return fault.New(fault.NotFound, "There is no message %s in this account.", id)
		}
		w.PhoneKey = h.PhoneKey
		if w.InDoubt = started != 0; !waits || w.InDoubt {
			w.Done = w.State == message.Cancelled
			return nil
		}
		if _, err := tx.exec(`DELETE FROM outbox WHERE seq = ?`, w.Seq); err != nil {
			return err
		}
		if _, err := tx.exec(`INSERT INTO states (seq, state, updated_at) VALUES (?, ?, ?)`, w.Seq, message.Cancelled, unixMicro(now)); err != nil {
			return err
		}
		e, err := report(h)
		if err != nil {
			return err
		}
		if _, err := tx.record(w.Seq, &message.Evidence{Mark: message.Mark{Status: string(message.Cancelled)}, At: now, Failures: e.Failures}, now); err != nil {
			return err
		}
		if err := tx.insertEvent(e); err != nil {
			return err
		}
		w.Done, w.State, w.Destinations = true, message.Cancelled, e.Destinations
		return nil
	})
	return w, err
}
