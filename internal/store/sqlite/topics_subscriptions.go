package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

const subscriptionColumns = `seq, arn, topic_arn, account_id, protocol, endpoint, password, raw, state, token, authenticated, owner_only,
	created_at, expires_at, filter_scope, filter_seq, coalesce((SELECT policy FROM topic_filters f WHERE f.seq = filter_seq), '')`

const subscriberQuery = `SELECT ` + subscriptionColumns + `, coalesce((SELECT signature_version FROM topics WHERE topics.arn = topic_arn), '')
	FROM topic_subscriptions WHERE seq = ?`

func scanSubscription(scan func(...any) error, more ...any) (s topic.Subscription, err error) {
	var created, expires int64
	err = scan(append([]any{&s.Key, &s.ARN, &s.TopicARN, &s.AccountID, &s.Protocol, &s.Endpoint, &s.Password, &s.Raw, &s.State, &s.TokenHash,
		&s.Authenticated, &s.OwnerOnly, &created, &expires, &s.Filter.Scope, &s.Filter.ID, &s.Filter.Policy}, more...)...)
	s.CreatedAt, s.ExpiresAt = fromMicro(created), fromMicro(expires)
	return s, err
}

// missing replaces the driver's word for an empty result.
func missing(err, instead error) error {
	if errors.Is(err, sql.ErrNoRows) {
		return instead
	}
	return err
}

// subscription reads the one subscription that a condition names.
func (t *tx) subscription(where string, a ...any) (found topic.Subscription, err error) {
	err = errNoSubscription
	rowsErr := t.rows(`SELECT `+subscriptionColumns+` FROM topic_subscriptions WHERE `+where, a, func(scan func(...any) error) error {
		found, err = scanSubscription(scan)
		return err
	})
	return found, errors.Join(err, rowsErr)
}

// setSubscription writes the parts of a subscription that can change.
func (t *tx) setSubscription(s topic.Subscription) error {
	_, err := t.exec(`UPDATE topic_subscriptions SET password = ?, raw = ?, state = ?, token = ?, authenticated = ?, owner_only = ?,
		expires_at = ?, filter_scope = ?, filter_seq = ? WHERE seq = ?`,
		s.Password, s.Raw, string(s.State), s.TokenHash, s.Authenticated, s.OwnerOnly, unixMicro(s.ExpiresAt), string(s.Filter.Scope), s.Filter.ID, s.Key)
	return err
}

