package refresh

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// world is a store, a directory and Meta with one business account.
type world struct {
	mu       sync.Mutex
	dueAt    time.Time
	asked    []time.Time
	saved    []account.Facts
	forgot   int
	failing  bool // Meta does not answer
	unlinked bool
}

func (w *world) ClaimRefreshes(_ context.Context, now, retryAt time.Time, _ int) ([]account.Due, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.dueAt.After(now) {
		return nil, nil
	}
	w.dueAt = retryAt
	return []account.Due{{AccountID: "a", WABAKey: "k", At: retryAt}}, nil
}

func (w *world) Refreshed(_ context.Context, d account.Due, f account.Facts, next time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if d.At.Equal(w.dueAt) {
		w.dueAt = next
	}
	w.saved = append(w.saved, f)
	return nil
}

func (w *world) Access(context.Context, string, string) (account.Access, error) {
	if w.unlinked {
		return account.Access{}, errors.New("not there")
	}
	return account.Access{MetaID: "12", Token: "t"}, nil
}

func (w *world) Forget() { w.forgot++ }

func (w *world) Account(_ context.Context, metaID string, token identity.Secret) (account.Facts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, time.Now())
	if w.failing {
		return account.Facts{}, errors.New("no answer")
	}
	return account.Facts{MetaID: metaID, Name: token.Reveal()}, nil
}

func run(t *testing.T, w *world, interval time.Duration, do func(e *Engine)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w.dueAt = time.Now()
		e := New(Options{Store: w, Accounts: w, Meta: w, Interval: interval, Logger: slog.New(slog.DiscardHandler)})
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- e.Run(ctx) }()
		do(e)
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run = %v", err)
		}
	})
}

func TestSchedule(t *testing.T) {
	t.Parallel()
	w := &world{}
	run(t, w, time.Hour, func(*Engine) { time.Sleep(10 * time.Hour) })
	if n := len(w.asked); n < 9 || n > 12 {
		t.Fatalf("asked %d times in ten hours, want about ten", n)
	}
	for i := range w.asked[1:] {
		if gap := w.asked[i+1].Sub(w.asked[i]); gap < 54*time.Minute || gap > 67*time.Minute {
			t.Errorf("asked again after %s", gap)
		}
	}
	if len(w.saved) != len(w.asked) || w.saved[0].MetaID != "12" || w.saved[0].Name != "t" || w.forgot == 0 {
		t.Errorf("saved %+v, forgot %d times", w.saved, w.forgot)
	}
}

func TestFailuresAreAskedAgain(t *testing.T) {
	t.Parallel()
	w := &world{failing: true}
	run(t, w, 24*time.Hour, func(*Engine) { time.Sleep(61 * time.Minute) })
	if n := len(w.asked); n < 10 || n > 13 {
		t.Errorf("asked %d times in an hour without answers, want one in five minutes", n)
	}
	if len(w.saved) != 0 {
		t.Errorf("saved %+v", w.saved)
	}
}

func TestWebhookIsAskedAboutSoon(t *testing.T) {
	t.Parallel()
	w := &world{}
	run(t, w, time.Hour, func(e *Engine) {
		time.Sleep(time.Minute)
		for range 3 {
			w.mu.Lock()
			w.dueAt = time.Now()
			w.mu.Unlock()
			e.Wake()
		}
		time.Sleep(5 * time.Second)
	})
	if len(w.asked) != 2 || w.asked[1].Sub(w.asked[0]) > 65*time.Second {
		t.Errorf("asked at %v, want once more after three webhooks", w.asked)
	}
}

func TestUnlinkedAccountIsLeftAlone(t *testing.T) {
	t.Parallel()
	w := &world{unlinked: true}
	run(t, w, time.Hour, func(*Engine) { time.Sleep(time.Minute) })
	if len(w.asked) != 0 {
		t.Error("Meta was asked about an account that is gone")
	}
}
