package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// A customer who hides the number writes, and is answered under the business-scoped id.
func TestCustomerWithoutANumber(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("GetMessage"))
	told := make(chan string, 10)
	n.listen(t, func(entry string) {
		if strings.Contains(entry, `"from_user_id"`) {
			told <- entry
		}
	})
	var diego struct {
		ID string `json:"user_id"`
	}
	if err := json.Unmarshal([]byte(n.control(t, "PUT", "/sim/v1/customers/"+sim.Diego, `{"hides_number":true}`)), &diego); err != nil {
		t.Fatal(err)
	}
	n.control(t, "POST", "/sim/v1/customers/"+sim.Diego+"/messages", `{"phone_number_id":"`+sim.NumberID+`","message":{"type":"text","text":{"body":"Hi"}}}`)
	if entry := <-told; !strings.Contains(entry, `"from_user_id":"`+diego.ID+`"`) || strings.Contains(entry, sim.Diego) {
		t.Errorf("told %s", entry)
	}
	id := n.send(t, `{"messaging_product":"whatsapp","recipient":"`+diego.ID+`","type":"text","text":{"body":"Hello"}}`)
	if m := n.await(t, id, "delivered"); m.Recipient != diego.ID {
		t.Errorf("answered to %s, want %s", m.Recipient, diego.ID)
	}
}

// Callbacks of every field that Meta documents become events with what Meta sent in them, those of fields that nobody knows yet too.
// (Messages, statuses and what templates cause have tests of their own.)
func TestEveryFieldBecomesAnEvent(t *testing.T) {
	t.Parallel()
	const template = `"message_template_id":1400000000000101,"message_template_name":"hello_world","message_template_language":"en_US"`
	const number = `"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"` + sim.NumberID + `"}`
	values := []struct{ field, value string }{
		{"account_alerts", `{"entity_type":"BUSINESS","entity_id":"1","alert_info":{"alert_severity":"CRITICAL","alert_status":"ACTIVE","alert_type":"X","alert_description":"d"}}`},
		{"account_review_update", `{"decision":"REJECTED"}`},
		{"account_settings_update", `{"type":"phone_number_settings"}`},
		{"account_update", `{"event":"ACCOUNT_RESTRICTION","restriction_info":[{"restriction_type":"RESTRICTED_BIZ_INITIATED_MESSAGING","expiration":1795400000}]}`},
		{"account_update", `{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"SCHEDULE_FOR_DISABLE","waba_ban_date":"December 1, 2026"}}`},
		{"account_update", `{"event":"VOLUME_BASED_PRICING_TIER_UPDATE","volume_tier_info":{"tier":"1:2","region":"Germany"}}`},
		{"automatic_events", `{` + number + `,"automatic_events":[{"id":"wamid.X","event_name":"LeadSubmitted","timestamp":1795400000}]}`},
		{"business_capability_update", `{"max_daily_conversations_per_business":2000,"max_phone_numbers_per_waba":25}`},
		{"flows", `{"event":"ENDPOINT_AVAILABILITY","flow_id":"5","threshold":90,"alert_state":"ACTIVATED","availability":75}`},
		{"history", `{` + number + `,"history":[{"metadata":{"phase":1,"chunk_order":3,"progress":55},"threads":[{"id":"14255550150","messages":[{"from":"14255550150",` +
			`"id":"wamid.H1","timestamp":"1795400000","type":"text","text":{"body":"old"},"history_context":{"status":"READ"}}]}]}]}`},
		{"message_template_components_update", `{` + template + `,"message_template_element":"Hello"}`},
		{"message_template_quality_update", `{"previous_quality_score":"GREEN","new_quality_score":"YELLOW",` + template + `}`},
		{"message_template_status_update", `{"event":"FLAGGED",` + template + `,"reason":"NONE","disable_info":{"disable_date":"December 1, 2026"}}`},
		{"partner_solutions", `{"event":"SOLUTION_CREATED","solution_id":"7","solution_status":"INITIATED"}`},
		{"payment_configuration_update", `{"configuration_name":"p","provider_name":"razorpay"}`},
		{"phone_number_name_update", `{"display_phone_number":"15550100001","decision":"REJECTED","requested_verified_name":"!","rejection_reason":"NAME_FORMAT_UNACCEPTABLE"}`},
		{"phone_number_quality_update", `{"display_phone_number":"15550100001","event":"ONBOARDING","current_limit":"TIER_250"}`},
		{"security", `{"display_phone_number":"15550100001","event":"PIN_RESET_REQUEST","requester":"61550000000000"}`},
		{"smb_app_state_sync", `{` + number + `,"state_sync":[{"type":"contact","action":"add","contact":{"phone_number":"14255550150"},"metadata":{"timestamp":"1795400000"}}]}`},
		{"smb_message_echoes", `{` + number + `,"message_echoes":[{"from":"15550100001","to":"14255550150","id":"wamid.E1","timestamp":"1795400000","type":"text","text":{"body":"x"}}]}`},
		{"template_category_update", `{` + template + `,"correct_category":"MARKETING","new_category":"UTILITY","category_update_timestamp":1795400000}`},
		{"tracking_events", `{` + number + `,"events":[{"event_name":"Click"}]}`},
		{"user_preferences", `{` + number + `,"contacts":[{"wa_id":"14255550150"}],"user_preferences":[{"wa_id":"14255550150","detail":"d","category":"marketing_messages","value":"stop","timestamp":1795400000}]}`},
		{"a_field_of_the_future", `{"anything":["goes",1,null]}`},
	}
	n := start(t, t.TempDir(), nil)
	var mu sync.Mutex
	var entries []string
	n.listen(t, func(entry string) {
		mu.Lock()
		defer mu.Unlock()
		entries = append(entries, strings.ReplaceAll(entry, `\/`, "/"))
	})
	for _, v := range values {
		if !json.Valid([]byte(v.value)) {
			t.Fatalf("%s: %s", v.field, v.value)
		}
		n.control(t, "POST", "/sim/v1/webhooks", fmt.Sprintf(`{"waba_id":%q,"field":%q,"value":%s}`, sim.AccountID, v.field, v.value))
	}
	for _, v := range values {
		waitFor(t, v.field, func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.ContainsFunc(entries, func(entry string) bool {
				return strings.Contains(entry, `"field":"`+v.field+`"`) && strings.Contains(entry, v.value)
			})
		})
	}
	mu.Lock()
	defer mu.Unlock()
	if len(entries) != len(values) {
		t.Errorf("%d events for %d callbacks", len(entries), len(values))
	}
}
