-- The queues of the fan-out are those of subscriptions and of targets alike. Times are microseconds since 1970, 0 for "not".

CREATE TABLE fanout_queues (
  seq        INTEGER PRIMARY KEY AUTOINCREMENT,
  arn        TEXT NOT NULL, -- of the subscriber
  account_id TEXT NOT NULL,
  ended      INTEGER NOT NULL DEFAULT 0 -- the subscriber is gone: what is left is thrown away, then the queue
);
INSERT INTO fanout_queues (seq, arn, account_id, ended) SELECT seq, arn, account_id, state = 'deleted' FROM topic_subscriptions;
CREATE UNIQUE INDEX fanout_queues_live ON fanout_queues (arn) WHERE ended = 0;
CREATE INDEX fanout_queues_ended ON fanout_queues (seq) WHERE ended = 1;

-- From here on topic_subscriptions.seq is that of its queue.
DELETE FROM topic_subscriptions WHERE state = 'deleted';

ALTER TABLE topic_messages RENAME TO fanout_messages;
ALTER TABLE topic_deliveries RENAME TO fanout_deliveries;
ALTER TABLE fanout_deliveries RENAME COLUMN sub_seq TO queue_seq;
ALTER TABLE topic_dead_letters RENAME TO fanout_dead_letters;
ALTER TABLE fanout_dead_letters RENAME COLUMN subscription_arn TO queue_arn;
DROP INDEX topic_dead_letters_by_account;
CREATE INDEX fanout_dead_letters_by_account ON fanout_dead_letters (account_id, seq);
