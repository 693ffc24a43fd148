// Package ingest works out what Meta's callbacks mean.
//
// The webhook edge stores callbacks as they come and answers at once; ingest reads them in order of arrival, takes them apart
// into single updates, and stores what each means: a message moves forward, a customer's window opens, an event waits for its
// destination. Meta repeats and reorders callbacks, so applying one twice, or late, changes nothing. A callback that cannot
// be understood is set aside where it can be seen; it never holds up the next.
package ingest

import (
	"context"
	"log/slog"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// Store is the inbox and what its contents become.
type Store interface {
	lease.Store
	// Arrived tells that there is something in the inbox that was not there when it last told.
	Arrived() <-chan struct{}
	// Webhooks returns the oldest, in order: at most limit, and fewer when they are long.
	Webhooks(ctx context.Context, limit int) ([]event.Webhook, error)
	Apply(ctx context.Context, batch []event.Understood, now time.Time, handedOver func(event.HandOver) (*event.Event, error)) (event.Applied, error)
	Reject(ctx context.Context, w event.Webhook, reason string) error
	// ReleaseOrphans has statuses that have waited since before cutoff published, up to limit, and reports how many.
	ReleaseOrphans(ctx context.Context, cutoff time.Time, limit int) (int64, error)
}

// Sealer protects what is stored.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Options configure an Engine.
type Options struct {
	Store      Store
	Sealer     Sealer
	Owner      string                       // names this node in leases
	OrphanWait time.Duration                // how long a status waits for its message to become known
	OnEvent    func(destinations ...string) // optional: events wait for them
	OnApplied  func(event.Applied)          // optional: for metrics
	Logger     *slog.Logger
}

// Engine applies webhooks, one node at a time.
type Engine struct{ Options }

// New returns an Engine; Run makes it work.
func New(o Options) *Engine { return &Engine{o} }

const (
	readAtOnce  = 128         // webhooks, which the store bounds in size too: what the engine has in memory
	applyAtOnce = 96          // changes, or one webhook: as long as that takes, webhooks that arrive wait for their answer
	pollEvery   = time.Second // for webhooks that other nodes stored
	retryWait   = time.Second
	releaseMax  = 1000 // orphans at once
)

// Run applies webhooks until ctx ends. It returns nil.
func (e *Engine) Run(ctx context.Context) error {
	keeper := lease.NewKeeper(e.Store, "ingest", e.Owner)
	defer keeper.Release(ctx)
	var swept time.Time
	for ctx.Err() == nil {
		held, _, err := keeper.Hold(ctx)
		more := false
		if err == nil && held.Held() {
			if time.Since(swept) > e.OrphanWait/4 {
				swept = time.Now()
				var n int64
				if n, err = e.Store.ReleaseOrphans(ctx, swept.Add(-e.OrphanWait), releaseMax); n == releaseMax {
					swept = time.Time{} // there may be more
				}
			}
			if err == nil {
				more, err = e.step(ctx)
			}
		}
		if err != nil {
			fault.Log(ctx, e.Logger, "ingest", err)
			e.sleep(ctx, retryWait, nil)
			continue
		}
		if !more {
			e.sleep(ctx, pollEvery, e.Store.Arrived())
		}
	}
	return nil
}

// step applies the oldest webhooks, a few at a time, and reports whether there may be more.
func (e *Engine) step(ctx context.Context) (more bool, err error) {
	webhooks, err := e.Store.Webhooks(ctx, readAtOnce)
	if err != nil {
		return false, err
	}
	var batch []event.Understood
	changes := 0
	for i, w := range webhooks {
		understood, err := e.understand(w)
		if err != nil {
			if err := e.reject(ctx, w, err); err != nil {
				return false, err
			}
		} else {
			batch = append(batch, event.Understood{Webhook: w, Changes: understood})
			changes += len(understood)
		}
		if changes >= applyAtOnce || i == len(webhooks)-1 {
			if err := e.applyEach(ctx, batch); err != nil {
				return false, err
			}
			batch, changes = batch[:0], 0
		}
	}
	return len(webhooks) > 0, nil
}

// applyEach applies webhooks together. If one of them cannot be stored it is set aside, so that it does not hold up the others for ever.
func (e *Engine) applyEach(ctx context.Context, batch []event.Understood) error {
	err := e.apply(ctx, batch)
	if err == nil || ctx.Err() != nil || fault.Is(err, fault.Unavailable) {
		return err
	}
	for i := range batch {
		err := e.apply(ctx, batch[i:i+1])
		if err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
			err = e.reject(ctx, batch[i].Webhook, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) apply(ctx context.Context, batch []event.Understood) error {
	if len(batch) == 0 {
		return nil
	}
	res, err := e.Store.Apply(ctx, batch, time.Now(), func(h event.HandOver) (*event.Event, error) {
		return event.Accepted(h, e.Sealer, uuid.NewString())
	})
	if err != nil {
		return err
	}
	if e.OnApplied != nil {
		e.OnApplied(res)
	}
	if e.OnEvent != nil {
		e.OnEvent(res.Destinations...)
	}
	return nil
}

// understand opens and parses a webhook, and seals its parts for storage.
func (e *Engine) understand(w event.Webhook) ([]event.Change, error) {
	body, err := e.Sealer.Open(w.Body, event.InboxSeal)
	if err != nil {
		return nil, err
	}
	parsed, err := parse(body, w.ReceivedAt)
	if err != nil {
		return nil, err
	}
	changes := make([]event.Change, len(parsed))
	for i := range parsed {
		c := &parsed[i]
		c.EventID = uuid.NewString()
		if c.Entry, err = e.Sealer.Seal(c.entry, []byte(c.EventID)); err != nil {
			return nil, err
		}
		whole := c.entry
		c.Retry = func() ([]byte, error) { return e.Sealer.Seal(webhook(whole), event.InboxSeal) }
		changes[i] = c.Change
	}
	return changes, nil
}

func (e *Engine) reject(ctx context.Context, w event.Webhook, reason error) error {
	e.Logger.Warn("webhook set aside", "seq", w.Seq, "error", reason)
	return e.Store.Reject(ctx, w, reason.Error())
}

func (e *Engine) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	}
}
