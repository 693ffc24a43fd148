package sqlite

import (
	"context"
	"errors"
	"slices"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// receiver is a subscription that publishing has to think of.
type receiver struct{ key, filter int64 }

// PublishToTopic queues every message for every Confirmed subscription of the topic that wants it.
func (db *DB) PublishToTopic(ctx context.Context, topicARN string, messages []queue.Record, wants topic.Wants) (queued []int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		queued = queued[:0]
		var seq int64
		if ok, err := tx.row(`SELECT seq FROM topics WHERE arn = ?`, args(topicARN), &seq); err != nil || !ok {
			return errors.Join(err, missingTopic(ok))
		}
		all, filtered, err := tx.receivers(topicARN)
		if err != nil {
			return err
		}
		for i := range messages {
			keys := all
			for _, r := range filtered {
				ok, err := tx.wants(wants, r, i)
				if err != nil {
					return err
				}
				if ok {
					keys = append(keys, r.key)
				}
			}
			if len(keys) == 0 {
				continue
			}
			if err := tx.enqueue(&messages[i], keys); err != nil {
				return err
			}
			for _, key := range keys[len(all):] {
				if !slices.Contains(queued, key) {
					queued = append(queued, key)
				}
			}
		}
		if len(messages) > 0 {
			queued = append(queued, all...)
		}
		return nil
	})
	return queued, err
}

// receivers returns the Confirmed subscriptions of a topic: the keys of those that want everything, and those with a filter.
func (t *tx) receivers(topicARN string) (all []int64, filtered []receiver, err error) {
	err = t.rows(`SELECT seq, filter_seq FROM topic_subscriptions WHERE topic_arn = ? AND state = 'confirmed'`, args(topicARN),
		func(scan func(...any) error) error {
			var r receiver
			err := scan(&r.key, &r.filter)
			if r.filter == 0 {
				all = append(all, r.key)
			} else {
				filtered = append(filtered, r)
			}
			return err
		})
	return slices.Clip(all), filtered, err
}

// wants asks whether a subscription's filter wants the i-th message.
func (t *tx) wants(wants topic.Wants, r receiver, i int) (bool, error) {
	if wants == nil {
		return true, nil
	}
	return wants(r.filter, func() (topic.Filter, error) {
		f := topic.Filter{ID: r.filter}
		ok, err := t.row(`SELECT scope, policy FROM topic_filters WHERE seq = ?`, args(r.filter), &f.Scope, &f.Policy)
		if err == nil && !ok {
			err = errNoFilter
		}
		return f, err
	}, i)
}

// TopicFilters returns the numbers of the filters of a topic's Confirmed subscriptions.
func (db *DB) TopicFilters(ctx context.Context, topicARN string) (ids []int64, err error) {
	rows, err := db.query(ctx, `SELECT filter_seq FROM topic_subscriptions WHERE topic_arn = ? AND state = 'confirmed' AND filter_seq > 0`, topicARN)
	if err != nil {
		return nil, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		ids = append(ids, id)
		return err
	})
	return ids, err
}

// TopicFilter returns the filter that has a number.
func (db *DB) TopicFilter(ctx context.Context, id int64) (topic.Filter, error) {
	f := topic.Filter{ID: id}
	err := db.queryRow(ctx, `SELECT scope, policy FROM topic_filters WHERE seq = ?`, id).Scan(&f.Scope, &f.Policy)
	return f, missing(err, errNoFilter)
}

var errNoFilter = fault.New(fault.NotFound, "the filter policy does not exist")

// setFilter replaces the filter of a subscription that had another one.
func (t *tx) setFilter(s *topic.Subscription, had topic.Filter) error {
	if s.Filter == had {
		return nil
	}
	if had.ID != 0 {
		if _, err := t.exec(`DELETE FROM topic_filters WHERE seq = ?`, had.ID); err != nil {
			return err
		}
	}
	s.Filter.ID = 0
	if s.Filter.Policy == "" {
		return nil
	}
	if had.ID == 0 {
		var n int
		if _, err := t.row(`SELECT count(*) FROM topic_subscriptions WHERE topic_arn = ? AND filter_seq > 0`, args(s.TopicARN), &n); err != nil {
			return err
		}
		if n >= topic.MaxFilters {
			return topic.ErrTooManyFilters
		}
	}
	var err error
	s.Filter.ID, err = t.insert(`INSERT INTO topic_filters (scope, policy) VALUES (?, ?)`, string(s.Filter.Scope), s.Filter.Policy)
	return err
}
