package sqlite

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// A process that starts with a clock behind that of the one before does not let its work wait for the difference.
func TestClockSetBackBetweenRuns(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"set back": time.Hour, "right": 0} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "waxwing.db")
			v := newVessel(t, path, Options{})
			ctx, then := t.Context(), time.Now().Add(ahead)
			m := message.Outbound{ID: "m", AccountID: "1", WABAKey: "w", PhoneKey: "p", Kind: "text", Recipient: "2", AcceptedAt: then}
			_, seq, err := v.Accept(ctx, &m, []byte("x"))
			v.must(err)
			l, err := v.AcquireLease(ctx, "lane/p", "before", then, lease.TTL)
			v.must(err)
			j := m.Job(seq)
			if ok, err := v.Begin(ctx, l, &j, then); err != nil || !ok {
				t.Fatal(ok, err)
			}
			j.Attempts++
			due := then.Add(10 * time.Minute)
			if ok, err := v.Postpone(ctx, &j, due, false); err != nil || !ok {
				t.Fatal(ok, err)
			}
			v.must(v.Close())

			db := open(t, path, Options{Exclusive: true})
			jobs, err := db.Jobs(ctx, "p", m.Priority, 0, 10)
			if err != nil || len(jobs) != 1 {
				t.Fatal(jobs, err)
			}
			if now := time.Now(); ahead > 0 && jobs[0].NotBefore.After(now) {
				t.Errorf("the job waits for another %v", jobs[0].NotBefore.Sub(now))
			}
			if ahead == 0 && unixMicro(jobs[0].NotBefore) != unixMicro(due) {
				t.Errorf("the job is due at %v, want %v as before", jobs[0].NotBefore, due)
			}
		})
	}
}
