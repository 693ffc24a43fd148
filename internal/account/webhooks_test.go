package account

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// Samples of every field are in internal/ingest; here are values that are not as they should be.
func TestNoticesOfOddValues(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, field, value string
		want               []Notice
	}{
		{"no object", "account_update", `[1]`, nil},
		{"another field", "messages", `{"event":"ACCOUNT_DELETED"}`, nil},
		{"no event", "account_update", `{}`, nil},
		{"restrictions that are no list", "account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":{"restriction_type":"X"}}`, nil},
		{"a restriction without an end", "account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"X","expiration":"soon"}]}`,
			[]Notice{{Matter: Restriction, Subject: "X", State: "RESTRICTED", At: noon}}},
		{"an event of another kind", "account_update", `{"event":{"a":1}}`, nil},
		{"a flow without an id", "flows", `{"event":"FLOW_STATUS_CHANGE","new_status":"DRAFT"}`, nil},
		{"a flow whose id is a number", "flows", `{"event":"FLOW_STATUS_CHANGE","flow_id":5,"new_status":"DRAFT"}`,
			[]Notice{{Matter: FlowStatus, Subject: "5", State: "DRAFT", At: noon}}},
		{"a number without digits", "security", `{"event":"PIN_CHANGED","display_phone_number":"?"}`, []Notice{{Matter: Security, Subject: "PIN_CHANGED", State: "PIN_CHANGED", At: noon}}},
		{"not UTF-8", "account_review_update", "{\"decision\":\"\xff\"}", []Notice{{Matter: Review, State: "\ufffd", At: noon}}},
	} {
		if diff := cmp.Diff(tc.want, Notices(tc.field, []byte(tc.value), noon)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
	}
}

func TestNoticeReplaces(t *testing.T) {
	t.Parallel()
	at := func(seconds int) Notice {
		return Notice{Matter: Ban, At: noon.Add(time.Duration(seconds) * time.Second)}
	}
	part := func(state string) Notice { return Notice{Matter: HistorySync, State: state} }
	for _, tc := range []struct {
		name     string
		new, old Notice
		want     bool
	}{
		{"newer", at(1), at(0), true}, {"of the same second, later here", at(0), at(0), true}, {"older", at(0), at(1), false},
		{"more of a history", part("55"), part("10"), true}, {"an earlier part of it", part("10"), part("55"), false},
		{"a history that is refused", part("REFUSED"), part("10"), true}, {"a part of a refused one", part("10"), part("REFUSED"), false},
		{"absurd progress", part(strings.Repeat("9", 400)), part("100"), true},
	} {
		if got := tc.new.Replaces(&tc.old); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}

func TestObstacle(t *testing.T) {
	t.Parallel()
	restricted := func(kind string, until time.Time) Placed {
		return Placed{Notice: Notice{Matter: Restriction, Subject: kind, State: "RESTRICTED", Until: until}}
	}
	banned := func(state string) Placed { return Placed{Notice: Notice{Matter: Ban, State: state}} }
	for _, tc := range []struct {
		name            string
		notice          Placed
		template, reply bool // is stopped
	}{
		{"disabled", banned(Disabled), true, true},
		{"about to be disabled", banned("SCHEDULE_FOR_DISABLE"), false, false},
		{"enabled again", banned(Reinstated), false, false},
		{"may not write first", restricted(NoBusinessInitiated, noon.Add(time.Hour)), true, false},
		{"may write again", restricted(NoBusinessInitiated, noon), false, false},
		{"may not answer", restricted(NoCustomerInitiated, time.Time{}), false, true},
		{"may not add numbers", restricted("RESTRICTED_ADD_PHONE_NUMBER_ACTION", time.Time{}), false, false},
	} {
		for reply, want := range map[bool]bool{false: tc.template, true: tc.reply} {
			if _, stopped := Obstacle([]Placed{banned(Reinstated), tc.notice}, reply, noon); stopped != want {
				t.Errorf("%s: a reply (%v) is stopped: %v", tc.name, reply, stopped)
			}
		}
	}
}

func TestGrave(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		notice Notice
		want   bool
	}{
		{Notice{Matter: Security, State: "PIN_CHANGED"}, true}, {Notice{Matter: Ban, State: Reinstated}, false}, {Notice{Matter: Ban, State: Disabled}, true},
		{Notice{Matter: Review, State: "APPROVED"}, false}, {Notice{Matter: Alert, State: "ACTIVE", Reason: "CRITICAL"}, true},
		{Notice{Matter: Alert, State: "ACTIVE", Reason: "WARNING"}, false}, {Notice{Matter: Partner, State: "PARTNER_REMOVED"}, true},
		{Notice{Matter: Lifecycle, State: "ACCOUNT_RECONNECTED"}, false}, {Notice{Matter: Capability, State: "2000"}, false},
	} {
		if got := tc.notice.Grave(); got != tc.want {
			t.Errorf("%+v is grave: %v", tc.notice, got)
		}
	}
}

// FuzzNotices checks that whatever a webhook holds, what is kept of it is text of a bounded size.
func FuzzNotices(f *testing.F) {
	samples, err := filepath.Glob("../ingest/testdata/fields/*.json")
	if err != nil || len(samples) == 0 {
		f.Fatal("no samples", err)
	}
	for _, name := range samples {
		var sample struct {
			Field string
			Value json.RawMessage
		}
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		if err := json.Unmarshal(text, &sample); err != nil {
			f.Fatal(name, err)
		}
		f.Add(sample.Field, []byte(sample.Value))
	}
	f.Fuzz(func(t *testing.T, field string, value []byte) {
		if !json.Valid(value) {
			return // parse has refused it
		}
		for _, n := range Notices(field, []byte(strings.TrimSpace(string(value))), noon) {
			for _, text := range []string{n.Subject, n.State, n.Reason, n.Detail} {
				if len(text) > 3*maxText || !utf8.ValidString(text) {
					t.Fatalf("notice %+v", n)
				}
			}
			if n.State == "" || n.Matter == "" || !n.At.Equal(noon) {
				t.Fatalf("notice %+v", n)
			}
		}
	})
}
