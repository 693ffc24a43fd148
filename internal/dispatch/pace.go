package dispatch

import "time"

// pace spaces a lane's messages. It starts at the rate WhatsApp grants the number; each throttle halves it, and every second
// without one gives back a twentieth, so that it settles just below what WhatsApp takes. Short bursts of a tenth of a second
// pass at once. It is a pure value: the caller tells the time.
type pace struct {
	limit    float64 // messages a second WhatsApp grants
	rate     float64 // messages a second we use now
	next     time.Time
	adjusted time.Time
}

const burst = 100 * time.Millisecond

// setLimit takes over a changed grant.
func (p *pace) setLimit(limit float64) {
	if limit != p.limit {
		p.limit, p.rate = limit, limit
	}
}

// wait returns how long until the next message may leave.
func (p *pace) wait(now time.Time) time.Duration {
	return max(0, p.next.Add(-burst).Sub(now))
}

// take uses up the place of one message.
func (p *pace) take(now time.Time) {
	if p.rate < p.limit {
		if quiet := now.Sub(p.adjusted).Seconds(); quiet >= 0.1 {
			p.rate, p.adjusted = min(p.limit, p.rate+quiet*p.limit/20), now
		}
	}
	if p.next.Before(now) {
		p.next = now
	}
	p.next = p.next.Add(time.Duration(float64(time.Second) / p.rate))
}

// slower reacts to a throttle. Throttles of messages that were in flight together count as one.
func (p *pace) slower(now time.Time) {
	if p.rate < p.limit && now.Sub(p.adjusted) < 200*time.Millisecond {
		return
	}
	p.rate, p.adjusted = max(1, p.rate/2), now
}
