package sim

import (
	"strings"
	"testing"
	"time"
)

func TestWamid(t *testing.T) {
	t.Parallel()
	// A real-looking sample: its bytes spell the number, the direction and the native id.
	const sample = "wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSNUQyMUMwRkZFRTBBMUIyQzNEAA=="
	if got := wamid("447700900123", true, "5D21C0FFEE0A1B2C3D"); got != sample {
		t.Errorf("wamid = %s, want %s", got, sample)
	}
	user, business, native, err := parseWamid(sample)
	if user != "447700900123" || !business || native != "5D21C0FFEE0A1B2C3D" || err != nil {
		t.Errorf("parseWamid = %q %v %q %v", user, business, native, err)
	}
	for digits, prefix := range map[string]string{"14255550150": "wamid.HBgL", "447700900123": "wamid.HBgM", "5215512345678": "wamid.HBgN"} {
		if got := wamid(digits, false, "AC"); !strings.HasPrefix(got, prefix) {
			t.Errorf("wamid of %s = %s, want prefix %s", digits, got, prefix)
		}
	}
}

func FuzzWamid(f *testing.F) {
	f.Add("wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSNUQyMUMwRkZFRTBBMUIyQzNEAA==")
	f.Add("wamid.HBgMNDQ=")
	f.Fuzz(func(t *testing.T, id string) {
		user, business, native, err := parseWamid(id)
		if err != nil {
			return
		}
		again, dir, same, err := parseWamid(wamid(user, business, native))
		if err != nil || again != user || dir != business || same != native {
			t.Errorf("%q reads as %q %v %q, which does not survive", id, user, business, native)
		}
	})
}

func TestNativeIDs(t *testing.T) {
	t.Parallel()
	s := source{seed: 1}
	if id := s.outbound(); len(id) != 18 || id != strings.ToUpper(id) {
		t.Errorf("outbound id %q, want 18 upper-case hexadecimal digits", id)
	}
	if id := s.inbound("447700900123"); len(id) != 20 || !strings.HasPrefix(id, "3A") {
		t.Errorf("iPhone id %q, want 20 characters from 3A", id)
	}
	if id := s.inbound("14255550150"); len(id) != 32 || !strings.HasPrefix(id, "AC") {
		t.Errorf("Android id %q, want 32 characters from AC", id)
	}
	if id := s.digits(); len(id) != 16 {
		t.Errorf("media id %q, want 16 digits", id)
	}
	if id := s.trace(); len(id) != 23 || id[0] != 'A' {
		t.Errorf("trace %q, want A and 22 characters", id)
	}
}

func TestDial(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, to, business, want string }{
		{"plus", "+44 7700 900123", "15550100001", "447700900123"},
		{"punctuation", "+1 (425) 555-0150", "15550100001", "14255550150"},
		{"spaces around", " 14255550150 ", "15550100001", "14255550150"},
		{"no plus", "14255550150", "15550100001", "14255550150"},
		{"national in North America", "4255550150", "15550100001", "14255550150"},
		{"ten digits that are no American number", "6591234567", "15550100001", "6591234567"},
		{"national in Britain", "07700900123", "442071838750", "447700900123"},
		{"international prefix", "0033612345678", "15550100001", ""},
		{"zero after plus", "+0612345678", "15550100001", ""},
		{"letters", "1425CALLME", "15550100001", ""},
		{"too short", "+12345", "15550100001", ""},
		{"too long", "+1234567890123456", "15550100001", ""},
		{"plus in the middle", "1+4255550150", "15550100001", ""},
		{"nothing", "+", "15550100001", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := dial(tc.to, tc.business)
			if got != tc.want || (err != nil) != (tc.want == "") {
				t.Errorf("dial(%q) = %q, %v; want %q", tc.to, got, err, tc.want)
			}
		})
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"Brazil, area 31: the nine goes", "5531987654321", "553187654321"},
		{"Brazil, area 11: the nine stays", "5511987654321", "5511987654321"},
		{"Brazil without the nine", "553187654321", "553187654321"},
		{"Mexico gains a one", "525512345678", "5215512345678"},
		{"Mexico already has it", "5215512345678", "5215512345678"},
		{"Argentina gains a nine", "541123456789", "5491123456789"},
		{"elsewhere nothing changes", "447700900123", "447700900123"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := canonical(tc.in); got != tc.want {
				t.Errorf("canonical(%s) = %s, want %s", tc.in, got, tc.want)
			}
			if again := canonical(tc.want); again != tc.want {
				t.Errorf("canonical(%s) = %s: not stable", tc.want, again)
			}
		})
	}
}

