package retry

import (
	"math"
	"testing"
	"time"
)

func TestCeiling(t *testing.T) {
	t.Parallel()
	usual := Backoff{Min: time.Second, Max: time.Minute}
	tests := []struct {
		name    string
		b       Backoff
		attempt int
		want    time.Duration
	}{
		{"first", usual, 1, time.Second},
		{"second", usual, 2, 2 * time.Second},
		{"sixth", usual, 6, 32 * time.Second},
		{"capped", usual, 7, time.Minute},
		{"far beyond", usual, math.MaxInt, time.Minute},
		{"before the first", usual, 0, time.Second},
		{"negative", usual, -3, time.Second},
		{"factor 4", Backoff{Min: time.Second, Max: time.Hour, Factor: 4}, 4, 64 * time.Second},
		{"constant", Backoff{Min: time.Second, Max: time.Hour, Factor: 1}, 9, time.Second},
		{"min above max", Backoff{Min: time.Hour, Max: time.Minute}, 1, time.Minute},
		{"nothing", Backoff{}, 5000, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.b.Ceiling(tt.attempt); got != tt.want {
				t.Errorf("Ceiling(%d) = %s, want %s", tt.attempt, got, tt.want)
			}
		})
	}
}

func TestJitter(t *testing.T) {
	t.Parallel()
	b := Backoff{Min: time.Second, Max: time.Minute}
	tests := []struct {
		chance      float64
		full, equal time.Duration
	}{
		{0, 0, 4 * time.Second}, {0.5, 4 * time.Second, 6 * time.Second}, {1, 8 * time.Second, 8 * time.Second},
		{-1, 0, 4 * time.Second}, {7, 8 * time.Second, 8 * time.Second}, {math.NaN(), 0, 4 * time.Second},
	}
	for _, tt := range tests {
		if full, equal := b.Full(4, tt.chance), b.Equal(4, tt.chance); full != tt.full || equal != tt.equal {
			t.Errorf("chance %v: full %s, equal %s, want %s and %s", tt.chance, full, equal, tt.full, tt.equal)
		}
	}
}

func FuzzBackoff(f *testing.F) {
	f.Add(int64(time.Second), int64(time.Minute), 2.0, 3, 0.5)
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), math.Inf(1), math.MaxInt, math.NaN())
	f.Fuzz(func(t *testing.T, least, most int64, factor float64, attempt int, chance float64) {
		b := Backoff{Min: time.Duration(max(least, 0)), Max: time.Duration(max(most, 0)), Factor: factor}
		ceiling := b.Ceiling(attempt)
		if ceiling < 0 || ceiling > b.Max {
			t.Fatalf("%+v: ceiling %s", b, ceiling)
		}
		if attempt < math.MaxInt && b.Ceiling(attempt+1) < ceiling {
			t.Errorf("%+v: attempt %d waits longer than the next", b, attempt)
		}
		if full := b.Full(attempt, chance); full < 0 || full > ceiling {
			t.Errorf("full %s of %s", full, ceiling)
		}
		if equal := b.Equal(attempt, chance); equal < ceiling/2 || equal > ceiling {
			t.Errorf("equal %s of %s", equal, ceiling)
		}
	})
}
