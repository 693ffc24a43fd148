package app

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// Operator repairs what an account's destinations have missed. It works on the database itself, beside a running server, which
// notices within seconds, and within a minute for a destination that was halted.
type Operator struct {
	*deliver.Manager
	accountID string
	db        *sqlite.DB
}

// Operate opens the data for an operator of one account.
func Operate(ctx context.Context, cfg config.Config, accountID string, work func(*Operator) error) error {
	return inspect(ctx, &cfg, func(db *sqlite.DB, box *secret.Box) error {
		if ok, err := db.HasAccount(ctx, accountID); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("there is no account %s", accountID)
		}
		return work(&Operator{newManager(&cfg, db, box), accountID, db})
	})
}

// Destinations describes every event destination of the account.
func (o *Operator) Destinations(ctx context.Context) ([]event.Described, error) {
	return o.List(ctx, o.accountID)
}

// PauseDestination stops publishing to a destination.
func (o *Operator) PauseDestination(ctx context.Context, name, reason string) error {
	return o.Pause(ctx, o.accountID, name, reason)
}

// ResumeDestination publishes to a destination again.
func (o *Operator) ResumeDestination(ctx context.Context, name string) error {
	return o.Resume(ctx, o.accountID, name)
}

// Letter is a dead letter as an operator sees it: an event, a notification of a built-in topic, or what a target did not take.
type Letter struct {
	ID          string // event-N or notification-N, as in the API
	Destination string
	Attempts    int
	Reason      string
	Since       time.Time
}

const (
	eventLetter        = "event-"
	notificationLetter = "notification-"
)

// Letters lists up to limit dead letters of events, then of notifications and targets, for one destination unless it is "".
func (o *Operator) Letters(ctx context.Context, destination string, limit int) (list []Letter, err error) {
	add := func(l Letter) {
		if len(list) < limit && (destination == "" || l.Destination == destination) {
			list = append(list, l)
		}
	}
	const page = 500
	for after, n := int64(0), page; n == page && len(list) < limit; {
		events, err := o.db.DeadEvents(ctx, o.accountID, after, page)
		if err != nil {
			return nil, err
		}
		for _, e := range events {
			after = e.Key
			add(Letter{eventLetter + strconv.FormatInt(e.Key, 10), e.Destination, e.Attempts, e.Reason, e.DiedAt})
		}
		n = len(events)
	}
	for after, n := int64(0), page; n == page && len(list) < limit; {
		notifications, err := o.db.DeadMessages(ctx, o.accountID, after, page)
		if err != nil {
			return nil, err
		}
		for _, d := range notifications {
			after = d.Key
			add(Letter{notificationLetter + strconv.FormatInt(d.Key, 10), d.Subscriber, d.Attempts, d.Reason, d.At})
		}
		n = len(notifications)
	}
	return list, nil
}

// RequeueLetters has dead letters tried again and returns how many will be.
func (o *Operator) RequeueLetters(ctx context.Context, ids []string) (int, error) {
	events, notifications, err := letterKeys(ids)
	if err != nil {
		return 0, err
	}
	n, _, err := o.db.RequeueDeadEvents(ctx, o.accountID, events)
	if err != nil {
		return 0, err
	}
	m, _, err := o.db.RequeueDeadMessages(ctx, o.accountID, notifications, time.Now())
	return n + m, err
}

// DiscardLetters forgets dead letters and returns how many there were.
func (o *Operator) DiscardLetters(ctx context.Context, ids []string) (int, error) {
	events, notifications, err := letterKeys(ids)
	if err != nil {
		return 0, err
	}
	n, err := o.db.DiscardDeadEvents(ctx, o.accountID, events)
	if err != nil {
		return 0, err
	}
	m, err := o.db.DiscardDeadMessages(ctx, o.accountID, notifications)
	return n + m, err
}

func letterKeys(ids []string) (events, notifications []int64, err error) {
	for _, id := range ids {
		digits, isEvent := strings.CutPrefix(id, eventLetter)
		if !isEvent {
			digits = strings.TrimPrefix(id, notificationLetter)
		}
		key, err := strconv.ParseInt(digits, 10, 64)
		switch {
		case err != nil:
			return nil, nil, fmt.Errorf("%q is not the id of a dead letter", id)
		case isEvent:
			events = append(events, key)
		default:
			notifications = append(notifications, key)
		}
	}
	return events, notifications, nil
}

// ReplayEvents publishes stored events once more, all that the query selects, and says what became of them.
func (o *Operator) ReplayEvents(ctx context.Context, q event.Replay) (total event.Replayed, err error) {
	if q.MessageID != "" {
		st, ok, err := o.db.Lookup(ctx, o.accountID, q.MessageID)
		if err != nil {
			return total, err
		}
		if !ok {
			return total, fmt.Errorf("there is no message %s in this account", q.MessageID)
		}
		q.MessageID = st.ID
	}
	for q.Limit = 500; ; {
		r, err := o.db.Replay(ctx, o.accountID, q)
		if err != nil {
			return total, err
		}
		total.Queued += r.Queued
		total.Waiting += r.Waiting
		total.Undirected += r.Undirected
		if q.After = r.Next; q.After == (event.Place{}) {
			return total, nil
		}
	}
}
