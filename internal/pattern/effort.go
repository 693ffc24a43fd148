package pattern

import (
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// effort works out what a filter policy would cost SNS, in SNS's own measures.
type effort struct {
	scope  Scope
	points int // of wildcards
}

// combinations multiplies the numbers of values, those of nested keys times their depth; alternatives add up. It reports no more
// than one too many. What is no policy at all costs nothing: compiling it says what is wrong.
func (e *effort) combinations(object rawjson.Value, depth, before int) (int, error) {
	total := before
	for name, value := range object.Members() {
		switch {
		case value.IsObject() && e.scope == Attributes:
			return 0, complain("Filter policy scope %s does not support nested filter policy", Attributes)
		case value.IsObject():
			nested, err := e.combinations(value, depth+1, total)
			if err != nil {
				return 0, err
			}
			total = nested
		case isOr(string(name), value):
			sum := 0
			for _, alternative := range value.Elements() {
				n, err := e.combinations(alternative, depth, total)
				if err != nil {
					return 0, err
				}
				sum = min(sum+n, maxFilterCombinations+1)
			}
			total = sum
		default:
			if err := e.wildcards(value); err != nil {
				return 0, err
			}
			total = min(total*max(value.Length(), 1)*depth, maxFilterCombinations+1)
		}
	}
	return total, nil
}

// wildcards counts the points of one key: a wildcard with one gap has one, with more three for each; their sum counts as often as
// there are wildcards.
func (e *effort) wildcards(values rawjson.Value) error {
	points, n := 0, 0
	for _, v := range values.Elements() {
		w := v.Get("wildcard")
		if w == nil {
			w = v.Get("anything-but").Get("wildcard")
		}
		list := []rawjson.Value{w}
		if w.IsArray() {
			list = nil
			for _, element := range w.Elements() {
				list = append(list, element)
			}
		}
		for _, w := range list {
			if !w.IsString() {
				continue
			}
			parsed, err := newWildcard(w.Text())
			if err != nil {
				return complain("FilterPolicy: %v", err)
			}
			gaps := len(parsed) - 1
			if gaps > maxFilterGaps {
				return complain("FilterPolicy: %q has more than %d wildcard characters", strings.ToValidUTF8(w.Text(), "?"), maxFilterGaps)
			}
			n++
			if points++; gaps > 1 {
				points += 3*gaps - 1
			}
		}
	}
	e.points = min(e.points+points*n, maxWildcardPoints+1)
	return nil
}
