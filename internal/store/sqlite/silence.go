package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// unreported is the watermark of the messages that were looked at because they had no status.
const unreported = "unreported"

// FindOverdue looks for messages that were handed over at or before cutoff and have had no status since, those that were not looked
// at before, and notes them. It looks at up to limit and reports how many there were. Webhooks that wait in the inbox may hold the
// status, so what was handed over less than patience before the oldest of them came is left for later.
func (db *DB) FindOverdue(ctx context.Context, now time.Time, patience time.Duration, limit int) (looked int, err error) {
	err = db.write(ctx, func(tx *tx) error {
		looked = 0
		cutoff := unixMicro(now.Add(-patience))
		var oldest int64
		waiting, err := tx.row(`SELECT received_at FROM inbox ORDER BY seq LIMIT 1`, nil, &oldest)
		if err != nil {
			return err
		}
		if waiting {
			cutoff = min(cutoff, oldest-patience.Microseconds())
		}
		mark, err := tx.watermark(unreported)
		if err != nil {
			return err
		}
		if mark.at > unixMicro(now) { // the clock was set back: what was handed over since then is behind the mark
			mark = place{}
		}
		var found []overdueMessage
		err = tx.rows(`SELECT s.updated_at, s.seq, m.account_id, m.waba_key, m.phone_key,
			EXISTS (SELECT 1 FROM statuses e WHERE e.seq = s.seq AND e.status <> 'accepted')
			FROM states s JOIN messages m ON m.seq = s.seq WHERE s.state = 'accepted' AND s.wamid <> '' AND (s.updated_at, s.seq) > (?, ?)
			AND s.updated_at <= ? ORDER BY s.updated_at, s.seq LIMIT ?`, args(mark.at, mark.seq, cutoff, limit), func(scan func(...any) error) error {
			var m overdueMessage
			var reported bool
			err := scan(&mark.at, &mark.seq, &m.accountID, &m.wabaKey, &m.phoneKey, &reported)
			m.place = mark
			looked++
			if !reported {
				found = append(found, m)
			}
			return err
		})
		if err != nil || looked == 0 {
			return err
		}
		for i := range found {
			if err := tx.noteOverdue(&found[i], now); err != nil {
				return err
			}
		}
		_, err = tx.exec(`INSERT OR REPLACE INTO watermarks (name, at, seq) VALUES (?, ?, ?)`, unreported, mark.at, mark.seq)
		return err
	})
	return looked, err
}

// place is a position in the order of hand-over.
type place struct{ at, seq int64 }

type overdueMessage struct {
	place
	accountID, wabaKey, phoneKey string
}

func (t *tx) watermark(name string) (p place, err error) {
	_, err = t.row(`SELECT at, seq FROM watermarks WHERE name = ?`, args(name), &p.at, &p.seq)
	return p, err
}

func (t *tx) noteOverdue(m *overdueMessage, now time.Time) error {
	n, err := t.exec(`INSERT INTO overdue (seq, account_id, phone_key) VALUES (?, ?, ?) ON CONFLICT DO NOTHING`, m.seq, m.accountID, m.phoneKey)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(`INSERT INTO silences (phone_key, account_id, waba_key, overdue, since, count, found_at) VALUES (?1, ?2, ?3, 1, ?4, 1, ?5)
		ON CONFLICT (phone_key) DO UPDATE SET overdue = overdue + 1, since = CASE WHEN since = 0 THEN ?4 ELSE min(since, ?4) END,
		count = count + 1, found_at = ?5`, m.phoneKey, m.accountID, m.wabaKey, m.at, unixMicro(now))
	return err
}

