// Package sqlite is the embedded storage engine: one file, many readers, exactly one writer.
//
// All writes go through a single goroutine that commits whatever is waiting in one transaction, so that concurrent callers
// share an fsync. A write has reached the disk when its method returns (WAL, synchronous=FULL). Methods are use cases, each
// one transaction; callers never see one. What other engines must promise too is written down in internal/store/storetest.
package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/ncruces/go-sqlite3"
	_ "github.com/ncruces/go-sqlite3/driver" // registers "sqlite3"
)

// DB is an open database. It is safe for concurrent use.
type DB struct {
	path    string
	readers *sql.DB
	reads   sync.Map // prepared statements on readers, by query
	writes  *sql.DB  // a pool of one: the writer's connection
	writer  *writer
	lock    *os.File // held by the process that drives the queues; nil otherwise
	checker chan struct{}
	stop    context.CancelFunc
	stopped chan struct{}
	close   func() error
}

// Options configure Open.
type Options struct {
	// Exclusive claims the queues in the file for this process: a second exclusive Open fails, and leases left by a process
	// that died are free at once. Leave it unset for tools that work beside a running server.
	Exclusive bool
	// NoMigrate refuses an older schema instead of upgrading it.
	NoMigrate bool
	// Bus names the event bus that gets every event of an account, beside the destinations that want it. nil: there is none.
	Bus func(accountID string) string
	// BusWithRules keeps from Bus the events of accounts that have no enabled rule on their built-in bus.
	BusWithRules bool
	// MinFree is how many bytes have to be free for new work to be taken on, see Room; 0: nobody looks.
	MinFree int64
	// MaxSize bounds the file, in bytes; 0: only the disk does. The log beside it comes on top. It needs MinFree.
	MaxSize int64
	// OnRoom is told when the condition of the store has changed. It must return at once and not write.
	OnRoom func(Condition)

	folding folding // what tests make smaller
}

// folding is when the log is folded into the file.
type folding struct {
	every int // commits between hints that it may be time
	pages int // length of the log past which the writer starts it anew
}

// ErrInUse is returned by an exclusive Open when another process drives the same file.
var ErrInUse = errors.New("another waxwing process is using this data")

// Open opens the database file, creating and upgrading it as needed. It returns ErrInUse, or a SchemaError when the file
// was written by a newer release.
func Open(ctx context.Context, path string, o Options) (*DB, error) {
	db, err := openDB(ctx, path, o)
	if err != nil && isOutOfOrder(err) {
		if free, unknown := freeBytes(filepath.Dir(path)); unknown == nil {
			err = fmt.Errorf("%w, with %d bytes free on the file system", err, free)
		}
	}
	return db, err
}

func openDB(ctx context.Context, path string, o Options) (*DB, error) {
	if err := prepareFile(path); err != nil {
		return nil, err
	}
	o.folding.every, o.folding.pages = cmp.Or(o.folding.every, checkpointEvery), cmp.Or(o.folding.pages, maxLogPages)
	db := &DB{path: path, checker: make(chan struct{}, 1), stopped: make(chan struct{})}
	ok := false
	defer func() {
		if !ok {
			db.closeFiles() //nolint:errcheck // the error that led here is the one to tell
		}
	}()
	if o.Exclusive {
		lock, err := lockFile(path + ".lock")
		if err != nil {
			return nil, err
		}
		db.lock = lock
	}
	var err error
	if db.writes, err = openPool(path, 1, "rwc"); err != nil {
		return nil, err
	}
	if err := migrate(ctx, db.writes, o.NoMigrate); err != nil {
		return nil, err
	}
	if db.readers, err = openPool(path, max(4, runtime.NumCPU()), "ro"); err != nil {
		return nil, err
	}
	setBack := false
	if o.Exclusive {
		if setBack, err = takeOver(ctx, db.writes); err != nil {
			return nil, err
		}
	}
	conn, err := db.writes.Conn(ctx)
	if err != nil {
		return nil, err
	}
	run, stop := context.WithCancel(context.Background())
	db.stop = stop
	pool, err := openPool(path, 1, "rw")
	if err != nil {
		conn.Close()
		stop()
		return nil, err
	}
	if o.MaxSize > 0 {
		if _, err := conn.ExecContext(ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, o.MaxSize/pageSize)); err != nil {
			conn.Close()
			stop()
			pool.Close()
			return nil, fmt.Errorf("bound the database: %w", err)
		}
	}
	if db.writer, err = newWriter(conn, db.checker, o.folding.every, newRoom(path, &o)); err != nil {
		conn.Close()
		stop()
		pool.Close()
		return nil, err
	}
	db.writer.bus, db.writer.busWithRules = o.Bus, o.BusWithRules
	go db.writer.run()
	go db.checkpoint(run, pool, o.folding.pages)
	db.close = sync.OnceValue(func() error {
		db.writer.close()
		db.stop()
		<-db.stopped
		return db.closeFiles()
	})
	for setBack {
		if setBack, err = db.SetBack(ctx, time.Now()); err != nil {
			db.close() //nolint:errcheck // the error that led here is the one to tell
			return nil, err
		}
	}
	ok = true
	return db, nil
}

