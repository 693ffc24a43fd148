package sqlite

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/store/storetest"
)

// fillPath tells a process of this test which file to fill.
const fillPath = "WAXWING_TEST_FILL"

// TestDeepQueue queues a million messages. It measures, so it does not run beside the package's other tests.
func TestDeepQueue(t *testing.T) {
	if path := os.Getenv(fillPath); path != "" {
		fill(t, path, storetest.Deep)
		return
	}
	storetest.RunDeep(t, func(t *testing.T, q storetest.Queue) storetest.Store {
		path := filepath.Join(t.TempDir(), "waxwing.db")
		if q == storetest.Deep && raceDetector {
			fillElsewhere(t, path)
		} else {
			fill(t, path, q)
		}
		return open(t, path, Options{Exclusive: true})
	})
}

// TestBacklog has a million events wait for one destination.
func TestBacklog(t *testing.T) {
	if path := os.Getenv(fillPath); path != "" {
		fillEvents(t, path)
		return
	}
	storetest.RunBacklog(t, func(t *testing.T) storetest.Store {
		path := filepath.Join(t.TempDir(), "waxwing.db")
		if raceDetector {
			fillElsewhere(t, path)
		} else {
			fillEvents(t, path)
		}
		return open(t, path, Options{Exclusive: true})
	})
}

// fillElsewhere has the running test's file filled by a process without the race detector, which makes SQLite, Go code here, twenty
// times slower.
func fillElsewhere(t *testing.T, path string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "test", "-race=false", "-vet=off", "-count=1", "-run", "^"+t.Name()+"$", ".")
	cmd.Env = append(os.Environ(), fillPath+"="+path)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("fill the queue: %v\n%s", err, out)
	}
}

// fillEvents queues events in a few transactions.
func fillEvents(t *testing.T, path string) {
	t.Helper()
	db := open(t, path, Options{Exclusive: true})
	const most = 100_000 // in a transaction
	for from := 0; from < storetest.Backlog; from += most {
		if err := db.write(t.Context(), func(tx *tx) error {
			if _, err := tx.exec(`WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
				INSERT INTO events (seq, id, account_id, waba_key, phone_key, message_id, wamid, field, status, at, entry)
				SELECT i + 1, printf('00000000-0000-7000-8000-%012d', i), ?3, ?4, '', '', '', 'messages', 'delivered', ?5 + i, CAST(?6 AS BLOB) FROM n`,
				from, from+most, storetest.QueueAccount, storetest.QueueWABA, storetest.QueueAccepted, storetest.BacklogEntry); err != nil {
				return err
			}
			_, err := tx.exec(`INSERT INTO deliveries (destination, seq) SELECT ?, seq FROM events WHERE seq > ?`, storetest.BacklogDestination, from)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// fill queues messages in a few transactions, with SQL that makes them up as it goes.
func fill(t *testing.T, path string, q storetest.Queue) {
	t.Helper()
	db := open(t, path, Options{Exclusive: true})
	const most = 100_000 // in a transaction
	for from := 0; from < q.Messages; from += most {
		if err := db.write(t.Context(), func(tx *tx) error {
			if _, err := tx.exec(`WITH RECURSIVE n (i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2)
				INSERT INTO messages (seq, id, account_id, waba_key, phone_key, meta_version, kind, recipient, template, own_opaque,
					accepted_at, body)
				SELECT i + 1, printf('00000000-0000-7000-8000-%012d', i), ?4, ?5, printf(?6, CASE WHEN i % 2 = 0 THEN 0 ELSE i / 2 % ?3 END),
					'v20.0', 'text', printf('1425%07d', i), '', 0, ?7, CAST(?8 AS BLOB) FROM n`,
				from, min(from+most, q.Messages), q.Numbers, storetest.QueueAccount, storetest.QueueWABA, storetest.QueueNumber,
				storetest.QueueAccepted, storetest.QueueBody); err != nil {
				return err
			}
			_, err := tx.exec(`INSERT INTO outbox (seq, place, phone_key, priority) SELECT seq, seq, phone_key, 1 FROM messages WHERE seq > ?`, from)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}
