-- Events along the history of their account, for replays.
CREATE INDEX events_by_account ON events (account_id, at);

-- Dead letters in the order of giving up, and whose they are.
CREATE TABLE dead_letters_by_key (
  key         INTEGER PRIMARY KEY AUTOINCREMENT,
  seq         INTEGER NOT NULL UNIQUE, -- events.seq
  account_id  TEXT NOT NULL,
  destination TEXT NOT NULL,
  attempts    INTEGER NOT NULL,
  reason      TEXT NOT NULL,
  at          INTEGER NOT NULL
);
INSERT INTO dead_letters_by_key (seq, account_id, destination, attempts, reason, at)
  SELECT d.seq, e.account_id, d.destination, d.attempts, d.reason, d.at FROM dead_letters d JOIN events e ON e.seq = d.seq ORDER BY d.at, d.seq;
DROP TABLE dead_letters;
ALTER TABLE dead_letters_by_key RENAME TO dead_letters;
CREATE INDEX dead_letters_by_account ON dead_letters (account_id, key);