// Silences returns the numbers with messages whose status is overdue, or with an incident.
func (db *DB) Silences(ctx context.Context) ([]message.Silence, error) {
	rows, err := db.query(ctx, `SELECT s.account_id, s.waba_key, s.phone_key, s.overdue, s.since, s.count, s.told, s.found_at, s.heard_at,
		coalesce(w.meta_id, ''), coalesce(p.meta_id, ''), coalesce(p.display_number, '')
		FROM silences s LEFT JOIN wabas w ON w.key = s.waba_key LEFT JOIN phone_numbers p ON p.key = s.phone_key ORDER BY s.phone_key`)
	if err != nil {
		return nil, err
	}
	var list []message.Silence
	err = collect(rows, func(scan func(...any) error) error {
		var s message.Silence
		var since, found, heard int64
		err := scan(&s.AccountID, &s.WABAKey, &s.PhoneKey, &s.Overdue, &since, &s.Count, &s.Told, &found, &heard, &s.WABAMetaID, &s.PhoneMetaID, &s.DisplayNumber)
		s.Since, s.FoundAt, s.HeardAt = fromMicro(since), fromMicro(found), fromMicro(heard)
		list = append(list, s)
		return err
	})
	return list, err
}

// TellSilence notes that a silence was told, or that it is over, and stores the event about it, if any. It does nothing and reports
// false when something has happened to the silence since it was read.
func (db *DB) TellSilence(ctx context.Context, s *message.Silence, over bool, e *event.Event) (ok bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		query := `UPDATE silences SET told = count WHERE phone_key = ? AND since = ? AND count = ? AND overdue = ?`
		if over {
			query = `UPDATE silences SET since = 0, count = 0, told = 0, found_at = 0, heard_at = 0 WHERE phone_key = ? AND since = ? AND count = ? AND overdue = ?`
		}
		n, err := tx.exec(query, s.PhoneKey, unixMicro(s.Since), s.Count, s.Overdue)
		if ok = n == 1; err != nil || !ok {
			return err
		}
		if err := tx.reported(s.PhoneKey, 0, time.Time{}); err != nil || e == nil {
			return err
		}
		return tx.insertEvent(e)
	})
	return ok, err
}

// reported takes messages of a number off those whose status is overdue, notes when a status was heard, and forgets the number when
// there is nothing left to say about it. Most numbers are not known here, and this changes nothing.
func (t *tx) reported(phoneKey string, messages int, heard time.Time) error {
	n, err := t.exec(`UPDATE silences SET overdue = overdue - ?, heard_at = max(heard_at, ?) WHERE phone_key = ?`, messages, unixMicro(heard), phoneKey)
	if err != nil || n == 0 {
		return err
	}
	_, err = t.exec(`DELETE FROM silences WHERE phone_key = ? AND overdue <= 0 AND since = 0`, phoneKey)
	return err
}

// forgetOverdue takes pruned messages off those whose status is overdue: all that were accepted in a range.
func (t *tx) forgetOverdue(first, last int64) error {
	counts := map[string]int{}
	err := t.rows(`SELECT phone_key FROM overdue WHERE seq >= ? AND seq <= ?`, args(first, last), func(scan func(...any) error) error {
		var phone string
		err := scan(&phone)
		counts[phone]++
		return err
	})
	if err != nil || len(counts) == 0 {
		return err
	}
	if _, err := t.exec(`DELETE FROM overdue WHERE seq >= ? AND seq <= ?`, first, last); err != nil {
		return err
	}
	for phone, n := range counts {
		if err := t.reported(phone, n, time.Time{}); err != nil {
			return err
		}
	}
	return nil
}

// hear notes that a status of a number has come, and whether it was overdue: only messages that were looked at can be.
func (a *applier) hear(m *subject, phoneKey string) error {
	if a.heard == nil {
		a.heard = map[string]int{}
	}
	a.heard[phoneKey] += 0
	if m.state != message.Accepted {
		return nil
	}
	if a.lookedAt == nil {
		mark, err := a.tx.watermark(unreported)
		if err != nil {
			return err
		}
		a.lookedAt = &mark
	}
	if m.since > a.lookedAt.at {
		return nil
	}
	n, err := a.tx.exec(`DELETE FROM overdue WHERE seq = ?`, m.seq)
	a.heard[phoneKey] += int(n)
	return err
}

// endSilences writes down what hear has noted.
func (a *applier) endSilences() error {
	for phone, n := range a.heard {
		if err := a.tx.reported(phone, n, a.now); err != nil {
			return err
		}
	}
	return nil
}
