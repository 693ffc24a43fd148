-- Numbers that belong into an instance of Amazon Connect, since that is where the events of their business account go.
CREATE TABLE imports (
  phone_key    TEXT PRIMARY KEY REFERENCES phone_numbers (key) ON DELETE CASCADE,
  waba_key     TEXT NOT NULL,
  instance_arn TEXT NOT NULL,
  connect_arn  TEXT NOT NULL DEFAULT '', -- of the number there; '' until it is there
  attempts     INTEGER NOT NULL DEFAULT 0,
  due_at       INTEGER NOT NULL -- when to try; 0 when it is there
) WITHOUT ROWID;
CREATE INDEX imports_by_waba ON imports (waba_key);
CREATE INDEX imports_due ON imports (due_at) WHERE due_at > 0;
INSERT INTO imports (phone_key, waba_key, instance_arn, due_at)
  SELECT p.key, w.key, w.destination_arn, 1 FROM wabas w JOIN phone_numbers p ON p.waba_key = w.key
  WHERE instr(w.destination_arn, ':connect:') > 0 AND p.registered = 1;
