package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// DeadMessages lists deliveries of an account that were given up, oldest first, from the one after the given key.
func (db *DB) DeadMessages(ctx context.Context, accountID string, after int64, limit int) ([]queue.DeadLetter, error) {
	rows, err := db.query(ctx, `SELECT d.seq, d.queue_arn, m.id, m.kind, m.published_at, d.at, d.attempts, d.reason
		FROM fanout_dead_letters d JOIN fanout_messages m ON m.seq = d.message_seq
		WHERE d.account_id = ? AND d.seq > ? ORDER BY d.seq LIMIT ?`, accountID, after, limit)
	if err != nil {
		return nil, err
	}
	var list []queue.DeadLetter
	err = collect(rows, func(scan func(...any) error) error {
		var d queue.DeadLetter
		var published, at int64
		err := scan(&d.Key, &d.Subscriber, &d.MessageID, &d.Kind, &published, &at, &d.Attempts, &d.Reason)
		d.PublishedAt, d.At = fromMicro(published), fromMicro(at)
		list = append(list, d)
		return err
	})
	return list, err
}

// DeadMessage reads a dead letter of an account and the message itself. It returns fault.NotFound if there is none.
func (db *DB) DeadMessage(ctx context.Context, accountID string, key int64) (d queue.DeadLetter, r queue.Record, err error) {
	letters, err := db.DeadMessages(ctx, accountID, key-1, 1)
	if err != nil {
		return d, r, err
	}
	if len(letters) == 1 && letters[0].Key == key {
		d = letters[0]
		r = queue.Record{ID: d.MessageID, Kind: d.Kind, PublishedAt: d.PublishedAt}
		err = db.queryRow(ctx, `SELECT m.body FROM fanout_dead_letters d JOIN fanout_messages m ON m.seq = d.message_seq WHERE d.seq = ?`, key).
			Scan(&r.Sealed)
	}
	if len(letters) == 0 || letters[0].Key != key || errors.Is(err, sql.ErrNoRows) {
		err = fault.New(fault.NotFound, "There is no dead letter notification-%d in this account.", key)
	}
	return d, r, err
}

// RequeueDeadMessages puts dead letters of an account back into the queues of their subscribers. What is no concern of its
// subscriber any more stays a dead letter, as does what another account asks for. It returns how many were requeued and the
// keys of the queues that have them.
func (db *DB) RequeueDeadMessages(ctx context.Context, accountID string, keys []int64, now time.Time) (requeued int, queues []int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		requeued, queues = 0, nil
		for _, key := range keys {
			var seq, message int64
			var kind uint8
			ok, err := tx.row(`SELECT q.seq, d.message_seq, m.kind FROM fanout_dead_letters d
				JOIN fanout_queues q ON q.arn = d.queue_arn AND q.ended = 0 JOIN fanout_messages m ON m.seq = d.message_seq
				WHERE d.seq = ? AND d.account_id = ?`, args(key, accountID), &seq, &message, &kind)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if to, err := tx.subscriber(seq); err != nil {
				return err
			} else if to == nil || !to.Wants(kind) {
				continue
			}
			if _, err := tx.exec(`INSERT INTO fanout_deliveries (queue_seq, not_before, message_seq) VALUES (?, ?, ?)`, seq, unixMicro(now), message); err != nil {
				return err
			}
			if _, err := tx.exec(`DELETE FROM fanout_dead_letters WHERE seq = ?`, key); err != nil {
				return err
			}
			requeued++
			if len(queues) == 0 || queues[len(queues)-1] != seq {
				queues = append(queues, seq)
			}
		}
		return nil
	})
	return requeued, queues, err
}

// DiscardDeadMessages forgets dead letters of an account, and returns how many.
func (db *DB) DiscardDeadMessages(ctx context.Context, accountID string, keys []int64) (discarded int, err error) {
	err = db.write(ctx, func(tx *tx) error {
		discarded = 0
		for _, key := range keys {
			var message int64
			ok, err := tx.row(`DELETE FROM fanout_dead_letters WHERE seq = ? AND account_id = ? RETURNING message_seq`, args(key, accountID), &message)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := tx.release(message); err != nil {
				return err
			}
			discarded++
		}
		return nil
	})
	return discarded, err
}
