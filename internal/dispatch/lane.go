package dispatch

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

const (
	nodeMax     = 12_000          // jobs of all lanes of a node in memory
	windowMax   = 1000            // of them that one lane may have at most
	windowMin   = 16              // and that every lane may have, however many there are
	laneMax     = 64              // attempts of a lane in flight
	laneOwn     = 2               // of them that every lane may have, however many others hang
	keepBodies  = 64              // jobs of a lane whose bodies may stay in memory; the others are read back
	keepBody    = 16 << 10        // bytes of a body that may stay in memory
	idleRoom    = 3               // times as many jobs as that, if the others wait for a time
	sweepSize   = 500             // messages that are not valid any more, taken out at a time
	idleFor     = 5 * time.Second // before a lane without work is forgotten
	retryLease  = lease.TTL / 4   // between attempts to get a lease that another node holds
	retryLedger = time.Second     // between attempts to record what became of an attempt

	retryHopeless = time.Minute // between looks whether a message can be prepared that could not for a reason of its own
)

// lane drives one phone number's messages.
type lane struct {
	d      *Dispatcher
	key    string
	keeper *lease.Keeper
	policy policy
	wake   chan struct{}
	slots  chan struct{} // the lane's own places for attempts

	mu       sync.Mutex
	window   *window
	streams  streams
	overdue  []*item   // taken out of the window to be ended
	swept    time.Time // when the table was last asked for what is not valid any more; zero: there is more of it
	lease    lease.Lease
	pace     pace
	block    block
	shown    message.Cause   // of the block that the metrics know of
	line     account.Line    // of the latest attempt
	paused   time.Time       // nothing leaves before
	streak   int             // consecutive attempts that did not get through
	streakAt time.Time       // when it last grew
	began    time.Time       // when the streak did
	trouble  message.Failure // of its latest attempt
	inFlight int
	stale    bool // what is in the window is to be forgotten, once nothing is in flight
}

// streams are the ways into the table, one for each priority.
type streams [3]struct {
	cursor int64 // it has been read up to this place
	more   bool  // it may have jobs that are not in the window
}

func stream(p message.Priority) int { return int(p - message.High) }

// look makes the lane read what it has not read yet, or everything again.
func (s *streams) look(again bool) {
	for i := range s {
		if s[i].more = true; again {
			s[i].cursor = 0
		}
	}
}

func newLane(d *Dispatcher, key string) *lane {
	l := &lane{d: d, key: key, keeper: lease.NewKeeper(d.Store, "lane/"+key, d.Owner), wake: make(chan struct{}, 1), slots: make(chan struct{}, laneOwn),
		policy: policy{window: d.RetryWindow, backoff: retry.Backoff{Min: d.BackoffMin, Max: d.BackoffMax}, inDoubtWait: d.InDoubtWait},
		window: newWindow(), pace: newPace()}
	l.streams.look(true)
	return l
}

// offer takes a freshly committed job. A lane that is behind leaves it in the table.
func (l *lane) offer(j message.Job) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch s := &l.streams[stream(j.Priority)]; {
	case s.more:
	case l.window.again: // older ones of its recipient may have to be read first
		s.more = true
	case l.full(room(j.Priority, l.d.share())):
		s.more = true
	default:
		if l.window.len() >= keepBodies*l.d.share()/windowMax || len(j.Body) > keepBody {
			j.Body = nil
		}
		l.window.add(j, time.Now())
	}
	l.signal()
}

// poke makes the lane look at the table again.
func (l *lane) poke() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams.look(false)
	l.signal()
}

// forget takes a job out of the window that its sender has taken back.
func (l *lane) forget(seq int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	it := l.window.jobs[seq]
	switch {
	case it != nil && !it.inFlight:
		l.window.remove(it, time.Now())
		l.signal()
	case it == nil && l.window.gone != nil:
		l.window.gone[seq] = true
	}
}

// full reports whether the window has no place for more, given how many jobs it may have. Those that wait for a time count less:
// they must not keep out those that could leave.
func (l *lane) full(room int) bool {
	return l.window.active() >= room || l.window.len() >= idleRoom*room
}

func (l *lane) signal() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) empty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.streams {
		if l.streams[i].more {
			return false
		}
	}
	return l.window.len() == 0 && len(l.overdue) == 0
}

