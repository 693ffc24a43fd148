package deliver

import (
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)
	var b breaker
	if b.reach() != batchSize || b.wait(now) != 0 || b.took() {
		t.Errorf("a new breaker is not closed: %+v", b)
	}
	const chance = 0.5 // three quarters of a pause
	for i, want := range []time.Duration{150, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 45000, 45000} {
		if opened := b.refused(now, 0, chance); opened != (i == 0) {
			t.Errorf("refusal %d opened the breaker: %v", i, opened)
		}
		if got := b.wait(now); got != want*time.Millisecond {
			t.Errorf("pause after refusal %d = %v, want %v", i, got, want*time.Millisecond)
		}
		if list := b.pass(make([]event.Delivery, b.reach())); len(list) != 2 {
			t.Errorf("an open breaker lets %d events pass", len(list))
		}
		now = now.Add(b.wait(now))
	}
	if !b.took() || b.reach() != batchSize || b.wait(now) != 0 {
		t.Errorf("a probe that arrived leaves %+v", b)
	}

	b.refused(now, 10*time.Minute, chance)
	if got := b.wait(now); got != 10*time.Minute {
		t.Errorf("the destination asked for ten minutes and gets %v", got)
	}
	b.refused(now, 48*time.Hour, chance)
	if got := b.wait(now); got != longestAfter {
		t.Errorf("the destination asked for two days and gets %v", got)
	}
	b.took()
	b.hold(now, time.Minute)
	if b.wait(now) != time.Minute || b.reach() != batchSize {
		t.Errorf("after a throttle of some: %+v", b)
	}
}
