package app

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"
)

// rows is a store in which some rows wait for a time in the future.
type rows struct {
	left  int
	err   error
	calls int
}

func (r *rows) SetBack(context.Context, time.Time) (bool, error) {
	if r.calls++; r.err != nil {
		return false, r.err
	}
	r.left = max(0, r.left-500)
	return r.left > 0, nil
}

func TestClockWatch(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	for _, tc := range []struct {
		name  string
		walls []time.Duration // of the wall clock since the start, a second apart
		fails int             // of the first calls
		calls int             // of the store
		reads int
		anew  int
	}{
		{"as it should be", []time.Duration{1 * time.Second, 2 * time.Second, 3 * time.Second}, 0, 0, 0, 0},
		{"corrected steadily", []time.Duration{900 * time.Millisecond, 1800 * time.Millisecond, 2700 * time.Millisecond}, 0, 0, 0, 0},
		{"set forward", []time.Duration{time.Hour, time.Hour + time.Second}, 0, 0, 0, 1},
		{"set back", []time.Duration{time.Second, -time.Hour, -time.Hour + time.Second}, 0, 3, 1, 0},
		{"forward and back", []time.Duration{time.Hour, 2 * time.Second, 3 * time.Second}, 0, 3, 1, 1},
		{"back, while nothing can be written", []time.Duration{-time.Hour, -time.Hour + time.Second, -time.Hour + 2*time.Second, -time.Hour + 3*time.Second}, 2, 5, 1, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r, reads, anew := &rows{left: 1200}, 0, 0
			c := &clockWatch{store: r, reread: func() { reads++ }, anew: func() { anew++ }, log: slog.New(slog.DiscardHandler), offset: time.Duration(begun.UnixNano())}
			for i, wall := range tc.walls {
				r.err = nil
				if r.calls < tc.fails {
					r.err = errors.New("out of order")
				}
				c.look(t.Context(), begun.Add(wall), time.Duration(i+1)*time.Second)
			}
			if r.calls != tc.calls || reads != tc.reads || anew != tc.anew {
				t.Errorf("%d steps, read again %d times, waited anew %d times; want %d, %d and %d", r.calls, reads, anew, tc.calls, tc.reads, tc.anew)
			}
		})
	}
}
