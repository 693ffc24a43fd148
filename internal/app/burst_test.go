package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// A burst of ten thousand callbacks, in no order and some of them twice: none is refused, every update becomes one event, and every
// message ends where it would have in order.
func TestBurstOfCallbacks(t *testing.T) {
	t.Parallel()
	messages := 2500
	if raceDetector {
		messages = 250
	}
	n := start(t, t.TempDir(), nil)
	ids := n.handedOver(t, messages)
	var bodies []string
	for i := range messages {
		number := `"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"` + sim.NumberID + `"}`
		for j, status := range []string{"sent", "delivered", "read"} {
			bodies = append(bodies, fmt.Sprintf(`{%s,"statuses":[{"id":"wamid.burst.%d","status":%q,"timestamp":"%d","recipient_id":"44%d"}]}`, number, i, status, 1795400000+j, i))
		}
		bodies = append(bodies, fmt.Sprintf(`{%s,"contacts":[{"wa_id":"44%d"}],"messages":[{"from":"44%d","id":"wamid.answer.%d","timestamp":"1795400009","type":"text","text":{"body":"yes"}}]}`, number, i, i, i))
	}
	distinct := len(bodies)
	rng := rand.New(rand.NewPCG(1, 1))
	rng.Shuffle(distinct, func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	repeats := slices.Clone(bodies[:distinct/10])
	bodies = append(bodies, repeats...)
	rng.Shuffle(len(bodies), func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })

	n.post(t, bodies)
	n.awaitChanges(t, distinct, len(repeats))
	n.post(t, repeats) // Meta is not sure
	n.awaitChanges(t, distinct, 2*len(repeats))

	for i, id := range ids {
		st, ok, err := n.parts.db.Lookup(t.Context(), config.DevAccountID, id)
		if err != nil || !ok || st.State != message.Read || len(st.Timeline) != 3 {
			t.Fatalf("message %d: %+v, %v", i, st, err)
		}
		w, err := n.parts.db.Window(t.Context(), devKey(1), fmt.Sprintf("44%d", i))
		if err != nil || w.LastInboundAt.Unix() != 1795400009 {
			t.Fatalf("window of customer %d: %+v, %v", i, w, err)
		}
	}
}

// handedOver makes messages that WhatsApp has taken as wamid.burst.0, 1, 2, … and returns their ids.
func (n *node) handedOver(t *testing.T, messages int) []string {
	t.Helper()
	db, ctx := n.parts.db, t.Context()
	l, err := db.AcquireLease(ctx, "lane/"+devKey(1), "burst", time.Now(), time.Minute)
	if err != nil || !l.Held() {
		t.Fatal(l, err)
	}
	ids := make([]string, messages)
	var work errgroup.Group
	work.SetLimit(200)
	for i := range ids {
		work.Go(func() error {
			now := time.Now()
			m := &message.Outbound{ID: uuid.NewString(), AccountID: config.DevAccountID, WABAKey: devKey(1), PhoneKey: devKey(1), MetaVersion: "v20.0",
				Kind: "text", Recipient: fmt.Sprintf("44%d", i), AcceptedAt: now}
			ids[i] = m.ID
			_, seq, err := db.Accept(ctx, m, []byte("sealed"))
			if err != nil {
				return err
			}
			return takenBy(ctx, n, l, m.Job(seq), fmt.Sprintf("wamid.burst.%d", i), now)
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
	return ids
}

func takenBy(ctx context.Context, n *node, l lease.Lease, j message.Job, wamid string, now time.Time) error {
	if ok, err := n.parts.db.Begin(ctx, l, &j, now); err != nil || !ok {
		return fmt.Errorf("begin: %v, %w", ok, err)
	}
	j.Attempts++
	if ok, err := n.parts.db.Finish(ctx, &j, message.Accepted, wamid, nil, now); err != nil || !ok {
		return fmt.Errorf("finish: %v, %w", ok, err)
	}
	return nil
}

// post delivers callbacks with the values of messages changes, as many at once as Meta does.
func (n *node) post(t *testing.T, values []string) {
	t.Helper()
	var next atomic.Int64
	var work errgroup.Group
	for range 64 {
		work.Go(func() error {
			for {
				i := int(next.Add(1) - 1)
				if i >= len(values) {
					return nil
				}
				body := `{"object":"whatsapp_business_account","entry":[{"id":"` + sim.AccountID + `","changes":[{"value":` + values[i] + `,"field":"messages"}]}]}`
				mac := hmac.New(sha256.New, []byte(n.cfg.Meta.AppSecret.Reveal()))
				mac.Write([]byte(body))
				r := httptest.NewRequest(http.MethodPost, webhookPath, strings.NewReader(body))
				r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
				w := httptest.NewRecorder()
				n.parts.handler.ServeHTTP(w, r)
				if w.Code != http.StatusOK {
					return fmt.Errorf("callback %d: %d", i, w.Code)
				}
			}
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
}

// awaitChanges waits until so many updates have become events and so many were repeats, and nothing else has come of any.
func (n *node) awaitChanges(t *testing.T, events, repeats int) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		got := n.changes(t)
		if got["event"]+got["repeat"] >= events+repeats || time.Now().After(deadline) {
			if got["event"] != events || got["repeat"] != repeats || got["orphan"]+got["unclaimed"] != 0 {
				t.Fatalf("updates became %v, want %d events and %d repeats", got, events, repeats)
			}
			return
		}
		<-tick.C
	}
}

// changes counts what has become of updates.
func (n *node) changes(t *testing.T) map[string]int {
	t.Helper()
	families, err := n.metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for _, f := range families {
		if f.GetName() != "waxwing_changes_total" {
			continue
		}
		for _, m := range f.GetMetric() {
			got[m.GetLabel()[0].GetValue()] = int(m.GetCounter().GetValue())
		}
	}
	return got
}
