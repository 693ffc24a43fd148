package deadletter

import (
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	for text, ok := range map[string]bool{
		"event-1": true, "notification-9223372036854775807": true, "event-0": true,
		"": false, "event": false, "event-": false, "event--1": false, "event-01": false, "event-+1": false, "target-1": false, "letter-1": false,
		"notification-9223372036854775808": false, "event-1 ": false, "Event-1": false, "-1": false,
	} {
		id, err := ParseID(text)
		if (err == nil) != ok || ok && id.String() != text || !ok && !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("ParseID(%q) = %v, %v, want that it is an id: %v", text, id, err, ok)
		}
	}
	if ids, err := ParseIDs([]string{"event-1", "notification-2"}); err != nil || len(ids) != 2 || ids[1].String() != "notification-2" {
		t.Errorf("several: %v, %v", ids, err)
	}
	if _, err := ParseIDs([]string{"event-1", "x"}); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("a wrong one among several: %v", err)
	}
}

func FuzzParseID(f *testing.F) {
	f.Add("event-1")
	f.Add("notification-00")
	f.Fuzz(func(t *testing.T, text string) {
		if id, err := ParseID(text); err == nil && id.String() != text {
			t.Errorf("ParseID(%q) = %v", text, id)
		}
	})
}