func TestIsUS(t *testing.T) {
	t.Parallel()
	for digits, want := range map[string]bool{"14255550150": true, "14165550150": false, "447700900123": false, "1425555": false} {
		if got := isUS(digits); got != want {
			t.Errorf("isUS(%s) = %v", digits, got)
		}
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	second := int64(time.Second)
	t.Run("a burst of 45, then debt to the last", func(t *testing.T) {
		t.Parallel()
		var p pair
		now := epoch.UnixNano()
		for i := range pairBurst {
			if !p.take(now) {
				t.Fatalf("message %d of the burst was blocked", i+1)
			}
		}
		if p.take(now) {
			t.Fatal("message 46 passed")
		}
		if p.take(now + 269*second) {
			t.Error("passed before the debt was paid")
		}
		if !p.take(now + 270*second) {
			t.Error("blocked after the debt was paid")
		}
	})
	t.Run("one every six seconds for ever", func(t *testing.T) {
		t.Parallel()
		var p pair
		for i := range int64(1000) {
			if !p.take(epoch.UnixNano() + i*6*second) {
				t.Fatalf("message %d was blocked", i)
			}
		}
	})
	t.Run("faster than that only until the loan is used up", func(t *testing.T) {
		t.Parallel()
		var p pair
		passed := int64(0)
		for p.take(epoch.UnixNano() + passed*5*second) {
			passed++
		}
		if passed < pairBurst || passed > 300 {
			t.Errorf("%d messages at one per five seconds", passed)
		}
	})
}

func TestBucket(t *testing.T) {
	t.Parallel()
	var b bucket
	now := epoch.UnixNano()
	passed := 0
	for b.take(now, standardRate) {
		passed++
	}
	if passed != standardRate {
		t.Errorf("%d messages at once, want %d", passed, standardRate)
	}
	if !b.take(now+int64(time.Second)/standardRate, standardRate) {
		t.Error("no token after its time")
	}
	b = bucket{}
	for range 200 {
		b.force(now, standardRate)
	}
	if b.take(now, standardRate) || !b.take(now+int64(20*time.Millisecond), standardRate) {
		t.Error("forced tokens must empty the bucket, and no more than that")
	}
}

func TestReach(t *testing.T) {
	t.Parallel()
	r := reach{}
	now := epoch.UnixNano()
	for _, u := range []string{"a", "b", "a"} {
		if !r.take(u, now, 2) {
			t.Fatalf("%s refused within the limit", u)
		}
	}
	if r.take("c", now, 2) {
		t.Error("a third user passed")
	}
	if !r.take("c", now+int64(25*time.Hour), 2) {
		t.Error("refused a day later")
	}
}

func TestGauge(t *testing.T) {
	t.Parallel()
	var g gauge
	for i := range 10 {
		if got := g.add(epoch.Add(time.Duration(i) * time.Minute)); got != i+1 {
			t.Fatalf("call %d counted as %d", i+1, got)
		}
	}
	if got := g.add(epoch.Add(65 * time.Minute)); got != 5 {
		t.Errorf("%d calls in the last hour, want 5", got)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for segment, want := range map[string]string{"v20.0": "v21.0", "v21.0": "v21.0", "v25.0": "v25.0", "v26.0": "v26.0", "v31.0": "v26.0"} {
		if got := servedVersion(versionNumber(segment)); got != want {
			t.Errorf("%s is served by %s, want %s", segment, got, want)
		}
	}
	for _, segment := range []string{"", "v", "25.0", "v25", "v25.1", "v025.0", "v+5.0", "v0.0", "v100.0", "vx.0"} {
		if n := versionNumber(segment); n != 0 {
			t.Errorf("%q is version %d, want none", segment, n)
		}
	}
}
