package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Put takes events of an account and returns one error an event, nil for those that are on disk with a delivery for each target of
// the rules that match. It fills in ids and times that are missing. An event put again under its id is delivered again, recognisable
// by that id. A fault.InvalidParameters or fault.Validation says what is wrong with an event.
func (s *Service) Put(ctx context.Context, accountID string, events []Event) []error {
	errs := make([]error, len(events))
	now := s.Now()
	list := make([]incoming, 0, len(events))
	for i := range events {
		in, err := s.receive(accountID, &events[i], now)
		if err != nil {
			errs[i] = err
			continue
		}
		list = append(list, in)
	}
	if err := s.route(ctx, accountID, list, now); err != nil {
		for i := range errs {
			if errs[i] == nil {
				errs[i] = err
			}
		}
	}
	return errs
}

// incoming is an event that can be matched.
type incoming struct {
	id     string
	text   []byte // its envelope
	event  pattern.Event
	sealed []byte // made when somebody wants it
}

func (s *Service) receive(accountID string, e *Event, now time.Time) (incoming, error) {
	if err := e.Check(); err != nil {
		return incoming{}, err
	}
	if e.ID == "" {
		e.ID = s.NewID()
	}
	if e.Time.IsZero() {
		e.Time = now
	}
	text, err := e.envelope(s.scope(accountID))
	if err != nil {
		return incoming{}, err
	}
	decoded, ok := pattern.Decode(text)
	if !ok {
		return incoming{}, fmt.Errorf("event %s is no JSON object", e.ID)
	}
	return incoming{id: e.ID, text: text, event: decoded}, nil
}

// maxReloads is how often rules may change while the events of one call wait.
const maxReloads = 8

// route stores events for everybody who wants them, by the rules of the moment in which they are stored.
func (s *Service) route(ctx context.Context, accountID string, list []incoming, now time.Time) error {
	for range maxReloads {
		rules, err := s.rules(ctx, accountID)
		if err != nil {
			return err
		}
		routed := make([]Routed, 0, len(list))
		for i := range list {
			queues, err := rules.match(ctx, list[i].event)
			if err != nil {
				return err
			}
			if len(queues) == 0 {
				continue
			}
			if list[i].sealed == nil {
				if list[i].sealed, err = s.Sealer.Seal(list[i].text, []byte(list[i].id)); err != nil {
					return fmt.Errorf("seal event: %w", err)
				}
			}
			routed = append(routed, Routed{queue.Record{ID: list[i].id, PublishedAt: now, Sealed: list[i].sealed}, queues})
		}
		if len(routed) == 0 {
			return nil
		}
		current, err := s.Store.PutBusEvents(ctx, accountID, rules.version, routed)
		if err != nil {
			return err
		}
		if current {
			s.wake(routed)
			return nil
		}
		s.routing.forget(accountID)
	}
	return fault.New(fault.Unavailable, "the rules of the event bus change too fast")
}

func (s *Service) wake(routed []Routed) {
	var queues []int64
	for i := range routed {
		queues = append(queues, routed[i].Queues...)
	}
	slices.Sort(queues)
	s.Wake(slices.Compact(queues)...)
}

// ruleset is the enabled rules of an account, compiled.
type ruleset struct {
	version int64
	routes  []compiled
}

type compiled struct {
	pattern *pattern.Pattern
	queues  []int64
}

// match returns the queues of all rules that want an event. It ends with ctx: three hundred rules and a long event take their time,
// and whoever gives up on an answer asks again.
func (r *ruleset) match(ctx context.Context, e pattern.Event) (queues []int64, err error) {
	for i := range r.routes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if r.routes[i].pattern.Match(e) {
			queues = append(queues, r.routes[i].queues...)
		}
	}
	return queues, nil
}

// maxRulesets is how many accounts' rules are kept compiled.
const maxRulesets = 1000

// routing keeps compiled rules.
type routing struct {
	mu        sync.Mutex
	byAccount map[string]*ruleset
}

func (r *routing) get(accountID string) *ruleset {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.byAccount[accountID]
}

func (r *routing) put(accountID string, rules *ruleset) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byAccount == nil || len(r.byAccount) >= maxRulesets && r.byAccount[accountID] == nil {
		r.byAccount = make(map[string]*ruleset) // rare, and cheap to fill again
	}
	r.byAccount[accountID] = rules
}

func (r *routing) forget(accountID string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.byAccount, accountID)
}

// rules returns the compiled rules of an account, as they are now or later.
func (s *Service) rules(ctx context.Context, accountID string) (*ruleset, error) {
	version, err := s.Store.BusVersion(ctx, accountID)
	if err != nil {
		return nil, err
	}
	if have := s.routing.get(accountID); have != nil && have.version == version {
		return have, nil
	}
	routes, version, err := s.Store.BusRouting(ctx, accountID)
	if err != nil {
		return nil, err
	}
	rules := &ruleset{version: version, routes: make([]compiled, 0, len(routes))}
	for i := range routes {
		p, err := pattern.ParseEvent(routes[i].Pattern)
		if err != nil {
			return nil, errors.New("stored pattern: " + err.Error()) // not wrapped: nothing is wrong with what is being put
		}
		rules.routes = append(rules.routes, compiled{p, routes[i].Queues})
	}
	s.routing.put(accountID, rules)
	return rules, nil
}
