// Package destination holds what the publishers below it share. Each of them carries events to one kind of destination, returns
// one error an event, and keeps nothing. What all of them promise is in destinationtest.
package destination

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Batches cuts messages of the given sizes into runs that one call may carry: at most entries of them and bytes together. It
// yields the bounds [start, end) of each run, in order. A message larger than bytes is a run of its own: the caller refuses it.
func Batches(sizes []int, entries, bytes int) iter.Seq2[int, int] {
	return func(yield func(start, end int) bool) {
		for start := 0; start < len(sizes); {
			end, size := start+1, sizes[start]
			for end < len(sizes) && end-start < entries && size+sizes[end] <= bytes {
				size += sizes[end]
				end++
			}
			if !yield(start, end) {
				return
			}
			start = end
		}
	}
}

// Patience is how long a publisher goes on beginning calls. What is left then stays in the queue untried, so that a slow
// destination neither outlives the lease of its queue nor keeps what has arrived from being noted.
const Patience = 5 * time.Second

// Each makes the calls, in order and at most concurrency of them at a time. It begins no further one when a call reports that the
// destination is in trouble, when Patience is over, or when ctx ends, and returns when those that were begun are over. Their
// results are the callers' to collect: begin with Untried.
func Each(ctx context.Context, calls iter.Seq[func() (trouble bool)], concurrency int) {
	until := time.Now().Add(Patience)
	var wg sync.WaitGroup
	defer wg.Wait()
	slots := make(chan struct{}, max(concurrency, 1))
	stop := make(chan struct{})
	var once sync.Once
	for call := range calls {
		slots <- struct{}{}
		select {
		case <-stop:
			return
		default:
		}
		if ctx.Err() != nil || !time.Now().Before(until) {
			return
		}
		wg.Go(func() {
			defer func() { <-slots }()
			if call() {
				once.Do(func() { close(stop) })
			}
		})
	}
}

// Apart makes n calls one after the other, in place of one that was refused for something in it: each alone will tell which. It ends
// as Each does, and reports whether there is trouble.
func Apart(ctx context.Context, n int, call func(i int) (trouble bool)) (trouble bool) {
	Each(ctx, func(yield func(func() bool) bool) {
		for i := range n {
			if !yield(func() bool { trouble = call(i); return trouble }) {
				return
			}
		}
	}, 1)
	return trouble
}

// Limits are what a service takes at once.
type Limits struct {
	Service string
	Entries int // of one request
	Batch   int // bytes of all of them
	Entry   int // bytes of one alone
}

// Requests yields what sends events of the given sizes in as few requests as the limits allow: send makes the one for the events
// [start, end) and reports whether the destination is in trouble. An event that is too large for any gets its error instead.
func (l Limits) Requests(sizes []int, errs []error, send func(start, end int) (trouble bool)) iter.Seq[func() (trouble bool)] {
	return func(yield func(func() bool) bool) {
		for start, end := range Batches(sizes, l.Entries, l.Batch) {
			if sizes[start] > l.Entry {
				errs[start] = l.refuse(sizes[start])
			} else if !yield(func() bool { return send(start, end) }) {
				return
			}
		}
	}
}

// Check refuses an event of a size that no request takes.
func (l Limits) Check(size int) error {
	if size > l.Entry {
		return l.refuse(size)
	}
	return nil
}

func (l Limits) refuse(size int) error {
	return fault.New(fault.InvalidParameters, "the event has %d bytes, more than the %d %s takes", size, l.Entry, l.Service)
}

// Result notes what became of the entry that an answer names: its id is its position in the request. Ids that nobody gave mean nothing.
func Result(errs []error, id string, err error) {
	if i, bad := strconv.Atoi(id); bad == nil && i >= 0 && i < len(errs) {
		errs[i] = err
	}
}

// All gives every event of a call the same result.
func All(errs []error, err error) {
	for i := range errs {
		errs[i] = err
	}
}

// Untried returns the results of n events that no call has carried.
func Untried(n int) []error {
	errs := make([]error, n)
	All(errs, event.ErrUntried)
	return errs
}

// Trouble reports whether the results of a call say that the destination is in trouble: nothing has arrived, and not for what the
// events hold.
func Trouble(errs []error) bool {
	for _, err := range errs {
		if err == nil || fault.Is(err, fault.InvalidParameters) {
			return false
		}
	}
	return true
}

// maxRetryAfter bounds what a destination may ask for: a wrong clock or a typo must not stop it for days.
const maxRetryAfter = time.Hour

// RetryAfter reads when a service wants to be asked again, in seconds or as a date, and returns how long to wait; 0 if it does
// not say.
func RetryAfter(h http.Header, now time.Time) time.Duration {
	v := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseInt(v, 10, 64); err == nil {
		wait = time.Duration(min(seconds, int64(maxRetryAfter/time.Second))) * time.Second
	} else if at, err := http.ParseTime(v); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxRetryAfter)
}

// Unreached says why a request got no answer, without its URL: that may carry a secret in its query.
func Unreached(who string, err error) string {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, context.Canceled):
		return "the call to " + who + " was cut off"
	case errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout():
		return who + " did not answer in time"
	default:
		return who + " cannot be reached: " + err.Error()
	}
}
