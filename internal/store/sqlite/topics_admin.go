package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// RequeueTopicDeadLetters puts dead letters of an account back into the queues of their subscriptions. What is no concern of
// its subscription any more stays a dead letter, as does what another account asks for. It returns how many were requeued and
// the keys of the subscriptions that have them.
func (db *DB) RequeueTopicDeadLetters(ctx context.Context, accountID string, keys []int64, now time.Time) (requeued int, subscriptions []int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		requeued, subscriptions = 0, nil
		for _, key := range keys {
			var sub, message, kind int64
			var state topic.State
			ok, err := tx.row(`SELECT s.seq, s.state, d.message_seq, m.kind FROM topic_dead_letters d
				JOIN topic_subscriptions s ON s.arn = d.subscription_arn JOIN topic_messages m ON m.seq = d.message_seq
				WHERE d.seq = ? AND d.account_id = ?`, args(key, accountID), &sub, &state, &message, &kind)
			if err != nil {
				return err
			}
			if !ok || !topic.Kind(kind).Concerns(state) {
				continue
			}
			if _, err := tx.exec(`INSERT INTO topic_deliveries (sub_seq, not_before, message_seq) VALUES (?, ?, ?)`, sub, unixMicro(now), message); err != nil {
				return err
			}
			if _, err := tx.exec(`DELETE FROM topic_dead_letters WHERE seq = ?`, key); err != nil {
				return err
			}
			requeued++
			if len(subscriptions) == 0 || subscriptions[len(subscriptions)-1] != sub {
				subscriptions = append(subscriptions, sub)
			}
		}
		return nil
	})
	return requeued, subscriptions, err
}

// DiscardTopicDeadLetters forgets dead letters of an account, and returns how many.
func (db *DB) DiscardTopicDeadLetters(ctx context.Context, accountID string, keys []int64) (discarded int, err error) {
	err = db.write(ctx, func(tx *tx) error {
		discarded = 0
		for _, key := range keys {
			var message int64
			ok, err := tx.row(`DELETE FROM topic_dead_letters WHERE seq = ? AND account_id = ? RETURNING message_seq`, args(key, accountID), &message)
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
