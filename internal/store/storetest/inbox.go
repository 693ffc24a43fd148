package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

func statuses(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	// WhatsApp reorders: delivered, then sent, then a failure that came too late, then read.
	for _, s := range []string{"delivered", "sent", "failed", "deleted", "read"} {
		c := w.change(event.StatusChange, "wamid.1", s)
		if s == "failed" {
			c.Failures = []message.Failure{{Code: 131026, Title: "Message undeliverable"}}
		}
		if res := w.receive(t, c); res.Events != 1 || fmt.Sprint(res.Destinations) != "["+topicARN+"]" {
			t.Errorf("%s: %+v, want one event for the topic", s, res)
		}
	}
	st := w.state(t, m.ID)
	if st.State != message.Read || len(st.Timeline) != 6 {
		t.Errorf("state = %+v, want read with six steps", st)
	}
	if st.Timeline[3].Status != "failed" && st.Timeline[2].Status != "failed" {
		found := false
		for _, s := range st.Timeline {
			found = found || s.Status == "failed" && s.Failures[0].Code == 131026
		}
		if !found {
			t.Error("the failure's reason was lost")
		}
	}
	want := ""
	for _, s := range []string{"accepted", "delivered", "sent", "failed", "deleted", "read"} {
		want += s + " " + m.ID + "\n"
	}
	if got := w.published(t); got != want {
		t.Errorf("events:\n%swant:\n%s", got, want)
	}
}

func repeats(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	sent := w.change(event.StatusChange, "wamid.1", "sent")
	in := w.change(event.InboundChange, "wamid.in", event.Received)
	other := w.change(event.OtherChange, "", "")
	other.Field = "account_update"
	w.receive(t, sent, in, other)
	before := w.published(t)
	if res := w.receive(t, sent, in, other, sent); res.Events != 0 || res.Repeats != 4 {
		t.Errorf("repeats gave %+v", res)
	}
	// The same stored webhook twice, as after a crash between reading and applying.
	must(t, w.Receive(w.ctx, []byte("x"), w.now))
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	read := w.change(event.StatusChange, "wamid.1", "read")
	w.apply(t, list[0], read)
	if res := w.apply(t, list[0], read); res.Events+res.Repeats != 0 {
		t.Errorf("applying a webhook again gave %+v", res)
	}
	if got, want := w.published(t), before+"read "+m.ID+"\n"; got != want {
		t.Errorf("events:\n%swant:\n%s", got, want)
	}
}

func prove(t *testing.T, w *world) {
	m := w.outbound()
	j, l := w.accept(t, m), w.lane(t)
	w.begin(t, l, &j)
	c := w.change(event.StatusChange, "wamid.p", "delivered")
	c.Opaque = m.ID
	if res := w.receive(t, c); res.Proved != 1 || res.Events != 2 {
		t.Errorf("proof gave %+v", res)
	}
	st := w.state(t, m.ID)
	if st.State != message.Delivered || st.WAMID != "wamid.p" || w.queued(t) != 0 {
		t.Errorf("state = %+v with %d queued", st, w.queued(t))
	}
	if got, want := w.published(t), "accepted "+m.ID+"\ndelivered "+m.ID+"\n"; got != want {
		t.Errorf("events = %q, want %q", got, want)
	}
	// The answer to the attempt arrives after its proof.
	if ok, err := w.Finish(w.ctx, &j, message.Accepted, "wamid.p", w.event(m.ID, "wamid.p", "accepted"), w.now); err != nil || ok {
		t.Errorf("Finish after proof = %v, %v", ok, err)
	}
	// A second hand-over of the same message has a wamid of its own; its statuses belong to the message too.
	c2 := w.change(event.StatusChange, "wamid.q", "read")
	c2.Opaque = m.ID
	w.receive(t, c2)
	if st := w.state(t, "wamid.q"); st.ID != m.ID || st.State != message.Read || st.WAMID != "wamid.p" {
		t.Errorf("after a second hand-over: %+v", st)
	}
}

