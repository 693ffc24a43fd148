// Package storetest is the storage contract: what every engine promises, as tests.
//
// A behaviour that is not in this suite is not promised. An engine runs it with Run; a bug found in one engine becomes a case
// for all.
package storetest

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/deliver"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/dispatch"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/ingest"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/refresh"
)

// Store is everything the rest of the system asks of an engine: the sum of what its users declare.
type Store interface {
	directory.Store
	message.Queue
	dispatch.Store
	ingest.Store
	ingest.Silences
	deliver.Store
	refresh.Store
	PruneSignUps(ctx context.Context, now time.Time) (more bool, err error)
	PruneTokens(ctx context.Context, now time.Time) (more bool, err error)
	PruneUnlinked(ctx context.Context, cutoff time.Time) (more bool, err error)
	Receive(ctx context.Context, sealed []byte, now time.Time) error
	Unclaimed(ctx context.Context, limit int) ([]event.Unclaimed, error)
	Lookup(ctx context.Context, accountID, id string) (message.Status, bool, error)
	Search(ctx context.Context, accountID string, q message.Query) (message.Found, error)
	Window(ctx context.Context, phoneKey, recipient string) (message.Window, error)
	Notices(ctx context.Context, accountID, wabaKey string) ([]account.Placed, error)
	eventsAdmin
	destinations
	withdrawals
	imports
	Publish(ctx context.Context, e *event.Event) error
	clocks
	TemplateStore
	BeginCall(ctx context.Context, accountID, call string, now time.Time) (output []byte, repeated bool, err error)
	SettleCall(ctx context.Context, accountID, call string, output []byte) error
	Reached(ctx context.Context, wabaKey, recipient string, since time.Time, limit int) (customers int, counted bool, err error)
	PruneReached(ctx context.Context, cutoff time.Time) (more bool, err error)
	PruneInvocations(ctx context.Context, now time.Time) (more bool, err error)
	PruneEvents(ctx context.Context, cutoff time.Time) (more bool, err error)
	PruneMessages(ctx context.Context, cutoff time.Time) (more bool, err error)
	PruneUnclaimed(ctx context.Context, cutoff time.Time) (more bool, err error)
	Setting(ctx context.Context, name string) ([]byte, error)
	InitSetting(ctx context.Context, name string, sealed []byte) ([]byte, error)
}

