package meta

import (
	"errors"
	"net/http"
	"slices"
)

// Class is what an error means for another attempt. The set is closed; it is also a metric label.
type Class string

const (
	Permanent   Class = "permanent"   // the same request will not succeed within hours: someone has to change it
	Blocked     Class = "blocked"     // what Scope says may not send for now, whatever it sends: wait, or put the account right
	Transient   Class = "transient"   // trouble on Meta's side or on the way: try again later
	Throttled   Class = "throttled"   // too fast: slow down what Scope says, then try again
	Credentials Class = "credentials" // the token, or what it may do, was refused: nothing passes until it is replaced
)

// Scope is how far an error reaches: for a throttle what has to slow down, otherwise what else would fail the same way.
type Scope string

const (
	Single  Scope = ""        // this request only
	Pair    Scope = "pair"    // this number to this recipient
	Number  Scope = "number"  // everything this business number does
	Account Scope = "account" // everything the WhatsApp Business Account does
	App     Scope = "app"     // everything the Meta app does
)

// Row is what is known of one error code, or of a run of codes.
type Row struct {
	Code        int // first of the run
	Last        int // last of the run; 0 when it is one code
	Title       string
	Class       Class
	Scope       Scope
	Explanation string // in plain words
	Action      string // what whoever sends can do
}

func (r *Row) has(code int) bool { return code == r.Code || code > r.Code && code <= r.Last }

// Codes returns the rows of the error table in order of code.
func Codes() []Row { return slices.Clone(codes) }

// Subcodes returns the rows that go by error_subcode, whatever the code, in order of subcode.
func Subcodes() []Row { return slices.Clone(subcodes) }

// Lookup returns the row of an error. Where the code is one of those that say little, a row for the subcode comes first. It
// reports false for codes Meta has not documented.
func Lookup(code, subcode int) (Row, bool) {
	row, known := find(codes, code)
	if subcode != 0 && (!known || vague(code)) {
		if better, ok := find(subcodes, subcode); ok {
			return better, true
		}
	}
	return row, known
}

// vague reports whether a code is one of Graph's own, which many unrelated errors share.
func vague(code int) bool {
	return code == 1 || code == 2 || code == 10 || code == 100 || code == 190 || code == 200 || code == 368
}

func find(rows []Row, code int) (Row, bool) {
	i, exact := slices.BinarySearchFunc(rows, code, func(r Row, code int) int { return r.Code - code })
	if !exact {
		if i == 0 {
			return Row{}, false
		}
		i--
	}
	if !rows[i].has(code) {
		return Row{}, false
	}
	return rows[i], true
}

// ClassOf returns the class of any error of this package. What brought no answer is transient, as is everything unknown.
func ClassOf(err error) Class {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Class()
	}
	return Transient
}

// Class returns what the error means for another attempt. Codes Meta has not documented go by its own hint and by the HTTP
// status; answers that are not Graph's tell about the way to Meta rather than about the request, and are mostly transient.
func (e *Error) Class() Class {
	if e.Graph {
		if row, ok := Lookup(e.Code, e.Subcode); ok {
			if row.Class == Permanent && e.Transient {
				return Transient
			}
			return row.Class
		}
	}
	switch {
	case e.HTTPStatus == http.StatusTooManyRequests:
		return Throttled
	case e.HTTPStatus == http.StatusUnauthorized:
		return Credentials
	case e.HTTPStatus == http.StatusRequestEntityTooLarge:
		return Permanent
	case !e.Graph || e.Transient || e.HTTPStatus >= 500:
		return Transient
	default:
		return Permanent
	}
}

// Scope returns how far the error reaches. Throttles that do not say are taken to be the number's.
func (e *Error) Scope() Scope {
	if e.Graph {
		if row, ok := Lookup(e.Code, e.Subcode); ok {
			return row.Scope
		}
	}
	switch e.Class() {
	case Throttled:
		return Number
	case Credentials:
		return Account
	default:
		return Single
	}
}
