package destination

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBatches(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sizes []int
		want  [][2]int
	}{
		"nothing":               {},
		"one":                   {[]int{1}, [][2]int{{0, 1}}},
		"as many as one takes":  {[]int{1, 1, 1}, [][2]int{{0, 3}}},
		"one more":              {[]int{1, 1, 1, 1}, [][2]int{{0, 3}, {3, 4}}},
		"as large as one takes": {[]int{4, 6, 1}, [][2]int{{0, 2}, {2, 3}}},
		"one that never fits":   {[]int{1, 11, 1}, [][2]int{{0, 1}, {1, 2}, {2, 3}}},
		"several that never do": {[]int{11, 11}, [][2]int{{0, 1}, {1, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got [][2]int
			for start, end := range Batches(tc.sizes, 3, 10) {
				got = append(got, [2]int{start, end})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 28, 9, 30, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "0": 0, "-3": 0, "soon": 0, "1.5": 0, "86400": time.Hour,
		"99999999999999999999": 0, "9223372036854775807": time.Hour,
		"Sat, 28 Nov 2026 09:30:20 GMT": 20 * time.Second, "Sat, 28 Nov 2026 09:29:00 GMT": 0, "Sun, 29 Nov 2026 09:30:00 GMT": time.Hour,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {value}}, now); got != want {
			t.Errorf("RetryAfter(%q) = %v, want %v", value, got, want)
		}
	}
	if got := RetryAfter(http.Header{}, now); got != 0 {
		t.Errorf("without the header: %v", got)
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, v := range []string{"7", "-1", "9223372036854775807", "Sat, 28 Nov 2026 09:30:20 GMT", "Monday, 02-Jan-06 15:04:05 MST"} {
		f.Add(v)
	}
	now := time.Date(2026, 11, 28, 9, 30, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, v string) {
		if got := RetryAfter(http.Header{"Retry-After": {v}}, now); got < 0 || got > maxRetryAfter {
			t.Errorf("RetryAfter(%q) = %v", v, got)
		}
	})
}

func TestUnreached(t *testing.T) {
	t.Parallel()
	secret := func(err error) error { return &url.Error{Op: "Post", URL: "https://hook.test/?token=secret", Err: err} }
	for want, err := range map[string]error{
		"X cannot be reached: no route":      secret(errors.New("no route")),
		"X did not answer in time":           secret(context.DeadlineExceeded),
		"X did not answer in time, for long": secret(&net.DNSError{IsTimeout: true}),
		"the call to X was cut off":          fmt.Errorf("sending: %w", secret(context.Canceled)),
	} {
		if got := Unreached("X", err); got != strings.TrimSuffix(want, ", for long") {
			t.Errorf("%v: %q", err, got)
		}
	}
}

// No call begins after trouble, and none while as many as may be are in flight.
func TestEach(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var begun, flying, highest atomic.Int32
		calls := func(yield func(func() bool) bool) {
			for i := range 100 {
				if !yield(func() bool {
					begun.Add(1)
					highest.Store(max(highest.Load(), flying.Add(1)))
					defer flying.Add(-1)
					if i == 10 {
						time.Sleep(50 * time.Millisecond)
						return true
					}
					time.Sleep(100 * time.Millisecond)
					return false
				}) {
					return
				}
			}
		}
		begin := time.Now()
		Each(t.Context(), calls, 4)
		if begun.Load() != 12 || highest.Load() != 4 || time.Since(begin) != 300*time.Millisecond {
			t.Errorf("%d calls, at most %d at a time, in %v; want 12, 4, 300ms", begun.Load(), highest.Load(), time.Since(begin))
		}
	})
}
