package ingest

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// watched is a bench whose missing statuses are looked for, with everything that was told about them.
type watched struct {
	*bench
	mu      sync.Mutex
	told    []string
	overdue int
	restart func(away time.Duration)
}

func (w *watched) note(told string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, told)
}

func (w *watched) look(overdue int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.overdue = overdue
}

const patience = 15 * time.Minute

func watch(t *testing.T) *watched {
	w := &watched{bench: newBench(t)}
	start := func() (stop func()) {
		begun := time.Now()
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() {
			defer close(done)
			o := WatchOptions{Store: w.db, Sealer: plain{}, Owner: "node", Patience: patience,
				Hearing: func() time.Time { return begun }, Logger: slog.New(slog.DiscardHandler),
				OnLook: w.look, OnAlert: func(kind event.AlertKind, state string) { w.note(string(kind) + " " + state) }}
			if err := NewWatch(o).Run(ctx); err != nil {
				t.Error(err)
			}
		}()
		return func() {
			cancel()
			<-done
		}
	}
	stop := start()
	t.Cleanup(func() { stop() })
	w.restart = func(away time.Duration) {
		stop()
		time.Sleep(away)
		stop = start()
	}
	return w
}

// after lets time pass and returns what was told meanwhile, and how many messages are overdue.
func (w *watched) after(d time.Duration) (told string, overdue int) {
	w.mu.Lock()
	w.told = nil
	w.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.told, ", "), w.overdue
}

func TestWatch(t *testing.T) {
	t.Parallel()
	const raised, cleared = "statuses_missing raised", "statuses_missing cleared"
	for name, scenario := range map[string]func(*watched){
		"one status is missing, and comes": func(w *watched) {
			w.sent("wamid.1")
			if got, _ := w.after(patience - time.Second); got != "" {
				w.t.Errorf("too early: %s", got)
			}
			if got, overdue := w.after(time.Minute); got != raised || overdue != 1 {
				w.t.Errorf("told %q with %d overdue", got, overdue)
			}
			if got, _ := w.after(2 * time.Hour); got != "" {
				w.t.Errorf("told again: %q", got)
			}
			w.receive(statuses(status("wamid.1", "sent", "")))
			if got, overdue := w.after(time.Minute); got != cleared || overdue != 0 {
				w.t.Errorf("told %q with %d overdue", got, overdue)
			}
		},
		"everything is missing": func(w *watched) {
			sent := 0
			send := func(n int) {
				for range n {
					w.sent(fmt.Sprintf("wamid.%d", sent))
					sent++
				}
			}
			for _, more := range []struct {
				messages int
				told     string
			}{{1, raised}, {8, ""}, {1, raised}, {20, ""}, {70, raised}} { // at 1, 10 and 100
				send(more.messages)
				if got, _ := w.after(patience + time.Minute); got != more.told {
					w.t.Errorf("after %d messages told %q, want %q", sent, got, more.told)
				}
			}
			if got, overdue := w.after(time.Hour); got != "" || overdue != 100 {
				w.t.Errorf("an hour later told %q with %d overdue", got, overdue)
			}
			w.restart(0)
			if got, _ := w.after(time.Minute); got != "" {
				w.t.Errorf("after a restart: %s", got)
			}
			for i := range sent {
				w.receive(statuses(status(fmt.Sprintf("wamid.%d", i), "delivered", "")))
			}
			if got, overdue := w.after(time.Minute); got != cleared || overdue != 0 {
				w.t.Errorf("told %q with %d overdue", got, overdue)
			}
		},
		"nobody was there to listen": func(w *watched) {
			w.sent("wamid.1")
			w.sent("wamid.2")
			w.restart(2 * time.Hour)
			if got, overdue := w.after(patience - time.Second); got != "" || overdue != 0 {
				w.t.Errorf("Meta repeats what it could not tell, and is accused before it can: told %q with %d overdue", got, overdue)
			}
			w.receive(statuses(status("wamid.1", "sent", "")))
			if got, overdue := w.after(time.Minute); got != raised || overdue != 1 {
				w.t.Errorf("after it could: told %q with %d overdue", got, overdue)
			}
		},
		"statuses come again, one is lost for ever": func(w *watched) {
			w.sent("wamid.lost")
			w.after(patience + time.Minute)
			w.sent("wamid.1")
			w.receive(statuses(status("wamid.1", "sent", "")))
			if got, overdue := w.after(patience); got != cleared || overdue != 1 {
				w.t.Errorf("told %q with %d overdue", got, overdue)
			}
			w.sent("wamid.2")
			if got, overdue := w.after(patience + time.Minute); got != raised || overdue != 2 {
				w.t.Errorf("a second incident: told %q with %d overdue", got, overdue)
			}
		},
		"the alert": func(w *watched) {
			w.sent("wamid.1")
			w.after(patience + time.Minute)
			list, err := w.db.Undelivered(context.Background(), topicARN, time.Now(), 10)
			if err != nil || len(list) != 2 {
				w.t.Fatalf("%d events, %v", len(list), err)
			}
			alert := list[1]
			if alert.Field != event.AlertField || alert.Status != event.Raised || alert.PhoneKey != "phone" || alert.WABAKey != "waba" ||
				!strings.Contains(string(alert.Entry), `"phone_number_id":"11"`) || !strings.Contains(string(alert.Entry), "callback URL") {
				w.t.Errorf("alert %+v: %s", alert.Event, alert.Entry)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { scenario(watch(t)) })
		})
	}
}
