package fanout

import (
	"testing"
	"time"
)

func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_000_000, 0)
	p := newPace(16)
	start := now
	now = now.Add(time.Second)
	for range 16 { // one round of requests that were in flight together
		p.failed(start, now, 0)
	}
	if p.streak != 1 || p.limit != 8 || p.paused(now) != 0 {
		t.Fatalf("after one round: %+v", p)
	}
	now = now.Add(time.Second)
	if gone := p.failed(now, now, 0); gone || p.limit != 4 || p.paused(now) != 0 {
		t.Fatalf("after two rounds: %+v", p)
	}
	var pauses []time.Duration
	for round := range 8 {
		now = now.Add(time.Minute)
		gone := p.failed(now, now, 0.5)
		if gone != (round == 0) || !p.down() || p.limit != 1 {
			t.Fatalf("round %d: gone %v, %+v", round, gone, p)
		}
		pauses = append(pauses, p.paused(now))
	}
	for i, d := range pauses {
		want := min(time.Second<<i, pauseMax) * 3 / 4
		if d != want {
			t.Errorf("pause %d is %v, want %v", i, d, want)
		}
	}
	if back := p.succeeded(); !back || p.down() || p.paused(now) != 0 || p.limit != 2 {
		t.Errorf("after a success: back %v, %+v", back, p)
	}
	for range 100 {
		p.succeeded()
	}
	if p.limit != 16 {
		t.Errorf("limit %d in the end, want 16", p.limit)
	}
}
