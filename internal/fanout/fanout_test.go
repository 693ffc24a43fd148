package fanout_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// bubble runs a test on a fresh node in virtual time.
func bubble(t *testing.T, options func(*fanout.Options), test func(t *testing.T, f *fixture)) {
	t.Helper()
	path := dbPath(t)
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, path, options)
		defer f.close(t)
		test(t, f)
	})
}

func TestDeliversAtOnce(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var got inbox
		f.net.serve("a.example", got.answering(always(http.StatusNoContent)))
		arn := f.topic(t, "orders")
		s := f.subscribe(t, arn, "http://user:secret@a.example/in?x=1")
		f.start(t)
		synctest.Wait()
		start := time.Now()
		f.publish(t, arn, 250)
		for got.len() < 250 && time.Since(start) < time.Second {
			time.Sleep(time.Millisecond)
		}
		if n := got.len(); n != 250 {
			t.Fatalf("%d messages arrived within a second, want 250", n)
		}
		seen := got.seen()
		slices.Sort(seen.bodies)
		if n := len(slices.Compact(seen.bodies)); n != 250 {
			t.Errorf("%d different messages arrived, want 250", n)
		}
		if seen.together > 16 {
			t.Errorf("%d requests at once, want at most 16", seen.together)
		}
		f.stop()
		if n := len(f.left(t, s)); n != 0 {
			t.Errorf("%d messages left", n)
		}
		h := seen.headers[0]
		id := h["x-amz-sns-message-id"]
		delete(h, "x-amz-sns-message-id")
		if len(id) != 1 || len(id[0]) != 36 {
			t.Errorf("message id %q", id)
		}
		want := http.Header{"Content-Type": {"text/plain; charset=UTF-8"}, "User-Agent": {"Amazon Simple Notification Service Agent"},
			"x-amz-sns-message-type": {"Notification"}, "x-amz-sns-topic-arn": {arn}, "x-amz-sns-subscription-arn": {s.ARN},
			"x-amz-sns-rawdelivery": {"true"}, "Authorization": {"Basic dXNlcjpzZWNyZXQ="}}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Errorf("headers (-want +got):\n%s", diff)
		}
	})
}

func TestRetriesUntilTheEndpointTakesIt(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]int{"server error": 503, "throttled": 429, "not found": 404, "redirect": 302} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, nil, func(t *testing.T, f *fixture) {
				var got inbox
				f.net.serve("a.example", func(w http.ResponseWriter, r *http.Request) {
					w.Header().Set("Location", "http://elsewhere.example/")
					got.answering(func(n int) int {
						if n <= 5 {
							return answer
						}
						return 200
					})(w, r)
				})
				f.net.serve("elsewhere.example", func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") })
				arn := f.topic(t, "orders")
				s := f.subscribe(t, arn, "http://a.example/")
				f.start(t)
				f.publish(t, arn, 1)
				time.Sleep(5 * time.Minute)
				if n := got.len(); n != 6 {
					t.Fatalf("%d requests, want 6", n)
				}
				seen := got.seen()
				for i := 1; i < 6; i++ {
					if diff := cmp.Diff(seen.headers[0]["x-amz-sns-message-id"], seen.headers[i]["x-amz-sns-message-id"]); diff != "" {
						t.Errorf("attempt %d has another id:\n%s", i+1, diff)
					}
					if pause := seen.times[i].Sub(seen.times[i-1]); pause < 500*time.Millisecond || pause > time.Minute {
						t.Errorf("attempt %d came %v after the one before", i+1, pause)
					}
				}
				if n := len(f.left(t, s)); n != 0 {
					t.Errorf("%d messages left", n)
				}
			})
		})
	}
}

func TestDeadSubscriberDelaysNobody(t *testing.T) {
	t.Parallel()
	for name, dead := range map[string]http.HandlerFunc{
		"hangs":  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"fails":  func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"absent": nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bubble(t, nil, func(t *testing.T, f *fixture) {
				var got inbox
				f.net.serve("alive.example", got.answering(always(200)))
				f.net.serve("dead.example", dead)
				arn := f.topic(t, "orders")
				f.subscribe(t, arn, "http://dead.example/")
				f.subscribe(t, arn, "http://alive.example/")
				f.start(t)
				start := time.Now()
				for range 10 {
					f.publish(t, arn, 50)
				}
				for got.len() < 500 && time.Since(start) < time.Second {
					time.Sleep(time.Millisecond)
				}
				if n := got.len(); n != 500 {
					t.Errorf("%d messages reached the living subscriber within a second, want 500", n)
				}
			})
		})
	}
}

func TestDeadEndpointIsProbedNotHammered(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var got inbox
		f.net.serve("a.example", got.answering(always(500)))
		arn := f.topic(t, "orders")
		s := f.subscribe(t, arn, "http://a.example/")
		f.start(t)
		f.publish(t, arn, 1000)
		time.Sleep(5 * time.Hour)
		if n := got.len(); n < 300 || n > 1500 {
			t.Errorf("%d requests in five hours, want about two a minute", n)
		}
		if n := len(f.left(t, s)); n != 1000 {
			t.Errorf("%d messages left, want all 1000", n)
		}
		time.Sleep(90 * time.Minute)
		letters := f.deadLetters(t)
		if n := len(letters); n != 1000 {
			t.Fatalf("%d dead letters after the window, want 1000", n)
		}
		if letters[0].Subscriber != s.ARN || letters[0].Reason == "" || strings.Contains(letters[0].Reason, "a.example") {
			t.Errorf("dead letter %+v", letters[0])
		}
		if n := len(f.left(t, s)); n != 0 {
			t.Errorf("%d messages left", n)
		}
	})
}