// run drives the lane until it has been idle for a while or ctx ends, and waits for its attempts.
func (l *lane) run(ctx context.Context) {
	var attempts sync.WaitGroup
	defer func() {
		attempts.Wait()
		l.settle(ctx, true)
		l.keeper.Release(ctx)
		l.mu.Lock()
		defer l.mu.Unlock()
		l.block = block{}
		l.showBlock()
	}()
	var idleSince time.Time
	for ctx.Err() == nil {
		if !l.hold(ctx) {
			l.sleep(ctx, retryLease, nil)
			continue
		}
		if err := l.refill(ctx); err != nil {
			fault.Log(ctx, l.d.Logger, "read outbox", err, "lane", l.key)
			l.sleep(ctx, retryLedger, nil)
			continue
		}
		l.sweep(ctx)
		l.recheck(ctx)
		l.settle(ctx, false)
		it, wait := l.take()
		if it != nil {
			idleSince = time.Time{}
			held, w := l.lease, l.window // only this goroutine changes them
			if slots := l.slot(ctx); slots != nil {
				attempts.Go(func() {
					defer func() { <-slots }()
					l.attempt(ctx, held, w, it)
				})
			}
			continue
		}
		if l.unread() {
			continue
		}
		if l.empty() {
			if idleSince.IsZero() {
				idleSince = time.Now()
			} else if time.Since(idleSince) >= idleFor {
				l.settle(ctx, true)
				// The lease goes first: a new lane of this number must not find it held by us and have it released under it.
				l.keeper.Release(ctx)
				if l.d.retire(l) {
					return
				}
				continue
			}
			wait = idleFor
		}
		l.sleep(ctx, wait, l.wake)
	}
}