func droppedThenFailed(t *testing.T, w *world) {
	m := w.outbound()
	j, l := w.accept(t, m), w.lane(t)
	w.begin(t, l, &j)
	e := w.event(m.ID, "", "failed")
	e.Failures = []message.Failure{{Code: 131000}}
	if ok, err := w.Finish(w.ctx, &j, message.Dropped, "", e, w.now); err != nil || !ok {
		t.Fatal(ok, err)
	}
	if st := w.state(t, m.ID); st.State != message.Dropped {
		t.Errorf("state = %s", st.State)
	}
	c := w.change(event.StatusChange, "wamid.late", "failed") // WhatsApp had it all the same
	c.Opaque, c.Failures = m.ID, []message.Failure{{Code: 131026}}
	w.receive(t, c)
	st := w.state(t, m.ID)
	if last := st.Timeline[len(st.Timeline)-1]; st.State != message.Failed || len(last.Failures) != 1 || last.Failures[0].Code != 131026 {
		t.Errorf("after WhatsApp's report: %+v", st)
	}
	if got, want := w.published(t), "failed "+m.ID+"\naccepted "+m.ID+"\nfailed "+m.ID+"\n"; got != want {
		t.Errorf("events = %q, want %q", got, want)
	}
}

func proveOthers(t *testing.T, w *world) {
	m := w.outbound()
	m.OwnOpaque = true // the sender's own data happens to look like an id of ours
	w.accept(t, m)
	other := w.outbound()
	other.PhoneKey = "another-number"
	w.accept(t, other)
	for _, id := range []string{m.ID, other.ID, "nonsense"} {
		c := w.change(event.StatusChange, "wamid."+id, "sent")
		c.Opaque = id
		if res := w.receive(t, c); res.Proved != 0 || res.Orphans != 1 {
			t.Errorf("opaque %q gave %+v, want an orphan", id, res)
		}
	}
}

func orphanMatched(t *testing.T, w *world) {
	if res := w.receive(t, w.change(event.StatusChange, "wamid.1", "sent")); res.Orphans != 1 || res.Events != 0 {
		t.Fatalf("early status gave %+v", res)
	}
	m := w.handOver(t, "wamid.1")
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	if len(list) != 1 || string(list[0].Body) != "retry wamid.1 sent" || list[0].Final {
		t.Fatalf("inbox = %+v, want the early status again", list)
	}
	w.apply(t, list[0], w.change(event.StatusChange, "wamid.1", "sent"))
	if st := w.state(t, m.ID); st.State != message.Sent {
		t.Errorf("state = %s", st.State)
	}
}

// inboxPortions: whoever works on the inbox gets as much of it as memory has room for, and gets all of it in the end.
func inboxPortions(t *testing.T, w *world) {
	const count, size = 12, 1 << 20
	for i := range count {
		must(t, w.Receive(w.ctx, append([]byte{byte(i)}, make([]byte, size)...), w.now))
	}
	for read := 0; read < count; {
		list, err := w.Webhooks(w.ctx, 1000)
		must(t, err)
		if len(list) == 0 || len(list) > 4 {
			t.Fatalf("%d webhooks of %d bytes at once", len(list), size)
		}
		batch := make([]event.Understood, len(list))
		for i, hook := range list {
			if int(hook.Body[0]) != read {
				t.Fatalf("webhook %d comes as number %d", hook.Body[0], read)
			}
			batch[i].Webhook = hook
			read++
		}
		_, err = w.Apply(w.ctx, batch, w.now, nil)
		must(t, err)
	}
}

// partsOfABatch: what was applied or set aside already is passed over, wherever in a batch it stands.
func partsOfABatch(t *testing.T, w *world) {
	for range 5 {
		must(t, w.Receive(w.ctx, []byte("x"), w.now))
	}
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	must(t, w.Reject(w.ctx, list[0], "first"))
	w.apply(t, list[2], w.change(event.InboundChange, "wamid.2", event.Received))
	var batch []event.Understood
	for i, hook := range list {
		batch = append(batch, event.Understood{Webhook: hook, Changes: []event.Change{w.change(event.InboundChange, fmt.Sprintf("wamid.%d.again", i), event.Received)}})
	}
	res, err := w.Apply(w.ctx, batch, w.now, nil)
	must(t, err)
	if res.Events != 3 || res.Repeats != 0 {
		t.Errorf("%+v, want the three that waited", res)
	}
	if list, err := w.Webhooks(w.ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("%d webhooks left, %v", len(list), err)
	}
}

// arrivals: whoever works on the inbox is told of everything that gets there, after it is there.
func arrivals(t *testing.T, w *world) {
	told := func() bool {
		select {
		case <-w.Arrived():
			return true
		default:
			return false
		}
	}
	must(t, w.Receive(w.ctx, []byte("x"), w.now))
	must(t, w.Receive(w.ctx, []byte("x"), w.now))
	if !told() || told() {
		t.Error("two webhooks are not told of once")
	}
	w.receive(t, w.change(event.StatusChange, "wamid.early", "sent"), w.change(event.StatusChange, "wamid.proof", "sent"))
	told()
	w.handOver(t, "wamid.other")
	if told() {
		t.Error("told of a hand-over that nothing waits for")
	}
	w.handOver(t, "wamid.early")
	if !told() {
		t.Error("an early status is not told of when its message becomes known")
	}
	m := w.outbound()
	w.accept(t, m)
	c := w.change(event.StatusChange, "wamid.proof", "delivered")
	c.Opaque = m.ID
	must(t, w.Receive(w.ctx, []byte("x"), w.now))
	list, err := w.Webhooks(w.ctx, 100)
	must(t, err)
	told()
	w.apply(t, list[len(list)-1], c)
	if !told() {
		t.Error("an early status is not told of when another one proves its message")
	}
}

