package storetest

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// notice is a change that says something about an account or a number.
func (w *world) notice(field string, notices ...account.Notice) event.Change {
	c := w.change(event.OtherChange, "", "")
	c.PhoneMetaID, c.Field, c.Key, c.Notices = "", field, []byte(c.EventID), notices
	return c
}

// notices: the last word on every matter is kept, by Meta's time, for the account and for the numbers that a webhook names.
func notices(t *testing.T, w *world) {
	at := func(minutes int) time.Time { return w.now.Add(time.Duration(minutes) * time.Minute) }
	ban := account.Notice{Matter: account.Ban, State: "SCHEDULE_FOR_DISABLE", Detail: "soon", At: at(1)}
	pin := account.Notice{Matter: account.Security, Subject: "PIN_CHANGED", State: "PIN_CHANGED", At: at(1), Number: account.NumberRef{Digits: "15550100001"}}
	alert := account.Notice{Matter: account.Alert, Subject: "X", State: "ACTIVE", Reason: "CRITICAL", Until: at(99), At: at(1), Number: account.NumberRef{MetaID: w.phone.MetaID}}
	stranger := pin
	stranger.Number.Digits = "4479460000"

	first := w.notice("account_update", ban)
	if res := w.receive(t, first, w.notice("security", pin), w.notice("account_alerts", alert), w.notice("security", stranger)); res.Events != 4 || len(res.Notices) != 3 {
		t.Errorf("notices gave %+v", res)
	}
	place := func(n account.Notice, phone string) account.Placed {
		n.Number = account.NumberRef{}
		return account.Placed{Notice: n, AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: phone}
	}
	want := []account.Placed{place(ban, ""), place(alert, w.phone.Key), place(pin, w.phone.Key)}
	check := func(when string) {
		t.Helper()
		got, err := w.Notices(w.ctx, w.waba.AccountID, w.waba.Key)
		must(t, err)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", when, diff)
		}
	}
	check("at first")

	over, late := ban, ban
	over.State, over.At, late.State, late.At = account.Reinstated, at(3), "DISABLE", at(2)
	w.receive(t, w.notice("account_update", over))
	if res := w.receive(t, w.notice("account_update", late), first); res.Events != 1 || res.Repeats != 1 || len(res.Notices) != 0 {
		t.Errorf("late and repeated notices gave %+v", res)
	}
	want[0] = place(over, "")
	check("after late ones and repeats")

	list, err := w.Undelivered(w.ctx, topicARN, w.now, 100)
	must(t, err)
	if got := list[1].PhoneKey; got != w.phone.Key {
		t.Errorf("the event about the number names %q", got)
	}
	if _, err := w.Notices(w.ctx, "999999999999", w.waba.Key); !fault.Is(err, fault.NotFound) {
		t.Errorf("another account's look: %v", err)
	}
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	must(t, w.Link(w.ctx, w.waba, []byte("sealed-token"), []account.PhoneNumber{w.phone}))
	want = nil
	check("after it was linked anew")
}
