package account

import (
	"bytes"
	"slices"
	"testing"
)

func TestSignUpToken(t *testing.T) {
	t.Parallel()
	a, b := NewSignUpToken(), NewSignUpToken()
	if a == b || len(a) > 50 {
		t.Errorf("tokens %q and %q: want two different ones of at most 50 characters", a, b)
	}
	if !bytes.Equal(HashSignUpToken(a), HashSignUpToken(a)) || bytes.Equal(HashSignUpToken(a), HashSignUpToken(b)) {
		t.Error("hashes do not identify tokens")
	}
}

func TestDataRegion(t *testing.T) {
	t.Parallel()
	if !slices.IsSorted(dataRegions) || len(dataRegions) != 14 {
		t.Fatalf("dataRegions = %v, want 14, sorted", dataRegions)
	}
	for country, want := range map[string]bool{"DE": true, "CA": true, "ZA": true, "US": false, "de": false, "": false} {
		if got := DataRegion(country); got != want {
			t.Errorf("DataRegion(%q) = %v", country, got)
		}
	}
}

func TestNumberStatusOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		registered bool
		meta       string
		want       NumberStatus
	}{
		{true, "CONNECTED", Active},
		{true, "", Active},
		{true, "FLAGGED", Active},
		{true, "SOMETHING_NEW", Active},
		{true, "DISCONNECTED", IncompleteSetup},
		{true, "MIGRATED", IncompleteSetup},
		{false, "CONNECTED", IncompleteSetup},
	} {
		if got := NumberStatusOf(tc.registered, tc.meta); got != tc.want {
			t.Errorf("NumberStatusOf(%v, %q) = %q, want %q", tc.registered, tc.meta, got, tc.want)
		}
	}
}

func TestDailyReach(t *testing.T) {
	t.Parallel()
	for tier, want := range map[string]int{"TIER_250": 250, "TIER_2K": 2000, "TIER_UNLIMITED": 0} {
		if got, ok := DailyReach(tier); !ok || got != want {
			t.Errorf("DailyReach(%s) = %d, %v; want %d", tier, got, ok, want)
		}
	}
	if _, ok := DailyReach("TIER_NOT_SET"); ok {
		t.Error("TIER_NOT_SET has a reach")
	}
}
