package pattern

import (
	"errors"
	"fmt"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// dialect is where the two languages differ.
type dialect struct {
	numbers      numbers
	combinations int  // of alternatives
	emptyIsNone  bool // a value that is null or "" does not exist
}

// maxNesting is how deep objects and lists lie in each other in a pattern. AWS names no limit; ours keeps short what it costs to
// walk along events.
const maxNesting = 100

// complaint is what is wrong with a pattern, in the words of AWS where they are known.
type complaint string

func (c complaint) Error() string { return string(c) }

func complain(format string, args ...any) error { return complaint(fmt.Sprintf(format, args...)) }

// Limits of event patterns. EventBridge's users can have the length raised; the others are fixed.
const (
	MaxEventPattern = 4096

	maxAlternatives = 1000 // combinations of $or
)

// eventBridge compares numbers up to five thousand million with six decimals.
var eventBridge = dialect{numbers: numbers{max: 5e9, decimals: 6}, combinations: maxAlternatives}

// ParseEvent compiles an event pattern of EventBridge. What is wrong with it is a fault.InvalidParameters whose text is that of
// EventBridge's InvalidEventPatternException.
func ParseEvent(source string) (*Pattern, error) {
	p, err := parseEvent(source)
	if reason, ok := errors.AsType[complaint](err); ok {
		return nil, fault.New(fault.InvalidParameters, "Event pattern is not valid. Reason: %s", reason)
	}
	return p, err
}

func parseEvent(source string) (*Pattern, error) {
	if len(source) > MaxEventPattern {
		return nil, complain("Pattern is longer than %d bytes", MaxEventPattern)
	}
	root, ok := rawjson.Parse([]byte(source))
	if !ok {
		return nil, complain("Invalid JSON")
	}
	if root.Depth() > maxNesting {
		return nil, errTooDeep
	}
	return eventBridge.compile(root)
}

// Scope is what a filter policy of SNS looks at.
type Scope string

const (
	Attributes Scope = "MessageAttributes" // of a message, each of which is a member of the event
	Body       Scope = "MessageBody"       // a JSON object
)

// Limits of filter policies.
const (
	MaxFilterPolicy = 256 << 10

	maxFilterKeys         = 5
	maxFilterCombinations = 150
	maxFilterGaps         = 3   // in one wildcard
	maxWildcardPoints     = 100 // over all wildcards
)

// filterPolicy compares numbers up to a thousand million with five decimals.
var filterPolicy = dialect{numbers: numbers{max: 1e9, decimals: 5}, combinations: maxFilterCombinations, emptyIsNone: true}

// ParseFilter compiles a filter policy of SNS. What is wrong with it is a fault.InvalidParameters whose text is SNS's, to which
// the caller adds which parameter it came in.
func ParseFilter(source string, scope Scope) (*Pattern, error) {
	p, err := parseFilter(source, scope)
	if reason, ok := errors.AsType[complaint](err); ok {
		return nil, fault.New(fault.InvalidParameters, "%s", reason)
	}
	return p, err
}

func parseFilter(source string, scope Scope) (*Pattern, error) {
	if len(source) > MaxFilterPolicy {
		return nil, complain("FilterPolicy: Filter policy is longer than %d bytes", MaxFilterPolicy)
	}
	root, ok := rawjson.Parse([]byte(source))
	if !ok {
		return nil, complain("FilterPolicy: failed to parse JSON.")
	}
	if root.Depth() > maxNesting {
		return nil, complain("FilterPolicy: %v", errTooDeep)
	}
	if root.Length() > maxFilterKeys && root.IsObject() {
		return nil, complain("FilterPolicy: Filter policy can not have more than %d keys", maxFilterKeys)
	}
	c := &effort{scope: scope}
	combinations, err := c.combinations(root, 1, 1)
	if err != nil {
		return nil, err
	}
	if combinations > maxFilterCombinations || c.points > maxWildcardPoints {
		return nil, complain("FilterPolicy: Filter policy is too complex")
	}
	p, err := filterPolicy.compile(root)
	if err != nil {
		return nil, complain("FilterPolicy: %v", err)
	}
	return p, nil
}
