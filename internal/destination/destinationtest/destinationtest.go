// Package destinationtest holds what every publisher of events promises, as a suite of tests that each of them runs.
//
// A publisher returns one error an event. It tells apart what concerns the event from what concerns the destination, so that
// nothing that could still arrive is given up; it is done in a bounded time whatever the other side does, with bounded memory; with
// a Concurrency of 1 events arrive in order; it reports nothing as arrived that the other side has not confirmed; and its errors
// carry no secrets. The tests run on virtual time, with a service that is called without a network.
package destinationtest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Publisher is what is tested; internal/deliver uses publishers through the same method.
type Publisher interface {
	Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error
}

// Suite describes one publisher to the tests, and plays the service that it publishes to.
type Suite struct {
	// New returns a publisher that makes its requests with a client, and a destination of it.
	New func(client *http.Client) (Publisher, event.Destination)
	// Form is what arrives of an event; two events never have the same.
	Form func(o *event.Outgoing) string
	// Read checks a request and returns the forms of the events that it carries.
	Read func(t testing.TB, r *http.Request, body []byte) []string
	// Taken answers that all n events of a request have arrived.
	Taken func(w http.ResponseWriter, n int)
	// Aside answers requests that carry no events, such as those for credentials, and reports whether it did. It may be nil.
	Aside func(w http.ResponseWriter, r *http.Request, body []byte) bool

	Batch    int // how many events a request carries at most
	MaxBytes int // how large a form may be; 0 if the destination's form bounds itself
	// Partial answers a request of four events in a batch: the first has arrived, the second can never, the third has failed for now,
	// the fourth is not mentioned. It is nil if Batch is 1.
	Partial func(w http.ResponseWriter)

	Answers  []Answer                 // of the service in particular
	Statuses func(status int) Verdict // what an HTTP status without a body means
	Secrets  []string                 // that no error may show
}

// Answer is something that the service may say to a request, and what has to follow.
type Answer struct {
	Name    string
	Respond func(w http.ResponseWriter, r *http.Request)
	Want    Verdict
	After   time.Duration // how long the destination wants to be left alone
	Text    string        // that the error has to contain: what is wrong, or what to do about it
}

// Verdict is what a publisher says about an event.
type Verdict string

// The verdicts. The queues keep the event after all but Arrived and Dead.
const (
	Arrived   Verdict = "arrived"
	Dead      Verdict = "dead" // this event will never be taken
	Later     Verdict = "later"
	Throttled Verdict = "throttled" // later, too: there were too many
	Gone      Verdict = "gone"      // the destination wants no events any more
	Untried   Verdict = "untried"
	Unwanted  Verdict = "unwanted"
)

// VerdictOf returns what an error of a publisher says.
func VerdictOf(err error) Verdict {
	if _, gone := errors.AsType[*event.GoneError](err); gone {
		return Gone
	}
	switch {
	case err == nil:
		return Arrived
	case errors.Is(err, event.ErrUntried):
		return Untried
	case errors.Is(err, event.ErrUnwanted):
		return Unwanted
	case fault.Is(err, fault.InvalidParameters):
		return Dead
	case fault.Is(err, fault.Throttled):
		return Throttled
	default:
		return Later
	}
}

// Run runs every test of the suite.
func Run(t *testing.T, s Suite) {
	for name, test := range map[string]func(*testing.T, *rig){
		"nothing to do":                     nothing,
		"events arrive in order":            inOrder,
		"concurrent calls lose nothing":     concurrent,
		"a batch fails in part":             partial,
		"sizes":                             sizes,
		"a call is cut off":                 cancelled,
		"a destination that hangs":          hanging,
		"a slow destination":                slow,
		"trouble ends the round":            trouble,
		"an answer without end":             endless,
		"a connection that breaks":          broken,
		"a destination that comes and goes": flapping,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) { test(t, newRig(t, s)) })
		})
	}
	t.Run("answers", func(t *testing.T) {
		t.Parallel()
		for _, a := range s.Answers {
			t.Run(a.Name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) { answers(t, newRig(t, s), a) })
			})
		}
	})
	t.Run("statuses", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) { statuses(t, newRig(t, s)) })
	})
}

