package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Block notes that WhatsApp takes no messages of a number. The first number of an incident has it told: alert makes the event of
// the block it is given, about its beginning or its end. A number that was blocked for another cause is not any more for that one.
// Of a number that was unlinked nothing is noted. It returns the destinations of the events.
func (db *DB) Block(ctx context.Context, b message.Block, now time.Time, alert func(b message.Block, over bool) (*event.Event, error)) (destinations []string, err error) {
	err = db.write(ctx, func(tx *tx) error {
		destinations = nil
		tell := teller(tx, alert, &destinations)
		var one int
		gone, err := tx.row(`SELECT 1 FROM unlinked u WHERE u.phone_key = ? AND NOT EXISTS (SELECT 1 FROM phone_numbers p WHERE p.key = u.phone_key) LIMIT 1`,
			args(b.PhoneKey), &one)
		if err != nil || gone {
			return err
		}
		old, known, err := tx.block(b.PhoneKey)
		if err != nil {
			return err
		}
		if known && old.Cause == b.Cause {
			_, err := tx.exec(`UPDATE blocks SET waits_from = ?, met = ?, code = ?, title = ?, details = ? WHERE phone_key = ?`,
				b.From, b.Met, b.Why.Code, b.Why.Title, b.Why.Details, b.PhoneKey)
			return err
		}
		if known {
			if err := tx.unblock(&old, tell); err != nil {
				return err
			}
		}
		var since int64
		if b.Cause.Shared() {
			if _, err := tx.row(`SELECT coalesce(min(since), 0) FROM blocks WHERE waba_key = ? AND cause = ?`, args(b.WABAKey, b.Cause), &since); err != nil {
				return err
			}
		}
		first := since == 0
		if first {
			since = unixMicro(now)
		}
		if _, err := tx.exec(`INSERT INTO blocks (phone_key, waba_key, account_id, cause, waits_from, met, code, title, details, since)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, b.PhoneKey, b.WABAKey, b.AccountID, b.Cause, b.From, b.Met, b.Why.Code, b.Why.Title,
			b.Why.Details, since); err != nil || !first {
			return err
		}
		b.Since = fromMicro(since)
		return tell(b, false)
	})
	return destinations, err
}

// Unblock notes that WhatsApp takes messages of a number again. That proves the same for the others of its business account that
// have nothing waiting to find out with, if it was blocked as a whole. The last number of an incident has its end told. For a number
// that was not blocked it does nothing.
func (db *DB) Unblock(ctx context.Context, wabaKey, phoneKey string, alert func(b message.Block, over bool) (*event.Event, error)) (destinations []string, err error) {
	err = db.write(ctx, func(tx *tx) error {
		destinations = nil
		tell := teller(tx, alert, &destinations)
		b, known, err := tx.block(phoneKey)
		if err != nil {
			return err
		}
		if known {
			if err := tx.unblock(&b, tell); err != nil {
				return err
			}
		}
		var idle []message.Block
		if err := tx.rows(blockColumns+`WHERE waba_key = ? AND cause IN ('account', 'token') AND NOT `+hasWork("blocks.phone_key"), args(wabaKey),
			func(scan func(...any) error) error {
				var b message.Block
				into, done := blockInto(&b)
				err := scan(into...)
				done()
				idle = append(idle, b)
				return err
			}); err != nil {
			return err
		}
		for i := range idle {
			if err := tx.unblock(&idle[i], tell); err != nil {
				return err
			}
		}
		return nil
	})
	return destinations, err
}

// teller stores the events of alerts.
func teller(tx *tx, alert func(message.Block, bool) (*event.Event, error), destinations *[]string) func(message.Block, bool) error {
	return func(b message.Block, over bool) error {
		e, err := alert(b, over)
		if err != nil {
			return err
		}
		if err := tx.insertEvent(e); err != nil {
			return err
		}
		for _, d := range e.Destinations {
			*destinations = appendNew(*destinations, d)
		}
		return nil
	}
}

// unblock forgets a block, and has the end of its incident told if it was the last one.
func (t *tx) unblock(b *message.Block, tell func(message.Block, bool) error) error {
	if _, err := t.exec(`DELETE FROM blocks WHERE phone_key = ?`, b.PhoneKey); err != nil {
		return err
	}
	if b.Cause.Shared() {
		var one int
		others, err := t.row(`SELECT 1 FROM blocks WHERE waba_key = ? AND cause = ? LIMIT 1`, args(b.WABAKey, b.Cause), &one)
		if err != nil || others {
			return err
		}
	}
	return tell(*b, true)
}

const blockColumns = `SELECT phone_key, waba_key, account_id, cause, waits_from, met, code, title, details, since FROM blocks `

func (t *tx) block(phoneKey string) (b message.Block, known bool, err error) {
	into, done := blockInto(&b)
	known, err = t.row(blockColumns+`WHERE phone_key = ?`, args(phoneKey), into...)
	done()
	return b, known, err
}

// Blocked returns what keeps a number from sending, if anything does: its own block, or one of another number that is that of the
// whole business account.
func (db *DB) Blocked(ctx context.Context, phoneKey string) (b message.Block, blocked bool, err error) {
	into, done := blockInto(&b)
	err = db.queryRow(ctx, blockColumns+`WHERE phone_key = ?`, phoneKey).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		err = db.queryRow(ctx, blockColumns+`WHERE waba_key = (SELECT waba_key FROM phone_numbers WHERE key = ?) AND cause IN ('token', 'account')
			ORDER BY cause DESC LIMIT 1`, phoneKey).Scan(into...)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return message.Block{}, false, nil
	}
	done()
	return b, err == nil, err
}

// blockInto returns where blockColumns go; done finishes.
func blockInto(b *message.Block) (into []any, done func()) {
	var since int64
	return []any{&b.PhoneKey, &b.WABAKey, &b.AccountID, &b.Cause, &b.From, &b.Met, &b.Why.Code, &b.Why.Title, &b.Why.Details, &since},
		func() { b.Since = fromMicro(since) }
}
