package pattern

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// sample is an event such as an owner of a business account gets on a bus.
const sample = `{
  "version": "0", "id": "6f1c2d4e", "detail-type": "WhatsApp Message Status", "source": "waxwing", "account": "000000000000",
  "time": "2026-11-23T12:00:00Z", "region": "us-east-1",
  "resources": ["arn:aws:social-messaging:us-east-1:000000000000:waba/a", "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/b"],
  "detail": {
    "status": "delivered", "Recipient": "Diego", "path": "dir/nested/photo.PNG", "attempts": 3, "price": 301.8, "huge": 123456789012, "free": false,
    "reason": null, "note": "", "source-ip": "10.0.0.33", "source-ip6": "2001:db8::17", "escaped": "caf\u00e9 * \\ \"quoted\"",
    "contacts": [{"name": "Anna", "town": "Bern"}, {"name": "Peter", "town": "Lyon"}, {"name": "Olga"}],
    "matrix": [[1, 2], [3]], "empty": [], "object": {"inner": {"leaf": "x"}}, "flat.name": "dotted"
  }
}`

func TestEventPatterns(t *testing.T) {
	t.Parallel()
	event, ok := Decode([]byte(sample))
	if !ok {
		t.Fatal("the sample is no event")
	}
	for _, tc := range []struct {
		name, pattern string
		want          bool
	}{
		{"exact", `{"source": ["waxwing"]}`, true},
		{"one of several", `{"source": ["x", "waxwing"]}`, true},
		{"one of many", `{"source": ["1","2","3","4","5","6","7","8","9","waxwing"]}`, true},
		{"none of many", `{"source": ["1","2","3","4","5","6","7","8","9","0"]}`, false},
		{"case counts", `{"source": ["Waxwing"]}`, false},
		{"every field", `{"source": ["waxwing"], "region": ["us-east-1"], "detail": {"status": ["delivered"]}}`, true},
		{"one field differs", `{"source": ["waxwing"], "region": ["eu-west-1"]}`, false},
		{"a field is missing", `{"source": ["waxwing"], "colour": ["red"]}`, false},
		{"escaped in the event", `{"detail": {"escaped": ["café * \\ \"quoted\""]}}`, true},
		{"escaped in the pattern", `{"detail": {"st\u0061tus": ["deliver\u0065d"]}}`, true},
		{"exactly", `{"source": [{"exactly": "waxwing"}]}`, true},
		{"an object is no leaf", `{"detail": ["x"]}`, false},
		{"a leaf is no object", `{"source": {"x": ["waxwing"]}}`, false},

		{"number", `{"detail": {"attempts": [3]}}`, true},
		{"number written differently", `{"detail": {"price": [3.018e2]}}`, true},
		{"text is no number", `{"detail": {"attempts": ["3"]}}`, false},
		{"number is no text", `{"account": [0]}`, false},
		{"number too large to compare", `{"detail": {"huge": [123456789012]}}`, true},
		{"one of many numbers", `{"detail": {"price": [1,2,3,4,5,6,7,8,9,3.018e2]}}`, true},
		{"none of many numbers", `{"detail": {"price": [1,2,3,4,5,6,7,8,9,301]}}`, false},
		{"one of many numbers, too large to compare", `{"detail": {"huge": [1,2,3,4,5,6,7,8,9,123456789012]}}`, true},
		{"none of many numbers, too large to compare", `{"detail": {"huge": [1,2,3,4,5,6,7,8,9,123456789013]}}`, false},
		{"text is none of many numbers", `{"account": [0,1,2,3,4,5,6,7,8,9]}`, false},
		{"anything but many numbers", `{"detail": {"price": [{"anything-but": [1,2,3,4,5,6,7,8,9]}]}}`, true},
		{"anything but many numbers, of which it is one", `{"detail": {"price": [{"anything-but": [1,2,3,4,5,6,7,8,9,301.80]}]}}`, false},
		{"true", `{"detail": {"free": [true]}}`, false},
		{"false", `{"detail": {"free": [false]}}`, true},
		{"word is no text", `{"detail": {"free": ["false"]}}`, false},
		{"null", `{"detail": {"reason": [null]}}`, true},
		{"null is not missing", `{"detail": {"colour": [null]}}`, false},
		{"empty text", `{"detail": {"note": [""]}}`, true},
		{"empty text is not null", `{"detail": {"note": [null]}}`, false},

		{"prefix", `{"time": [{"prefix": "2026-11-23"}]}`, true},
		{"other prefix", `{"time": [{"prefix": "2026-11-24"}]}`, false},
		{"longer prefix", `{"source": [{"prefix": "waxwinged"}]}`, false},
		{"prefix of a number", `{"detail": {"attempts": [{"prefix": "3"}]}}`, false},
		{"prefix in any case", `{"detail": {"Recipient": [{"prefix": {"equals-ignore-case": "dIE"}}]}}`, true},
		{"other prefix in any case", `{"detail": {"Recipient": [{"prefix": {"equals-ignore-case": "iego"}}]}}`, false},
		{"suffix", `{"detail": {"path": [{"suffix": ".PNG"}]}}`, true},
		{"other suffix", `{"detail": {"path": [{"suffix": ".png"}]}}`, false},
		{"suffix in any case", `{"detail": {"path": [{"suffix": {"equals-ignore-case": ".png"}}]}}`, true},
		{"other suffix in any case", `{"detail": {"path": [{"suffix": {"equals-ignore-case": "a.png"}}]}}`, false},
		{"any case", `{"detail": {"Recipient": [{"equals-ignore-case": "DIEGO"}]}}`, true},
		{"any case, shorter", `{"detail": {"Recipient": [{"equals-ignore-case": "DIEG"}]}}`, false},
		{"any case beyond ASCII", `{"detail": {"escaped": [{"prefix": {"equals-ignore-case": "CAFÉ"}}]}}`, true},

		{"wildcard at the end", `{"source": [{"wildcard": "wax*"}]}`, true},
		{"wildcard at the front", `{"source": [{"wildcard": "*wing"}]}`, true},
		{"wildcards around", `{"detail": {"path": [{"wildcard": "dir/*/*.PNG"}]}}`, true},
		{"wildcard for nothing", `{"source": [{"wildcard": "waxwing*"}]}`, true},
		{"wildcard alone", `{"source": [{"wildcard": "*"}]}`, true},
		{"wildcard out of order", `{"detail": {"path": [{"wildcard": "dir/*photo*nested*"}]}}`, false},
		{"wildcard pieces may not overlap", `{"source": [{"wildcard": "waxw*wing"}]}`, false},
		{"no wildcard", `{"source": [{"wildcard": "waxwing"}]}`, true},
		{"escaped wildcard", `{"detail": {"escaped": [{"wildcard": "café \\* \\\\ *"}]}}`, true},
		{"escaped wildcard is a character", `{"source": [{"wildcard": "wax\\*"}]}`, false},
		{"wildcard of a number", `{"detail": {"attempts": [{"wildcard": "*"}]}}`, false},

		{"anything but", `{"detail": {"status": [{"anything-but": "failed"}]}}`, true},
		{"anything but it", `{"detail": {"status": [{"anything-but": "delivered"}]}}`, false},
		{"anything but a list", `{"detail": {"status": [{"anything-but": ["sent", "delivered"]}]}}`, false},
		{"anything but a number", `{"detail": {"attempts": [{"anything-but": 3}]}}`, false},
		{"anything but numbers", `{"detail": {"attempts": [{"anything-but": [1, 2]}]}}`, true},
		{"anything but text is a number", `{"detail": {"attempts": [{"anything-but": "3"}]}}`, true},
		{"anything but needs the field", `{"detail": {"colour": [{"anything-but": "red"}]}}`, false},
		{"anything but a prefix", `{"detail": {"status": [{"anything-but": {"prefix": "deliv"}}]}}`, false},
		{"anything but prefixes", `{"detail": {"status": [{"anything-but": {"prefix": ["fail", "se"]}}]}}`, true},
		{"anything but a suffix", `{"detail": {"status": [{"anything-but": {"suffix": "ed"}}]}}`, false},
		{"anything but any case", `{"detail": {"Recipient": [{"anything-but": {"equals-ignore-case": ["anna", "diego"]}}]}}`, false},
		{"anything but a wildcard", `{"detail": {"path": [{"anything-but": {"wildcard": "*/nested/*"}}]}}`, false},
		{"anything but wildcards", `{"detail": {"path": [{"anything-but": {"wildcard": ["*.gif", "*.png"]}}]}}`, true},

		{"numeric equals", `{"detail": {"price": [{"numeric": ["=", 301.8]}]}}`, true},
		{"numeric range", `{"detail": {"attempts": [{"numeric": [">", 0, "<=", 3]}]}}`, true},
		{"numeric range without its end", `{"detail": {"attempts": [{"numeric": [">", 0, "<", 3]}]}}`, false},
		{"numeric range without its start", `{"detail": {"attempts": [{"numeric": [">", 3, "<", 5]}]}}`, false},
		{"numeric range with its start", `{"detail": {"attempts": [{"numeric": [">=", 3, "<", 5]}]}}`, true},
		{"less", `{"detail": {"attempts": [{"numeric": ["<", 3.000001]}]}}`, true},
		{"at most", `{"detail": {"attempts": [{"numeric": ["<=", 2.999999]}]}}`, false},
		{"numeric beyond what is compared", `{"detail": {"huge": [{"numeric": [">", 0]}]}}`, false},
		{"numeric of a text", `{"account": [{"numeric": [">=", 0]}]}`, false},

		{"network", `{"detail": {"source-ip": [{"cidr": "10.0.0.0/24"}]}}`, true},
		{"other network", `{"detail": {"source-ip": [{"cidr": "10.0.1.0/24"}]}}`, false},
		{"network of version 6", `{"detail": {"source-ip6": [{"cidr": "2001:db8::/32"}]}}`, true},
		{"network of another version", `{"detail": {"source-ip": [{"cidr": "::/0"}]}}`, false},
		{"network of a text", `{"source": [{"cidr": "0.0.0.0/0"}]}`, false},

		{"exists", `{"detail": {"status": [{"exists": true}]}}`, true},
		{"null exists", `{"detail": {"reason": [{"exists": true}]}}`, true},
		{"missing", `{"detail": {"colour": [{"exists": true}]}}`, false},
		{"is missing", `{"detail": {"colour": [{"exists": false}]}}`, true},
		{"is not missing", `{"detail": {"status": [{"exists": false}]}}`, false},
		{"missing below what is missing", `{"colour": {"name": {"first": [{"exists": false}]}}}`, true},
		{"an object is no leaf, so it is missing", `{"detail": {"object": [{"exists": false}]}}`, true},
		{"missing or a value", `{"detail": {"status": [{"exists": false}, "delivered"]}}`, true},
		{"missing, or another value", `{"detail": {"status": [{"exists": false}, "read"]}}`, false},
		{"an empty list has no leaf", `{"detail": {"empty": [{"exists": false}]}}`, true},

		{"an element of a list", `{"resources": [{"suffix": "/b"}]}`, true},
		{"no element of a list", `{"resources": [{"suffix": "/c"}]}`, false},
		{"anything but one element leaves the others", `{"resources": [{"anything-but": {"suffix": "/a"}}]}`, true},
		{"a list in a list", `{"detail": {"matrix": [3]}}`, true},
		{"objects in a list", `{"detail": {"contacts": {"name": ["Peter"]}}}`, true},
		{"two conditions on one object", `{"detail": {"contacts": {"name": ["Peter"], "town": ["Lyon"]}}}`, true},
		{"two conditions on two objects", `{"detail": {"contacts": {"name": ["Anna"], "town": ["Lyon"]}}}`, false},
		{"missing in that object", `{"detail": {"contacts": {"name": ["Olga"], "town": [{"exists": false}]}}}`, true},
		{"missing in one object only", `{"detail": {"contacts": {"town": [{"exists": false}]}}}`, false},
		{"missing in all objects", `{"detail": {"contacts": {"street": [{"exists": false}]}}}`, true},

		{"or", `{"source": ["waxwing"], "$or": [{"region": ["x"]}, {"detail": {"status": ["delivered"]}}]}`, true},
		{"or, neither", `{"source": ["waxwing"], "$or": [{"region": ["x"]}, {"detail": {"status": ["read"]}}]}`, false},
		{"or, but the rest", `{"source": ["x"], "$or": [{"region": ["us-east-1"]}, {"detail": {"status": ["delivered"]}}]}`, false},
		{"or below", `{"detail": {"$or": [{"status": ["x"]}, {"attempts": [3]}]}}`, true},
		{"two ors", `{"$or": [{"source": ["waxwing"]}, {"region": ["x"]}], "detail": {"$or": [{"status": ["x"]}, {"attempts": [4]}]}}`, false},
		{"an or in an or", `{"$or": [{"source": ["x"]}, {"$or": [{"region": ["x"]}, {"account": ["000000000000"]}]}]}`, true},
		{"or on one object of a list", `{"detail": {"contacts": {"name": ["Anna"]}, "$or": [{"contacts": {"town": ["Lyon"]}}, {"status": ["x"]}]}}`, false},

		{"a step written as a period", `{"detail.status": ["delivered"]}`, true},
		{"periods all the way", `{"detail.object.inner.leaf": ["x"]}`, true},
		{"a period in the event's name", `{"detail": {"flat": {"name": ["dotted"]}}}`, true},
		{"a period in both names", `{"detail": {"flat.name": ["dotted"]}}`, true},
		{"a period leads past it", `{"detail": {"flat": {"name": {"more": ["dotted"]}}}}`, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParseEvent(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			if got := p.Match(event); got != tc.want {
				t.Errorf("%s matches: %v, want %v", tc.pattern, got, tc.want)
			}
		})
	}
}

