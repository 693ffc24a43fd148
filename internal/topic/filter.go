package topic

import (
	"context"
	"strings"
	"sync"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
)

// MaxFilters is how many subscriptions of a topic may have a filter policy, as with SNS. Each is asked about every message.
const MaxFilters = 200

// Filter is a subscription's filter policy. The zero value wants every message.
type Filter struct {
	ID     int64         // the store's own number for the policy, 0 for none; what it stands for never changes
	Scope  pattern.Scope // "" is that of the attributes
	Policy string        // as its owner wrote it; "" for none
}

// Wants decides whether a filter that is not zero wants a message, the i-th of those published. It loads the filter if it has to.
// The store calls it inside the commit that queues the messages, perhaps more than once.
type Wants func(filter int64, load func() (Filter, error), i int) (bool, error)

// setFilter changes the filter, if the new one is valid.
func (s *Subscription) setFilter(policy string, scope pattern.Scope) error {
	if policy == "{}" {
		policy = ""
	}
	if policy != "" {
		if _, err := pattern.ParseFilter(policy, scopeOf(scope)); err != nil {
			return invalid("%s", err)
		}
	}
	s.Filter.Policy, s.Filter.Scope = policy, scope
	return nil
}

func scopeOf(s pattern.Scope) pattern.Scope {
	if s == "" {
		return pattern.Attributes
	}
	return s
}

// compiled is a filter, ready to be asked.
type compiled struct {
	scope   pattern.Scope
	pattern *pattern.Pattern // nil: every message
	size    int
}

func (c *compiled) wants(m *candidate) bool {
	return c.pattern == nil || c.pattern.Match(m.event(c.scope))
}

// filters keeps compiled filters. Since the policy behind a number never changes, nothing in it goes stale.
type filters struct {
	mu   sync.Mutex
	byID map[int64]*compiled
	size int // of all policies
}

// maxFilterBytes bounds the policies whose compiled form is kept.
const maxFilterBytes = 8 << 20

func (f *filters) get(id int64, load func() (Filter, error)) (*compiled, error) {
	f.mu.Lock()
	c := f.byID[id]
	f.mu.Unlock()
	if c != nil {
		return c, nil
	}
	stored, err := load()
	if err != nil {
		return nil, err
	}
	c = &compiled{scope: scopeOf(stored.Scope), size: len(stored.Policy)}
	if p, err := pattern.ParseFilter(stored.Policy, c.scope); err == nil { // it was valid when it was stored; better too much than too little
		c.pattern = p
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for other, old := range f.byID {
		if f.size+c.size <= maxFilterBytes {
			break
		}
		delete(f.byID, other)
		f.size -= old.size
	}
	if f.byID == nil {
		f.byID = map[int64]*compiled{}
	}
	f.byID[id] = c
	f.size += c.size
	return c, nil
}

// candidate is a message that filters are asked about. What they look at is worked out once, when it is needed.
type candidate struct {
	message          *Message
	attributes, body *pattern.Event
}

func (c *candidate) event(scope pattern.Scope) pattern.Event {
	if scope == pattern.Body {
		if c.body == nil {
			e, _ := pattern.Decode(c.message.Body) // what is no object matches nothing
			c.body = &e
		}
		return *c.body
	}
	if c.attributes == nil {
		e, _ := pattern.Decode(c.message.attributesJSON())
		c.attributes = &e
	}
	return *c.attributes
}

// attributesJSON writes the attributes as members of an object. Binary ones cannot be filtered on, and without any other nothing
// matches: not even that an attribute is missing.
func (m *Message) attributesJSON() []byte {
	b := []byte("{")
	for i := range m.Attributes {
		a := &m.Attributes[i]
		if len(a.Binary) > 0 {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = event.AppendString(b, a.Name)
		b = append(b, ':')
		if a.Type == "String.Array" || a.Type == "Number" || strings.HasPrefix(a.Type, "Number.") {
			b = append(b, a.String...)
		} else {
			b = event.AppendString(b, a.String)
		}
	}
	if len(b) == 1 {
		return nil
	}
	return append(b, '}')
}

// ask asks the filters that a topic has now about messages that are about to be published, and returns their answers by the numbers of
// the filters. It may take a while, and the store asks inside a commit for which every other write waits.
func (s *Service) ask(ctx context.Context, topicARN string, messages []candidate) (map[int64][]bool, error) {
	ids, err := s.Store.TopicFilters(ctx, topicARN)
	if err != nil {
		return nil, err
	}
	answers := make(map[int64][]bool, len(ids))
	for _, id := range ids {
		f, err := s.filters.get(id, func() (Filter, error) { return s.Store.TopicFilter(ctx, id) })
		if fault.Is(err, fault.NotFound) {
			continue // it is gone by now
		}
		if err != nil {
			return nil, err
		}
		wanted := make([]bool, len(messages))
		for i := range messages {
			wanted[i] = f.wants(&messages[i])
		}
		answers[id] = wanted
	}
	return answers, nil
}

// wants makes the question that the store asks. Filters that were set since the others were asked are asked now.
func (s *Service) wants(messages []candidate, answers map[int64][]bool) Wants {
	return func(filter int64, load func() (Filter, error), i int) (bool, error) {
		if wanted, ok := answers[filter]; ok {
			return wanted[i], nil
		}
		f, err := s.filters.get(filter, load)
		if err != nil {
			return false, err
		}
		return f.wants(&messages[i]), nil
	}
}

// ErrTooManyFilters says that a topic has MaxFilters already.
var ErrTooManyFilters = fault.New(fault.LimitExceeded, "Filter policy limit exceeded: a topic has at most %d", MaxFilters)