// A message that is refused again and again does not hold up the others, and ends as a dead letter of its own.
func TestPoisonedMessage(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var good inbox
		f.net.serve("a.example", func(w http.ResponseWriter, r *http.Request) {
			if r.ContentLength == 6 {
				w.WriteHeader(400)
				return
			}
			good.answering(always(200))(w, r)
		})
		arn := f.topic(t, "orders")
		f.subscribe(t, arn, "http://a.example/")
		f.start(t)
		if _, err := f.Publish(t.Context(), arn, topic.Message{Body: []byte("poison")}); err != nil {
			t.Fatal(err)
		}
		for range 7 * 60 {
			f.publish(t, arn, 1)
			time.Sleep(time.Minute)
		}
		if n := good.len(); n != 7*60 {
			t.Errorf("%d good messages arrived, want %d", n, 7*60)
		}
		letters := f.deadLetters(t)
		if len(letters) != 1 || letters[0].Reason != "the endpoint answered 400 Bad Request" || letters[0].Attempts < 20 {
			t.Errorf("dead letters %+v, want the poisoned message", letters)
		}
	})
}

func TestRestartDeliversWhatWasCommitted(t *testing.T) {
	t.Parallel()
	path := dbPath(t)
	synctest.Test(t, func(t *testing.T) {
		var got inbox
		f := newFixture(t, path, nil)
		arn := f.topic(t, "orders")
		s := f.subscribe(t, arn, "http://a.example/")
		f.publish(t, arn, 20)
		f.close(t)

		f = newFixture(t, path, nil)
		f.net.serve("a.example", got.answering(always(200)))
		f.start(t)
		time.Sleep(time.Second)
		if n := got.len(); n != 20 {
			t.Errorf("%d messages arrived after the restart, want 20", n)
		}
		f.stop()
		if n := len(f.left(t, s)); n != 0 {
			t.Errorf("%d messages left", n)
		}
		f.close(t)
	})
}

// Messages that grew too old while nothing ran still get one attempt.
func TestOldMessagesAreTriedOnce(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var got inbox
		f.net.serve("a.example", got.answering(always(200)))
		arn := f.topic(t, "orders")
		f.subscribe(t, arn, "http://a.example/")
		f.publish(t, arn, 3)
		time.Sleep(24 * time.Hour)
		f.start(t)
		time.Sleep(time.Second)
		if n := got.len(); n != 3 {
			t.Errorf("%d messages arrived, want 3", n)
		}
	})
}

func TestStopCutsOffWithoutCountingAnAttempt(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		f.net.serve("a.example", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		f.net.serve("b.example", func(http.ResponseWriter, *http.Request) { time.Sleep(time.Second) })
		arn := f.topic(t, "orders")
		hanging, slow := f.subscribe(t, arn, "http://a.example/"), f.subscribe(t, arn, "http://b.example/")
		f.start(t)
		f.publish(t, arn, 1)
		time.Sleep(100 * time.Millisecond)
		start := time.Now()
		f.stop()
		if took := time.Since(start); took > 5*time.Second {
			t.Errorf("stopping took %v", took)
		}
		m := f.left(t, hanging)
		if len(m) != 1 || m[0].Attempts != 0 {
			t.Errorf("cut off: %+v left, want one message without a failed attempt", m)
		}
		if m := f.left(t, slow); len(m) != 0 {
			t.Errorf("a request that could finish was not settled: %+v", m)
		}
		if l, err := f.db.AcquireLease(t.Context(), "queue/1", "other", time.Now(), lease.TTL); err != nil || !l.Held() {
			t.Errorf("the lease was not given back: %+v, %v", l, err)
		}
	})
}

// fullStore is a store that cannot write anything, now and then.
type fullStore struct {
	*sqlite.DB
	full atomic.Bool
}

func (s *fullStore) SettleMessages(ctx context.Context, l lease.Lease, key int64, o []queue.Outcome, now time.Time) (bool, error) {
	if s.full.Load() {
		return false, fault.New(fault.Unavailable, "storage is full")
	}
	return s.DB.SettleMessages(ctx, l, key, o, now)
}

func (s *fullStore) RenewLease(ctx context.Context, l lease.Lease, now time.Time, ttl time.Duration) (bool, error) {
	if s.full.Load() {
		return false, fault.New(fault.Unavailable, "storage is full")
	}
	return s.DB.RenewLease(ctx, l, now, ttl)
}

