package sqlite

import (
	"context"
	"encoding/json"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
)

// Publish stores one event and queues it for every destination that wants it now, which it notes in the event. It is on disk
// when Publish returns.
func (db *DB) Publish(ctx context.Context, e *event.Event) error {
	return db.write(ctx, func(tx *tx) error { return tx.insertEvent(e) })
}

// insertEvent stores an event and queues it for every destination that wants it now.
func (t *tx) insertEvent(e *event.Event) error { return t.insertEventExcept(e, "") }

// insertEventExcept is insertEvent for every destination but one.
func (t *tx) insertEventExcept(e *event.Event, except string) error {
	r, err := t.route(e)
	if err != nil {
		return err
	}
	return t.insertEventFor(e, &r, except)
}

// insertEventFor stores an event and queues it on routes.
func (t *tx) insertEventFor(e *event.Event, r *routes, except string) error {
	seq, err := t.insert(`INSERT INTO events (id, account_id, waba_key, phone_key, message_id, wamid, field, status, at, entry)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, e.ID, e.AccountID, e.WABAKey, e.PhoneKey, e.MessageID, e.WAMID, e.Field, e.Status,
		unixMicro(e.At), e.Entry)
	if err != nil {
		return err
	}
	e.Destinations = nil
	for _, name := range r.all() {
		if name == except {
			continue
		}
		if _, err := t.exec(`INSERT INTO deliveries (destination, seq) VALUES (?, ?)`, name, seq); err != nil {
			return err
		}
		e.Destinations = append(e.Destinations, name)
	}
	return nil
}

// routes are the names of the queues that want an event.
type routes struct {
	aws        string // the event destination of its business account; "" without one
	additional []string
	bus        string // the event bus of its account; "" without one
}

func (r *routes) all() []string {
	var names []string
	if r.aws != "" {
		names = append(names, r.aws)
	}
	names = append(names, r.additional...)
	if r.bus != "" {
		names = append(names, r.bus)
	}
	return names
}

// busOf names the event bus that gets an account's events, "" if there is none.
func (t *tx) busOf(accountID string) (string, error) {
	if t.w.bus == nil {
		return "", nil
	}
	if t.w.busWithRules {
		if wanted, err := t.busWanted(accountID); err != nil || !wanted {
			return "", err
		}
	}
	return t.w.bus(accountID), nil
}

// route finds out who wants an event. An account that has unlinked the event's business account still gets copies of what was
// under way.
func (t *tx) route(e *event.Event) (routes, error) {
	k, err := t.takers(e.AccountID, e.WABAKey)
	return k.want(e), err
}

// takers are the queues that take events of a business account, some of them not all.
type takers struct {
	routes // that take every event
	choosy []choosy
}

type choosy struct {
	name   string
	filter event.Filter
}

// want picks those that want an event.
func (t *takers) want(e *event.Event) routes {
	r := t.routes
	for i := range t.choosy {
		if t.choosy[i].filter.Admits(e) {
			r.additional = append(r.additional, t.choosy[i].name)
		}
	}
	return r
}

func (t *tx) takers(accountID, wabaKey string) (k takers, err error) {
	if k.bus, err = t.busOf(accountID); err != nil {
		return k, err
	}
	if _, err := t.row(`SELECT destination_arn FROM wabas WHERE key = ? AND account_id = ?`, args(wabaKey, accountID), &k.aws); err != nil {
		return k, err
	}
	err = t.rows(`SELECT key, filter FROM event_destinations WHERE account_id = ? AND waba_key IN ('', ?) ORDER BY created_at, key`,
		args(accountID, wabaKey), func(scan func(...any) error) error {
			var key, text string
			if err := scan(&key, &text); err != nil {
				return err
			}
			c := choosy{name: account.ID(account.KindEventDestination, key)}
			if err := json.Unmarshal([]byte(text), &c.filter); err != nil {
				return err
			}
			k.choosy = append(k.choosy, c)
			return nil
		})
	return k, err
}

// noteState keeps how a destination is doing: done of the outcomes arrived.
func (t *tx) noteState(destination string, s *event.Settlement, done int) error {
	delivered, failed, failing := int64(0), int64(0), int64(0)
	if done > 0 {
		delivered = unixMicro(s.At)
	}
	if s.Reason != "" {
		failed = unixMicro(s.At)
	}
	if s.Trouble {
		failing = unixMicro(s.At)
	}
	// What takes anything is not failing.
	if _, err := t.exec(`INSERT INTO queue_states (destination, account_id, delivered_at, failed_at, failure, failing_since)
		VALUES (?1, ?2, ?3, ?4, ?5, CASE WHEN ?3 > 0 THEN 0 ELSE ?6 END)
		ON CONFLICT (destination) DO UPDATE SET delivered_at = CASE WHEN ?3 > 0 THEN ?3 ELSE delivered_at END,
		  failed_at = CASE WHEN ?4 > 0 THEN ?4 ELSE failed_at END, failure = CASE WHEN ?4 > 0 THEN ?5 ELSE failure END,
		  failing_since = CASE WHEN ?3 > 0 THEN 0 WHEN failing_since = 0 THEN ?6 ELSE failing_since END`,
		destination, s.AccountID, delivered, failed, s.Reason, failing); err != nil || s.Disable == "" {
		return err
	}
	_, err := t.exec(`UPDATE queue_states SET halt = ?, halt_reason = ?, halted_at = ? WHERE destination = ? AND halt = ''`,
		event.Disabled, s.Disable, unixMicro(s.At), destination)
	return err
}

// noteAttempts adds a round to the log of attempts: its successes and its failures.
func (t *tx) noteAttempts(destination string, s *event.Settlement, done, failed int) error {
	if done > 0 {
		if err := t.noteAttempt(destination, "", done, s); err != nil {
			return err
		}
	}
	if s.Reason == "" {
		return nil
	}
	return t.noteAttempt(destination, s.Reason, failed, s)
}

func (t *tx) noteAttempt(destination, reason string, events int, s *event.Settlement) error {
	_, err := t.exec(`INSERT INTO delivery_attempts (destination, minute, reason, rounds, events, slowest, last_at) VALUES (?1, ?2, ?3, 1, ?4, ?5, ?6)
		ON CONFLICT (destination, minute, reason) DO UPDATE SET rounds = rounds + 1, events = events + ?4, slowest = max(slowest, ?5),
		  last_at = max(last_at, ?6)`, destination, unixMicro(s.At.Truncate(time.Minute)), reason, events, s.Took.Microseconds(), unixMicro(s.At))
	return err
}
