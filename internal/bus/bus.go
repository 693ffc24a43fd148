// Package bus is the built-in event bus: a small, exact subset of Amazon EventBridge, in which every account has a default bus.
//
// It knows events with their envelope, rules that say which events somebody wants, targets with what they receive of them, and
// the API destinations and connections that HTTPS targets are made of. An event that is put is matched with the account's rules
// and stored once, with a delivery for each target of the rules that match, in a single commit; internal/fanout delivers
// afterwards. Delivery is at least once and not in order, as with EventBridge. The wire form of the operations is in
// internal/awsapi/events; how targets are reached is in internal/destination/target.
package bus

import (
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Default is the name of the one bus that an account has.
const Default = "default"

// Quotas of EventBridge, as they are before anyone has asked for more.
const (
	maxRules        = 300 // of a bus
	maxTargets      = 5   // of a rule
	maxConnections  = 3000
	maxDestinations = 3000
)

func arn(s account.Scope, resource string) string {
	return "arn:" + s.Partition + ":events:" + s.Region + ":" + s.AccountID + ":" + resource
}

// RuleARN names a rule on the default bus.
func RuleARN(s account.Scope, name string) string { return arn(s, "rule/"+name) }

// Resolve checks that a name or ARN, or nothing at all, means the default bus.
func Resolve(s account.Scope, nameOrARN string) error {
	switch nameOrARN {
	case "", Default, event.BusARN(s, Default):
		return nil
	}
	name := nameOrARN
	if i := strings.LastIndex(name, "event-bus/"); i >= 0 {
		name = name[i+len("event-bus/"):]
	}
	return fault.New(fault.NotFound, "Event bus %s does not exist.", name)
}

// invalid is EventBridge's way to say that a parameter is wrong.
func invalid(parameter, reason string, args ...any) error {
	return fault.New(fault.Validation, "Parameter "+parameter+" is not valid. Reason: "+reason, args...)
}
