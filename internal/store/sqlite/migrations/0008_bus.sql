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

-- The built-in event bus. Every account has one.
CREATE TABLE bus_rules (
  arn         TEXT PRIMARY KEY,
  account_id  TEXT NOT NULL,
  name        TEXT NOT NULL,
  pattern     TEXT NOT NULL,
  state       TEXT NOT NULL,
  description TEXT NOT NULL,
  role_arn    TEXT NOT NULL,
  created_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX bus_rules_by_account ON bus_rules (account_id, name);
CREATE INDEX bus_rules_enabled ON bus_rules (account_id) WHERE state <> 'DISABLED';

CREATE TABLE bus_targets (
  seq        INTEGER PRIMARY KEY, -- fanout_queues.seq
  account_id TEXT NOT NULL,
  rule_arn   TEXT NOT NULL,
  id         TEXT NOT NULL,
  arn        TEXT NOT NULL,
  settings   TEXT NOT NULL -- JSON object
);
CREATE UNIQUE INDEX bus_targets_by_rule ON bus_targets (rule_arn, id);
CREATE INDEX bus_targets_by_arn ON bus_targets (account_id, arn, rule_arn);

-- Counts the changes of an account's rules and targets, so that whoever has them compiled sees that they are out of date.
CREATE TABLE bus_versions (
  account_id TEXT PRIMARY KEY,
  version    INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE bus_connections (
  account_id  TEXT NOT NULL,
  name        TEXT NOT NULL,
  arn         TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  auth_type   TEXT NOT NULL,
  username    TEXT NOT NULL,
  secret      BLOB NOT NULL, -- sealed
  created_at  INTEGER NOT NULL,
  modified_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, name)
) WITHOUT ROWID;

CREATE TABLE bus_destinations (
  account_id     TEXT NOT NULL,
  name           TEXT NOT NULL,
  arn            TEXT NOT NULL UNIQUE,
  description    TEXT NOT NULL,
  connection_arn TEXT NOT NULL,
  endpoint       TEXT NOT NULL,
  method         TEXT NOT NULL,
  rate           INTEGER NOT NULL,
  created_at     INTEGER NOT NULL,
  modified_at    INTEGER NOT NULL,
  PRIMARY KEY (account_id, name)
) WITHOUT ROWID;
CREATE INDEX bus_destinations_by_connection ON bus_destinations (connection_arn, name);
