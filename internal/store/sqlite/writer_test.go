package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Under load that never pauses, the log is started anew instead of growing for ever.
func TestLogIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waxwing.db")
	db := open(t, path, Options{Exclusive: true, folding: folding{every: 8, pages: 512}})
	const writers, each, size = 4, 250, 16 << 10
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			body := make([]byte, size)
			for range each {
				if err := db.Receive(t.Context(), body, time.Now()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	log, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	if written := int64(writers * each * size); log.Size() > written/2 {
		t.Errorf("the log has %d bytes after %d were written", log.Size(), written)
	}
}

// A file that somebody else keeps locked is trouble that passes, not a mistake in what was to be written: callers try again.
func TestLockedFileIsUnavailable(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "waxwing.db")
	db := open(t, path, Options{Exclusive: true})
	if err := db.write(t.Context(), func(tx *tx) error {
		_, err := tx.w.conn.ExecContext(t.Context(), `PRAGMA busy_timeout(1)`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	other, err := openPool(path, 1, "rw")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { other.Close() })
	held, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Receive(t.Context(), []byte("x"), time.Now()); !fault.Is(err, fault.Unavailable) {
		t.Errorf("while the file is locked: %v, want Unavailable", err)
	}
	if err := held.Rollback(); err != nil {
		t.Fatal(err)
	}
	v := vessel{DB: db, t: t}
	v.again(v.receive)
}

// A write that fails takes none of those with it that share its transaction.
func TestGroupSurvivesAFailure(t *testing.T) {
	t.Parallel()
	db := open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true})
	mistake := errors.New("mistake")
	release, started := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() { // holds the writer, so that the others make one group
		if err := db.write(t.Context(), func(*tx) error { close(started); <-release; return nil }); err != nil {
			t.Error(err)
		}
	})
	<-started
	const n = 20
	for i := range n {
		wg.Go(func() {
			err := db.write(t.Context(), func(tx *tx) error {
				if _, err := tx.exec(`INSERT INTO inbox (received_at, body) VALUES (?, ?)`, i, []byte("x")); err != nil {
					return err
				}
				if i%5 == 0 {
					return mistake
				}
				return nil
			})
			if failed := i%5 == 0; failed != errors.Is(err, mistake) || !failed && err != nil {
				t.Errorf("write %d: %v", i, err)
			}
		})
	}
	close(release)
	wg.Wait()
	list, err := db.Webhooks(t.Context(), 100)
	if err != nil || len(list) != n-n/5 {
		t.Errorf("%d rows were written, %v; want %d", len(list), err, n-n/5)
	}
}
