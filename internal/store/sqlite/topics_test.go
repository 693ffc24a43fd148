package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/store/storetest"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

func TestTopicContract(t *testing.T) {
	t.Parallel()
	storetest.RunTopics(t, func(t *testing.T) storetest.TopicStore {
		return open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true})
	})
}

// A message takes room until its last delivery is done or its last dead letter is gone, and no longer.
func TestTopicMessagesAreForgotten(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	ctx, now := t.Context(), time.Now()
	keys := seedTopic(t, db, 3, now)
	if _, err := db.PublishToTopic(ctx, seededTopic, []queue.Record{{ID: "m", PublishedAt: now, Sealed: []byte("x")}}, nil); err != nil {
		t.Fatal(err)
	}
	count := func() (n int) {
		if err := db.readers.QueryRow(`SELECT count(*) FROM fanout_messages`).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, key := range keys {
		if got := count(); got != 1 {
			t.Fatalf("%d messages stored before delivery %d, want 1", got, i)
		}
		due, err := db.DueMessages(ctx, key, now, nil, 10, 1<<20)
		if err != nil || len(due.Messages) != 1 {
			t.Fatalf("due = %+v, %v", due, err)
		}
		fate := queue.Done
		if i == 1 {
			fate = queue.Undone
		}
		l, err := db.AcquireLease(ctx, fmt.Sprint(key), "me", now, lease.TTL)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.SettleMessages(ctx, l, key, []queue.Outcome{{Seq: due.Messages[0].Seq, Due: due.Messages[0].Due, Fate: fate}}, now); err != nil {
			t.Fatal(err)
		}
	}
	if got := count(); got != 1 {
		t.Fatalf("%d messages stored while there is a dead letter, want 1", got)
	}
	if err := db.SweepQueues(ctx, now, now); err != nil {
		t.Fatal(err)
	}
	if got := count(); got != 0 {
		t.Errorf("%d messages stored in the end, want 0", got)
	}
}

// A filter policy is there as long as a subscription has it.
func TestFiltersAreForgotten(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	ctx := t.Context()
	seedTopic(t, db, 2, time.Now())
	set := func(i int, policy string) {
		if err := db.UpdateSubscription(ctx, fmt.Sprint(seededTopic, ":", i), func(s *topic.Subscription) error { s.Filter.Policy = policy; return nil }); err != nil {
			t.Fatal(err)
		}
	}
	for i, step := range []struct {
		do   func()
		want int
	}{
		{func() { set(0, `{"a": ["1"]}`); set(1, `{"a": ["1"]}`) }, 2},
		{func() { set(0, `{"a": ["2"]}`) }, 2},
		{func() { set(0, "") }, 1},
		{func() {
			if _, err := db.DeleteTopic(ctx, seededTopic); err != nil {
				t.Fatal(err)
			}
		}, 0},
	} {
		step.do()
		var got int
		if err := db.readers.QueryRow(`SELECT count(*) FROM topic_filters`).Scan(&got); err != nil || got != step.want {
			t.Errorf("after step %d: %d policies, %v; want %d", i, got, err, step.want)
		}
	}
}

// The hot queries walk an index whatever the size of the tables.
func TestTopicQueryPlans(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	for name, query := range map[string]string{
		"due":       `SELECT message_seq FROM fanout_deliveries WHERE queue_seq = 1 AND not_before <= 2 ORDER BY not_before, message_seq LIMIT 100`,
		"next":      `SELECT min(not_before) FROM fanout_deliveries WHERE queue_seq = 1 AND not_before > 2`,
		"confirmed": `SELECT seq, filter_seq FROM topic_subscriptions WHERE topic_arn = 'x' AND state = 'confirmed'`,
		"token":     `SELECT seq FROM topic_subscriptions WHERE token = x'00' AND topic_arn = 'x' `,
		"topics":    `SELECT arn FROM topics WHERE account_id = 'x' AND arn > '' ORDER BY arn LIMIT 10`,
		"expired":   `SELECT seq FROM topic_subscriptions WHERE expires_at > 0 AND expires_at <= 5`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rows, err := db.readers.Query(`EXPLAIN QUERY PLAN ` + query)
			if err != nil {
				t.Fatal(err)
			}
			var plan strings.Builder
			err = collect(rows, func(scan func(...any) error) error {
				var id, parent, unused int
				var detail string
				err := scan(&id, &parent, &unused, &detail)
				plan.WriteString(detail + "; ")
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			if p := plan.String(); !strings.Contains(p, "SEARCH") || strings.Contains(p, "TEMP B-TREE") || strings.Contains(p, "SCAN") {
				t.Errorf("plan is %q", p)
			}
		})
	}
}

const seededTopic = "arn:aws:sns:us-east-1:000000000000:seeded"

// seedTopic makes a topic with n confirmed subscriptions whose queues are empty, and returns their keys.
func seedTopic(t testing.TB, db *DB, n int, now time.Time) (keys []int64) {
	t.Helper()
	ctx := t.Context()
	if _, _, err := db.CreateTopic(ctx, topic.Topic{ARN: seededTopic, SignatureVersion: topic.SHA1, CreatedAt: now}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		token := []byte(fmt.Sprint("token ", i))
		s, err := db.Subscribe(ctx, topic.Subscription{ARN: fmt.Sprint(seededTopic, ":", i), TopicARN: seededTopic, Protocol: topic.HTTP,
			Endpoint: fmt.Sprintf("http://%d.example/", i), State: topic.Pending, TokenHash: token, ExpiresAt: now.Add(time.Hour)},
			&queue.Record{ID: "c", Kind: uint8(topic.SubscriptionConfirmation), PublishedAt: now, Sealed: []byte("x")})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.ConfirmSubscription(ctx, seededTopic, token, false, false, now); err != nil {
			t.Fatal(err)
		}
		due, err := db.DueMessages(ctx, s.Key, now, nil, 10, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		l, err := db.AcquireLease(ctx, fmt.Sprint(s.Key), "me", now, lease.TTL)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range due.Messages {
			if _, err := db.SettleMessages(ctx, l, s.Key, []queue.Outcome{{Seq: m.Seq, Due: m.Due}}, now); err != nil {
				t.Fatal(err)
			}
		}
		keys = append(keys, s.Key)
	}
	return keys
}

// commits counts what is asked of filters while a commit is under way.
type commits struct {
	*DB
	asked int
}

func (c *commits) PublishToTopic(ctx context.Context, arn string, messages []queue.Record, wants topic.Wants) ([]int64, error) {
	return c.DB.PublishToTopic(ctx, arn, messages, func(filter int64, load func() (topic.Filter, error), i int) (bool, error) {
		return wants(filter, func() (topic.Filter, error) { c.asked++; return load() }, i)
	})
}

// Every write waits for a commit, so filters, which may take long for a long message, have answered before.
func TestFiltersAreAskedBeforeTheCommit(t *testing.T) {
	t.Parallel()
	db := &commits{DB: open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true})}
	var woken []int64
	topics := topic.NewService(topic.Options{Store: db, Sealer: plainSealer{}, Wake: func(keys ...int64) { woken = append(woken, keys...) }, Now: time.Now})
	keys := seedTopic(t, db.DB, 3, time.Now())
	for i, policy := range []string{`{"a": ["yes"]}`, `{"a": ["no"]}`} {
		for _, set := range [][2]string{{topic.AttrFilterScope, "MessageBody"}, {topic.AttrFilterPolicy, policy}} {
			if err := topics.SetSubscriptionAttribute(t.Context(), fmt.Sprint(seededTopic, ":", i), set[0], set[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := topics.PublishBatch(t.Context(), seededTopic, []topic.Message{{Body: []byte(`{"a": "yes"}`)}}); err != nil {
		t.Fatal(err)
	}
	slices.Sort(woken)
	if diff := cmp.Diff([]int64{keys[0], keys[2]}, woken); diff != "" || db.asked != 0 {
		t.Errorf("%d filters were loaded inside the commit; queues (-want +got):\n%s", db.asked, diff)
	}
}
