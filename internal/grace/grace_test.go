package grace

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestExtend(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		extended, cancel := Extend(ctx)
		defer cancel()
		time.Sleep(time.Minute + Period - time.Nanosecond)
		if extended.Err() != nil {
			t.Fatal("ended before its time")
		}
		time.Sleep(2 * time.Nanosecond)
		if extended.Err() == nil {
			t.Fatal("goes on after its time")
		}

		another, cancel := Extend(t.Context())
		cancel()
		if another.Err() == nil {
			t.Fatal("cancel did not end it")
		}
	})
}
