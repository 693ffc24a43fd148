-- Times are microseconds since 1970, 0 for "not". Bodies and secrets arrive sealed.

CREATE TABLE accounts (
  id         TEXT PRIMARY KEY,
  alias      TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE users (
  id         TEXT PRIMARY KEY,
  account_id TEXT NOT NULL REFERENCES accounts (id),
  name       TEXT NOT NULL,
  path       TEXT NOT NULL DEFAULT '/',
  created_at INTEGER NOT NULL,
  UNIQUE (account_id, name)
) WITHOUT ROWID;

CREATE TABLE access_keys (
  id         TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL REFERENCES users (id),
  secret     BLOB NOT NULL, -- sealed
  active     INTEGER NOT NULL,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE wabas (
  key              TEXT PRIMARY KEY,
  account_id       TEXT NOT NULL REFERENCES accounts (id),
  meta_id          TEXT NOT NULL UNIQUE,
  name             TEXT NOT NULL,
  status           TEXT NOT NULL,
  linked_at        INTEGER NOT NULL,
  destination_arn  TEXT NOT NULL DEFAULT '', -- '' publishes nothing
  destination_role TEXT NOT NULL DEFAULT '',
  marketing_status TEXT NOT NULL DEFAULT '',
  token            BLOB NOT NULL -- sealed
) WITHOUT ROWID;
CREATE INDEX wabas_by_account ON wabas (account_id, linked_at, key);

CREATE TABLE phone_numbers (
  key             TEXT PRIMARY KEY,
  account_id      TEXT NOT NULL REFERENCES accounts (id),
  waba_key        TEXT NOT NULL REFERENCES wabas (key) ON DELETE CASCADE,
  meta_id         TEXT NOT NULL UNIQUE,
  e164            TEXT NOT NULL,
  display_name    TEXT NOT NULL,
  display_number  TEXT NOT NULL,
  quality         TEXT NOT NULL,
  data_region     TEXT NOT NULL DEFAULT '',
  status          TEXT NOT NULL,
  throughput      TEXT NOT NULL,
  messaging_limit TEXT NOT NULL DEFAULT ''
) WITHOUT ROWID;
CREATE INDEX phone_numbers_by_waba ON phone_numbers (waba_key, key);

CREATE TABLE tags (
  resource TEXT NOT NULL, -- "<kind>/<key>"
  name     TEXT NOT NULL,
  value    TEXT NOT NULL,
  PRIMARY KEY (resource, name)
) WITHOUT ROWID;

-- What was accepted: written once, never changed.
CREATE TABLE messages (
  seq          INTEGER PRIMARY KEY AUTOINCREMENT, -- order of acceptance
  id           TEXT NOT NULL UNIQUE,
  account_id   TEXT NOT NULL,
  waba_key     TEXT NOT NULL,
  phone_key    TEXT NOT NULL,
  meta_version TEXT NOT NULL,
  kind         TEXT NOT NULL,
  recipient    TEXT NOT NULL,
  template     TEXT NOT NULL,
  own_opaque   INTEGER NOT NULL,
  accepted_at  INTEGER NOT NULL,
  body         BLOB NOT NULL -- sealed
);

-- How far it has come. A message without a row here is queued.
CREATE TABLE states (
  seq        INTEGER PRIMARY KEY, -- messages.seq
  state      TEXT NOT NULL,
  wamid      TEXT NOT NULL DEFAULT '',
  updated_at INTEGER NOT NULL
);

-- Every kind of evidence once, with the failure it brought.
CREATE TABLE statuses (
  seq         INTEGER NOT NULL, -- messages.seq
  status      TEXT NOT NULL,
  at          INTEGER NOT NULL, -- when it happened, says WhatsApp
  recorded_at INTEGER NOT NULL,
  failures    TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (seq, status)
) WITHOUT ROWID;

-- A message handed over twice has two.
CREATE TABLE wamids (
  wamid TEXT PRIMARY KEY,
  seq   INTEGER NOT NULL -- messages.seq
) WITHOUT ROWID;

-- Work that is left; small, and empty when all is done.
CREATE TABLE outbox (
  seq        INTEGER PRIMARY KEY, -- messages.seq
  phone_key  TEXT NOT NULL,
  priority   INTEGER NOT NULL,
  attempts   INTEGER NOT NULL DEFAULT 0,
  started_at INTEGER NOT NULL DEFAULT 0, -- of an attempt whose outcome is not known
  not_before INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX outbox_lane ON outbox (phone_key, priority, seq);

CREATE TABLE invocations (
  seq           INTEGER PRIMARY KEY AUTOINCREMENT, -- grows with time, which makes pruning cheap
  account_id    TEXT NOT NULL,
  invocation_id TEXT NOT NULL,
  message_id    TEXT NOT NULL,
  at            INTEGER NOT NULL,
  UNIQUE (account_id, invocation_id)
);

-- Webhooks as they came, until their meaning has been stored.
CREATE TABLE inbox (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  received_at INTEGER NOT NULL,
  final       INTEGER NOT NULL DEFAULT 0, -- 1: publish it even if its message is unknown
  body        BLOB NOT NULL -- sealed
);

-- Statuses that came before the id of their message was known here.
CREATE TABLE orphans (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  wamid       TEXT NOT NULL,
  received_at INTEGER NOT NULL,
  body        BLOB NOT NULL -- sealed webhook with this one status
);
CREATE INDEX orphans_by_wamid ON orphans (wamid);

-- Webhooks nobody here could use: kept and visible.
CREATE TABLE unclaimed (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  received_at INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  body        BLOB NOT NULL -- sealed
);

-- Changes that have become events, so that a repeat does not become another.
CREATE TABLE changes_seen (
  key BLOB PRIMARY KEY,
  at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX changes_seen_by_age ON changes_seen (at);

-- When each customer last wrote to each number.
CREATE TABLE windows (
  phone_key       TEXT NOT NULL,
  recipient       TEXT NOT NULL,
  last_inbound_at INTEGER NOT NULL,
  PRIMARY KEY (phone_key, recipient)
) WITHOUT ROWID;

CREATE TABLE events (
  seq         INTEGER PRIMARY KEY AUTOINCREMENT,
  id          TEXT NOT NULL,
  account_id  TEXT NOT NULL,
  waba_key    TEXT NOT NULL,
  phone_key   TEXT NOT NULL,
  message_id  TEXT NOT NULL,
  wamid       TEXT NOT NULL,
  field       TEXT NOT NULL,
  status      TEXT NOT NULL,
  at          INTEGER NOT NULL,
  destination TEXT NOT NULL,
  entry       BLOB NOT NULL -- sealed
);

-- Events still to be published.
CREATE TABLE deliveries (
  seq         INTEGER PRIMARY KEY, -- events.seq
  destination TEXT NOT NULL,
  attempts    INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX deliveries_by_destination ON deliveries (destination, seq);

-- Events nobody will try to publish again by themselves.
CREATE TABLE dead_letters (
  seq         INTEGER PRIMARY KEY, -- events.seq
  destination TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL
);

CREATE TABLE leases (
  name       TEXT PRIMARY KEY,
  owner      TEXT NOT NULL,
  fence      INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Small secrets and facts of the installation.
CREATE TABLE settings (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL -- sealed
) WITHOUT ROWID;
