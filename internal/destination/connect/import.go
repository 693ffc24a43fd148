package connect

import (
	"context"
	"log/slog"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/destination/awsrole"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

// Store says which numbers belong into an instance and are not there yet.
type Store interface {
	ClaimImports(ctx context.Context, now time.Time, later func(attempts int) time.Time, limit int) ([]account.Import, error)
	Imported(ctx context.Context, i *account.Import, connectARN string) error
}

// ImporterOptions configure an Importer.
type ImporterOptions struct {
	Store     Store
	Publisher *Publisher
	Scope     account.Scope // partition and Region of the numbers' ARNs
	Logger    *slog.Logger
}

// Importer imports numbers into the instances that their business accounts have as event destinations. What an instance refuses is
// tried again, ever more rarely, for as long as it is the destination.
type Importer struct{ ImporterOptions }

// NewImporter returns an Importer; Run makes it work.
func NewImporter(o ImporterOptions) *Importer { return &Importer{o} }

const (
	pollEvery = 10 * time.Second
	atOnce    = 10
)

var pauses = retry.Backoff{Min: time.Minute, Max: 6 * time.Hour, Factor: 2}

// Run imports until ctx ends, and returns nil.
func (m *Importer) Run(ctx context.Context) error {
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := m.step(ctx); err != nil && ctx.Err() == nil {
			m.Logger.Error("import numbers into Amazon Connect", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (m *Importer) step(ctx context.Context) error {
	now := time.Now()
	list, err := m.Store.ClaimImports(ctx, now, func(attempts int) time.Time { return now.Add(pauses.Ceiling(attempts + 1)) }, atOnce)
	if err != nil {
		return err
	}
	for i := range list {
		number := account.ID(account.KindPhoneNumber, list[i].PhoneKey)
		arn, err := m.importNumber(ctx, &list[i])
		if ctx.Err() != nil {
			return nil // it comes again
		}
		if err != nil {
			m.Logger.Warn("number not imported into Amazon Connect", "phone", number, "instance", list[i].InstanceARN, "again_at", list[i].Due, "error", err)
			continue
		}
		if err := m.Store.Imported(ctx, &list[i], arn); err != nil {
			return err
		}
		m.Logger.Info("number imported into Amazon Connect", "phone", number, "instance", list[i].InstanceARN, "as", arn)
	}
	return nil
}

// importNumber makes one attempt. The client token makes it the same import however often it is tried.
func (m *Importer) importNumber(ctx context.Context, i *account.Import) (arn string, err error) {
	instance, err := m.Publisher.instance(i.InstanceARN)
	if err != nil {
		return "", err
	}
	scope := m.Scope
	scope.AccountID = i.AccountID
	ctx, cancel := context.WithTimeout(ctx, awsrole.Timeout)
	defer cancel()
	arn, err = m.Publisher.clients.For(&event.Destination{RoleARN: i.RoleARN, AccountID: i.AccountID}).importPhone(ctx, &phoneImport{
		InstanceID: instance, SourcePhoneNumberArn: scope.ARN(account.KindPhoneNumber, i.PhoneKey),
		PhoneNumberDescription: "WhatsApp " + i.DisplayNumber, ClientToken: i.PhoneKey + "/" + instance})
	if err != nil {
		return "", service.Explain(err)
	}
	if arn == "" {
		return "", errUnmentioned
	}
	return arn, nil
}
