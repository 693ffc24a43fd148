package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// openQueue makes a queue for a subscriber and returns its key.
func (t *tx) openQueue(arn, accountID string) (int64, error) {
	return t.insert(`INSERT INTO fanout_queues (arn, account_id) VALUES (?, ?)`, arn, accountID)
}

// endQueue marks the queue of a subscriber that is gone. It is emptied later, a batch at a time.
func (t *tx) endQueue(key int64) error {
	_, err := t.exec(`UPDATE fanout_queues SET ended = 1 WHERE seq = ?`, key)
	return err
}

// enqueue stores a message and one delivery for each of the queues.
func (t *tx) enqueue(r *queue.Record, queues []int64) error {
	at := unixMicro(r.PublishedAt)
	seq, err := t.insert(`INSERT INTO fanout_messages (waiting, id, kind, published_at, body) VALUES (?, ?, ?, ?, ?)`,
		len(queues), r.ID, r.Kind, at, r.Sealed)
	if err != nil {
		return err
	}
	for _, key := range queues {
		if _, err := t.exec(`INSERT INTO fanout_deliveries (queue_seq, not_before, message_seq) VALUES (?, ?, ?)`, key, at, seq); err != nil {
			return err
		}
	}
	return nil
}

// release forgets a message that one delivery fewer needs, with the last of them.
func (t *tx) release(message int64) error {
	n, err := t.exec(`DELETE FROM fanout_messages WHERE seq = ? AND waiting <= 1`, message)
	if err == nil && n == 0 {
		_, err = t.exec(`UPDATE fanout_messages SET waiting = waiting - 1 WHERE seq = ?`, message)
	}
	return err
}

// WaitingQueues returns the keys of queues that have something due. It reads one index entry a queue.
func (db *DB) WaitingQueues(ctx context.Context, now time.Time) (keys []int64, err error) {
	rows, err := db.query(ctx, `SELECT q.seq FROM fanout_queues q
		WHERE EXISTS (SELECT 1 FROM fanout_deliveries d WHERE d.queue_seq = q.seq AND d.not_before <= ?)`, unixMicro(now))
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var key int64
		err := scan(&key)
		keys = append(keys, key)
		return err
	})
	return keys, err
}

// DueMessages reads what is due in a queue, oldest first, except the messages held. It stops after limit messages or when their
// bodies have reached size bytes, but returns one if there is one. Where the subscriber is gone the bodies are left out.
func (db *DB) DueMessages(ctx context.Context, key int64, now time.Time, held []int64, limit, size int) (due queue.Due, err error) {
	rows, err := db.query(ctx, `SELECT d.message_seq, d.not_before, d.attempts, m.id, m.kind, m.published_at,
		CASE WHEN q.ended = 0 THEN m.body END
		FROM fanout_deliveries d JOIN fanout_messages m ON m.seq = d.message_seq JOIN fanout_queues q ON q.seq = d.queue_seq
		WHERE d.queue_seq = ? AND d.not_before <= ? AND d.message_seq NOT IN (SELECT value FROM json_each(?))
		ORDER BY d.not_before, d.message_seq LIMIT ?`, key, unixMicro(now), jsonArray(held), limit)
	if err != nil {
		return queue.Due{}, err
	}
	defer rows.Close()
	bytes := 0
	for bytes < size && rows.Next() {
		var w queue.Waiting
		var notBefore, published int64
		if err := rows.Scan(&w.Seq, &notBefore, &w.Attempts, &w.ID, &w.Kind, &published, &w.Sealed); err != nil {
			return queue.Due{}, err
		}
		w.Due, w.PublishedAt = fromMicro(notBefore), fromMicro(published)
		bytes += len(w.Sealed)
		due.Messages = append(due.Messages, w)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return queue.Due{}, err
	}
	// The subscriber comes second: a message queued because of a state is never seen together with an older one.
	due.Subscriber, err = subscriber(func(query string) func(...any) error { return db.queryRow(ctx, query, key).Scan })
	if err != nil || len(due.Messages) > 0 {
		return due, err
	}
	var next *int64
	err = db.queryRow(ctx, `SELECT min(not_before) FROM fanout_deliveries WHERE queue_seq = ? AND not_before > ?`,
		key, unixMicro(now)).Scan(&next)
	if next != nil {
		due.Next = fromMicro(*next)
	}
	return due, err
}