func TestNamesWithPeriods(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, pattern, event string
		want                 bool
	}{
		{"two flat names", `{"a": {"b": ["1"], "c": ["2"]}}`, `{"a.b": "1", "a.c": "2"}`, true},
		{"flat and nested", `{"a": {"b": ["1"], "c": ["2"]}}`, `{"a.b": "1", "a": {"c": "2"}}`, true},
		{"one is wrong", `{"a": {"b": ["1"], "c": ["2"]}}`, `{"a.b": "1", "a": {"c": "3"}}`, false},
		{"flat in the middle", `{"a.b.c": ["1"]}`, `{"a": {"b.c": "1"}}`, true},
		{"flat list", `{"a": {"b": ["1"]}}`, `{"a.b": ["2", "1"]}`, true},
		{"flat list of objects", `{"a": {"b": {"c": ["1"]}}}`, `{"a.b": [{"c": "2"}, {"c": "1"}]}`, true},
		{"repeated name", `{"a": ["1"]}`, `{"a": "1", "a": "2"}`, true},
		{"flat and absent", `{"a": {"b": [{"exists": false}]}}`, `{"a.b": "1"}`, false},
		{"longer flat name", `{"a": {"b": [{"exists": false}]}}`, `{"a.b.c": "1"}`, true},
		{"empty steps", `{"a..b": ["1"]}`, `{"a": {"": {"b": "1"}}}`, true},
		{"period at the end", `{"a.": ["1"]}`, `{"a": {"": "1"}}`, true},
		{"many members", `{"a":["1"],"b":["1"],"c":["1"],"d":["1"],"e":["1"],"f":["1"],"g":["1"],"h":["1"],"i":["1"],"j":["1"]}`,
			`{"j":"1","i":"1","h":"1","g":"1","f":"1","e":"1","d":"1","c":"1","b":"1","a":"1"}`, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			p, err := ParseEvent(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			e, _ := Decode([]byte(tc.event))
			if got := p.Match(e); got != tc.want {
				t.Errorf("%s matches %s: %v, want %v", tc.pattern, tc.event, got, tc.want)
			}
		})
	}
}