// rig is a publisher, and the service it publishes to.
type rig struct {
	Suite
	t  *testing.T
	p  Publisher
	to event.Destination

	// respond answers a request with events; nil, or false, takes them.
	respond func(w http.ResponseWriter, r *http.Request, forms []string) bool

	mu      sync.Mutex
	carried [][]string // by each request
	arrived []string   // as the service has said
	flying  int
	highest int // number of requests at a time
}

func newRig(t *testing.T, s Suite) *rig {
	r := &rig{Suite: s, t: t}
	r.p, r.to = s.New(Client(r))
	r.to.Concurrency = 1
	return r
}

// ServeHTTP is the service.
func (s *rig) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body := bodyOf(r)
	if s.Aside != nil && s.Aside(w, r, body) {
		return
	}
	forms := s.Read(s.t, r, body)
	s.mu.Lock()
	s.carried = append(s.carried, forms)
	s.flying++
	s.highest = max(s.highest, s.flying)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.flying--
		s.mu.Unlock()
	}()
	if s.respond != nil && s.respond(w, r, forms) {
		return
	}
	s.mu.Lock()
	s.arrived = append(s.arrived, forms...)
	s.mu.Unlock()
	s.Taken(w, len(forms))
}

// publish publishes, and checks that there is an error for each event and no secret in any.
func (s *rig) publish(ctx context.Context, list []event.Outgoing) []error {
	s.t.Helper()
	errs := s.p.Publish(ctx, s.to, list)
	synctest.Wait() // for the service to be done, too
	if len(errs) != len(list) {
		s.t.Fatalf("%d results for %d events", len(errs), len(list))
	}
	for _, err := range errs {
		if err == nil {
			continue
		}
		for _, form := range []string{err.Error(), fmt.Sprintf("%v", err), fmt.Sprintf("%+v", err), fmt.Sprintf("%#v", err)} {
			for _, secret := range s.Secrets {
				if strings.Contains(form, secret) {
					s.t.Errorf("an error shows a secret: %s", form)
				}
			}
		}
	}
	return errs
}

// Events returns n events about customers' messages.
func Events(n int) []event.Outgoing {
	list := make([]event.Outgoing, n)
	for i := range list {
		list[i] = Event(i, fmt.Sprint("Message number ", i, `, "quoted" <&> ünï 👍`))
	}
	return list
}

// Event returns the i-th event, about a message with a text.
func Event(i int, text string) event.Outgoing {
	at := time.Date(2026, 11, 28, 9, 30, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	entry := fmt.Appendf(nil, `{"id":"1200000000000001","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001",`+
		`"phone_number_id":"1100000000000001"},"contacts":[{"profile":{"name":"Diego"},"wa_id":"14255550150"}],"messages":[{"from":"14255550150",`+
		`"id":"wamid.%06d","timestamp":"%d","type":"text","text":{"body":`, i, at.Unix())
	entry = event.AppendString(entry, text)
	entry = append(entry, `}}]},"field":"messages"}]}`...)
	return event.Outgoing{
		Delivery: event.Delivery{Event: event.Event{ID: fmt.Sprintf("0199f0c4-0000-7000-8000-%012d", i), AccountID: "000000000000",
			WABAKey: strings.Repeat("0", 31) + "1", PhoneKey: strings.Repeat("0", 31) + "1", WAMID: fmt.Sprintf("wamid.%06d", i), Field: "messages",
			Status: event.Received, Recipient: "14255550150", At: at}, Seq: int64(i + 1), WABAMetaID: "1200000000000001", PhoneMetaID: "1100000000000001"},
		Scope:  account.Scope{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"},
		Opened: entry,
	}
}
