package ingest

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// told is what a status says beside whom and what it is about.
type told struct {
	Status, Participant, Opaque string
	At                          time.Time
	Failures                    []message.Failure
	Pricing                     message.Pricing
}

func TestParseStatuses(t *testing.T) {
	t.Parallel()
	at := time.Unix(1763800100, 0).UTC()
	for _, tc := range []struct {
		name, status string
		want         told
	}{
		{"sent, with its price", `"status":"sent","timestamp":"1763800100","recipient_id":"447","pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}`,
			told{Status: "sent", At: at, Pricing: message.Pricing{Category: "utility", Type: "regular", Model: "PMP", Billable: true}}},
		{"sent, with a conversation", `"status":"sent","timestamp":"1763800100","conversation":{"id":"c1","origin":{"type":"authentication_international"},"expiration_timestamp":"1763886500"},` +
			`"pricing":{"billable":true,"pricing_model":"CBP","category":"authentication-international"}`,
			told{Status: "sent", At: at, Pricing: message.Pricing{Category: "authentication_international", Model: "CBP", Billable: true,
				Conversation: "c1", Origin: "authentication_international", Expires: time.Unix(1763886500, 0).UTC()}}},
		{"free, said by the type alone", `"status":"delivered","timestamp":"1763800100","pricing":{"type":"free_customer_service","category":"service"}`,
			told{Status: "delivered", At: at, Pricing: message.Pricing{Category: "service", Type: "free_customer_service"}}},
		{"charged, said by the type alone", `"status":"delivered","timestamp":"1763800100","pricing":{"type":"regular"}`,
			told{Status: "delivered", At: at, Pricing: message.Pricing{Type: "regular", Billable: true}}},
		{"of a member of a group", `"status":"read","timestamp":"1763800100","recipient_id":"Y2FwaQ","recipient_type":"group","recipient_participant_id":"447","recipient_participant_user_id":"GB.1"`,
			told{Status: "read", At: at, Participant: "447"}},
		{"of a member without a number", `"status":"read","timestamp":"1763800100","recipient_type":"group","recipient_participant_user_id":"GB.1"`,
			told{Status: "read", At: at, Participant: "GB.1"}},
		{"failed for two reasons", `"status":"failed","timestamp":"1763800100","biz_opaque_callback_data":"ours","errors":[{"code":131026,"title":"T","message":"M","error_data":{"details":"D"},"href":"u"},{"code":130472,"title":"E"}]`,
			told{Status: "failed", At: at, Opaque: "ours", Failures: []message.Failure{{Code: 131026, Title: "T", Message: "M", Details: "D"}, {Code: 130472, Title: "E"}}}},
		{"reasons in odd forms", `"status":"failed","timestamp":1763800100,"errors":[{"code":"131026","title":7},{"code":1e300,"title":"T"},{},null,"x",{"error_data":"D","message":"M"}]`,
			told{Status: "failed", At: at, Failures: []message.Failure{{Code: 131026}, {Title: "T"}, {Message: "M"}}}},
		{"no list of reasons", `"status":"failed","timestamp":"1763800100","errors":{"code":1}`, told{Status: "failed", At: at}},
		{"played", `"status":"played","timestamp":"1763800100"`, told{Status: "played", At: at}},
		{"deleted", `"status":"deleted","timestamp":"1763800100"`, told{Status: "deleted", At: at}},
		{"warning", `"status":"warning","timestamp":"1763800100","errors":[{"code":2061001,"title":"Item not available"}]`,
			told{Status: "warning", At: at, Failures: []message.Failure{{Code: 2061001, Title: "Item not available"}}}},
		{"of the future, at no known time", `"status":"folded","timestamp":"soon"`, told{Status: "folded", At: received}},
		{"at a time that cannot be", `"status":"sent","timestamp":"9223372036854775807"`, told{Status: "sent", At: received}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			changes, err := parse([]byte(hook(`{`+metadata+`,"statuses":[{"id":"wamid.1",`+tc.status+`}]}`)), received)
			if err != nil || len(changes) != 1 {
				t.Fatalf("%d changes, %v", len(changes), err)
			}
			c := changes[0]
			got := told{c.Status, c.Participant, c.Opaque, c.At, c.Failures, c.Pricing}
			if diff := cmp.Diff(tc.want, got); diff != "" || c.Kind != event.StatusChange || c.WAMID != "wamid.1" {
				t.Errorf("change %+v (-want +got):\n%s", c.Change, diff)
			}
		})
	}
}

// Everybody in a group has a delivery of their own, and a status with other reasons is another one.
func TestStatusesThatDifferHaveTheirOwnKeys(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, status := range []string{
		`"status":"delivered"`, `"status":"read"`, `"status":"delivered","recipient_participant_id":"447"`, `"status":"delivered","recipient_participant_id":"448"`,
		`"status":"failed"`, `"status":"failed","errors":[{"code":1}]`, `"status":"failed","errors":[{"code":2}]`,
	} {
		changes, err := parse([]byte(hook(`{`+metadata+`,"statuses":[{"id":"wamid.1",`+status+`}]}`)), received)
		if err != nil || len(changes) != 1 {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		if other, ok := seen[string(changes[0].Key)]; ok {
			t.Errorf("%s and %s have the same key", status, other)
		}
		seen[string(changes[0].Key)] = status
	}
}

// Contacts of a group's status are those of the member, not of the group.
func TestContactsOfAMember(t *testing.T) {
	t.Parallel()
	body := hook(`{` + metadata + `,"contacts":[{"wa_id":"447"},{"wa_id":"448"}],"statuses":[` +
		`{"id":"w","status":"read","recipient_id":"g","recipient_participant_id":"448"},{"id":"w","status":"read","recipient_id":"g","recipient_participant_id":"447"}]}`)
	changes, err := parse([]byte(body), received)
	if err != nil || len(changes) != 2 {
		t.Fatalf("%d changes, %v", len(changes), err)
	}
	want := `{"id":"12","changes":[{"value":{` + metaKeys + `"contacts":[{"wa_id":"448"}],"statuses":[{"id":"w","status":"read","recipient_id":"g","recipient_participant_id":"448"}]},"field":"messages"}]}`
	if diff := cmp.Diff(want, string(changes[0].entry)); diff != "" {
		t.Errorf("entry (-want +got):\n%s", diff)
	}
}
