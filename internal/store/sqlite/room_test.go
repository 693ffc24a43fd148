package sqlite

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/ncruces/go-sqlite3"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	const reserve = 800
	broken := errors.New("broken")
	for _, tc := range []struct {
		name    string
		now     Room
		free    int64
		trouble error
		want    Room
	}{
		{"plenty", Ample, math.MaxInt64, nil, Ample},
		{"just enough", Ample, 800, nil, Ample},
		{"a byte too little", Ample, 799, nil, Scarce},
		{"still a little too little", Scarce, 899, nil, Scarce},
		{"enough again", Scarce, 900, nil, Ample},
		{"the last quarter", Scarce, 199, nil, None},
		{"at once", Ample, 0, nil, None},
		{"still in the last quarter", None, 224, nil, None},
		{"out of it", None, 225, nil, Scarce},
		{"all the way back", None, 900, nil, Ample},
		{"nothing can be written", Ample, math.MaxInt64, broken, None},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := judge(tc.now, tc.free, reserve, tc.trouble); got != tc.want {
				t.Errorf("judge = %d, want %d", got, tc.want)
			}
		})
	}
	if got := judge(Ample, 0, 0, nil); got != Ample {
		t.Errorf("without a reserve: %d", got)
	}
}

// vessel is a store that gets full.
type vessel struct {
	*DB
	t    *testing.T
	mu   sync.Mutex
	told []Condition
	jobs []message.Job // what was accepted
	hook int
}

func newVessel(t *testing.T, path string, o Options) *vessel {
	t.Helper()
	v := &vessel{t: t}
	o.Exclusive = true
	o.OnRoom = func(c Condition) {
		v.mu.Lock()
		defer v.mu.Unlock()
		v.told = append(v.told, c)
	}
	v.DB = open(t, path, o)
	ctx := t.Context()
	v.must(v.CreateAccount(ctx, identity.Account{ID: "1"}, identity.AccessKey{User: identity.User{ID: "u", AccountID: "1", Name: "admin"}}, nil))
	v.must(v.Link(ctx, account.WABA{Key: "w", AccountID: "1", MetaID: "12", Destination: &account.Destination{ARN: "arn"}}, []byte("t"),
		[]account.PhoneNumber{{Key: "p", AccountID: "1", WABAKey: "w", MetaID: "11"}}))
	return v
}

func (v *vessel) must(err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
}

// rooms are the rooms that were told.
func (v *vessel) rooms() (list []Room) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.told {
		list = append(list, c.Room)
	}
	return list
}

func (v *vessel) accept() error {
	n := len(v.jobs)
	m := message.Outbound{ID: fmt.Sprintf("m%d", n), AccountID: "1", WABAKey: "w", PhoneKey: "p", Kind: "text", Recipient: "2", AcceptedAt: time.Now()}
	_, seq, err := v.Accept(context.Background(), &m, make([]byte, 2000))
	if err == nil {
		v.jobs = append(v.jobs, m.Job(seq))
	}
	return err
}

func (v *vessel) receive() error {
	err := v.Receive(context.Background(), make([]byte, 2000), time.Now())
	if err == nil {
		v.hook++
	}
	return err
}

// until repeats something until it is refused, and checks that this is the kind of error that callers try again after.
func (v *vessel) until(what string, do func() error) {
	v.t.Helper()
	for range 100_000 {
		err := do()
		if err == nil {
			continue
		}
		if !fault.Is(err, fault.Unavailable) {
			v.t.Fatalf("%s: %v, want Unavailable", what, err)
		}
		return
	}
	v.t.Fatalf("%s is never refused", what)
}

// kept checks that everything that was acknowledged is there, and nothing else.
func (v *vessel) kept() {
	v.t.Helper()
	for i := range v.jobs {
		if _, ok, err := v.Lookup(context.Background(), "1", v.jobs[i].ID); err != nil || !ok {
			v.t.Fatalf("message %s of %d: %v, %v", v.jobs[i].ID, len(v.jobs), ok, err)
		}
	}
	var hooks int
	if err := v.readers.QueryRow(`SELECT count(*) FROM inbox`).Scan(&hooks); err != nil || hooks != v.hook {
		v.t.Errorf("%d webhooks are there, %v, want %d", hooks, err, v.hook)
	}
}

// again waits until what was refused is done by itself.
func (v *vessel) again(do func() error) {
	v.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); do() != nil; <-tick.C {
		if time.Now().After(end) {
			v.t.Fatalf("it does not recover: %+v", v.Condition())
		}
	}
}

