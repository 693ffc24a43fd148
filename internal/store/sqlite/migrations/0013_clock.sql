-- Messages that wait for another attempt, by when it is due.
CREATE INDEX outbox_postponed ON outbox (not_before) WHERE place > 0 AND not_before > 0;
