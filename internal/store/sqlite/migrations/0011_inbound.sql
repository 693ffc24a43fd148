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
