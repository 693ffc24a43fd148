package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// DeadEvents lists events of an account that were given up, in the order of giving up, from the one after the given key.
func (db *DB) DeadEvents(ctx context.Context, accountID string, after int64, limit int) ([]event.DeadLetter, error) {
	rows, err := db.query(ctx, `SELECT x.key, e.id, e.waba_key, e.phone_key, e.message_id, e.field, e.status, e.at, x.destination, x.attempts,
		x.reason, x.at FROM dead_letters x JOIN events e ON e.seq = x.seq
		WHERE x.account_id = ? AND x.key > ? ORDER BY x.key LIMIT ?`, accountID, after, limit)
	if err != nil {
		return nil, err
	}
	var list []event.DeadLetter
	err = collect(rows, func(scan func(...any) error) error {
		var l event.DeadLetter
		var at, died int64
		err := scan(&l.Key, &l.ID, &l.WABAKey, &l.PhoneKey, &l.MessageID, &l.Field, &l.Status, &at, &l.Destination, &l.Attempts, &l.Reason, &died)
		l.At, l.DiedAt = fromMicro(at), fromMicro(died)
		list = append(list, l)
		return err
	})
	return list, err
}

// DeadEvent returns one dead letter of an account with its event; NotFound if there is none of this key.
func (db *DB) DeadEvent(ctx context.Context, accountID string, key int64) (l event.DeadLetter, d event.Delivery, err error) {
	letters, err := db.DeadEvents(ctx, accountID, key-1, 1)
	if err != nil {
		return l, d, err
	}
	if len(letters) == 0 || letters[0].Key != key {
		return l, d, fault.New(fault.NotFound, "There is no dead letter event-%d in this account.", key)
	}
	l = letters[0]
	list, err := db.deliveries(ctx, nil, l.Destination, `SELECT x.seq, 0, x.attempts, `+envelopeColumns+`
		FROM dead_letters x JOIN events e ON e.seq = x.seq `+envelopeJoins+`WHERE x.key = ?`, key)
	if err == nil && len(list) == 1 {
		d = list[0]
	}
	return l, d, err
}

// RequeueDeadEvents puts dead letters of an account back into the queue: those of an AWS event destination for the one that their
// business account has now, others for the destination they died on. Those with nowhere to go stay dead letters, as does what
// another account asks for. It returns how many were requeued and where they wait.
func (db *DB) RequeueDeadEvents(ctx context.Context, accountID string, keys []int64) (requeued int, destinations []string, err error) {
	err = db.write(ctx, func(tx *tx) error {
		requeued, destinations = 0, nil
		for _, key := range keys {
			var seq int64
			var died string
			ok, err := tx.row(`SELECT seq, destination FROM dead_letters WHERE key = ? AND account_id = ?`, args(key, accountID), &seq, &died)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			name, err := tx.requeue(seq, died, accountID)
			if err != nil {
				return err
			}
			if name != "" {
				requeued++
				destinations = appendNew(destinations, name)
			}
		}
		return nil
	})
	return requeued, destinations, err
}

// requeue puts an event that died on a destination back into the queue it belongs to now, and returns that one's name, or "".
func (t *tx) requeue(seq int64, died, accountID string) (name string, err error) {
	switch event.KindOf(died) {
	case event.SNS, event.Connect:
		_, err = t.row(`SELECT w.destination_arn FROM events e JOIN wabas w ON w.key = e.waba_key AND w.account_id = e.account_id WHERE e.seq = ?`,
			args(seq), &name)
	case "":
		key, _ := account.ResolveKey(account.Scope{}, account.KindEventDestination, died)
		var one int
		var ok bool
		if ok, err = t.row(`SELECT 1 FROM event_destinations WHERE key = ? AND account_id = ?`, args(key, accountID), &one); ok {
			name = died
		}
	default:
		name = died
	}
	if err != nil || name == "" {
		return "", err
	}
	if _, err := t.queueAgain(seq, name); err != nil {
		return "", err
	}
	_, err = t.exec(`DELETE FROM dead_letters WHERE seq = ? AND destination = ?`, seq, died)
	return name, err
}

// queueAgain puts an event into a queue unless it is there, where it is no dead letter any more, and reports whether it did.
func (t *tx) queueAgain(seq int64, name string) (queued bool, err error) {
	n, err := t.exec(`INSERT INTO deliveries (destination, seq) SELECT ?1, ?2 WHERE NOT EXISTS (
		SELECT 1 FROM deliveries WHERE seq = ?2 AND destination = ?1)`, name, seq)
	if err != nil {
		return false, err
	}
	_, err = t.exec(`DELETE FROM dead_letters WHERE seq = ? AND destination = ?`, seq, name)
	return n == 1, err
}

// DiscardDeadEvents forgets that events of an account were given up, and returns how many. The events stay in the account's
// history as long as any other.
func (db *DB) DiscardDeadEvents(ctx context.Context, accountID string, keys []int64) (discarded int, err error) {
	err = db.write(ctx, func(tx *tx) error {
		discarded = 0
		for _, key := range keys {
			n, err := tx.exec(`DELETE FROM dead_letters WHERE key = ? AND account_id = ?`, key, accountID)
			if err != nil {
				return err
			}
			discarded += int(n)
		}
		return nil
	})
	return discarded, err
}

