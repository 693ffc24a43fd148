package ingest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/calling"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// docs/events.md shows every event as it is published. The examples and the table of them are made here, out of webhooks as Meta
// sends them, by the code that makes the real ones; the rest of the page is written by hand.

// example is an event of the page.
type example struct {
	section, title, about string
	event.Outgoing
}

// The development world.
const (
	docKey     = "00000000000000000000000000000001"
	docMessage = "0199f0c4-5b1a-7c3e-9a77-2d3c4b5a6978"
	docMembers = `"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"1100000000000001"}`
	docContact = `"contacts":[{"profile":{"name":"Diego"},"wa_id":"14255550150"}]`
)

var docTime = time.Unix(1795861800, 0).UTC()

func shown(section, title, about string, e *event.Event, n int) example {
	d := event.Delivery{Event: *e, WABAMetaID: "1200000000000001"}
	d.ID, d.WABAKey, d.AccountID = fmt.Sprintf("0199f0c4-0000-7000-8000-%012d", n), docKey, "000000000000"
	if d.PhoneKey != "" {
		d.PhoneMetaID = "1100000000000001"
	}
	return example{section, title, about, event.Outgoing{Delivery: d, Scope: account.Scope{Partition: "aws", Region: "us-east-1", AccountID: d.AccountID}, Opened: e.Entry}}
}

// examples are all events of the page, in its order.
func examples(t *testing.T) (list []example) {
	add := func(section, title, about string, e *event.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, shown(section, title, about, e, len(list)+1))
	}
	h := event.HandOver{MessageID: docMessage, WABAMetaID: "1200000000000001", PhoneKey: docKey, PhoneMetaID: "1100000000000001", DisplayNumber: "+1 555-010-0001",
		Recipient: "14255550150", WAMID: "wamid.OUT", At: docTime}
	never := h
	never.WAMID = ""
	generated := func(title, about string, e *event.Event, err error) { add("statuses", title, about, e, err) }
	accepted, err := event.Accepted(h, plain{}, "")
	generated("Accepted", "WhatsApp has taken the message. Made here, not by WhatsApp.", accepted, err)
	refused, err := event.Failed(never, message.Failure{Code: 131009, Title: "Parameter value is not valid", Details: "template.language.code is not known."}, plain{}, "")
	generated("Refused", "WhatsApp has not taken the message and never will. Made here; `id` is ours, since there is none of WhatsApp's.", refused, err)
	exhausted, err := event.Failed(never, message.Failure{Code: 131000, Title: "Message retries exhausted, dropping message.", Details: "Something went wrong"}, plain{}, "")
	generated("Given up", "WhatsApp has not taken the message until `handover.retry_window` was over. Made here.", exhausted, err)
	cancelled, err := event.Failed(never, message.Because(message.CodeCancelled, ""), plain{}, "")
	generated("Cancelled", "Its sender took the message back. Made here.", cancelled, err)
	expired, err := event.Failed(never, message.Because(message.CodeExpired, "Something went wrong"), plain{}, "")
	generated("No longer valid", "The message's validity was over before WhatsApp took it. Made here.", expired, err)

	for _, w := range webhooks(t) {
		add(w.section, w.title, w.about, w.event, nil)
	}

	call := calling.Outcome{WABAMetaID: "1200000000000001", PhoneMetaID: "1100000000000001", DisplayNumber: "+1 555-010-0001", CallID: "wacid.OUT",
		Event: calling.Event{Action: calling.ActionConnect, Recipient: "14255550150", Opaque: "job 88"}, At: docTime.Unix()}
	handOver := func(title, about string) {
		add("calls", title, about, &event.Event{PhoneKey: docKey, Field: calling.Field, Status: call.Status(), At: docTime, Entry: call.Entry()}, nil)
	}
	handOver("A call was handed over", "The answer to `SendWhatsAppCallEvent`. Made here.")
	call.CallID, call.Failure = "", &message.Failure{Code: 138006, Title: "No permission to call", Details: "Ask the customer first."}
	handOver("A call was refused", "Made here.")

	for i, a := range []struct {
		about string
		event.Alert
	}{
		{"Events are not published there until someone resumes it.", event.Alert{Kind: event.DestinationDisabled, Destination: "event-destination-" + docKey,
			Reason: "the receiver answered 410 Gone"}},
		{"WhatsApp does not accept the business account's access token; its messages wait.", event.Alert{Kind: event.TokenRejected, Reason: "190: Access token has expired", Count: 17}},
		{"WhatsApp takes no messages of the business account.", event.Alert{Kind: event.AccountBlocked, Reason: "368: Temporarily blocked for policies violations", Count: 17}},
		{"WhatsApp takes no messages of the number.", event.Alert{Kind: event.NumberBlocked, Reason: "131031: Account has been locked", Count: 17}},
		{"WhatsApp took messages and has reported nothing about them.", event.Alert{Kind: event.StatusesMissing, Reason: "no status within 15m0s", Count: 3}},
		{"The same, when it is over. Every alert has such an end.", event.Alert{Kind: event.StatusesMissing, Cleared: true, Reason: "statuses have come"}},
	} {
		a.WABAMetaID, a.Since, a.At = "1200000000000001", docTime, docTime.Add(time.Minute)
		if i > 2 {
			a.PhoneKey, a.PhoneMetaID, a.DisplayNumber = docKey, "1100000000000001", "+1 555-010-0001"
		}
		e, err := event.NewAlert(&a.Alert, plain{}, "")
		add("alerts", strings.ToUpper(string(a.Kind[:1]))+strings.ReplaceAll(string(a.Kind[1:]), "_", " ")+map[bool]string{true: ", over"}[a.Cleared], a.about, e, err)
	}
	add("alerts", "Test", "TestEventDestination publishes it.", &event.Event{Field: event.TestField, At: docTime, Entry: event.TestEntry("1200000000000001", docTime)}, nil)
	return list
}

