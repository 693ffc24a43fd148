package app

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/extensions"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/meta"
)

// numberRows are the operations about numbers beyond AWS's.
func numberRows(p *parts) []awsapi.Operation {
	kept := keptAtMeta{p.graph, p.directory}
	return extensions.NumberOperations(extensions.NumberOptions{Numbers: p.directory, Notices: p.db, Profiles: kept, Analytics: kept, Sending: p.db, Reach: p.db,
		Explain: explain, Now: time.Now})
}

// keptAtMeta is what Meta keeps about numbers and templates that are linked here.
type keptAtMeta struct {
	graph     *meta.Client
	directory *directory.Directory
}

func (k keptAtMeta) Profile(ctx context.Context, p *account.PhoneNumber) (account.Profile, error) {
	access, err := k.directory.Access(ctx, p.AccountID, p.WABAKey)
	if err != nil {
		return account.Profile{}, err
	}
	profile, err := k.graph.Profile(ctx, p.MetaID, access.Token)
	return profile, meta.Fault(err)
}

func (k keptAtMeta) ChangeProfile(ctx context.Context, p *account.PhoneNumber, changes account.Profile) error {
	access, err := k.directory.Access(ctx, p.AccountID, p.WABAKey)
	if err != nil {
		return err
	}
	return meta.Fault(k.graph.ChangeProfile(ctx, p.MetaID, access.Token, changes))
}

func (k keptAtMeta) TemplateAnalytics(ctx context.Context, accountID, wabaKey string, start, end time.Time, templates []string) ([]account.TemplateDay, error) {
	access, err := k.directory.Access(ctx, accountID, wabaKey)
	if err != nil {
		return nil, err
	}
	days, err := k.graph.TemplateAnalytics(ctx, access.MetaID, access.Token, start, end, templates)
	return days, meta.Fault(err)
}
