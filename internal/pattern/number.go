package pattern

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// numbers says which numbers can be compared: those within ±max, with so many decimals. AWS documents both, for either dialect.
type numbers struct {
	max      float64
	decimals int
}

// scaled returns a number of an event in its smallest unit; ok is false for one that is too large. Decimals beyond those that
// count are rounded away.
func (n *numbers) scaled(digits []byte) (units int64, ok bool) {
	f, err := strconv.ParseFloat(string(digits), 64)
	if err != nil || math.Abs(f) > n.max {
		return 0, false
	}
	return int64(math.Round(f * math.Pow10(n.decimals))), true
}

// parse is scaled for a number of a pattern, which may not have more decimals than count.
func (n *numbers) parse(digits string) (units int64, err error) {
	units, ok := n.scaled([]byte(digits))
	if !ok {
		return 0, complain("Value must be between -%[1]s and %[1]s, inclusive", fmt.Sprintf("%.1fE9", n.max/1e9))
	}
	if decimals(digits) > n.decimals {
		return 0, complain("Only values upto %d decimals are supported", n.decimals)
	}
	return units, nil
}

// decimals counts the digits after the decimal point that a number has when it is written out, without zeros at the end.
func decimals(digits string) int {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(digits), "e")
	shift, err := strconv.Atoi(strings.TrimPrefix(exponent, "+"))
	if err != nil && exponent != "" {
		return math.MaxInt
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	fraction = strings.TrimRight(fraction, "0")
	if fraction == "" {
		trimmed := strings.TrimRight(whole, "0")
		return max(0, -shift-(len(whole)-len(trimmed)))
	}
	return max(0, len(fraction)-shift)
}

// exactNumber is a number, however it is written; one that cannot be compared has to be written the same way.
type exactNumber struct {
	digits     string
	units      int64
	comparable bool
	numbers    *numbers
}

func (n *numbers) exact(digits string) exactNumber {
	units, err := n.parse(digits)
	return exactNumber{digits: digits, units: units, comparable: err == nil, numbers: n}
}

func (t exactNumber) meets(l leaf) bool {
	if l.kind != digits {
		return false
	}
	if string(l.chars) == t.digits {
		return true
	}
	units, ok := t.numbers.scaled(l.chars)
	return ok && t.comparable && units == t.units
}

// oneNumber is many exactNumbers that can be compared.
type oneNumber struct {
	units   map[int64]struct{}
	numbers *numbers
}

func (t oneNumber) meets(l leaf) bool {
	if l.kind != digits {
		return false
	}
	units, ok := t.numbers.scaled(l.chars)
	if ok {
		_, ok = t.units[units]
	}
	return ok
}

// between is a range of numbers.
type between struct {
	low, high         int64
	openLow, openHigh bool // the end itself is outside
	numbers           *numbers
}

func (t between) meets(l leaf) bool {
	if l.kind != digits {
		return false
	}
	units, ok := t.numbers.scaled(l.chars)
	return ok && (units > t.low || units == t.low && !t.openLow) && (units < t.high || units == t.high && !t.openHigh)
}
