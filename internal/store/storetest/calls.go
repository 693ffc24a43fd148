package storetest

import (
	"fmt"
	"testing"
	"time"
)

// begun is what BeginCall returned, in words.
func (w *world) begun(t *testing.T, accountID, call string, now time.Time) string {
	t.Helper()
	output, repeated, err := w.BeginCall(w.ctx, accountID, call, now)
	must(t, err)
	switch {
	case output != nil && repeated:
		return string(output)
	case repeated:
		return "begun before"
	case output != nil:
		return "an output of nothing"
	}
	return "new"
}

func callsOnce(t *testing.T, w *world) {
	own := w.waba.AccountID
	expect := func(what, got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("%s: %s, want %s", what, got, want)
		}
	}
	expect("a call", w.begun(t, own, "Make/1", w.now), "new")
	expect("its repetition while nobody knows", w.begun(t, own, "Make/1", w.now.Add(time.Minute)), "begun before")
	must(t, w.SettleCall(w.ctx, own, "Make/1", []byte("done")))
	expect("its repetition", w.begun(t, own, "Make/1", w.now.Add(2*time.Minute)), "done")
	expect("the same of another account", w.begun(t, "444455556666", "Make/1", w.now), "new")
	expect("another call", w.begun(t, own, "Make/2", w.now), "new")
	must(t, w.SettleCall(w.ctx, own, "Make/2", nil))
	expect("a call that changed nothing", w.begun(t, own, "Make/2", w.now), "new")
	expect("the first call, an hour later", w.begun(t, own, "Make/1", w.now.Add(time.Hour)), "new")
	expect("its repetition then", w.begun(t, own, "Make/1", w.now.Add(time.Hour)), "begun before")
	must(t, w.SettleCall(w.ctx, own, "Make/3", []byte("late"))) // pruned meanwhile, say
	expect("a call that was settled without having begun", w.begun(t, own, "Make/3", w.now), "new")

	for i := range 50 {
		w.begun(t, own, fmt.Sprint("Old/", i), w.now)
	}
	for more := true; more; {
		var err error
		more, err = w.PruneInvocations(w.ctx, w.now.Add(2*time.Hour+time.Minute))
		must(t, err)
	}
	expect("a call that was forgotten", w.begun(t, own, "Old/7", w.now), "new")
}

func callsConcurrently(t *testing.T, w *world) {
	first := parallel(10, func(int) bool {
		_, repeated, err := w.BeginCall(w.ctx, w.waba.AccountID, "Make/1", w.now)
		return err == nil && !repeated
	})
	if n := count(first); n != 1 {
		t.Errorf("%d of 10 attempts were the first", n)
	}
}
