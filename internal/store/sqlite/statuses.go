package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// record stores evidence about a message and reports whether it says anything that was not known.
func (t *tx) record(seq int64, e *message.Evidence, now time.Time) (news bool, err error) {
	failures, pricing, err := evidenceText(e)
	if err != nil {
		return false, err
	}
	n, err := t.exec(`INSERT INTO statuses (seq, status, participant, copy, at, recorded_at, failures, pricing) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO NOTHING`, seq, e.Status, e.Participant, e.Copy, unixMicro(e.At), unixMicro(now), failures, pricing)
	if err != nil || n == 1 {
		return n == 1, err
	}
	return t.addEvidence(seq, e)
}

// addEvidence adds to what a mark has told already.
func (t *tx) addEvidence(seq int64, e *message.Evidence) (news bool, err error) {
	known := message.Evidence{Mark: e.Mark}
	var at int64
	var failures, pricing string
	if _, err := t.row(`SELECT at, failures, pricing FROM statuses WHERE seq = ? AND status = ? AND participant = ? AND copy = ?`,
		args(seq, e.Status, e.Participant, e.Copy), &at, &failures, &pricing); err != nil {
		return false, err
	}
	if err := readEvidence(&known, at, failures, pricing); err != nil {
		return false, err
	}
	merged, news := known.Merge(*e)
	failuresNow, pricingNow, err := evidenceText(&merged)
	if err != nil || merged.At.Equal(known.At) && failuresNow == failures && pricingNow == pricing {
		return news, err
	}
	_, err = t.exec(`UPDATE statuses SET at = ?, failures = ?, pricing = ? WHERE seq = ? AND status = ? AND participant = ? AND copy = ?`,
		unixMicro(merged.At), failuresNow, pricingNow, seq, e.Status, e.Participant, e.Copy)
	return news, err
}

// evidenceText renders what has no column of its own; "" is nothing.
func evidenceText(e *message.Evidence) (failures, pricing string, err error) {
	if len(e.Failures) > 0 {
		b, err := json.Marshal(e.Failures)
		if err != nil {
			return "", "", err
		}
		failures = string(b)
	}
	if !e.Pricing.IsZero() {
		b, err := json.Marshal(e.Pricing)
		if err != nil {
			return "", "", err
		}
		pricing = string(b)
	}
	return failures, pricing, nil
}

// readEvidence undoes evidenceText.
func readEvidence(e *message.Evidence, at int64, failures, pricing string) error {
	e.At = fromMicro(at)
	if failures != "" {
		if err := json.Unmarshal([]byte(failures), &e.Failures); err != nil {
			return err
		}
	}
	if pricing != "" {
		return json.Unmarshal([]byte(pricing), &e.Pricing)
	}
	return nil
}

// Lookup returns what is known about a message by our id or WhatsApp's; ok is false when it is unknown to the account.
func (db *DB) Lookup(ctx context.Context, accountID, id string) (st message.Status, ok bool, err error) {
	st.Summary, err = scanSummary(db.queryRow(ctx, summaryColumns+` FROM messages m LEFT JOIN states s ON s.seq = m.seq
		WHERE m.account_id = ?1 AND m.seq = coalesce((SELECT seq FROM messages WHERE id = ?2), (SELECT seq FROM wamids WHERE wamid = ?2))`,
		accountID, id).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return message.Status{}, false, nil
	}
	if err != nil {
		return message.Status{}, false, err
	}
	rows, err := db.query(ctx, `SELECT status, participant, copy, at, recorded_at, failures, pricing FROM statuses WHERE seq = ?
		ORDER BY recorded_at, at, status, participant, copy`, st.Seq)
	if err != nil {
		return message.Status{}, false, err
	}
	err = collect(rows, func(scan func(...any) error) error {
		var step message.Step
		var at, recorded int64
		var failures, pricing string
		if err := scan(&step.Status, &step.Participant, &step.Copy, &at, &recorded, &failures, &pricing); err != nil {
			return err
		}
		step.RecordedAt = fromMicro(recorded)
		st.Timeline = append(st.Timeline, step)
		return readEvidence(&st.Timeline[len(st.Timeline)-1].Evidence, at, failures, pricing)
	})
	return st, err == nil, err
}
