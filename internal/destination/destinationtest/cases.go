package destinationtest

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// longest is how long a publisher may take, whatever happens: it begins calls for as long as Patience, and no call lasts longer than
// 15 seconds.
const longest = destination.Patience + 15*time.Second

func nothing(t *testing.T, s *rig) {
	s.publish(t.Context(), nil)
	if len(s.carried) > 0 {
		t.Errorf("requests were made: %q", s.carried)
	}
}

func inOrder(t *testing.T, s *rig) {
	list := Events(3*s.Batch + 1)
	for i, err := range s.publish(t.Context(), list) {
		if err != nil {
			t.Errorf("event %d: %v", i, err)
		}
	}
	if diff := cmp.Diff(s.forms(list), s.arrived); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	if len(s.carried) != 4 || s.highest != 1 {
		t.Errorf("%d requests for %d events of which one takes %d, %d at a time", len(s.carried), len(list), s.Batch, s.highest)
	}
}

func concurrent(t *testing.T, s *rig) {
	s.to.Concurrency = 3
	list := Events(10 * s.Batch)
	s.respond = func(http.ResponseWriter, *http.Request, []string) bool {
		time.Sleep(100 * time.Millisecond)
		return false
	}
	begin := time.Now()
	s.publish(t.Context(), list)
	want := s.forms(list)
	slices.Sort(want)
	slices.Sort(s.arrived)
	if diff := cmp.Diff(want, s.arrived); diff != "" {
		t.Errorf("arrived (-want +got):\n%s", diff)
	}
	if took := time.Since(begin); s.highest != 3 || took != 400*time.Millisecond {
		t.Errorf("%d requests at a time took %v, want 3 and 400ms", s.highest, took)
	}
}

func partial(t *testing.T, s *rig) {
	if s.Batch == 1 {
		return
	}
	s.respond = func(w http.ResponseWriter, _ *http.Request, forms []string) bool {
		if len(forms) != 4 {
			t.Errorf("a request of %d events, want 4", len(forms))
		}
		s.Partial(w)
		return true
	}
	if diff := cmp.Diff([]Verdict{Arrived, Dead, Later, Later}, verdicts(s.publish(t.Context(), Events(4)))); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
}

func sizes(t *testing.T, s *rig) {
	if s.MaxBytes == 0 {
		return
	}
	frame := Event(0, "")
	fits := s.MaxBytes - len(s.Form(&frame))
	list := []event.Outgoing{Event(0, "small"), Event(1, strings.Repeat("x", fits)), Event(2, strings.Repeat("x", fits+1)), Event(3, "small")}
	if diff := cmp.Diff([]Verdict{Arrived, Arrived, Dead, Arrived}, verdicts(s.publish(t.Context(), list))); diff != "" {
		t.Errorf("verdicts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(s.forms([]event.Outgoing{list[0], list[1], list[3]}), s.arrived); diff != "" {
		t.Errorf("arrived (-want +got):\n%.3000s", diff)
	}
	for _, forms := range s.carried {
		if size := len(strings.Join(forms, "")); size > s.MaxBytes && len(forms) > 1 {
			t.Errorf("a request carries %d bytes", size)
		}
	}
}

func cancelled(t *testing.T, s *rig) {
	ctx, cancel := context.WithCancel(t.Context())
	s.respond = func(_ http.ResponseWriter, r *http.Request, _ []string) bool {
		cancel()
		<-r.Context().Done()
		return true
	}
	begin := time.Now()
	for i, v := range verdicts(s.publish(ctx, Events(2*s.Batch))) {
		if v != Later && v != Untried {
			t.Errorf("event %d: %s", i, v)
		}
	}
	if took := time.Since(begin); took > time.Second || len(s.carried) != 1 {
		t.Errorf("took %v and %d requests after the order to stop", took, len(s.carried))
	}
}

// A hanging destination is given up after one call's time, and the events behind it are not blamed.
func hanging(t *testing.T, s *rig) {
	s.respond = func(_ http.ResponseWriter, r *http.Request, _ []string) bool { <-r.Context().Done(); return true }
	begin := time.Now()
	got := verdicts(s.publish(t.Context(), Events(5*s.Batch)))
	if took := time.Since(begin); took > longest {
		t.Errorf("took %v", took)
	}
	if got[0] != Later || got[len(got)-1] != Untried || len(s.carried) != 1 {
		t.Errorf("%d requests: %v", len(s.carried), got)
	}
}

// A destination that takes events slowly, but takes them, keeps nobody waiting for the result.
func slow(t *testing.T, s *rig) {
	s.respond = func(http.ResponseWriter, *http.Request, []string) bool { time.Sleep(3 * time.Second); return false }
	begin := time.Now()
	got := verdicts(s.publish(t.Context(), Events(10*s.Batch)))
	if took := time.Since(begin); took > longest {
		t.Errorf("took %v", took)
	}
	if got[0] != Arrived || got[len(got)-1] != Untried {
		t.Errorf("%v", got)
	}
	for i, v := range got {
		if (v == Arrived) != (i < len(s.arrived)) {
			t.Errorf("event %d: %s, of %d that arrived", i, v, len(s.arrived))
		}
	}
}

func trouble(t *testing.T, s *rig) {
	s.respond = func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	}
	got := verdicts(s.publish(t.Context(), Events(5*s.Batch)))
	if got[0] != Throttled || got[len(got)-1] != Untried || len(s.carried) != 1 {
		t.Errorf("%d requests: %v", len(s.carried), got)
	}
}

