package sqlite

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// queue stores a message and one delivery for each of the subscriptions.
func (t *tx) queue(r topic.Record, subscriptions []int64) error {
	at := unixMicro(r.PublishedAt)
	seq, err := t.insert(`INSERT INTO topic_messages (waiting, id, kind, published_at, body) VALUES (?, ?, ?, ?, ?)`,
		len(subscriptions), r.ID, int64(r.Kind), at, r.Sealed)
	if err != nil {
		return err
	}
	for _, sub := range subscriptions {
		if _, err := t.exec(`INSERT INTO topic_deliveries (sub_seq, not_before, message_seq) VALUES (?, ?, ?)`, sub, at, seq); err != nil {
			return err
		}
	}
	return nil
}

// release forgets a message that one delivery fewer needs, with the last of them.
func (t *tx) release(message int64) error {
	n, err := t.exec(`DELETE FROM topic_messages WHERE seq = ? AND waiting <= 1`, message)
	if err == nil && n == 0 {
		_, err = t.exec(`UPDATE topic_messages SET waiting = waiting - 1 WHERE seq = ?`, message)
	}
	return err
}

// PublishToTopic queues every message for every Confirmed subscription of the topic.
func (db *DB) PublishToTopic(ctx context.Context, topicARN string, messages []topic.Record) (queued []int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		queued = queued[:0]
		var seq int64
		if ok, err := tx.row(`SELECT seq FROM topics WHERE arn = ?`, args(topicARN), &seq); err != nil || !ok {
			return errors.Join(err, missingTopic(ok))
		}
		err := tx.rows(`SELECT seq FROM topic_subscriptions WHERE topic_arn = ? AND state = 'confirmed'`, args(topicARN),
			func(scan func(...any) error) error {
				var key int64
				err := scan(&key)
				queued = append(queued, key)
				return err
			})
		if err != nil || len(queued) == 0 {
			return err
		}
		for i := range messages {
			if err := tx.queue(messages[i], queued); err != nil {
				return err
			}
		}
		return nil
	})
	return queued, err
}

func missingTopic(found bool) error {
	if found {
		return nil
	}
	return errNoTopic
}

// WaitingSubscriptions returns the keys of subscriptions that have something due. It reads one index entry a subscription.
func (db *DB) WaitingSubscriptions(ctx context.Context, now time.Time) (keys []int64, err error) {
	rows, err := db.query(ctx, `SELECT s.seq FROM topic_subscriptions s
		WHERE EXISTS (SELECT 1 FROM topic_deliveries d WHERE d.sub_seq = s.seq AND d.not_before <= ?)`, unixMicro(now))
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

// DueMessages reads what is due for a subscription, oldest first, except the messages held. It stops after limit messages
// or when their bodies have reached size bytes, but returns one if there is one. For a Deleted subscription, which will not
// receive them, the bodies are left out.
func (db *DB) DueMessages(ctx context.Context, subscription int64, now time.Time, held []int64, limit, size int) (due topic.Due, err error) {
	rows, err := db.query(ctx, `SELECT d.message_seq, d.not_before, d.attempts, m.id, m.kind, m.published_at,
		CASE WHEN s.state <> 'deleted' THEN m.body END
		FROM topic_deliveries d JOIN topic_messages m ON m.seq = d.message_seq JOIN topic_subscriptions s ON s.seq = d.sub_seq
		WHERE d.sub_seq = ? AND d.not_before <= ? AND d.message_seq NOT IN (SELECT value FROM json_each(?))
		ORDER BY d.not_before, d.message_seq LIMIT ?`, subscription, unixMicro(now), jsonArray(held), limit)
	if err != nil {
		return topic.Due{}, err
	}
	defer rows.Close()
	bytes := 0
	for bytes < size && rows.Next() {
		var w topic.Waiting
		var notBefore, published, kind int64
		if err := rows.Scan(&w.Seq, &notBefore, &w.Attempts, &w.ID, &kind, &published, &w.Sealed); err != nil {
			return topic.Due{}, err
		}
		w.Kind, w.Due, w.PublishedAt = topic.Kind(kind), fromMicro(notBefore), fromMicro(published)
		bytes += len(w.Sealed)
		due.Messages = append(due.Messages, w)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return topic.Due{}, err
	}
	// The subscription comes second: a message queued because of a state is never seen together with an older one.
	var version *string
	due.Subscription, err = scanSubscription(db.queryRow(ctx, `SELECT `+subscriptionColumns+`,
		(SELECT signature_version FROM topics WHERE topics.arn = topic_arn) FROM topic_subscriptions WHERE seq = ?`, subscription).Scan, &version)
	if err != nil {
		return topic.Due{}, missing(err, nil)
	}
	if version != nil {
		due.SignatureVersion = *version
	}
	if len(due.Messages) > 0 {
		return due, nil
	}
	var next *int64
	err = db.queryRow(ctx, `SELECT min(not_before) FROM topic_deliveries WHERE sub_seq = ? AND not_before > ?`,
		subscription, unixMicro(now)).Scan(&next)
	if next != nil {
		due.Next = fromMicro(*next)
	}
	return due, err
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
func (db *DB) SettleMessages(ctx context.Context, l lease.Lease, subscription int64, outcomes []topic.Outcome, now time.Time) (held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var err error
		if held, err = tx.holds(l); err != nil || !held {
			return err
		}
		for i := range outcomes {
			if err := tx.settle(subscription, &outcomes[i], now); err != nil {
				return err
			}
		}
		return nil
	})
	return held, err
}

