package awsapi

import (
	"testing"
	"time"
)

func TestQuotas(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	services := []Service{{Name: "x", Operations: []Operation{{Name: "Default"}, {Name: "Fast", Rate: 1000}, {Name: "Overridden", Rate: 7}, {Name: "Off"}}}}
	overrides := map[string]float64{"Overridden": 0.5, "Off": 0}
	for _, tc := range []struct {
		operation string
		burst     int           // calls that pass at once
		wait      time.Duration // until the next one
	}{
		{"Default", 10, 100 * time.Millisecond},
		{"Fast", 1000, time.Millisecond},
		{"Overridden", 1, 2 * time.Second},
		{"Off", 0, time.Second},
		{"Unknown", 0, time.Second},
	} {
		t.Run(tc.operation, func(t *testing.T) {
			t.Parallel()
			q := NewQuotas(services, overrides)
			for i := range tc.burst {
				if ok, _ := q.Allow("a", "x", tc.operation, start); !ok {
					t.Fatalf("call %d of the burst was refused", i+1)
				}
			}
			for range 3 { // a refusal uses nothing up
				if ok, wait := q.Allow("a", "x", tc.operation, start); ok || wait != tc.wait {
					t.Fatalf("after the burst: %v, wait %v; want refused, wait %v", ok, wait, tc.wait)
				}
			}
			if ok, _ := q.Allow("b", "x", tc.operation, start); ok != (tc.burst > 0) {
				t.Errorf("another account: %v", ok)
			}
			if tc.burst == 0 {
				return
			}
			if ok, _ := q.Allow("a", "x", tc.operation, start.Add(tc.wait-1)); ok {
				t.Error("passed too early")
			}
			if ok, _ := q.Allow("a", "x", tc.operation, start.Add(tc.wait)); !ok {
				t.Error("refused after the wait")
			}
			later := start.Add(time.Hour)
			for i := range tc.burst {
				if ok, _ := q.Allow("a", "x", tc.operation, later); !ok {
					t.Fatalf("call %d of the second burst was refused", i+1)
				}
			}
			if ok, _ := q.Allow("a", "x", tc.operation, later); ok {
				t.Error("an idle hour saved up more than a second's worth")
			}
		})
	}
}

// Operations of one name, of two services, do not use up each other's quota.
func TestQuotasOfServicesAreApart(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	q := NewQuotas([]Service{{Name: "x", Operations: []Operation{{Name: "TagResource", Rate: 3}}}, {Name: "y", Operations: []Operation{{Name: "TagResource", Rate: 1}}}}, nil)
	for service, want := range map[string]int{"x": 3, "y": 1} {
		got := 0
		for range 10 {
			if ok, _ := q.Allow("a", service, "TagResource", now); ok {
				got++
			}
		}
		if got != want {
			t.Errorf("%s: %d calls passed, want %d", service, got, want)
		}
	}
}
