package storetest

import (
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// reached counts customers, not messages, and only those whose window is closed when WhatsApp takes the message.
func reached(t *testing.T, w *world) {
	send := func(wamid, recipient, kind string) {
		t.Helper()
		m := w.outbound()
		m.Recipient, m.Kind = recipient, kind
		j, l := w.accept(t, m), w.lane(t)
		w.begin(t, l, &j)
		if ok, err := w.Finish(w.ctx, &j, message.Accepted, wamid, w.event(m.ID, wamid, "accepted"), w.now); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	count := func(what, recipient string, want int, wantCounted bool) {
		t.Helper()
		n, counted, err := w.Reached(w.ctx, w.waba.Key, recipient, w.now.Add(-message.WindowLength), 3)
		must(t, err)
		if n != want || counted != wantCounted {
			t.Errorf("%s: %d customers, counted %v; want %d, %v", what, n, counted, want, wantCounted)
		}
	}
	count("nobody", "a", 0, false)
	send("wamid.1", "a", message.KindTemplate)
	send("wamid.2", "a", message.KindTemplate)
	send("wamid.3", "b", "text")
	inbound := w.change(event.InboundChange, "wamid.in", event.Received)
	inbound.Opens, inbound.At = []string{"c"}, w.now
	w.receive(t, inbound)
	send("wamid.4", "c", message.KindTemplate)
	count("one customer twice, and two for whom it is no first word", "a", 1, true)
	count("the one who wrote", "c", 1, false)

	proved := w.outbound()
	proved.Recipient, proved.Kind = "d", message.KindTemplate
	j, l := w.accept(t, proved), w.lane(t)
	w.begin(t, l, &j)
	proof := w.change(event.StatusChange, "wamid.5", "sent")
	proof.Opaque = proved.ID
	w.receive(t, proof)
	count("a hand-over that a status proved", "d", 2, true)
	for _, r := range []string{"e", "f"} {
		send("wamid."+r, r, message.KindTemplate)
	}
	count("more than asked for", "f", 3, true)

	w.now = w.now.Add(message.WindowLength)
	count("a day later", "a", 0, false)
	send("wamid.6", "a", message.KindTemplate)
	for more := true; more; {
		var err error
		more, err = w.PruneReached(w.ctx, w.now.Add(-time.Second))
		must(t, err)
	}
	count("again", "a", 1, true)
}
