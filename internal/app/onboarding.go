package app

import (
	"context"
	"errors"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/onboarding"
	"github.com/waxwing-messaging/waxwing/internal/refresh"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

func newOnboarding(cfg *config.Config, graph *meta.Client, dir *directory.Directory) *onboarding.Service {
	return onboarding.New(onboarding.Options{Meta: numbers{graph}, Callbacks: newCallbacks(cfg, graph), Links: dir, Accounts: dir, Now: time.Now})
}

// numbers asks Meta about accounts and numbers, with faults for errors.
type numbers struct{ graph *meta.Client }

func (n numbers) Grant(ctx context.Context, credential identity.Secret) (account.Grant, error) {
	return n.graph.Grant(ctx, credential)
}

func (n numbers) Account(ctx context.Context, metaID string, token identity.Secret) (account.Facts, error) {
	f, err := n.graph.Account(ctx, metaID, token)
	return f, meta.Fault(err)
}

func (n numbers) Register(ctx context.Context, phoneMetaID string, token identity.Secret, pin, region string) error {
	return meta.Fault(n.graph.Register(ctx, phoneMetaID, token, pin, region))
}

func (n numbers) ChangeSettings(ctx context.Context, phoneMetaID string, token identity.Secret, settings any) error {
	return meta.Fault(n.graph.ChangeSettings(ctx, phoneMetaID, token, settings))
}

// callbacks has Meta's callbacks of business accounts sent to the app's address, or to this installation's own when its public
// URL is known: then installations can share one app.
type callbacks struct {
	graph    *meta.Client
	override meta.Callback
	verify   identity.Secret
}

func newCallbacks(cfg *config.Config, graph *meta.Client) callbacks {
	c := callbacks{graph: graph, verify: cfg.Meta.VerifyToken}
	if cfg.PublicURL != "" && cfg.Meta.VerifyToken != "" {
		c.override = meta.Callback{URL: cfg.PublicURL + webhookPath, VerifyToken: cfg.Meta.VerifyToken}
	}
	return c
}

// Subscribe implements onboarding.Callbacks. Meta's refusal to believe an address names what has to change.
func (c callbacks) Subscribe(ctx context.Context, metaID string, token identity.Secret, address string) error {
	override := c.override
	if address != "" {
		if c.verify == "" {
			return fault.New(fault.InvalidParameters, "callbackUrl cannot be used: the setting meta.verify_token of this installation is empty.")
		}
		override = meta.Callback{URL: address, VerifyToken: c.verify}
	}
	err := c.graph.Subscribe(ctx, metaID, token, override)
	switch refused, ok := errors.AsType[*meta.Error](err); {
	case !ok || refused.Code != meta.CodeCallback:
		return meta.Fault(err)
	case address != "":
		return fault.Wrap(fault.InvalidParameters, err, "callbackUrl does not lead to this installation: %s", refused.Words())
	default:
		return fault.Wrap(fault.Dependency, err, "Meta does not reach this installation at %s (public_url): %s", override.URL, refused.Words())
	}
}

func (c callbacks) Unsubscribe(ctx context.Context, metaID string, token identity.Secret) error {
	return meta.Fault(c.graph.Unsubscribe(ctx, metaID, token))
}

// newRefresher keeps what is known about numbers up to date.
func newRefresher(a *App, db *sqlite.DB, graph *meta.Client, dir *directory.Directory) *refresh.Engine {
	return refresh.New(refresh.Options{Store: db, Accounts: dir, Meta: numbers{graph}, Interval: a.cfg.Meta.RefreshInterval, Logger: a.log})
}
