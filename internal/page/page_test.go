package page

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

var key = bytes.Repeat([]byte{7}, 32)

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func TestOpen(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	sealed := NewSealer(key, at(start)).Seal("cursor", "111122223333", "ListThings")
	flip := func(token string, i int) string {
		b, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			t.Fatal(err)
		}
		b[(i+len(b))%len(b)] ^= 1
		return base64.RawURLEncoding.EncodeToString(b)
	}
	for _, tc := range []struct {
		name    string
		token   string
		key     []byte
		after   time.Duration
		purpose []string
		ok      bool
	}{
		{"as sealed", sealed, key, 0, []string{"111122223333", "ListThings"}, true},
		{"just before it expires", sealed, key, Lifetime - time.Second, []string{"111122223333", "ListThings"}, true},
		{"expired", sealed, key, Lifetime, []string{"111122223333", "ListThings"}, false},
		{"another account", sealed, key, 0, []string{"444455556666", "ListThings"}, false},
		{"another operation", sealed, key, 0, []string{"111122223333", "ListOthers"}, false},
		{"purpose cut differently", sealed, key, 0, []string{"111122223333ListThings"}, false},
		{"less purpose", sealed, key, 0, []string{"111122223333"}, false},
		{"another key", sealed, bytes.Repeat([]byte{8}, 32), 0, []string{"111122223333", "ListThings"}, false},
		{"version altered", flip(sealed, 0), key, 0, []string{"111122223333", "ListThings"}, false},
		{"expiry altered", flip(sealed, 5), key, 0, []string{"111122223333", "ListThings"}, false},
		{"cursor altered", flip(sealed, headerSize), key, 0, []string{"111122223333", "ListThings"}, false},
		{"seal altered", flip(sealed, -1), key, 0, []string{"111122223333", "ListThings"}, false},
		{"cut short", sealed[:len(sealed)-4], key, 0, []string{"111122223333", "ListThings"}, false},
		{"not base64", "not a token!", key, 0, []string{"111122223333", "ListThings"}, false},
		{"empty", "", key, 0, []string{"111122223333", "ListThings"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			got, err := NewSealer(tc.key, at(start.Add(tc.after))).Open(tc.token, tc.purpose...)
			if tc.ok && (err != nil || got != "cursor") {
				t.Errorf("Open = %q, %v; want the cursor", got, err)
			}
			if !tc.ok && (!fault.Is(err, fault.InvalidParameters) || got != "") {
				t.Errorf("Open = %q, %v; want a fault.InvalidParameters", got, err)
			}
		})
	}
}

func TestLongestCursorFits(t *testing.T) {
	t.Parallel()
	s := NewSealer(key, time.Now)
	cursor := strings.Repeat("c", MaxCursor)
	token := s.Seal(cursor)
	if len(token) > MaxToken {
		t.Errorf("token has %d characters, want at most %d", len(token), MaxToken)
	}
	if got, err := s.Open(token); err != nil || got != cursor {
		t.Errorf("Open = %q, %v", got, err)
	}
}

// Whatever is sealed opens again, and nothing else does: a token found by the fuzzer that opens must be one we could seal.
func FuzzOpen(f *testing.F) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	s := NewSealer(key, at(now))
	f.Add(s.Seal("cursor", "a"))
	f.Add("AQAAAAB")
	f.Fuzz(func(t *testing.T, in string) {
		if cursor, err := s.Open(in, "a"); err == nil && s.Seal(cursor, "a") != in {
			t.Errorf("Open(%q) = %q, which was never sealed", in, cursor)
		}
		if len(in) <= MaxCursor {
			if cursor, err := s.Open(s.Seal(in, "b"), "b"); err != nil || cursor != in {
				t.Errorf("sealed %q, opened %q, %v", in, cursor, err)
			}
		}
	})
}
