package app

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/socialmessaging"
	"github.com/waxwing-messaging/waxwing/internal/deadletter"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// extensionRows are the operations beyond AWS's, for the table of social-messaging.
func extensionRows(p *parts, pages *page.Sealer, submit func(context.Context, *socialmessaging.Submission) (string, error)) []awsapi.Operation {
	letters := &deadletter.Office{Store: p.db, Opener: p.box, WakeDestinations: p.delivery.Wake, WakeSubscriptions: p.fan.Wake}
	return extensions.Operations(extensions.Options{Messages: p.db, Numbers: p.directory, Sending: p.db, Notices: p.db, Events: p.db, Owns: p.manager.Own,
		DeadLetters: letters, Opener: p.box, Explain: explain, Submit: submit, Cancel: p.cancel, Check: dryCheck(p.templates),
		WakeDestinations: p.delivery.Wake, Pages: pages, Now: time.Now})
}

// cancel takes a message back, tells its lane to forget it, and its destinations that it failed: the word that consumers know.
func (p *parts) cancel(ctx context.Context, accountID, id string) (message.Withdrawal, error) {
	w, err := p.db.Cancel(ctx, accountID, id, time.Now(), func(h event.HandOver) (*event.Event, error) {
		return event.Failed(h, message.Because(message.CodeCancelled, ""), p.box, uuid.NewString())
	})
	if err == nil && w.Done {
		p.lanes.Forget(w.PhoneKey, w.Seq)
		p.delivery.Wake(w.Destinations...)
	}
	return w, err
}

// explain says what an error code of Meta's means, from the one table that knows.
func explain(code int) (extensions.Advice, bool) {
	if own, ok := message.ReasonOf(code); ok {
		return extensions.Advice{Class: string(meta.Permanent), Explanation: own.Explanation, Action: own.Action}, true
	}
	row, ok := meta.Lookup(code, 0)
	return extensions.Advice{Class: string(row.Class), Explanation: row.Explanation, Action: row.Action}, ok
}