// Run holds an engine to the contract. open returns an empty store that is closed by the test's cleanup; for a store that
// survives a crash, reopen returns the same data as after the process died.
func Run(t *testing.T, open func(t *testing.T) Store) {
	for name, test := range map[string]func(*testing.T, *world){
		"accept is idempotent per invocation":      acceptOnce,
		"concurrent retries are one message":       acceptConcurrently,
		"a call is carried out once":               callsOnce,
		"concurrent attempts of a call":            callsConcurrently,
		"jobs come in order and by priority":       jobsInOrder,
		"scheduled messages wait for their time":   scheduled,
		"what becomes due comes behind the rest":   scheduleOrder,
		"what becomes due gets one place":          releaseOnce,
		"validity that is over is found":           expired,
		"what waits can be taken back":             cancelQueued,
		"what left, or may have, cannot":           cancelTooLate,
		"taking back and sending exclude another":  cancelRace,
		"proof outranks taking back":               cancelDisproved,
		"what is scheduled keeps no others":        pruneScheduled,
		"a blocked number is told of once":         blockOfNumber,
		"a blocked account is one incident":        blockOfAccount,
		"another block ends the one before":        blockChanges,
		"blocked together is one incident":         blockTogether,
		"a block ends with the link":               blockUnlinked,
		"lanes are listed once":                    lanes,
		"one owner holds a lease":                  leaseOwner,
		"an expired lease moves with a new fence":  leaseMoves,
		"a jump of the clock takes no lease away":  leaseOutlivesJump,
		"a clock that was set back delays nothing": setBack,
		"two claimers, one winner":                 leaseRace,
		"begin marks the attempt and only once":    beginOnce,
		"a late settle changes nothing":            lateSettle,
		"an outcome counts without the lease":      outcomeWithoutLease,
		"finish ends the job and reports it":       finish,
		"statuses move the message forward":        statuses,
		"statuses end the same in any order":       statusesInAnyOrder,
		"everybody in a group has statuses":        groupStatuses,
		"what a repeated status adds is kept":      evidenceGrows,
		"a message handed over twice is told of":   copies,
		"notices are kept by Meta's time":          notices,
		"missing statuses are found and end":       missingStatuses,
		"what stays missing is left behind":        missingForEver,
		"what waits in the inbox is not missing":   overdueBehindInbox,
		"unlinked numbers are silent for nobody":   unlinkedSilence,
		"repeated webhooks change nothing":         repeats,
		"what was given up on can fail after all":  droppedThenFailed,
		"a status proves a hand-over":              prove,
		"an early status waits for its message":    orphanMatched,
		"an orphan is published in the end":        orphanReleased,
		"the inbox tells of arrivals":              arrivals,
		"the inbox is read in portions":            inboxPortions,
		"parts of a batch may be done already":     partsOfABatch,
		"opaque data of others proves nothing":     proveOthers,
		"inbound messages open the window once":    inbound,
		"unknown accounts are kept and visible":    unknownAccount,
		"rejected webhooks are kept and visible":   reject,
		"it is known what was understood":          understood,
		"a failing change leaves nothing behind":   allOrNothing,
		"events go to their destination in order":  deliveries,
		"without a destination nothing is queued":  noDestination,
		"a single event is published":              publishOne,
		"dead letters leave the queue":             deadLetters,
		"settling deliveries needs the lease":      deliveryFence,
		"old events are pruned, waiting ones stay": prune,
		"waiting events keep no others":            pruneBehind,
		"customers written to first are counted":   reached,
		"old messages are pruned with their past":  pruneMessages,
		"messages are found by what is asked":      search,
		"searches do not wait for each other":      searchConcurrently,
		"a search continues where it stopped":      searchPages,
		"accounts do not see each other":           tenants,
		"linking again updates, elsewhere refuses": link,
		"a sign-up is finished once":               signUp,
		"a second sign-up adds to the first":       signUpAgain,
		"a sign-up says where callbacks go":        signUpCallback,
		"sign-ups are bounded and exclusive":       signUpRefused,
		"unlinking finishes what waits":            unlink,
		"statuses come after unlinking":            unlinkedStatuses,
		"proof comes after unlinking":              proofAfterUnlinking,
		"a number that moves leaves its past":      unlinkKeepsTenantsApart,
		"refreshes are claimed and stored":         refreshes,
		"a webhook makes a refresh due":            refreshAfterWebhook,
		"numbers are imported once":                importOnce,
		"imports follow the destination":           importMoves,
		"only set-up numbers are imported":         importRegistered,
		"what failed alone makes room for others":  postponed,
		"too old events are buried":                buryOld,
		"copies go to those who want them":         additional,
		"additional destinations are bounded":      additionalRefused,
		"additional destinations change":           additionalChanged,
		"a deleted destination is purged":          additionalDeleted,
		"a destination's state is kept":            queueState,
		"destinations are halted and resumed":      halts,
		"alerts spare the destination concerned":   alertsElsewhere,
		"attempts are summed up":                   attemptLog,
		"a copy that died goes where it died":      requeueCopies,
		"a replay can be for one destination":      replayToOne,
		"dead letters are listed in order":         deadEvents,
		"dead letters can be published after all":  requeueDeadEvents,
		"dead letters can be forgotten":            discardDeadEvents,
		"history is published again":               replay,
		"a replay continues where it stopped":      replayPages,
		"a replay tells events apart":              replayKinds,
		"what nobody could use can be read":        unclaimedWebhook,
		"template listings are kept":               templatesListed,
		"template webhooks keep their order":       templatesTold,
		"tags":                                     tags,
		"access keys":                              accessKeys,
		"an account comes with its key":            createAccount,
		"pages of WABAs":                           pages,
		"a setting is made once":                   settings,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newWorld(t, open(t)))
		})
	}
}

// world is a store with one account, one WABA and one number.
type world struct {
	Store
	ctx   context.Context
	waba  account.WABA
	phone account.PhoneNumber
	now   time.Time
}

const topicARN = "arn:aws:sns:us-east-1:000000000000:events"

func newWorld(t *testing.T, s Store) *world {
	w := &world{Store: s, ctx: t.Context(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	w.waba, w.phone = w.link(t, "000000000000", 1)
	return w
}

// link adds an account with a WABA and a number whose ids end in n.
func (w *world) link(t *testing.T, accountID string, n int) (account.WABA, account.PhoneNumber) {
	t.Helper()
	user := identity.User{ID: fmt.Sprintf("AIDA%016d", n), AccountID: accountID, Name: "admin", Path: "/", CreatedAt: w.now}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: accountID, CreatedAt: w.now}, identity.AccessKey{User: user}, nil))
	waba := account.WABA{Key: fmt.Sprintf("%032d", n), AccountID: accountID, MetaID: fmt.Sprintf("12%014d", n), Name: "Shop",
		RegistrationStatus: account.Complete, LinkedAt: w.now, Destination: &account.Destination{ARN: topicARN}}
	phone := account.PhoneNumber{Key: fmt.Sprintf("%032d", n), AccountID: accountID, WABAKey: waba.Key, MetaID: fmt.Sprintf("11%014d", n),
		E164: "+15550100001", DisplayName: "Shop", DisplayNumber: "+1 555-010-0001", QualityRating: "GREEN", Status: account.Active,
		Throughput: account.ThroughputStandard, Registered: true}
	must(t, w.Link(w.ctx, waba, []byte("sealed-token"), []account.PhoneNumber{phone}))
	return waba, phone
}

