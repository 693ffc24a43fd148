package pattern

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// comparison reads an object with one member, such as {"prefix": "a"}. No test and no error means that the field has to be absent.
func (d *dialect) comparison(v rawjson.Value) (test, error) {
	name, operand, err := only(v, "Match expression name not found")
	if err != nil {
		return nil, err
	}
	switch name {
	case "exactly":
		s, err := stringOperand(operand, "exact match pattern must be a string")
		return exactText(s), err
	case "prefix":
		return affix(operand, "prefix", func(s string) test { return prefix(s) }, func(s string) test { return foldedPrefix(s) })
	case "suffix":
		return affix(operand, "suffix", func(s string) test { return suffix(s) }, func(s string) test { return foldedSuffix(s) })
	case "equals-ignore-case":
		s, err := stringOperand(operand, "equals-ignore-case match pattern must be a string")
		return foldedText(s), err
	case "wildcard":
		s, err := stringOperand(operand, "wildcard match pattern must be a string")
		if err != nil {
			return nil, err
		}
		return newWildcard(s)
	case "cidr":
		s, err := stringOperand(operand, "prefix match pattern must be a string") // AWS says prefix
		if err != nil {
			return nil, err
		}
		return newNetwork(s)
	case "numeric":
		return d.numeric(operand)
	case "exists":
		switch string(operand) {
		case "true":
			return present{value: d.emptyIsNone}, nil
		case "false":
			return nil, nil
		}
		return nil, complain("exists match pattern must be either true or false.")
	case "anything-but":
		return d.anythingBut(operand)
	}
	return nil, complain("Unrecognized match type %s", name)
}

// only returns the single member of an object.
func only(v rawjson.Value, none string) (name string, operand rawjson.Value, err error) {
	switch v.Length() {
	case 0:
		return "", nil, complain("%s", none)
	case 1:
	default:
		return "", nil, complain("Only one key allowed in match expression")
	}
	for n, member := range v.Members() {
		name, operand = string(n), member
	}
	return name, operand, nil
}

func stringOperand(v rawjson.Value, otherwise string) (string, error) {
	if !v.IsString() {
		return "", complain("%s", otherwise)
	}
	return v.Text(), nil
}

// affix reads the operand of prefix and suffix: a text, or {"equals-ignore-case": text}.
func affix(v rawjson.Value, name string, plain, folded func(string) test) (test, error) {
	if !v.IsObject() {
		s, err := stringOperand(v, name+" match pattern must be a string")
		return plain(s), err
	}
	inner, operand, err := only(v, strings.ToUpper(name[:1])+name[1:]+" expression name not found")
	if err != nil {
		return nil, err
	}
	if inner != "equals-ignore-case" {
		return nil, complain("Unsupported %s pattern: %s", name, inner)
	}
	s, err := stringOperand(operand, "equals-ignore-case match pattern must be a string")
	return folded(s), err
}

// anythingBut reads what a value must not be: texts or numbers, or the operands of one kind of comparison.
func (d *dialect) anythingBut(v rawjson.Value) (test, error) {
	if !v.IsObject() {
		return d.noneOfValues(v)
	}
	name, operand, err := only(v, "Anything-But expression name not found")
	if err != nil {
		return nil, err
	}
	var not noneOf
	for _, o := range operands(operand) {
		var t test
		switch name {
		case "prefix", "suffix":
			s, e := stringOperand(o, "prefix/suffix match pattern must be a string")
			if t, err = prefix(s), e; name == "suffix" {
				t = suffix(s)
			}
			if err == nil && s == "" {
				err = complain("Null prefix/suffix not allowed")
			}
		case "equals-ignore-case":
			s, e := stringOperand(o, "Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.")
			t, err = foldedText(s), e
		case "wildcard":
			s, e := stringOperand(o, "wildcard match pattern must be a string")
			if err = e; err == nil {
				t, err = newWildcard(s)
			}
		default:
			err = complain("Unsupported anything-but pattern: %s", name)
		}
		if err != nil {
			return nil, err
		}
		not = append(not, t)
	}
	if len(not) == 0 {
		return nil, complain("Empty arrays are not allowed")
	}
	return not, nil
}

