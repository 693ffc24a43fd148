package bus

import (
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
)

// State says whether a rule takes part.
type State string

const (
	Enabled    State = "ENABLED"
	Disabled   State = "DISABLED"
	EnabledAll State = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" // the same as Enabled, where there are no such events
)

// Rule says which events somebody wants. Who that is are its targets.
type Rule struct {
	ARN         string
	AccountID   string
	Name        string
	Pattern     string // an event pattern as its owner wrote it
	State       State
	Description string
	RoleARN     string // kept, and of no effect: targets belong to the rule's own account
	CreatedAt   time.Time
}

// errNoPattern is EventBridge's word for a rule that nothing can set off.
var errNoPattern = fault.New(fault.Validation, "Parameter(s) EventPattern or ScheduleExpression must be specified.")

// check reports why there cannot be such a rule. A pattern that is wrong is a fault.InvalidParameters.
func (r *Rule) check() error {
	if r.Pattern == "" {
		return errNoPattern
	}
	_, err := pattern.ParseEvent(r.Pattern)
	return err
}
