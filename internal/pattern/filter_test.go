package pattern

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestFilterPolicies(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, policy, event string
		want                bool
	}{
		{"exact", `{"sport": ["rugby", "tennis"]}`, `{"sport": "tennis"}`, true},
		{"another", `{"sport": ["rugby", "tennis"]}`, `{"sport": "baseball"}`, false},
		{"a list", `{"sport": ["rugby"]}`, `{"sport": ["baseball", "rugby"]}`, true},
		{"anything but, for one of a list", `{"sport": [{"anything-but": ["rugby", "tennis"]}]}`, `{"sport": ["rugby", "baseball"]}`, true},
		{"anything but, for all of a list", `{"sport": [{"anything-but": ["rugby", "tennis"]}]}`, `{"sport": ["rugby"]}`, false},
		{"anything but, or missing", `{"sport": [{"exists": false}, {"anything-but": "rugby"}]}`, `{"other": "x"}`, true},
		{"wildcard", `{"topic": [{"wildcard": "*-error"}]}`, `{"topic": "disk-error"}`, true},
		{"anything but a wildcard", `{"topic": [{"anything-but": {"wildcard": "test-*"}}]}`, `{"topic": "test-1"}`, false},
		{"number in another form", `{"price": [{"numeric": ["=", 301.5]}]}`, `{"price": 3.015e2}`, true},
		{"five decimals count", `{"price": [{"numeric": ["=", 1.00001]}]}`, `{"price": 1.000011}`, true},
		{"beyond a thousand million", `{"price": [{"numeric": [">", 0]}]}`, `{"price": 1000000001}`, false},
		{"exists", `{"store": [{"exists": true}]}`, `{"store": "fans"}`, true},
		{"null does not exist", `{"store": [{"exists": true}]}`, `{"store": null}`, false},
		{"empty does not exist", `{"store": [{"exists": true}]}`, `{"store": ""}`, false},
		{"network", `{"ip": [{"cidr": "10.0.0.0/24"}]}`, `{"ip": "10.0.0.255"}`, true},
		{"or", `{"a": ["1"], "$or": [{"b": ["2"]}, {"c": ["3"]}]}`, `{"a": "1", "c": "3"}`, true},
		{"a name with a period", `{"a.b": ["1"]}`, `{"a.b": "1"}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParseFilter(tc.policy, Attributes)
			if err != nil {
				t.Fatal(err)
			}
			e, _ := Decode([]byte(tc.event))
			if got := p.Match(e); got != tc.want {
				t.Errorf("%s matches %s: %v, want %v", tc.policy, tc.event, got, tc.want)
			}
		})
	}
}

// The example of a nested policy in AWS's announcement, in our words: new objects below a prefix.
func TestFilterOnTheBody(t *testing.T) {
	t.Parallel()
	p, err := ParseFilter(`{"Records": {"s3": {"object": {"key": [{"prefix": "auto-"}]}}, "eventName": [{"prefix": "ObjectCreated:"}]}}`, Body)
	if err != nil {
		t.Fatal(err)
	}
	for body, want := range map[string]bool{
		`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"auto-1"}}}]}`:                                                                       true,
		`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":[[{"key":"auto-1"}]]}},{"eventName":"ObjectRemoved:Delete"}]}`:                              true,
		`{"Records":[{"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"auto-1"}}}]}`:                                                                    false,
		`{"Records":[{"eventName":"ObjectCreated:Put","s3":{"object":{"key":"home-1"}}},{"eventName":"ObjectRemoved:Delete","s3":{"object":{"key":"auto-1"}}}]}`: false,
		`"Records"`: false,
		`Records`:   false,
	} {
		e, _ := Decode([]byte(body))
		if got := p.Match(e); got != want {
			t.Errorf("%s: %v, want %v", body, got, want)
		}
	}
}

// values makes a list of n texts.
func values(n int) string {
	return `["` + strings.Join(strings.Split(strings.Repeat("v", n), ""), `","`) + `"]`
}

