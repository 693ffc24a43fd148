package dispatch

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// TestWindow drives a window with random work and checks what it promises: one message a recipient at a time, in order of
// acceptance, none lost, none twice, none before its time.
func TestWindow(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		w := newWindow()
		now := time.Unix(1_000_000, 0)
		added, finished := map[int64]string{}, map[int64]bool{}
		last, busy := map[string]int64{}, map[string]*item{}
		var out []*item
		for seq := int64(1); seq <= 60 || w.len() > 0; {
			switch rng.IntN(4) {
			case 0:
				if seq > 60 {
					continue
				}
				j := message.Job{Seq: seq, Recipient: fmt.Sprint("r", rng.IntN(6)), Priority: message.Priority(rng.IntN(2))}
				if rng.IntN(8) == 0 {
					j.Recipient = "" // a receipt
				}
				if rng.IntN(5) == 0 {
					j.NotBefore = now.Add(time.Duration(rng.IntN(3000)) * time.Millisecond)
				}
				added[seq] = j.Recipient
				if !w.add(j, now) || w.add(j, now) {
					t.Fatalf("seed %d: adding %d twice was not noticed", seed, seq)
				}
				seq++
			case 1:
				it := w.next(now)
				if it == nil {
					now = now.Add(time.Second)
					continue
				}
				j := it.job
				if j.NotBefore.After(now) {
					t.Fatalf("seed %d: %d left before its time", seed, j.Seq)
				}
				if j.Recipient != "" {
					if busy[j.Recipient] != nil {
						t.Fatalf("seed %d: %d left while %d was in flight", seed, j.Seq, busy[j.Recipient].job.Seq)
					}
					if j.Seq < last[j.Recipient] {
						t.Fatalf("seed %d: %d left after %d", seed, j.Seq, last[j.Recipient])
					}
					busy[j.Recipient], last[j.Recipient] = it, j.Seq
				}
				out = append(out, it)
			default:
				if len(out) == 0 {
					continue
				}
				i := rng.IntN(len(out))
				it := out[i]
				out = append(out[:i], out[i+1:]...)
				delete(busy, it.job.Recipient)
				if rng.IntN(3) == 0 {
					it.job.NotBefore = now.Add(time.Second)
					w.putBack(it, now)
					continue
				}
				if finished[it.job.Seq] {
					t.Fatalf("seed %d: %d finished twice", seed, it.job.Seq)
				}
				finished[it.job.Seq] = true
				w.done(it, now)
			}
		}
		if len(finished) != len(added) {
			t.Fatalf("seed %d: %d of %d finished", seed, len(finished), len(added))
		}
		if len(w.chains) != 0 || len(w.ready) != 0 || len(w.later) != 0 {
			t.Fatalf("seed %d: an empty window keeps %d chains", seed, len(w.chains))
		}
	}
}

func TestWindowPrefersRepliesThenAge(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	for _, j := range []message.Job{{Seq: 1, Recipient: "a", Priority: message.Bulk}, {Seq: 2, Recipient: "b", Priority: message.Reply},
		{Seq: 3, Recipient: "c", Priority: message.Bulk}, {Seq: 4, Priority: message.Reply}} {
		w.add(j, now)
	}
	for _, want := range []int64{2, 4, 1, 3} {
		if got := w.next(now); got == nil || got.job.Seq != want {
			t.Fatalf("next = %+v, want %d", got, want)
		}
	}
}

// A message that arrives after a later one of its recipient still goes first, unless that one has left.
func TestWindowReordersLateArrivals(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	w.add(message.Job{Seq: 2, Recipient: "a"}, now)
	w.add(message.Job{Seq: 1, Recipient: "a"}, now)
	first := w.next(now)
	if first.job.Seq != 1 {
		t.Fatalf("first = %d", first.job.Seq)
	}
	if it := w.next(now); it != nil {
		t.Fatalf("%d left beside it", it.job.Seq)
	}
	w.done(first, now)
	if it := w.next(now); it == nil || it.job.Seq != 2 {
		t.Fatalf("then = %+v", it)
	}
}
