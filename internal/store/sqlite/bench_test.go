package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// BenchmarkAccept measures durable acceptance with many callers sharing commits.
func BenchmarkAccept(b *testing.B) {
	db, err := Open(b.Context(), filepath.Join(b.TempDir(), "waxwing.db"), Options{Exclusive: true})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	if err := db.CreateAccount(b.Context(), identity.Account{ID: "1"}, identity.AccessKey{User: identity.User{ID: "u", AccountID: "1", Name: "admin"}}, nil); err != nil {
		b.Fatal(err)
	}
	body := make([]byte, 400)
	b.SetParallelism(128)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			m := message.Outbound{ID: uuid.Must(uuid.NewV7()).String(), AccountID: "1", WABAKey: "w", PhoneKey: "p", MetaVersion: "v20.0",
				Kind: "text", Recipient: "14255550150", AcceptedAt: time.Now(), InvocationID: uuid.NewString()}
			if _, _, err := db.Accept(b.Context(), &m, body); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