func endless(t *testing.T, s *rig) {
	written := 0
	s.respond = func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		w.WriteHeader(http.StatusInternalServerError)
		chunk := []byte(strings.Repeat("x", 32<<10))
		for {
			n, err := w.Write(chunk)
			if written += n; err != nil || written > 100<<20 {
				return true
			}
		}
	}
	got := verdicts(s.publish(t.Context(), Events(1)))
	if got[0] != Later || written > 2<<20 {
		t.Errorf("%v after %d bytes", got, written)
	}
}

func broken(t *testing.T, s *rig) {
	s.respond = func(http.ResponseWriter, *http.Request, []string) bool { panic(http.ErrAbortHandler) }
	got := verdicts(s.publish(t.Context(), Events(5*s.Batch)))
	if got[0] != Later || got[len(got)-1] != Untried {
		t.Errorf("%v", got)
	}
}

// What is reported as arrived has arrived, and the rest gets there when it is published again.
func flapping(t *testing.T, s *rig) {
	calls := 0
	s.respond = func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
		if calls++; calls%2 == 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return true
		}
		return false
	}
	list := Events(6 * s.Batch)
	want := s.forms(list)
	for range 20 {
		var left []event.Outgoing
		for i, err := range s.publish(t.Context(), list) {
			if VerdictOf(err) != Arrived {
				left = append(left, list[i])
			}
		}
		if list = left; len(list) == 0 {
			break
		}
	}
	if diff := cmp.Diff(want, s.arrived); diff != "" || len(list) > 0 {
		t.Errorf("%d left; arrived (-want +got):\n%s", len(list), diff)
	}
}

func answers(t *testing.T, s *rig, a Answer) {
	s.respond = func(w http.ResponseWriter, r *http.Request, _ []string) bool { a.Respond(w, r); return true }
	err := s.publish(t.Context(), Events(1))[0]
	if got := VerdictOf(err); got != a.Want {
		t.Errorf("%s (%v), want %s", got, err, a.Want)
	}
	if text := fmt.Sprint(err); !strings.Contains(text, a.Text) {
		t.Errorf("%s\nwant it to say %q", text, a.Text)
	}
	if got := retryAfter(err); got != a.After {
		t.Errorf("to be left alone for %v, want %v", got, a.After)
	}
}

// Every HTTP status has a meaning, also from something in between that knows nothing of the service.
func statuses(t *testing.T, s *rig) {
	for status := 200; status < 600; status++ {
		s.respond = func(w http.ResponseWriter, _ *http.Request, _ []string) bool {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			return true
		}
		err := s.publish(t.Context(), Events(1))[0]
		got := VerdictOf(err)
		if want := s.Statuses(status); got != want {
			t.Errorf("%d: %s (%v), want %s", status, got, err, want)
		}
		if after := retryAfter(err); (got == Later || got == Throttled) && status >= 300 && after != 7*time.Second {
			t.Errorf("%d: to be left alone for %v, want 7s", status, after)
		}
	}
}

func retryAfter(err error) time.Duration {
	if e, ok := err.(*fault.Error); ok { //nolint:errorlint // publishers return it as it is
		return e.RetryAfter
	}
	return 0
}

func (s *rig) forms(list []event.Outgoing) []string {
	forms := make([]string, len(list))
	for i := range list {
		forms[i] = s.Form(&list[i])
	}
	return forms
}

func verdicts(errs []error) []Verdict {
	list := make([]Verdict, len(errs))
	for i, err := range errs {
		list[i] = VerdictOf(err)
	}
	return list
}
