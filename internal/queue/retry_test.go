package queue

import (
	"testing"
	"time"
)

func TestRetryDelay(t *testing.T) {
	t.Parallel()
	r := DefaultRetry()
	previous := time.Duration(0)
	for failed := 1; failed < 40; failed++ {
		low, high := r.Delay(failed, 0), r.Delay(failed, 0.999999)
		if low < previous/2 || low < r.Min/2 || high > r.Max || low > high {
			t.Errorf("after %d failures the pause is %v to %v, after one fewer up to %v", failed, low, high, previous)
		}
		previous = high
	}
	if got := r.Delay(2, 0.5); got != 750*time.Millisecond {
		t.Errorf("quick retry after %v, want 750ms", got)
	}
	if got := r.Delay(12, 0); got != r.Max/2 {
		t.Errorf("last retry after %v, want %v", got, r.Max/2)
	}
	start := time.Unix(0, 0)
	if r.Over(start, start.Add(r.Window-1), 100) || !r.Over(start, start.Add(r.Window), 1) {
		t.Error("the window does not end where it should")
	}
}
