package deliver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/grace"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/limit"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

// unordered is how many calls at once a destination gets by itself that keeps no order.
const unordered = 4

// again spaces the attempts of an event that its destination does not take while it takes others.
var again = retry.Backoff{Min: time.Second, Max: 5 * time.Minute}

// round publishes the next events and settles what came of them. An error is about our own store.
func (q *queue) round(ctx context.Context, held lease.Lease, state *event.QueueState, now time.Time) (step, error) {
	reach := q.breaker.reach()
	list, err := q.Store.Undelivered(ctx, q.name, now, reach)
	if err != nil {
		return step{}, err
	}
	if len(list) == 0 {
		return q.idle(ctx, now)
	}
	next := step{again: len(list) == reach || !list[0].Due.IsZero(), wait: idleFor} // of repetitions only a part is read at once
	list = q.breaker.pass(list)
	if n, wait := q.admit(state, len(list), now); n < len(list) {
		list, next = list[:n], step{wait: wait}
		if n == 0 {
			return next, nil
		}
	}
	begun, cancel := grace.Extend(ctx) // what has begun is finished
	defer cancel()
	s, err := q.publish(begun, state, list, now)
	if err != nil {
		return step{}, err
	}
	if s.Disable = q.disable(state, s, now); s.Disable != "" {
		if s.Alerts, err = q.alerts(begun, s, state.FailingSince); err != nil {
			return step{}, err
		}
	}
	next.again = next.again || s.untried > 0 || len(s.refused) > 0
	ours, err := q.settle(begun, held, s)
	if err != nil || !ours {
		return q.lost(ctx, err)
	}
	q.settled(s)
	if q.breaker.streak > 0 && s.Disable == "" {
		// Events that grew too old while the destination took nothing need not wait for their turn.
		return q.expire(ctx, "the destination took nothing until the event was too old; last: "+s.Reason,
			step{wait: min(q.breaker.wait(time.Now()), lease.Renew)})
	}
	return next, nil
}

// settle records what a round came to. While the store takes nothing it keeps trying: what is known only here would be published
// again.
func (q *queue) settle(ctx context.Context, held lease.Lease, s *settlement) (ours bool, err error) {
	for {
		ours, err = q.Store.SettleEvents(ctx, held, q.name, s.Settlement)
		if !fault.Is(err, fault.Unavailable) || ctx.Err() != nil {
			return ours, err
		}
		t := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
	}
}

// idle says when there will be something to do.
func (q *queue) idle(ctx context.Context, now time.Time) (step, error) {
	due, err := q.Store.NextDelivery(ctx, q.name)
	if err != nil || due.IsZero() {
		return step{rest: true, wait: idleFor}, err
	}
	return step{wait: min(max(due.Sub(now), 0), lease.Renew)}, nil
}

// destination describes the destination to its publisher.
func (q *queue) destination(state *event.QueueState, first *event.Delivery, now time.Time) (event.Destination, error) {
	if state.Additional != nil {
		return describe(q.Sealer, state.Additional, now)
	}
	d := event.Destination{Name: q.name, Kind: event.KindOf(q.name), Address: q.name, AccountID: first.AccountID, WABAKey: first.WABAKey, Concurrency: 1}
	if d.Kind == event.SNS || d.Kind == event.EventBridge { // keep no order themselves, and are some milliseconds away
		d.Concurrency = unordered
	}
	if d.Kind != event.EventBridge { // the bus is the account's, the role is for the event destination of a business account
		d.RoleARN = first.RoleARN
	}
	return d, nil
}

// describe opens the settings of an additional destination.
func describe(sealer Sealer, a *event.Additional, now time.Time) (event.Destination, error) {
	d := event.Destination{Name: a.ID(), Kind: a.Kind, Address: a.Address, RoleARN: a.RoleARN, AccountID: a.AccountID,
		WABAKey: a.WABAKey, Concurrency: max(1, a.Concurrency)}
	if a.Sealed == nil {
		return d, nil
	}
	settings, err := openSettings(sealer, a)
	if err != nil {
		return d, fmt.Errorf("settings of %s: %w", d.Name, err)
	}
	d.Secrets, d.Headers = settings.Valid(now), settings.Headers
	return d, nil
}

