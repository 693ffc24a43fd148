package message

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// evidence is everything WhatsApp may report, including what does not move a message.
func evidence() []State { return append(States(), "deleted", "warning", "") }

func TestStatesAreInOrderOfRank(t *testing.T) {
	t.Parallel()
	for i, s := range States() {
		if s.Rank() != i {
			t.Errorf("%s ranks %d, want %d", s, s.Rank(), i)
		}
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name              string
		current, new, end State
	}{
		{"accepted after queued", Queued, Accepted, Accepted},
		{"read may come before delivered", Sent, Read, Read},
		{"late sent", Delivered, Sent, Delivered},
		{"late delivered", Read, Delivered, Read},
		{"repeated", Sent, Sent, Sent},
		{"failed after sent", Sent, Failed, Failed},
		{"delivery outranks failure", Failed, Delivered, Delivered},
		{"failure does not undo delivery", Delivered, Failed, Delivered},
		{"proof of hand-over outranks giving up", Dropped, Sent, Sent},
		{"proof of hand-over outranks taking back", Cancelled, Sent, Sent},
		{"giving up does not undo hand-over", Accepted, Dropped, Accepted},
		{"unknown evidence", Sent, "deleted", Sent},
		{"voice note played", Read, Played, Played},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Advance(tt.current, tt.new); got != tt.end {
				t.Errorf("Advance(%s, %s) = %s, want %s", tt.current, tt.new, got, tt.end)
			}
		})
	}
}

// TestAdvanceOrderDoesNotMatter draws histories and replays each in another order with repeats.
func TestAdvanceOrderDoesNotMatter(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		history := make([]State, rng.IntN(8))
		for i := range history {
			history[i] = evidence()[rng.IntN(len(evidence()))]
		}
		again := slices.Concat(history, history[:rng.IntN(len(history)+1)])
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if a, b := replay(t, history), replay(t, again); a != b {
			t.Fatalf("%v ends in %s, %v in %s", history, a, again, b)
		}
	}
}

// replay applies evidence and checks that no step goes backwards.
func replay(t *testing.T, history []State) State {
	t.Helper()
	s := Queued
	for _, e := range history {
		next := Advance(s, e)
		if next.Rank() < s.Rank() {
			t.Fatalf("%s went back to %s on %q", s, next, e)
		}
		s = next
	}
	return s
}

// FuzzAdvance is the same property over histories the fuzzer finds.
func FuzzAdvance(f *testing.F) {
	f.Add([]byte{2, 3, 5, 6}, uint64(1))
	f.Fuzz(func(t *testing.T, picks []byte, seed uint64) {
		history := make([]State, len(picks))
		for i, p := range picks {
			history[i] = evidence()[int(p)%len(evidence())]
		}
		shuffled := slices.Concat(history, history)
		rng := rand.New(rand.NewPCG(seed, 0))
		rng.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		if a, b := replay(t, history), replay(t, shuffled); a != b {
			t.Errorf("%v ends in %s, shuffled %v in %s", history, a, shuffled, b)
		}
	})
}
