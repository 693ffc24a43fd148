package message

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestMergeEvidence(t *testing.T) {
	t.Parallel()
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	first, second := Failure{Code: 131026, Title: "Undeliverable"}, Failure{Code: 130472, Title: "Experiment"}
	charged := Pricing{Category: "utility", Type: "regular", Billable: true}
	for _, tc := range []struct {
		name       string
		a, b, want Evidence
		news       bool
	}{
		{"a repeat", Evidence{At: early}, Evidence{At: early}, Evidence{At: early}, false},
		{"the earliest time counts", Evidence{At: late}, Evidence{At: early}, Evidence{At: early}, false},
		{"no time says nothing", Evidence{At: early}, Evidence{}, Evidence{At: early}, false},
		{"a reason comes later", Evidence{}, Evidence{Failures: []Failure{first, second}}, Evidence{Failures: []Failure{first, second}}, true},
		{"a reason is not lost", Evidence{Failures: []Failure{first}}, Evidence{}, Evidence{Failures: []Failure{first}}, false},
		{"another reason", Evidence{Failures: []Failure{first}}, Evidence{Failures: []Failure{second}}, Evidence{Failures: []Failure{second, first}}, true},
		{"one of the reasons again", Evidence{Failures: []Failure{first, second}}, Evidence{Failures: []Failure{second}}, Evidence{Failures: []Failure{second, first}}, false},
		{"the price comes later", Evidence{}, Evidence{Pricing: charged}, Evidence{Pricing: charged}, true},
		{"a price is not lost", Evidence{Pricing: charged}, Evidence{}, Evidence{Pricing: charged}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, news := tc.a.Merge(tc.b)
			if diff := cmp.Diff(tc.want, got); diff != "" || news != tc.news {
				t.Errorf("news = %v, want %v; evidence (-want +got):\n%s", news, tc.news, diff)
			}
		})
	}
}

// Evidence is the same in whatever order, and however often, its pieces come.
func TestMergeEvidenceInAnyOrder(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(3, 4))
	for range 2000 {
		pieces := make([]Evidence, 1+rng.IntN(5))
		for i := range pieces {
			pieces[i] = someEvidence(rng)
		}
		again := slices.Concat(pieces, pieces[:rng.IntN(len(pieces)+1)])
		rng.Shuffle(len(again), func(i, j int) { again[i], again[j] = again[j], again[i] })
		if diff := cmp.Diff(mergeAll(pieces), mergeAll(again)); diff != "" {
			t.Fatalf("%+v and %+v differ:\n%s", pieces, again, diff)
		}
	}
}

// What says nothing new changes nothing that a second look would call new.
func TestMergeEvidenceTellsNewsOnce(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		a, b := someEvidence(rng), someEvidence(rng)
		merged, _ := a.Merge(b)
		for _, piece := range []Evidence{a, b, merged} {
			if _, news := merged.Merge(piece); news {
				t.Fatalf("%+v is news to %+v", piece, merged)
			}
		}
	}
}

func mergeAll(pieces []Evidence) Evidence {
	whole := pieces[0]
	for _, p := range pieces[1:] {
		whole, _ = whole.Merge(p)
	}
	return whole
}

func someEvidence(rng *rand.Rand) (e Evidence) {
	if rng.IntN(4) > 0 {
		e.At = time.Unix(int64(rng.IntN(3)), 0)
	}
	for range rng.IntN(3) {
		e.Failures = append(e.Failures, Failure{Code: rng.IntN(3), Details: []string{"", "d"}[rng.IntN(2)]})
	}
	e.Failures = slices.Compact(e.Failures)
	if rng.IntN(2) == 0 {
		e.Pricing = Pricing{Category: []string{"utility", "marketing"}[rng.IntN(2)], Billable: rng.IntN(2) == 0, Expires: time.Unix(int64(rng.IntN(2)), 0)}
	}
	return e
}
