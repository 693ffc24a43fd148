package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/ncruces/go-sqlite3"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Room says how much of its work a store can do. What has been taken on needs room to be finished, so it ends in two steps.
type Room int32

const (
	Ample Room = iota // everything
	// Scarce takes nothing new on: messages are not accepted. What was accepted is handed over, callbacks are taken, events are
	// delivered.
	Scarce
	// None begins nothing whose outcome might not fit: no hand-over starts, and callbacks are refused, which Meta repeats. What
	// is under way is still recorded, in the last of the reserve.
	None
)

const textFull = "storage is full"

// Condition is how a store is doing.
type Condition struct {
	Room    Room
	Free    int64 // bytes that may still be written, as far as is known
	Trouble error // why nothing can be written; nil: it can
	Damaged bool  // Trouble is about what is stored: it will not pass
}

// room keeps watch over the space that is left. The writer owns it; what others see is in condition.
type room struct {
	path     string
	reserve  int64 // Scarce below this, None below a quarter of it
	maxPages int64 // of the file; 0: as many as fit
	tell     func(Condition)

	condition atomic.Pointer[Condition]
	looked    time.Time
	written   int64         // bytes since then
	failed    time.Time     // when the trouble began that there is, or was last
	patience  time.Duration // before it is looked whether it is over
}

const (
	lookEvery  = 50 * time.Millisecond // while writing goes on
	lookPart   = 32                    // of the reserve may be written before it is looked again: a fast disk would fill it unseen
	lookIdle   = time.Second
	lookLate   = 30 * time.Second // when trouble comes back as often as it goes
	notWatched = time.Hour
	pageSize   = 4096 // SQLite's default, which nothing here changes
)

func newRoom(path string, o *Options) *room {
	r := &room{path: path, reserve: o.MinFree, maxPages: o.MaxSize / pageSize, tell: o.OnRoom}
	r.condition.Store(&Condition{Free: math.MaxInt64})
	return r
}

// watched reports whether space is measured at all.
func (r *room) watched() bool { return r.reserve > 0 }

// pace is how long to wait before the next look when nothing is written.
func (r *room) pace() time.Duration {
	if r.watched() || r.condition.Load().Trouble != nil {
		return lookIdle
	}
	return notWatched
}

// due reports whether it is time to look, after so many bytes were committed.
func (r *room) due(bytes int64) bool {
	r.written += bytes
	return r.written >= r.reserve/lookPart || time.Since(r.looked) >= lookEvery
}

// judge decides how much can be done with the bytes that are left. To get better takes a little more than to stay well: at the
// border it does not flutter.
func judge(now Room, free, reserve int64, trouble error) Room {
	better := func(mark int64, then Room) int64 {
		if now >= then {
			return mark + mark/8
		}
		return mark
	}
	switch {
	case trouble != nil, free < better(reserve/4, None):
		return None
	case free < better(reserve, Scarce):
		return Scarce
	default:
		return Ample
	}
}

// set notes the condition, and tells it when it is another one than before.
func (r *room) set(free int64, trouble error) {
	was := r.condition.Load()
	is := &Condition{Room: judge(was.Room, free, r.reserve, trouble), Free: free, Trouble: trouble, Damaged: isDamage(trouble)}
	r.condition.Store(is)
	if r.tell != nil && (is.Room != was.Room || (is.Trouble == nil) != (was.Trouble == nil) || is.Damaged != was.Damaged) {
		r.tell(*is)
	}
}

// explain tells a full file system from other failures of writing, which SQLite's driver does not.
func (r *room) explain(err error) error {
	if errors.Is(err, sqlite3.IOERR) {
		if free, unknown := freeBytes(filepath.Dir(r.path)); unknown == nil && free < pageSize {
			return fmt.Errorf("%w: %w", sqlite3.FULL, err)
		}
	}
	return err
}

// troubled notes that a write failed for a reason that lies in the storage. Trouble that has just gone is not believed to go so
// soon again.
func (r *room) troubled(err error) {
	now := time.Now()
	if was := r.condition.Load(); was.Trouble == nil {
		if now.Sub(r.failed) < 2*lookLate {
			r.patience = min(2*r.patience, lookLate)
		} else {
			r.patience = lookIdle
		}
		r.failed = now
	}
	r.set(r.condition.Load().Free, err)
}

// Condition tells how the store is doing.
func (db *DB) Condition() Condition { return *db.writer.room.condition.Load() }

// admit refuses work while there is less room than it needs.
func (db *DB) admit(needs Room) error {
	c := db.writer.room.condition.Load()
	switch {
	case c.Room <= needs:
		return nil
	case c.Trouble != nil:
		return storageFault(c.Trouble)
	default:
		return fault.New(fault.Unavailable, textFull)
	}
}

// look measures the room that is left, and finds out whether trouble is over.
func (w *writer) look() {
	r := w.room
	r.looked, r.written = time.Now(), 0
	trouble := r.condition.Load().Trouble
	if trouble != nil && !isDamage(trouble) && r.looked.Sub(r.failed) >= r.patience {
		trouble = w.probe()
	}
	free := r.condition.Load().Free // what cannot be measured has not changed
	if r.watched() {
		if left, err := w.left(); err == nil {
			free = left
		}
	}
	r.set(free, trouble)
}

// wrote is how many bytes have been put into the log since it was asked last.
func (w *writer) wrote() int64 {
	pages, _, err := w.raw.Status(sqlite3.DBSTATUS_CACHE_WRITE, true)
	if err != nil {
		return math.MaxInt32 // look rather than trust
	}
	return pages * pageSize
}

// left is how many bytes may still be written: on the file system, less what the log holds and the file has yet to grow by, and
// up to the limit of the file.
func (w *writer) left() (int64, error) {
	var pages, unused int64
	err := w.conn.QueryRowContext(context.Background(), `SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count`).
		Scan(&pages, &unused)
	if err != nil {
		return 0, err
	}
	file, err := os.Stat(w.room.path)
	if err != nil {
		return 0, err
	}
	free, err := freeBytes(filepath.Dir(w.room.path))
	if err != nil {
		return 0, err
	}
	free -= max(0, pages*pageSize-file.Size())
	if w.room.maxPages > 0 {
		free = min(free, (w.room.maxPages-pages+unused)*pageSize)
	}
	return max(free, 0), nil
}

// probe writes one page, and changes nothing.
func (w *writer) probe() error {
	var version int
	err := w.conn.QueryRowContext(context.Background(), `PRAGMA user_version`).Scan(&version)
	if err == nil {
		err = setVersion(context.Background(), w.conn, version)
	}
	return err
}

// isDamage reports whether an error says that what is stored is not a database, or not a whole one.
func isDamage(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB)
}
