-- Look-ups start from one of these and never read more of the table than they return or skip.
CREATE INDEX messages_by_account ON messages (account_id, seq);
CREATE INDEX messages_by_recipient ON messages (account_id, recipient, seq) WHERE recipient <> '';
CREATE INDEX messages_by_template ON messages (account_id, template, seq) WHERE template <> '';
CREATE INDEX statuses_with_failures ON statuses (seq) WHERE failures <> '';

-- What a customer last said about marketing messages: 'stop', 'resume' or '' for nothing.
ALTER TABLE windows ADD COLUMN marketing TEXT NOT NULL DEFAULT '';
ALTER TABLE windows ADD COLUMN marketing_at INTEGER NOT NULL DEFAULT 0;
