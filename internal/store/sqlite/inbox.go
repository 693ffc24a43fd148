package sqlite

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Arrived tells its one reader that webhooks have been put into the inbox through this DB since it was last told: those that came
// from Meta, and statuses whose message has become known. It is told after they are on disk.
func (db *DB) Arrived() <-chan struct{} { return db.writer.arrived }

// Receive stores a webhook's sealed body. It is on disk when Receive returns. While there is no room for it, it is refused as
// fault.Unavailable.
func (db *DB) Receive(ctx context.Context, sealed []byte, now time.Time) error {
	if err := db.admit(Scarce); err != nil {
		return err
	}
	return db.write(ctx, func(tx *tx) error {
		tx.arrived = true
		_, err := tx.exec(`INSERT INTO inbox (received_at, body) VALUES (?, ?)`, unixMicro(now), sealed)
		return err
	})
}

// maxWebhooks bounds what is read at once: one webhook may have megabytes, most have less than one.
const maxWebhooks = 2 << 20

// Webhooks reads the oldest webhooks whose meaning is not stored yet, in order of arrival: at most limit, and no more once they have
// reached a few megabytes.
func (db *DB) Webhooks(ctx context.Context, limit int) (list []event.Webhook, err error) {
	rows, err := db.query(ctx, `SELECT seq, received_at, final, body FROM inbox ORDER BY seq LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for bytes := 0; bytes < maxWebhooks && rows.Next(); {
		var w event.Webhook
		var at int64
		if err := rows.Scan(&w.Seq, &at, &w.Final, &w.Body); err != nil {
			return nil, err
		}
		w.ReceivedAt = fromMicro(at)
		bytes += len(w.Body)
		list = append(list, w)
	}
	return list, rows.Err()
}

// Understood reports whether every webhook that came before a time has been applied.
func (db *DB) Understood(ctx context.Context, before time.Time) (ok bool, err error) {
	err = db.queryRow(ctx, `SELECT NOT EXISTS (SELECT 1 FROM (SELECT received_at FROM inbox ORDER BY seq LIMIT 1) WHERE received_at < ?)`,
		unixMicro(before)).Scan(&ok)
	return ok, err
}

// Apply stores what webhooks mean, all of it or nothing, and forgets them. Applying one again does nothing. The batch is a part of
// what Webhooks returned, in that order, and without gaps but for what was rejected since.
//
// Statuses move their message forward, or wait as orphans while the message's id is unknown; inbound messages open the
// customer's window; every change that is new becomes one event. handedOver builds the event that reports a hand-over which
// only a status has proved.
func (db *DB) Apply(ctx context.Context, batch []event.Understood, now time.Time,
	handedOver func(event.HandOver) (*event.Event, error)) (res event.Applied, err error) {
	err = db.write(ctx, func(tx *tx) error {
		res = event.Applied{}
		a := applier{tx: tx, now: now, handedOver: handedOver, res: &res, wabas: map[string]wabaRef{}, phones: map[string]string{},
			takers: map[wabaRef]*takers{}}
		waiting, err := tx.takeFromInbox(batch)
		if err != nil {
			return err
		}
		for i := range batch {
			if !waiting[i] {
				continue // applied already
			}
			a.webhook = batch[i].Webhook
			for j := range batch[i].Changes {
				if err := a.apply(&batch[i].Changes[j]); err != nil {
					return err
				}
			}
		}
		return a.endSilences()
	})
	return res, err
}

// takeFromInbox removes the webhooks of a batch, in one statement, and tells which of them were there.
func (t *tx) takeFromInbox(batch []event.Understood) (waiting []bool, err error) {
	waiting = make([]bool, len(batch))
	if len(batch) == 0 {
		return waiting, nil
	}
	first, last := batch[0].Webhook.Seq, batch[len(batch)-1].Webhook.Seq
	err = t.rows(`DELETE FROM inbox WHERE seq >= ? AND seq <= ? RETURNING seq`, args(first, last), func(scan func(...any) error) error {
		var seq int64
		if err := scan(&seq); err != nil {
			return err
		}
		i, ours := slices.BinarySearchFunc(batch, seq, func(u event.Understood, seq int64) int { return cmp.Compare(u.Webhook.Seq, seq) })
		if !ours {
			return fmt.Errorf("webhook %d waits within the batch from %d to %d, and is not part of it", seq, first, last)
		}
		waiting[i] = true
		return nil
	})
	return waiting, err
}

// Reject takes a webhook out of the inbox and keeps it with the reason it could not be used.
func (db *DB) Reject(ctx context.Context, w event.Webhook, reason string) error {
	return db.write(ctx, func(tx *tx) error {
		if _, err := tx.exec(`INSERT INTO unclaimed (received_at, reason, body) SELECT received_at, ?, body FROM inbox WHERE seq = ?`, reason, w.Seq); err != nil {
			return err
		}
		_, err := tx.exec(`DELETE FROM inbox WHERE seq = ?`, w.Seq)
		return err
	})
}

// ReleaseOrphans sends statuses that have waited since before cutoff through the inbox once more, to be published without
// their message: the oldest, up to limit. It reports how many.
func (db *DB) ReleaseOrphans(ctx context.Context, cutoff time.Time, limit int) (n int64, err error) {
	err = db.write(ctx, func(tx *tx) error {
		var last int64
		found, err := tx.row(`SELECT coalesce(max(seq), 0) FROM (SELECT seq, received_at FROM orphans ORDER BY seq LIMIT ?) WHERE received_at <= ?`,
			args(limit, unixMicro(cutoff)), &last)
		if n = 0; err != nil || !found || last == 0 {
			return err
		}
		if n, err = tx.exec(`INSERT INTO inbox (received_at, final, body) SELECT received_at, 1, body FROM orphans WHERE seq <= ? ORDER BY seq`, last); err != nil {
			return err
		}
		_, err = tx.exec(`DELETE FROM orphans WHERE seq <= ?`, last)
		return err
	})
	return n, err
}

// Unclaimed lists what nobody here could use, newest first.
func (db *DB) Unclaimed(ctx context.Context, limit int) ([]event.Unclaimed, error) {
	rows, err := db.query(ctx, `SELECT seq, received_at, reason, body FROM unclaimed ORDER BY seq DESC LIMIT ?`, limit)
	if err != nil {
		return nil, err
	}
	var list []event.Unclaimed
	err = collect(rows, func(scan func(...any) error) error {
		var u event.Unclaimed
		var at int64
		err := scan(&u.Seq, &at, &u.Reason, &u.Body)
		u.ReceivedAt = fromMicro(at)
		list = append(list, u)
		return err
	})
	return list, err
}

// PruneUnclaimed forgets what nobody could use and came before cutoff, a bounded number at a time, and reports whether there
// may be more.
func (db *DB) PruneUnclaimed(ctx context.Context, cutoff time.Time) (more bool, err error) {
	const batch = 500
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`DELETE FROM unclaimed WHERE seq IN (
			SELECT seq FROM (SELECT seq, received_at FROM unclaimed ORDER BY seq LIMIT ?) WHERE received_at <= ?)`, batch, unixMicro(cutoff))
		more = n == batch
		return err
	})
	return more, err
}

type wabaRef struct{ key, accountID string }

// applier stores the changes of one webhook within its transaction.
type applier struct {
	tx         *tx
	webhook    event.Webhook
	now        time.Time
	handedOver func(event.HandOver) (*event.Event, error)
	res        *event.Applied
	wabas      map[string]wabaRef // by Meta id; the zero value is one not linked here
	phones     map[string]string  // phone keys by WABA key and Meta id; "" is one not linked here
	takers     map[wabaRef]*takers
	heard      map[string]int // messages whose overdue status has come, by number; 0 for numbers with other statuses
	lookedAt   *place         // how far overdue statuses were looked for; nil before it is needed
}

func (a *applier) apply(c *event.Change) error {
	waba, err := a.waba(c.WABAMetaID)
	if err != nil {
		return err
	}
	if waba.key == "" && c.Kind == event.StatusChange {
		if mine, err := a.unlinkedStatus(c); err != nil || mine {
			return err
		}
	}
	if waba.key == "" {
		a.res.Unclaimed++
		body, err := c.Retry()
		if err != nil {
			return err
		}
		_, err = a.tx.exec(`INSERT INTO unclaimed (received_at, reason, body) VALUES (?, ?, ?)`, unixMicro(a.webhook.ReceivedAt),
			"business account "+c.WABAMetaID+" is not linked", body)
		return err
	}
	phone, err := a.phone(waba.key, c.PhoneMetaID)
	if err != nil {
		return err
	}
	if phone == "" && len(c.Notices) > 0 {
		if phone, err = a.numberOf(waba, c.Notices[0].Number); err != nil {
			return err
		}
	}
	e := event.Event{ID: c.EventID, AccountID: waba.accountID, WABAKey: waba.key, PhoneKey: phone, WAMID: c.WAMID, Field: c.Field,
		Status: c.Status, At: a.now, Entry: c.Entry}
	switch c.Kind {
	case event.StatusChange:
		return a.status(c, &e)
	case event.OtherChange:
		if event.TellsOfAccount(c.Field) {
			// The webhook says that something changed; Meta will be asked what.
			if _, err := a.tx.exec(`UPDATE wabas SET refresh_at = min(refresh_at, ?) WHERE key = ?`, unixMicro(a.now), waba.key); err != nil {
				return err
			}
			a.res.Accounts++
		}
	case event.InboundChange:
		if err := a.open(c, phone); err != nil {
			return err
		}
	}
	if err := a.preferences(c, phone); err != nil {
		return err
	}
	if err := a.template(c.Template, waba); err != nil {
		return err
	}
	fresh, err := a.publishOnce(c, &e)
	if err != nil || !fresh {
		return err
	}
	return a.notices(c, waba)
}

// open notes when a customer last wrote.
func (a *applier) open(c *event.Change, phone string) error {
	if phone == "" {
		return nil
	}
	for _, customer := range c.Opens {
		if _, err := a.tx.exec(`INSERT INTO windows (phone_key, recipient, last_inbound_at) VALUES (?, ?, ?)
			ON CONFLICT (phone_key, recipient) DO UPDATE SET last_inbound_at = excluded.last_inbound_at
			WHERE last_inbound_at < excluded.last_inbound_at`, phone, customer, unixMicro(c.At)); err != nil {
			return err
		}
	}
	return nil
}

// preferences notes what customers said about marketing messages; the latest word counts.
func (a *applier) preferences(c *event.Change, phone string) error {
	if phone == "" {
		return nil
	}
	for _, p := range c.Preferences {
		if _, err := a.tx.exec(`INSERT INTO windows (phone_key, recipient, last_inbound_at, marketing, marketing_at) VALUES (?, ?, 0, ?, ?)
			ON CONFLICT (phone_key, recipient) DO UPDATE SET marketing = excluded.marketing, marketing_at = excluded.marketing_at
			WHERE marketing_at < excluded.marketing_at`, phone, p.Recipient, p.Value, unixMicro(p.At)); err != nil {
			return err
		}
	}
	return nil
}

// publishOnce makes a change an event unless it has been one already.
func (a *applier) publishOnce(c *event.Change, e *event.Event) (fresh bool, err error) {
	n, err := a.tx.exec(`INSERT INTO changes_seen (key, at) VALUES (?, ?) ON CONFLICT DO NOTHING`, c.Key, unixMicro(a.now))
	if err != nil {
		return false, err
	}
	if n == 0 {
		a.res.Repeats++
		return false, nil
	}
	return true, a.publish(e)
}

func (a *applier) publish(e *event.Event) error {
	whose := wabaRef{e.WABAKey, e.AccountID}
	k := a.takers[whose]
	if k == nil {
		found, err := a.tx.takers(whose.accountID, whose.key)
		if err != nil {
			return err
		}
		k = &found
		a.takers[whose] = k
	}
	r := k.want(e)
	if err := a.tx.insertEventFor(e, &r, ""); err != nil {
		return err
	}
	a.res.Events++
	for _, d := range e.Destinations {
		a.res.Destinations = appendNew(a.res.Destinations, d)
	}
	return nil
}

// subject is the message that a status is about.
type subject struct {
	seq   int64
	state message.State // "" while it has none, which is queued
	wamid string        // of the first copy
	since int64         // when the state was reached
}

// mark is what tells a status of the message from its others.
func (s *subject) mark(wamid, status, participant string) message.Mark {
	m := message.Mark{Status: status, Participant: participant}
	if wamid != s.wamid {
		m.Copy = wamid
	}
	return m
}

// status moves the message that a status is about, and publishes it.
func (a *applier) status(c *event.Change, e *event.Event) error {
	var m subject
	// The message says whose event it is: it may have been sent before the number moved to the account that gets the webhook.
	known, err := a.tx.row(`SELECT w.seq, coalesce(s.state, ''), coalesce(s.wamid, ''), coalesce(s.updated_at, 0), coalesce(m.id, ''), coalesce(m.account_id, ?2),
		coalesce(m.waba_key, ?3), coalesce(m.phone_key, ?4)
		FROM wamids w LEFT JOIN states s ON s.seq = w.seq LEFT JOIN messages m ON m.seq = w.seq WHERE w.wamid = ?1`,
		args(c.WAMID, e.AccountID, e.WABAKey, e.PhoneKey), &m.seq, &m.state, &m.wamid, &m.since, &e.MessageID, &e.AccountID, &e.WABAKey, &e.PhoneKey)
	if err != nil {
		return err
	}
	if !known && c.Opaque != "" {
		if m, known, err = a.prove(c, e); err != nil {
			return err
		}
	}
	if !known {
		if a.webhook.Final {
			_, err := a.publishOnce(c, e)
			return err
		}
		a.res.Orphans++
		body, err := c.Retry()
		if err != nil {
			return err
		}
		_, err = a.tx.exec(`INSERT INTO orphans (wamid, received_at, body) VALUES (?, ?, ?)`, c.WAMID, unixMicro(a.webhook.ReceivedAt), body)
		return err
	}
	news, err := a.tx.record(m.seq, &message.Evidence{Mark: m.mark(c.WAMID, c.Status, c.Participant), At: c.At, Failures: c.Failures,
		Pricing: c.Pricing}, a.now)
	if err != nil {
		return err
	}
	if !news {
		a.res.Repeats++
		return nil
	}
	if err := a.hear(&m, e.PhoneKey); err != nil {
		return err
	}
	if next := message.Advance(m.state, message.State(c.Status)); next != m.state {
		if _, err := a.tx.exec(`UPDATE states SET state = ?, updated_at = ? WHERE seq = ?`, next, unixMicro(a.now), m.seq); err != nil {
			return err
		}
	}
	return a.publish(e)
}

// unlinkedStatus takes a status of a business account that is not linked any more, if it is about a message that was sent while it
// was: the message goes on to its end.
func (a *applier) unlinkedStatus(c *event.Change) (mine bool, err error) {
	var one int
	mine, err = a.tx.row(`SELECT 1 FROM wamids w JOIN messages m ON m.seq = w.seq WHERE w.wamid = ?1
		UNION ALL SELECT 1 FROM messages m WHERE m.id = ?2 AND m.own_opaque = 0 AND `+sentBefore("?3")+` LIMIT 1`,
		args(c.WAMID, c.Opaque, c.PhoneMetaID), &one)
	if err != nil || !mine {
		return false, err
	}
	return true, a.status(c, &event.Event{ID: c.EventID, WAMID: c.WAMID, Field: c.Field, Status: c.Status, At: a.now, Entry: c.Entry})
}

// sentBefore is true of a message of a number that is not linked any more as it was then, though Meta may know it by the same id.
func sentBefore(phoneMetaID string) string {
	return `EXISTS (SELECT 1 FROM unlinked u WHERE u.phone_key = m.phone_key AND u.phone_meta_id = ` + phoneMetaID + `)`
}

// prove finds the message that carries our id as its opaque data: WhatsApp has it, whatever became of the attempt. If that
// was not known yet, the message leaves the queue here. It may have been sent before its number was unlinked, and is its account's then.
func (a *applier) prove(c *event.Change, e *event.Event) (m subject, known bool, err error) {
	var h event.HandOver
	known, err = a.tx.row(`SELECT m.seq, m.id, m.account_id, m.waba_key, m.phone_key, m.recipient, coalesce(s.state, ''), coalesce(s.wamid, '')
		FROM messages m LEFT JOIN states s ON s.seq = m.seq
		WHERE m.id = ?1 AND m.own_opaque = 0 AND (m.phone_key = ?2 OR `+sentBefore("?3")+`)`, args(c.Opaque, e.PhoneKey, c.PhoneMetaID),
		&m.seq, &h.MessageID, &h.AccountID, &h.WABAKey, &h.PhoneKey, &h.Recipient, &m.state, &m.wamid)
	if err != nil || !known {
		return m, false, err
	}
	if err := a.tx.knowWAMID(m.seq, c.WAMID); err != nil {
		return m, false, err
	}
	if _, err := a.tx.exec(`DELETE FROM outbox WHERE seq = ?`, m.seq); err != nil {
		return m, false, err
	}
	if m.wamid == "" {
		m.wamid = c.WAMID
	}
	if m.state == "" {
		m.state = message.Accepted
		_, err = a.tx.exec(`INSERT INTO states (seq, state, wamid, updated_at) VALUES (?, ?, ?, ?)`, m.seq, m.state, m.wamid, unixMicro(a.now))
	} else {
		m.state = message.Advance(m.state, message.Accepted)
		_, err = a.tx.exec(`UPDATE states SET state = ?, wamid = ?, updated_at = ? WHERE seq = ?`, m.state, m.wamid, unixMicro(a.now), m.seq)
	}
	if err != nil {
		return m, false, err
	}
	if err := a.tx.reach(m.seq, a.now); err != nil {
		return m, false, err
	}
	a.res.Proved++
	e.MessageID, e.AccountID, e.WABAKey, e.PhoneKey = h.MessageID, h.AccountID, h.WABAKey, h.PhoneKey
	news, err := a.tx.record(m.seq, &message.Evidence{Mark: m.mark(c.WAMID, string(message.Accepted), ""), At: c.At}, a.now)
	if err != nil || !news {
		return m, err == nil, err
	}
	h.WABAMetaID, h.PhoneMetaID, h.WAMID, h.At = c.WABAMetaID, c.PhoneMetaID, c.WAMID, a.now
	if _, err := a.tx.row(`SELECT display_number FROM phone_numbers WHERE key = ?1
		UNION ALL SELECT display_number FROM unlinked WHERE phone_key = ?1 LIMIT 1`, args(h.PhoneKey), &h.DisplayNumber); err != nil {
		return m, false, err
	}
	accepted, err := a.handedOver(h)
	if err != nil {
		return m, false, err
	}
	return m, true, a.publish(accepted)
}

func (a *applier) waba(metaID string) (wabaRef, error) {
	ref, ok := a.wabas[metaID]
	if ok {
		return ref, nil
	}
	_, err := a.tx.row(`SELECT key, account_id FROM wabas WHERE meta_id = ?`, args(metaID), &ref.key, &ref.accountID)
	a.wabas[metaID] = ref
	return ref, err
}

func (a *applier) phone(wabaKey, metaID string) (key string, err error) {
	if metaID == "" {
		return "", nil
	}
	id := wabaKey + "/" + metaID
	key, ok := a.phones[id]
	if ok {
		return key, nil
	}
	_, err = a.tx.row(`SELECT key FROM phone_numbers WHERE meta_id = ? AND waba_key = ?`, args(metaID, wabaKey), &key)
	a.phones[id] = key
	return key, err
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
