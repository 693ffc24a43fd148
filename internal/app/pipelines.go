package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/destination/connect"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/outbound"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

const (
	subscriberWait = 15 * time.Second
)

// wireEvents builds what carries events to their destinations: the built-in topics, their subscribers, and the queues before
// them.
func (p *parts) wireEvents(ctx context.Context, a *App) error {
	cfg := a.cfg
	remote, err := newServices(ctx, cfg)
	if err != nil {
		return err
	}
	p.signer = topic.NewSigner(p.db, p.box, time.Now)
	links := topic.Links(cfg.BaseURL(a.api.Addr().String()))
	client := outbound.Client(outbound.Options{AllowPrivate: cfg.Outbound.AllowPrivate, AllowHosts: cfg.Outbound.AllowHosts,
		Timeout: subscriberWait, MaxIdleConnsPerHost: 64})
	wake := func(queues ...int64) { p.fan.Wake(queues...) } // of the engine that stands on all this
	p.topics = topic.NewService(topic.Options{Store: p.db, Sealer: p.box, Partition: partition, Region: cfg.Region, Queues: remote.queues != nil,
		Wake: wake, Now: time.Now})
	p.bus = bus.NewService(bus.Options{Store: p.db, Sealer: p.box, Scope: p.scope, PlainHTTP: cfg.Outbound.AllowPrivate, Queues: remote.queues != nil,
		Wake: wake, NewID: uuid.NewString, Now: time.Now})
	p.fan = fanout.New(fanout.Options{Store: p.db, Courier: p.newCouriers(links, client, remote), Owner: p.owner,
		Retry: queue.Retry{Window: cfg.Topics.RetryWindow}, OnDelivered: a.metrics.FanoutDelivered, OnFailed: a.metrics.FanoutFailed,
		OnDeadLetter: a.metrics.FanoutDead, Logger: a.log})
	publishers := newPublisher(p.topics, p.bus, client, remote)
	p.delivery = deliver.New(deliver.Options{Store: p.db, Publisher: publishers, Sealer: p.box, Scope: p.scope, Owner: p.owner,
		RetryWindow: cfg.Delivery.RetryWindow, DisableAfter: cfg.Delivery.DisableAfter, Logger: a.log,
		Observer: deliver.Observer{Delivered: a.metrics.Delivered, Failed: a.metrics.Undelivered, Died: a.metrics.DeadLetters, Alerted: a.metrics.Alert}})
	if remote.instances != nil {
		p.importer = connect.NewImporter(connect.ImporterOptions{Store: p.db, Publisher: remote.instances, Scope: p.scope, Logger: a.log})
	}
	p.manager = newManager(cfg, p.db, p.box)
	p.manager.Changed, p.manager.Publisher = p.delivery.Hurry, publishers
	return nil
}

// wireMessages builds the way out to WhatsApp.
func (p *parts) wireMessages(a *App) {
	cfg := a.cfg
	p.lanes = dispatch.New(dispatch.Options{Store: p.db, Upstream: upstream{graph: p.graph, templates: p.templates}, Lines: p.directory,
		Sealer: p.box, Owner: p.owner, RetryWindow: cfg.Handover.RetryWindow, BackoffMin: cfg.Handover.BackoffMin,
		BackoffMax: cfg.Handover.BackoffMax, InDoubtWait: cfg.Handover.InDoubtWait, Concurrency: cfg.Handover.Concurrency,
		Hearing: p.callbacks.Hearing, OnEvent: p.delivery.Wake,
		OnAttempt: func(t dispatch.Attempt) { a.metrics.Attempt(string(t.Verdict), t.Waited) },
		OnAlert:   a.metrics.Alert, OnBlocked: a.metrics.Blocked, Logger: a.log})
	p.directory.OnChange(p.lanes.Recheck)
}
