package dispatch

import (
	"container/heap"
	"slices"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

// window is the part of a lane's queue that is in memory. It hands out jobs so that a recipient's messages leave in order, one at
// a time, and otherwise the lowest priority value first, in order. Messages of the highest priority keep an order of their own. It
// is a plain data structure: no clock, no locks.
type window struct {
	jobs   map[int64]*item
	chains map[string][]*item // by recipient, in order; the head is the only one that may leave
	ready  readyHeap          // heads that may leave now
	later  laterHeap          // heads that have to wait for a time
	idle   int                // jobs that wait for a time, or behind one of their recipient that does
	// Of one recipient only so many are in memory: a long queue for someone who may not be written to now keeps nobody else's
	// messages out. behind are those who have more in the table.
	chainMax int
	behind   map[string]bool
	again    bool // someone who was behind has room now: the table is to be read again
	// gone holds what has been removed since a read of the table began: it may be in what was read. nil: no read is under way.
	gone map[int64]bool
}

// item is a job in the window.
type item struct {
	job      message.Job
	last     message.Failure // of its latest attempt by this lane
	place    int             // in the heap it is in
	inFlight bool            // handed out
	probe    bool            // to find out whether the lane is blocked still
	over     bool            // its time is over: it is not to be tried again
	late     bool            // in the heap of those that wait for a time
}

func newWindow() *window {
	return &window{jobs: map[int64]*item{}, chains: map[string][]*item{}, chainMax: chainRoom(windowMax), behind: map[string]bool{}}
}

func (w *window) len() int { return len(w.jobs) }

// active counts the jobs that could leave soon: all but those that wait for a time.
func (w *window) active() int { return len(w.jobs) - w.idle }

// chain names the order that a job is part of; "" is none.
func chain(j *message.Job) string {
	if j.Priority == message.High && j.Recipient != "" {
		return "!" + j.Recipient
	}
	return j.Recipient
}

// add puts a job into the window, keeping its recipient's order, and reports whether it did: not if it is there already, or has
// to stay in the table.
func (w *window) add(j message.Job, now time.Time) bool {
	if _, have := w.jobs[j.Seq]; have || w.gone[j.Seq] {
		return false
	}
	key := chain(&j)
	c := w.chains[key]
	if key != "" && (len(c) >= w.chainMax || w.behind[key]) {
		w.behind[key] = true
		return false
	}
	it := &item{job: j, place: -1}
	w.jobs[j.Seq] = it
	if key == "" {
		w.schedule(it, now)
		return true
	}
	i := len(c)
	for ; i > 0 && c[i-1].job.Place > j.Place && !c[i-1].inFlight; i-- {
	}
	if i == 0 && len(c) > 0 {
		w.unschedule(c[0])
	}
	w.chains[key] = slices.Insert(c, i, it)
	switch {
	case i == 0:
		w.schedule(it, now)
	case c[0].late:
		w.idle++
	}
	return true
}

// next hands out the best job that is due and of the given priority or a better one, or nil.
func (w *window) next(now time.Time, worst message.Priority) *item {
	w.ripen(now)
	if len(w.ready) == 0 || w.ready[0].job.Priority > worst {
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

// pull hands out a job whatever its turn, one that is not in the window too, and frees the next one for its recipient; nil if it is
// handed out already.
func (w *window) pull(j *message.Job, now time.Time) *item {
	it := w.jobs[j.Seq]
	switch {
	case it == nil:
		it = &item{job: *j, place: -1}
		w.jobs[j.Seq] = it
	case it.inFlight:
		return nil
	default:
		w.detach(it, now)
	}
	it.inFlight = true
	return it
}

// remove takes a job out and frees the next one for its recipient.
func (w *window) remove(it *item, now time.Time) {
	if w.gone != nil {
		w.gone[it.job.Seq] = true
	}
	w.detach(it, now)
	delete(w.jobs, it.job.Seq)
}

// detach takes a job out of its recipient's order.
func (w *window) detach(it *item, now time.Time) {
	if it.place >= 0 {
		w.unschedule(it)
	}
	key := chain(&it.job)
	c := w.chains[key]
	i := slices.Index(c, it)
	if i < 0 {
		return
	}
	if i > 0 && c[0].late {
		w.idle--
	}
	c = slices.Delete(c, i, i+1)
	w.chains[key] = c
	switch {
	case len(c) == 0:
		delete(w.chains, key)
	case i == 0:
		w.schedule(c[0], now)
	}
	if w.behind[key] && len(c) <= w.chainMax/4 {
		delete(w.behind, key)
		w.again = true
	}
}

func (w *window) ripen(now time.Time) {
	for len(w.later) > 0 && !w.later[0].job.NotBefore.After(now) {
		it := w.later[0]
		w.unschedule(it)
		heap.Push(&w.ready, it)
	}
}

func (w *window) schedule(it *item, now time.Time) {
	if it.late = it.job.NotBefore.After(now); it.late {
		w.idle += w.weight(it)
		heap.Push(&w.later, it)
	} else {
		heap.Push(&w.ready, it)
	}
}

func (w *window) unschedule(it *item) {
	if !it.late {
		heap.Remove(&w.ready, it.place)
		return
	}
	heap.Remove(&w.later, it.place)
	w.idle -= w.weight(it)
	it.late = false
}

// weight is how many jobs wait with one that waits for a time: those behind it, and itself. What was pulled has nothing behind it.
func (w *window) weight(it *item) int {
	if c := w.chains[chain(&it.job)]; len(c) > 0 && c[0] == it {
		return len(c)
	}
	return 1
}

type readyHeap []*item

func (h readyHeap) Len() int { return len(h) }
func (h readyHeap) Less(i, j int) bool {
	a, b := &h[i].job, &h[j].job
	if a.Priority != b.Priority {
		return a.Priority < b.Priority
	}
	return a.Place < b.Place
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
