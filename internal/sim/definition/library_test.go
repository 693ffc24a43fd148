package definition

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every entry is one that the rules take, so that creating from the library never fails for the library's sake.
func TestLibraryFollowsTheRules(t *testing.T) {
	t.Parallel()
	seen, ids := map[string]bool{}, map[string]bool{}
	for _, e := range Library() {
		t.Run(e.Name+" "+e.Language, func(t *testing.T) {
			var inputs []string
			for _, b := range e.Buttons {
				switch b.Type {
				case "URL":
					inputs = append(inputs, `{"type":"URL","url":{"base_url":"https://ex.org/{{1}}","url_suffix_example":"https://ex.org/demo"}}`)
				case "PHONE_NUMBER":
					inputs = append(inputs, `{"type":"PHONE_NUMBER","phone_number":"+15550100123"}`)
				}
			}
			d, err := FromLibrary(params(t, `{"name":"mine","language":"`+e.Language+`","category":"`+e.Category+`","library_template_name":"`+e.Name+`",
				"library_template_body_inputs":{"add_contact_number":true,"add_learn_more_link":true,"add_track_package_link":true,"add_security_recommendation":true,"code_expiration_minutes":5},
				"library_template_button_inputs":[`+strings.Join(inputs, ",")+`]}`))
			if err != nil {
				t.Fatal(err, err.UserMsg)
			}
			if d.Library != e.Name || d.Name != "mine" || d.Part("BODY") == nil {
				t.Errorf("made %+v", d)
			}
			if len(e.Params) != len(e.Types) || len(e.Industry) == 0 || e.Topic == "" || e.UseCase == "" {
				t.Errorf("entry is incomplete: %+v", e)
			}
		})
		if key := e.Name + " " + e.Language; seen[key] || ids[e.ID] {
			t.Errorf("%s (%s) is there twice", key, e.ID)
		} else {
			seen[key], ids[e.ID] = true, true
		}
	}
	if len(seen) < 25 {
		t.Errorf("the library has %d entries", len(seen))
	}
}

func TestFromLibraryRefuses(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, body    string
		code, subcode int
		say           string
	}{
		{"unknown", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"nope"}`, 100, BadComponent, "has no nope"},
		{"other language", `{"name":"a","language":"fr","category":"UTILITY","library_template_name":"order_delay_1"}`, 100, BadComponent, "fr"},
		{"other category", `{"name":"a","language":"en_US","category":"MARKETING","library_template_name":"order_delay_1"}`, 100, BadComponent, "UTILITY"},
		{"address missing", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1"}`, 100, MissingField, "needs a URL"},
		{"phone missing", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"transaction_alert_1"}`, 100, MissingField, "needs a PHONE_NUMBER"},
		{"inputs no list", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1","library_template_button_inputs":{}}`, 100, 0, "must be an array"},
		{"input too many", `{"name":"a","language":"en_US","category":"UTILITY","library_template_name":"order_confirmation_2","library_template_button_inputs":[{"type":"URL"}]}`, 100, BadComponent, "index 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, err := FromLibrary(params(t, tc.body))
			expect(t, err, tc.code, tc.subcode, tc.say)
		})
	}
}

func TestFromLibraryWithInputsAsText(t *testing.T) {
	t.Parallel()
	d, err := FromLibrary(params(t, `{"name":"my_pay","language":"en_US","category":"UTILITY","library_template_name":"order_delay_1",
		"library_template_body_inputs":{"add_contact_number":true},
		"library_template_button_inputs":"[{\"type\":\"phone_number\",\"phone_number\":\"+15550100123\"},{\"type\":\"URL\",\"url\":{\"base_url\":\"https://ex.org/{{1}}\",\"url_suffix_example\":\"https://ex.org/demo\"}}]"}`))
	if err != nil {
		t.Fatal(err, err.UserMsg)
	}
	want := []Button{{Type: "URL", Text: "Order status", URL: "https://ex.org/{{1}}", Example: []string{"https://ex.org/demo"}},
		{Type: "PHONE_NUMBER", Text: "Call us", Phone: "+15550100123"}}
	if diff := cmp.Diff(want, d.Part("BUTTONS").Buttons, cmp.Comparer(func(a, b Button) bool {
		return a.Type == b.Type && a.Text == b.Text && a.URL == b.URL && a.Phone == b.Phone && cmp.Equal(a.Example, b.Example)
	})); diff != "" {
		t.Errorf("buttons (-want +got):\n%s", diff)
	}
	if body := d.Part("BODY").Text; !strings.Contains(body, "Our number is in our profile") {
		t.Errorf("body %q", body)
	}
	if diff := cmp.Diff([]string{"TEXT", "TEXT", "DATE"}, d.Types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		filter Filter
		want   string
		not    string
	}{
		{"search in the body", Filter{Search: "RUNNING LATE"}, "order_delay_1", "fraud_alert_1"},
		{"topic", Filter{Topic: "payments"}, "payment_due_reminder_1", "order_delay_1"},
		{"use case", Filter{UseCase: "FRAUD_ALERT"}, "fraud_alert_1", "order_delay_1"},
		{"industry", Filter{Industry: "E_COMMERCE"}, "order_delay_1", "fraud_alert_1"},
		{"language", Filter{Language: "es"}, "delivery_update_1", "order_delay_1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			found := map[string]bool{}
			for _, e := range Library() {
				if tc.filter.Match(&e) {
					found[e.Name] = true
				}
			}
			if !found[tc.want] || found[tc.not] {
				t.Errorf("%+v finds %v", tc.filter, found)
			}
		})
	}
}
