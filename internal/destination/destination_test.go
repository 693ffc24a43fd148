package destination

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBatches(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		sizes []int
		want  [][2]int
	}{
		"nothing":               {},
		"one":                   {[]int{1}, [][2]int{{0, 1}}},
		"as many as one takes":  {[]int{1, 1, 1}, [][2]int{{0, 3}}},
		"one more":              {[]int{1, 1, 1, 1}, [][2]int{{0, 3}, {3, 4}}},
		"as large as one takes": {[]int{4, 6, 1}, [][2]int{{0, 2}, {2, 3}}},
		"one that never fits":   {[]int{1, 11, 1}, [][2]int{{0, 1}, {1, 2}, {2, 3}}},
		"several that never do": {[]int{11, 11}, [][2]int{{0, 1}, {1, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got [][2]int
			for start, end := range Batches(tc.sizes, 3, 10) {
				got = append(got, [2]int{start, end})
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("runs (-want +got):\n%s", diff)
			}
		})
	}
}
