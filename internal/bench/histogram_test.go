package bench

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestBucketsCoverEveryDuration(t *testing.T) {
	t.Parallel()
	last := -1
	for _, v := range []uint64{0, 1, 31, 32, 33, 63, 64, 65, 127, 128, 1 << 20, 1<<20 + 1<<15, 1 << 40, math.MaxInt64} {
		i := bucketOf(v)
		if i < last || i >= buckets {
			t.Fatalf("bucket of %d is %d, after %d of %d", v, i, last, buckets)
		}
		last = i
		upper := uint64(upperBound(i))
		if upper < v || upper-v > v/subBuckets {
			t.Errorf("upper bound of the bucket of %d is %d", v, upper)
		}
		if bucketOf(upper) != i || upper < math.MaxInt64 && bucketOf(upper+1) != i+1 {
			t.Errorf("bucket %d does not end at %d", i, upper)
		}
	}
}

func TestQuantilesAreNearTheTruth(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var all []time.Duration
	var h, other Histogram
	for i := range 20_000 {
		d := time.Duration(math.Exp(random.Float64()*20)) + 1
		all = append(all, d)
		if i%3 == 0 {
			other.Record(d)
		} else {
			h.Record(d)
		}
	}
	h.Add(&other)
	slices.Sort(all)
	if h.Count() != uint64(len(all)) || h.Max() != all[len(all)-1] || h.Quantile(1) != h.Max() {
		t.Errorf("count %d, max %v, want %d, %v", h.Count(), h.Max(), len(all), all[len(all)-1])
	}
	for _, q := range []float64{0.01, 0.5, 0.9, 0.99, 0.999} {
		truth := all[int(q*float64(len(all)))-1]
		if got := h.Quantile(q); got < truth || float64(got) > float64(truth)*(1+1.0/subBuckets)+1 {
			t.Errorf("quantile %v is %v, want %v", q, got, truth)
		}
	}
}

func TestEmptyHistogram(t *testing.T) {
	t.Parallel()
	var h Histogram
	if h.Quantile(0.5) != 0 || h.Max() != 0 {
		t.Errorf("an empty histogram has a median of %v", h.Quantile(0.5))
	}
	h.Record(-time.Second)
	if h.Quantile(0.5) != 0 || h.Count() != 1 {
		t.Errorf("a negative duration counts as %v", h.Quantile(0.5))
	}
}
