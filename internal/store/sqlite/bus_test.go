package sqlite

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/queue"
	"github.com/waxwing-messaging/waxwing/internal/store/storetest"
)

func TestRuleContract(t *testing.T) {
	t.Parallel()
	storetest.RunRules(t, func(t *testing.T) storetest.BusStore {
		return open(t, filepath.Join(t.TempDir(), "waxwing.db"), Options{Exclusive: true})
	})
}

func (c *cutOff) deleteTopic() func() error {
	seedTopic(c.t, c.DB, 2, c.now)
	return func() error { _, err := c.DeleteTopic(context.Background(), seededTopic); return err }
}

// rule makes a rule with one target.
func (c *cutOff) rule() bus.Target {
	name := c.fresh("rule")
	c.must(c.PutBusRule(context.Background(), bus.Rule{ARN: name, AccountID: "1", Name: name, Pattern: "{}", State: bus.Enabled}, 1000))
	t := bus.Target{AccountID: "1", RuleARN: name, ID: "t", ARN: "arn"}
	c.must(c.PutBusTargets(context.Background(), name, []bus.Target{t}, 5))
	return t
}

func (c *cutOff) putTarget() func() error {
	first := c.rule()
	second := first
	second.ID = "u"
	return func() error {
		return c.PutBusTargets(context.Background(), first.RuleARN, []bus.Target{first, second}, 5)
	}
}

func (c *cutOff) removeTarget() func() error {
	t := c.rule()
	return func() error {
		_, _, err := c.RemoveBusTargets(context.Background(), t.RuleARN, []string{t.ID})
		return err
	}
}

func (c *cutOff) putEvents() func() error {
	c.rule()
	routes, version, err := c.BusRouting(context.Background(), "1")
	c.must(err)
	events := []bus.Routed{{Record: queue.Record{ID: c.fresh("e"), Sealed: []byte("x")}, Queues: routes[0].Queues},
		{Record: queue.Record{ID: c.fresh("e"), Sealed: []byte("x")}, Queues: routes[0].Queues}}
	return func() error {
		_, err := c.PutBusEvents(context.Background(), "1", version, events)
		return err
	}
}
