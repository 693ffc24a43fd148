-- Where Meta sends the callbacks of a business account; '' is where this installation is reached.
ALTER TABLE wabas ADD COLUMN callback_url TEXT NOT NULL DEFAULT '';