// fold moves all of the log to the file, so that the next write goes to its beginning.
func (v *vessel) fold() {
	v.t.Helper()
	pool, err := openPool(v.path, 1, "rw")
	v.must(err)
	defer pool.Close()
	var busy, pages, folded int
	v.must(pool.QueryRow(`PRAGMA wal_checkpoint(PASSIVE)`).Scan(&busy, &pages, &folded))
	if folded != pages {
		v.t.Fatalf("%d pages of %d are folded", folded, pages)
	}
}

func (v *vessel) empty() {
	v.t.Helper()
	v.must(v.write(context.Background(), func(tx *tx) error {
		_, err := tx.exec(`DELETE FROM inbox`)
		return err
	}))
	v.hook = 0
}

// A store that fills up first takes nothing new on, then begins nothing, and keeps enough to finish what has begun. When there is
// room again it goes on by itself.
func TestRoomEndsInSteps(t *testing.T) {
	t.Parallel()
	v := newVessel(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{MinFree: 1 << 20, MaxSize: 4 << 20})
	ctx := t.Context()
	l, err := v.AcquireLease(ctx, "lane/p", "me", time.Now(), time.Hour)
	v.must(err)
	begin := func(j *message.Job) error {
		ok, err := v.Begin(ctx, l, j, time.Now())
		if err == nil && !ok {
			return errors.New("not begun")
		}
		j.Attempts++
		return err
	}

	for range 300 {
		v.must(v.receive())
	}
	call := message.Outbound{ID: "call", AccountID: "1", WABAKey: "w", PhoneKey: "p", Kind: "text", Recipient: "2", AcceptedAt: time.Now(), InvocationID: "i"}
	_, _, err = v.Accept(ctx, &call, []byte("x"))
	v.must(err)
	v.until("accepting", v.accept)
	v.kept()
	if len(v.jobs) < 400 {
		t.Errorf("only %d messages fit", len(v.jobs))
	}
	again := call
	again.ID = "again"
	if id, seq, err := v.Accept(ctx, &again, []byte("x")); err != nil || id != "call" || seq != 0 {
		t.Errorf("a call whose answer was lost is answered %q, %d, %v, want the first answer", id, seq, err)
	}
	v.must(v.receive())
	const flying = 50
	for i := range flying {
		v.must(begin(&v.jobs[i]))
	}

	v.until("receiving", v.receive)
	v.until("beginning", func() error { return begin(&v.jobs[flying]) })
	if _, err := v.RenewLease(ctx, l, time.Now(), lease.TTL); err != nil {
		t.Errorf("renewing a lease: %v", err)
	}
	for i := range flying {
		j := &v.jobs[i]
		e := event.Event{ID: "e" + j.ID, AccountID: "1", WABAKey: "w", PhoneKey: "p", MessageID: j.ID, Field: "messages", Status: "accepted", At: time.Now(),
			Entry: make([]byte, 1000)}
		if ok, err := v.Finish(ctx, j, message.Accepted, "wamid."+j.ID, &e, time.Now()); err != nil || !ok {
			t.Fatalf("finishing message %d of %d: %v, %v", i+1, flying, ok, err)
		}
	}
	v.kept()

	v.empty()
	v.again(v.accept)
	if got, want := v.rooms(), []Room{Scarce, None, Ample}; !cmp.Equal(got, want) && !cmp.Equal(got, []Room{Scarce, None, Scarce, Ample}) {
		t.Errorf("told %v, want %v", got, want)
	}
}

// When a write really fails, nothing of it stays, everybody is told that it may be tried again, and the trouble is told once.
func TestFullWithoutReserve(t *testing.T) {
	t.Parallel()
	v := newVessel(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{MaxSize: 2 << 20})
	v.until("receiving", v.receive)
	v.until("accepting", v.accept)
	if c := v.Condition(); c.Room != None || !errors.Is(c.Trouble, sqlite3.FULL) {
		t.Errorf("condition %+v, want it to be full", c)
	}
	v.kept()
	v.empty()
	v.again(v.accept)
	if got := v.rooms(); !slices.Equal(got, []Room{None, Ample}) {
		t.Errorf("told %v, want the end and the return of room once each", got)
	}
}

