package directory

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

const (
	ours   = "000000000000"
	theirs = "111111111111"
)

var scope = account.Scope{Partition: "aws", Region: "us-east-1"}

// rig is a directory on a real store, and another one as of a second process.
type rig struct {
	*Directory
	other *Directory
	db    *sqlite.DB
}

func newRig(t *testing.T) rig {
	t.Helper()
	dir := t.TempDir()
	box, err := secret.OpenOrCreate(filepath.Join(dir, "key"))
	if err != nil {
		t.Fatal(err)
	}
	db := sqlitetest.Open(t, sqlite.Options{})
	t.Cleanup(func() { db.Close() })
	return rig{New(db, box, scope), New(db, box, scope), db}
}

// key makes an account with a key.
func (r rig) key(t *testing.T, accountID string) identity.AccessKey {
	t.Helper()
	k := identity.NewAccessKey(identity.User{ID: identity.NewUserID(), AccountID: accountID, Name: "admin", Path: "/"}, time.Now().UTC().Truncate(time.Microsecond))
	if err := r.CreateAccount(t.Context(), identity.Account{ID: accountID}, k); err != nil {
		t.Fatal(err)
	}
	return k
}

// link links a business account with one number, both called name.
func (r rig) link(t *testing.T, accountID, name, token string) {
	t.Helper()
	w := account.WABA{Key: name, AccountID: accountID, MetaID: "12" + name, LinkedAt: time.Now()}
	p := account.PhoneNumber{Key: name, AccountID: accountID, WABAKey: name, MetaID: "11" + name, DisplayNumber: "+1", Status: account.Active}
	if err := r.Link(t.Context(), w, identity.Secret(token), []account.PhoneNumber{p}); err != nil {
		t.Fatal(err)
	}
}

func TestAccessKeys(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r, ctx := newRig(t), t.Context()
		if _, err := r.other.AccessKey(ctx, "AKIA"); !fault.Is(err, fault.NotFound) {
			t.Fatalf("an unknown key: %v", err)
		}
		k := r.key(t, ours)
		// Here it works at once. Elsewhere it was asked for already, and that it was unknown is remembered for a moment.
		if _, err := r.AccessKey(ctx, k.ID); err != nil {
			t.Errorf("here, at once: %v", err)
		}
		time.Sleep(missLife)
		for name, d := range map[string]*Directory{"here": r.Directory, "elsewhere": r.other} {
			got, err := d.AccessKey(ctx, k.ID)
			if err != nil || got.Secret != k.Secret || got.User.AccountID != ours || !got.Active {
				t.Errorf("%s: %+v, %v", name, got, err)
			}
		}
		if _, sealed, err := r.db.AccessKey(ctx, k.ID); err != nil || bytes.Contains(sealed, []byte(k.Secret.Reveal())) {
			t.Errorf("the store holds the secret itself, or %v", err)
		}
		k.Active = false
		if err := r.PutAccessKey(ctx, k); err != nil {
			t.Fatal(err)
		}
		if got, err := r.AccessKey(ctx, k.ID); err != nil || got.Active {
			t.Errorf("switched off here: %+v, %v", got, err)
		}
		time.Sleep(life)
		if got, err := r.other.AccessKey(ctx, k.ID); err != nil || got.Active {
			t.Errorf("switched off elsewhere, %v later: %+v, %v", life, got, err)
		}
	})
}

// Asking for what is not there costs a read now and then, drives nothing out, and does not hide what comes.
func TestMisses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var c cache[string]
		reads, there := 0, map[string]string{"known": "v"}
		get := func(key string) (string, error) {
			return c.get(t.Context(), key, func(context.Context) (string, error) {
				reads++
				if v, ok := there[key]; ok {
					return v, nil
				}
				return "", fault.New(fault.NotFound, "no %s", key)
			})
		}
		for range 100 {
			if _, err := get("unknown"); !fault.Is(err, fault.NotFound) || err.Error() != "no unknown" {
				t.Fatal(err)
			}
		}
		if reads != 1 {
			t.Errorf("%d reads for one unknown key", reads)
		}
		if v, err := get("known"); v != "v" || err != nil {
			t.Error(v, err)
		}
		for i := range 3 * maxMisses {
			get(strconv.Itoa(i)) //nolint:errcheck // none is there
		}
		if len(c.misses) > maxMisses {
			t.Errorf("%d misses are kept", len(c.misses))
		}
		before := reads
		if v, err := get("known"); v != "v" || err != nil || reads != before {
			t.Errorf("%s, %v: what is there was driven out", v, err)
		}
		there["unknown"] = "now"
		time.Sleep(missLife)
		if v, err := get("unknown"); v != "now" || err != nil {
			t.Error(v, err)
		}
		delete(there, "unknown")
		time.Sleep(life)
		if _, err := get("unknown"); err == nil {
			t.Error("found what is gone")
		}
		there["unknown"] = "again"
		c.clear()
		if v, err := get("unknown"); v != "again" || err != nil {
			t.Error(v, err)
		}
	})
}

