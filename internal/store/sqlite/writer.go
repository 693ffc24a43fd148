package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/driver"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// writer owns the only connection that writes. It commits in groups: whatever has queued up while the previous transaction
// was reaching the disk becomes the next one.
type writer struct {
	conn         *sql.Conn
	raw          *sqlite3.Conn // the same, past database/sql
	tasks        chan *task
	quit         chan struct{} // closed to refuse new work
	done         chan struct{} // closed when run has returned
	stmts        map[string]*statement
	checker      chan<- struct{}
	every        int           // commits between hints to the checker
	restart      chan struct{} // asks to start the log anew
	arrived      chan struct{} // tells that the inbox has got something
	commits      int
	bus          func(accountID string) string // see Options
	busWithRules bool                          // see Options
	room         *room
}

// task is one caller's write.
type task struct {
	fn   func(tx *tx) error
	err  error
	done chan struct{}
}

const (
	maxGroup        = 512 // tasks in one transaction: bounds how long the first waits for the last
	checkpointEvery = 256 // commits between hints to fold the log
)

func newWriter(conn *sql.Conn, checker chan<- struct{}, every int, r *room) (*writer, error) {
	var raw *sqlite3.Conn
	if err := conn.Raw(func(c any) error {
		raw = c.(driver.Conn).Raw()
		return nil
	}); err != nil {
		return nil, err
	}
	return &writer{room: r, conn: conn, raw: raw, tasks: make(chan *task, maxGroup), quit: make(chan struct{}), done: make(chan struct{}),
		stmts: make(map[string]*statement), checker: checker, every: every, restart: make(chan struct{}, 1), arrived: make(chan struct{}, 1)}, nil
}

var errClosed = fault.New(fault.Unavailable, "the service is shutting down")

// do hands fn to the writer and waits until its transaction is on disk. If ctx ends first the write may or may not happen.
func (w *writer) do(ctx context.Context, fn func(tx *tx) error) error {
	t := &task{fn: fn, done: make(chan struct{})}
	select {
	case <-w.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	case w.tasks <- t:
	}
	select {
	case <-t.done:
		return t.err
	case <-w.done:
		select {
		case <-t.done: // it was in the last group
			return t.err
		default:
			return errClosed
		}
	}
}

// close stops taking work, finishes what is queued and waits for run to return.
func (w *writer) close() {
	close(w.quit)
	<-w.done
	for _, s := range w.stmts {
		s.close()
	}
	w.conn.Close()
}

func (w *writer) run() {
	defer close(w.done)
	group := make([]*task, 0, maxGroup)
	w.look()
	idle := time.NewTimer(w.room.pace())
	defer idle.Stop()
	for {
		select {
		case <-idle.C:
			w.look()
			idle.Reset(w.room.pace())
			continue
		case t := <-w.tasks:
			group = append(group[:0], t)
		case <-w.restart:
			w.startLogAnew()
			continue
		case <-w.quit:
			select {
			case t := <-w.tasks:
				group = append(group[:0], t)
			default:
				return
			}
		}
	drain:
		for len(group) < maxGroup {
			select {
			case t := <-w.tasks:
				group = append(group, t)
			default:
				break drain
			}
		}
		if w.commit(group) {
			idle.Reset(w.room.pace())
		} else if w.room.watched() && w.room.due(w.wrote()) {
			w.look()
		}
		for _, t := range group {
			close(t.done)
		}
		if w.commits++; w.commits%w.every == 0 {
			signal(w.checker)
		}
	}
}

// askRestart has the log started anew between two commits. It never blocks.
func (w *writer) askRestart() { signal(w.restart) }

// startLogAnew folds what is left of the log and lets the next commit write at its beginning. It is the writer that does it:
// anybody else would have to wait for a gap between its commits. A reader that stays for long is not waited for.
func (w *writer) startLogAnew() {
	for _, pragma := range []string{`PRAGMA busy_timeout(100)`, `PRAGMA wal_checkpoint(RESTART)`, `PRAGMA busy_timeout(10000)`} {
		w.conn.ExecContext(context.Background(), pragma) //nolint:errcheck // asked for again when it did not work
	}
}