// noneOfValues reads a list of texts or of numbers, or one of them.
func (d *dialect) noneOfValues(v rawjson.Value) (test, error) {
	if !v.IsArray() && !v.IsString() && newLeaf(v).kind != digits {
		return nil, complain("Value of anything-but must be an array or single string/number value.")
	}
	var not exactValues
	for _, o := range operands(v) {
		switch {
		case o.IsString():
			not.add(exactText(o.Text()))
		case o == nil || o.IsObject() || o.IsArray() || newLeaf(o).kind == word:
			return nil, complain("Inside anything but list, start|null|boolean is not supported.")
		default:
			if _, err := d.numbers.parse(string(o)); err != nil {
				return nil, err
			}
			not.add(d.numbers.exact(string(o)))
		}
	}
	if (len(not.numbers) > 0) == (len(not.texts) > 0) {
		return nil, complain("Inside anything but list, either all values are number or string, mixed type is not supported")
	}
	return noneOf(not.tests()), nil
}

// operands are the elements of a list, or what is no list itself.
func operands(v rawjson.Value) (list []rawjson.Value) {
	if !v.IsArray() {
		return []rawjson.Value{v}
	}
	for _, element := range v.Elements() {
		list = append(list, element)
	}
	return list
}

// numeric reads ["=", n], one comparison, or the two ends of a range.
func (d *dialect) numeric(v rawjson.Value) (test, error) {
	if !v.IsArray() {
		return nil, complain("Value of numeric must be an array.")
	}
	terms := operands(v)
	if len(terms) == 0 {
		return nil, complain("Invalid member in numeric match: ]")
	}
	if !terms[0].IsString() {
		return nil, complain("Invalid member in numeric match: %s", shown(terms[0]))
	}
	operator := terms[0].Text()
	named := operator
	t := between{low: -1 << 62, high: 1 << 62, numbers: &d.numbers}
	switch operator {
	case "=":
		named = "equals"
	case "<", "<=", ">", ">=":
	default:
		return nil, complain("Unrecognized numeric range operator: %s", operator)
	}
	first, err := d.number(terms[1:], named)
	if err != nil {
		return nil, err
	}
	switch operator {
	case "=":
		t.low, t.high = first, first
	case "<", "<=":
		t.high, t.openHigh = first, operator == "<"
	default:
		t.low, t.openLow = first, operator == ">"
		return d.upTo(t, terms[2:])
	}
	if len(terms) > 2 {
		return nil, complain("Too many elements in numeric expression")
	}
	return t, nil
}

// upTo reads the upper end of a range, if it has one.
func (d *dialect) upTo(t between, terms []rawjson.Value) (test, error) {
	if len(terms) == 0 {
		return t, nil
	}
	if !terms[0].IsString() {
		return nil, complain("Bad value in numeric range: %s", shown(terms[0]))
	}
	operator := terms[0].Text()
	if operator != "<" && operator != "<=" {
		return nil, complain("Bad numeric range operator: %s", operator)
	}
	top, err := d.number(terms[1:], operator)
	if err != nil {
		return nil, err
	}
	if len(terms) > 2 {
		return nil, complain("Too many terms in numeric range expression")
	}
	if t.high, t.openHigh = top, operator == "<"; t.low >= t.high {
		return nil, complain("Bottom must be less than top")
	}
	return t, nil
}

// number reads the number at the front of terms.
func (d *dialect) number(terms []rawjson.Value, operator string) (int64, error) {
	if len(terms) == 0 || terms[0].IsObject() || terms[0].IsArray() || newLeaf(terms[0]).kind != digits {
		return 0, complain("Value of %s must be numeric", operator)
	}
	return d.numbers.parse(string(terms[0]))
}

// shown is a value in a complaint.
func shown(v rawjson.Value) string {
	switch {
	case v == nil:
		return "null"
	case v.IsObject() || v.IsArray():
		return string(v[:1])
	default:
		return string(v)
	}
}

// newNetwork reads a block of addresses. Blocks of one address are not allowed, as with AWS.
func newNetwork(s string) (test, error) {
	ip, mask, found := strings.Cut(s, "/")
	if !found || strings.Contains(mask, "/") {
		return nil, complain("Malformed CIDR, one '/' required")
	}
	bits, err := strconv.Atoi(mask)
	if err != nil {
		return nil, complain("Malformed CIDR, mask bits must be an integer")
	}
	if bits < 0 {
		return nil, complain("Malformed CIDR, mask bits must not be negative")
	}
	address, err := netip.ParseAddr(ip)
	if err != nil || address.Zone() != "" {
		return nil, complain("Nonstandard IP address: %s", ip)
	}
	if most := address.BitLen() - 1; bits > most {
		version := "IPv4"
		if address.Is6() {
			version = "IPv6"
		}
		return nil, complain("%s mask bits must be < %d", version, most+1)
	}
	return network(netip.PrefixFrom(address, bits)), nil
}
