package app

import (
	"log/slog"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// Whoever opens data with another key than theirs is refused before anything is sealed with it, and a missing key is not made anew.
func TestKeyHasToFitTheData(t *testing.T) {
	t.Parallel()
	made := func() config.Config {
		t.Helper()
		cfg := config.Default()
		cfg.Data = t.TempDir()
		if _, _, err := Migrate(t.Context(), cfg); err != nil { // data without a key yet
			t.Fatal(err)
		}
		if _, err := CreateAccount(t.Context(), cfg, identity.Account{}); err != nil {
			t.Fatal(err)
		}
		return cfg
	}
	mine, other := made(), made()
	refused := func(want string) {
		t.Helper()
		if _, err := CreateAccount(t.Context(), mine, identity.Account{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("CreateAccount = %v, want %q", err, want)
		}
	}
	key, err := os.ReadFile(mine.KeyPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(mine.KeyPath()); err != nil {
		t.Fatal(err)
	}
	refused("there is no key file")
	refused("there is no key file") // none was made
	wrong, err := os.ReadFile(other.KeyPath())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(mine.KeyPath(), wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	refused("encrypted with another key")
	if err := os.WriteFile(mine.KeyPath(), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := CreateAccount(t.Context(), mine, identity.Account{}); err != nil {
		t.Errorf("with its own key: %v", err)
	}
}

// Dead letters do not keep events for ever: they are forgotten after as long as the events themselves.
func TestDeadLettersAreForgotten(t *testing.T) {
	t.Parallel()
	ctx, cfg := t.Context(), config.Dev(t.TempDir())
	db, _, err := openStore(ctx, &cfg, sqlite.Options{Exclusive: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	must(db.CreateAccount(ctx, identity.Account{ID: "1"}, identity.AccessKey{User: identity.User{ID: "u", AccountID: "1", Name: "admin"}}, nil))
	must(db.Link(ctx, account.WABA{Key: "w", AccountID: "1", MetaID: "12", Destination: &account.Destination{ARN: "arn"}}, []byte("t"), nil))
	must(db.Receive(ctx, []byte("x"), now))
	hooks, err := db.Webhooks(ctx, 1)
	must(err)
	_, err = db.Apply(ctx, []event.Understood{{Webhook: hooks[0], Changes: []event.Change{{Kind: event.OtherChange, WABAMetaID: "12", Field: "security",
		Key: []byte("k"), At: now, EventID: "e", Entry: []byte("{}")}}}}, now, nil)
	must(err)
	waiting, err := db.Undelivered(ctx, "arn", now, 10)
	must(err)
	l, err := db.AcquireLease(ctx, "destination/arn", "me", now, lease.TTL)
	must(err)
	_, err = db.SettleEvents(ctx, l, "arn", event.Settlement{AccountID: "1", At: now,
		Outcomes: []event.Outcome{{Seq: waiting[0].Seq, Fate: event.Dead, Reason: "gone"}}})
	must(err)

	p := pruner{db, cfg.Retention, slog.New(slog.DiscardHandler)}
	count := func() int {
		t.Helper()
		list, err := db.DeadEvents(ctx, "1", 0, 10)
		must(err)
		return len(list)
	}
	p.round(ctx, now.Add(cfg.Retention.Events-time.Hour))
	if got := count(); got != 1 {
		t.Errorf("%d dead letters before their time, want 1", got)
	}
	p.round(ctx, now.Add(cfg.Retention.Events+time.Hour))
	if got := count(); got != 0 {
		t.Errorf("%d dead letters after their time", got)
	}
}
