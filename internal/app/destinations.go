package app

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// newManager returns what manages event destinations. Where private addresses may be reached, so may URLs without TLS: it is a
// machine of one developer, or a network that its operator trusts.
func newManager(cfg *config.Config, db *sqlite.DB, box *secret.Box) *deliver.Manager {
	return deliver.NewManager(deliver.ManagerOptions{Store: db, Sealer: box, Scope: account.Scope{Partition: partition, Region: cfg.Region},
		PlainHTTP: cfg.Outbound.AllowPrivate, Now: time.Now})
}