// slot waits for room for one more attempt, on the lane's own account or on the node's, and returns where it took a place. The
// lease is kept meanwhile: no attempt could begin without it. It returns nil when the lease was lost, and the window
// with it, or ctx has ended.
func (l *lane) slot(ctx context.Context) (taken chan struct{}) {
	select {
	case l.slots <- struct{}{}:
		return l.slots
	default:
	}
	renew := time.NewTicker(lease.Renew)
	defer renew.Stop()
	for w := l.window; ; {
		select {
		case l.slots <- struct{}{}:
			return l.slots
		case l.d.slots <- struct{}{}:
			return l.d.slots
		case <-renew.C:
			// A store that cannot tell has taken nothing away: the message keeps waiting.
			if l.hold(ctx); l.window != w {
				return nil
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// room is how many jobs may be in a window when one of a priority comes, given the lane's share of the node. Each priority may
// take one load more than the next, so that bulk never keeps replies out.
func room(p message.Priority, share int) int {
	return share + load(share)*int(message.Bulk-p)
}

// chainRoom is how many of them may be for one recipient.
func chainRoom(share int) int { return max(4, share/32) }

// load is how many jobs are read at a time.
func load(share int) int { return share / 2 }

// hold makes sure that this node drives the lane. What was known about the queue is forgotten when the lease changes.
func (l *lane) hold(ctx context.Context) bool {
	held, changed, err := l.keeper.Hold(ctx)
	if err != nil {
		fault.Log(ctx, l.d.Logger, "hold lane", err, "lane", l.key)
	}
	var known block
	if changed && held.Held() {
		known = l.recall(ctx)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if changed {
		l.block = known
		l.showBlock()
	}
	if changed || l.stale && l.inFlight == 0 {
		l.window, l.overdue, l.swept, l.inFlight, l.stale, l.block.probing = newWindow(), nil, time.Time{}, 0, false, false
		l.streams.look(true)
	}
	l.lease = held
	return held.Held()
}

// needs reports whether the table may have jobs of a priority for which the window has room. The lane is locked.
func (l *lane) needs(p message.Priority, share int) bool {
	return l.streams[stream(p)].more && !l.full(room(p, share)-load(share)+1)
}

// unread reports whether there is more to read while nothing is in flight: all that has been read has to wait, what has not need not.
func (l *lane) unread() bool {
	share := l.d.share()
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inFlight == 0 && slices.ContainsFunc(message.Priorities(), func(p message.Priority) bool { return l.needs(p, share) })
}

// refill reads waiting jobs when the window runs low.
func (l *lane) refill(ctx context.Context) error {
	share := l.d.share()
	l.mu.Lock()
	if l.window.again {
		l.window.again = false
		l.streams.look(true)
	}
	l.mu.Unlock()
	for _, p := range message.Priorities() {
		s := &l.streams[stream(p)]
		l.mu.Lock()
		need := l.needs(p, share)
		after, w := s.cursor, l.window
		if need {
			// Cleared before reading: what is committed from here on is offered, what was committed before will be read.
			s.more = false
			w.gone = map[int64]bool{}
			w.chainMax = chainRoom(share)
		}
		l.mu.Unlock()
		if !need {
			continue
		}
		jobs, err := l.d.Store.Jobs(ctx, l.key, p, after, load(share))
		l.mu.Lock()
		if err != nil || len(jobs) == load(share) {
			s.more = true
		}
		now := time.Now()
		for _, j := range jobs {
			s.cursor = j.Place
			if ahead := j.StartedAt.Sub(now); ahead > 0 {
				// The clock was set back since. What was to happen in a minute still is.
				j.StartedAt, j.NotBefore = now, j.NotBefore.Add(-ahead)
			}
			if j.InDoubt() && j.NotBefore.Before(j.StartedAt) {
				// The process that began the attempt died. Give proof the time to arrive, from now: WhatsApp repeats its
				// callbacks after an outage.
				j.NotBefore = now.Add(l.policy.inDoubtWait)
			}
			w.add(j, now)
		}
		w.gone = nil
		l.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// sweep takes out what is not valid any more, wherever it is in the queue, and what has waited too long, to be ended.
func (l *lane) sweep(ctx context.Context) {
	now := time.Now()
	l.mu.Lock()
	wait := len(l.overdue) > 0 || now.Sub(l.swept) < lease.Renew
	l.mu.Unlock()
	if wait {
		return
	}
	jobs, err := l.d.Store.Expired(ctx, l.key, now, sweepSize)
	if err != nil {
		fault.Log(ctx, l.d.Logger, "read expired messages", err, "lane", l.key)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.swept = now; len(jobs) == sweepSize {
		l.swept = time.Time{}
	}
	for i := range jobs {
		if it := l.window.pull(&jobs[i], now); it != nil {
			l.overdue = append(l.overdue, it)
		}
	}
	if (l.block.held || l.outage(now)) && l.sweepStuck(now) {
		l.swept = time.Time{}
	}
}

// outage reports whether nothing has got through for so long that it is not chance, or WhatsApp has asked to wait for longer than the
// lane does by itself.
func (l *lane) outage(now time.Time) bool {
	return l.streak > steady && now.Sub(l.began) >= time.Minute || l.paused.Sub(now) > time.Minute
}

// steady is how many attempts in a row may fail before the lane slows down.
const steady = 3

// stuck reports whether messages of a priority wait for something that is not about them, and for what.
func (l *lane) stuck(p message.Priority, now time.Time) (why message.Failure, stuck bool) {
	if l.block.holds(p) {
		return l.block.Why, true
	}
	return l.trouble, l.outage(now)
}

// sweepStuck takes out what has waited for the lane's block or an outage to end for as long as anything is tried: it ends for that
// reason. It reports whether there was any. The lane is locked.
func (l *lane) sweepStuck(now time.Time) (any bool) {
	for _, it := range l.window.jobs {
		j := &it.job
		why, stuck := l.stuck(j.Priority, now)
		end := j.Deadline(l.policy.window)
		if !l.block.holds(j.Priority) {
			end = end.Add(pauseUnreached.Max) // it may be about to leave for the last time
		}
		if it.inFlight || !stuck || now.Before(end) || j.InDoubt() && now.Before(j.NotBefore) {
			continue
		}
		if it.over = true; it.last.Code == 0 {
			it.last = why
		}
		l.overdue = append(l.overdue, l.window.pull(j, now))
		any = true
	}
	return any
}

// take hands out the next job if one may leave now; otherwise it says how long to wait.
func (l *lane) take() (*item, time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	wait := lease.Renew // the lease has to be renewed anyway
	if l.stale {
		return nil, wait // the attempt that ends last wakes the lane
	}
	if n := len(l.overdue); n > 0 && l.inFlight < laneMax {
		it := l.overdue[n-1]
		l.overdue = l.overdue[:n-1]
		l.inFlight++
		return it, 0
	}
	if l.inFlight >= laneMax || l.streak > 0 && l.inFlight > 0 {
		// An attempt that ends wakes the lane. While nothing gets through, one attempt at a time finds out when it does again.
		return nil, wait
	}
	if due := l.window.due(); !due.IsZero() {
		wait = min(wait, max(due.Sub(now), 0))
	}
	if hold := max(l.paused.Sub(now), l.pace.wait(now)); hold > 0 {
		return nil, min(hold, lease.Renew)
	}
	it := l.window.next(now, l.block.worst(now))
	if it == nil {
		if l.block.held && now.Before(l.block.until) {
			wait = min(wait, l.block.until.Sub(now))
		}
		return nil, wait
	}
	if it.probe = l.block.holds(it.job.Priority); it.probe {
		l.block.probing = true
	}
	l.inFlight++
	l.pace.take(now)
	return it, 0
}

// sleep waits for a time, for work (when wake is given) or for the end.
func (l *lane) sleep(ctx context.Context, d time.Duration, wake <-chan struct{}) {
	t := time.NewTimer(max(d, time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-wake:
	}
}
