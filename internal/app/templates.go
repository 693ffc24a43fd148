package app

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	"github.com/waxwing-messaging/waxwing/internal/catalog"
)

// newCatalog wires the message templates of linked business accounts.
func newCatalog(a *App, p *parts) *catalog.Catalog {
	return catalog.New(catalog.Options{Reader: p.graph, Writer: p.graph, Library: p.graph, Accounts: p.directory, Store: p.db,
		Lint: a.cfg.Templates.Lint == "on", Now: time.Now, Logger: a.log})
}

// checkSends is the check of template messages before they are accepted; nil when that is off.
func checkSends(a *App, templates *catalog.Catalog) func(context.Context, string, string, []byte) error {
	if !a.cfg.Templates.CheckSends {
		return nil
	}
	return templates.CheckSend
}

// dryCheck is the same check for a message that is only validated.
func dryCheck(templates *catalog.Catalog) func(context.Context, account.PhoneNumber, []byte) ([]extensions.Problem, error) {
	return func(ctx context.Context, number account.PhoneNumber, body []byte) ([]extensions.Problem, error) {
		problems, err := templates.CheckTemplate(ctx, number.AccountID, number.WABAKey, body)
		list := make([]extensions.Problem, len(problems))
		for i, p := range problems {
			list[i] = extensions.Problem{Member: p.Member, Problem: p.Text, Action: p.Mend, Code: p.Code}
		}
		return list, err
	}
}
