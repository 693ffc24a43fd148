package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/lease"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// BusStore is what the built-in event bus asks of an engine.
type BusStore interface {
	bus.Store
	fanout.Store
	fanoutAdmin
}

// RunRules holds an engine to the part of the contract that concerns the built-in event bus.
func RunRules(t *testing.T, open func(t *testing.T) BusStore) {
	for name, test := range map[string]func(*testing.T, *station){
		"rules are made, changed, listed and deleted":      busRules,
		"accounts have rules of their own":                 busTenants,
		"rules and targets are limited":                    busLimits,
		"targets are put, listed and removed":              busTargets,
		"rules are found by the targets they have":         busRuleNames,
		"every change of rules is a new version":           busVersions,
		"routing is that of enabled rules":                 busRouting,
		"events wait in the queues of targets":             busEvents,
		"events routed by old rules are not stored":        busOutdated,
		"a removed target's queue can be emptied":          busRemovedTarget,
		"a changed target keeps its queue":                 busChangedTarget,
		"dead letters find the target again":               busDeadLetters,
		"connections are made once":                        busConnections,
		"API destinations need a connection to be called":  busDestinations,
		"concurrent changes and events lose and leak none": busConcurrently,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, &station{BusStore: open(t), ctx: t.Context(), now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC), account: "000000000000"})
		})
	}
}

// station is a store in which an event bus is tried out.
type station struct {
	BusStore
	ctx     context.Context
	now     time.Time
	account string
}

const manyRules = 10

func (s *station) scope() account.Scope {
	return account.Scope{Partition: "aws", Region: "us-east-1", AccountID: s.account}
}

func (s *station) arn(name string) string { return bus.RuleARN(s.scope(), name) }

func (s *station) newRule(name string) bus.Rule {
	return bus.Rule{ARN: s.arn(name), AccountID: s.account, Name: name, Pattern: `{"source":["` + name + `"]}`, State: bus.Enabled, CreatedAt: s.now}
}

func (s *station) rule(t *testing.T, name string) bus.Rule {
	t.Helper()
	r := s.newRule(name)
	must(t, s.PutBusRule(s.ctx, r, manyRules))
	return r
}

func (s *station) newTarget(rule, id string) bus.Target {
	return bus.Target{AccountID: s.account, RuleARN: s.arn(rule), ID: id, ARN: "arn:aws:sns:us-east-1:" + s.account + ":" + id,
		Settings: bus.Settings{Input: bus.Input{Template: `"<x>"`, Paths: map[string]string{"x": "$.id"}}, MaxAge: 60, Attempts: 1,
			HTTP: &bus.HTTPParameters{Path: []string{"a"}, Header: map[string]string{"b": "c"}}}}
}

// targets gives a rule targets and returns them as they are stored.
func (s *station) targets(t *testing.T, rule string, ids ...string) []bus.Target {
	t.Helper()
	var list []bus.Target
	for _, id := range ids {
		list = append(list, s.newTarget(rule, id))
	}
	must(t, s.PutBusTargets(s.ctx, s.arn(rule), list, 5))
	stored, err := s.BusTargets(s.ctx, s.arn(rule), "", 10)
	must(t, err)
	return stored
}

func (s *station) version(t *testing.T) int64 {
	t.Helper()
	v, err := s.BusVersion(s.ctx, s.account)
	must(t, err)
	return v
}

// put stores an event for queues and returns its id.
func (s *station) put(t *testing.T, queues ...int64) string {
	t.Helper()
	s.now = s.now.Add(time.Millisecond)
	id := uuid.NewString()
	current, err := s.PutBusEvents(s.ctx, s.account, s.version(t), []bus.Routed{{Record: queue.Record{ID: id, PublishedAt: s.now, Sealed: []byte("sealed " + id)}, Queues: queues}})
	must(t, err)
	if !current {
		t.Fatal("the event was not stored")
	}
	return id
}

func (s *station) due(t *testing.T, key int64) queue.Due {
	t.Helper()
	d, err := s.DueMessages(s.ctx, key, s.now, nil, 100, 1<<20)
	must(t, err)
	return d
}

// settle gives everything that is due in a queue the same fate.
func (s *station) settle(t *testing.T, key int64, fate queue.Fate) {
	t.Helper()
	l, err := s.AcquireLease(s.ctx, fmt.Sprint("queue/", key), "node", s.now, lease.TTL)
	must(t, err)
	var outcomes []queue.Outcome
	for _, m := range s.due(t, key).Messages {
		outcomes = append(outcomes, queue.Outcome{Seq: m.Seq, Due: m.Due, Fate: fate, Reason: "refused", Next: s.now.Add(time.Minute)})
	}
	if held, err := s.SettleMessages(s.ctx, l, key, outcomes, s.now); err != nil || !held {
		t.Fatalf("settle: %v, %v", held, err)
	}
}

