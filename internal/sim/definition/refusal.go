package definition

import (
	"fmt"
	"net/http"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Subcodes of the refusals of template management.
const (
	LimitReached      = 2388019 // the account has as many templates as it may
	BeingDeleted      = 2388023 // the name is locked after a deletion
	Exists            = 2388024 // the name has a template in this language
	Unchangeable      = 2388039 // not in this state, or not so often
	TooLong           = 2388040
	BadComponent      = 2388042
	MissingField      = 2388043
	BadHeader         = 2388047
	BadBody           = 2388072
	BadFooter         = 2388073
	TooManyVariables  = 2388293
	DanglingVariables = 2388299
	NotFound          = 2593002
)

var titles = map[int]string{
	LimitReached:      "Template limit reached",
	BeingDeleted:      "Template content is being deleted",
	Exists:            "Content in this language already exists",
	Unchangeable:      "Template can't be changed",
	TooLong:           "Character limit exceeded",
	BadComponent:      "Component is not valid",
	MissingField:      "Component is incomplete",
	BadHeader:         "Header format is not valid",
	BadBody:           "Body format is not valid",
	BadFooter:         "Footer format is not valid",
	TooManyVariables:  "Too many variables",
	DanglingVariables: "Variables can't be at the start or the end",
	NotFound:          "Template not found",
}

// Refuse is code 100 with a subcode of template management; the words are for the user.
func Refuse(subcode int, format string, args ...any) *graph.Error {
	e := &graph.Error{HTTP: http.StatusBadRequest, Code: 100, Subcode: subcode, Message: "Invalid parameter",
		UserTitle: titles[subcode], UserMsg: fmt.Sprintf(format, args...)}
	if subcode == NotFound {
		e.HTTP = http.StatusNotFound
	}
	return e
}