// Subscribe stores a subscription, a Pending one with its confirmation message, or asks a Pending one for the same endpoint again.
func (db *DB) Subscribe(ctx context.Context, s topic.Subscription, confirmation *queue.Record) (stored topic.Subscription, err error) {
	err = db.write(ctx, func(tx *tx) error {
		if _, err := tx.topicByARN(s.TopicARN); err != nil {
			return err
		}
		have, err := tx.subscription(`topic_arn = ? AND protocol = ? AND endpoint = ? AND state IN ('pending', 'confirmed')`,
			s.TopicARN, s.Protocol, s.Endpoint)
		switch {
		case err == nil && have.State == topic.Confirmed:
			stored = have
			return nil
		case err == nil:
			have.Password, have.Raw, have.TokenHash, have.ExpiresAt = s.Password, s.Raw, s.TokenHash, s.ExpiresAt
			have.State, have.Authenticated = s.State, s.Authenticated
			had := have.Filter
			have.Filter = topic.Filter{ID: had.ID, Scope: s.Filter.Scope, Policy: s.Filter.Policy}
			if err := tx.setFilter(&have, had); err != nil {
				return err
			}
			stored = have
			err = tx.setSubscription(have)
		case errors.Is(err, errNoSubscription):
			stored = s
			if stored.Key, err = tx.openQueue(s.ARN, s.AccountID); err != nil {
				return err
			}
			if err = tx.setFilter(&stored, topic.Filter{}); err != nil {
				return err
			}
			_, err = tx.exec(`INSERT INTO topic_subscriptions (seq, arn, topic_arn, account_id, protocol, endpoint, password, raw, state,
				token, authenticated, owner_only, created_at, expires_at, filter_scope, filter_seq)
				VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
				stored.Key, s.ARN, s.TopicARN, s.AccountID, s.Protocol, s.Endpoint, s.Password, s.Raw, string(s.State), s.TokenHash, s.Authenticated,
				s.OwnerOnly, unixMicro(s.CreatedAt), unixMicro(s.ExpiresAt), string(s.Filter.Scope), stored.Filter.ID)
		}
		if err != nil || confirmation == nil {
			return err
		}
		return tx.enqueue(confirmation, []int64{stored.Key})
	})
	return stored, err
}

// Subscription returns a subscription.
func (db *DB) Subscription(ctx context.Context, arn string) (topic.Subscription, error) {
	s, err := scanSubscription(db.queryRow(ctx, `SELECT `+subscriptionColumns+` FROM topic_subscriptions
		WHERE arn = ?`, arn).Scan)
	return s, missing(err, errNoSubscription)
}

// Subscriptions lists an account's live subscriptions by ARN, of one topic unless topicARN is "".
func (db *DB) Subscriptions(ctx context.Context, accountID, topicARN, after string, limit int) (list []topic.Subscription, err error) {
	var rows *sql.Rows
	if topicARN == "" {
		rows, err = db.query(ctx, `SELECT `+subscriptionColumns+` FROM topic_subscriptions
			WHERE account_id = ? AND arn > ? AND state IN ('pending', 'confirmed') ORDER BY arn LIMIT ?`, accountID, after, limit)
	} else {
		rows, err = db.query(ctx, `SELECT `+subscriptionColumns+` FROM topic_subscriptions
			WHERE topic_arn = ? AND account_id = ? AND arn > ? AND state IN ('pending', 'confirmed') ORDER BY arn LIMIT ?`,
			topicARN, accountID, after, limit)
	}
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		s, err := scanSubscription(scan)
		list = append(list, s)
		return err
	})
	return list, err
}

// UpdateSubscription stores what change makes of a subscription.
func (db *DB) UpdateSubscription(ctx context.Context, arn string, change func(*topic.Subscription) error) error {
	return db.write(ctx, func(tx *tx) error {
		s, err := tx.subscription(`arn = ? AND state IN ('pending', 'confirmed')`, arn)
		if err != nil {
			return err
		}
		had := s.Filter
		if err := change(&s); err != nil {
			return err
		}
		if err := tx.setFilter(&s, had); err != nil {
			return err
		}
		return tx.setSubscription(s)
	})
}

// ConfirmSubscription makes the subscription whose token has the hash Confirmed.
func (db *DB) ConfirmSubscription(ctx context.Context, topicARN string, tokenHash []byte, signed, ownerOnly bool, now time.Time) (
	confirmed topic.Subscription, err error) {
	err = db.write(ctx, func(tx *tx) error {
		s, err := tx.subscription(`token = ? AND topic_arn = ?`, tokenHash, topicARN)
		switch {
		case err != nil:
			return err
		case s.State == topic.Confirmed:
			confirmed = s
			return nil
		case !now.Before(s.ExpiresAt):
			return errNoSubscription
		case s.State == topic.Deactivated:
			newer, err := tx.subscription(`topic_arn = ? AND protocol = ? AND endpoint = ? AND state IN ('pending', 'confirmed')`,
				s.TopicARN, s.Protocol, s.Endpoint)
			switch {
			case err == nil && newer.State == topic.Confirmed:
				confirmed = newer
				return nil
			case err == nil:
				s = newer
			case !errors.Is(err, errNoSubscription):
				return err
			}
		}
		s.State, s.ExpiresAt = topic.Confirmed, time.Time{}
		s.Authenticated, s.OwnerOnly = signed, ownerOnly
		confirmed = s
		return tx.setSubscription(s)
	})
	return confirmed, err
}

// Unsubscribe deactivates a subscription and queues its farewell, or forgets it.
func (db *DB) Unsubscribe(ctx context.Context, arn string, tokenHash []byte, expires time.Time, farewell *queue.Record) (key int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		key = 0
		s, err := tx.subscription(`arn = ?`, arn)
		if err != nil {
			return err
		}
		switch {
		case s.State == topic.Pending, farewell == nil:
			key = s.Key
			return tx.endSubscription(key)
		case s.State == topic.Confirmed:
			s.State, s.ExpiresAt, s.TokenHash = topic.Deactivated, expires, tokenHash
		default:
			return nil
		}
		key = s.Key
		if err := tx.setSubscription(s); err != nil {
			return err
		}
		return tx.enqueue(farewell, []int64{s.Key})
	})
	return key, err
}

// endSubscription forgets a subscription. Its queue is emptied later, a batch at a time.
func (t *tx) endSubscription(key int64) error {
	var filter int64
	if _, err := t.row(`DELETE FROM topic_subscriptions WHERE seq = ? RETURNING filter_seq`, args(key), &filter); err != nil {
		return err
	}
	if filter != 0 {
		if _, err := t.exec(`DELETE FROM topic_filters WHERE seq = ?`, filter); err != nil {
			return err
		}
	}
	return t.endQueue(key)
}

// expireSubscriptions ends subscriptions that nobody confirmed or restored in time, at most limit.
func (t *tx) expireSubscriptions(now time.Time, limit int) error {
	var expired []int64
	err := t.rows(`SELECT seq FROM topic_subscriptions WHERE expires_at > 0 AND expires_at <= ? LIMIT ?`, args(unixMicro(now), limit),
		func(scan func(...any) error) error {
			var key int64
			err := scan(&key)
			expired = append(expired, key)
			return err
		})
	if err != nil {
		return err
	}
	for _, key := range expired {
		if err := t.endSubscription(key); err != nil {
			return err
		}
	}
	return nil
}