func isFault(t *testing.T, what string, err error, kind fault.Kind) {
	t.Helper()
	if !fault.Is(err, kind) {
		t.Errorf("%s = %v, want %s", what, err, kind)
	}
}

func busRules(t *testing.T, s *station) {
	for _, name := range []string{"c.3", "a.1", "b.2", "a.0"} {
		s.rule(t, name)
	}
	changed := s.newRule("b.2")
	changed.Pattern, changed.State, changed.Description, changed.RoleARN = `{}`, bus.Disabled, "two", "arn:aws:iam::000000000000:role/r"
	second := changed
	second.CreatedAt = s.now.Add(time.Hour)
	must(t, s.PutBusRule(s.ctx, second, manyRules))
	got, err := s.BusRule(s.ctx, changed.ARN)
	must(t, err)
	same(t, "changed", got, changed)
	must(t, s.SetBusRuleState(s.ctx, changed.ARN, bus.Enabled))
	got, err = s.BusRule(s.ctx, changed.ARN)
	must(t, err)
	same(t, "state", got.State, bus.Enabled)

	names := func(prefix, after string, limit int) (out []string) {
		list, err := s.BusRules(s.ctx, s.account, prefix, after, limit)
		must(t, err)
		for _, r := range list {
			out = append(out, r.Name)
		}
		return out
	}
	same(t, "first page", names("", "", 3), []string{"a.0", "a.1", "b.2"})
	same(t, "second page", names("", "b.2", 3), []string{"c.3"})
	same(t, "by prefix", names("a.", "", 3), []string{"a.0", "a.1"})
	same(t, "by prefix, second page", names("a.", "a.0", 3), []string{"a.1"})

	for range 2 { // deleting what is gone is fine
		must(t, s.DeleteBusRule(s.ctx, s.arn("a.1")))
	}
	_, err = s.BusRule(s.ctx, s.arn("a.1"))
	isFault(t, "a deleted rule", err, fault.NotFound)
	isFault(t, "enabling it", s.SetBusRuleState(s.ctx, s.arn("a.1"), bus.Enabled), fault.NotFound)
}

func busTenants(t *testing.T, s *station) {
	s.rule(t, "mine")
	s.targets(t, "mine", "t")
	other := *s
	other.account = "111122223333"
	list, err := s.BusRules(s.ctx, other.account, "", "", 10)
	must(t, err)
	names, err := s.BusRuleNames(s.ctx, other.account, s.newTarget("mine", "t").ARN, "", 10)
	must(t, err)
	routes, version, err := s.BusRouting(s.ctx, other.account)
	must(t, err)
	if len(list)+len(names)+len(routes) != 0 || version != 0 {
		t.Errorf("another account sees %v %v %v, version %d", list, names, routes, version)
	}
	other.rule(t, "mine")
	isFault(t, "a rule that has targets", s.DeleteBusRule(s.ctx, s.arn("mine")), fault.Validation)
	must(t, s.DeleteBusRule(s.ctx, other.arn("mine")))
}

func busLimits(t *testing.T, s *station) {
	for i := range manyRules {
		s.rule(t, fmt.Sprint("r", i))
	}
	isFault(t, "one rule more", s.PutBusRule(s.ctx, s.newRule("more"), manyRules), fault.LimitExceeded)
	must(t, s.PutBusRule(s.ctx, s.newRule("r1"), manyRules)) // it is there already
	s.targets(t, "r1", "a", "b", "c", "d")
	err := s.PutBusTargets(s.ctx, s.arn("r1"), []bus.Target{s.newTarget("r1", "a"), s.newTarget("r1", "e"), s.newTarget("r1", "f")}, 5)
	isFault(t, "two targets more", err, fault.LimitExceeded)
	same(t, "targets", len(s.targets(t, "r1", "e", "a")), 5)
}

func busTargets(t *testing.T, s *station) {
	s.rule(t, "orders")
	stored := s.targets(t, "orders", "c", "a", "b")
	for i, id := range []string{"a", "b", "c"} {
		want := s.newTarget("orders", id)
		want.Key = stored[i].Key
		same(t, "stored", stored[i], want)
	}
	page, err := s.BusTargets(s.ctx, s.arn("orders"), "a", 1)
	must(t, err)
	same(t, "page", page, stored[1:2])
	queues, absent, err := s.RemoveBusTargets(s.ctx, s.arn("orders"), []string{"b", "nobody", "c"})
	must(t, err)
	same(t, "removed", queues, []int64{stored[1].Key, stored[2].Key})
	same(t, "absent", absent, []string{"nobody"})
	left, err := s.BusTargets(s.ctx, s.arn("orders"), "", 10)
	must(t, err)
	same(t, "left", left, stored[:1])

	gone := s.arn("gone")
	_, err = s.BusTargets(s.ctx, gone, "", 10)
	isFault(t, "targets of no rule", err, fault.NotFound)
	_, _, err = s.RemoveBusTargets(s.ctx, gone, []string{"a"})
	isFault(t, "removing from no rule", err, fault.NotFound)
	isFault(t, "putting on no rule", s.PutBusTargets(s.ctx, gone, []bus.Target{s.newTarget("gone", "a")}, 5), fault.NotFound)
}

