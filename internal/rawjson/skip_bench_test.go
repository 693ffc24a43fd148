package rawjson

import (
	"strings"
	"testing"
)

// BenchmarkMembers walks past a long string: one without escapes, and one such as JSON inside JSON is.
func BenchmarkMembers(b *testing.B) {
	for name, s := range map[string]string{
		"plain":   strings.Repeat("x", 1500),
		"escaped": strings.Repeat(`\"id\":\"1200000000000001\",`, 55),
		"short":   "x",
	} {
		v, ok := Parse([]byte(`{"a": "` + s + `", "b": 1}`))
		if !ok {
			b.Fatal(name)
		}
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for range v.Members() {
				}
			}
		})
	}
}
