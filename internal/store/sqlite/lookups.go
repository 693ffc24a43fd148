package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"math"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// scanLimit is how many messages a search looks at before it returns what it has.
const scanLimit = 5000

const searchColumns = `SELECT m.seq, m.id, m.phone_key, m.recipient, m.kind, m.template, m.accepted_at, coalesce(s.state, 'queued'),
	coalesce(s.wamid, ''), coalesce(s.updated_at, m.accepted_at) FROM `

// The ways into the table, each along an index in falling order of acceptance. Parameters: account, place to start below, key,
// rows to read.
const (
	searchByRecipient = searchColumns + `messages m INDEXED BY messages_by_recipient LEFT JOIN states s ON s.seq = m.seq
		WHERE m.account_id = ?1 AND m.recipient = ?3 AND m.recipient <> '' AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?4`
	searchByTemplate = searchColumns + `messages m INDEXED BY messages_by_template LEFT JOIN states s ON s.seq = m.seq
		WHERE m.account_id = ?1 AND m.template = ?3 AND m.template <> '' AND m.seq < ?2 ORDER BY m.seq DESC LIMIT ?4`
	searchByAccount = searchColumns + `messages m INDEXED BY messages_by_account LEFT JOIN states s ON s.seq = m.seq
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
	case q.Recipient != "":
		query, key = searchByRecipient, q.Recipient
	case q.Template != "":
		query, key = searchByTemplate, q.Template
	}
	rows, err := db.query(ctx, query, accountID, before, key, scanLimit)
	if err != nil {
		return found, err
	}
	defer rows.Close()
	for read := 1; rows.Next(); read++ {
		m, err := scanSummary(rows.Scan)
		if err != nil {
			return found, err
		}
		if !q.From.IsZero() && m.AcceptedAt.Before(q.From) {
			return found, nil // the rest is older still
		}
		if matches, err := db.matches(ctx, &m, &q); err != nil {
			return found, err
		} else if matches {
			found.Messages = append(found.Messages, m)
		}
		if len(found.Messages) == q.Limit || read == scanLimit {
			found.Next = m.Seq
			return found, nil
		}
	}
	return found, rows.Err()
}

func scanSummary(scan func(...any) error) (m message.Summary, err error) {
	var accepted, updated int64
	err = scan(&m.Seq, &m.ID, &m.PhoneKey, &m.Recipient, &m.Kind, &m.Template, &accepted, &m.State, &m.WAMID, &updated)
	m.AcceptedAt, m.UpdatedAt = fromMicro(accepted), fromMicro(updated)
	return m, err
}

// matches checks what the index has not. The reasons of failures are read last, and only of messages that have any.
func (db *DB) matches(ctx context.Context, m *message.Summary, q *message.Query) (bool, error) {
	switch {
	case q.PhoneKey != "" && m.PhoneKey != q.PhoneKey,
		q.Recipient != "" && m.Recipient != q.Recipient,
		q.Template != "" && m.Template != q.Template,
		q.State != "" && m.State != q.State,
		!q.To.IsZero() && !m.AcceptedAt.Before(q.To):
		return false, nil
	case q.ErrorCode == 0:
		return true, nil
	}
	rows, err := db.query(ctx, `SELECT failures FROM statuses INDEXED BY statuses_with_failures WHERE seq = ? AND failures <> ''`, m.Seq)
	if err != nil {
		return false, err
	}
	found := false
	err = collect(rows, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		var failures []message.Failure
		if err := json.Unmarshal([]byte(text), &failures); err != nil {
			return err
		}
		for _, f := range failures {
			found = found || f.Code == q.ErrorCode
		}
		return nil
	})
	return found, err
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
