package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	s3api "github.com/waxwing-messaging/waxwing/internal/awsapi/s3"
	snsapi "github.com/waxwing-messaging/waxwing/internal/awsapi/sns"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sts"
	"github.com/waxwing-messaging/waxwing/internal/catalog"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/ingest"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/outbound"
	"github.com/waxwing-messaging/waxwing/internal/page"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/topic"
	"github.com/waxwing-messaging/waxwing/internal/webhook"
)

const (
	partition   = "aws"
	webhookPath = "/webhooks/meta"
)

const (
	orphanWait       = time.Minute    // for the hand-over of a message whose status came first
	eventRetryWindow = 72 * time.Hour // then an event becomes a dead letter
)

// parts are the pieces of a node, wired.
type parts struct {
	db        *sqlite.DB
	directory *directory.Directory
	buckets   *buckets
	topics    *topic.Service
	templates *catalog.Catalog
	handler   http.Handler
	engines   []engine
}

// engine is something long-lived.
type engine struct {
	name string
	run  func(context.Context) error
}

// newParts opens the store and wires everything that stands on it.
func newParts(ctx context.Context, a *App) (*parts, error) {
	cfg := a.cfg
	db, box, err := openStore(ctx, cfg, true)
	if err != nil {
		return nil, err
	}
	a.onUndo("store", db.Close)
	p := &parts{db: db, directory: directory.New(db, box, account.Scope{Partition: partition, Region: cfg.Region})}
	owner := uuid.NewString()

	graph, err := meta.New(meta.Options{BaseURL: cfg.GraphURL(), Timeout: cfg.Meta.Timeout, AppID: cfg.Meta.AppID,
		AppSecret: cfg.Meta.AppSecret, Logger: a.log})
	if err != nil {
		return nil, err
	}
	p.templates = newCatalog(a, p, graph)
	links := topic.Links(cfg.BaseURL(a.api.Addr().String()))
	signer := topic.NewSigner(db, box, time.Now)
	fan := fanout.New(fanout.Options{Store: db, Renderer: topic.NewRenderer(box, signer, links), Owner: owner, Logger: a.log,
		Client: outbound.Client(outbound.Options{AllowPrivate: cfg.Outbound.AllowPrivate, AllowHosts: cfg.Outbound.AllowHosts,
			Timeout: 15 * time.Second, MaxIdleConnsPerHost: 64}),
		Retry:       topic.Retry{Window: cfg.Topics.RetryWindow},
		OnDelivered: a.metrics.TopicDelivered, OnFailed: a.metrics.TopicFailed, OnDeadLetter: a.metrics.TopicDead})
	p.topics = topic.NewService(topic.Options{Store: db, Sealer: box, Partition: partition, Region: cfg.Region, Wake: fan.Wake, Now: time.Now})

	publisher, err := newPublisher(ctx, cfg, p.topics)
	if err != nil {
		return nil, err
	}
	delivery := deliver.New(deliver.Options{Store: db, Publisher: publisher, Opener: box, Owner: owner,
		Scope: account.Scope{Partition: partition, Region: cfg.Region}, RetryWindow: eventRetryWindow,
		OnDelivered: a.metrics.Delivered, OnFailed: a.metrics.Undelivered, Logger: a.log})
	lanes := dispatch.New(dispatch.Options{Store: db, Upstream: upstream{graph: graph, templates: p.templates}, Lines: p.directory, Sealer: box, Owner: owner,
		RetryWindow: cfg.Handover.RetryWindow, BackoffMin: cfg.Handover.BackoffMin, BackoffMax: cfg.Handover.BackoffMax,
		InDoubtWait: cfg.Handover.InDoubtWait, Concurrency: cfg.Handover.Concurrency, OnEvent: delivery.Wake,
		OnAttempt: func(t dispatch.Attempt) { a.metrics.Attempt(string(t.Verdict), t.Waited) }, Logger: a.log})
	refresher := newRefresher(a, db, graph, p.directory)
	intake := ingest.New(ingest.Options{Store: db, Sealer: box, Owner: owner, OrphanWait: orphanWait, OnEvent: delivery.Wake,
		OnApplied: func(r event.Applied) {
			a.metrics.Changes(r.Events, r.Repeats, r.Orphans, r.Unclaimed)
			if r.Accounts > 0 {
				refresher.Wake()
			}
			p.templates.Changed(r.Templates)
		}, Logger: a.log})
	callbacks := webhook.New(webhook.Options{AppSecret: cfg.Meta.AppSecret, VerifyToken: cfg.Meta.VerifyToken, MaxBody: cfg.Webhook.MaxBody,
		Inbox: db, Sealer: box, OnStored: intake.Wake, OnReceived: func(answer string, _ time.Duration) { a.metrics.Webhook(answer) }, Logger: a.log})

	key, err := pageKey(ctx, db, box)
	if err != nil {
		return nil, err
	}
	pages := page.NewSealer(key, time.Now)
	media, err := newBuckets(ctx, a, p.directory)
	if err != nil {
		return nil, err
	}
	p.buckets = media
	social := socialmessaging.Service(socialmessaging.Options{Accounts: p.directory, SignUps: newOnboarding(cfg, graph, p.directory), Tags: p.directory,
		Lines: p.directory, FlowEditor: graph, FlowReader: graph, Datasets: graph, PublicKeys: graph,
		Media: graph, Samples: graph, Objects: media.objects, Presigned: media.presigned,
		TemplateEditor: p.templates, TemplateReader: p.templates, CheckSend: checkSends(a, p.templates),
		Calls:  calls{graph, db, box, delivery.Wake, a.log},
		Sender: message.NewAcceptor(db, box, lanes.Offer), Pages: pages, Now: time.Now})
	social.Operations = append(social.Operations, extensionRows(p, box, pages, delivery, fan)...)
	social.Operations = append(social.Operations, extensions.TemplateOperations(p.templates)...)
	social.Operations = append(social.Operations, numberRows(graph, p.directory)...)
	services := []awsapi.Service{social, snsapi.Service(snsapi.Options{Topics: p.topics, Pages: pages}), sts.Service()}
	if err := checkLimits(cfg.Limits, services); err != nil {
		return nil, err
	}
	api := awsapi.New(awsapi.Options{Region: cfg.Region, Partition: partition, ClockSkew: cfg.Auth.ClockSkew, Keys: p.directory,
		Limits: awsapi.NewQuotas(services, cfg.Limits), Logger: a.log, Services: services,
		Observe: func(_, operation, code string, _ int, took time.Duration) { a.metrics.Request(operation, code, took) }})
	p.handler = route(api, callbacks, snsapi.NewPublic(p.topics, signer, a.log), media.door, a)
	p.engines = []engine{{"dispatch", lanes.Run}, {"ingest", intake.Run}, {"deliver", delivery.Run}, {"fan-out", fan.Run},
		{"refresh", refresher.Run}, {"templates", p.templates.Run},
		{"pruning", pruner{db, cfg.Retention, a.log}.run}}
	return p, nil
}

