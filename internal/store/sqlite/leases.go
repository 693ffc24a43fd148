package sqlite

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/lease"
)

// AcquireLease takes a lease that is free, expired or already the owner's. The result is not Held when someone else has it.
// Its fence grows whenever the lease changes hands or had expired.
func (db *DB) AcquireLease(ctx context.Context, name, owner string, now time.Time, ttl time.Duration) (l lease.Lease, err error) {
	err = db.write(ctx, func(tx *tx) error {
		l = lease.Lease{}
		var fence int64
		ok, err := tx.row(`INSERT INTO leases (name, owner, fence, expires_at) VALUES (?1, ?2, 1, ?4)
			ON CONFLICT (name) DO UPDATE SET
			  fence = CASE WHEN owner = ?2 AND expires_at > ?3 THEN fence ELSE fence + 1 END, owner = ?2, expires_at = ?4
			WHERE owner = ?2 OR expires_at <= ?3
			RETURNING fence`, args(name, owner, now.UnixMicro(), now.Add(ttl).UnixMicro()), &fence)
		if ok {
			l = lease.Lease{Name: name, Owner: owner, Fence: fence}
		}
		return err
	})
	return l, err
}

// RenewLease extends a lease and reports whether it is still held. One whose time is over is, unless somebody has taken it: the
// clock may have been set forward.
func (db *DB) RenewLease(ctx context.Context, l lease.Lease, now time.Time, ttl time.Duration) (held bool, err error) {
	err = db.write(ctx, func(tx *tx) error {
		n, err := tx.exec(`UPDATE leases SET expires_at = ? WHERE name = ? AND owner = ? AND fence = ? AND expires_at > 0`,
			now.Add(ttl).UnixMicro(), l.Name, l.Owner, l.Fence)
		held = n == 1
		return err
	})
	return held, err
}

// ReleaseLease gives a lease back early. Releasing one that was lost does nothing.
func (db *DB) ReleaseLease(ctx context.Context, l lease.Lease) error {
	return db.write(ctx, func(tx *tx) error {
		_, err := tx.exec(`UPDATE leases SET expires_at = 0 WHERE name = ? AND owner = ? AND fence = ?`, l.Name, l.Owner, l.Fence)
		return err
	})
}

// holds reports whether the lease has not changed hands. Expiry alone does not take it away: nobody else is acting.
func (t *tx) holds(l lease.Lease) (bool, error) {
	var one int
	return t.row(`SELECT 1 FROM leases WHERE name = ? AND owner = ? AND fence = ?`, args(l.Name, l.Owner, l.Fence), &one)
}
