package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Silences is what the store knows of messages that WhatsApp took and has reported nothing about.
type Silences interface {
	lease.Store
	// FindOverdue looks at messages that have had no status for patience and were not looked at before, up to limit, and reports
	// how many there were.
	FindOverdue(ctx context.Context, now time.Time, patience time.Duration, limit int) (looked int, err error)
	Silences(ctx context.Context) ([]message.Silence, error)
	// TellSilence reports false, and changes nothing, when something has happened to the silence since it was read.
	TellSilence(ctx context.Context, s *message.Silence, over bool, e *event.Event) (ok bool, err error)
}

// WatchOptions configure a Watch.
type WatchOptions struct {
	Store    Silences
	Sealer   event.Sealer
	Owner    string                                   // names this node in leases
	Patience time.Duration                            // how long the first status of a message may take
	Hearing  func() time.Time                         // since when every callback of Meta's has been taken; nil: always
	OnEvent  func(names ...string)                    // optional: an event waits for these destinations
	OnAlert  func(kind event.AlertKind, state string) // optional: for metrics
	OnLook   func(overdue int)                        // optional: messages without a status, for metrics
	Logger   *slog.Logger
}

// Watch looks out for webhooks that do not come: WhatsApp took messages, and reports nothing about them. Meta has nothing to ask
// for what was missed, and a callback URL that leads nowhere fails silently. It tells of each number once when that begins, again
// when it has become ten times as much, and once when it is over.
type Watch struct{ WatchOptions }

// NewWatch returns a Watch; Run makes it work.
func NewWatch(o WatchOptions) *Watch { return &Watch{o} }

const (
	lookAtOnce = 500 // messages in one transaction
	looksMax   = 30 * time.Second
	looksMin   = 100 * time.Millisecond
)

// Run looks until ctx ends, on one node at a time. It returns nil.
func (w *Watch) Run(ctx context.Context) error {
	keeper := lease.NewKeeper(w.Store, "silence", w.Owner)
	defer keeper.Release(ctx)
	tick := time.NewTicker(max(looksMin, min(looksMax, w.Patience/10)))
	defer tick.Stop()
	for {
		held, _, err := keeper.Hold(ctx)
		if err == nil && held.Held() {
			err = w.look(ctx, time.Now())
		}
		if err != nil && ctx.Err() == nil {
			w.Logger.Error("look for missing statuses", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (w *Watch) look(ctx context.Context, now time.Time) error {
	// What Meta could not tell us it repeats, in its own time: nothing is missing before we have listened for as long as it may take.
	listened := w.Hearing == nil || now.Sub(w.Hearing()) >= w.Patience
	for looked := lookAtOnce; listened && looked == lookAtOnce; {
		var err error
		if looked, err = w.Store.FindOverdue(ctx, now, w.Patience, lookAtOnce); err != nil {
			return err
		}
	}
	silences, err := w.Store.Silences(ctx)
	if err != nil {
		return err
	}
	overdue := 0
	for i := range silences {
		s := &silences[i]
		overdue += s.Overdue
		if err := w.tell(ctx, s, now); err != nil {
			return err
		}
	}
	if w.OnLook != nil {
		w.OnLook(overdue)
	}
	return nil
}

// tell says what is new about a silence. A number that is not linked any more has nobody to tell.
func (w *Watch) tell(ctx context.Context, s *message.Silence, now time.Time) error {
	tell, over := s.News(now, w.Patience)
	if s.WABAMetaID == "" {
		tell, over = false, !s.Since.IsZero()
	}
	if !tell && !over {
		return nil
	}
	var e *event.Event
	if tell {
		a := w.alert(s, over, now)
		var err error
		if e, err = event.NewAlert(&a, w.Sealer, uuid.NewString()); err != nil {
			return err
		}
	}
	ok, err := w.Store.TellSilence(ctx, s, over, e)
	if err != nil || !ok || !tell {
		return err
	}
	level, text := slog.LevelWarn, "statuses of messages are missing"
	if over {
		level, text = slog.LevelInfo, "statuses of messages come again"
	}
	w.Logger.Log(ctx, level, text, "phone_number", account.ID(account.KindPhoneNumber, s.PhoneKey), "messages", s.Count, "missing", s.Overdue, "since", s.Since)
	if w.OnAlert != nil {
		w.OnAlert(event.StatusesMissing, e.Status)
	}
	if w.OnEvent != nil {
		w.OnEvent(e.Destinations...)
	}
	return nil
}

func (w *Watch) alert(s *message.Silence, over bool, now time.Time) event.Alert {
	a := event.Alert{Kind: event.StatusesMissing, Cleared: over, AccountID: s.AccountID, WABAKey: s.WABAKey, WABAMetaID: s.WABAMetaID, PhoneKey: s.PhoneKey,
		PhoneMetaID: s.PhoneMetaID, DisplayNumber: s.DisplayNumber, Count: s.Count, Since: s.Since, At: now}
	switch {
	case !over:
		a.Reason = fmt.Sprintf("WhatsApp took %s and has reported nothing for %s. Meta's callbacks may not reach this service: "+
			"look at the callback URL, its certificate, and the app's subscription to the business account.", messages(s.Count), w.Patience)
	case s.Overdue == 0:
		a.Reason = "Every message has a status now."
	default:
		a.Reason = fmt.Sprintf("Statuses come again; %s still without one.", messages(s.Overdue))
	}
	return a
}

func messages(n int) string {
	if n == 1 {
		return "1 message"
	}
	return fmt.Sprintf("%d messages", n)
}
