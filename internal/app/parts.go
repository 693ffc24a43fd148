package app

import (
	"context"
	"net/http"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/catalog"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/destination/connect"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/ingest"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/refresh"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/topic"
	"github.com/waxwing-messaging/waxwing/internal/webhook"
)

const (
	partition   = "aws"
	webhookPath = "/webhooks/meta"
)

// parts are the pieces of a node, wired. Each step of newParts fills in what the next ones stand on.
type parts struct {
	owner string // names this node in leases
	scope account.Scope

	db        *sqlite.DB
	box       *secret.Box
	directory *directory.Directory
	graph     *meta.Client
	templates *catalog.Catalog

	signer   *topic.Signer // events
	fan      *fanout.Engine
	topics   *topic.Service
	bus      *bus.Service
	delivery *deliver.Engine
	manager  *deliver.Manager
	importer *connect.Importer // nil without connect.endpoint

	lanes     *dispatch.Dispatcher // messages
	refresher *refresh.Engine
	intake    *ingest.Engine
	callbacks *webhook.Handler

	buckets *buckets                 // the API
	keys    socialmessaging.KeyStore // nil without kms.endpoint
	handler http.Handler
	engines []engine
}

// engine is something long-lived.
type engine struct {
	name string
	run  func(context.Context) error
}

// newParts opens the store and wires everything that stands on it.
func newParts(ctx context.Context, a *App) (*parts, error) {
	cfg := a.cfg
	p := &parts{owner: uuid.NewString(), scope: account.Scope{Partition: partition, Region: cfg.Region}}
	var err error
	watch := newStorage(a)
	if p.db, p.box, err = openStore(ctx, cfg, sqlite.Options{Exclusive: true, MinFree: int64(cfg.Store.MinFree), MaxSize: int64(cfg.Store.MaxSize),
		OnRoom: watch.told}); err != nil {
		return nil, err
	}
	a.onUndo("store", p.db.Close)
	a.metrics.WatchStorage(func() (int64, int) { c := p.db.Condition(); return c.Free, int(c.Room) })
	p.directory = directory.New(p.db, p.box, p.scope)
	if p.graph, err = meta.New(meta.Options{BaseURL: cfg.GraphURL(), Timeout: cfg.Meta.Timeout, AppID: cfg.Meta.AppID,
		AppSecret: cfg.Meta.AppSecret, Logger: a.log}); err != nil {
		return nil, err
	}
	p.templates = newCatalog(a, p)
	if err := p.wireEvents(ctx, a); err != nil {
		return nil, err
	}
	p.wireInbound(a)
	p.wireMessages(a)
	if err := p.wireAPI(ctx, a); err != nil {
		return nil, err
	}
	p.engines = append(p.engines, []engine{{"dispatch", p.lanes.Run}, {"ingest", p.intake.Run}, {"deliver", p.delivery.Run}, {"fan-out", p.fan.Run},
		{"refresh", p.refresher.Run}, {"templates", p.templates.Run}, {"pruning", pruner{p.db, cfg.Retention, a.log}.run}, {"storage", watch.run},
		{"clock", (&clockWatch{store: p.db, reread: p.lanes.Reread, anew: p.callbacks.HearAnew, log: a.log}).run}}...)
	if p.importer != nil {
		p.engines = append(p.engines, engine{"imports", p.importer.Run})
	}
	return p, nil
}
