package sqlite

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Every use case happens whole or not at all, at whichever of its statements it is cut off: each is run with every kind of change
// to every table failing in turn, and has to leave the data as they were; without the failure it has to work afterwards.
func TestCutOffBetweenStatements(t *testing.T) {
	t.Parallel()
	for name, scenario := range map[string]func(*cutOff) func() error{
		"accept":              (*cutOff).accept,
		"begin":               (*cutOff).begin,
		"release":             (*cutOff).release,
		"cancel":              (*cutOff).cancel,
		"block":               (*cutOff).block,
		"unblock":             (*cutOff).unblock,
		"finish":              (*cutOff).finish,
		"finish after status": (*cutOff).finishAfterStatus,
		"inbound message":     (*cutOff).inbound,
		"status":              (*cutOff).status,
		"proof":               (*cutOff).proof,
		"set aside":           (*cutOff).setAside,
		"dead letter":         (*cutOff).deadLetter,
		"unlink":              (*cutOff).unlink,
		"publish to a topic":  (*cutOff).publish,
		"delete a topic":      (*cutOff).deleteTopic,
		"put a target":        (*cutOff).putTarget,
		"remove a target":     (*cutOff).removeTarget,
		"put events":          (*cutOff).putEvents,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cuts := 0
			c := newCutOff(t)
			for table := range tablesOf(t, c.DB) {
				if strings.HasPrefix(table, "sqlite_") {
					continue
				}
				for _, change := range []string{"INSERT", "UPDATE", "DELETE"} {
					if c.cutAt(table, change, scenario) {
						cuts++
					}
				}
			}
			if cuts == 0 {
				t.Error("no statement could be cut off: the test proves nothing")
			}
		})
	}
}

// cutOff is a store on which one use case after the other is made to fail.
type cutOff struct {
	*DB
	t   *testing.T
	now time.Time
	n   int
}

func newCutOff(t *testing.T) *cutOff {
	t.Helper()
	c := &cutOff{DB: open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true}), t: t, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	ctx := t.Context()
	c.must(c.CreateAccount(ctx, identity.Account{ID: "1"}, identity.AccessKey{User: identity.User{ID: "u", AccountID: "1", Name: "admin"}}, nil))
	c.must(c.Link(ctx, account.WABA{Key: "w", AccountID: "1", MetaID: "12", Destination: &account.Destination{ARN: "arn"}}, []byte("t"),
		[]account.PhoneNumber{{Key: "p", AccountID: "1", WABAKey: "w", MetaID: "11"}}))
	c.must(c.PutTags(ctx, "1", account.KindWABA, "w", []account.Tag{{Key: "k", Value: "v"}}))
	return c
}

func (c *cutOff) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// cutAt prepares a use case and runs it with one kind of change to one table failing, and reports whether it makes that change.
func (c *cutOff) cutAt(table, change string, prepare func(*cutOff) func() error) (cut bool) {
	c.t.Helper()
	run := prepare(c)
	c.exec(`CREATE TRIGGER cut BEFORE ` + change + ` ON ` + table + ` BEGIN SELECT RAISE(FAIL, 'cut off'); END`)
	before := c.dump()
	err := run()
	c.exec(`DROP TRIGGER cut`)
	if err == nil {
		return false
	}
	if !strings.Contains(err.Error(), "cut off") {
		c.t.Fatalf("%s %s: %v", change, table, err)
	}
	if diff := cmp.Diff(before, c.dump()); diff != "" {
		c.t.Errorf("cut off at %s %s it left something behind (-before +after):\n%s", change, table, diff)
	}
	if err := run(); err != nil {
		c.t.Fatalf("after having been cut off at %s %s: %v", change, table, err)
	}
	return true
}

func (c *cutOff) exec(statement string) {
	c.t.Helper()
	c.must(c.write(context.Background(), func(tx *tx) error { _, err := tx.w.conn.ExecContext(context.Background(), statement); return err }))
}

