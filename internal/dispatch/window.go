package dispatch

import (
	"container/heap"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// window is the part of a lane's queue that is in memory. It hands out jobs so that a recipient's messages leave in the
// order they were accepted, one at a time, and otherwise the lowest priority value and the oldest first. It is a plain data
// structure: no clock, no locks.
type window struct {
	jobs   map[int64]*item
	chains map[string][]*item // by recipient, in order of acceptance; the head is the only one that may leave
	ready  readyHeap          // heads that may leave now
	later  laterHeap          // heads that have to wait for a time
	// gone holds what has been removed since a read of the table began: it may be in what was read. nil: no read is under way.
	gone map[int64]bool
}

// item is a job in the window.
type item struct {
	job      message.Job
	place    int  // in the heap it is in
	inFlight bool // handed out
}

func newWindow() *window {
	return &window{jobs: map[int64]*item{}, chains: map[string][]*item{}}
}

func (w *window) len() int { return len(w.jobs) }

// add puts a job into the window, keeping its recipient's order, and reports whether it was not there already.
func (w *window) add(j message.Job, now time.Time) bool {
	if _, have := w.jobs[j.Seq]; have || w.gone[j.Seq] {
		return false
	}
	it := &item{job: j, place: -1}
	w.jobs[j.Seq] = it
	if j.Recipient == "" {
		w.schedule(it, now)
		return true
	}
	chain := append(w.chains[j.Recipient], it)
	i := len(chain) - 1
	for ; i > 0 && chain[i-1].job.Seq > j.Seq && !chain[i-1].inFlight; i-- {
		chain[i-1], chain[i] = chain[i], chain[i-1]
	}
	w.chains[j.Recipient] = chain
	if i == 0 {
		if len(chain) > 1 {
			w.unschedule(chain[1])
		}
		w.schedule(it, now)
	}
	return true
}

// next hands out the best job that is due, or nil.
func (w *window) next(now time.Time) *item {
	w.ripen(now)
	if len(w.ready) == 0 {
		return nil
	}
	it := heap.Pop(&w.ready).(*item)
	it.inFlight = true
	return it
}

// due returns when the next waiting job may leave; the zero time if none waits for a time.
func (w *window) due() time.Time {
	if len(w.later) == 0 {
		return time.Time{}
	}
	return w.later[0].job.NotBefore
}

// putBack returns a job that was handed out; it leaves again when its NotBefore has come.
func (w *window) putBack(it *item, now time.Time) {
	it.inFlight = false
	w.schedule(it, now)
}

// done removes a job that was handed out and frees the next one for its recipient.
func (w *window) done(it *item, now time.Time) {
	delete(w.jobs, it.job.Seq)
	if w.gone != nil {
		w.gone[it.job.Seq] = true
	}
	r := it.job.Recipient
	if r == "" {
		return
	}
	chain := w.chains[r][1:]
	if len(chain) == 0 {
		delete(w.chains, r)
		return
	}
	w.chains[r] = chain
	w.schedule(chain[0], now)
}

func (w *window) ripen(now time.Time) {
	for len(w.later) > 0 && !w.later[0].job.NotBefore.After(now) {
		heap.Push(&w.ready, heap.Pop(&w.later))
	}
}

func (w *window) schedule(it *item, now time.Time) {
	if it.job.NotBefore.After(now) {
		heap.Push(&w.later, it)
	} else {
		heap.Push(&w.ready, it)
	}
}

func (w *window) unschedule(it *item) {
	if it.place < 0 {
		return
	}
	if it.place < len(w.ready) && w.ready[it.place] == it {
		heap.Remove(&w.ready, it.place)
	} else {
		heap.Remove(&w.later, it.place)
	}
}

type readyHeap []*item

func (h readyHeap) Len() int { return len(h) }
func (h readyHeap) Less(i, j int) bool {
	a, b := &h[i].job, &h[j].job
	if a.Priority != b.Priority {
		return a.Priority < b.Priority
	}
	return a.Seq < b.Seq
}
func (h readyHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i]; h[i].place, h[j].place = i, j }
func (h *readyHeap) Push(x any)   { it := x.(*item); it.place = len(*h); *h = append(*h, it) }
func (h *readyHeap) Pop() any     { return pop((*[]*item)(h)) }

type laterHeap []*item

func (h laterHeap) Len() int           { return len(h) }
func (h laterHeap) Less(i, j int) bool { return h[i].job.NotBefore.Before(h[j].job.NotBefore) }
func (h laterHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].place, h[j].place = i, j }
func (h *laterHeap) Push(x any)        { it := x.(*item); it.place = len(*h); *h = append(*h, it) }
func (h *laterHeap) Pop() any          { return pop((*[]*item)(h)) }

func pop(h *[]*item) *item {
	old := *h
	it := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	it.place = -1
	return it
}
