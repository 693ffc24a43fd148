package bus_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

const owner = "000000000000"

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// station is the service on a real store.
type station struct {
	*bus.Service
	db  *sqlite.DB
	box *secret.Box

	mu    sync.Mutex
	woken []int64
}

func newStation(t testing.TB) *station {
	t.Helper()
	db := sqlitetest.Open(t, sqlite.Options{Exclusive: true})
	t.Cleanup(func() { db.Close() })
	box, err := secret.OpenOrCreate(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	s := &station{db: db, box: box}
	s.Service = bus.NewService(bus.Options{Store: db, Sealer: box, Scope: account.Scope{Partition: "aws", Region: "us-east-1"}, NewID: uuid.NewString,
		Now: func() time.Time { return now }, Wake: func(keys ...int64) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.woken = append(s.woken, keys...)
		}})
	return s
}

// rule makes a rule with targets and returns their queues by id.
func (s *station) rule(t testing.TB, name, pattern string, ids ...string) map[string]int64 {
	t.Helper()
	arn, err := s.PutRule(t.Context(), owner, bus.Rule{Name: name, Pattern: pattern})
	if err != nil {
		t.Fatal(err)
	}
	var list []bus.Target
	for _, id := range ids {
		list = append(list, bus.Target{ID: id, ARN: "arn:aws:sns:us-east-1:" + owner + ":" + id})
	}
	if err := s.PutTargets(t.Context(), owner, name, list); err != nil {
		t.Fatal(err)
	}
	stored, err := s.db.BusTargets(t.Context(), arn, "", 10)
	if err != nil {
		t.Fatal(err)
	}
	queues := map[string]int64{}
	for _, target := range stored {
		queues[target.ID] = target.Key
	}
	return queues
}

