-- Customers that a business account has written to first, and when last: what its messaging limit counts in 24 hours.
CREATE TABLE reached (
  waba_key  TEXT NOT NULL,
  recipient TEXT NOT NULL,
  at        INTEGER NOT NULL,
  PRIMARY KEY (waba_key, recipient)
) WITHOUT ROWID;
CREATE INDEX reached_by_age ON reached (waba_key, at);