// subscriber finds whom a queue is for, nil when it is gone. Queries have the queue's key as their argument.
func subscriber(scan func(query string) func(...any) error) (queue.Subscriber, error) {
	var s topic.Subscriber
	var err error
	if s.Subscription, err = scanSubscription(scan(subscriberQuery), &s.SignatureVersion); err == nil {
		return &s, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	target, err := scanTarget(scan(targetQuery))
	if err != nil {
		return nil, missing(err, nil)
	}
	return &target, nil
}

// subscriber finds whom a queue is for inside a transaction.
func (t *tx) subscriber(key int64) (queue.Subscriber, error) {
	return subscriber(func(query string) func(...any) error { return t.scan(query, key) })
}

// jsonArray lists numbers in a form that json_each reads.
func jsonArray(numbers []int64) string {
	b := make([]byte, 0, 2+12*len(numbers))
	b = append(b, '[')
	for i, n := range numbers {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	return string(append(b, ']'))
}

// SettleMessages records what became of messages that DueMessages returned. It does nothing and reports false when the
// lease has changed hands.
func (db *DB) SettleMessages(ctx context.Context, l lease.Lease, key int64, outcomes []queue.Outcome, now time.Time) (held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		for i := range outcomes {
			if err := tx.settle(key, &outcomes[i], now); err != nil {
				return err
			}
		}
		return nil
	})
	return held, err
}

func (t *tx) settle(key int64, o *queue.Outcome, now time.Time) error {
	due := unixMicro(o.Due)
	switch o.Fate {
	case queue.Again:
		_, err := t.exec(`UPDATE fanout_deliveries SET not_before = ?, attempts = attempts + 1
			WHERE queue_seq = ? AND not_before = ? AND message_seq = ?`, unixMicro(o.Next), key, due, o.Seq)
		return err
	case queue.Undone:
		if _, err := t.exec(`INSERT INTO fanout_dead_letters (account_id, queue_arn, message_seq, attempts, reason, at)
			SELECT q.account_id, q.arn, d.message_seq, d.attempts, ?, ? FROM fanout_deliveries d JOIN fanout_queues q ON q.seq = d.queue_seq
			WHERE d.queue_seq = ? AND d.not_before = ? AND d.message_seq = ?`, o.Reason, unixMicro(now), key, due, o.Seq); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM fanout_deliveries WHERE queue_seq = ? AND not_before = ? AND message_seq = ?`, key, due, o.Seq)
		return err
	default:
		n, err := t.exec(`DELETE FROM fanout_deliveries WHERE queue_seq = ? AND not_before = ? AND message_seq = ?`, key, due, o.Seq)
		if err != nil || n == 0 {
			return err
		}
		return t.release(o.Seq)
	}
}

// SweepQueues ends subscriptions that nobody confirmed or restored in time, and forgets queues that have ended once they are
// empty, and dead letters older than cutoff, a bounded number at a time.
func (db *DB) SweepQueues(ctx context.Context, now, cutoff time.Time) error {
	const batch = 500
	return db.write(ctx, func(tx *tx) error {
		if _, err := tx.exec(`DELETE FROM fanout_queues WHERE seq IN (SELECT q.seq FROM fanout_queues q
			WHERE q.ended = 1 AND NOT EXISTS (SELECT 1 FROM fanout_deliveries d WHERE d.queue_seq = q.seq) LIMIT ?)`, batch); err != nil {
			return err
		}
		if err := tx.expireSubscriptions(now, batch); err != nil {
			return err
		}
		var old []int64
		err := tx.rows(`SELECT seq, message_seq FROM (SELECT seq, message_seq, at FROM fanout_dead_letters ORDER BY seq LIMIT ?) WHERE at <= ?`,
			args(batch, unixMicro(cutoff)), func(scan func(...any) error) error {
				var seq, message int64
				err := scan(&seq, &message)
				old = append(old, seq, message)
				return err
			})
		if err != nil {
			return err
		}
		for i := 0; i < len(old); i += 2 {
			if _, err := tx.exec(`DELETE FROM fanout_dead_letters WHERE seq = ?`, old[i]); err != nil {
				return err
			}
			if err := tx.release(old[i+1]); err != nil {
				return err
			}
		}
		return nil
	})
}
