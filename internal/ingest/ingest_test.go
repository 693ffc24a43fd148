package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

// bench is an engine on a real store with business account 12, number 11 and a topic.
type bench struct {
	*Engine
	t     *testing.T
	db    *sqlite.DB
	woken []string
}

type plain struct{}

func (plain) Seal(p, _ []byte) ([]byte, error) { return p, nil }
func (plain) Open(s, _ []byte) ([]byte, error) {
	if string(s) == "damaged" {
		return nil, errors.New("damaged")
	}
	return s, nil
}

const topicARN = "arn:aws:sns:us-east-1:000000000000:events"

func newBench(t *testing.T) *bench {
	t.Helper()
	ctx := t.Context()
	db := sqlitetest.Open(t, sqlite.Options{Exclusive: true})
	user := identity.User{ID: "u", AccountID: "000000000000", Name: "admin", Path: "/"}
	waba := account.WABA{Key: "waba", AccountID: "000000000000", MetaID: "12", Destination: &account.Destination{ARN: topicARN}}
	phone := account.PhoneNumber{Key: "phone", AccountID: "000000000000", WABAKey: "waba", MetaID: "11", DisplayNumber: "+1 555-010-0001"}
	if err := errors.Join(db.CreateAccount(ctx, identity.Account{ID: "000000000000"}, identity.AccessKey{User: user}, nil), db.Link(ctx, waba, []byte("t"), []account.PhoneNumber{phone})); err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, db: db}
	b.Engine = New(Options{Store: db, Sealer: plain{}, Owner: "node", OrphanWait: time.Minute, Logger: slog.New(slog.DiscardHandler),
		OnEvent: func(arns ...string) { b.woken = append(b.woken, arns...) }})
	run, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := b.Run(run); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		db.Close()
	})
	return b
}

// receive stores a webhook as the edge does and waits until it has been dealt with.
func (b *bench) receive(body string) {
	b.t.Helper()
	if err := b.db.Receive(context.Background(), []byte(body), time.Now()); err != nil {
		b.t.Fatal(err)
	}
	synctest.Wait()
	time.Sleep(time.Millisecond)
	synctest.Wait()
}

