package pattern

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// Whatever somebody sends as a pattern or as an event, the answer comes quickly and without a panic; and what two compilations of
// the same text answer is the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{`{"a": ["b", 1, null, true, {"prefix": "c"}, {"exists": false}]}`, `{"$or": [{"a": ["b"]}, {"c.d": [{"numeric": [">", 1, "<=", 5e3]}]}]}`,
		`{"a": {"b": [{"anything-but": {"wildcard": ["*x*", "\\*"]}}, {"cidr": "10.0.0.0/8"}, {"suffix": {"equals-ignore-case": "É"}}]}}`, `{"": [""]}`, `[`, `{"a":[{"wildcard":"\\"}]}`} {
		f.Add(seed)
	}
	event, _ := Decode([]byte(sample))
	f.Fuzz(func(t *testing.T, source string) {
		p, err := ParseEvent(source)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "Event pattern is not valid. Reason: ") {
				t.Errorf("%q: %v", source, err)
			}
		} else {
			again, err := ParseEvent(source)
			if err != nil || again.Match(event) != p.Match(event) {
				t.Errorf("%q is not the same twice: %v", source, err)
			}
		}
		for _, scope := range []Scope{Attributes, Body} {
			if p, err := ParseFilter(source, scope); err == nil {
				p.Match(event)
			}
		}
	})
}

func FuzzMatch(f *testing.F) {
	f.Add(`{"a": {"b": ["c"]}}`, `{"a": [{"b": "c"}, {"b.x": 1}, [[{"b": "\u00e9"}]]]}`)
	f.Add(`{"a.b": [{"exists": false}], "c": [{"anything-but": 1}]}`, `{"a": {"b": []}, "c": 1e999}`)
	f.Add(`{"a": [{"equals-ignore-case": "K"}]}`, "{\"a\": \"\xff\u212a\"}")
	f.Add(`{"a": ["x"]}`, `{"a": `+strings.Repeat("[", 3000)+strings.Repeat("]", 3000)+`}`)
	f.Fuzz(func(t *testing.T, source, event string) {
		p, err := ParseEvent(source)
		if err != nil {
			return
		}
		e, ok := Decode([]byte(event))
		if got := p.Match(e); got && !ok {
			t.Errorf("%q matches %q, which is no event", source, event)
		}
	})
}

// Lists that lie in lists are looked into up to a limit, without which an event could be made to be slow: see BenchmarkDeepEvent.
func TestListsInLists(t *testing.T) {
	t.Parallel()
	p, err := ParseEvent(`{"a": ["x"]}`)
	if err != nil {
		t.Fatal(err)
	}
	for lists, want := range map[int]bool{1: true, maxLists: true, maxLists + 1: false, 9000: false} {
		e, ok := Decode([]byte(`{"a": ` + strings.Repeat("[", lists) + `"x"` + strings.Repeat("]", lists) + `}`))
		if !ok {
			t.Fatal("no event")
		}
		if got := p.Match(e); got != want {
			t.Errorf("in %d lists: %v", lists, got)
		}
	}
}

// A pattern of many combinations does not walk along the event for each: see BenchmarkManyCombinations.
func TestCombinationsShareTrees(t *testing.T) {
	t.Parallel()
	p, err := ParseEvent(`{` + ors(9) + `}`)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.trees); n != 512/treeRules {
		t.Errorf("%d trees for 512 combinations", n)
	}
}

// Lists that lie in lists cost no more than their length.
func BenchmarkDeepEvent(b *testing.B) {
	deep := strings.Repeat("[", 9000) + `"` + strings.Repeat("x", 200<<10) + `"` + strings.Repeat("]", 9000)
	benchmarkMatch(b, `{"a": {"b": ["x"]}, "c": ["y"]}`, `{"a": `+deep+`, "c": `+deep+`}`)
}

// Combinations of alternatives are matched in few walks along the event.
func BenchmarkManyCombinations(b *testing.B) {
	within, end := strings.Repeat(`{"x": `, 60), strings.Repeat(`}`, 60)
	benchmarkMatch(b, within+`{`+ors(9)+`}`+end, within+`{"list": [`+strings.Repeat(`1,`, 500<<10)+`1]}`+end)
}

// Many numbers are looked up, not tried one by one.
func BenchmarkManyNumbers(b *testing.B) {
	benchmarkMatch(b, `{"a": [`+strings.Repeat(`0.5, 17, 1000000, `, 200)+`0]}`, `{"a": [`+strings.Repeat(`1,`, 10_000)+`2]}`)
}

func benchmarkMatch(b *testing.B, pattern, event string) {
	p, err := ParseEvent(pattern)
	if err != nil {
		b.Fatal(err)
	}
	e, ok := Decode([]byte(event))
	if !ok {
		b.Fatal("no event")
	}
	b.SetBytes(int64(len(event)))
	for b.Loop() {
		p.Match(e)
	}
}

func TestMatchAllocatesNothing(t *testing.T) {
	e, _ := Decode([]byte(sample))
	for name, source := range benchmarks {
		p, err := ParseEvent(source)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { p.Match(e) }); n != 0 {
			t.Errorf("%s: %.0f allocations", name, n)
		}
	}
}

var benchmarks = map[string]string{
	"exact":    `{"source": ["waxwing"], "detail-type": ["WhatsApp Message Status"], "detail": {"status": ["delivered", "read"]}}`,
	"strings":  `{"detail": {"path": [{"wildcard": "dir/*.PNG"}], "Recipient": [{"prefix": {"equals-ignore-case": "di"}}], "status": [{"anything-but": ["failed", "sent"]}]}}`,
	"numbers":  `{"detail": {"attempts": [{"numeric": [">", 0, "<=", 5]}], "price": [301.8]}}`,
	"lists":    `{"resources": [{"suffix": "/b"}], "detail": {"contacts": {"name": ["Peter"], "town": ["Lyon"]}}}`,
	"or":       `{"$or": [{"source": ["x"]}, {"detail": {"status": ["x"]}}, {"region": ["us-east-1"]}]}`,
	"no match": `{"source": ["other"]}`,
}

func BenchmarkMatch(b *testing.B) {
	e, _ := Decode([]byte(sample))
	for name, source := range benchmarks {
		p, err := ParseEvent(source)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.Match(e)
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	text := []byte(sample)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		Decode(text)
	}
}

func BenchmarkParse(b *testing.B) {
	for b.Loop() {
		if _, err := ParseEvent(benchmarks["strings"]); err != nil {
			b.Fatal(err)
		}
	}
}

func ExamplePattern_Match() {
	p, err := ParseEvent(`{"source": ["waxwing"], "detail": {"attempts": [{"numeric": [">", 1]}]}}`)
	if err != nil {
		fmt.Fprintln(os.Stdout, err)
		return
	}
	event, _ := Decode([]byte(`{"source": "waxwing", "detail": {"attempts": 3, "status": "failed"}}`))
	fmt.Fprintln(os.Stdout, p.Match(event))
	// Output: true
}