func busRuleNames(t *testing.T, s *station) {
	for _, rule := range []string{"b", "a", "c"} {
		s.rule(t, rule)
	}
	s.targets(t, "a", "x")
	s.targets(t, "b", "x", "y")
	s.targets(t, "c", "y")
	names, err := s.BusRuleNames(s.ctx, s.account, s.newTarget("", "x").ARN, "", 10)
	must(t, err)
	same(t, "of x", names, []string{"a", "b"})
	names, err = s.BusRuleNames(s.ctx, s.account, s.newTarget("", "y").ARN, "b", 10)
	must(t, err)
	same(t, "of y, behind b", names, []string{"c"})
}

func busVersions(t *testing.T, s *station) {
	same(t, "before anything", s.version(t), int64(0))
	seen := map[int64]bool{0: true}
	for i, change := range []func(){
		func() { s.rule(t, "r") },
		func() { s.targets(t, "r", "a") },
		func() { must(t, s.SetBusRuleState(s.ctx, s.arn("r"), bus.Disabled)) },
		func() { s.rule(t, "r") },
		func() {
			_, _, err := s.RemoveBusTargets(s.ctx, s.arn("r"), []string{"a"})
			must(t, err)
		},
		func() { must(t, s.DeleteBusRule(s.ctx, s.arn("r"))) },
	} {
		change()
		if v := s.version(t); seen[v] {
			t.Errorf("after change %d the version is %d again", i, v)
		} else {
			seen[v] = true
		}
	}
}

func busRouting(t *testing.T, s *station) {
	for _, rule := range []string{"b", "a", "off", "idle"} {
		s.rule(t, rule)
	}
	a, b := s.targets(t, "a", "x"), s.targets(t, "b", "y", "x")
	s.targets(t, "off", "x")
	must(t, s.SetBusRuleState(s.ctx, s.arn("off"), bus.Disabled))
	routes, version, err := s.BusRouting(s.ctx, s.account)
	must(t, err)
	same(t, "routes", routes, []bus.Route{{Pattern: `{"source":["a"]}`, Queues: []int64{a[0].Key}},
		{Pattern: `{"source":["b"]}`, Queues: []int64{b[0].Key, b[1].Key}}})
	same(t, "version", version, s.version(t))
}

func busEvents(t *testing.T, s *station) {
	s.rule(t, "r")
	targets := s.targets(t, "r", "a", "b")
	first := s.put(t, targets[0].Key, targets[1].Key)
	second := s.put(t, targets[0].Key)
	d := s.due(t, targets[0].Key)
	same(t, "whom they are for", d.Subscriber, &targets[0])
	same(t, "first target", ids(d.Messages), []string{first, second})
	same(t, "body", string(d.Messages[0].Sealed), "sealed "+first)
	same(t, "second target", ids(s.due(t, targets[1].Key).Messages), []string{first})
	waiting, err := s.WaitingQueues(s.ctx, s.now)
	must(t, err)
	same(t, "waiting", waiting, []int64{targets[0].Key, targets[1].Key})
	s.settle(t, targets[0].Key, queue.Done)
	same(t, "settled", len(s.due(t, targets[0].Key).Messages), 0)
	same(t, "still there", ids(s.due(t, targets[1].Key).Messages), []string{first})
}

func busOutdated(t *testing.T, s *station) {
	s.rule(t, "r")
	targets := s.targets(t, "r", "a")
	old := s.version(t)
	_, _, err := s.RemoveBusTargets(s.ctx, s.arn("r"), []string{"a"})
	must(t, err)
	current, err := s.PutBusEvents(s.ctx, s.account, old, []bus.Routed{{Record: queue.Record{ID: "e", PublishedAt: s.now, Sealed: []byte("x")}, Queues: []int64{targets[0].Key}}})
	must(t, err)
	if current || len(s.due(t, targets[0].Key).Messages) != 0 {
		t.Error("an event was queued by rules that are not there any more")
	}
	if current, err := s.PutBusEvents(s.ctx, "111122223333", 1, nil); err != nil || current {
		t.Errorf("an account without rules has version 1: %v, %v", current, err)
	}
}

