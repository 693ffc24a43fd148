package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// invocationLife is how long a repeated SDK call is recognised.
const invocationLife = time.Hour

// Accept stores a message, its sealed body and its place in the queue. It returns the message's id and place; the body is on
// disk then. While room is scarce it is refused as fault.Unavailable. A message that is to be sent later waits for Release. When
// the same invocation was accepted within the hour, nothing is stored, the earlier message's id comes back and seq is 0.
func (db *DB) Accept(ctx context.Context, m *message.Outbound, sealed []byte) (id string, seq int64, err error) {
	if err := db.admit(Ample); err != nil {
		if id := db.accepted(ctx, m); id != "" {
			return id, 0, nil
		}
		return "", 0, err
	}
	err = db.write(ctx, func(tx *tx) error {
		id, seq = m.ID, 0
		if m.InvocationID != "" {
			earlier, err := tx.claimInvocation(m)
			if err != nil {
				return err
			}
			if earlier != "" {
				id = earlier
				return nil
			}
		}
		n, err := tx.insert(`INSERT INTO messages (id, account_id, waba_key, phone_key, meta_version, kind, recipient, template,
			own_opaque, accepted_at, send_at, valid_until, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, m.ID, m.AccountID, m.WABAKey,
			m.PhoneKey, m.MetaVersion, m.Kind, m.Recipient, m.Template, m.OwnOpaque, unixMicro(m.AcceptedAt), unixMicro(m.SendAt),
			unixMicro(m.ValidUntil), sealed)
		if err != nil {
			return err
		}
		seq = n
		var place any = seq
		if !m.SendAt.IsZero() {
			place = nil // it gets one when it is due
		}
		_, err = tx.exec(`INSERT INTO outbox (seq, place, phone_key, priority, not_before, valid_until) VALUES (?, ?, ?, ?, ?, ?)`,
			seq, place, m.PhoneKey, m.Priority, unixMicro(m.SendAt), unixMicro(m.ValidUntil))
		return err
	})
	return id, seq, err
}

// accepted returns the id of the message that an earlier attempt of the same call left, "" if there is none.
func (db *DB) accepted(ctx context.Context, m *message.Outbound) (id string) {
	if m.InvocationID == "" {
		return ""
	}
	err := db.queryRow(ctx, `SELECT message_id FROM invocations WHERE account_id = ? AND invocation_id = ? AND at > ?`, m.AccountID,
		m.InvocationID, unixMicro(m.AcceptedAt.Add(-invocationLife))).Scan(&id)
	if err != nil {
		return "" // it is refused, and may be repeated again
	}
	return id
}

// claimInvocation remembers the call, or returns the id of the message an earlier attempt of it left.
func (t *tx) claimInvocation(m *message.Outbound) (earlier string, err error) {
	n, err := t.exec(`INSERT INTO invocations (account_id, invocation_id, message_id, at) VALUES (?1, ?2, ?3, ?4)
		ON CONFLICT (account_id, invocation_id) DO UPDATE SET message_id = ?3, at = ?4 WHERE at <= ?5`,
		m.AccountID, m.InvocationID, m.ID, unixMicro(m.AcceptedAt), unixMicro(m.AcceptedAt.Add(-invocationLife)))
	if err != nil || n == 1 {
		return "", err
	}
	_, err = t.row(`SELECT message_id FROM invocations WHERE account_id = ? AND invocation_id = ?`,
		args(m.AccountID, m.InvocationID), &earlier)
	return earlier, err
}

// BeginCall notes that a call is about to be carried out. When it was begun within the hour before, repeated is true, and output is
// what it came to, nil if that is not known.
func (db *DB) BeginCall(ctx context.Context, accountID, call string, now time.Time) (output []byte, repeated bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		output, repeated = nil, false
		n, err := tx.exec(`INSERT INTO invocations (account_id, invocation_id, message_id, at) VALUES (?1, ?2, '', ?3)
			ON CONFLICT (account_id, invocation_id) DO UPDATE SET output = NULL, at = ?3 WHERE at <= ?4`,
			accountID, call, unixMicro(now), unixMicro(now.Add(-invocationLife)))
		if err != nil || n == 1 {
			return err
		}
		repeated, err = tx.row(`SELECT output FROM invocations WHERE account_id = ? AND invocation_id = ?`, args(accountID, call), &output)
		return err
	})
	return output, repeated, err
}

// SettleCall stores what a call that was begun came to; nil forgets it.
func (db *DB) SettleCall(ctx context.Context, accountID, call string, output []byte) error {
	return db.write(ctx, func(tx *tx) error {
		if output == nil {
			_, err := tx.exec(`DELETE FROM invocations WHERE account_id = ? AND invocation_id = ?`, accountID, call)
			return err
		}
		_, err := tx.exec(`UPDATE invocations SET output = ? WHERE account_id = ? AND invocation_id = ?`, output, accountID, call)
		return err
	})
}

// PruneInvocations forgets calls too old to be repeated, a bounded number at a time, and reports whether there may be more.
func (db *DB) PruneInvocations(ctx context.Context, now time.Time) (more bool, err error) {
	const batch = 2000
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM invocations WHERE seq IN (
			SELECT seq FROM (SELECT seq, at FROM invocations ORDER BY seq LIMIT ?) WHERE at <= ?)`,
			batch, unixMicro(now.Add(-invocationLife)))
		more = n == batch
		return err
	})
	return more, err
}

// PruneMessages forgets messages accepted before cutoff that are not waiting any more, and all that is known of them, a
// bounded number at a time, and reports whether there may be more.
func (db *DB) PruneMessages(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 500
	// What waits stays, and may be a lot that was scheduled for later: it is passed over by a reader, not by the writer.
	seqs, err := db.prunable(ctx, `SELECT seq, accepted_at, EXISTS (SELECT 1 FROM outbox o WHERE o.seq = messages.seq)
		FROM messages WHERE seq > ? ORDER BY seq LIMIT ?`, cutoff, batch)
	if err != nil || len(seqs) == 0 {
		return false, err
	}
	err = db.write(ctx, func(tx *tx) error {
		for _, seq := range seqs {
			for _, query := range []string{
				`DELETE FROM wamids WHERE seq = ?`,
				`DELETE FROM statuses WHERE seq = ?`,
				`DELETE FROM states WHERE seq = ?`,
				`DELETE FROM messages WHERE seq = ?`,
			} {
				if _, err := tx.exec(query, seq); err != nil {
					return err
				}
			}
		}
		if len(seqs) > 0 {
			if err := tx.forgetOverdue(seqs[0], seqs[len(seqs)-1]); err != nil {
				return err
			}
		}
		more = len(seqs) == batch
		return nil
	})
	return more, err
}
