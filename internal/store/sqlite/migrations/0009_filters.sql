-- Filter policies of subscriptions. A row is never changed, so that what is compiled from it never goes stale.

CREATE TABLE topic_filters (
  seq    INTEGER PRIMARY KEY AUTOINCREMENT,
  scope  TEXT NOT NULL,
  policy TEXT NOT NULL
);
ALTER TABLE topic_subscriptions ADD COLUMN filter_scope TEXT NOT NULL DEFAULT '';
ALTER TABLE topic_subscriptions ADD COLUMN filter_seq INTEGER NOT NULL DEFAULT 0; -- topic_filters.seq, 0 for none

-- Publishing reads nothing but this index, unless there are filters.
DROP INDEX topic_subscriptions_confirmed;
CREATE INDEX topic_subscriptions_confirmed ON topic_subscriptions (topic_arn, filter_seq) WHERE state = 'confirmed';
