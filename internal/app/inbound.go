package app

import (
	"log/slog"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/ingest"
	"github.com/waxwing-messaging/waxwing/internal/webhook"
)

// orphanWait is how long a status that came first waits for the hand-over of its message.
const orphanWait = time.Minute

// wireInbound builds the way back from WhatsApp.
func (p *parts) wireInbound(a *App) {
	cfg := a.cfg
	p.refresher = newRefresher(a, p.db, p.graph, p.directory)
	p.intake = ingest.New(ingest.Options{Store: p.db, Sealer: p.box, Owner: p.owner, OrphanWait: orphanWait, OnEvent: p.delivery.Wake,
		OnApplied: func(r event.Applied) {
			a.metrics.Changes(r.Events, r.Repeats, r.Orphans, r.Unclaimed)
			if r.Accounts > 0 {
				p.refresher.Wake()
			}
			p.templates.Changed(r.Templates)
			for i := range r.Notices {
				warn(a.log, &r.Notices[i])
			}
		}, Logger: a.log})
	p.callbacks = webhook.New(webhook.Options{AppSecret: cfg.Meta.AppSecret, VerifyToken: cfg.Meta.VerifyToken, MaxBody: cfg.Webhook.MaxBody,
		Inbox: p.db, Sealer: p.box, OnReceived: func(answer string, _ time.Duration) { a.metrics.Webhook(answer) },
		Logger: a.log})
	if cfg.Webhook.ExpectStatusWithin > 0 {
		watch := ingest.NewWatch(ingest.WatchOptions{Store: p.db, Sealer: p.box, Owner: p.owner, Patience: cfg.Webhook.ExpectStatusWithin,
			Hearing: p.callbacks.Hearing, OnEvent: p.delivery.Wake, OnAlert: a.metrics.Alert, OnLook: a.metrics.Overdue, Logger: a.log})
		p.engines = append(p.engines, engine{"missing statuses", watch.Run})
	}
}

// warn tells operators of notices that somebody should look at. Details may name people; they are in the event.
func warn(log *slog.Logger, n *account.Placed) {
	if !n.Grave() {
		return
	}
	attrs := []any{"waba", account.ID(account.KindWABA, n.WABAKey), "matter", string(n.Matter), "subject", n.Subject, "state", n.State, "reason", n.Reason}
	if n.PhoneKey != "" {
		attrs = append(attrs, "phone_number", account.ID(account.KindPhoneNumber, n.PhoneKey))
	}
	log.Warn("notice from Meta", attrs...)
}
