-- Messages that wait for their time, that are valid for a time, and priorities.

ALTER TABLE messages ADD COLUMN send_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;

-- The order within a lane. 0: the message is scheduled, and not_before is when it gets its place. Places and messages.seq come from
-- one sequence, so that both grow in the order in which messages become due.
ALTER TABLE outbox ADD COLUMN place INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN valid_until INTEGER NOT NULL DEFAULT 0;
UPDATE outbox SET place = seq;
DROP INDEX outbox_lane;
CREATE INDEX outbox_lane ON outbox (phone_key, priority, place);
CREATE INDEX outbox_scheduled ON outbox (not_before) WHERE place = 0;
CREATE INDEX outbox_validity ON outbox (phone_key, valid_until) WHERE valid_until > 0;
