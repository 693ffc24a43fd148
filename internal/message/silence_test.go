package message

import (
	"testing"
	"time"
)

func TestSilenceNews(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	ago := func(minutes int) time.Time { return now.Add(-time.Duration(minutes) * time.Minute) }
	for _, tc := range []struct {
		name       string
		silence    Silence
		tell, over bool
	}{
		{"none", Silence{Overdue: 5}, false, false},
		{"it begins", Silence{Overdue: 1, Since: ago(15), Count: 1, FoundAt: now}, true, false},
		{"it was told", Silence{Overdue: 1, Since: ago(20), Count: 1, Told: 1, FoundAt: ago(5)}, false, false},
		{"it has grown a little", Silence{Overdue: 9, Since: ago(20), Count: 9, Told: 1, FoundAt: now}, false, false},
		{"it has grown a lot", Silence{Overdue: 10, Since: ago(20), Count: 10, Told: 1, FoundAt: now}, true, false},
		{"it ended before it was told", Silence{Since: ago(20), Count: 3, FoundAt: now}, false, true},
		{"all have their status", Silence{Since: ago(20), Count: 3, Told: 3, FoundAt: now}, true, true},
		{"nothing is sent or heard", Silence{Overdue: 3, Since: ago(90), Count: 3, Told: 3, FoundAt: ago(60)}, false, false},
		{"statuses come, some are missing still", Silence{Overdue: 3, Since: ago(90), Count: 3, Told: 3, FoundAt: ago(5), HeardAt: now}, false, false},
		{"statuses come, some are missing for ever", Silence{Overdue: 3, Since: ago(90), Count: 3, Told: 3, FoundAt: ago(15), HeardAt: ago(1)}, true, true},
		{"heard before the latest was found", Silence{Overdue: 3, Since: ago(90), Count: 3, Told: 3, FoundAt: ago(15), HeardAt: ago(16)}, false, false},
	} {
		if tell, over := tc.silence.News(now, 15*time.Minute); tell != tc.tell || over != tc.over {
			t.Errorf("%s: tell %v, over %v; want %v, %v", tc.name, tell, over, tc.tell, tc.over)
		}
	}
}
