package deliver

import (
	"context"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Registry keeps destinations and how each is doing.
type Registry interface {
	senders
	CreateAdditional(ctx context.Context, a *event.Additional, most int) error
	UpdateAdditional(ctx context.Context, accountID, key string, change func(*event.Additional) error) (event.Additional, error)
	DeleteAdditional(ctx context.Context, accountID, key string) error
	Additional(ctx context.Context, accountID, key string) (event.Additional, error)
	Additionals(ctx context.Context, accountID string) ([]event.Additional, error)
	AWSDestinations(ctx context.Context, accountID string) ([]string, error)
	Halt(ctx context.Context, accountID, destination string, h event.Halt, reason string, now time.Time, alerts []*event.Event) (changed bool, err error)
	Health(ctx context.Context, destination string) (event.Health, error)
	Attempts(ctx context.Context, destination string, before time.Time, limit int) ([]event.Attempts, error)
}

// ManagerOptions are the parts behind a Manager.
type ManagerOptions struct {
	Store  Registry
	Sealer Sealer
	Scope  account.Scope // partition and Region; the account is each caller's
	// PlainHTTP admits URLs without TLS, for a machine that is reached by nobody else.
	PlainHTTP bool
	// Changed is told which destination may have something to do at once; nil where no queues run.
	Changed func(destination string)
	// Publisher makes the calls of Test; nil where there is none.
	Publisher Publisher
	Now       func() time.Time
}

// Manager creates, changes and halts destinations, and tells how they are doing. It serves people; the queues are an Engine's,
// perhaps in another process.
type Manager struct{ ManagerOptions }

// NewManager returns a Manager.
func NewManager(o ManagerOptions) *Manager { return &Manager{o} }

// MostAdditional is how many additional destinations an account can have.
const MostAdditional = 50

// Create stores an additional destination that gets what happens from now on. For HTTPS it returns the signing secret, which is
// shown this once. Mistakes are InvalidParameters and name the member.
func (m *Manager) Create(ctx context.Context, accountID string, s event.Spec) (event.Additional, identity.Secret, error) {
	now := m.Now().UTC()
	a := event.Additional{Key: account.NewKey(), AccountID: accountID, Concurrency: 1, CreatedAt: now, UpdatedAt: now}
	secret, err := m.apply(&a, &s, true)
	if err == nil {
		err = m.Store.CreateAdditional(ctx, &a, MostAdditional)
	}
	return a, secret, err
}

// Update changes what a Spec gives and leaves the rest.
func (m *Manager) Update(ctx context.Context, accountID, key string, s event.Spec) error {
	a, err := m.Store.UpdateAdditional(ctx, accountID, key, func(a *event.Additional) error {
		a.UpdatedAt = m.Now().UTC()
		_, err := m.apply(a, &s, false)
		return err
	})
	if err == nil {
		m.changed(a.ID())
	}
	return err
}

func (m *Manager) apply(a *event.Additional, s *event.Spec, fresh bool) (secret identity.Secret, err error) {
	scope := m.Scope
	scope.AccountID = a.AccountID
	if err := a.Apply(s, fresh, event.Rules{Scope: scope, PlainHTTP: m.PlainHTTP}); err != nil {
		return "", err
	}
	settings, err := openSettings(m.Sealer, a)
	if err != nil {
		return "", err
	}
	if secret, err = settings.Apply(a.Kind, s, fresh); err != nil || a.Kind != event.HTTPS {
		return "", err
	}
	return secret, sealSettings(m.Sealer, a, &settings)
}

// Rotate gives an HTTPS destination a new signing secret, the given one or, if that is "", a random one, which it returns. Both
// sign while the overlap lasts; with no overlap the old one ends at once.
func (m *Manager) Rotate(ctx context.Context, accountID, key string, secret identity.Secret, overlap time.Duration) (identity.Secret, error) {
	if secret == "" {
		secret = event.NewSigningSecret()
	} else if err := event.CheckSigningSecret(secret); err != nil {
		return "", err
	}
	_, err := m.Store.UpdateAdditional(ctx, accountID, key, func(a *event.Additional) error {
		if a.Kind != event.HTTPS {
			return fault.New(fault.InvalidParameters, "Only HTTPS destinations have a signing secret.")
		}
		settings, err := openSettings(m.Sealer, a)
		if err != nil {
			return err
		}
		a.UpdatedAt = m.Now().UTC()
		settings.Rotate(secret, overlap, a.UpdatedAt)
		return sealSettings(m.Sealer, a, &settings)
	})
	return secret, err
}

// Delete forgets an additional destination and what waits for it.
func (m *Manager) Delete(ctx context.Context, accountID, key string) error {
	err := m.Store.DeleteAdditional(ctx, accountID, key)
	if err == nil {
		m.changed(account.ID(account.KindEventDestination, key))
	}
	return err
}

// Pause stops publishing to a destination until Resume; events wait, however long, and have all of the retry window again then. A
// repeated call changes nothing.
func (m *Manager) Pause(ctx context.Context, accountID, destination, reason string) error {
	if err := m.Own(ctx, accountID, destination); err != nil {
		return err
	}
	return m.halt(ctx, accountID, destination, event.Paused, brief(reason), "paused")
}

// Resume publishes to a destination again, at once, whether it was paused, disabled or only failing. The end of a disabled one
// is told by an alert.
func (m *Manager) Resume(ctx context.Context, accountID, destination string) error {
	if err := m.Own(ctx, accountID, destination); err != nil {
		return err
	}
	return m.halt(ctx, accountID, destination, event.Running, "", "resumed")
}

// halt changes whether anything is published to a destination. That it is not disabled any more is told by an alert, with how it ended.
func (m *Manager) halt(ctx context.Context, accountID, destination string, halt event.Halt, reason, ended string) error {
	h, err := m.Store.Health(ctx, destination)
	if err != nil {
		return err
	}
	var told []*event.Event
	if h.Halt == event.Disabled {
		told, err = alerts(ctx, m.Store, m.Sealer, event.Alert{Kind: event.DestinationDisabled, Cleared: true, AccountID: accountID,
			Destination: destination, Reason: ended, Since: h.HaltedAt, At: m.Now().UTC()})
		if err != nil {
			return err
		}
	}
	if _, err := m.Store.Halt(ctx, accountID, destination, halt, reason, m.Now(), told); err != nil {
		return err
	}
	if halt == event.Running {
		m.changed(destination)
	}
	for _, e := range told {
		for _, name := range e.Destinations {
			m.changed(name)
		}
	}
	return nil
}

// Get describes a destination of the account.
func (m *Manager) Get(ctx context.Context, accountID, destination string) (event.Described, error) {
	if key, ok := additionalKey(destination); ok {
		a, err := m.Store.Additional(ctx, accountID, key)
		if err != nil {
			return event.Described{}, err
		}
		return m.additional(ctx, &a)
	}
	if err := m.Own(ctx, accountID, destination); err != nil {
		return event.Described{}, err
	}
	h, err := m.Store.Health(ctx, destination)
	return event.Described{Name: destination, Health: h}, err
}

func (m *Manager) additional(ctx context.Context, a *event.Additional) (event.Described, error) {
	d := event.Described{Name: a.ID(), Additional: a}
	settings, err := openSettings(m.Sealer, a)
	if err != nil {
		return d, err
	}
	for _, h := range settings.Headers {
		d.Headers = append(d.Headers, h.Name)
	}
	d.Health, err = m.Store.Health(ctx, d.Name)
	return d, err
}

// List describes every destination of the account: those that its business accounts have, then the additional ones.
func (m *Manager) List(ctx context.Context, accountID string) ([]event.Described, error) {
	arns, err := m.Store.AWSDestinations(ctx, accountID)
	if err != nil {
		return nil, err
	}
	var list []event.Described
	for _, arn := range arns {
		h, err := m.Store.Health(ctx, arn)
		if err != nil {
			return nil, err
		}
		list = append(list, event.Described{Name: arn, Health: h})
	}
	more, err := m.Store.Additionals(ctx, accountID)
	if err != nil {
		return nil, err
	}
	for i := range more {
		d, err := m.additional(ctx, &more[i])
		if err != nil {
			return nil, err
		}
		list = append(list, d)
	}
	return list, nil
}

// additionalKey is the key of an additional destination in its id.
func additionalKey(destination string) (string, bool) {
	if event.KindOf(destination) != "" {
		return "", false
	}
	return account.ResolveKey(account.Scope{}, account.KindEventDestination, destination)
}

// Attempts is the log of attempts of a destination, newest first, from before a minute.
func (m *Manager) Attempts(ctx context.Context, accountID, destination string, before time.Time, limit int) ([]event.Attempts, error) {
	if err := m.Own(ctx, accountID, destination); err != nil {
		return nil, err
	}
	return m.Store.Attempts(ctx, destination, before, limit)
}

// Own reports as NotFound what is no destination of the account: neither the ARN that a business account has now, or had when it was
// last published to, nor a bus of the account, nor the id of an additional one.
func (m *Manager) Own(ctx context.Context, accountID, destination string) error {
	if key, ok := additionalKey(destination); ok {
		_, err := m.Store.Additional(ctx, accountID, key)
		return err
	}
	unknown := fault.New(fault.NotFound, "There is no event destination %s in this account.", destination)
	kind := event.KindOf(destination)
	if kind == "" || event.OwnerOf(destination) != accountID {
		return unknown
	}
	if kind == event.EventBridge {
		return nil
	}
	if arns, err := m.Store.AWSDestinations(ctx, accountID); err != nil || slices.Contains(arns, destination) {
		return err
	}
	if h, err := m.Store.Health(ctx, destination); err != nil || h != (event.Health{Name: destination}) {
		return err
	}
	return unknown
}

func (m *Manager) changed(destination string) {
	if m.Changed != nil {
		m.Changed(destination)
	}
}
