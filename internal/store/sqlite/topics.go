package sqlite

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

const topicColumns = `arn, account_id, display_name, policy, signature_version, tags, created_at`

func scanTopic(scan func(...any) error) (t topic.Topic, err error) {
	var tags string
	var created int64
	if err := scan(&t.ARN, &t.AccountID, &t.DisplayName, &t.Policy, &t.SignatureVersion, &tags, &created); err != nil {
		return topic.Topic{}, err
	}
	t.CreatedAt = fromMicro(created)
	if tags != "" {
		err = json.Unmarshal([]byte(tags), &t.Tags)
	}
	return t, err
}

func topicTags(t topic.Topic) (string, error) {
	if len(t.Tags) == 0 {
		return "", nil
	}
	b, err := json.Marshal(t.Tags)
	return string(b), err
}

var (
	errNoTopic        = fault.New(fault.NotFound, "Topic does not exist")
	errNoSubscription = fault.New(fault.NotFound, "Subscription does not exist")
)

// topicByARN reads a topic inside a transaction.
func (t *tx) topicByARN(arn string) (found topic.Topic, err error) {
	err = errNoTopic
	rowsErr := t.rows(`SELECT `+topicColumns+` FROM topics WHERE arn = ?`, args(arn), func(scan func(...any) error) error {
		found, err = scanTopic(scan)
		return err
	})
	return found, errors.Join(err, rowsErr)
}

// CreateTopic stores a topic, or returns the one that has its ARN already.
func (db *DB) CreateTopic(ctx context.Context, t topic.Topic) (stored topic.Topic, created bool, err error) {
	tags, err := topicTags(t)
	if err != nil {
		return topic.Topic{}, false, err
	}
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`INSERT INTO topics (arn, account_id, display_name, policy, signature_version, tags, created_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (arn) DO NOTHING`,
			t.ARN, t.AccountID, t.DisplayName, t.Policy, t.SignatureVersion, tags, unixMicro(t.CreatedAt))
		if err != nil {
			return err
		}
		created = n == 1
		stored, err = tx.topicByARN(t.ARN)
		return err
	})
	return stored, created, err
}

// Topic returns a topic.
func (db *DB) Topic(ctx context.Context, arn string) (topic.Topic, error) {
	t, err := scanTopic(db.queryRow(ctx, `SELECT `+topicColumns+` FROM topics WHERE arn = ?`, arn).Scan)
	return t, missing(err, errNoTopic)
}

// Topics lists an account's topics by ARN, from the one after the given ARN.
func (db *DB) Topics(ctx context.Context, accountID, after string, limit int) ([]topic.Topic, error) {
	rows, err := db.query(ctx, `SELECT `+topicColumns+` FROM topics WHERE account_id = ? AND arn > ? ORDER BY arn LIMIT ?`,
		accountID, after, limit)
	if err != nil {
		return nil, err
	}
	var list []topic.Topic
	err = collect(rows, func(scan func(...any) error) error {
		t, err := scanTopic(scan)
		list = append(list, t)
		return err
	})
	return list, err
}

// UpdateTopic stores what change makes of a topic.
func (db *DB) UpdateTopic(ctx context.Context, arn string, change func(*topic.Topic) error) error {
	return db.write(ctx, func(tx *tx) error {
		t, err := tx.topicByARN(arn)
		if err != nil {
			return err
		}
		if err := change(&t); err != nil {
			return err
		}
		tags, err := topicTags(t)
		if err != nil {
			return err
		}
		_, err = tx.exec(`UPDATE topics SET display_name = ?, policy = ?, signature_version = ?, tags = ? WHERE arn = ?`,
			t.DisplayName, t.Policy, t.SignatureVersion, tags, arn)
		return err
	})
}

// DeleteTopic removes a topic with its subscriptions, whose queues are emptied later, a batch at a time.
func (db *DB) DeleteTopic(ctx context.Context, arn string) (keys []int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		keys = keys[:0]
		if _, err := tx.exec(`DELETE FROM topics WHERE arn = ?`, arn); err != nil {
			return err
		}
		err := tx.rows(`SELECT seq FROM topic_subscriptions WHERE topic_arn = ?`, args(arn), func(scan func(...any) error) error {
			var key int64
			err := scan(&key)
			keys = append(keys, key)
			return err
		})
		if err != nil {
			return err
		}
		for _, key := range keys {
			if err := tx.endSubscription(key); err != nil {
				return err
			}
		}
		return nil
	})
	return keys, err
}

// SubscriptionCounts tells how many subscriptions a topic has in each state.
func (db *DB) SubscriptionCounts(ctx context.Context, topicARN string) (c topic.Counts, err error) {
	err = db.queryRow(ctx, `SELECT count(*) FILTER (WHERE state = 'confirmed'), count(*) FILTER (WHERE state = 'pending'),
		count(*) FILTER (WHERE state = 'deactivated') FROM topic_subscriptions WHERE topic_arn = ?`, topicARN).
		Scan(&c.Confirmed, &c.Pending, &c.Deleted)
	return c, err
}

func missingTopic(found bool) error {
	if found {
		return nil
	}
	return errNoTopic
}
