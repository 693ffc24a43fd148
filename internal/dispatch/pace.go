package dispatch

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/limit"
)

// pace spaces a lane's messages. It starts at the rate WhatsApp grants the number, of which a tenth of a second's worth may leave
// at once. Throttles make it slower, until it has settled just below what WhatsApp really takes; messages leave one by one then.
type pace struct {
	rate   limit.Adaptive
	bucket limit.Bucket
}

// newPace returns a pace for numbers of which nothing is known. The first attempt learns the number's own rate.
func newPace() pace {
	var p pace
	p.setLimit(account.ThroughputStandard.PerSecond(), time.Time{})
	return p
}

// setLimit takes over what WhatsApp grants, in messages per second. What was found out under another limit is forgotten.
func (p *pace) setLimit(perSecond float64, now time.Time) {
	if perSecond != p.rate.Ceiling {
		p.rate = limit.Adaptive{Floor: 1, Ceiling: perSecond, Climb: 20 * time.Second, Settle: 200 * time.Millisecond}
		p.apply(now)
	}
}

func (p *pace) apply(now time.Time) {
	r, burst := p.rate.Rate(now), 1.0
	if r == p.rate.Ceiling {
		burst = max(1, r/10)
	}
	p.bucket.SetRate(now, r, burst)
}

// wait returns how long until the next message may leave.
func (p *pace) wait(now time.Time) time.Duration { return p.bucket.Wait(now) }

// take uses up the place of one message.
func (p *pace) take(now time.Time) {
	if p.rate.Rate(now) != p.rate.Ceiling || p.bucket.Full(now) {
		p.apply(now) // it is climbing
	}
	p.bucket.Take(now)
}

// slower reacts to a throttle. Throttles of messages that were in flight together count as one.
func (p *pace) slower(now time.Time) {
	if p.rate.Throttled(now) {
		p.apply(now)
	}
}
