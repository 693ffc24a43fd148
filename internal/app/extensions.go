package app

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/page"
	"github.com/waxwing-messaging/waxwing/internal/secret"
)

// extensionRows are the operations beyond AWS's, for the table of social-messaging.
func extensionRows(p *parts, box *secret.Box, pages *page.Sealer, delivery *deliver.Engine, fan *fanout.Engine) []awsapi.Operation {
	return extensions.Operations(extensions.Options{Messages: p.db, Numbers: p.directory, Events: p.db, Notifications: p.db, Opener: box,
		Explain: explain, Check: dryCheck(p.templates), WakeDestination: delivery.Wake, WakeSubscriptions: fan.Wake, Pages: pages, Now: time.Now})
}

// explain says what an error code of Meta's means, from the one table that knows.
func explain(code int) (extensions.Advice, bool) {
	row, ok := meta.Lookup(code, 0)
	return extensions.Advice{Class: string(row.Class), Explanation: row.Explanation, Action: row.Action}, ok
}
