package fanout

import "time"

// pace decides how hard an endpoint is driven: more requests at once while it answers, fewer when it fails, and after a few
// failures in a row a pause that grows until a single probe succeeds.
type pace struct {
	max     int
	limit   int       // requests in flight allowed now
	streak  int       // rounds of failures without a success
	changed time.Time // when the streak last grew
	until   time.Time // no request before
}

const (
	tolerated = 2 // rounds of failures before the first pause: one bad message must not slow the others
	pauseMin  = time.Second
	pauseMax  = 30 * time.Second
)

func newPace(limit int) pace { return pace{max: limit, limit: limit} }

// down reports whether the endpoint is considered dead for now.
func (p *pace) down() bool { return p.streak > tolerated }

// succeeded records that a request was answered well. It reports whether the endpoint has just come back.
func (p *pace) succeeded() (back bool) {
	back = p.down()
	p.streak, p.until = 0, time.Time{}
	p.limit = min(p.limit+1, p.max)
	return back
}

// failed records a failure of a request begun at start. Requests that were in flight together count once. It reports whether
// the endpoint has just gone down.
func (p *pace) failed(start, now time.Time, jitter float64) (gone bool) {
	if start.Before(p.changed) {
		return false
	}
	p.streak++
	p.changed = now
	p.limit = max(1, p.limit/2)
	if !p.down() {
		return false
	}
	p.limit = 1
	d := pauseMax
	if n := p.streak - tolerated - 1; n < 5 {
		d = min(pauseMin<<n, pauseMax)
	}
	p.until = now.Add(d/2 + time.Duration(float64(d/2)*jitter))
	return p.streak == tolerated+1
}

// hold lets no request start before a time.
func (p *pace) hold(until time.Time) {
	if until.After(p.until) {
		p.until = until
	}
}

// paused returns how long no request may start.
func (p *pace) paused(now time.Time) time.Duration { return max(0, p.until.Sub(now)) }
