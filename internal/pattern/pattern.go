// Package pattern decides which JSON events somebody wants, in the two dialects in which AWS lets people say so: event patterns
// of Amazon EventBridge and subscription filter policies of Amazon SNS.
//
// A pattern looks like the events it matches, with a list of accepted values or comparisons at every leaf. It is compiled once;
// matching walks the event's own bytes and, as a rule, allocates nothing. An event's lists match if any of their elements does,
// and what a pattern asks of the members of a list's objects has to be met by one of those objects. A period in a name stands for
// a step down, in patterns and in events, as with AWS. The package knows nothing of rules, targets or subscriptions.
package pattern

import (
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// Pattern is a compiled pattern. It is safe for concurrent use.
type Pattern struct {
	trees []*node // the event has to match a rule of one: a pattern without $or has one rule, the others one a combination of alternatives
}

// Event is a JSON object, ready to be matched with any number of patterns.
type Event struct {
	root rawjson.Value
}

// Decode checks that a text is a JSON object. The event refers to the text.
func Decode(text []byte) (e Event, ok bool) {
	if root, ok := rawjson.Parse(text); ok && root.IsObject() {
		return Event{root}, true
	}
	return Event{}, false
}

// Match reports whether the pattern wants an event. Nothing matches the zero Event.
func (p *Pattern) Match(e Event) bool {
	if e.root == nil {
		return false
	}
	for _, tree := range p.trees {
		if tree.match(e.root, 0).unmet != tree.all {
			return true
		}
	}
	return false
}