// admit returns how many of n events the destination's rate lets pass now, and if not all, how long until the next.
func (q *queue) admit(state *event.QueueState, n int, now time.Time) (int, time.Duration) {
	rate := 0.0
	if state.Additional != nil {
		rate = state.Additional.PerSecond
	}
	if rate != q.rate {
		q.rate, q.bucket = rate, limit.NewBucket(rate, max(1, rate/10))
	}
	if rate == 0 {
		return n, 0
	}
	for i := range n {
		if wait := q.bucket.Take(now); wait > 0 {
			return i, wait
		}
	}
	return n, 0
}

// settlement is what a round came to.
type settlement struct {
	event.Settlement
	done, dead int
	untried    int           // left for the next round
	retryAfter time.Duration // asked for by the destination
	gone       string        // why it wants nothing more
	lags       []time.Duration
	refused    []refusal
}

// refusal is an event that stays in the queue: where its outcome is, how often it has been tried, and whether it had lost its place
// before.
type refusal struct {
	outcome, attempts int
	again             bool
}

// alone reports whether all that was tried is one event which the destination has refused while it took others. That says nothing
// new about the destination, and the event has pauses of its own.
func (s *settlement) alone() bool {
	return len(s.Outcomes) == 1 && len(s.refused) == 1 && s.refused[0].again && s.untried == 0 && s.retryAfter == 0
}

// patience is how long a round goes on with events of other business accounts.
const patience = 5 * time.Second

// publish makes one call, or one series of calls, for each role, and judges every event.
func (q *queue) publish(ctx context.Context, state *event.QueueState, list []event.Delivery, now time.Time) (*settlement, error) {
	s := &settlement{Settlement: event.Settlement{At: now}}
	probe := q.breaker.streak > 0
	for _, part := range q.parts(state, list) {
		if s.At.Sub(now) >= patience || probe && (s.done > 0 || s.retryAfter > 0) {
			s.untried += len(part)
			continue
		}
		destination, err := q.destination(state, &part[0], now)
		if err != nil {
			return nil, err
		}
		s.AccountID = destination.AccountID
		q.send(ctx, s, destination, part)
	}
	s.Took = s.At.Sub(now)
	for _, r := range s.refused {
		if s.done > 0 || r.again { // it takes some: those it does not take make room for the others
			s.Outcomes[r.outcome].Next = s.At.Add(max(s.retryAfter, again.Equal(r.attempts, rand.Float64())))
		}
	}
	return s, nil
}

// parts divides events by the role with which they are published: business accounts share the destination, and not the right to
// publish. The order of each stays. Those of a probe are apart, since the first that arrives ends it.
func (q *queue) parts(state *event.QueueState, list []event.Delivery) [][]event.Delivery {
	if q.breaker.streak > 0 {
		return slices.Collect(slices.Chunk(list, 1))
	}
	if state.Additional != nil || q.kind == event.EventBridge { // one role, or none
		return [][]event.Delivery{list}
	}
	var parts [][]event.Delivery
	of := map[string]int{}
	for i := range list {
		n, ok := of[list[i].RoleARN]
		if !ok {
			n = len(parts)
			of[list[i].RoleARN] = n
			parts = append(parts, nil)
		}
		parts[n] = append(parts[n], list[i])
	}
	return parts
}

// send publishes events to a destination and judges each.
func (q *queue) send(ctx context.Context, s *settlement, destination event.Destination, list []event.Delivery) {
	messages := make([]event.Outgoing, 0, len(list))
	var sent []*event.Delivery
	for i := range list {
		d := &list[i]
		opened, err := q.Sealer.Open(d.Entry, []byte(d.ID))
		if err != nil {
			s.bury(d, "the stored event cannot be read: "+err.Error())
			continue
		}
		scope := q.Scope
		scope.AccountID = d.AccountID
		messages = append(messages, event.Outgoing{Delivery: *d, Scope: scope, Opened: opened})
		sent = append(sent, d)
	}
	if len(sent) == 0 {
		return
	}
	errs := q.Publisher.Publish(ctx, destination, messages)
	s.At = time.Now()
	for i, err := range errs {
		if errors.Is(err, event.ErrUntried) {
			s.untried++
			continue
		}
		s.judge(sent[i], err, q.young)
	}
}