func (b *bench) events() string {
	b.t.Helper()
	list, err := b.db.Undelivered(context.Background(), topicARN, time.Now(), 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	var out []string
	for _, d := range list {
		name := d.Status
		if name == "" {
			name = d.Field
		}
		out = append(out, name)
	}
	return strings.Join(out, " ")
}

// sent stores a message that was handed over as wamid.
func (b *bench) sent(wamid string) message.Outbound {
	b.t.Helper()
	ctx := context.Background()
	m := message.Outbound{ID: uuid.NewString(), AccountID: "000000000000", WABAKey: "waba", PhoneKey: "phone", Kind: "text", Recipient: "447", AcceptedAt: time.Now()}
	_, seq, err := b.db.Accept(ctx, &m, []byte("x"))
	if err != nil {
		b.t.Fatal(err)
	}
	if wamid == "" {
		return m
	}
	l, err := b.db.AcquireLease(ctx, "lane/phone", "node", time.Now(), lease.TTL)
	if err != nil {
		b.t.Fatal(err)
	}
	j := m.Job(seq)
	if _, err := b.db.Begin(ctx, l, &j, time.Now()); err != nil {
		b.t.Fatal(err)
	}
	j.Attempts++
	e, _ := event.Accepted(event.HandOver{MessageID: m.ID, AccountID: m.AccountID, WABAKey: "waba", PhoneKey: "phone", WAMID: wamid, At: time.Now()}, plain{}, "e")
	if ok, err := b.db.Finish(ctx, &j, message.Accepted, wamid, e, time.Now()); err != nil || !ok {
		b.t.Fatal(ok, err)
	}
	return m
}

func (b *bench) state(id string) message.State {
	b.t.Helper()
	st, _, err := b.db.Lookup(context.Background(), "000000000000", id)
	if err != nil {
		b.t.Fatal(err)
	}
	return st.State
}

func status(wamid, status, opaque string) string {
	return fmt.Sprintf(`{"id":%q,"status":%q,"timestamp":"1763800100","recipient_id":"447","biz_opaque_callback_data":%q}`, wamid, status, opaque)
}

func statuses(list ...string) string {
	return hook(`{` + metadata + `,"statuses":[` + strings.Join(list, ",") + `]}`)
}

func TestEngine(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*bench){
		"out of order and repeated": func(b *bench) {
			m := b.sent("wamid.1")
			b.receive(statuses(status("wamid.1", "delivered", "")))
			b.receive(statuses(status("wamid.1", "sent", ""), status("wamid.1", "delivered", "")))
			b.receive(statuses(status("wamid.1", "delivered", "")))
			if got := b.state(m.ID); got != message.Delivered {
				b.t.Errorf("state = %s", got)
			}
			if got := b.events(); got != "accepted delivered sent" {
				b.t.Errorf("events = %s", got)
			}
			if len(b.woken) == 0 || b.woken[0] != topicARN {
				b.t.Errorf("woken = %v", b.woken)
			}
		},
		"a status before the answer to the hand-over": func(b *bench) {
			m := b.sent("")
			b.receive(statuses(status("wamid.9", "sent", m.ID)))
			if got, events := b.state(m.ID), b.events(); got != message.Sent || events != "accepted sent" {
				b.t.Errorf("state = %s, events = %s", got, events)
			}
		},
		"a status of a message that becomes known later": func(b *bench) {
			b.receive(statuses(status("wamid.5", "read", "the sender's own")))
			if got := b.events(); got != "" {
				b.t.Errorf("events = %s before the message is known", got)
			}
			m := b.sent("wamid.5")
			synctest.Wait()
			if got, events := b.state(m.ID), b.events(); got != message.Read || events != "accepted read" {
				b.t.Errorf("state = %s, events = %s", got, events)
			}
		},
		"a status of somebody else's message": func(b *bench) {
			b.receive(statuses(status("wamid.foreign", "sent", "")))
			time.Sleep(2 * time.Minute)
			if got := b.events(); got != "sent" {
				b.t.Errorf("events = %s, want the status published in the end", got)
			}
		},
		"many statuses of somebody else's messages": func(b *bench) {
			const callbacks, each = 5, 500
			for i := range callbacks {
				list := make([]string, each)
				for j := range list {
					list[j] = status(fmt.Sprintf("wamid.%d.%d", i, j), "sent", "")
				}
				b.receive(statuses(list...))
			}
			time.Sleep(90 * time.Second)
			if list, err := b.db.Undelivered(context.Background(), topicARN, time.Now(), 10_000); err != nil || len(list) != callbacks*each {
				b.t.Errorf("%d of %d published half a minute after their time, %v", len(list), callbacks*each, err)
			}
		},
		"what cannot be understood holds up nobody": func(b *bench) {
			b.receive(`not json`)
			b.receive(`damaged`)
			b.receive(strings.ReplaceAll(statuses(status("wamid.1", "sent", "")), `"id":"12"`, `"id":"99"`))
			b.receive(hook(`{` + metadata + `,"messages":[{"id":"wamid.in","from":"447","timestamp":"1763800103","type":"text"}]}`))
			b.receive(`{"object":"whatsapp_business_account","entry":[{"id":"12","time":1,"changes":[{"field":"brand_new","value":{}}]}]}`)
			if got := b.events(); got != "received brand_new" {
				b.t.Errorf("events = %s", got)
			}
			kept, err := b.db.Unclaimed(context.Background(), 10)
			if err != nil || len(kept) != 3 {
				b.t.Fatalf("%d kept, %v", len(kept), err)
			}
			if !strings.Contains(kept[0].Reason, "99") || !strings.Contains(string(kept[0].Body), "wamid.1") || !strings.Contains(kept[2].Reason, "webhook") {
				b.t.Errorf("kept = %+v", kept)
			}
			w, err := b.db.Window(context.Background(), "phone", "447")
			if err != nil || w.LastInboundAt.Unix() != 1763800103 {
				b.t.Errorf("window = %+v, %v", w, err)
			}
		},
		"a customer's word about marketing": func(b *bench) {
			said := func(value string, at int) string {
				return fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"12","changes":[{"field":"user_preferences","value":{%s,
					"user_preferences":[{"wa_id":"447","category":"marketing_messages","value":%q,"timestamp":%d}]}}]}]}`, metadata, value, at)
			}
			b.receive(said("stop", 1763800300))
			b.receive(said("resume", 1763800200)) // said earlier, arrives later
			w, err := b.db.Window(context.Background(), "phone", "447")
			if err != nil || w.Marketing != "stop" || w.MarketingAt.Unix() != 1763800300 || !w.LastInboundAt.IsZero() {
				b.t.Errorf("window = %+v, %v", w, err)
			}
			if got := b.events(); got != "user_preferences user_preferences" {
				b.t.Errorf("events = %s", got)
			}
		},
		"a burst": func(b *bench) {
			var want []string
			for i := range 500 {
				body := hook(fmt.Sprintf(`{%s,"messages":[{"id":"wamid.%d","from":"447","type":"text"}]}`, metadata, i))
				if err := b.db.Receive(context.Background(), []byte(body), time.Now()); err != nil {
					b.t.Fatal(err)
				}
				want = append(want, event.Received)
			}
			synctest.Wait()
			if got := b.events(); got != strings.Join(want, " ") {
				b.t.Errorf("events = %s", got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scenario(newBench(t)) })
		})
	}
}
