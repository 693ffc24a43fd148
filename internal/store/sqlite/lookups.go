package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// scanLimit is how many messages a search looks at before it returns what it has.
const scanLimit = 5000

// disorder is how much longer than others a message may take from its acceptance until it is stored. The order of the table is that
// in which they are stored.
const disorder = 5 * time.Minute

const summaryColumns = `SELECT m.seq, m.id, m.phone_key, m.recipient, m.kind, m.template, m.accepted_at, coalesce(s.state, 'queued'),
	coalesce(s.wamid, ''), coalesce(s.updated_at, m.accepted_at), EXISTS (SELECT 1 FROM overdue o WHERE o.seq = m.seq),
	m.send_at, m.valid_until`

// searchWithCode says too whether any failure of the message has the code that is asked for. It is one query: a second one for
// each row would take a second connection while it keeps the first, and enough searches at once would wait for each other.
const searchWithCode = summaryColumns + `, CASE WHEN ?5 = 0 THEN 1 ELSE EXISTS (
	SELECT 1 FROM statuses f INDEXED BY statuses_with_failures, json_each(f.failures) j
	WHERE f.seq = m.seq AND f.failures <> '' AND json_extract(j.value, '$.code') = ?5) END FROM `

// The ways into the table, each along an index in falling order of acceptance. Parameters: account, place to start below, key,
// rows to read, error code.
const (
	searchByRecipient = searchWithCode + `messages m INDEXED BY messages_by_recipient LEFT JOIN states s ON s.seq = m.seq
		WHERE m.account_id = ?1 AND m.recipient = ?3 AND m.recipient <> '' AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?4`
	searchByTemplate = searchWithCode + `messages m INDEXED BY messages_by_template LEFT JOIN states s ON s.seq = m.seq
		WHERE m.account_id = ?1 AND m.template = ?3 AND m.template <> '' AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?4`
	searchOverdue = searchWithCode + `overdue d INDEXED BY overdue_by_account JOIN messages m ON m.seq = d.seq LEFT JOIN states s ON s.seq = m.seq
		WHERE d.account_id = ?1 AND d.seq < ?2 ORDER BY d.seq DESC LIMIT ?4`
	searchByAccount = searchWithCode + `messages m INDEXED BY messages_by_account LEFT JOIN states s ON s.seq = m.seq
		WHERE m.account_id = ?1 AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?4`
)

// Search returns the messages of an account that a query selects, newest first.
func (db *DB) Search(ctx context.Context, accountID string, q message.Query) (found message.Found, err error) {
	before := q.Before
	if before == 0 {
		before = math.MaxInt64
	}
	query, key := searchByAccount, ""
	switch {
	case q.Overdue:
		query = searchOverdue
	case q.Recipient != "":
		query, key = searchByRecipient, q.Recipient
	case q.Template != "":
		query, key = searchByTemplate, q.Template
	}
	rows, err := db.query(ctx, query, accountID, before, key, scanLimit, q.ErrorCode)
	if err != nil {
		return found, err
	}
	defer rows.Close()
	for read := 1; rows.Next(); read++ {
		var hasCode bool
		m, err := scanSummary(rows.Scan, &hasCode)
		if err != nil {
			return found, err
		}
		if !q.From.IsZero() && m.AcceptedAt.Before(q.From.Add(-disorder)) {
			return found, nil // the rest is older still
		}
		if hasCode && matches(&m, &q) {
			found.Messages = append(found.Messages, m)
		}
		if len(found.Messages) == q.Limit || read == scanLimit {
			found.Next = m.Seq
			return found, nil
		}
	}
	return found, rows.Err()
}

func scanSummary(scan func(...any) error, more ...any) (m message.Summary, err error) {
	var accepted, updated, sendAt, valid int64
	columns := []any{&m.Seq, &m.ID, &m.PhoneKey, &m.Recipient, &m.Kind, &m.Template, &accepted, &m.State, &m.WAMID, &updated, &m.Overdue, &sendAt, &valid}
	err = scan(append(columns, more...)...)
	m.AcceptedAt, m.UpdatedAt, m.SendAt, m.ValidUntil = fromMicro(accepted), fromMicro(updated), fromMicro(sendAt), fromMicro(valid)
	return m, err
}

// matches checks what the index has not.
func matches(m *message.Summary, q *message.Query) bool {
	return (q.PhoneKey == "" || m.PhoneKey == q.PhoneKey) && (q.Recipient == "" || m.Recipient == q.Recipient) &&
		(q.Template == "" || m.Template == q.Template) && (q.State == "" || m.State == q.State) &&
		!m.AcceptedAt.Before(q.From) && (q.To.IsZero() || m.AcceptedAt.Before(q.To))
}

// Window returns what is known of a customer in relation to one number.
func (db *DB) Window(ctx context.Context, phoneKey, recipient string) (w message.Window, err error) {
	var inbound, marketing int64
	err = db.queryRow(ctx, `SELECT last_inbound_at, marketing, marketing_at FROM windows WHERE phone_key = ? AND recipient = ?`,
		phoneKey, recipient).Scan(&inbound, &w.Marketing, &marketing)
	if errors.Is(err, sql.ErrNoRows) {
		return message.Window{}, nil
	}
	w.LastInboundAt, w.MarketingAt = fromMicro(inbound), fromMicro(marketing)
	return w, err
}
