package bus

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Store keeps rules, targets, connections and API destinations, and takes events. Everything a method changes it changes in one
// commit, which is on disk when the method returns. What does not exist is a fault.NotFound, unless a method says otherwise. Lists
// are ordered by name, start behind the given one, and have at most limit entries.
type Store interface {
	rules
	targets
	connections
	destinations
	events
}

type rules interface {
	// PutBusRule stores a rule, or changes the one that has its ARN but for its CreatedAt. A new one beyond most of its account is a
	// fault.LimitExceeded.
	PutBusRule(ctx context.Context, r Rule, most int) error
	BusRule(ctx context.Context, arn string) (Rule, error)
	BusRules(ctx context.Context, accountID, prefix, after string, limit int) ([]Rule, error)
	SetBusRuleState(ctx context.Context, arn string, s State) error
	// DeleteBusRule removes a rule. One that has targets is a fault.Validation; deleting nothing is fine.
	DeleteBusRule(ctx context.Context, arn string) error
}

type targets interface {
	// PutBusTargets stores targets of one rule, or changes those that have their ids, which keep their queues. Beyond most of the rule
	// is a fault.LimitExceeded, and nothing is stored.
	PutBusTargets(ctx context.Context, ruleARN string, targets []Target, most int) error
	BusTargets(ctx context.Context, ruleARN, after string, limit int) ([]Target, error)
	// RemoveBusTargets ends targets with what was not delivered to them. It returns the keys of their queues, and the ids that the
	// rule does not have.
	RemoveBusTargets(ctx context.Context, ruleARN string, ids []string) (queues []int64, missing []string, err error)
	// BusRuleNames lists the names of the account's rules that have a target with an ARN.
	BusRuleNames(ctx context.Context, accountID, targetARN, after string, limit int) ([]string, error)
}

type connections interface {
	// CreateBusConnection stores a connection. A name that is taken is a fault.Conflict, one beyond most a fault.LimitExceeded.
	CreateBusConnection(ctx context.Context, c Connection, most int) error
	BusConnection(ctx context.Context, accountID, name string) (Connection, error)
	BusConnections(ctx context.Context, accountID, prefix, after string, limit int) ([]Connection, error)
	// UpdateBusConnection stores what change makes of a connection, and returns it. It may call change more than once.
	UpdateBusConnection(ctx context.Context, accountID, name string, change func(*Connection) error) (Connection, error)
	// DeleteBusConnection removes a connection and returns what it was.
	DeleteBusConnection(ctx context.Context, accountID, name string) (Connection, error)
}

type destinations interface {
	// CreateBusDestination stores an API destination. A name that is taken is a fault.Conflict, one beyond most a fault.LimitExceeded.
	CreateBusDestination(ctx context.Context, d Destination, most int) error
	BusDestination(ctx context.Context, accountID, name string) (Destination, error)
	// BusDestinations lists API destinations, those of one connection unless connectionARN is "".
	BusDestinations(ctx context.Context, accountID, prefix, connectionARN, after string, limit int) ([]Destination, error)
	// UpdateBusDestination stores what change makes of an API destination, and returns it. It may call change more than once.
	UpdateBusDestination(ctx context.Context, accountID, name string, change func(*Destination) error) (Destination, error)
	DeleteBusDestination(ctx context.Context, accountID, name string) error
	// BusCall finds what it takes to call an API destination. It is a fault.NotFound without the destination, and a fault.Dependency
	// without its connection.
	BusCall(ctx context.Context, destinationARN string) (Destination, Connection, error)
}

type events interface {
	// BusVersion changes with every change of an account's rules and targets.
	BusVersion(ctx context.Context, accountID string) (int64, error)
	// BusRouting returns the patterns of the account's enabled rules with the queues of their targets, and the version they have at
	// least.
	BusRouting(ctx context.Context, accountID string) ([]Route, int64, error)
	// PutBusEvents stores events, each with a delivery in its queues, if the account's rules have the version. It reports whether
	// they have.
	PutBusEvents(ctx context.Context, accountID string, version int64, events []Routed) (current bool, err error)
}

// Route is a pattern and where what it matches goes.
type Route struct {
	Pattern string
	Queues  []int64
}

// Routed is an event and where it goes.
type Routed struct {
	queue.Record
	Queues []int64
}

// Sealer encrypts what is stored. The associated data must be the same on both ways.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
	Open(sealed, associated []byte) ([]byte, error)
}

// Options configure a Service.
type Options struct {
	Store  Store
	Sealer Sealer
	Scope  account.Scope // partition and Region of every ARN
	// PlainHTTP allows API destinations without TLS: for development.
	PlainHTTP bool
	Queues    bool // whether SQS queues can be targets
	// Wake is told right after a commit which queues have something to deliver.
	Wake  func(queues ...int64)
	NewID func() string // makes UUIDs
	Now   func() time.Time
}

// Service is what can be done with the event buses of all accounts. It validates, seals and stores; it does not ask who the
// caller is.
type Service struct {
	Options
	routing routing
}

// NewService returns the service.
func NewService(o Options) *Service { return &Service{Options: o} }

