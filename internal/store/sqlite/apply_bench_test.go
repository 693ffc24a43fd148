package sqlite

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// BenchmarkApply measures how fast webhooks become events: 64 at a time, as ingest takes them.
func BenchmarkApply(b *testing.B) {
	ctx := b.Context()
	db, err := Open(ctx, filepath.Join(b.TempDir(), "waxwing.db"), Options{Exclusive: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.CreateAccount(ctx, identity.Account{ID: "1"}, identity.AccessKey{User: identity.User{ID: "u", AccountID: "1", Name: "admin"}}, nil); err != nil {
		b.Fatal(err)
	}
	if err := db.Link(ctx, account.WABA{Key: "w", AccountID: "1", MetaID: "12", Destination: &account.Destination{ARN: "arn"}}, []byte("t"), nil); err != nil {
		b.Fatal(err)
	}
	const batch = 64
	entry, n := make([]byte, 500), 0
	for b.Loop() {
		b.StopTimer()
		var understood []event.Understood
		for range batch {
			if err := db.Receive(ctx, entry, time.Now()); err != nil {
				b.Fatal(err)
			}
		}
		hooks, err := db.Webhooks(ctx, batch)
		if err != nil {
			b.Fatal(err)
		}
		for _, hook := range hooks {
			n++
			understood = append(understood, event.Understood{Webhook: hook, Changes: []event.Change{{Kind: event.InboundChange, WABAMetaID: "12",
				Field: "messages", Status: event.Received, Key: fmt.Append(nil, n), WAMID: fmt.Sprint("wamid.", n), At: time.Now(),
				EventID: uuid.Must(uuid.NewV7()).String(), Entry: entry}}})
		}
		b.StartTimer()
		if _, err := db.Apply(ctx, understood, time.Now(), nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "webhooks/s")
}
