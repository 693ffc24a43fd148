package dispatch

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/limit"
)

// pace spaces a lane's messages. It starts at the rate WhatsApp grants the number; each throttle halves it, and quiet gives it
// back within twenty seconds, so that it settles just below what WhatsApp takes. A tenth of a second's worth may leave at
// once.
type pace struct {
	rate   limit.Adaptive
	bucket limit.Bucket
}

// newPace returns a pace that lets messages through until the first attempt has learned the number's own rate.
func newPace() pace {
	p := pace{rate: limit.Adaptive{Floor: 1, Climb: 20 * time.Second, Settle: 200 * time.Millisecond}}
	p.setLimit(1000, time.Time{})
	return p
}

// setLimit takes over what WhatsApp grants, in messages per second.
func (p *pace) setLimit(perSecond float64, now time.Time) {
	if perSecond != p.rate.Ceiling {
		p.rate.Ceiling = perSecond
		p.apply(now)
	}
}

func (p *pace) apply(now time.Time) {
	r := p.rate.Rate(now)
	p.bucket.SetRate(now, r, max(1, r/10))
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
