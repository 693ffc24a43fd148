package template

import (
	"slices"
	"strings"
)

// Duplicate looks for the wording of a draft among the other templates of its business account. Meta's reviewers reject a draft
// whose body and footer say what those of another template say; Meta takes it for review all the same. Translations share a name
// and are no duplicates, nor is what repeats something that was rejected or deleted. Texts of AUTHENTICATION templates are Meta's
// own and all alike.
func Duplicate(draft *Template, others []*Template) []Problem {
	if draft.Category == Authentication || draft.Body.Text == "" {
		return nil
	}
	for _, t := range others {
		if t.Name != draft.Name && t.Category != Authentication && !slices.Contains(past, t.Status) &&
			wording(t.Body.Text) == wording(draft.Body.Text) && wording(t.Footer) == wording(draft.Footer) {
			return []Problem{{Member: "components", Text: "has the body and footer of the template " + t.Name + " (" + t.Language + "), and duplicates are rejected",
				Mend: "send that template, or say something else"}}
		}
	}
	return nil
}

// past are statuses of templates that a new one may repeat.
var past = []Status{Rejected, PendingDeletion, Disabled, Archived}

// wording is a text without what nobody sees of it.
func wording(s string) string { return strings.Join(strings.Fields(s), " ") }