// checkLimits refuses limits for operations that nobody has.
func checkLimits(limits map[string]float64, services []awsapi.Service) error {
	for name := range limits {
		known := slices.ContainsFunc(services, func(s awsapi.Service) bool {
			return slices.ContainsFunc(s.Operations, func(o awsapi.Operation) bool { return o.Name == name })
		})
		if !known {
			return fmt.Errorf("limits.%s: there is no operation of that name", name)
		}
	}
	return nil
}

// route sends a request to the part it is for. Everything without a path of its own is the AWS API's.
func route(api, callbacks, links, buckets http.Handler, a *App) http.Handler {
	health := http.NewServeMux()
	a.health.Register(health)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case buckets != nil && s3api.Meant(r):
			buckets.ServeHTTP(w, r)
		case path == webhookPath:
			callbacks.ServeHTTP(w, r)
		case path == "/healthz", path == "/readyz":
			health.ServeHTTP(w, r)
		case strings.HasPrefix(path, "/SimpleNotificationService-"), r.Method == http.MethodGet && path == "/" && unsigned(r):
			links.ServeHTTP(w, r)
		default:
			api.ServeHTTP(w, r)
		}
	})
}

// unsigned reports whether a request carries no signature, as links in messages do not.
func unsigned(r *http.Request) bool {
	return r.Header.Get("Authorization") == "" && !strings.Contains(r.URL.RawQuery, "X-Amz-Signature=")
}

// pageKey returns the key of pagination tokens, which all nodes share and which outlives restarts.
func pageKey(ctx context.Context, db *sqlite.DB, box *secret.Box) ([]byte, error) {
	const name = "page-key"
	fresh := make([]byte, 32)
	rand.Read(fresh)
	sealed, err := box.Seal(fresh, []byte(name))
	if err != nil {
		return nil, err
	}
	stored, err := db.Setting(ctx, name)
	if err == nil && stored == nil {
		stored, err = db.InitSetting(ctx, name, sealed)
	}
	if err != nil {
		return nil, err
	}
	key, err := box.Open(stored, []byte(name))
	if err != nil {
		return nil, fmt.Errorf("the key file does not fit the data: %w", err)
	}
	return key, nil
}
