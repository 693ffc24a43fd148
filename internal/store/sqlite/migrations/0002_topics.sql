-- The built-in topics. Times are microseconds since 1970, 0 for "not".

CREATE TABLE topics (
  seq               INTEGER PRIMARY KEY AUTOINCREMENT,
  arn               TEXT NOT NULL UNIQUE,
  account_id        TEXT NOT NULL,
  display_name      TEXT NOT NULL,
  policy            TEXT NOT NULL,
  signature_version TEXT NOT NULL,
  tags              TEXT NOT NULL, -- JSON object, or ''
  created_at        INTEGER NOT NULL
);
CREATE INDEX topics_by_account ON topics (account_id, arn);

CREATE TABLE topic_subscriptions (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT,
  arn           TEXT NOT NULL UNIQUE,
  topic_arn     TEXT NOT NULL,
  account_id    TEXT NOT NULL,
  protocol      TEXT NOT NULL,
  endpoint      TEXT NOT NULL, -- password masked
  password      BLOB,          -- sealed
  raw           INTEGER NOT NULL,
  state         TEXT NOT NULL, -- pending, confirmed, deactivated, deleted
  token         BLOB NOT NULL, -- hash
  authenticated INTEGER NOT NULL,
  owner_only    INTEGER NOT NULL,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL
);
CREATE UNIQUE INDEX topic_subscriptions_live ON topic_subscriptions (topic_arn, protocol, endpoint) WHERE state IN ('pending', 'confirmed');
CREATE INDEX topic_subscriptions_confirmed ON topic_subscriptions (topic_arn) WHERE state = 'confirmed';
CREATE INDEX topic_subscriptions_by_topic ON topic_subscriptions (topic_arn, arn);
CREATE INDEX topic_subscriptions_by_account ON topic_subscriptions (account_id, arn);
CREATE INDEX topic_subscriptions_by_token ON topic_subscriptions (token);
CREATE INDEX topic_subscriptions_expiring ON topic_subscriptions (expires_at) WHERE expires_at > 0;

-- What was published: written once, gone after its last delivery.
CREATE TABLE topic_messages (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT,
  waiting      INTEGER NOT NULL, -- deliveries and dead letters that still need it
  id           TEXT NOT NULL,
  kind         INTEGER NOT NULL,
  published_at INTEGER NOT NULL,
  body         BLOB NOT NULL -- sealed
);

-- One row a subscription that has not received a message, in the order in which they are tried.
CREATE TABLE topic_deliveries (
  sub_seq     INTEGER NOT NULL, -- topic_subscriptions.seq
  not_before  INTEGER NOT NULL,
  message_seq INTEGER NOT NULL, -- topic_messages.seq
  attempts    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (sub_seq, not_before, message_seq)
) WITHOUT ROWID;

-- Deliveries that were given up: kept for people to see.
CREATE TABLE topic_dead_letters (
  seq              INTEGER PRIMARY KEY AUTOINCREMENT,
  account_id       TEXT NOT NULL,
  subscription_arn TEXT NOT NULL,
  message_seq      INTEGER NOT NULL, -- topic_messages.seq
  attempts         INTEGER NOT NULL,
  reason           TEXT NOT NULL,
  at               INTEGER NOT NULL
);
CREATE INDEX topic_dead_letters_by_account ON topic_dead_letters (account_id, seq);
