package bus

import (
	"encoding/json"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

func TestPath(t *testing.T) {
	t.Parallel()
	const doc = `{"id":"e","detail-type":"d","detail":{"list":[{"n":1},{"n":"two","x":[true]},{"m":3}],"a b":{"c":[]},"zero":0,"no":null,"a/b":"s"}}`
	for _, tc := range []struct{ path, want string }{
		{"$", doc},
		{"$.id", `"e"`},
		{"$.detail-type", `"d"`},
		{"$.detail.zero", `0`},
		{"$.detail.a/b", `"s"`},
		{"$.detail['a b']", `{"c":[]}`},
		{`$["detail"]["a b"].c`, `[]`},
		{"$.detail.list[1].n", `"two"`},
		{"$.detail.list[1].x[0]", `true`},
		{"$.detail.list[*].n", `[1,"two"]`},
		{"$.detail.list[*].x[*]", `[[true]]`},
		{"$.detail.*.c", `[[]]`},
		{"$.detail.list[3]", ``},
		{"$.detail.list.n", ``},
		{"$.detail.no", ``},
		{"$.nothing.at.all", ``},
		{"$.id[0]", ``},
	} {
		t.Run(tc.path, func(t *testing.T) {
			t.Parallel()
			p, ok := parsePath(tc.path)
			if !ok {
				t.Fatal("not a path")
			}
			if got := string(p.find(rawjson.Value(doc))); got != tc.want {
				t.Errorf("= %s, want %s", got, tc.want)
			}
		})
	}
	for _, bad := range []string{"", "detail", ".detail", "$detail", "$.", "$..a", "$.a.", "$[", "$[]", "$[x]", "$[-1]", "$[1", "$['a", "$['']", "$['a'", "$.a]b["} {
		if _, ok := parsePath(bad); ok {
			t.Errorf("%q was taken for a path", bad)
		}
	}
}

// Whatever a path finds is JSON.
func FuzzPath(f *testing.F) {
	f.Add("$.a[0]['b'].*[*]", `{"a":[{"b":{"c":[1,null]}}]}`)
	f.Add("$", `[]`)
	f.Fuzz(func(t *testing.T, source, doc string) {
		p, ok := parsePath(source)
		if !ok {
			return
		}
		v, ok := rawjson.Parse([]byte(doc))
		if !ok {
			return
		}
		if found := p.find(v); found != nil && !json.Valid(found) {
			t.Errorf("%s in %s is %s", source, doc, found)
		}
	})
}
