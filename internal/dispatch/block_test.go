package dispatch

import (
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/message"
)

func TestBlock(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) time.Time { return start.Add(d) }
	number := func(p message.Priority) message.Block {
		return message.Block{Cause: message.NumberBlocked, From: p, Met: p}
	}
	const s = time.Second
	for name, steps := range map[string]func(t *testing.T, b *block){
		"nothing known": func(t *testing.T, b *block) {
			if b.worst(start) != message.Bulk || b.holds(message.Bulk) || b.pass(message.Bulk, start, start) {
				t.Error("it holds something back")
			}
		},
		"it waits longer every time": func(t *testing.T, b *block) {
			now := start
			for _, wait := range []time.Duration{5 * s, 10 * s, 20 * s, 40 * s, 80 * s, 160 * s, 300 * s, 300 * s} {
				b.meet(number(message.Bulk), "", 0, now, now)
				if got := b.until.Sub(now); got != wait {
					t.Errorf("waits %v, want %v", got, wait)
				}
				now = b.until
			}
		},
		"Retry-After wins when longer": func(t *testing.T, b *block) {
			if b.meet(number(message.Bulk), "", time.Hour, start, start); !b.until.Equal(at(time.Hour)) {
				t.Errorf("until %v", b.until)
			}
		},
		"attempts under way together count once": func(t *testing.T, b *block) {
			if !b.meet(number(message.Bulk), "", 0, start, at(s)) || b.meet(number(message.Bulk), "", 0, start, at(2*s)) || b.tries != 1 {
				t.Errorf("%d tries", b.tries)
			}
		},
		"what goes ahead is not held back": func(t *testing.T, b *block) {
			b.meet(number(message.Bulk), "", 0, start, start)
			if b.worst(start) != message.Reply || b.holds(message.Reply) || !b.holds(message.Bulk) {
				t.Error("replies wait for what bulk has met")
			}
			if b.worst(at(5*s)) != message.Bulk {
				t.Error("nothing tries again")
			}
			b.probing = true
			if b.worst(at(5*s)) != message.Reply {
				t.Error("two try at once")
			}
		},
		"replies that pass end no block that bulk has met": func(t *testing.T, b *block) {
			b.meet(number(message.Bulk), "", 0, start, start)
			b.meet(number(message.Reply), "", 0, at(s), at(s))
			if b.worst(at(s)) != message.High {
				t.Error("replies do not wait although they have met it")
			}
			if b.pass(message.Reply, at(10*s), at(10*s)) || b.worst(at(s)) != message.Reply || !b.held {
				t.Error("a reply ends it")
			}
			if !b.pass(message.Bulk, at(20*s), at(20*s)) || b.held {
				t.Error("bulk does not end it")
			}
		},
		"whatever passes ends a block that it has met": func(t *testing.T, b *block) {
			b.meet(number(message.Reply), "", 0, start, start)
			if !b.pass(message.Reply, at(s), at(s)) || b.worst(at(s)) != message.Bulk {
				t.Error("it lasts")
			}
		},
		"what began before proves nothing": func(t *testing.T, b *block) {
			b.meet(number(message.Bulk), "", 0, start, at(s))
			if b.pass(message.Bulk, start, at(2*s)) || !b.held {
				t.Error("it ends with an older success")
			}
		},
		"what comes and goes is one": func(t *testing.T, b *block) {
			for i := range 5 {
				now := at(time.Duration(i) * 30 * s)
				if fresh := b.meet(number(message.Bulk), "", 0, now, now); fresh != (i == 0) {
					t.Errorf("the %d. time is fresh: %v", i, fresh)
				}
				if b.pass(message.Bulk, now.Add(5*s), now.Add(5*s)); b.held || b.over(now.Add(64*s)) || !b.over(now.Add(65*s)) {
					t.Errorf("%+v", b)
				}
			}
		},
		"another token is another block": func(t *testing.T, b *block) {
			rejected := message.Block{Cause: message.TokenRejected, From: message.High, Met: message.High}
			for range 5 {
				b.meet(rejected, "a", 0, b.until, b.until)
			}
			if now := b.until; !b.meet(rejected, "b", 0, now, now) || b.tries != 1 {
				t.Errorf("%d tries with it", b.tries)
			}
		},
		"what others have met is tried later": func(t *testing.T, b *block) {
			b.join(message.Block{Cause: message.AccountBlocked, From: message.Bulk, Met: message.Bulk}, "", start)
			if b.told || b.worst(at(4*s)) != message.Reply || b.worst(at(5*s)) != message.Bulk {
				t.Errorf("%+v", b)
			}
			if b.retry(at(s)); b.worst(at(s)) != message.Bulk {
				t.Error("it does not try at once when told to")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			steps(t, new(block))
		})
	}
}