func (w *world) outbound() *message.Outbound {
	return &message.Outbound{ID: uuid.NewString(), AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: w.phone.Key, MetaVersion: "v20.0",
		Kind: "text", Recipient: "14255550150", Priority: message.Bulk, AcceptedAt: w.now}
}

// accept puts a message into the queue.
func (w *world) accept(t *testing.T, m *message.Outbound) message.Job {
	t.Helper()
	id, seq, err := w.Accept(w.ctx, m, []byte("sealed "+m.ID))
	must(t, err)
	if id != m.ID || seq == 0 {
		t.Fatalf("Accept = %q, %d; want the message's own id and a place", id, seq)
	}
	return m.Job(seq)
}

func (w *world) lane(t *testing.T) lease.Lease {
	t.Helper()
	l, err := w.AcquireLease(w.ctx, "lane/"+w.phone.Key, "node", w.now, lease.TTL)
	must(t, err)
	return l
}

// begin starts an attempt of a job.
func (w *world) begin(t *testing.T, l lease.Lease, j *message.Job) {
	t.Helper()
	ok, err := w.Begin(w.ctx, l, j, w.now)
	must(t, err)
	if !ok {
		t.Fatal("Begin refused a waiting job")
	}
	j.Attempts++
}

// handOver takes a fresh message through an attempt that WhatsApp accepted.
func (w *world) handOver(t *testing.T, wamid string) *message.Outbound {
	t.Helper()
	m := w.outbound()
	j, l := w.accept(t, m), w.lane(t)
	w.begin(t, l, &j)
	ok, err := w.Finish(w.ctx, &j, message.Accepted, wamid, w.event(m.ID, wamid, "accepted"), w.now)
	must(t, err)
	if !ok {
		t.Fatal("Finish refused the current attempt")
	}
	return m
}

func (w *world) event(messageID, wamid, status string) *event.Event {
	return &event.Event{ID: uuid.NewString(), AccountID: w.waba.AccountID, WABAKey: w.waba.Key, PhoneKey: w.phone.Key, MessageID: messageID,
		WAMID: wamid, Field: "messages", Status: status, At: w.now, Entry: []byte("sealed " + status)}
}

// change is an update of the world's number.
func (w *world) change(kind event.ChangeKind, wamid, status string) event.Change {
	return event.Change{Kind: kind, WABAMetaID: w.waba.MetaID, PhoneMetaID: w.phone.MetaID, Field: "messages", Key: []byte(wamid + "/" + status),
		WAMID: wamid, Status: status, At: w.now, EventID: uuid.NewString(), Entry: []byte("sealed " + status),
		Retry: func() ([]byte, error) { return []byte("retry " + wamid + " " + status), nil }}
}

// receive stores a webhook and applies it with the given meaning.
func (w *world) receive(t *testing.T, changes ...event.Change) event.Applied {
	t.Helper()
	must(t, w.Receive(w.ctx, []byte("sealed"), w.now))
	list, err := w.Webhooks(w.ctx, 1000)
	must(t, err)
	return w.apply(t, list[len(list)-1], changes...)
}

func (w *world) apply(t *testing.T, hook event.Webhook, changes ...event.Change) event.Applied {
	t.Helper()
	res, err := w.Apply(w.ctx, []event.Understood{{Webhook: hook, Changes: changes}}, w.now, func(h event.HandOver) (*event.Event, error) {
		return w.event(h.MessageID, h.WAMID, "accepted"), nil
	})
	must(t, err)
	return res
}

// published lists the events that wait for the world's topic as "status message-id".
func (w *world) published(t *testing.T) string {
	t.Helper()
	list, err := w.Undelivered(w.ctx, topicARN, w.now, 1000)
	must(t, err)
	var b strings.Builder
	for _, d := range list {
		fmt.Fprintf(&b, "%s %s\n", d.Status, d.MessageID)
	}
	return b.String()
}

func (w *world) state(t *testing.T, id string) message.Status {
	t.Helper()
	st, ok, err := w.Lookup(w.ctx, w.waba.AccountID, id)
	must(t, err)
	if !ok {
		t.Fatalf("message %s is unknown", id)
	}
	return st
}

func (w *world) queued(t *testing.T) int {
	t.Helper()
	n := 0
	for _, p := range message.Priorities() {
		jobs, err := w.Jobs(w.ctx, w.phone.Key, p, 0, 1000)
		must(t, err)
		n += len(jobs)
	}
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// parallel runs n functions at once and returns their results.
func parallel[T any](n int, fn func(i int) T) []T {
	out := make([]T, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { out[i] = fn(i) })
	}
	wg.Wait()
	return out
}
