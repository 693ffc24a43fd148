package app

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

// extensionRows are the operations beyond AWS's, for the table of social-messaging.
func extensionRows(p *parts, pages *page.Sealer) []awsapi.Operation {
	return extensions.Operations(extensions.Options{Messages: p.db, Numbers: p.directory, Notices: p.db, Events: p.db, Notifications: p.db, Opener: p.box,
		Explain: explain, Check: dryCheck(p.templates), WakeDestinations: p.delivery.Wake, WakeSubscriptions: p.fan.Wake, Pages: pages, Now: time.Now})
}

// explain says what an error code of Meta's means, from the one table that knows.
func explain(code int) (extensions.Advice, bool) {
	row, ok := meta.Lookup(code, 0)
	return extensions.Advice{Class: string(row.Class), Explanation: row.Explanation, Action: row.Action}, ok
}
