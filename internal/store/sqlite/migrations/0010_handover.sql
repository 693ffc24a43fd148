-- Messages that wait for their time, that are valid for a time, and priorities.

ALTER TABLE messages ADD COLUMN send_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;

-- The order within a lane. NULL: the message is scheduled, and not_before is when it gets its place. Places and messages.seq come from
-- one sequence, so that both grow in the order in which messages become due.
ALTER TABLE outbox ADD COLUMN place INTEGER;
ALTER TABLE outbox ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET place = seq;
DROP INDEX outbox_lane;
CREATE INDEX outbox_lane ON outbox (phone_key, priority, place) WHERE place IS NOT NULL;
CREATE INDEX outbox_scheduled ON outbox (not_before) WHERE place IS NULL;
CREATE INDEX outbox_validity ON outbox (phone_key, valid_until) WHERE valid_until > 0;

-- Numbers that WhatsApp takes no messages of, and why; see message.Block.
CREATE TABLE blocks (
  phone_key  TEXT PRIMARY KEY,
  waba_key   TEXT NOT NULL,
  account_id TEXT NOT NULL,
  cause      TEXT NOT NULL,
  waits_from INTEGER NOT NULL, -- priority
  met        INTEGER NOT NULL, -- priority
  code       INTEGER NOT NULL,
  title      TEXT NOT NULL,
  details    TEXT NOT NULL,
  since      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blocks_by_waba ON blocks (waba_key, cause);