// dump returns every row of every table.
func (c *cutOff) dump() (rows []string) {
	c.t.Helper()
	for table := range tablesOf(c.t, c.DB) {
		r, err := c.readers.Query(`SELECT * FROM ` + table)
		c.must(err)
		columns, err := r.Columns()
		c.must(err)
		c.must(collect(r, func(scan func(...any) error) error {
			values, into := make([]any, len(columns)), make([]any, len(columns))
			for i := range values {
				into[i] = &values[i]
			}
			err := scan(into...)
			rows = append(rows, fmt.Sprint(table, values))
			return err
		}))
	}
	slices.Sort(rows)
	return rows
}

// fresh returns a name that was not used before.
func (c *cutOff) fresh(kind string) string {
	c.n++
	return fmt.Sprint(kind, c.n)
}

func (c *cutOff) message() (m message.Outbound) {
	return message.Outbound{ID: c.fresh("m"), AccountID: "1", WABAKey: "w", PhoneKey: "p", Kind: "text", Recipient: "2", AcceptedAt: c.now, InvocationID: c.fresh("i")}
}

// begun returns a message with an attempt under way.
func (c *cutOff) begun() message.Job {
	m := c.message()
	_, seq, err := c.Accept(context.Background(), &m, []byte("x"))
	c.must(err)
	l, err := c.AcquireLease(context.Background(), "lane/p", "me", c.now, time.Hour)
	c.must(err)
	j := m.Job(seq)
	ok, err := c.Begin(context.Background(), l, &j, c.now)
	c.must(err)
	if !ok {
		c.t.Fatal("not begun")
	}
	j.Attempts++
	return j
}

func (c *cutOff) event(messageID string) *event.Event {
	return &event.Event{ID: c.fresh("e"), AccountID: "1", WABAKey: "w", PhoneKey: "p", MessageID: messageID, Field: "messages", Status: "accepted",
		At: c.now, Entry: []byte("{}"), Failures: []message.Failure{{Code: 1}}}
}

func (c *cutOff) accept() func() error {
	m := c.message()
	return func() error { _, _, err := c.Accept(context.Background(), &m, []byte("x")); return err }
}

func (c *cutOff) begin() func() error {
	m := c.message()
	_, seq, err := c.Accept(context.Background(), &m, []byte("x"))
	c.must(err)
	l, err := c.AcquireLease(context.Background(), "lane/p", "me", c.now, time.Hour)
	c.must(err)
	j := m.Job(seq)
	return func() error { _, err := c.Begin(context.Background(), l, &j, c.now); return err }
}

func (c *cutOff) release() func() error {
	for range 2 {
		m := c.message()
		m.SendAt = c.now.Add(time.Minute)
		_, _, err := c.Accept(context.Background(), &m, []byte("x"))
		c.must(err)
	}
	return func() error {
		_, _, err := c.Release(context.Background(), c.now.Add(time.Minute), 10)
		return err
	}
}

func (c *cutOff) cancel() func() error {
	m := c.message()
	_, _, err := c.Accept(context.Background(), &m, []byte("x"))
	c.must(err)
	e := c.event(m.ID)
	return func() error {
		_, err := c.Cancel(context.Background(), "1", m.ID, c.now, func(event.HandOver) (*event.Event, error) { return e, nil })
		return err
	}
}

func (c *cutOff) block() func() error {
	c.must(c.unblock()())
	e := c.event("")
	return func() error {
		_, err := c.Block(context.Background(), message.Block{AccountID: "1", WABAKey: "w", PhoneKey: "p", Cause: message.AccountBlocked}, c.now,
			func(message.Block, bool) (*event.Event, error) { return e, nil })
		return err
	}
}

func (c *cutOff) unblock() func() error {
	alert := func(message.Block, bool) (*event.Event, error) { return c.event(""), nil }
	for _, phone := range []string{"p", "idle"} {
		_, err := c.Block(context.Background(), message.Block{AccountID: "1", WABAKey: "w", PhoneKey: phone, Cause: message.AccountBlocked}, c.now, alert)
		c.must(err)
	}
	return func() error {
		_, err := c.Unblock(context.Background(), "w", "p", alert)
		return err
	}
}

func (c *cutOff) finish() func() error {
	j := c.begun()
	wamid, e := c.fresh("wamid."), c.event(j.ID)
	return func() error {
		_, err := c.Finish(context.Background(), &j, message.Accepted, wamid, e, c.now)
		return err
	}
}