func orphanReleased(t *testing.T, w *world) {
	w.receive(t, w.change(event.StatusChange, "wamid.foreign", "sent"))
	if n, err := w.ReleaseOrphans(w.ctx, w.now.Add(-time.Second), 10); err != nil || n != 0 {
		t.Errorf("released %d too early, %v", n, err)
	}
	if n, err := w.ReleaseOrphans(w.ctx, w.now, 10); err != nil || n != 1 {
		t.Fatalf("released %d, %v; want 1", n, err)
	}
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	if len(list) != 1 || !list[0].Final {
		t.Fatalf("inbox = %+v", list)
	}
	w.apply(t, list[0], w.change(event.StatusChange, "wamid.foreign", "sent"))
	if got := w.published(t); got != "sent \n" {
		t.Errorf("events = %q, want the status without a message", got)
	}
}

func inbound(t *testing.T, w *world) {
	c := w.change(event.InboundChange, "wamid.in1", event.Received)
	const customer, user = "14255550150", "US.13491208655302741918"
	c.Opens = []string{customer, user}
	w.receive(t, c)
	older := w.change(event.InboundChange, "wamid.in0", event.Received)
	older.Opens, older.At = c.Opens, w.now.Add(-time.Hour)
	w.receive(t, older)
	for _, name := range c.Opens {
		win, err := w.Window(w.ctx, w.phone.Key, name)
		must(t, err)
		if !win.LastInboundAt.Equal(w.now) || win.Marketing != "" {
			t.Errorf("window of %s = %+v, want it opened at %v", name, win, w.now)
		}
	}
	if got := w.published(t); got != "received \nreceived \n" {
		t.Errorf("events = %q", got)
	}
	said := w.change(event.OtherChange, "", "")
	said.Preferences = []event.Preference{{Recipient: customer, Value: "stop", At: w.now.Add(time.Minute)}, {Recipient: customer, Value: "resume", At: w.now}}
	w.receive(t, said)
	if win, err := w.Window(w.ctx, w.phone.Key, customer); err != nil || win.Marketing != "stop" || !win.LastInboundAt.Equal(w.now) {
		t.Errorf("window = %+v, %v; want the latest word kept beside it", win, err)
	}
	if win, err := w.Window(w.ctx, w.phone.Key, "other"); err != nil || win != (message.Window{}) {
		t.Errorf("window of a stranger = %+v, %v", win, err)
	}
}

func unknownAccount(t *testing.T, w *world) {
	c := w.change(event.StatusChange, "wamid.1", "sent")
	c.WABAMetaID = "999"
	if res := w.receive(t, c); res.Unclaimed != 1 || res.Events != 0 {
		t.Errorf("%+v", res)
	}
	list, err := w.Unclaimed(w.ctx, 10)
	must(t, err)
	if len(list) != 1 || string(list[0].Body) != "retry wamid.1 sent" || list[0].Reason == "" {
		t.Errorf("unclaimed = %+v", list)
	}
}

func reject(t *testing.T, w *world) {
	must(t, w.Receive(w.ctx, []byte("garbage"), w.now))
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	must(t, w.Reject(w.ctx, list[0], "not a webhook"))
	must(t, w.Reject(w.ctx, list[0], "not a webhook")) // again, as after a crash
	kept, err := w.Unclaimed(w.ctx, 10)
	must(t, err)
	if len(kept) != 1 || string(kept[0].Body) != "garbage" || kept[0].Reason != "not a webhook" || !kept[0].ReceivedAt.Equal(w.now) {
		t.Errorf("unclaimed = %+v", kept)
	}
	if list, err := w.Webhooks(w.ctx, 10); err != nil || len(list) != 0 {
		t.Errorf("inbox = %+v, %v", list, err)
	}
}

