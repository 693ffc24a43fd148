package deliver

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/retry"
)

// breaker keeps a destination that takes nothing from being called all the time. It is closed while events arrive; a round in
// which none did opens it for a pause that grows; then it is half open: one event is a probe, and another if it is refused; the first
// that arrives closes it again. It is a plain value that is told the time.
type breaker struct {
	streak int       // rounds in a row in which nothing arrived
	until  time.Time // no call before
}

// pauses are how long an open breaker waits before a probe.
var pauses = retry.Backoff{Min: 200 * time.Millisecond, Max: time.Minute}

// longestAfter bounds how long a destination may ask us to stay away.
const longestAfter = time.Hour

// wait returns how long no call may be made.
func (b *breaker) wait(now time.Time) time.Duration { return max(0, b.until.Sub(now)) }

// reach is how many events the next round may look at.
func (b *breaker) reach() int {
	if b.streak > 0 {
		return min(8*b.streak, batchSize)
	}
	return batchSize
}

// pass picks the events of the next round. A probe is the first one, which keeps the order if it arrives, and in case that one is what
// the destination cannot take, another from ever further back, which has another role if there is one.
func (b *breaker) pass(list []event.Delivery) []event.Delivery {
	if b.streak == 0 || len(list) <= 2 {
		return list
	}
	other := len(list) - 1
	for i := other; i > 0; i-- {
		if list[i].RoleARN != list[0].RoleARN {
			other = i
			break
		}
	}
	return []event.Delivery{list[0], list[other]}
}

// took notes that something arrived, and reports whether that closed the breaker.
func (b *breaker) took() (closed bool) {
	closed = b.streak > 0
	*b = breaker{}
	return closed
}

// refused notes a round in which nothing arrived, and reports whether that opened the breaker. The pause is the one asked for
// (retryAfter), if that is longer; chance in [0, 1) spreads it over its upper half, so that nodes do not probe together.
func (b *breaker) refused(now time.Time, retryAfter time.Duration, chance float64) (opened bool) {
	b.streak++
	b.until = now.Add(max(pauses.Equal(b.streak, chance), min(retryAfter, longestAfter)))
	return b.streak == 1
}

// hold keeps calls away for as long as the destination asked, although it took something.
func (b *breaker) hold(now time.Time, retryAfter time.Duration) {
	if retryAfter > 0 {
		b.until = now.Add(min(retryAfter, longestAfter))
	}
}