func (c *cutOff) finishAfterStatus() func() error {
	j := c.begun()
	wamid, e := c.fresh("wamid."), c.event(j.ID)
	c.must(c.apply(c.change(event.StatusChange, wamid, "sent", ""))) // an orphan until then
	return func() error {
		_, err := c.Finish(context.Background(), &j, message.Accepted, wamid, e, c.now)
		return err
	}
}

func (c *cutOff) change(kind event.ChangeKind, wamid, status, opaque string) event.Change {
	return event.Change{Kind: kind, WABAMetaID: "12", PhoneMetaID: "11", Field: "messages", Key: []byte(c.fresh("key")), WAMID: wamid, Status: status,
		Opaque: opaque, Opens: []string{"2"}, At: c.now, EventID: c.fresh("e"), Entry: []byte("{}"), Retry: func() ([]byte, error) { return []byte("again"), nil }}
}

// apply stores a webhook with one change and applies it.
func (c *cutOff) apply(change event.Change) error { return c.received(change)() }

func (c *cutOff) received(change event.Change) func() error {
	c.must(c.Receive(context.Background(), []byte("x"), c.now))
	hooks, err := c.Webhooks(context.Background(), 1000)
	c.must(err)
	batch := []event.Understood{{Webhook: hooks[len(hooks)-1], Changes: []event.Change{change}}}
	return func() error {
		_, err := c.Apply(context.Background(), batch, c.now, func(h event.HandOver) (*event.Event, error) { return c.event(h.MessageID), nil })
		return err
	}
}

func (c *cutOff) inbound() func() error {
	return c.received(c.change(event.InboundChange, c.fresh("wamid."), event.Received, ""))
}

func (c *cutOff) status() func() error {
	j := c.begun()
	wamid := c.fresh("wamid.")
	_, err := c.Finish(context.Background(), &j, message.Accepted, wamid, c.event(j.ID), c.now)
	c.must(err)
	return c.received(c.change(event.StatusChange, wamid, "delivered", ""))
}

func (c *cutOff) proof() func() error {
	j := c.begun()
	return c.received(c.change(event.StatusChange, c.fresh("wamid."), "sent", j.ID))
}

func (c *cutOff) setAside() func() error {
	c.must(c.Receive(context.Background(), []byte("x"), c.now))
	hooks, err := c.Webhooks(context.Background(), 1000)
	c.must(err)
	return func() error { return c.Reject(context.Background(), hooks[len(hooks)-1], "no reason") }
}

func (c *cutOff) deadLetter() func() error {
	c.must(c.apply(c.change(event.InboundChange, c.fresh("wamid."), event.Received, "")))
	waiting, err := c.Undelivered(context.Background(), "arn", c.now, 1000)
	c.must(err)
	l, err := c.AcquireLease(context.Background(), "destination/arn", "me", c.now, time.Hour)
	c.must(err)
	s := event.Settlement{AccountID: "1", At: c.now, Reason: "gone", Outcomes: []event.Outcome{{Seq: waiting[0].Seq, Fate: event.Dead, Reason: "gone"}}}
	return func() error {
		_, err := c.SettleEvents(context.Background(), l, "arn", s)
		return err
	}
}

func (c *cutOff) unlink() func() error {
	c.must(c.Link(context.Background(), account.WABA{Key: "w", AccountID: "1", MetaID: "12"}, []byte("t"),
		[]account.PhoneNumber{{Key: "p", AccountID: "1", WABAKey: "w", MetaID: "11"}}))
	for _, r := range [][2]string{{account.KindWABA, "w"}, {account.KindPhoneNumber, "p"}} {
		c.must(c.PutTags(context.Background(), "1", r[0], r[1], []account.Tag{{Key: "k", Value: "v"}}))
	}
	return func() error { return c.Unlink(context.Background(), "1", "w", c.now) }
}

func (c *cutOff) publish() func() error {
	if c.n == 0 {
		seedTopic(c.t, c.DB, 2, c.now)
	}
	id := c.fresh("m")
	return func() error {
		_, err := c.PublishToTopic(context.Background(), seededTopic, []queue.Record{{ID: id, PublishedAt: c.now, Sealed: []byte("x")}}, nil)
		return err
	}
}