func TestLines(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.key(t, ours)
	r.key(t, theirs)
	r.link(t, ours, "a", "token of a")
	want := account.Line{AccountID: ours, WABAKey: "a", WABAMetaID: "12a", PhoneKey: "a", PhoneMetaID: "11a", DisplayNumber: "+1", Token: "token of a"}
	got, err := r.Line(ctx, ours, "a")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("line (-want +got):\n%s", diff)
	}
	for name, ask := range map[string]func() error{
		"line":     func() error { _, err := r.Line(ctx, theirs, "a"); return err },
		"number":   func() error { _, err := r.PhoneNumber(ctx, theirs, "a"); return err },
		"business": func() error { _, _, err := r.WABA(ctx, theirs, "a"); return err },
		"access":   func() error { _, err := r.Access(ctx, theirs, "a"); return err },
		"unknown":  func() error { _, err := r.Line(ctx, ours, "b"); return err },
	} {
		if err := ask(); !fault.Is(err, fault.NotFound) {
			t.Errorf("%s of another account: %v, want NotFound", name, err)
		}
	}
	if err := r.Link(ctx, account.WABA{Key: "b", AccountID: theirs, MetaID: "12a"}, "x", nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("linked twice: %v, want Conflict", err)
	}
	// A new token is used for the next message.
	r.link(t, ours, "a", "new token")
	if got, err := r.Line(ctx, ours, "a"); err != nil || got.Token != "new token" {
		t.Errorf("after a new token: %v, %v", got, err)
	}
	sealed, err := r.db.Token(ctx, "a")
	if err != nil || bytes.Contains(sealed, []byte("new token")) {
		t.Errorf("the store holds the token itself, or %v", err)
	}
}

func TestTagsByARN(t *testing.T) {
	t.Parallel()
	r, ctx := newRig(t), t.Context()
	r.key(t, ours)
	r.key(t, theirs)
	const waba = "00000000000000000000000000000001"
	r.link(t, ours, waba, "t")
	arn := func(accountID, kind string) string {
		s := scope
		s.AccountID = accountID
		return s.ARN(kind, waba)
	}
	tags := []account.Tag{{Key: "team", Value: "support"}}
	for _, kind := range []string{account.KindWABA, account.KindPhoneNumber} {
		if err := r.PutTags(ctx, ours, arn(ours, kind), tags); err != nil {
			t.Fatal(err)
		}
		got, err := r.Tags(ctx, ours, arn(ours, kind))
		if diff := cmp.Diff(tags, got); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", kind, err, diff)
		}
		if err := r.DeleteTags(ctx, ours, arn(ours, kind), []string{"team"}); err != nil {
			t.Error(err)
		}
		if got, err := r.Tags(ctx, ours, arn(ours, kind)); err != nil || len(got) != 0 {
			t.Errorf("%s after deleting: %v, %v", kind, got, err)
		}
		for name, caller := range map[string][2]string{"ours by others": {theirs, ours}, "ours as theirs": {theirs, theirs}, "theirs by us": {ours, theirs}} {
			if err := r.PutTags(ctx, caller[0], arn(caller[1], kind), tags); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s %s: %v, want NotFound", kind, name, err)
			}
		}
	}
	if _, err := r.Tags(ctx, ours, "arn:aws:s3:::bucket"); !fault.Is(err, fault.NotFound) {
		t.Errorf("tags of a bucket: %v", err)
	}
}

func TestCache(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	answer := func(v int) func(context.Context) (int, error) {
		return func(context.Context) (int, error) { return v, nil }
	}
	ask := func(c *cache[int], key string, load func(context.Context) (int, error)) int {
		v, err := c.get(ctx, key, load)
		if err != nil {
			return -1
		}
		return v
	}
	t.Run("errors are not remembered", func(t *testing.T) {
		t.Parallel()
		var c cache[int]
		if got := ask(&c, "k", func(context.Context) (int, error) { return 0, errors.New("no") }); got != -1 {
			t.Errorf("got %d", got)
		}
		if got := ask(&c, "k", answer(1)); got != 1 {
			t.Errorf("got %d after an error", got)
		}
	})
	t.Run("what was loaded across a change is not kept", func(t *testing.T) {
		t.Parallel()
		var c cache[int]
		ask(&c, "k", func(context.Context) (int, error) { c.clear(); return 1, nil })
		if got := ask(&c, "k", answer(2)); got != 2 {
			t.Errorf("got %d, which was read before the change", got)
		}
	})
	t.Run("memory is bounded", func(t *testing.T) {
		t.Parallel()
		var c cache[int]
		for i := range 3 * maxEntries {
			ask(&c, strconv.Itoa(i), answer(i))
		}
		if len(c.entries) > maxEntries {
			t.Errorf("%d entries", len(c.entries))
		}
	})
}
