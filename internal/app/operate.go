package app

import (
	"context"
	"fmt"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deadletter"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// Operator repairs what an account's destinations have missed. It works on the database itself, beside a running server, which
// notices within seconds, and within a minute for a destination that was halted.
type Operator struct {
	*deliver.Manager
	scope   account.Scope
	db      *sqlite.DB
	letters deadletter.Office
}

// Operate opens the data for an operator of one account.
func Operate(ctx context.Context, cfg config.Config, accountID string, work func(*Operator) error) error {
	return inspect(ctx, &cfg, func(db *sqlite.DB, box *secret.Box) error {
		if ok, err := db.HasAccount(ctx, accountID); err != nil {
			return err
		} else if !ok {
			return fmt.Errorf("there is no account %s", accountID)
		}
		return work(&Operator{newManager(&cfg, db, box), account.Scope{Partition: partition, Region: cfg.Region, AccountID: accountID}, db,
			deadletter.Office{Store: db, Opener: box}})
	})
}

// Destinations describes every event destination of the account.
func (o *Operator) Destinations(ctx context.Context) ([]event.Described, error) {
	return o.List(ctx, o.scope.AccountID)
}

// PauseDestination stops publishing to a destination.
func (o *Operator) PauseDestination(ctx context.Context, name, reason string) error {
	return o.Pause(ctx, o.scope.AccountID, name, reason)
}

// ResumeDestination publishes to a destination again.
func (o *Operator) ResumeDestination(ctx context.Context, name string) error {
	return o.Resume(ctx, o.scope.AccountID, name)
}

// Letters lists up to limit dead letters, for one destination unless it is "".
func (o *Operator) Letters(ctx context.Context, destination string, limit int) (list []deadletter.Letter, err error) {
	const page = 500
	for after, read := deadletter.First, page; read == page && len(list) < limit; {
		letters, err := o.letters.List(ctx, o.scope.AccountID, after, page)
		if err != nil {
			return nil, err
		}
		for i := range letters {
			after = letters[i].ID
			if len(list) < limit && (destination == "" || letters[i].Destination == destination) {
				list = append(list, letters[i])
			}
		}
		read = len(letters)
	}
	return list, nil
}

// ShowLetter returns what a dead letter carries.
func (o *Operator) ShowLetter(ctx context.Context, id deadletter.ID) ([]byte, error) {
	_, carried, err := o.letters.Show(ctx, o.scope, id)
	return carried, err
}

// RequeueLetters has dead letters tried again and returns how many will be.
func (o *Operator) RequeueLetters(ctx context.Context, ids []deadletter.ID) (int, error) {
	return o.letters.Requeue(ctx, o.scope.AccountID, ids, time.Now())
}

// DiscardLetters forgets dead letters and returns how many there were.
func (o *Operator) DiscardLetters(ctx context.Context, ids []deadletter.ID) (int, error) {
	return o.letters.Discard(ctx, o.scope.AccountID, ids)
}

// ReplayEvents publishes stored events once more, all that the query selects, and says what became of them.
func (o *Operator) ReplayEvents(ctx context.Context, q event.Replay) (total event.Replayed, err error) {
	if q.MessageID != "" {
		st, ok, err := o.db.Lookup(ctx, o.scope.AccountID, q.MessageID)
		if err != nil {
			return total, err
		}
		if !ok {
			return total, fmt.Errorf("there is no message %s in this account", q.MessageID)
		}
		q.MessageID = st.ID
	}
	if q.Destination != "" {
		if err := o.Own(ctx, o.scope.AccountID, q.Destination); err != nil {
			return total, err
		}
	}
	for q.Limit = 500; ; {
		r, err := o.db.Replay(ctx, o.scope.AccountID, q)
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