func allOrNothing(t *testing.T, w *world) {
	m := w.outbound()
	w.accept(t, m)
	must(t, w.Receive(w.ctx, []byte("x"), w.now))
	list, err := w.Webhooks(w.ctx, 10)
	must(t, err)
	in := w.change(event.InboundChange, "wamid.in", event.Received)
	c := w.change(event.StatusChange, "wamid.1", "sent")
	c.Opaque = m.ID
	boom := errors.New("boom")
	// Other writes share the transaction; they must not suffer.
	errs := parallel(20, func(i int) error {
		if i == 7 {
			_, err := w.Apply(w.ctx, []event.Understood{{Webhook: list[0], Changes: []event.Change{in, c}}}, w.now,
				func(event.HandOver) (*event.Event, error) { return nil, boom })
			return err
		}
		return w.Receive(w.ctx, []byte("y"), w.now)
	})
	for i, err := range errs {
		if (i == 7) != errors.Is(err, boom) {
			t.Errorf("write %d: %v", i, err)
		}
	}
	if got := w.published(t); got != "" || w.queued(t) != 1 {
		t.Errorf("a change that failed left events %q and %d queued", got, w.queued(t))
	}
	if list, err := w.Webhooks(w.ctx, 100); err != nil || len(list) != 20 {
		t.Errorf("inbox has %d webhooks, %v; want 20", len(list), err)
	}
}

func pruneMessages(t *testing.T, w *world) {
	done := w.handOver(t, "wamid.old")
	w.receive(t, w.change(event.StatusChange, "wamid.old", "delivered"))
	waiting := w.outbound()
	w.accept(t, waiting)
	stranger := w.change(event.StatusChange, "wamid.x", "sent")
	stranger.WABAMetaID = "999"
	w.receive(t, stranger)

	twice := w.handOver(t, "wamid.first")
	copied := w.change(event.StatusChange, "wamid.second", "sent") // WhatsApp got it a second time, with our id
	copied.Opaque = twice.ID
	w.receive(t, copied)
	if st := w.state(t, "wamid.second"); st.ID != twice.ID {
		t.Fatalf("the second copy is of %s", st.ID)
	}

	for _, tc := range []struct {
		cutoff time.Time
		left   int
	}{{w.now.Add(-time.Second), 1}, {w.now, 0}} {
		if more, err := w.PruneMessages(w.ctx, tc.cutoff); err != nil || more {
			t.Errorf("PruneMessages = %v, %v", more, err)
		}
		if more, err := w.PruneUnclaimed(w.ctx, tc.cutoff); err != nil || more {
			t.Errorf("PruneUnclaimed = %v, %v", more, err)
		}
		for _, id := range []string{done.ID, "wamid.old"} {
			if _, ok, err := w.Lookup(w.ctx, w.waba.AccountID, id); err != nil || ok != (tc.left == 1) {
				t.Errorf("look-up of %s after pruning = %v, %v", id, ok, err)
			}
		}
		if list, err := w.Unclaimed(w.ctx, 10); err != nil || len(list) != tc.left {
			t.Errorf("%d unclaimed left, %v", len(list), err)
		}
	}
	if st := w.state(t, waiting.ID); st.State != message.Queued {
		t.Errorf("a waiting message is %s", st.State)
	}
	// Nothing is left of either id: another message can have it.
	for _, wamid := range []string{"wamid.first", "wamid.second"} {
		m := w.outbound()
		j, l := w.accept(t, m), w.lane(t)
		w.begin(t, l, &j)
		if ok, err := w.Finish(w.ctx, &j, message.Accepted, wamid, nil, w.now); err != nil || !ok {
			t.Fatalf("Finish = %v, %v", ok, err)
		}
		if st, ok, err := w.Lookup(w.ctx, w.waba.AccountID, wamid); err != nil || !ok || st.ID != m.ID {
			t.Errorf("%s is of %q (%v, %v), want %s", wamid, st.ID, ok, err, m.ID)
		}
	}
}

func understood(t *testing.T, w *world) {
	want := func(before time.Time, want bool) {
		t.Helper()
		if ok, err := w.Understood(w.ctx, before); err != nil || ok != want {
			t.Errorf("everything before %v is understood: %v, %v; want %v", before.Sub(w.now), ok, err, want)
		}
	}
	want(w.now, true)
	must(t, w.Receive(w.ctx, []byte("first"), w.now))
	must(t, w.Receive(w.ctx, []byte("second"), w.now.Add(time.Minute)))
	want(w.now, true)
	want(w.now.Add(time.Second), false)
	hooks, err := w.Webhooks(w.ctx, 1)
	must(t, err)
	must(t, w.Reject(w.ctx, hooks[0], "no reason"))
	want(w.now.Add(time.Minute), true)
	want(w.now.Add(time.Hour), false)
}