// While results cannot be recorded nothing more is delivered, and what was delivered is not delivered again.
func TestResultsThatCannotBeRecorded(t *testing.T) {
	t.Parallel()
	store := &fullStore{}
	bubble(t, func(o *fanout.Options) { o.Store = store }, func(t *testing.T, f *fixture) {
		store.DB = f.db
		var got inbox
		f.net.serve("a.example", got.answering(always(http.StatusOK)))
		arn := f.topic(t, "orders")
		f.subscribe(t, arn, "http://a.example/")
		f.start(t)
		time.Sleep(time.Second) // until the subscription's own messages are settled
		store.full.Store(true)
		f.publish(t, arn, 500)
		time.Sleep(6 * lease.TTL)
		if n := got.len(); n == 0 || n > 400 { // what a worker may hold
			t.Errorf("%d of 500 messages were delivered although no result could be recorded", n)
		}
		store.full.Store(false)
		time.Sleep(5 * time.Second)
		if n := got.len(); n != 500 {
			t.Errorf("%d deliveries of 500 messages", n)
		}
	})
}

func TestAnotherNodesSubscriptionIsLeftAlone(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var got inbox
		f.net.serve("a.example", got.answering(always(200)))
		arn := f.topic(t, "orders")
		f.subscribe(t, arn, "http://a.example/")
		if _, err := f.db.AcquireLease(t.Context(), "queue/1", "other", time.Now(), lease.TTL); err != nil {
			t.Fatal(err)
		}
		f.start(t)
		f.publish(t, arn, 1)
		time.Sleep(lease.TTL - time.Second)
		if n := got.len(); n != 0 {
			t.Fatalf("%d messages were delivered without the lease", n)
		}
		time.Sleep(lease.TTL)
		if n := got.len(); n != 1 {
			t.Errorf("%d messages arrived after the lease had expired, want 1", n)
		}
	})
}

func TestConfirmationIsRetriedAndFarewellIsSent(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		var got inbox
		f.net.serve("a.example", got.answering(func(n int) int {
			if n == 1 {
				return 500
			}
			return 200
		}))
		f.start(t)
		arn := f.topic(t, "orders")
		s, err := f.Service.Subscribe(t.Context(), arn, topic.HTTP, "http://a.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		f.publish(t, arn, 1) // nobody is confirmed: nobody gets it
		time.Sleep(time.Minute)
		if n := got.len(); n != 2 {
			t.Fatalf("%d requests, want a failed one and its repetition", n)
		}
		seen := got.seen()
		var confirmation struct{ Type, Token, SubscribeURL string }
		if err := json.Unmarshal([]byte(seen.bodies[1]), &confirmation); err != nil || confirmation.Type != "SubscriptionConfirmation" {
			t.Fatalf("confirmation %s: %v", seen.bodies[1], err)
		}
		if v, ok := seen.headers[1]["x-amz-sns-subscription-arn"]; ok {
			t.Errorf("a confirmation names subscription %q", v)
		}
		if _, err := f.Confirm(t.Context(), arn, confirmation.Token, false, false); err != nil {
			t.Fatal(err)
		}
		f.publish(t, arn, 1)
		time.Sleep(time.Second)
		if err := f.Unsubscribe(t.Context(), s.ARN, false); err != nil {
			t.Fatal(err)
		}
		f.publish(t, arn, 1)
		time.Sleep(time.Second)
		var types []string
		for _, h := range got.seen().headers {
			types = append(types, h["x-amz-sns-message-type"][0])
		}
		want := []string{"SubscriptionConfirmation", "SubscriptionConfirmation", "Notification", "UnsubscribeConfirmation"}
		if diff := cmp.Diff(want, types); diff != "" {
			t.Errorf("documents (-want +got):\n%s", diff)
		}
	})
}

func TestUnsubscribedQueueIsThrownAway(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		arn := f.topic(t, "orders")
		s := f.subscribe(t, arn, "http://gone.example/")
		kept := f.subscribe(t, f.topic(t, "other"), "http://gone.example/")
		f.publish(t, arn, 1000)
		f.publish(t, f.topic(t, "other"), 1)
		f.start(t)
		time.Sleep(time.Minute)
		if err := f.DeleteTopic(t.Context(), arn); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Minute) // retries that had been scheduled come due
		if n := len(f.left(t, s)); n != 0 {
			t.Errorf("%d messages left of a deleted topic", n)
		}
		if n := len(f.left(t, kept)); n != 1 {
			t.Errorf("%d messages left of the other topic, want 1", n)
		}
		if n := len(f.deadLetters(t)); n != 0 {
			t.Errorf("%d dead letters of a deleted topic", n)
		}
	})
}

func TestUnconfirmedSubscriptionIsForgotten(t *testing.T) {
	t.Parallel()
	bubble(t, nil, func(t *testing.T, f *fixture) {
		arn := f.topic(t, "orders")
		s, err := f.Service.Subscribe(t.Context(), arn, topic.HTTP, "http://gone.example/", nil)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(topic.ConfirmWithin)
		f.start(t)
		time.Sleep(20 * time.Minute)
		if due, err := f.db.DueMessages(t.Context(), s.Key, time.Now(), nil, 10, 1<<20); err != nil || due.Subscriber != nil {
			t.Errorf("it is still there: %+v, %v", due, err)
		}
	})
}