func TestFilterLimits(t *testing.T) {
	t.Parallel()
	const complex = "FilterPolicy: Filter policy is too complex"
	or := func(last int) string { // 4*6 + 4*4*4 + 4*4*last combinations
		return fmt.Sprintf(`{"source": %s, "$or": [{"metric": %s}, {"kind": %s, "$or": [{"id": %s}, {"space": %s}]}]}`,
			values(4), values(6), values(4), values(4), values(last))
	}
	for _, tc := range []struct {
		name, policy string
		scope        Scope
		want         string
	}{
		{"150 values", `{"a": ` + values(150) + `}`, Attributes, ""},
		{"151 values", `{"a": ` + values(151) + `}`, Attributes, complex},
		{"150 combinations", `{"a": ` + values(15) + `, "b": ` + values(10) + `}`, Attributes, ""},
		{"more combinations", `{"a": ` + values(100) + `, "b": ` + values(51) + `}`, Attributes, complex},
		{"alternatives add up to 136", or(3), Attributes, ""},
		{"alternatives add up to 152", or(4), Attributes, complex},
		{"depth counts", `{"a": {"b": {"c": ` + values(4) + `}}, "d": {"e": ` + values(3) + `}}`, Body, ""},           // 3*4*2*3
		{"depth counts more", `{"a": {"b": {"c": ` + values(4) + `}}, "d": {"e": ` + values(7) + `}}`, Body, complex}, // 3*4*2*7
		{"five keys", `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"]}`, Attributes, ""},
		{"six keys", `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"]}`, Attributes, "FilterPolicy: Filter policy can not have more than 5 keys"},
		{"three wildcards", `{"a":[{"wildcard":"*a*b*"}]}`, Attributes, ""},
		{"four wildcards", `{"a":[{"wildcard":"*a*b*c*"}]}`, Attributes, `FilterPolicy: "*a*b*c*" has more than 3 wildcard characters`},
		{"ten simple wildcards", `{"a":[` + strings.TrimSuffix(strings.Repeat(`{"wildcard":"a*"},`, 10), ",") + `]}`, Attributes, ""}, // 10 * 10 points
		{"eleven simple wildcards", `{"a":[{"anything-but":{"wildcard":[` + strings.TrimSuffix(strings.Repeat(`"a*",`, 11), ",") + `]}}]}`, Attributes, complex},
		{"four double wildcards", `{"a":[` + strings.TrimSuffix(strings.Repeat(`{"wildcard":"*a*"},`, 4), ",") + `]}`, Attributes, ""}, // 24 * 4 points
		{"nested attributes", `{"a": {"b": ["1"]}}`, Attributes, "Filter policy scope MessageAttributes does not support nested filter policy"},
		{"nested body", `{"a": {"b": ["1"]}}`, Body, ""},
		{"no JSON", `{invalid}`, Attributes, "FilterPolicy: failed to parse JSON."},
		{"no object", `[1, 2, 3, 4, 5, 6]`, Attributes, "FilterPolicy: Filter is not an object"},
		{"text", `{"a": "b"}`, Attributes, `FilterPolicy: "a" must be an object or an array`},
		{"unknown comparison", `{"a": [{"like": true}]}`, Attributes, `FilterPolicy: Unrecognized match type like`},
		{"empty list", `{"a": []}`, Attributes, `FilterPolicy: Empty arrays are not allowed`},
		{"number too large", `{"a": [{"numeric": ["<", 1e10]}]}`, Attributes, `FilterPolicy: Value must be between -1.0E9 and 1.0E9, inclusive`},
		{"bad wildcard", `{"a": [{"wildcard": "**"}]}`, Attributes, `FilterPolicy: Consecutive wildcard characters at pos 1`},
		{"too deep", strings.Repeat(`{"a":`, 101) + `["b"]` + strings.Repeat(`}`, 101), Body, `FilterPolicy: Pattern is nested too deeply`},
		{"too long", `{"a": ["` + strings.Repeat("b", MaxFilterPolicy) + `"]}`, Body, `FilterPolicy: Filter policy is longer than 262144 bytes`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseFilter(tc.policy, tc.scope)
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || err.Error() != tc.want || !fault.Is(err, fault.InvalidParameters)) {
				t.Errorf("error %v, want %q", err, tc.want)
			}
		})
	}
}
