package ingest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/template"
)

// What a webhook says about a template is read beside what is passed on.
func TestParseTemplateUpdates(t *testing.T) {
	t.Parallel()
	at := time.Unix(1763800200, 0).UTC()
	about := `"message_template_id":778899001122334455,"message_template_name":"parcel_ready","message_template_language":"en-GB"`
	for _, tc := range []struct {
		name, field, value string
		want               *template.Update
	}{
		{"status", "message_template_status_update", `{"event":"PAUSED",` + about + `,"other_info":{"title":"FIRST_PAUSE"}}`,
			&template.Update{ID: "778899001122334455", Name: "parcel_ready", Language: "en_GB", At: at, Status: template.Paused, Pause: 3 * time.Hour}},
		{"category", "template_category_update", `{` + about + `,"previous_category":"UTILITY","new_category":"MARKETING"}`,
			&template.Update{ID: "778899001122334455", Name: "parcel_ready", Language: "en_GB", At: at, Category: template.Marketing, Previous: template.Utility}},
		{"no template", "message_template_status_update", `{"event":"PAUSED"}`, nil},
		{"another field", "account_update", `{` + about + `}`, nil},
	} {
		body := `{"object":"whatsapp_business_account","entry":[{"id":"12","time":1763800200,"changes":[{"field":"` + tc.field + `","value":` + tc.value + `}]}]}`
		got, err := parse([]byte(body), received)
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: %d changes, %v", tc.name, len(got), err)
		}
		if diff := cmp.Diff(tc.want, got[0].Template); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tc.name, diff)
		}
		if want := `{"id":"12","time":1763800200,"changes":[{"value":` + tc.value + `,"field":"` + tc.field + `"}]}`; string(got[0].entry) != want {
			t.Errorf("%s: passed on %s, want %s", tc.name, got[0].entry, want)
		}
	}
}
