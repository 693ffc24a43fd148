-- Statuses of a group come for every participant, and of a message that was handed over twice for every copy.
CREATE TABLE statuses_by_mark (
  seq         INTEGER NOT NULL, -- messages.seq
  status      TEXT NOT NULL,
  participant TEXT NOT NULL DEFAULT '', -- of a group
  copy        TEXT NOT NULL DEFAULT '', -- wamid of another copy than the first
  at          INTEGER NOT NULL, -- when it happened, says WhatsApp
  recorded_at INTEGER NOT NULL,
  failures    TEXT NOT NULL DEFAULT '', -- JSON
  pricing     TEXT NOT NULL DEFAULT '', -- JSON
  PRIMARY KEY (seq, status, participant, copy)
) WITHOUT ROWID;
INSERT INTO statuses_by_mark (seq, status, at, recorded_at, failures) SELECT seq, status, at, recorded_at, failures FROM statuses;
DROP TABLE statuses;
ALTER TABLE statuses_by_mark RENAME TO statuses;
CREATE INDEX statuses_with_failures ON statuses (seq) WHERE failures <> '';

-- The last word of Meta's webhooks on matters of a business account or a number that Meta cannot be asked about.
CREATE TABLE notices (
  waba_key  TEXT NOT NULL,
  phone_key TEXT NOT NULL, -- '' for the business account as a whole
  matter    TEXT NOT NULL,
  subject   TEXT NOT NULL,
  state     TEXT NOT NULL,
  reason    TEXT NOT NULL,
  detail    TEXT NOT NULL,
  until     INTEGER NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (waba_key, phone_key, matter, subject)
) WITHOUT ROWID;

-- Messages that WhatsApp took and has reported nothing about, in the order in which they were handed over.
CREATE INDEX states_unreported ON states (updated_at) WHERE state = 'accepted' AND wamid <> '';

-- Those of them whose first status is overdue.
CREATE TABLE overdue (
  seq        INTEGER PRIMARY KEY, -- messages.seq
  account_id TEXT NOT NULL,
  phone_key  TEXT NOT NULL
);
CREATE INDEX overdue_by_account ON overdue (account_id, seq);

-- How many they are by number, and the incident they belong to.
CREATE TABLE silences (
  phone_key  TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  waba_key   TEXT NOT NULL,
  overdue    INTEGER NOT NULL DEFAULT 0, -- rows of the table above
  since      INTEGER NOT NULL DEFAULT 0, -- hand-over of the first message of the incident; 0 without one
  count      INTEGER NOT NULL DEFAULT 0,
  told       INTEGER NOT NULL DEFAULT 0,
  found_at   INTEGER NOT NULL DEFAULT 0,
  heard_at   INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;

-- How far a table has been looked through.
CREATE TABLE watermarks (
  name TEXT PRIMARY KEY,
  at   INTEGER NOT NULL,
  seq  INTEGER NOT NULL
) WITHOUT ROWID;
