package app

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	eventsapi "github.com/waxwing-messaging/waxwing/internal/awsapi/events"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	s3api "github.com/waxwing-messaging/waxwing/internal/awsapi/s3"
	snsapi "github.com/waxwing-messaging/waxwing/internal/awsapi/sns"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sts"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/page"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// wireAPI builds the front door and everything else that answers on its address.
func (p *parts) wireAPI(ctx context.Context, a *App) error {
	cfg := a.cfg
	key, err := pageKey(ctx, p.db, p.box)
	if err != nil {
		return err
	}
	if p.buckets, err = newBuckets(ctx, a, p); err != nil {
		return err
	}
	if p.keys, err = newKeyStore(ctx, cfg); err != nil {
		return err
	}
	services := p.services(a, page.NewSealer(key, time.Now))
	api := awsapi.New(awsapi.Options{Region: cfg.Region, Partition: partition, ClockSkew: cfg.Auth.ClockSkew, Keys: p.directory,
		Calls: repeats{p.db, p.box}, Limits: awsapi.NewQuotas(services, cfg.Limits), Services: services, Admit: p.admit, Logger: a.log,
		Observe: func(_, operation, code string, _ int, took time.Duration) { a.metrics.Request(operation, code, took) }})
	p.handler = route(api, p.callbacks, snsapi.NewPublic(p.topics, p.signer, a.log), p.buckets.door, a)
	return nil
}

// services are the tables of operations.
func (p *parts) services(a *App, pages *page.Sealer) []awsapi.Service {
	options := socialmessaging.Options{
		Accounts: p.directory, SignUps: newOnboarding(a.cfg, p.graph, p.directory), Tags: p.directory, Lines: p.directory,
		Sender: message.NewAcceptor(p.db, p.box, p.lanes.Offer), CheckSend: checkSends(a, p.templates),
		Calls: calls{p.graph, p.db, p.box, p.delivery.Wake, a.log},
		Media: p.graph, Samples: p.graph, Objects: p.buckets.objects, Presigned: p.buckets.presigned,
		TemplateEditor: p.templates, TemplateReader: p.templates,
		FlowEditor: p.graph, FlowReader: p.graph, Datasets: p.graph, PublicKeys: p.graph, KMS: p.keys,
		Pages: pages, Now: time.Now}
	if a.cfg.Handover.CheckWindow {
		options.Windows = p.db
	}
	social := socialmessaging.Service(options)
	social.Operations = slices.Concat(social.Operations, extensionRows(p, pages, socialmessaging.Submitter(options)),
		extensions.TemplateOperations(p.templates), numberRows(p),
		extensions.DestinationOperations(extensions.DestinationOptions{Editor: p.manager, Reader: p.manager, Switch: p.manager, Pages: pages}))
	return []awsapi.Service{social, snsapi.Service(snsapi.Options{Topics: p.topics, Pages: pages}),
		eventsapi.Service(eventsapi.Options{Bus: p.bus, Pages: pages}), sts.Service()}
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

// pageKeyName is under what the key of pagination tokens is stored.
const pageKeyName = "page-key"

// pageKey returns the key of pagination tokens, which all nodes share and which outlives restarts.
func pageKey(ctx context.Context, db *sqlite.DB, box *secret.Box) ([]byte, error) {
	fresh := make([]byte, 32)
	rand.Read(fresh)
	sealed, err := box.Seal(fresh, []byte(pageKeyName))
	if err != nil {
		return nil, err
	}
	stored, err := db.Setting(ctx, pageKeyName)
	if err == nil && stored == nil {
		stored, err = db.InitSetting(ctx, pageKeyName, sealed)
	}
	if err != nil {
		return nil, err
	}
	return box.Open(stored, []byte(pageKeyName))
}