func TestWhatIsNoEvent(t *testing.T) {
	t.Parallel()
	p, err := ParseEvent(`{"a": [{"exists": false}]}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"", "null", "[]", `"x"`, `{"b": 1`, `[{"b": 1}]`} {
		e, ok := Decode([]byte(text))
		if ok || p.Match(e) {
			t.Errorf("%q: decoded %v, matches %v", text, ok, p.Match(e))
		}
	}
}

func TestEventPatternErrors(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, pattern, want string }{
		{"no JSON", `{`, `Invalid JSON`},
		{"no object", `["a"]`, `Filter is not an object`},
		{"empty", `{}`, `Empty objects are not allowed`},
		{"empty object", `{"a": {}}`, `Empty objects are not allowed`},
		{"empty list", `{"a": []}`, `Empty arrays are not allowed`},
		{"text", `{"a": "b"}`, `"a" must be an object or an array`},
		{"list in a list", `{"a": [["b"]]}`, `Match value must be String, number, true, false, or null`},
		{"unknown comparison", `{"a": [{"like": "b"}]}`, `Unrecognized match type like`},
		{"two comparisons", `{"a": [{"prefix": "b", "suffix": "c"}]}`, `Only one key allowed in match expression`},
		{"no comparison", `{"a": [{}]}`, `Match expression name not found`},
		{"prefix of a number", `{"a": [{"prefix": 1}]}`, `prefix match pattern must be a string`},
		{"prefix of a list", `{"a": [{"prefix": ["b"]}]}`, `prefix match pattern must be a string`},
		{"prefix of something else", `{"a": [{"prefix": {"suffix": "b"}}]}`, `Unsupported prefix pattern: suffix`},
		{"prefix of nothing", `{"a": [{"prefix": {}}]}`, `Prefix expression name not found`},
		{"suffix of null", `{"a": [{"suffix": null}]}`, `suffix match pattern must be a string`},
		{"suffix of a number in any case", `{"a": [{"suffix": {"equals-ignore-case": 1}}]}`, `equals-ignore-case match pattern must be a string`},
		{"any case of a word", `{"a": [{"equals-ignore-case": true}]}`, `equals-ignore-case match pattern must be a string`},
		{"wildcard of a number", `{"a": [{"wildcard": 1}]}`, `wildcard match pattern must be a string`},
		{"two wildcards in a row", `{"a": [{"wildcard": "b**"}]}`, `Consecutive wildcard characters at pos 2`},
		{"bad escape", `{"a": [{"wildcard": "b\\c"}]}`, `Invalid escape character at pos 2`},
		{"escape at the end", `{"a": [{"wildcard": "b\\"}]}`, `Invalid escape character at pos 2`},
		{"exists of a text", `{"a": [{"exists": "true"}]}`, `exists match pattern must be either true or false.`},
		{"exists of null", `{"a": [{"exists": null}]}`, `exists match pattern must be either true or false.`},
		{"anything but a word", `{"a": [{"anything-but": true}]}`, `Value of anything-but must be an array or single string/number value.`},
		{"anything but null", `{"a": [{"anything-but": null}]}`, `Value of anything-but must be an array or single string/number value.`},
		{"anything but nothing", `{"a": [{"anything-but": []}]}`, `Inside anything but list, either all values are number or string, mixed type is not supported`},
		{"anything but both", `{"a": [{"anything-but": ["b", 1]}]}`, `Inside anything but list, either all values are number or string, mixed type is not supported`},
		{"anything but words", `{"a": [{"anything-but": [true]}]}`, `Inside anything but list, start|null|boolean is not supported.`},
		{"anything but something else", `{"a": [{"anything-but": {"numeric": 1}}]}`, `Unsupported anything-but pattern: numeric`},
		{"anything but an empty prefix", `{"a": [{"anything-but": {"prefix": ""}}]}`, `Null prefix/suffix not allowed`},
		{"anything but prefixes of numbers", `{"a": [{"anything-but": {"prefix": [1]}}]}`, `prefix/suffix match pattern must be a string`},
		{"anything but two", `{"a": [{"anything-but": {"prefix": "b", "suffix": "c"}}]}`, `Only one key allowed in match expression`},
		{"numeric of a number", `{"a": [{"numeric": 1}]}`, `Value of numeric must be an array.`},
		{"numeric of nothing", `{"a": [{"numeric": []}]}`, `Invalid member in numeric match: ]`},
		{"numeric without operator", `{"a": [{"numeric": [1]}]}`, `Invalid member in numeric match: 1`},
		{"unknown operator", `{"a": [{"numeric": ["!=", 1]}]}`, `Unrecognized numeric range operator: !=`},
		{"equals a text", `{"a": [{"numeric": ["=", "1"]}]}`, `Value of equals must be numeric`},
		{"operator without number", `{"a": [{"numeric": [">="]}]}`, `Value of >= must be numeric`},
		{"equals and more", `{"a": [{"numeric": ["=", 1, 2]}]}`, `Too many elements in numeric expression`},
		{"range from the top", `{"a": [{"numeric": ["<", 2, ">", 1]}]}`, `Too many elements in numeric expression`},
		{"range without operator", `{"a": [{"numeric": [">", 1, 2]}]}`, `Bad value in numeric range: 2`},
		{"range of two starts", `{"a": [{"numeric": [">", 1, ">", 2]}]}`, `Bad numeric range operator: >`},
		{"range without end", `{"a": [{"numeric": [">", 1, "<"]}]}`, `Value of < must be numeric`},
		{"range of nothing", `{"a": [{"numeric": [">", 2, "<", 2]}]}`, `Bottom must be less than top`},
		{"range and more", `{"a": [{"numeric": [">", 1, "<", 2, "<", 3]}]}`, `Too many terms in numeric range expression`},
		{"number too large", `{"a": [{"numeric": [">", 5000000001]}]}`, `Value must be between -5.0E9 and 5.0E9, inclusive`},
		{"number too long", `{"a": [{"numeric": [">", 1.1234567]}]}`, `Only values upto 6 decimals are supported`},
		{"network of a number", `{"a": [{"cidr": 1}]}`, `prefix match pattern must be a string`},
		{"network without mask", `{"a": [{"cidr": "10.0.0.0"}]}`, `Malformed CIDR, one '/' required`},
		{"network with two masks", `{"a": [{"cidr": "10.0.0.0/8/8"}]}`, `Malformed CIDR, one '/' required`},
		{"network with a word for a mask", `{"a": [{"cidr": "10.0.0.0/a"}]}`, `Malformed CIDR, mask bits must be an integer`},
		{"network with a negative mask", `{"a": [{"cidr": "10.0.0.0/-1"}]}`, `Malformed CIDR, mask bits must not be negative`},
		{"network of a host", `{"a": [{"cidr": "example.com/8"}]}`, `Nonstandard IP address: example.com`},
		{"network of one address", `{"a": [{"cidr": "10.0.0.0/32"}]}`, `IPv4 mask bits must be < 32`},
		{"network of one address of version 6", `{"a": [{"cidr": "::/128"}]}`, `IPv6 mask bits must be < 128`},
		{"a path twice", `{"a": ["b"], "a": ["c"]}`, "Path `a` cannot be allowed multiple times"},
		{"a path twice through an or", `{"a": {"b": ["c"]}, "$or": [{"a.b": ["d"]}, {"e": ["f"]}]}`, "Path `a.b` cannot be allowed multiple times"},
		{"an or of one", `{"$or": [{"a": ["b"]}]}`, `Unrecognized match type a`},
		{"an or of comparisons", `{"$or": [{"numeric": 123}, {"prefix": "abc"}]}`, `Value of numeric must be an array.`},
		{"an or with an empty alternative", `{"$or": [{"a": ["b"]}, {}]}`, `Empty objects are not allowed`},
		{"too many combinations", `{` + ors(10) + `}`, `Total number of $or combinations must be at most 1000`},
		{"too deep", strings.Repeat(`{"a":`, 101) + `["b"]` + strings.Repeat(`}`, 101), `Pattern is nested too deeply`},
		{"too deep by periods", `{"` + strings.Repeat("a.", 100) + `a": ["b"]}`, `Pattern is nested too deeply`},
		{"too long", `{"a": ["` + strings.Repeat("b", MaxEventPattern) + `"]}`, `Pattern is longer than 4096 bytes`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseEvent(tc.pattern)
			if want := "Event pattern is not valid. Reason: " + tc.want; err == nil || err.Error() != want || !fault.Is(err, fault.InvalidParameters) {
				t.Errorf("error %v, want %q", err, want)
			}
		})
	}
}

// ors are n choices between two fields each.
func ors(n int) string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprintf(`"f%d": {"$or": [{"a": ["1"]}, {"b": ["2"]}]}`, i))
	}
	return strings.Join(list, ", ")
}

func TestManyCombinations(t *testing.T) {
	t.Parallel()
	p, err := ParseEvent(`{` + ors(9) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	yes, _ := Decode([]byte(`{"f0":{"a":"1"},"f1":{"b":"2"},"f2":{"a":"1"},"f3":{"b":"2"},"f4":{"a":"1"},"f5":{"b":"2"},"f6":{"a":"1"},"f7":{"b":"2"},"f8":{"a":"1"}}`))
	no, _ := Decode([]byte(`{"f0":{"a":"1"},"f1":{"b":"2"},"f2":{"a":"1"},"f3":{"b":"2"},"f4":{"a":"1"},"f5":{"b":"2"},"f6":{"a":"1"},"f7":{"b":"2"},"f8":{"a":"2"}}`))
	if !p.Match(yes) || p.Match(no) {
		t.Errorf("matches %v and %v, want true and false", p.Match(yes), p.Match(no))
	}
	// Each combination is met by an event of its own, wherever among the trees it is.
	for i := range 1 << 9 {
		var members []string
		for f := range 9 {
			members = append(members, fmt.Sprintf(`"f%d":%s`, f, []string{`{"a":"1"}`, `{"b":"2"}`}[i>>f&1]))
		}
		all, _ := Decode([]byte(`{` + strings.Join(members, ",") + `}`))
		but := i % 9
		few, _ := Decode([]byte(`{` + strings.Join(append(members[:but:but], members[but+1:]...), ",") + `}`))
		if !p.Match(all) || p.Match(few) {
			t.Fatalf("combination %d: matches %v and %v, want true and false", i, p.Match(all), p.Match(few))
		}
	}
}