// relayed is an event out of testdata/events.txt.
type relayed struct {
	section, title, about string
	event                 *event.Event
}

// webhooks takes the webhooks of testdata/events.txt apart as those of Meta.
func webhooks(t *testing.T) (list []relayed) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "events.txt"))
	if err != nil {
		t.Fatal(err)
	}
	var w relayed
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			w.section = strings.Trim(line, "[]")
			continue
		}
		if title, about, ok := strings.Cut(line, " |"); ok {
			w.title, w.about = title, strings.TrimSpace(about)
			continue
		}
		field, value, _ := strings.Cut(line, " ")
		value = strings.NewReplacer("{M", "{"+docMembers, ",C,", ","+docContact+",").Replace(value)
		at := ""
		if !strings.Contains(value, docMembers) {
			at = fmt.Sprintf(`"time":%d,`, docTime.Unix())
		}
		changes, err := parse(fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"1200000000000001",%s"changes":[{"value":%s,"field":"%s"}]}]}`, at, value, field), docTime)
		if err != nil || len(changes) != 1 {
			t.Fatalf("%s: %d changes, %v", line, len(changes), err)
		}
		c := changes[0]
		w.event = &event.Event{WAMID: c.WAMID, Field: c.Field, Status: c.Status, At: c.At, Entry: c.entry}
		if c.PhoneMetaID != "" {
			w.event.PhoneKey = docKey
		}
		if c.Kind == event.StatusChange {
			w.event.MessageID = docMessage
		}
		list = append(list, w)
	}
	return list
}

// block writes an event in both of its forms.
func (e *example) block(b *strings.Builder) {
	kind, detail := e.Bridge()
	fmt.Fprintf(b, "\n### %s\n", e.title)
	if e.about != "" {
		fmt.Fprintf(b, "\n%s\n", e.about)
	}
	bridged := fmt.Appendf(nil, `{"version":"0","id":%q,"detail-type":%q,"source":%q,"account":%q,"time":%q,"region":"us-east-1","resources":[],"detail":%s}`,
		e.ID, kind, event.BridgeSource, e.AccountID, e.At.UTC().Format(time.RFC3339), detail)
	fmt.Fprintf(b, "\n```json\n%s\n```\n\n```json\n%s\n```\n", indented(e.Envelope()), indented(bridged))
}

// indented lays a JSON text out: what fits into a line is one.
func indented(text []byte) string {
	doc, ok := rawjson.Parse(text)
	if !ok {
		panic(string(text))
	}
	return layOut(doc, "")
}

func layOut(v rawjson.Value, indent string) string {
	open, end := "{", "}"
	var parts []string
	switch {
	case v.IsObject():
		for name, member := range v.Members() {
			parts = append(parts, string(event.AppendString(nil, name))+": "+layOut(member, indent+"  "))
		}
	case v.IsArray():
		open, end = "[", "]"
		for _, item := range v.Elements() {
			parts = append(parts, layOut(item, indent+"  "))
		}
	default:
		return string(v)
	}
	const width = 175
	if line := open + strings.Join(parts, ", ") + end; len(indent)+len(line) <= width && !strings.Contains(line, "\n") && indent != "" {
		return line
	}
	return open + "\n" + indent + "  " + strings.Join(parts, ",\n"+indent+"  ") + "\n" + indent + end
}

// table lists what the examples show, for whoever looks for a field or a detail-type.
func table(list []example) string {
	var b strings.Builder
	b.WriteString("| Event | Field | Status | Detail-type |\n|---|---|---|---|\n")
	for _, e := range list {
		kind, _ := e.Bridge()
		status := ""
		if e.Status != "" {
			status = "`" + e.Status + "`"
		}
		fmt.Fprintf(&b, "| [%s](#%s) | `%s` | %s | %s |\n", e.title, anchor(e.title), e.Field, status, kind)
	}
	return b.String()
}

// anchor is the name that GitHub gives a heading.
func anchor(heading string) string {
	return strings.ReplaceAll(regexp.MustCompile(`[^a-z0-9 _-]`).ReplaceAllString(strings.ToLower(heading), ""), " ", "-")
}

// filled returns the page with its generated parts as they should be.
func filled(t *testing.T, page string) string {
	list := examples(t)
	slices.SortStableFunc(list, func(a, b example) int { return place(page, a.section) - place(page, b.section) })
	done := map[string]bool{}
	part := regexp.MustCompile(`(?s)(<!-- generated: (\w+) -->\n)(.*?)(<!-- end -->)`)
	page = part.ReplaceAllStringFunc(page, func(s string) string {
		m := part.FindStringSubmatch(s)
		done[m[2]] = true
		var b strings.Builder
		if m[2] == "table" {
			b.WriteString(table(list))
		}
		for i := range list {
			if list[i].section == m[2] {
				list[i].block(&b)
			}
		}
		return m[1] + b.String() + "\n" + m[4]
	})
	for _, e := range list {
		if !done[e.section] {
			t.Errorf("docs/events.md has no place for %s", e.section)
		}
	}
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(page, -1) {
		if seen[anchor(m[1])] {
			t.Errorf("docs/events.md has two headings %s", m[1])
		}
		seen[anchor(m[1])] = true
	}
	return page
}

func place(page, section string) int { return strings.Index(page, "<!-- generated: "+section+" -->") }

func TestEventsPageIsCurrent(t *testing.T) {
	t.Parallel()
	path := filepath.Join("..", "..", "docs", "events.md")
	have, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want := filled(t, string(have))
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(have), want); diff != "" {
		t.Errorf("docs/events.md is out of date; run `make generate` (-have +want):\n%s", diff)
	}
}

// The page has an example of every status, of every alert, of every detail-type, and names every field.
func TestEventsPageHasNoGaps(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "events.md"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds, statuses, alerts []string
	for _, e := range examples(t) {
		kind, _ := e.Bridge()
		kinds, statuses = append(kinds, kind), append(statuses, e.Status)
		if e.Field == event.AlertField {
			alerts = append(alerts, string(e.Opened))
		}
	}
	for _, kind := range []string{event.BridgeSent, event.BridgeDelivered, event.BridgeRead, event.BridgeFailed, event.BridgeUndeliverable, event.BridgeReceived,
		event.BridgeUnknown, event.BridgeHandOverSucceeded, event.BridgeHandOverFailed, event.BridgeCallSucceeded, event.BridgeCallFailed, event.BridgeAlert, event.BridgeTest} {
		if !slices.Contains(kinds, kind) {
			t.Errorf("no example of %s", kind)
		}
	}
	for _, status := range []string{"accepted", "sent", "delivered", "read", "played", "failed", "deleted", "warning", event.Received} {
		if !slices.Contains(statuses, status) {
			t.Errorf("no example of the status %s", status)
		}
	}
	for _, kind := range event.AlertKinds() {
		if !slices.ContainsFunc(alerts, func(s string) bool { return strings.Contains(s, string(kind)) }) {
			t.Errorf("no example of the alert %s", kind)
		}
	}
	for _, field := range fields {
		if !strings.Contains(string(page), "`"+field+"`") {
			t.Errorf("the field %s is not named", field)
		}
	}
}

// fields are those that Meta has webhooks for.
var fields = []string{"messages", "message_template_status_update", "message_template_quality_update", "message_template_components_update",
	"template_category_update", "phone_number_quality_update", "phone_number_name_update", "phone_number_username_update", "account_update",
	"account_review_update", "account_alerts", "business_capability_update", "security", "flows", "user_preferences", "history", "smb_message_echoes",
	"smb_app_state_sync", "calls", "partner_solutions", "payment_configuration_update", "automatic_events", "tracking_events", "group_lifecycle_update",
	"group_participants_update", "group_settings_update", "group_status_update"}
