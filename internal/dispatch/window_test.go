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
			if want := waiting(w); w.idle != want {
				t.Fatalf("seed %d: %d jobs count as waiting, %d are", seed, w.idle, want)
			}
			switch rng.IntN(5) {
			case 0:
				if seq > 60 {
					continue
				}
				j := message.Job{Seq: seq, Place: seq, Recipient: fmt.Sprint("r", rng.IntN(6)), Priority: message.Priority(rng.IntN(3) - 1)}
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
				it := w.next(now, message.Bulk)
				if it == nil {
					now = now.Add(time.Second)
					continue
				}
				j := it.job
				if j.NotBefore.After(now) {
					t.Fatalf("seed %d: %d left before its time", seed, j.Seq)
				}
				if c := chain(&j); c != "" {
					if busy[c] != nil {
						t.Fatalf("seed %d: %d left while %d was in flight", seed, j.Seq, busy[c].job.Seq)
					}
					if j.Seq < last[c] {
						t.Fatalf("seed %d: %d left after %d", seed, j.Seq, last[c])
					}
					busy[c], last[c] = it, j.Seq
				}
				out = append(out, it)
			case 2: // somebody takes one back
				seq := 1 + rng.Int64N(60)
				if it := w.jobs[seq]; it != nil && !it.inFlight {
					finished[seq] = true
					w.remove(it, now)
				} else if it != nil && w.pull(&it.job, now) != nil {
					t.Fatalf("seed %d: %d was pulled while it was in flight", seed, seq)
				}
			default:
				if len(out) == 0 {
					continue
				}
				i := rng.IntN(len(out))
				it := out[i]
				out = append(out[:i], out[i+1:]...)
				delete(busy, chain(&it.job))
				if rng.IntN(3) == 0 {
					it.job.NotBefore = now.Add(time.Second)
					w.putBack(it, now)
					continue
				}
				if finished[it.job.Seq] {
					t.Fatalf("seed %d: %d finished twice", seed, it.job.Seq)
				}
				finished[it.job.Seq] = true
				w.remove(it, now)
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

// waiting counts the jobs that wait for a time, or behind one that does.
func waiting(w *window) (n int) {
	for _, it := range w.later {
		n += max(1, len(w.chains[chain(&it.job)]))
	}
	return n
}

// What is pulled is out of everybody's way, whether it was in the window or not.
func TestWindowPull(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	first, second := message.Job{Seq: 1, Place: 1, Recipient: "a", NotBefore: now.Add(time.Hour)}, message.Job{Seq: 2, Place: 2, Recipient: "a"}
	w.add(first, now)
	w.add(second, now)
	it, other := w.pull(&first, now), w.pull(&message.Job{Seq: 9, Place: 9, Recipient: "a"}, now)
	if it == nil || other == nil || w.pull(&first, now) != nil || w.pull(&other.job, now) != nil || w.add(first, now) || w.add(other.job, now) {
		t.Error("a job was not pulled, or twice, or came back")
	}
	if got := w.next(now, message.Bulk); got == nil || got.job.Seq != 2 {
		t.Errorf("then %+v leaves, want the next one", got)
	}
	w.remove(it, now)
	w.remove(other, now)
	if w.len() != 1 || w.idle != 0 {
		t.Errorf("%d left, %d waiting", w.len(), w.idle)
	}
}

// What was pulled and has to wait all the same, in doubt, counts for itself, whatever comes for its recipient meanwhile.
func TestWindowPulledWaits(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	first := message.Job{Seq: 1, Place: 1, Recipient: "a"}
	w.add(first, now)
	w.add(message.Job{Seq: 2, Place: 2, Recipient: "a"}, now)
	it := w.pull(&first, now)
	it.job.NotBefore = now.Add(time.Second)
	w.putBack(it, now)
	w.add(message.Job{Seq: 3, Place: 3, Recipient: "a"}, now)
	if w.len() != 3 || w.idle != 1 {
		t.Errorf("of %d %d wait, want one of three", w.len(), w.idle)
	}
	if it = w.pull(&first, now); it == nil || w.idle != 0 {
		t.Errorf("then %d wait, want none", w.idle)
	}
}

// A recipient has a few messages in memory; the rest is asked for when there is room.
func TestWindowKeepsLittleForOneRecipient(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	w.chainMax = 8
	for seq := range int64(20) {
		if added := w.add(message.Job{Seq: seq, Place: seq, Recipient: "a"}, now); added != (seq < 8) {
			t.Errorf("%d was added: %v", seq, added)
		}
	}
	if !w.add(message.Job{Seq: 20, Place: 20, Recipient: "b"}, now) {
		t.Error("somebody else's message was kept out")
	}
	for range 5 {
		w.remove(w.next(now, message.Bulk), now)
	}
	if w.again || w.add(message.Job{Seq: 21, Place: 21, Recipient: "a"}, now) {
		t.Error("a later message comes before those that stayed in the table")
	}
	w.remove(w.next(now, message.Bulk), now)
	if !w.again || !w.add(message.Job{Seq: 8, Place: 8, Recipient: "a"}, now) {
		t.Error("the table is not read again")
	}
}

func TestWindowPrefersRepliesThenAge(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	for _, j := range []message.Job{{Seq: 1, Place: 1, Recipient: "a", Priority: message.Bulk}, {Seq: 2, Place: 2, Recipient: "b", Priority: message.Reply},
		{Seq: 3, Place: 3, Recipient: "c", Priority: message.Bulk}, {Seq: 4, Place: 4, Priority: message.Reply}} {
		w.add(j, now)
	}
	if got := w.next(now, message.High); got != nil {
		t.Errorf("%d left although it has to wait", got.job.Seq)
	}
	for _, want := range []int64{2, 4, 1, 3} {
		if got := w.next(now, message.Bulk); got == nil || got.job.Seq != want {
			t.Fatalf("next = %+v, want %d", got, want)
		}
	}
}

// A message that arrives after a later one of its recipient still goes first, unless that one has left.
func TestWindowReordersLateArrivals(t *testing.T) {
	t.Parallel()
	w, now := newWindow(), time.Unix(0, 0)
	w.add(message.Job{Seq: 2, Place: 2, Recipient: "a"}, now)
	w.add(message.Job{Seq: 1, Place: 1, Recipient: "a"}, now)
	first := w.next(now, message.Bulk)
	if first.job.Seq != 1 {
		t.Fatalf("first = %d", first.job.Seq)
	}
	if it := w.next(now, message.Bulk); it != nil {
		t.Fatalf("%d left beside it", it.job.Seq)
	}
	w.remove(first, now)
	if it := w.next(now, message.Bulk); it == nil || it.job.Seq != 2 {
		t.Fatalf("then = %+v", it)
	}
}