func (s *Service) scope(accountID string) account.Scope {
	scope := s.Scope
	scope.AccountID = accountID
	return scope
}

// PutRule makes a rule or replaces the one of its name, whose targets stay, and returns its ARN. A pattern that is wrong is a
// fault.InvalidParameters.
func (s *Service) PutRule(ctx context.Context, accountID string, r Rule) (string, error) {
	r.ARN, r.AccountID, r.CreatedAt = RuleARN(s.scope(accountID), r.Name), accountID, s.Now()
	if r.State == "" {
		r.State = Enabled
	}
	if err := r.check(); err != nil {
		return "", err
	}
	return r.ARN, s.Store.PutBusRule(ctx, r, maxRules)
}

// PutTargets adds targets to a rule, or replaces those that have their ids: all of them or none.
func (s *Service) PutTargets(ctx context.Context, accountID, rule string, targets []Target) error {
	scope := s.scope(accountID)
	arn := RuleARN(scope, rule)
	for i := range targets {
		t := &targets[i]
		t.AccountID, t.RuleARN = accountID, arn
		if err := t.check(scope); err != nil {
			return err
		}
		if t.Kind() == QueueTarget && !s.Queues {
			return invalid("Arn", "this server sends to no queues, since its setting sqs.endpoint is empty.")
		}
		if t.Kind() != HTTPTarget {
			continue
		}
		if _, _, err := s.Store.BusCall(ctx, t.ARN); fault.Is(err, fault.NotFound) {
			return invalid("Arn", "there is no API destination %s.", t.ARN)
		} else if err != nil && !fault.Is(err, fault.Dependency) {
			return err
		}
	}
	return s.Store.PutBusTargets(ctx, arn, targets, maxTargets)
}

// RemoveTargets takes targets off a rule and returns the ids of those that it did not have.
func (s *Service) RemoveTargets(ctx context.Context, accountID, rule string, ids []string) (missing []string, err error) {
	queues, missing, err := s.Store.RemoveBusTargets(ctx, RuleARN(s.scope(accountID), rule), ids)
	if err == nil {
		s.Wake(queues...) // which empties them
	}
	return missing, err
}

// CreateConnection makes a connection with a secret and returns it.
func (s *Service) CreateConnection(ctx context.Context, accountID string, c Connection, secret string) (Connection, error) {
	c.ARN, c.AccountID = arn(s.scope(accountID), "connection/"+c.Name+"/"+s.NewID()), accountID
	c.CreatedAt = s.Now()
	c.ModifiedAt = c.CreatedAt
	if err := c.check(); err != nil {
		return Connection{}, err
	}
	sealed, err := s.Sealer.Seal([]byte(secret), []byte(c.ARN))
	if err != nil {
		return Connection{}, err
	}
	c.Sealed = sealed
	return c, s.Store.CreateBusConnection(ctx, c, maxConnections)
}

// UpdateConnection changes a connection, and its secret unless the new one is "". API destinations use it from the next call on.
func (s *Service) UpdateConnection(ctx context.Context, accountID, name, secret string, change func(*Connection) error) (Connection, error) {
	return s.Store.UpdateBusConnection(ctx, accountID, name, func(c *Connection) error {
		was := c.Type
		if err := change(c); err != nil {
			return err
		}
		if c.Type != was && secret == "" {
			return invalid("AuthParameters", "another AuthorizationType needs its own.")
		}
		if secret != "" {
			sealed, err := s.Sealer.Seal([]byte(secret), []byte(c.ARN))
			if err != nil {
				return err
			}
			c.Sealed = sealed
		}
		c.ModifiedAt = s.Now()
		return c.check()
	})
}

// UpdateDestination changes an API destination, for all targets that are it.
func (s *Service) UpdateDestination(ctx context.Context, accountID, name string, change func(*Destination)) (Destination, error) {
	return s.Store.UpdateBusDestination(ctx, accountID, name, func(d *Destination) error {
		change(d)
		d.ModifiedAt = s.Now()
		return d.check(s.PlainHTTP)
	})
}

// CreateDestination makes an API destination of an existing connection and returns it.
func (s *Service) CreateDestination(ctx context.Context, accountID string, d Destination) (Destination, error) {
	d.ARN, d.AccountID = arn(s.scope(accountID), "api-destination/"+d.Name+"/"+s.NewID()), accountID
	d.CreatedAt, d.Active = s.Now(), true
	d.ModifiedAt = d.CreatedAt
	if d.Rate == 0 {
		d.Rate = DefaultRate
	}
	if err := d.check(s.PlainHTTP); err != nil {
		return Destination{}, err
	}
	return d, s.Store.CreateBusDestination(ctx, d, maxDestinations)
}

// Call opens what it takes to call an API destination.
func (s *Service) Call(ctx context.Context, destinationARN string) (Call, error) {
	d, c, err := s.Store.BusCall(ctx, destinationARN)
	if err != nil {
		return Call{}, err
	}
	secret, err := s.Sealer.Open(c.Sealed, []byte(c.ARN))
	if err != nil {
		return Call{}, err
	}
	return Call{Destination: d, Type: c.Type, Username: c.Username, Secret: identity.Secret(secret)}, nil
}
