package courier

import "time"

// Pauses of an address whose last request failed. New updates collect meanwhile, so that a callback that was down for a while
// gets a few full batches and not thousands of small ones.
const (
	pauseMin = 50 * time.Millisecond
	pauseMax = time.Second
)

// destination is one callback address and what waits for it. Courier.mu guards it.
type destination struct {
	url       string
	verified  bool
	fresh     []*Update // not tried yet, oldest first
	retries   []*batch  // tried and waiting
	inFlight  int
	notBefore time.Time // no request starts earlier
	failures  int       // requests failed in a row
}

// batch is updates that travel together, again and again until answered.
type batch struct {
	updates  []*Update
	attempts int
	since    time.Time // first attempt
	due      time.Time // next attempt
}

// flight is one request to make; a nil batch is a handshake.
type flight struct {
	to        *destination
	url       string
	batch     *batch
	mixed     bool
	timeout   time.Duration
	challenge string
}

func (d *destination) waiting() int {
	n := len(d.fresh)
	for _, b := range d.retries {
		n += len(b.updates)
	}
	return n
}

// popOldest removes the oldest waiting update; there is one.
func (d *destination) popOldest() *Update {
	if len(d.retries) > 0 {
		b := d.retries[0]
		u := b.updates[0]
		if b.updates = b.updates[1:]; len(b.updates) == 0 {
			d.retries = d.retries[1:]
		}
		return u
	}
	u := d.fresh[0]
	d.fresh[0] = nil
	d.fresh = d.fresh[1:]
	return u
}

// next takes what should travel now: a retry that is due before anything new. The batch is nil when nothing is ready; then
// wait says for how long nothing will be (0: until something is queued).
func (d *destination) next(now time.Time) (b *batch, wait time.Duration) {
	for i, r := range d.retries {
		if !r.due.After(now) {
			d.retries = append(d.retries[:i:i], d.retries[i+1:]...)
			return r, 0
		}
		if left := r.due.Sub(now); wait == 0 || left < wait {
			wait = left
		}
	}
	if len(d.fresh) == 0 {
		return nil, wait
	}
	n, size := 0, 0
	for n < len(d.fresh) && n < maxUpdates {
		u := d.fresh[n]
		if size += u.size(); n > 0 && (size > maxBytes-1024 || u.Forgery != Genuine) {
			break
		}
		n++
		if u.Forgery != Genuine { // travels alone: the signature belongs to the whole request
			break
		}
	}
	b = &batch{updates: append([]*Update(nil), d.fresh[:n]...), since: now}
	clear(d.fresh[:n])
	d.fresh = d.fresh[n:]
	return b, 0
}

// pause holds the address back after a failure.
func (d *destination) pause(now time.Time) {
	p := pauseMax
	if d.failures < 5 {
		p = pauseMin << d.failures
	}
	d.failures++
	if until := now.Add(min(p, pauseMax)); until.After(d.notBefore) {
		d.notBefore = until
	}
}

// backoff is the pause before attempt n+1 of a batch.
func backoff(s Settings, attempts int) time.Duration {
	d := s.RetryMin
	for i := 1; i < attempts && d < s.RetryMax; i++ {
		d *= 2
	}
	return min(d, s.RetryMax)
}