// prepareFile makes sure that the file and its directory exist, and that a new file is its owner's alone. The log beside it
// takes over its mode.
func prepareFile(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("create data directory: %w", err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open database: %w", err)
	}
	return f.Close()
}

// openPool opens connections with the pragmas every one needs. busy_timeout comes first so that the others wait for locks.
func openPool(path string, size int, mode string) (*sql.DB, error) {
	q := url.Values{"mode": {mode}, "_txlock": {"immediate"}, "_pragma": {
		"busy_timeout(10000)", "journal_mode(wal)", "synchronous(full)", "foreign_keys(on)", "temp_store(memory)",
		"cache_size(-8192)", "wal_autocheckpoint(0)"}}
	if mode == "ro" {
		q["_pragma"] = []string{"busy_timeout(10000)", "temp_store(memory)", "query_only(on)"}
	}
	db, err := sql.Open("sqlite3", (&url.URL{Scheme: "file", Opaque: url.PathEscape(path), RawQuery: q.Encode()}).String())
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	db.SetConnMaxLifetime(0)
	if err := db.Ping(); err != nil {
		db.Close()
		return nil, fmt.Errorf("open %s: %w", path, err)
	}
	return db, nil
}

// Close finishes the writes already begun, folds the log into the file and closes it. Calling it again does nothing.
func (db *DB) Close() error { return db.close() }

func (db *DB) closeFiles() error {
	var errs []error
	if db.readers != nil {
		errs = append(errs, db.readers.Close())
	}
	if db.writes != nil {
		errs = append(errs, db.writes.Close())
	}
	if db.lock != nil {
		errs = append(errs, db.lock.Close())
	}
	return errors.Join(errs...)
}

// maxLogPages is how long the log gets under load that never pauses: 64 MiB.
const maxLogPages = 16 << 10

// checkpoint moves committed pages from the log to the file, away from the writer's path: a commit never pays for it. While
// writing goes on the log never becomes empty this way, and would grow for ever; when it is long, the writer is asked to fold
// the little that is left, and starts it anew.
func (db *DB) checkpoint(ctx context.Context, pool *sql.DB, maxPages int) {
	defer close(db.stopped)
	defer pool.Close()
	tick := time.NewTicker(5 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			pool.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`) //nolint:errcheck // best effort: the log stays valid
			return
		case <-db.checker:
		case <-tick.C:
		}
		var busy, pages, folded int
		err := pool.QueryRowContext(ctx, `PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &folded)
		if err == nil && pages > maxPages { // an error: tried again soon
			db.writer.askRestart()
		}
	}
}

// write runs fn in a transaction shared with whatever else is waiting, and returns once it is on disk. fn may run more than
// once and must not keep what an earlier run left behind.
func (db *DB) write(ctx context.Context, fn func(tx *tx) error) error {
	return db.writer.do(ctx, fn)
}

// unixMicro stores a time; the zero time is 0.
func unixMicro(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicro reads a stored time.
func fromMicro(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}

// isOutOfOrder reports whether an error is about the state of the file or the machine, and not about what was to be done: the
// same may work later.
func isOutOfOrder(err error) bool {
	for _, code := range []sqlite3.ErrorCode{sqlite3.FULL, sqlite3.BUSY, sqlite3.LOCKED, sqlite3.READONLY, sqlite3.IOERR, sqlite3.NOMEM,
		sqlite3.CANTOPEN, sqlite3.PROTOCOL, sqlite3.CORRUPT, sqlite3.NOTADB} {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
