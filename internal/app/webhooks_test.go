package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
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

// sample is a callback of a field, and what it says about the account and the number.
type sample struct {
	name    string
	Field   string
	Value   json.RawMessage
	Notices []struct {
		Matter, Subject, State, Reason, Detail string
		Number                                 bool
		Until                                  int64
	}
}

// fieldSamples are those that the parser is tested with: one of every field, or of every form of it.
func fieldSamples(t *testing.T) (list []sample) {
	t.Helper()
	const dir = "../ingest/testdata/fields/"
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(dir + f.Name())
		s := sample{name: f.Name()}
		if err = errors.Join(err, json.Unmarshal(text, &s)); err != nil {
			t.Fatal(f.Name(), err)
		}
		list = append(list, s)
	}
	return list
}

// Callbacks of every field that Meta documents become events with what Meta sent in them, those of fields that nobody knows yet too, and
// what they say about the account and the number is kept. (Messages, statuses and what templates cause have tests of their own.)
func TestEveryFieldBecomesAnEvent(t *testing.T) {
	t.Parallel()
	n := start(t, t.TempDir(), liftQuotas("ListAccountNotices", "GetPhoneNumber", "ValidateMessage", "GetCustomerServiceWindow"))
	var mu sync.Mutex
	var entries []string
	n.listen(t, func(entry string) {
		mu.Lock()
		defer mu.Unlock()
		entries = append(entries, strings.NewReplacer(`\/`, "/", " ", "").Replace(entry))
	})
	told := func(s sample) bool {
		mu.Lock()
		defer mu.Unlock()
		value := strings.NewReplacer(`\/`, "/", " ", "").Replace(string(s.Value))
		return slices.ContainsFunc(entries, func(entry string) bool {
			return strings.Contains(entry, `"field":"`+s.Field+`"`) && strings.Contains(entry, value)
		})
	}
	samples := fieldSamples(t)
	for _, s := range samples {
		n.control(t, "POST", "/sim/v1/webhooks", fmt.Sprintf(`{"waba_id":%q,"field":%q,"value":%s}`, sim.AccountID, s.Field, s.Value))
		waitFor(t, s.name, func() bool { return told(s) })
		var known struct{ Notices []object }
		n.ask(t, "GET", path("accounts/notices", "id", seededWABA), nil, &known)
		for _, want := range s.Notices {
			shown := object{"matter": want.Matter, "state": want.State}
			for name, text := range map[string]string{"subject": want.Subject, "reason": want.Reason, "detail": want.Detail} {
				if text != "" {
					shown[name] = text
				}
			}
			if want.Number {
				shown["phoneNumberId"] = seededPhone
			}
			if want.Until > 0 {
				shown["until"] = float64(want.Until)
			}
			if !slices.ContainsFunc(known.Notices, func(got object) bool {
				delete(got, "timestamp")
				return maps.Equal(got, shown)
			}) {
				t.Errorf("%s: no notice %v among %v", s.name, shown, known.Notices)
			}
		}
	}
	if len(entries) != len(samples) {
		t.Errorf("%d events for %d callbacks", len(entries), len(samples))
	}
	n.standsAsTold(t)
}

// standsAsTold looks at what the samples leave behind, where people look.
func (n *node) standsAsTold(t *testing.T) {
	t.Helper()
	number := n.does(t, "GET", path("phone-numbers/details", "phoneNumberId", seededPhone), nil)
	restrictions, _ := number["restrictions"].([]any)
	notices, _ := number["notices"].([]any)
	if number["accountReview"] != "REJECTED" || len(restrictions) != 3 || number["ban"] != nil || len(notices) < 8 {
		t.Errorf("number = %v", number)
	}
	n.control(t, "POST", "/sim/v1/webhooks", fmt.Sprintf(`{"waba_id":%q,"field":"account_update","value":{"event":"DISABLED_UPDATE","ban_info":{"waba_ban_state":"DISABLE","waba_ban_date":"today"}}}`, sim.AccountID))
	waitFor(t, "the ban", func() bool {
		ban, _ := n.does(t, "GET", path("phone-numbers/details", "phoneNumberId", seededPhone), nil)["ban"].(object)
		return ban["state"] == "DISABLE" && ban["date"] == "today"
	})
	checked := n.does(t, "POST", "/v1/waxwing/messages/validate", object{"originationPhoneNumberId": seededPhone, "metaApiVersion": "v20.0", "message": blob(template)})
	if text := fmt.Sprint(checked); checked["valid"] != false || !strings.Contains(text, "131031") {
		t.Errorf("validated: %s", text)
	}
	for _, name := range []string{sim.Diego, "US.13491208655302741918"} { // who said stop, and called
		w := n.does(t, "GET", path("windows/details", "phoneNumberId", seededPhone, "recipient", name), nil)
		if w["marketingOptOut"] != true {
			t.Errorf("window of %s = %v", name, w)
		}
	}
	stranger := &node{App: n.App, api: n.stranger(t)}
	stranger.refused(t, "GET", path("accounts/notices", "id", seededWABA), nil, 404, "ResourceNotFoundException", "")
}
