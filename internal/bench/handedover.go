package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// seedHandedOver puts messages into an empty database as if WhatsApp had taken them: message n from number n modulo numbers, under wamidOf(n).
func seedHandedOver(ctx context.Context, path string, messages, numbers int) error {
	if messages == 0 {
		return nil
	}
	db, err := sqlite.Open(ctx, path, sqlite.Options{Exclusive: true})
	if err != nil {
		return err
	}
	defer db.Close()
	leases := make([]lease.Lease, numbers)
	for i := range leases {
		if leases[i], err = db.AcquireLease(ctx, "lane/"+key(i+1), "bench", time.Now(), time.Hour); err != nil {
			return err
		}
	}
	const writers = 256 // that share commits
	var work errgroup.Group
	var next atomic.Int64
	for range writers {
		work.Go(func() error {
			for {
				n := int(next.Add(1) - 1)
				if n >= messages {
					return nil
				}
				if err := handOver(ctx, db, n, n%numbers+1, leases[n%numbers]); err != nil {
					return err
				}
			}
		})
	}
	if err := work.Wait(); err != nil {
		return err
	}
	for _, l := range leases {
		if err := db.ReleaseLease(ctx, l); err != nil {
			return err
		}
	}
	return nil
}

func handOver(ctx context.Context, db *sqlite.DB, n, number int, l lease.Lease) error {
	now := time.Now()
	m := &message.Outbound{ID: uuid.Must(uuid.NewV7()).String(), AccountID: config.DevAccountID, WABAKey: key(1), PhoneKey: key(number),
		MetaVersion: "v20.0", Kind: message.KindTemplate, Template: "hello_world", Recipient: "447900000000", Priority: message.Bulk, AcceptedAt: now}
	_, seq, err := db.Accept(ctx, m, []byte("not kept"))
	if err != nil {
		return err
	}
	j := m.Job(seq)
	if ok, err := db.Begin(ctx, l, &j, now); err != nil || !ok {
		return fmt.Errorf("begin: %v, %w", ok, err)
	}
	j.Attempts++
	if ok, err := db.Finish(ctx, &j, message.Accepted, wamidOf(n), nil, now); err != nil || !ok {
		return fmt.Errorf("finish: %v, %w", ok, err)
	}
	return nil
}

// key is the variable part of the n-th seeded id.
func key(n int) string { return fmt.Sprintf("%032d", n) }

// wamidOf is WhatsApp's id of the n-th message that was handed over, of the length of real ones.
func wamidOf(n int) string { return fmt.Sprintf("wamid.HBgMNDQ3OTAwMDAwMDAwFQIAERgS%018XAA==", n) }
