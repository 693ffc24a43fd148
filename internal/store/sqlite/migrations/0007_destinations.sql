-- An event may have several destinations, each with a queue of its own: the AWS event destination of its business account, by
-- ARN; additional destinations, by id; and the event bus of its account, by ARN.

CREATE TABLE event_destinations (
  key         TEXT PRIMARY KEY,
  account_id  TEXT NOT NULL REFERENCES accounts (id),
  waba_key    TEXT NOT NULL, -- '' for every business account
  name        TEXT NOT NULL,
  kind        TEXT NOT NULL,
  address     TEXT NOT NULL,
  role_arn    TEXT NOT NULL,
  filter      TEXT NOT NULL, -- JSON object
  concurrency INTEGER NOT NULL,
  per_second  REAL NOT NULL, -- 0: no limit
  settings    BLOB,          -- sealed
  created_at  INTEGER NOT NULL,
  updated_at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX event_destinations_by_account ON event_destinations (account_id, created_at, key);

-- Events still to be published. What has not failed has place 0; what is to be repeated waits for its time.
CREATE TABLE deliveries_by_due (
  destination TEXT NOT NULL,
  not_before  INTEGER NOT NULL DEFAULT 0,
  seq         INTEGER NOT NULL, -- events.seq
  attempts    INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (destination, not_before, seq)
) WITHOUT ROWID;
INSERT INTO deliveries_by_due (destination, seq, attempts) SELECT destination, seq, attempts FROM deliveries;
DROP TABLE deliveries;
ALTER TABLE deliveries_by_due RENAME TO deliveries;
CREATE INDEX deliveries_by_event ON deliveries (seq, destination);

CREATE TABLE dead_letters_by_destination (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  seq         INTEGER NOT NULL, -- events.seq
  account_id  TEXT NOT NULL,
  destination TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  UNIQUE (seq, destination)
);
INSERT INTO dead_letters_by_destination SELECT key, seq, account_id, destination, attempts, reason, at FROM dead_letters ORDER BY key;
DROP TABLE dead_letters;
ALTER TABLE dead_letters_by_destination RENAME TO dead_letters;
CREATE INDEX dead_letters_by_account ON dead_letters (account_id, key);

ALTER TABLE events DROP COLUMN destination; -- where an event went is in its deliveries

-- How each destination is doing; one that never had an event has no row.
CREATE TABLE queue_states (
  destination   TEXT PRIMARY KEY,
  account_id    TEXT NOT NULL,
  halt          TEXT NOT NULL DEFAULT '', -- 'paused' or 'disabled': nothing is published
  halt_reason   TEXT NOT NULL DEFAULT '',
  halted_at     INTEGER NOT NULL DEFAULT 0,
  failing_since INTEGER NOT NULL DEFAULT 0,
  failure       TEXT NOT NULL DEFAULT '',
  failed_at     INTEGER NOT NULL DEFAULT 0,
  delivered_at  INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- Calls to a destination, those of one minute and one outcome in one row.
CREATE TABLE delivery_attempts (
  destination TEXT NOT NULL,
  minute      INTEGER NOT NULL,
  reason      TEXT NOT NULL, -- '' for success
  rounds      INTEGER NOT NULL,
  events      INTEGER NOT NULL,
  slowest     INTEGER NOT NULL, -- microseconds
  last_at     INTEGER NOT NULL,
  PRIMARY KEY (destination, minute, reason)
) WITHOUT ROWID;
CREATE INDEX delivery_attempts_by_age ON delivery_attempts (minute);