// judge turns the result of an attempt into the fate of its event.
func (s *settlement) judge(d *event.Delivery, err error, young func(at, now time.Time) bool) {
	if errors.Is(err, event.ErrUnwanted) {
		s.Outcomes = append(s.Outcomes, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Unwanted})
		return
	}
	if err == nil {
		s.done++
		s.lags = append(s.lags, s.At.Sub(d.At))
		s.Outcomes = append(s.Outcomes, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Done})
		return
	}
	if gone, ok := errors.AsType[*event.GoneError](err); ok {
		s.gone = gone.Reason
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		s.retryAfter = max(s.retryAfter, f.RetryAfter)
	}
	if fault.Is(err, fault.InvalidParameters) {
		s.bury(d, err.Error())
		return
	}
	s.Trouble = true
	if !young(d.At, s.At) {
		s.bury(d, err.Error())
		return
	}
	s.because(err.Error())
	s.refused = append(s.refused, refusal{len(s.Outcomes), d.Attempts + 1, !d.Due.IsZero()})
	s.Outcomes = append(s.Outcomes, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Again})
}

func (s *settlement) bury(d *event.Delivery, reason string) {
	s.dead++
	s.because(reason)
	s.Outcomes = append(s.Outcomes, event.Outcome{Seq: d.Seq, Due: d.Due, Fate: event.Dead, Reason: brief(reason)})
}

func (s *settlement) because(reason string) {
	if s.Reason == "" {
		s.Reason = brief(reason)
	}
}

// brief bounds what a destination can make us remember.
func brief(reason string) string {
	const most = 300
	if len(reason) <= most {
		return reason
	}
	cut := []rune(reason)
	return string(cut[:min(len(cut), most)]) + "…"
}

// disable says why nothing is published to the destination any more after a round, or "".
func (q *queue) disable(state *event.QueueState, s *settlement, now time.Time) string {
	switch {
	case s.gone != "":
		return s.gone
	case state.Additional == nil || s.done > 0 || !s.Trouble || q.DisableAfter == 0 || state.FailingSince.IsZero() || now.Sub(state.FailingSince) < q.DisableAfter:
		return ""
	default:
		return fmt.Sprintf("it took nothing for %v; last: %s", now.Sub(state.FailingSince).Round(time.Minute), s.Reason)
	}
}

// alerts are the events that a destination was disabled, one for each business account whose events go there.
func (q *queue) alerts(ctx context.Context, s *settlement, since time.Time) ([]*event.Event, error) {
	if since.IsZero() {
		since = s.At
	}
	return alerts(ctx, q.Store, q.Sealer, event.Alert{Kind: event.DestinationDisabled, AccountID: s.AccountID, Destination: q.name,
		Reason: s.Disable, Since: since, At: s.At})
}

// settled takes what the destination did into account, after it is stored.
func (q *queue) settled(s *settlement) {
	failed := len(s.refused) + s.dead
	switch {
	case s.done > 0:
		if q.breaker.took() {
			q.Logger.Info("destination takes events again", "destination", q.name)
		}
		q.breaker.hold(s.At, s.retryAfter)
	case q.breaker.streak == 0 && s.alone():
	case s.Trouble || s.retryAfter > 0:
		if q.breaker.refused(s.At, s.retryAfter, rand.Float64()) {
			q.Logger.Warn("destination does not take events", "destination", q.name, "reason", s.Reason)
		}
	}
	if q.Observer.Delivered != nil {
		for _, lag := range s.lags {
			q.Observer.Delivered(q.kind, lag)
		}
	}
	if q.Observer.Failed != nil && failed > 0 {
		q.Observer.Failed(q.kind, failed)
	}
	q.died(s.dead, s.Reason)
	if s.Disable != "" {
		q.Logger.Error("destination disabled", "destination", q.name, "reason", s.Disable)
	}
	for _, e := range s.Alerts {
		if q.Observer.Alerted != nil {
			q.Observer.Alerted(event.DestinationDisabled, e.Status)
		}
		q.Wake(e.Destinations...)
	}
}