func (t *tx) settle(subscription int64, o *topic.Outcome, now time.Time) error {
	due := unixMicro(o.Due)
	switch o.Fate {
	case topic.Again:
		_, err := t.exec(`UPDATE topic_deliveries SET not_before = ?, attempts = attempts + 1
			WHERE sub_seq = ? AND not_before = ? AND message_seq = ?`, unixMicro(o.Next), subscription, due, o.Seq)
		return err
	case topic.Undone:
		if _, err := t.exec(`INSERT INTO topic_dead_letters (account_id, subscription_arn, message_seq, attempts, reason, at)
			SELECT s.account_id, s.arn, d.message_seq, d.attempts, ?, ? FROM topic_deliveries d JOIN topic_subscriptions s ON s.seq = d.sub_seq
			WHERE d.sub_seq = ? AND d.not_before = ? AND d.message_seq = ?`, o.Reason, unixMicro(now), subscription, due, o.Seq); err != nil {
			return err
		}
		_, err := t.exec(`DELETE FROM topic_deliveries WHERE sub_seq = ? AND not_before = ? AND message_seq = ?`, subscription, due, o.Seq)
		return err
	default:
		n, err := t.exec(`DELETE FROM topic_deliveries WHERE sub_seq = ? AND not_before = ? AND message_seq = ?`, subscription, due, o.Seq)
		if err != nil || n == 0 {
			return err
		}
		return t.release(o.Seq)
	}
}

// TopicDeadLetters lists deliveries that were given up, oldest first, from the one after the given key.
func (db *DB) TopicDeadLetters(ctx context.Context, accountID string, after int64, limit int) ([]topic.DeadLetter, error) {
	rows, err := db.query(ctx, `SELECT d.seq, d.subscription_arn, m.id, m.kind, m.published_at, d.at, d.attempts, d.reason
		FROM topic_dead_letters d JOIN topic_messages m ON m.seq = d.message_seq
		WHERE d.account_id = ? AND d.seq > ? ORDER BY d.seq LIMIT ?`, accountID, after, limit)
	if err != nil {
		return nil, err
	}
	var list []topic.DeadLetter
	err = collect(rows, func(scan func(...any) error) error {
		var d topic.DeadLetter
		var kind, published, at int64
		err := scan(&d.Key, &d.SubscriptionARN, &d.MessageID, &kind, &published, &at, &d.Attempts, &d.Reason)
		d.Kind, d.PublishedAt, d.At = topic.Kind(kind), fromMicro(published), fromMicro(at)
		list = append(list, d)
		return err
	})
	return list, err
}

// SweepTopics forgets subscriptions that nobody confirmed or restored in time, those that are Deleted once their queue is
// empty, and dead letters older than cutoff, a bounded number at a time.
func (db *DB) SweepTopics(ctx context.Context, now, cutoff time.Time) error {
	const batch = 500
	return db.write(ctx, func(tx *tx) error {
		if _, err := tx.exec(`DELETE FROM topic_subscriptions WHERE seq IN (
			SELECT s.seq FROM topic_subscriptions s WHERE s.expires_at > 0 AND s.expires_at <= ?1 AND s.state = 'deleted'
			  AND NOT EXISTS (SELECT 1 FROM topic_deliveries d WHERE d.sub_seq = s.seq) LIMIT ?2)`, unixMicro(now), batch); err != nil {
			return err
		}
		if _, err := tx.exec(`UPDATE topic_subscriptions SET state = 'deleted' WHERE expires_at > 0 AND expires_at <= ?
			AND state <> 'deleted'`, unixMicro(now)); err != nil {
			return err
		}
		var old []int64
		err := tx.rows(`SELECT seq, message_seq FROM (SELECT seq, message_seq, at FROM topic_dead_letters ORDER BY seq LIMIT ?) WHERE at <= ?`,
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
			if _, err := tx.exec(`DELETE FROM topic_dead_letters WHERE seq = ?`, old[i]); err != nil {
				return err
			}
			if err := tx.release(old[i+1]); err != nil {
				return err
			}
		}
		return nil
	})
}