// What cannot be written for another reason is told like a full disk, and found out when it is over.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	v := newVessel(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{})
	v.must(v.accept())
	set := func(state string) {
		_, err := v.writer.conn.ExecContext(t.Context(), `PRAGMA query_only(`+state+`)`)
		v.must(err)
	}
	set("on")
	v.until("receiving", v.receive)
	if c := v.Condition(); c.Room != None || !errors.Is(c.Trouble, sqlite3.READONLY) || c.Damaged {
		t.Errorf("condition %+v, want it to be read-only", c)
	}
	v.kept()
	set("off")
	v.again(v.receive)
	v.kept()
	if got := v.rooms(); !slices.Equal(got, []Room{None, Ample}) {
		t.Errorf("told %v", got)
	}
}

// Damage does not pass, and is not written over.
func TestDamageIsToldApart(t *testing.T) {
	t.Parallel()
	v := newVessel(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{MinFree: 1})
	for range 200 {
		v.must(v.accept())
	}
	v.must(v.Close())
	b, err := os.ReadFile(v.path)
	v.must(err)
	for i := 2 * pageSize; i < len(b); i++ {
		b[i] = 0xa5
	}
	v.must(os.WriteFile(v.path, b, 0o600))
	var told []Condition
	db, err := Open(t.Context(), v.path, Options{OnRoom: func(c Condition) { told = append(told, c) }})
	if err != nil {
		return // it is found out even earlier
	}
	defer db.Close()
	err = db.Receive(t.Context(), []byte("x"), time.Now())
	if !fault.Is(err, fault.Unavailable) {
		t.Errorf("receive = %v, want Unavailable", err)
	}
	if c := db.Condition(); !c.Damaged || c.Room != None || len(told) != 1 {
		t.Errorf("condition %+v, told %d times; want damage, once", c, len(told))
	}
}

// tiny is set in the process that has a small file system of its own; see TestFullFileSystem.
const tiny = "WAXWING_TEST_TINY"

// A file system without room: a process of its own gets a mount namespace of its own with a tmpfs, fills that up to the last
// byte, and makes room again.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	if dir := os.Getenv(tiny); dir != "" {
		fullFileSystem(t, dir)
		return
	}
	const size = 48 << 20
	out, err := inTinyFileSystem(t, size, exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestFullFileSystem$", "-test.v"))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip("file systems cannot be mounted here")
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func fullFileSystem(t *testing.T, dir string) {
	v := newVessel(t, filepath.Join(dir, "waxwing.db"), Options{MinFree: 16 << 20})
	ballast := filepath.Join(dir, "ballast")
	for range 100 {
		v.must(v.accept())
	}
	load(t, ballast, 12<<20)
	v.until("accepting", v.accept)
	v.must(v.receive())

	v.fold() // what is written from now on is written into a log that has room, over what is in the file
	load(t, ballast, 0)
	v.until("receiving", v.receive)
	// Not even what should always go does: there is no byte left.
	v.until("writing", func() error {
		err := v.write(t.Context(), func(tx *tx) error {
			_, err := tx.exec(`INSERT INTO inbox (received_at, body) VALUES (0, ?)`, make([]byte, 100<<10))
			return err
		})
		if err == nil {
			v.hook++
		}
		return err
	})
	if c := v.Condition(); c.Room != None || c.Trouble == nil {
		t.Errorf("condition %+v, want trouble", c)
	}
	if err := v.receive(); err == nil || !strings.HasPrefix(err.Error(), textFull) {
		t.Errorf("refused with %v, want the reason", err)
	}
	if v.hook < 10 {
		t.Errorf("only %d webhooks fit into the log", v.hook)
	}
	v.kept()

	v.must(os.Remove(ballast))
	v.again(v.accept)
	v.kept()
	if err := v.Close(); err != nil {
		t.Error(err)
	}
	load(t, ballast, 0)
	if _, err := Open(t.Context(), v.path, Options{Exclusive: true}); err == nil || !strings.Contains(err.Error(), "0 bytes free") {
		t.Errorf("starting on the full disk: %v", err)
	}
	v.must(os.Remove(ballast))
	again := open(t, v.path, Options{Exclusive: true})
	v.DB = again
	v.kept()
	var sound string
	if err := again.readers.QueryRow(`PRAGMA integrity_check`).Scan(&sound); err != nil || sound != "ok" {
		t.Errorf("integrity check: %s, %v", sound, err)
	}
}

// load writes a file until so many bytes are left on its file system.
func load(t *testing.T, path string, left int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for {
		free, err := freeBytes(filepath.Dir(path))
		if err != nil {
			t.Fatal(err)
		}
		if free <= left {
			return
		}
		if _, err := f.Write(make([]byte, min(free-left, 1<<20))); err != nil {
			return
		}
	}
}
