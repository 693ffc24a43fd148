package ingest

import (
	"slices"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

func TestCustomersCallsOpenTheWindow(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, call string
		kind       event.ChangeKind
		from       []string
	}{
		{"a customer calls", `{"id":"wacid.1","from":"447","to":"15550100001","event":"connect","direction":"USER_INITIATED","timestamp":"1763800103"}`, event.InboundChange, []string{"447"}},
		{"a customer answers", `{"id":"wacid.1","from":"15550100001","to":"447","event":"connect","direction":"BUSINESS_INITIATED","timestamp":"1763800103"}`, event.OtherChange, nil},
		{"a customer's call ends", `{"id":"wacid.1","from":"447","event":"terminate","direction":"USER_INITIATED","timestamp":"1763800103"}`, event.OtherChange, nil},
		{"two customers call", `{"from":"448","event":"connect","direction":"USER_INITIATED","timestamp":"1763800104"},{"event":"terminate"},{"from":"447","from_user_id":"GB.1","event":"connect","direction":"USER_INITIATED","timestamp":"1763800103"}`,
			event.InboundChange, []string{"448", "447", "GB.1"}},
		{"nobody calls", `{"event":"connect","direction":"USER_INITIATED"}`, event.OtherChange, nil},
		{"not an object", `7`, event.OtherChange, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			body := `{"object":"whatsapp_business_account","entry":[{"id":"12","changes":[{"value":{` + metadata + `,"calls":[` + tc.call + `]},"field":"calls"}]}]}`
			changes, err := parse([]byte(body), received)
			if err != nil || len(changes) != 1 {
				t.Fatal(changes, err)
			}
			c := changes[0]
			if c.Kind != tc.kind || !slices.Equal(c.Opens, tc.from) || c.Status != "" || c.WAMID != "" || c.PhoneMetaID != "11" || c.Key == nil {
				t.Errorf("change = %+v", c.Change)
			}
			if tc.from != nil && !c.At.Equal(time.Unix(1763800103, 0)) {
				t.Errorf("at %v", c.At)
			}
		})
	}
}
