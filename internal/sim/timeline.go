package sim

import (
	"container/heap"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/sim/courier"
)

// stage is how far a message came. The order is the natural one; failed is last so that it is final.
type stage uint8

const (
	accepted stage = iota
	sent
	delivered
	read
	played
	failed
)

func (s stage) String() string {
	return [...]string{"accepted", "sent", "delivered", "read", "played", "failed"}[s]
}

// timer is something that happens later: a message reaches a stage, an update that a fault held back is queued, or anything else.
type timer struct {
	due    int64 // unix nanoseconds on the simulator's clock
	serial uint64
	msg    *message
	stage  stage
	hook   *courier.Update
	to     string // address of hook
	then   func(now int64)
}

// timers is a heap, earliest first; equal times keep their order.
type timers struct {
	list   []timer
	serial uint64
}

func (t *timers) Len() int { return len(t.list) }
func (t *timers) Less(i, j int) bool {
	a, b := &t.list[i], &t.list[j]
	return a.due < b.due || a.due == b.due && a.serial < b.serial
}
func (t *timers) Swap(i, j int) { t.list[i], t.list[j] = t.list[j], t.list[i] }

// Push and Pop serve container/heap only.
func (t *timers) Push(x any) { t.list = append(t.list, x.(timer)) }

// Pop removes the last element of the list.
func (t *timers) Pop() any {
	last := len(t.list) - 1
	x := t.list[last]
	t.list[last] = timer{}
	t.list = t.list[:last]
	return x
}

// at schedules x and wakes Run when nothing else was due earlier.
func (s *Sim) at(due int64, x timer) {
	t := &s.st.timers
	t.serial++
	x.due, x.serial = due, t.serial
	heap.Push(t, x)
	if t.list[0].serial == x.serial {
		s.poke()
	}
}

// fireBatch bounds how much happens under one hold of the lock.
const fireBatch = 500

// fire lets happen what is due and returns how long nothing else will be; 0 when more is due now.
func (s *Sim) fire() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now().UnixNano()
	for range fireBatch {
		t := &s.st.timers
		if len(t.list) == 0 {
			return time.Hour
		}
		if left := t.list[0].due - now; left > 0 {
			return time.Duration(left)
		}
		switch x := heap.Pop(t).(timer); {
		case x.hook != nil:
			s.courier.Send(x.to, x.hook)
		case x.then != nil:
			x.then(now)
		default:
			s.advance(x.msg, x.stage, now)
		}
	}
	return 0
}
