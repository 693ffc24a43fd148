package app

import (
	"log/slog"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

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