// PruneDeadEvents forgets dead letters that were given up before cutoff, a bounded number at a time, and reports whether there
// may be more.
func (db *DB) PruneDeadEvents(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 1000
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM dead_letters WHERE key IN (
			SELECT key FROM (SELECT key, at FROM dead_letters ORDER BY key LIMIT ?) WHERE at <= ?)`, batch, unixMicro(cutoff))
		more = n == batch
		return err
	})
	return more, err
}

// fate is what became of an event that was to be published again.
type fate uint8

const (
	queuedAgain fate = iota
	queuedBefore
	undirected
	forgotten
)

// publishAgain queues a stored event for every destination that wants it now, or for one of them only. It is no dead letter there
// then.
func (t *tx) publishAgain(seq int64, only string) (names []string, f fate, err error) {
	var e event.Event
	ok, err := t.row(`SELECT account_id, waba_key, phone_key, field, status FROM events WHERE seq = ?`, args(seq),
		&e.AccountID, &e.WABAKey, &e.PhoneKey, &e.Field, &e.Status)
	if err != nil || !ok {
		return nil, forgotten, err
	}
	r, err := t.route(&e)
	if err != nil {
		return nil, 0, err
	}
	f = undirected
	for _, name := range r.all() {
		if only != "" && name != only {
			continue
		}
		queued, err := t.queueAgain(seq, name)
		if err != nil {
			return nil, 0, err
		}
		if queued {
			names = append(names, name)
		}
		f = queuedBefore
	}
	if len(names) > 0 {
		f = queuedAgain
	}
	return names, f, nil
}

// Replay queues stored events of an account for the destinations that want them now, oldest first, and says what became of each.
// Events that wait for a destination already stay where they are.
func (db *DB) Replay(ctx context.Context, accountID string, q event.Replay) (res event.Replayed, err error) {
	var seqs []int64
	var next event.Place
	if q.MessageID != "" {
		seqs, err = db.eventsOfMessage(ctx, accountID, &q)
	} else {
		seqs, next, err = db.history(ctx, accountID, &q)
	}
	if err != nil || len(seqs) == 0 {
		return event.Replayed{Next: next}, err
	}
	err = db.write(ctx, func(tx *tx) error {
		res = event.Replayed{Next: next}
		for _, seq := range seqs {
			names, fate, err := tx.publishAgain(seq, q.Destination)
			if err != nil {
				return err
			}
			switch fate {
			case queuedAgain:
				res.Queued++
				for _, name := range names {
					res.Destinations = appendNew(res.Destinations, name)
				}
			case queuedBefore:
				res.Waiting++
			case undirected:
				res.Undirected++
			case forgotten:
			}
		}
		return nil
	})
	return res, err
}

// history selects events along an account's history.
func (db *DB) history(ctx context.Context, accountID string, q *event.Replay) (seqs []int64, next event.Place, err error) {
	from, after := unixMicro(q.From), int64(0)
	if q.After != (event.Place{}) {
		from, after = unixMicro(q.After.At), q.After.Seq
	}
	rows, err := db.query(ctx, `SELECT seq, at, field, status FROM events INDEXED BY events_by_account
		WHERE account_id = ?1 AND at >= ?2 AND (at > ?2 OR seq > ?3) AND at < ?4 ORDER BY at, seq LIMIT ?5`,
		accountID, from, after, to(q.To), scanLimit+1)
	if err != nil {
		return nil, event.Place{}, err
	}
	defer rows.Close()
	var last event.Place
	for read := 0; rows.Next(); read++ {
		if read == scanLimit || len(seqs) == q.Limit {
			return seqs, last, nil // there is more
		}
		var at int64
		var field, status string
		if err := rows.Scan(&last.Seq, &at, &field, &status); err != nil {
			return nil, event.Place{}, err
		}
		last.At = fromMicro(at)
		if (q.Field == "" || field == q.Field) && (q.Status == "" || status == q.Status) {
			seqs = append(seqs, last.Seq)
		}
	}
	return seqs, event.Place{}, rows.Err()
}

// eventsOfMessage selects the events about a message. Each is as old as a piece of evidence, or as its recording, which leads to
// them without an index that ingesting events would have to keep.
func (db *DB) eventsOfMessage(ctx context.Context, accountID string, q *event.Replay) (seqs []int64, err error) {
	rows, err := db.query(ctx, `SELECT e.seq FROM (
			SELECT s.at FROM messages m JOIN statuses s ON s.seq = m.seq WHERE m.id = ?2 AND m.account_id = ?1
			UNION SELECT s.recorded_at FROM messages m JOIN statuses s ON s.seq = m.seq WHERE m.id = ?2 AND m.account_id = ?1) moment
		CROSS JOIN events e INDEXED BY events_by_account ON e.account_id = ?1 AND e.at = moment.at
		WHERE e.message_id = ?2 AND e.at >= ?3 AND e.at < ?4 AND ?5 IN ('', e.field) AND ?6 IN ('', e.status) ORDER BY e.seq`,
		accountID, q.MessageID, unixMicro(q.From), to(q.To), q.Field, q.Status)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var seq int64
		err := scan(&seq)
		seqs = append(seqs, seq)
		return err
	})
	return seqs, err
}

// to is the end of a range of time that may be open.
func to(t time.Time) int64 {
	if t.IsZero() {
		return math.MaxInt64
	}
	return unixMicro(t)
}

// UnclaimedWebhook returns one of the webhooks that nobody here could use; ok is false when there is none of this number.
func (db *DB) UnclaimedWebhook(ctx context.Context, seq int64) (u event.Unclaimed, ok bool, err error) {
	var at int64
	err = db.queryRow(ctx, `SELECT seq, received_at, reason, body FROM unclaimed WHERE seq = ?`, seq).Scan(&u.Seq, &at, &u.Reason, &u.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return event.Unclaimed{}, false, nil
	}
	u.ReceivedAt = fromMicro(at)
	return u, err == nil, err
}