// waiting returns the ids of the events in a queue.
func (s *station) waiting(t testing.TB, key int64) (ids []string) {
	t.Helper()
	due, err := s.db.DueMessages(t.Context(), key, now.Add(time.Hour), nil, 1000, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range due.Messages {
		ids = append(ids, m.ID)
	}
	return ids
}

func put(t testing.TB, s *station, events ...bus.Event) {
	t.Helper()
	if err := errors.Join(s.Put(t.Context(), owner, events)...); err != nil {
		t.Fatal(err)
	}
}

func order(id string) bus.Event {
	return bus.Event{ID: id, Source: "shop", DetailType: "Order", Detail: []byte(`{"id":"` + id + `"}`)}
}

// A rule that this release does not understand, perhaps of a later one, is not the event's fault: that would be given up for it.
func TestPutDoesNotBlameTheEventForARule(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.rule(t, "strange", `{"source":["shop"]}`, "a")
	if err := s.db.PutBusRule(t.Context(), bus.Rule{ARN: bus.RuleARN(account.Scope{Partition: "aws", Region: "us-east-1", AccountID: owner}, "strange"),
		AccountID: owner, Name: "strange", Pattern: `{"source":[{"sounds-like":"shop"}]}`, State: bus.Enabled}, 10); err != nil {
		t.Fatal(err)
	}
	if err := s.Put(t.Context(), owner, []bus.Event{order("1")})[0]; fault.KindOf(err) != fault.Internal {
		t.Errorf("put: %v, want an error of ours", err)
	}
}

func TestPutQueuesForEveryTargetOfTheRulesThatMatch(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	all := s.rule(t, "all", `{"source":[{"prefix":""}]}`, "a", "b")
	orders := s.rule(t, "orders", `{"source":["shop"],"detail":{"id":["1"]}}`, "a")
	put(t, s, order("1"), order("2"), bus.Event{ID: "3", Source: "other", DetailType: "x", Detail: []byte("{}")})
	for what, check := range map[string]struct {
		key  int64
		want []string
	}{"all/a": {all["a"], []string{"1", "2", "3"}}, "all/b": {all["b"], []string{"1", "2", "3"}}, "orders/a": {orders["a"], []string{"1"}}} {
		if diff := cmp.Diff(check.want, s.waiting(t, check.key)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", what, diff)
		}
	}
	slices.Sort(s.woken)
	if want := []int64{all["a"], all["b"], orders["a"]}; !slices.Equal(s.woken, want) {
		t.Errorf("woken %v, want each queue once: %v", s.woken, want)
	}

	// What is stored is the envelope, sealed.
	due, err := s.db.DueMessages(t.Context(), orders["a"], now, nil, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.box.Open(due.Messages[0].Sealed, []byte("1"))
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(text, &got); err != nil || got["id"] != "1" || got["detail-type"] != "Order" || got["time"] != "2026-11-23T12:00:00Z" {
		t.Errorf("stored %s, %v", text, err)
	}
	if !due.Messages[0].PublishedAt.Equal(now) {
		t.Errorf("put at %v, want %v", due.Messages[0].PublishedAt, now)
	}
}

func TestPutTellsWhatIsWrongWithEachEvent(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	queues := s.rule(t, "all", `{"source":[{"prefix":""}]}`, "a")
	events := []bus.Event{order("1"), {ID: "2", Source: "shop", DetailType: "x", Detail: []byte("[]")}, {ID: "3"}, order("")}
	errs := s.Put(t.Context(), owner, events)
	if errs[0] != nil || !fault.Is(errs[1], fault.Validation) || !fault.Is(errs[2], fault.InvalidParameters) || errs[3] != nil {
		t.Errorf("errors %v", errs)
	}
	if _, err := uuid.Parse(events[3].ID); err != nil {
		t.Errorf("id %q: %v", events[3].ID, err)
	}
	if diff := cmp.Diff([]string{"1", events[3].ID}, s.waiting(t, queues["a"])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	put(t, s, order("1")) // again under its id: delivered again
	if n := len(s.waiting(t, queues["a"])); n != 3 {
		t.Errorf("%d events wait, want 3", n)
	}
}

// A change of rules holds from the moment at which it is acknowledged.
func TestPutGoesByTheRulesOfTheMoment(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	put(t, s, order("before"))
	queues := s.rule(t, "r", `{"source":["shop"]}`, "a")
	key := queues["a"]
	put(t, s, order("1"))
	if _, err := s.PutRule(t.Context(), owner, bus.Rule{Name: "r", Pattern: `{"source":["elsewhere"]}`}); err != nil {
		t.Fatal(err)
	}
	put(t, s, order("2"))
	if _, err := s.PutRule(t.Context(), owner, bus.Rule{Name: "r", Pattern: `{"source":["shop"]}`, State: bus.Disabled}); err != nil {
		t.Fatal(err)
	}
	put(t, s, order("3"))
	if err := s.db.SetBusRuleState(t.Context(), "arn:aws:events:us-east-1:"+owner+":rule/r", bus.Enabled); err != nil { // as another node does
		t.Fatal(err)
	}
	put(t, s, order("4"))
	if diff := cmp.Diff([]string{"1", "4"}, s.waiting(t, key)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := s.RemoveTargets(t.Context(), owner, "r", []string{"a"}); err != nil {
		t.Fatal(err)
	}
	put(t, s, order("5"))
	if n := len(s.waiting(t, key)); n != 2 {
		t.Errorf("%d events wait for a target that is gone, want those of before", n)
	}
	other := s.Put(t.Context(), "111122223333", []bus.Event{order("6")})
	if err := errors.Join(other...); err != nil || len(s.waiting(t, key)) != 2 {
		t.Errorf("another account's event: %v", err)
	}
}

// Without a service for queues nothing would ever arrive there.
func TestPutTargetsRefusesQueuesOfNobody(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	s.rule(t, "orders", `{"source":["shop"]}`, "a")
	queue := []bus.Target{{ID: "q", ARN: "arn:aws:sqs:us-east-1:" + owner + ":q"}}
	if err := s.PutTargets(t.Context(), owner, "orders", queue); !fault.Is(err, fault.Validation) || !strings.Contains(err.Error(), "sqs.endpoint") {
		t.Errorf("= %v, want a refusal that names the setting", err)
	}
	s.Queues = true
	if err := s.PutTargets(t.Context(), owner, "orders", queue); err != nil {
		t.Error(err)
	}
}

func TestPutRuleRefuses(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	if _, err := s.PutRule(t.Context(), owner, bus.Rule{Name: "r"}); !fault.Is(err, fault.Validation) {
		t.Errorf("without a pattern: %v", err)
	}
	if _, err := s.PutRule(t.Context(), owner, bus.Rule{Name: "r", Pattern: `{"source":"shop"}`}); !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("with a pattern that is wrong: %v", err)
	}
	s.rule(t, "r", `{"source":["shop"]}`)
	missing := bus.Target{ID: "a", ARN: "arn:aws:events:us-east-1:" + owner + ":api-destination/hook/1"}
	if err := s.PutTargets(t.Context(), owner, "r", []bus.Target{missing}); !fault.Is(err, fault.Validation) {
		t.Errorf("an API destination that is not there: %v", err)
	}
}

func TestCallOpensTheSecret(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	c, err := s.CreateConnection(t.Context(), owner, bus.Connection{Name: "c", Type: bus.APIKey, Username: "X-Key"}, "s3cret")
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.CreateDestination(t.Context(), owner, bus.Destination{Name: "d", ConnectionARN: c.ARN, Endpoint: "https://example.com/", Method: "POST"})
	if err != nil {
		t.Fatal(err)
	}
	call, err := s.Call(t.Context(), d.ARN)
	if err != nil || call.Secret.Reveal() != "s3cret" || call.Username != "X-Key" || call.Destination.Rate != bus.DefaultRate {
		t.Errorf("call = %+v, %v", call, err)
	}
	if text := fmt.Sprintf("%+v %+v", call, c); text == "" || strings.Contains(text, "s3cret") {
		t.Errorf("the secret is printed: %s", text)
	}
}

// BenchmarkPutEvents measures putting ten events a call, one of thirty rules matching each, by callers at once: events a second.
func BenchmarkPutEvents(b *testing.B) {
	for _, callers := range []int{1, 16} {
		b.Run(fmt.Sprint("callers=", callers), func(b *testing.B) {
			s := newStation(b)
			for i := range 30 {
				s.rule(b, fmt.Sprint("r", i), fmt.Sprintf(`{"source":["shop"],"detail-type":["Order","Refund"],"detail":{"shelf":[%d],"price":[{"numeric":[">",1]}]}}`, i), "a")
			}
			s.Wake = func(...int64) {}
			var wg sync.WaitGroup
			work := make(chan int)
			for range callers {
				wg.Go(func() {
					for n := range work {
						events := make([]bus.Event, 10)
						for i := range events {
							events[i] = bus.Event{Source: "shop", DetailType: "Order", Detail: fmt.Appendf(nil, `{"price":7.5,"shelf":%d,"text":"%0400d"}`, (n+i)%30, n)}
						}
						if err := errors.Join(s.Put(b.Context(), owner, events)...); err != nil {
							b.Error(err)
						}
					}
				})
			}
			b.ReportAllocs()
			b.ResetTimer()
			for n := range b.N {
				work <- n
			}
			close(work)
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "events/s")
		})
	}
}
