package sim

import "time"

// Meta's rates.
const (
	standardRate    = 80 // messages a second of one number, in and out together
	highRate        = 1000
	coexistenceRate = 20

	pairEvery = 6 * time.Second // one message to one user, on average
	pairBurst = 45              // how many may be borrowed from the future
)

// bucket is a token bucket that holds one second's worth, kept as the time at which it will be full again (in unix
// nanoseconds).
type bucket struct{ full int64 }

// take uses one token; false when there is none.
func (b *bucket) take(now int64, perSecond int) bool {
	step := int64(time.Second) / int64(perSecond)
	at := max(b.full, now)
	if at+step-now > int64(time.Second) {
		return false
	}
	b.full = at + step
	return true
}

// force uses a token even when there is none: a customer's message is never refused, but it counts.
func (b *bucket) force(now int64, perSecond int) {
	b.full = min(max(b.full, now)+int64(time.Second)/int64(perSecond), now+int64(time.Second))
}

// pair is the debt one business number has run up with one user. A burst borrows from the future; when the loan is used up,
// nothing passes until it is repaid in full.
type pair struct {
	repaid  int64 // when the debt will be zero, in unix nanoseconds
	blocked bool  // the loan was used up
}

// take books one message; false when the pair is blocked.
func (p *pair) take(now int64) bool {
	if p.repaid <= now {
		p.repaid, p.blocked = now, false
	}
	if p.blocked || p.repaid+int64(pairEvery)-now > pairBurst*int64(pairEvery) {
		p.blocked = true
		return false
	}
	p.repaid += int64(pairEvery)
	return true
}

// tiers are the unique users a portfolio may reach outside customer service windows in a moving 24 hours; a tier that is not
// here is unlimited.
var tiers = map[string]int{"TIER_50": 50, "TIER_250": 250, "TIER_1K": 1000, "TIER_2K": 2000, "TIER_10K": 10000, "TIER_100K": 100000}

// reach remembers whom a portfolio wrote to outside a window, and when, for the messaging limit.
type reach map[string]int64

// take books a user; false when the limit of users is reached.
func (r reach) take(user string, now int64, limit int) bool {
	old := now - int64(24*time.Hour)
	if at, ok := r[user]; (!ok || at <= old) && len(r) >= limit {
		for u, at := range r {
			if at <= old {
				delete(r, u)
			}
		}
		if len(r) >= limit {
			return false
		}
	}
	r[user] = now
	return true
}

// gauge counts calls in a moving hour, to the minute, for the management rate limit and its usage header.
type gauge struct {
	minute int64
	counts [60]int32
}

func (g *gauge) add(now time.Time) (inHour int) {
	m := now.Unix() / 60
	for g.minute < m-60 {
		g.minute = m - 60
	}
	for g.minute < m {
		g.minute++
		g.counts[g.minute%60] = 0
	}
	g.counts[m%60]++
	for _, n := range g.counts {
		inHour += int(n)
	}
	return inHour
}
