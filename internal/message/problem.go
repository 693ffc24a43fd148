package message

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// problem is one reason to refuse a message: the member, as a path from the message object, and what is wrong with it.
// Checks return nil when all is well; paths are only put together on the way out.
type problem struct{ member, text string }

func wrong(member, format string, args ...any) *problem {
	return &problem{member, fmt.Sprintf(format, args...)}
}

// under moves a problem below an enclosing member.
func (p *problem) under(member string) *problem {
	if p == nil {
		return nil
	}
	switch {
	case p.member == "":
		p.member = member
	case p.member[0] == '[':
		p.member = member + p.member
	default:
		p.member = member + "." + p.member
	}
	return p
}

// at moves a problem below element i of an array.
func (p *problem) at(i int) *problem {
	if p == nil {
		return nil
	}
	return p.under("[" + strconv.Itoa(i) + "]")
}

// fault turns a problem into the error the sender sees.
func (p *problem) fault() error {
	if p == nil {
		return nil
	}
	return fault.New(fault.InvalidParameters, "%s %s", p.member, p.text)
}

// first returns the first problem there is.
func first(problems ...*problem) *problem {
	for _, p := range problems {
		if p != nil {
			return p
		}
	}
	return nil
}

const (
	required = "is required"
	noText   = 0 // no limit on a string's length
)

// needString demands a string of 1 to limit characters.
func needString(name string, v value, limit int) *problem {
	switch {
	case v == nil:
		return wrong(name, required)
	case v.IsString() && len(v) == 2:
		return wrong(name, "must not be empty")
	}
	return maybeString(name, v, limit)
}

// maybeString allows the member to be absent or empty.
func maybeString(name string, v value, limit int) *problem {
	switch {
	case v == nil:
		return nil
	case !v.IsString():
		return wrong(name, "must be a string")
	case limit != noText && len(v)-2 > limit && v.Runes() > limit: // bytes first: counting is for the few that may be too long
		return wrong(name, "must be at most %d characters", limit)
	}
	return nil
}

func needObject(name string, v value) *problem {
	if v == nil {
		return wrong(name, required)
	}
	return maybeObject(name, v)
}

func maybeObject(name string, v value) *problem {
	if v != nil && !v.IsObject() {
		return wrong(name, "must be an object")
	}
	return nil
}

// needArray demands an array of least to most elements; most is 0 for no upper limit.
func needArray(name string, v value, least, most int) *problem {
	if v == nil {
		return wrong(name, required)
	}
	if !v.IsArray() {
		return wrong(name, "must be an array")
	}
	if n := v.Length(); n < least {
		return wrong(name, "must have at least %s", count(least))
	} else if most > 0 && n > most {
		return wrong(name, "must have at most %s", count(most))
	}
	return nil
}

func count(n int) string {
	if n == 1 {
		return "1 element"
	}
	return strconv.Itoa(n) + " elements"
}

// oneOf demands one of a few strings.
func oneOf(name string, v value, allowed ...string) *problem {
	if v == nil {
		return wrong(name, required)
	}
	for _, a := range allowed {
		if v.Is(a) {
			return nil
		}
	}
	return wrong(name, "must be %s", strings.Join(allowed, " or "))
}

// needURL demands an absolute http or https address.
func needURL(name string, v value) *problem {
	if p := needString(name, v, noText); p != nil {
		return p
	}
	s := v.Text()
	if i := strings.Index(s, "://"); i < 0 || !strings.EqualFold(s[:i], "https") && !strings.EqualFold(s[:i], "http") || len(s) == i+3 {
		return wrong(name, "must be an http or https URL")
	}
	return nil
}

// needNumber demands a number, or a string holding one.
func needNumber(name string, v value) *problem {
	if v == nil {
		return wrong(name, required)
	}
	if _, ok := v.Number(); !ok {
		return wrong(name, "must be a number")
	}
	return nil
}

// needDegrees is needNumber for an angle within [-limit, limit].
func needDegrees(name string, v value, limit float64) *problem {
	if p := needNumber(name, v); p != nil {
		return p
	}
	if f, _ := v.Number(); f < -limit || f > limit {
		return wrong(name, "must be between %g and %g", -limit, limit)
	}
	return nil
}

// needIndex demands a position below limit, as a number or a string: Meta takes either.
func needIndex(name string, v value, limit int) *problem {
	if p := needNumber(name, v); p != nil {
		return p
	}
	if f, _ := v.Number(); f < 0 || f >= float64(limit) || f != math.Trunc(f) {
		return wrong(name, "must be a whole number from 0 to %d", limit-1)
	}
	return nil
}

// maybeDate allows a day as YYYY-MM-DD.
func maybeDate(name string, v value) *problem {
	if v == nil {
		return nil
	}
	if _, err := time.Parse(time.DateOnly, v.Text()); err != nil {
		return wrong(name, "must be a date of the form YYYY-MM-DD")
	}
	return nil
}
