package chaos

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"
)

// receiver is an additional event destination of a season, and what it has got.
type receiver struct {
	name    string
	id      string // of the destination
	mu      sync.Mutex
	events  map[string]int // by id: how often it came
	waiting int            // events in its queue, when it was last asked
	dead    map[string]bool
}

// flapEvery is how long a flapping receiver takes events, and then takes none.
const flapEvery = 700 * time.Millisecond

// receivers adds what the season wants: one that is well, one that is dead, one that takes its time and one that comes and goes.
func (w *world) receivers(t *testing.T, s season) (list []*receiver) {
	t.Helper()
	if !s.receivers {
		return nil
	}
	begun := time.Now()
	for _, r := range []struct {
		name        string
		concurrency int
		answer      func() int
	}{
		{"well", 8, func() int { return http.StatusNoContent }},
		{"dead", 1, nil},
		{"slow", 16, func() int {
			wait(t.Context(), 100*time.Millisecond)
			return http.StatusOK
		}},
		{"flapping", 4, func() int {
			if int(time.Since(begun)/flapEvery)%2 == 1 {
				return http.StatusServiceUnavailable
			}
			return http.StatusOK
		}},
	} {
		made := &receiver{name: r.name, events: map[string]int{}, dead: map[string]bool{}}
		server := httptest.NewServer(made.handler(r.answer))
		if r.answer == nil {
			server.Close() // nobody listens
		} else {
			t.Cleanup(server.Close)
		}
		var out struct{ EventDestinationID string }
		in := map[string]any{"name": r.name, "type": "https", "address": server.URL, "concurrency": r.concurrency}
		if err := w.api.call(t.Context(), http.MethodPost, "event-destinations", nil, in, &out); err != nil {
			t.Fatal(err)
		}
		made.id = out.EventDestinationID
		list = append(list, made)
	}
	return list
}

func (r *receiver) handler(answer func() int) http.HandlerFunc {
	return func(rw http.ResponseWriter, req *http.Request) {
		io.Copy(io.Discard, req.Body) //nolint:errcheck // the books are kept by id
		code := answer()
		if code < 300 {
			r.mu.Lock()
			r.events[req.Header.Get("Webhook-Id")]++
			r.mu.Unlock()
		}
		rw.WriteHeader(code)
	}
}

// look asks how many events wait for the destination. Should there be any, it is told to try at once, as an operator would: its own
// pauses get as long as a minute.
func (r *receiver) look(ctx context.Context, a api) error {
	var out struct {
		Health struct{ WaitingEvents int }
	}
	err := a.call(ctx, http.MethodGet, "event-destinations/details", url.Values{"eventDestinationId": {r.id}}, nil, &out)
	if r.waiting = out.Health.WaitingEvents; err == nil && r.waiting > 0 {
		err = a.call(ctx, http.MethodPost, "event-destinations/resume", nil, map[string]string{"eventDestinationId": r.id}, nil)
	}
	return err
}

// bury reads the destination's dead letters.
func (r *receiver) bury(ctx context.Context, a api) error {
	query := url.Values{"destination": {r.id}, "maxResults": {"100"}}
	for {
		var page struct {
			DeadLetters []struct{ EventID, Reason string }
			NextToken   string
		}
		if err := a.call(ctx, http.MethodGet, "events/dead-letters", query, nil, &page); err != nil {
			return err
		}
		for _, d := range page.DeadLetters {
			r.dead[d.EventID] = d.Reason != ""
		}
		if page.NextToken == "" {
			return nil
		}
		query.Set("nextToken", page.NextToken)
	}
}

// close holds what every receiver has got, or has visibly not got, against what the one that was well has, and removes them.
func (w *world) close(t *testing.T, list []*receiver) {
	t.Helper()
	for _, r := range list {
		if err := r.bury(t.Context(), w.api); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range list {
		well := list[0]
		missing, silent := 0, 0
		for id := range well.events {
			reason, dead := r.dead[id]
			if r.events[id] == 0 && !dead {
				missing++
			}
			if dead && !reason {
				silent++
			}
		}
		if missing > 0 || silent > 0 || r.waiting > 0 {
			t.Errorf("destination %q: %d of %d events neither arrived nor are dead letters, %d dead letters without a reason, %d waiting",
				r.name, missing, len(well.events), silent, r.waiting)
		}
		t.Logf("destination %q got %d events of %d, %d are dead letters", r.name, len(r.events), len(well.events), len(r.dead))
		if err := w.api.call(t.Context(), http.MethodDelete, "event-destinations", url.Values{"eventDestinationId": {r.id}}, nil, nil); err != nil {
			t.Fatal(err)
		}
	}
	if len(list) > 0 && (len(list[0].dead) > 0 || len(list[1].dead) == 0) {
		t.Errorf("%d dead letters of the one that is well, %d of the dead one", len(list[0].dead), len(list[1].dead))
	}
}
