package template

import (
	"fmt"
	"strings"
)

// Problem is something that Meta refuses, or may refuse, about a definition or a message.
type Problem struct {
	Member string // path from the definition, or from the message object: "components[1].text"; "" for the whole
	Text   string // what is wrong
	Mend   string // what to do about it
	Code   int    // Meta's code for it (of messages) or subcode (of definitions); 0 if it has none, or none is known
	// Reason is Meta's word for it when a reviewer rejects a template because of it (rejected_reason); "" if it is not for reviewers.
	Reason string
	// Certain tells what Meta refuses from what it may refuse: reviewers look at meaning, and some rules are known only from
	// what happened to others.
	Certain bool
}

func (p Problem) String() string {
	s := p.Text
	if p.Member != "" {
		s = p.Member + ": " + s
	}
	if p.Mend != "" {
		s += " (" + p.Mend + ")"
	}
	return s
}

// Certain returns the problems for which Meta's refusal is certain.
func Certain(problems []Problem) []Problem {
	var list []Problem
	for _, p := range problems {
		if p.Certain {
			list = append(list, p)
		}
	}
	return list
}

// maxTold is how many problems one text names; the rest is counted.
const maxTold = 20

// Tell puts problems into one text.
func Tell(problems []Problem) string {
	var b strings.Builder
	for i, p := range problems {
		if i == maxTold {
			fmt.Fprintf(&b, "; and %d more", len(problems)-i)
			break
		}
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(p.String())
	}
	return b.String()
}

// findings collects problems.
type findings struct{ list []Problem }

// refuse notes what Meta certainly refuses; code is 0 where none is known.
func (f *findings) refuse(at value, code int, text, mend string) {
	f.note(at.path, code, text, mend, true)
}

// doubt notes what Meta may refuse.
func (f *findings) doubt(at value, code int, text, mend string) {
	f.note(at.path, code, text, mend, false)
}

func (f *findings) note(member string, code int, text, mend string, certain bool) {
	f.list = append(f.list, Problem{Member: member, Text: text, Mend: mend, Code: code, Certain: certain})
}

// suspect notes what a reviewer may reject, in Meta's word for the reason.
func (f *findings) suspect(at value, reason, text, mend string) {
	f.list = append(f.list, Problem{Member: at.path, Text: text, Mend: mend, Reason: reason})
}
