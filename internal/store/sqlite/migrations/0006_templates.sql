-- What Meta's listings and webhooks last said about message templates, and when. Their content stays at Meta.
CREATE TABLE templates (
  waba_key          TEXT NOT NULL,
  meta_id           TEXT NOT NULL,
  name              TEXT NOT NULL,
  language          TEXT NOT NULL,
  status            TEXT NOT NULL,
  reason            TEXT NOT NULL, -- of a rejection
  paused_until      INTEGER NOT NULL, -- 0 if that is not known, or not so
  quality           TEXT NOT NULL,
  category          TEXT NOT NULL,
  previous_category TEXT NOT NULL,
  upcoming_category TEXT NOT NULL,
  price_rise        INTEGER NOT NULL,
  status_at         INTEGER NOT NULL,
  quality_at        INTEGER NOT NULL,
  category_at       INTEGER NOT NULL,
  PRIMARY KEY (waba_key, meta_id)
) WITHOUT ROWID;
