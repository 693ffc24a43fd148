-- Where Meta sends the callbacks of a business account; '' is where this installation is reached.
ALTER TABLE wabas ADD COLUMN callback_url TEXT NOT NULL DEFAULT '';

-- What a call came to that is carried out once: its sealed output; NULL while that is not known. message_id is '' then.
ALTER TABLE invocations ADD COLUMN output BLOB;

-- A message handed over twice has two ids, which are forgotten with it.
CREATE INDEX wamids_by_seq ON wamids (seq);
