package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Lanes lists the phone numbers with messages waiting that are due. It reads one index entry a number, however many messages wait.
func (db *DB) Lanes(ctx context.Context) ([]string, error) {
	rows, err := db.query(ctx, `WITH RECURSIVE lane (key) AS (
		SELECT min(phone_key) FROM outbox WHERE place IS NOT NULL
		UNION ALL
		SELECT (SELECT min(phone_key) FROM outbox WHERE phone_key > lane.key AND place IS NOT NULL) FROM lane WHERE lane.key IS NOT NULL)
		SELECT key FROM lane WHERE key IS NOT NULL`)
	if err != nil {
		return nil, err
	}
	var keys []string
	err = collect(rows, func(scan func(...any) error) error {
		var k string
		err := scan(&k)
		keys = append(keys, k)
		return err
	})
	return keys, err
}

// hasWork is the condition that messages of a number are due.
func hasWork(phoneKey string) string {
	return `EXISTS (SELECT 1 FROM outbox o WHERE o.phone_key = ` + phoneKey + ` AND o.place IS NOT NULL)`
}

const jobColumns = `SELECT o.seq, o.place, o.priority, o.attempts, o.started_at, o.not_before, o.valid_until, m.id, m.account_id, m.waba_key,
	m.meta_version, m.kind, m.recipient, m.own_opaque, m.accepted_at, m.send_at FROM outbox o JOIN messages m ON m.seq = o.seq `

// Jobs reads waiting messages of one number and priority that are due, in order, starting behind a place. Bodies are left out.
func (db *DB) Jobs(ctx context.Context, phoneKey string, p message.Priority, after int64, limit int) ([]message.Job, error) {
	return db.jobs(ctx, phoneKey, jobColumns+`WHERE o.phone_key = ? AND o.priority = ? AND o.place > ? ORDER BY o.place LIMIT ?`,
		phoneKey, p, max(after, 0), limit)
}

// Expired reads waiting messages of one number whose validity is over, oldest first. What is in doubt is left out: a status may
// still prove that WhatsApp has it; and what has no place yet, until it has one.
func (db *DB) Expired(ctx context.Context, phoneKey string, now time.Time, limit int) ([]message.Job, error) {
	return db.jobs(ctx, phoneKey, jobColumns+`WHERE o.phone_key = ? AND o.valid_until > 0 AND o.valid_until <= ? AND o.started_at = 0
		AND o.place IS NOT NULL ORDER BY o.valid_until LIMIT ?`, phoneKey, unixMicro(now), limit)
}

func (db *DB) jobs(ctx context.Context, phoneKey, query string, args ...any) ([]message.Job, error) {
	rows, err := db.query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	var jobs []message.Job
	err = collect(rows, func(scan func(...any) error) error {
		j := message.Job{PhoneKey: phoneKey}
		var started, notBefore, valid, accepted, sendAt int64
		err := scan(&j.Seq, &j.Place, &j.Priority, &j.Attempts, &started, &notBefore, &valid, &j.ID, &j.AccountID, &j.WABAKey, &j.MetaVersion,
			&j.Kind, &j.Recipient, &j.OwnOpaque, &accepted, &sendAt)
		j.StartedAt, j.NotBefore, j.ValidUntil = fromMicro(started), fromMicro(notBefore), fromMicro(valid)
		j.AcceptedAt, j.SendAt = fromMicro(accepted), fromMicro(sendAt)
		jobs = append(jobs, j)
		return err
	})
	return jobs, err
}

// Body returns the sealed body of a message.
func (db *DB) Body(ctx context.Context, seq int64) (sealed []byte, err error) {
	err = db.queryRow(ctx, `SELECT body FROM messages WHERE seq = ?`, seq).Scan(&sealed)
	return sealed, err
}

// Begin records that an attempt is about to start, before anything leaves the machine: after a crash the message is known to
// be in doubt. It reports false, and the attempt must not be made, when the job is no longer waiting in that state or the
// lease has changed hands. While there may be no room to record what comes of it, it is refused as fault.Unavailable.
func (db *DB) Begin(ctx context.Context, l lease.Lease, j *message.Job, now time.Time) (ok bool, err error) {
	if err := db.admit(Scarce); err != nil {
		return false, err
	}
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`UPDATE outbox SET attempts = attempts + 1, started_at = ?
			WHERE seq = ? AND attempts = ? AND EXISTS (SELECT 1 FROM leases WHERE name = ? AND owner = ? AND fence = ?)`,
			unixMicro(now), j.Seq, j.Attempts, l.Name, l.Owner, l.Fence)
		ok = n == 1
		return err
	})
	return ok, err
}

// Postpone puts a begun attempt back into the queue until notBefore. It stays in doubt if WhatsApp may have the message. It
// reports false when the attempt is not the current one any more.
func (db *DB) Postpone(ctx context.Context, j *message.Job, notBefore time.Time, inDoubt bool) (ok bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`UPDATE outbox SET not_before = ?, started_at = CASE WHEN ? THEN started_at ELSE 0 END
			WHERE seq = ? AND attempts = ?`, unixMicro(notBefore), inDoubt, j.Seq, j.Attempts)
		ok = n == 1
		return err
	})
	return ok, err
}

// Finish takes a message out of the queue: WhatsApp accepted it under wamid, refused it, or we gave up. The event, if any, is
// stored with it. It reports false, and changes nothing, when the attempt is not the current one any more, because another
// was begun or a status has already proved the hand-over. What an attempt came to is a fact, whoever has the lane by now: no
// lease is asked for.
func (db *DB) Finish(ctx context.Context, j *message.Job, s message.State, wamid string, e *event.Event, now time.Time) (ok bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM outbox WHERE seq = ? AND attempts = ?`, j.Seq, j.Attempts)
		if ok = n == 1; err != nil || !ok {
			return err
		}
		if _, err := tx.exec(`INSERT INTO states (seq, state, wamid, updated_at) VALUES (?, ?, ?, ?)`,
			j.Seq, s, wamid, unixMicro(now)); err != nil {
			return err
		}
		if wamid != "" {
			if err := tx.knowWAMID(j.Seq, wamid); err != nil {
				return err
			}
		}
		if s == message.Accepted && j.Kind == message.KindTemplate {
			if err := tx.reach(j.Seq, now); err != nil {
				return err
			}
		}
		if e == nil {
			return nil
		}
		// The evidence is our own state. Events call it failed when we give up, but WhatsApp may still report a failure.
		if _, err := tx.record(j.Seq, &message.Evidence{Mark: message.Mark{Status: string(s)}, At: e.At, Failures: e.Failures}, now); err != nil {
			return err
		}
		return tx.insertEvent(e)
	})
	return ok, err
}

// knowWAMID ties WhatsApp's id to a message and sends what came for it too early through the inbox again.
func (t *tx) knowWAMID(seq int64, wamid string) error {
	if _, err := t.exec(`INSERT INTO wamids (wamid, seq) VALUES (?, ?) ON CONFLICT DO NOTHING`, wamid, seq); err != nil {
		return err
	}
	var one int
	early, err := t.row(`SELECT 1 FROM orphans WHERE wamid = ? LIMIT 1`, args(wamid), &one)
	if err != nil || !early {
		return err
	}
	t.arrived = true
	if _, err := t.exec(`INSERT INTO inbox (received_at, body) SELECT received_at, body FROM orphans WHERE wamid = ? ORDER BY seq`, wamid); err != nil {
		return err
	}
	_, err = t.exec(`DELETE FROM orphans WHERE wamid = ?`, wamid)
	return err
}
