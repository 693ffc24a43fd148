-- Linking in two phases, unlinking, and what Meta tells about numbers.

ALTER TABLE phone_numbers ADD COLUMN registered INTEGER NOT NULL DEFAULT 0; -- its set-up was finished here
ALTER TABLE phone_numbers ADD COLUMN meta_status TEXT NOT NULL DEFAULT '';
ALTER TABLE phone_numbers ADD COLUMN name_status TEXT NOT NULL DEFAULT '';
ALTER TABLE phone_numbers ADD COLUMN official INTEGER NOT NULL DEFAULT 0;
UPDATE phone_numbers SET registered = 1 WHERE status = 'Active';

ALTER TABLE wabas ADD COLUMN refresh_at INTEGER NOT NULL DEFAULT 0; -- when to ask Meta about it again
CREATE INDEX wabas_by_refresh ON wabas (refresh_at);

CREATE TABLE sign_ups (
  hash       BLOB PRIMARY KEY, -- of the token
  account_id TEXT NOT NULL,
  expires_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX sign_ups_by_expiry ON sign_ups (expires_at);

-- What is still needed of a business account that was unlinked: one row for itself (phone_key '') and one a number. Tokens go
-- with the last message that waits, rows some time later.
CREATE TABLE unlinked (
  phone_key        TEXT NOT NULL,
  waba_key         TEXT NOT NULL,
  account_id       TEXT NOT NULL,
  waba_meta_id     TEXT NOT NULL,
  phone_meta_id    TEXT NOT NULL,
  display_number   TEXT NOT NULL,
  throughput       TEXT NOT NULL,
  destination_role TEXT NOT NULL,
  token            BLOB NOT NULL, -- sealed; empty once nothing waits
  unlinked_at      INTEGER NOT NULL,
  PRIMARY KEY (waba_key, phone_key)
) WITHOUT ROWID;
CREATE INDEX unlinked_by_phone ON unlinked (phone_key);
CREATE INDEX unlinked_by_age ON unlinked (unlinked_at);
