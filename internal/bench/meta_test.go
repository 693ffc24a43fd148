package bench

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// Every update can be told from its event: what Meta sent, as a string in an envelope.
func TestUpdatesAreToldApart(t *testing.T) {
	t.Parallel()
	m := newMeta("http://127.0.0.1:1", "s", 1, 3, 40)
	for update := range 40 {
		body := m.callback(nil, update, 1)
		if !json.Valid(body) {
			t.Fatalf("callback %s", body)
		}
		envelope := append([]byte(`{"whatsAppWebhookEntry":`), event.AppendString(nil, body)...)
		if got, ok := updateOf(append(envelope, '}')); !ok || got != update {
			t.Errorf("update %d is taken for %d (%v): %s", update, got, ok, body)
		}
	}
	for _, other := range []string{"", "{}", `{"whatsAppWebhookEntry":"{\"id\":\"wamid.X\",\"status\":\"sent\"}"}`} {
		if got, ok := updateOf([]byte(other)); ok {
			t.Errorf("%s is taken for update %d", other, got)
		}
	}
}

// A callback is signed, and its updates are missing until their events have come, each once.
func TestMetaKeepsBooks(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var bodies []string
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		bodies = append(bodies, string(body))
		if !strings.HasPrefix(r.Header.Get("X-Hub-Signature-256"), "sha256=") || len(bodies) == 3 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	defer s.Close()
	m := newMeta(s.URL, "secret", 2, 1, 6)
	defer m.close()
	for i := range 3 {
		if err := m.post(t.Context(), 2); (err != nil) != (i == 2) {
			t.Errorf("callback %d: %v", i, err)
		}
	}
	if strings.Count(strings.Join(bodies, ""), `"field":"messages"`) != 6 {
		t.Errorf("posted %s", bodies)
	}
	if missing := m.wait(t.Context(), time.Nanosecond); missing != 6 {
		t.Errorf("%d updates are missing, want all", missing)
	}
	for _, body := range append(bodies, bodies[0]) {
		for part := range strings.SplitSeq(body, `"field"`) {
			m.event(event.AppendString(nil, part))
		}
	}
	times, repeats := m.times()
	if missing := m.wait(t.Context(), time.Minute); missing != 0 || times.Count() != 6 || repeats != 2 {
		t.Errorf("%d updates are missing, %d have times, %d repeated", missing, times.Count(), repeats)
	}
}

func TestWatcherReadsMetrics(t *testing.T) {
	t.Parallel()
	looks := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		looks++
		fmt.Fprintf(w, "# HELP waxwing_changes_total x\nwaxwing_changes_total{result=\"event\"} %d\nwaxwing_changes_total{result=\"repeat\"} 1\nother 5\n", min(looks*2, 7))
	}))
	defer s.Close()
	got, err := watchChanges(t.Context(), s.URL).wait(6, time.Minute)
	if err != nil || got.events != 6 || got.others != "repeat 1" || looks != 3 {
		t.Errorf("after %d looks: %+v, %v", looks, got, err)
	}
	if got, err := watchChanges(t.Context(), s.URL).wait(100, time.Nanosecond); err != nil || got.events != 7 {
		t.Errorf("without progress: %+v, %v", got, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := watchChanges(ctx, s.URL).wait(1, time.Minute); err == nil {
		t.Error("it goes on after it was cancelled")
	}
}
