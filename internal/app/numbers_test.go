package app

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

func TestNumberExtensions(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), func(c *config.Config) {
		for _, op := range []string{"GetPhoneNumber", "GetBusinessProfile", "UpdateBusinessProfile", "GetTemplateAnalytics"} {
			c.Limits[op] = 1000
		}
	})
	details, profile := path("phone-numbers/details", "phoneNumberId", seededPhone), path("phone-numbers/profile", "phoneNumberId", seededPhone)

	if got := n.does(t, "GET", details, nil); got["status"] != "Active" || got["throughput"].(object)["messagesPerSecond"] != 80.0 || got["accountType"] != "business" {
		t.Errorf("number = %v", got)
	}
	n.simulator(t, "PATCH", "/sim/v1/phone-numbers/"+sim.NumberID, object{"messaging_limit_tier": "TIER_2K", "is_official_business_account": true})
	waitFor(t, "news of the number", func() bool {
		got := n.does(t, "GET", details, nil)
		limit, _ := got["messagingLimit"].(object)
		return limit["customersPerDay"] == 2000.0 && got["accountType"] == "official" && got["nameStatus"] == "APPROVED" && got["metaStatus"] == "CONNECTED"
	})

	n.does(t, "PUT", profile, object{"profile": object{"about": "Open all day", "email": "a@shop.test", "websites": []string{"https://shop.test"}, "vertical": "RETAIL"}})
	n.does(t, "PUT", profile, object{"profile": object{"email": "", "websites": []string{}}})
	if got := n.does(t, "GET", profile, nil); fmt.Sprint(got) != "map[about:Open all day vertical:RETAIL]" {
		t.Errorf("profile = %v", got)
	}
	n.refused(t, "PUT", profile, object{"profile": object{"about": ""}}, 400, "ValidationException", "about")
	n.refused(t, "PUT", profile, object{"profile": object{"vertical": "SHOES"}}, 400, "InvalidParametersException", "vertical")
	n.refused(t, "PUT", profile, object{}, 400, "ValidationException", "profile")

	n.send(t, template)
	const hello = "1400000000000101"
	analytics := func(parameters ...string) string {
		return path("templates/analytics", append([]string{"id", "waba-00000000000000000000000000000001", "metaTemplateIds", hello}, parameters...)...)
	}
	waitFor(t, "figures of the template", func() bool {
		days := n.does(t, "GET", analytics(), nil)["days"].([]any)
		return len(days) > 0 && days[len(days)-1].(object)["delivered"] == 1.0
	})
	n.refused(t, "GET", analytics("start", "2026-01-02T00:00:00Z", "end", "2026-01-01T00:00:00Z"), nil, 400, "InvalidParametersException", "before")
	n.refused(t, "GET", strings.Replace(analytics(), hello, "1400000000000201", 1), nil, 404, "ResourceNotFoundException", "") // of another business account
	n.refused(t, "GET", strings.Replace(analytics(), hello, "hello_world", 1), nil, 400, "ValidationException", "metaTemplateIds")

	stranger := &node{App: n.App, api: n.stranger(t)}
	for _, p := range []string{details, profile, analytics()} {
		stranger.refused(t, "GET", p, nil, 404, "ResourceNotFoundException", "")
	}
	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"next": 1}, "match": object{"edge": "whatsapp_business_profile"}, "effect": object{"code": 190}}}})
	n.refused(t, "GET", profile, nil, 403, "AccessDeniedByMetaException", "")
	n.simulator(t, "PUT", "/sim/v1/faults", object{"rules": []object{{"when": object{"always": true}, "match": object{"edge": "whatsapp_business_profile"}, "effect": object{"cut": "before"}}}})
	n.refused(t, "GET", profile, nil, 502, "DependencyException", "")
}

// How many customers may still be written to first is known before a message is sent.
func TestMessagingLimitIsKnown(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), nil)
	const tier = 50
	n.simulator(t, "PATCH", "/sim/v1/phone-numbers/"+sim.NumberID, object{"messaging_limit_tier": "TIER_50"})
	var number struct {
		MessagingLimit struct{ CustomersPerDay, CustomersReached int }
	}
	look := func() bool {
		n.ask(t, "GET", path("phone-numbers/details", "phoneNumberId", seededPhone), nil, &number)
		return number.MessagingLimit.CustomersPerDay == tier
	}
	waitFor(t, "new tier", look)
	to := func(i int) string {
		return strings.Replace(template, "+14255550150", fmt.Sprintf("+1425557%04d", i), 1)
	}
	for i := range tier {
		n.send(t, to(i))
	}
	waitFor(t, "fifty customers", func() bool { return look() && number.MessagingLimit.CustomersReached == tier })
	check := func(message string) string {
		res := n.api.Do(t, "POST", "/v1/waxwing/messages/validate", map[string]string{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0",
			"message": base64.StdEncoding.EncodeToString([]byte(message))})
		return string(res.Body)
	}
	if got := check(to(tier)); !strings.Contains(got, "131048") || !strings.Contains(got, "50 customers") {
		t.Errorf("one more customer: %s", got)
	}
	if got := check(to(0)); !strings.Contains(got, `"valid":true`) {
		t.Errorf("one of them again: %s", got)
	}
	n.simulator(t, "POST", "/sim/v1/customers/"+sim.Diego+"/messages", object{"phone_number_id": sim.NumberID, "message": object{"type": "text", "text": object{"body": "Hi"}}})
	waitFor(t, "an open window", func() bool { return strings.Contains(check(template), `"valid":true`) })
}
