package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// sibling links another number to the world's business account.
func (w *world) sibling(t *testing.T, n int) account.PhoneNumber {
	t.Helper()
	p := w.phone
	p.Key, p.MetaID, p.E164 = fmt.Sprintf("%032d", n), fmt.Sprintf("11%014d", n), fmt.Sprintf("+155501%05d", n)
	must(t, w.Link(w.ctx, w.waba, []byte("sealed-token"), []account.PhoneNumber{w.phone, p}))
	return p
}

// alert makes an event whose status says what it is about.
func (w *world) alert(b message.Block, over bool) (*event.Event, error) {
	state := event.Raised
	if over {
		state = event.Cleared
	}
	e := w.event("", "", fmt.Sprint(state, " ", b.Cause, b.Since.Format(" 15:04")))
	e.Field = event.AlertField
	return e, nil
}

func (w *world) block(t *testing.T, p account.PhoneNumber, cause message.Cause, at time.Duration) message.Block {
	t.Helper()
	b := message.Block{AccountID: p.AccountID, WABAKey: p.WABAKey, PhoneKey: p.Key, Cause: cause, From: message.Reply, Met: message.Bulk,
		Why: message.Failure{Code: 131031, Title: "Account has been locked", Details: "why"}}
	destinations, err := w.Block(w.ctx, b, w.now.Add(at), w.alert)
	must(t, err)
	for _, d := range destinations {
		if d != topicARN {
			t.Errorf("an alert goes to %s", d)
		}
	}
	b.Since = w.now.Add(at)
	return b
}

func (w *world) unblock(t *testing.T, p account.PhoneNumber) {
	t.Helper()
	_, err := w.Unblock(w.ctx, p.WABAKey, p.Key, w.alert)
	must(t, err)
}

func (w *world) wantBlock(t *testing.T, p account.PhoneNumber, want *message.Block) {
	t.Helper()
	got, blocked, err := w.Blocked(w.ctx, p.Key)
	must(t, err)
	if blocked != (want != nil) {
		t.Errorf("%s is blocked: %v", p.Key, blocked)
	} else if want != nil {
		if diff := cmp.Diff(*want, got); diff != "" {
			t.Errorf("block of %s (-want +got):\n%s", p.Key, diff)
		}
	}
}

func (w *world) wantAlerts(t *testing.T, want string) {
	t.Helper()
	if diff := cmp.Diff(want, w.published(t)); diff != "" {
		t.Errorf("alerts (-want +got):\n%s", diff)
	}
}

// One number's block is told of once, however often it is met, and once when it is over.
func blockOfNumber(t *testing.T, w *world) {
	other := w.sibling(t, 2)
	w.wantBlock(t, w.phone, nil)
	first := w.block(t, w.phone, message.NumberBlocked, 0)
	again := w.block(t, w.phone, message.NumberBlocked, time.Hour)
	again.Since = first.Since
	w.wantBlock(t, w.phone, &again)
	w.wantBlock(t, other, nil)
	w.wantAlerts(t, "raised number 12:00 \n")
	w.unblock(t, w.phone)
	w.unblock(t, w.phone)
	w.wantBlock(t, w.phone, nil)
	w.wantAlerts(t, "raised number 12:00 \ncleared number 12:00 \n")
}

// What blocks a business account as a whole is one incident, whichever of its numbers meets it.
func blockOfAccount(t *testing.T, w *world) {
	a, b, idle := w.phone, w.sibling(t, 2), w.sibling(t, 3)
	for _, p := range []account.PhoneNumber{a, b} { // those that have messages waiting find out for themselves
		m := w.outbound()
		m.PhoneKey = p.Key
		w.accept(t, m)
	}
	first := w.block(t, a, message.AccountBlocked, 0)
	w.wantBlock(t, b, &first)
	w.wantBlock(t, idle, &first)
	second := w.block(t, b, message.AccountBlocked, time.Hour)
	second.Since = first.Since
	w.wantBlock(t, b, &second)
	w.block(t, idle, message.AccountBlocked, 2*time.Hour)
	w.wantAlerts(t, "raised account 12:00 \n")

	_, theirs := w.link(t, "111111111111", 9)
	w.block(t, theirs, message.AccountBlocked, 3*time.Hour)
	w.unblock(t, a) // and with it the one that is idle
	w.wantAlerts(t, "raised account 12:00 \nraised account 15:00 \n")
	w.wantBlock(t, idle, &second)
	w.unblock(t, b)
	for _, p := range []account.PhoneNumber{a, b, idle} {
		w.wantBlock(t, p, nil)
	}
	w.wantAlerts(t, "raised account 12:00 \nraised account 15:00 \ncleared account 12:00 \n")
}

// A block for another cause ends the one before: the token was replaced, and now the account is locked.
func blockChanges(t *testing.T, w *world) {
	w.block(t, w.phone, message.TokenRejected, 0)
	locked := w.block(t, w.phone, message.AccountBlocked, time.Hour)
	w.wantBlock(t, w.phone, &locked)
	w.wantAlerts(t, "raised token 12:00 \ncleared token 12:00 \nraised account 13:00 \n")
}

// Numbers that meet a block at the same time have it told once.
func blockTogether(t *testing.T, w *world) {
	numbers := []account.PhoneNumber{w.phone}
	for n := range 5 {
		numbers = append(numbers, w.sibling(t, 10+n))
	}
	for _, err := range parallel(len(numbers), func(i int) error {
		_, err := w.Block(w.ctx, message.Block{AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: numbers[i].Key, Cause: message.TokenRejected}, w.now, w.alert)
		return err
	}) {
		must(t, err)
	}
	w.wantAlerts(t, "raised token 12:00 \n")
	for _, err := range parallel(len(numbers), func(i int) error {
		_, err := w.Unblock(w.ctx, w.waba.Key, numbers[i].Key, w.alert)
		return err
	}) {
		must(t, err)
	}
	w.wantAlerts(t, "raised token 12:00 \ncleared token 12:00 \n")
}

// An incident ends with the link to the business account: nobody is left to tell.
func blockUnlinked(t *testing.T, w *world) {
	w.block(t, w.phone, message.AccountBlocked, 0)
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	w.wantBlock(t, w.phone, nil)

	// What waits is still tried. Whether it passes is nobody's trouble any more, and nothing would ever tell of its end.
	w.block(t, w.phone, message.TokenRejected, time.Minute)
	w.wantBlock(t, w.phone, nil)
	must(t, w.Link(w.ctx, w.waba, []byte("sealed-token"), []account.PhoneNumber{w.phone}))
	w.wantBlock(t, w.phone, nil)
	b := w.block(t, w.phone, message.TokenRejected, 2*time.Minute)
	w.wantBlock(t, w.phone, &b)
}