// commit runs the tasks of a group in one transaction. A task that fails takes nothing down with it: if it had written
// something, the transaction is rolled back and the others run again without it. When the storage fails nothing more is tried;
// trouble reports that it did.
func (w *writer) commit(group []*task) (trouble bool) {
	for {
		tx := &tx{w: w}
		if _, err := tx.exec(`BEGIN IMMEDIATE`); err != nil {
			return w.settle(group, err)
		}
		failed := false
		for _, t := range group {
			if t.err != nil {
				continue
			}
			before := tx.writes
			if t.err = t.fn(tx); t.err == nil {
				continue
			}
			if isOutOfOrder(t.err) {
				tx.exec(`ROLLBACK`) //nolint:errcheck // it may have rolled back by itself
				return w.settle(group, t.err)
			}
			if tx.writes != before {
				failed = true
				break
			}
		}
		if failed {
			tx.exec(`ROLLBACK`) //nolint:errcheck // nothing of it was committed
			continue
		}
		if _, err := tx.exec(`COMMIT`); err != nil {
			tx.exec(`ROLLBACK`) //nolint:errcheck // COMMIT may already have rolled back
			return w.settle(group, err)
		}
		if tx.arrived {
			signal(w.arrived)
		}
		return false
	}
}

// signal leaves a word that nobody has to wait for.
func signal(ch chan<- struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// settle gives the tasks of a transaction that came to nothing its error, and reports whether the storage is to blame.
func (w *writer) settle(tasks []*task, err error) (trouble bool) {
	if trouble = isOutOfOrder(err); trouble {
		err = w.room.explain(err)
		w.room.troubled(err)
	}
	for _, t := range tasks {
		if t.err == nil || isOutOfOrder(t.err) {
			t.err = storageFault(err)
		}
	}
	return trouble
}

// storageFault turns a full disk, and whatever else may pass, into the fault that callers can tell apart, and leaves the rest
// alone.
func storageFault(err error) error {
	switch {
	case errors.Is(err, sqlite3.FULL):
		return fault.Wrap(fault.Unavailable, err, textFull)
	case isOutOfOrder(err):
		return fault.Wrap(fault.Unavailable, err, "storage is not available")
	default:
		return err
	}
}

// tx is a transaction as a task sees it. Statements are prepared once per writer.
type tx struct {
	w       *writer
	writes  int
	arrived bool // something was put into the inbox
}

func (t *tx) stmt(query string) (*statement, error) {
	if s, ok := t.w.stmts[query]; ok {
		return s, nil
	}
	s, err := prepare(t.w.raw, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %.60q: %w", query, err)
	}
	t.w.stmts[query] = s
	return s, nil
}

// exec runs a statement and returns how many rows it changed.
func (t *tx) exec(query string, args ...any) (int64, error) {
	if err := t.run(query, args); err != nil {
		return 0, err
	}
	return t.w.raw.Changes(), nil
}

// insert runs an INSERT and returns the new row's id.
func (t *tx) insert(query string, args ...any) (int64, error) {
	if err := t.run(query, args); err != nil {
		return 0, err
	}
	return t.w.raw.LastInsertRowID(), nil
}

func (t *tx) run(query string, args []any) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	t.writes++
	return s.exec(args)
}

// row reads one row into dest and reports whether there was one. The query may be a write that returns something.
func (t *tx) row(query string, args []any, dest ...any) (bool, error) {
	s, err := t.stmt(query)
	if err != nil {
		return false, err
	}
	if query[0] != 'S' { // SELECT
		t.writes++
	}
	return s.row(args, dest)
}

// scan is row in the form that readers of whole rows want: without one it is sql.ErrNoRows.
func (t *tx) scan(query string, args ...any) func(dest ...any) error {
	return func(dest ...any) error {
		ok, err := t.row(query, args, dest...)
		if err == nil && !ok {
			err = sql.ErrNoRows
		}
		return err
	}
}

// rows calls each for every row of a query.
func (t *tx) rows(query string, args []any, each func(scan func(dest ...any) error) error) error {
	s, err := t.stmt(query)
	if err != nil {
		return err
	}
	if query[0] != 'S' {
		t.writes++
	}
	return s.each(args, each)
}

func collect(rows *sql.Rows, each func(scan func(dest ...any) error) error) error {
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// args makes the argument list of row and rows readable at the call.
func args(a ...any) []any { return a }