func busRemovedTarget(t *testing.T, s *station) {
	s.rule(t, "r")
	old := s.targets(t, "r", "a")[0]
	s.put(t, old.Key)
	_, _, err := s.RemoveBusTargets(s.ctx, s.arn("r"), []string{"a"})
	must(t, err)
	d := s.due(t, old.Key)
	if d.Subscriber != nil || len(d.Messages) != 1 || d.Messages[0].Sealed != nil {
		t.Fatalf("due = %+v, want an event of nobody, without its body", d)
	}
	must(t, s.SweepQueues(s.ctx, s.now, s.now)) // not before its queue is empty
	again := s.targets(t, "r", "a")[0]
	if again.Key == old.Key || len(s.due(t, again.Key).Messages) != 0 {
		t.Errorf("a new target of the same id has the old one's queue")
	}
	s.settle(t, old.Key, queue.Done)
	must(t, s.SweepQueues(s.ctx, s.now, s.now))
	same(t, "after the last event", s.due(t, old.Key), queue.Due{})
	id := s.put(t, again.Key)
	must(t, s.SweepQueues(s.ctx, s.now, s.now))
	same(t, "the new one's", ids(s.due(t, again.Key).Messages), []string{id})
}

func busChangedTarget(t *testing.T, s *station) {
	s.rule(t, "r")
	target := s.targets(t, "r", "a")[0]
	id := s.put(t, target.Key)
	changed := s.newTarget("r", "a")
	changed.ARN, changed.Settings = changed.ARN+"-2", bus.Settings{Input: bus.Input{Constant: `{}`}}
	must(t, s.PutBusTargets(s.ctx, s.arn("r"), []bus.Target{changed}, 5))
	changed.Key = target.Key
	d := s.due(t, target.Key)
	same(t, "whom it is for", d.Subscriber, &changed)
	same(t, "waiting", ids(d.Messages), []string{id})
}

func busDeadLetters(t *testing.T, s *station) {
	s.rule(t, "r")
	target := s.targets(t, "r", "a")[0]
	first, second := s.put(t, target.Key), s.put(t, target.Key)
	s.settle(t, target.Key, queue.Undone)
	letters, err := s.DeadMessages(s.ctx, s.account, 0, 10)
	must(t, err)
	if len(letters) != 2 || letters[0].Subscriber != target.Name() || letters[0].MessageID != first || letters[0].Reason != "refused" {
		t.Fatalf("dead letters %+v", letters)
	}
	_, _, err = s.RemoveBusTargets(s.ctx, s.arn("r"), []string{"a"})
	must(t, err)
	n, _, err := s.RequeueDeadMessages(s.ctx, s.account, []int64{letters[0].Key}, s.now)
	must(t, err)
	same(t, "requeued for nobody", n, 0)
	again := s.targets(t, "r", "a")[0]
	n, queues, err := s.RequeueDeadMessages(s.ctx, s.account, []int64{letters[0].Key, letters[1].Key}, s.now)
	must(t, err)
	same(t, "requeued", n, 2)
	same(t, "queues", queues, []int64{again.Key})
	same(t, "waiting", ids(s.due(t, again.Key).Messages), []string{first, second})
}

// Targets come and go while events are put: each event that was stored waits in a queue that somebody has or empties.
func busConcurrently(t *testing.T, s *station) {
	s.rule(t, "r")
	const workers, each = 6, 15
	type result struct {
		stored int
		err    error
	}
	results := parallel(workers, func(i int) (res result) {
		for n := range each {
			if i == 0 {
				if n%2 == 0 {
					res.err = s.PutBusTargets(s.ctx, s.arn("r"), []bus.Target{s.newTarget("r", "a")}, 5)
				} else {
					_, _, res.err = s.RemoveBusTargets(s.ctx, s.arn("r"), []string{"a"})
				}
				if res.err != nil {
					return res
				}
				continue
			}
			routes, version, err := s.BusRouting(s.ctx, s.account)
			if err != nil || len(routes) == 0 {
				res.err = err
				continue
			}
			current, err := s.PutBusEvents(s.ctx, s.account, version, []bus.Routed{{Record: queue.Record{ID: uuid.NewString(), PublishedAt: s.now, Sealed: []byte("x")}, Queues: routes[0].Queues}})
			if err != nil {
				return result{err: err}
			}
			if current {
				res.stored++
			}
		}
		return res
	})
	stored := 0
	for _, r := range results {
		must(t, r.err)
		stored += r.stored
	}
	found := 0
	waiting, err := s.WaitingQueues(s.ctx, s.now)
	must(t, err)
	for _, key := range waiting {
		found += len(s.due(t, key).Messages)
	}
	same(t, "events in queues", found, stored)
}
