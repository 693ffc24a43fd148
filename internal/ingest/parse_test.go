package ingest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

var received = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// hook wraps the value of a change of field messages.
func hook(value string) string {
	return `{"object":"whatsapp_business_account","entry":[{"id":"12","changes":[{"value":` + value + `,"field":"messages"}]}]}`
}

const metadata = `"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"11"}`

func TestParse(t *testing.T) {
	t.Parallel()
	sent := `{"id":"wamid.1","status":"sent","timestamp":"1763800100","recipient_id":"447","biz_opaque_callback_data":"ours"}`
	read := `{"id":"wamid.1","status":"read","timestamp":"1763800101000","recipient_id":"447"}`
	failed := `{"id":"wamid.2","status":"failed","timestamp":"1763800102","recipient_id":"448","errors":[{"code":131047,"title":"T","message":"M","error_data":{"details":"D"}}]}`
	text := `{"from":"447","id":"wamid.3","timestamp":"1763800103","type":"text","text":{"body":"h\u00e9\/ <b>"}}`
	for _, tc := range []struct {
		name string
		body string
		want []string // kind field wamid status phone from entry
	}{
		{"a single status keeps Meta's bytes", hook(`{` + metadata + `,  "statuses":[` + sent + `]}`),
			[]string{`status messages wamid.1 sent 11  {"id":"12","changes":[{"value":{` + metadata + `,  "statuses":[` + sent + `]},"field":"messages"}]}`}},
		{"a single message keeps its escapes", hook(`{` + metadata + `,"messages":[` + text + `]}`),
			[]string{`inbound messages wamid.3 received 11 447 {"id":"12","changes":[{"value":{` + metadata + `,"messages":[` + text + `]},"field":"messages"}]}`}},
		{"several updates become one each", hook(`{` + metadata + `,"contacts":[{"wa_id":"447"},{"wa_id":"448"}],"statuses":[` + sent + `,` + failed + `],"messages":[` + text + `]}`),
			[]string{
				`inbound messages wamid.3 received 11 447 {"id":"12","changes":[{"value":{` + metaKeys + `"contacts":[{"wa_id":"447"}],"messages":[` + text + `]},"field":"messages"}]}`,
				`status messages wamid.1 sent 11  {"id":"12","changes":[{"value":{` + metaKeys + `"contacts":[{"wa_id":"447"}],"statuses":[` + sent + `]},"field":"messages"}]}`,
				`status messages wamid.2 failed 11  {"id":"12","changes":[{"value":{` + metaKeys + `"contacts":[{"wa_id":"448"}],"statuses":[` + failed + `]},"field":"messages"}]}`,
			}},
		{"errors beside a message are kept", hook(`{` + metadata + `,"messages":[` + text + `],"errors":[{"code":131000}]}`),
			[]string{
				`inbound messages wamid.3 received 11 447 {"id":"12","changes":[{"value":{` + metaKeys + `"messages":[` + text + `]},"field":"messages"}]}`,
				`other messages   11  {"id":"12","changes":[{"value":{` + metaKeys + `"errors":[{"code":131000}]},"field":"messages"}]}`,
			}},
		{"errors alone stay whole", hook(`{` + metadata + `,"errors":[{"code":131000}]}`),
			[]string{`other messages   11  {"id":"12","changes":[{"value":{` + metadata + `,"errors":[{"code":131000}]},"field":"messages"}]}`}},
		{"account fields keep their time", `{"object":"whatsapp_business_account","entry":[{"id":"12","time":1763800200,"changes":[{"field":"account_update","value":{"event":"X"}}]}]}`,
			[]string{`other account_update     {"id":"12","time":1763800200,"changes":[{"value":{"event":"X"},"field":"account_update"}]}`}},
		{"a message without an id is passed on", hook(`{` + metadata + `,"messages":[{"type":"whatever"}]}`),
			[]string{`other messages   11  {"id":"12","changes":[{"value":{` + metadata + `,"messages":[{"type":"whatever"}]},"field":"messages"}]}`}},
		{"a user known by id only", hook(`{` + metadata + `,"messages":[{"id":"wamid.4","from_user_id":"GB.1","type":"text"}]}`),
			[]string{`inbound messages wamid.4 received 11 GB.1 {"id":"12","changes":[{"value":{` + metadata + `,"messages":[{"id":"wamid.4","from_user_id":"GB.1","type":"text"}]},"field":"messages"}]}`}},
		{"what WhatsApp says about a customer, who has not written", hook(`{` + metadata + `,"messages":[{"from":"447","id":"wamid.5","type":"system","system":{"type":"user_changed_number","wa_id":"448"}}]}`),
			[]string{`inbound messages wamid.5 received 11  {"id":"12","changes":[{"value":{` + metadata + `,"messages":[{"from":"447","id":"wamid.5","type":"system","system":{"type":"user_changed_number","wa_id":"448"}}]},"field":"messages"}]}`}},
		{"values of a kind nobody expects", `{"object":"whatsapp_business_account","entry":[{"id":"12","changes":[{"field":"messages","value":7},{"field":"new","value":[1]}]}]}`,
			[]string{`other messages     {"id":"12","changes":[{"value":7,"field":"messages"}]}`, `other new     {"id":"12","changes":[{"value":[1],"field":"new"}]}`}},
		{"nothing in it", `{"object":"whatsapp_business_account","entry":[]}`, nil},
		{"milliseconds", hook(`{` + metadata + `,"statuses":[` + read + `]}`),
			[]string{`status messages wamid.1 read 11  {"id":"12","changes":[{"value":{` + metadata + `,"statuses":[` + read + `]},"field":"messages"}]}`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			changes, err := parse([]byte(tc.body), received)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, c := range changes {
				kind := [...]string{event.OtherChange: "other", event.StatusChange: "status", event.InboundChange: "inbound"}[c.Kind]
				got = append(got, fmt.Sprintf("%s %s %s %s %s %s %s", kind, c.Field, c.WAMID, c.Status, c.PhoneMetaID, strings.Join(c.Opens, ","), c.entry))
				if c.WABAMetaID != "12" || len(c.Key) != 16 || c.At.IsZero() {
					t.Errorf("change %+v lacks its account, key or time", c.Change)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

// metaKeys is metadata in the order in which a value is written again.
const metaKeys = `"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550100001","phone_number_id":"11"},`

func TestParseDetails(t *testing.T) {
	t.Parallel()
	changes, err := parse([]byte(hook(`{`+metadata+`,"statuses":[{"id":"w","status":"failed","timestamp":"1763800102","biz_opaque_callback_data":"o",
		"errors":[{"code":131047,"title":"T","message":"M","error_data":{"details":"D"}}]}]}`)), received)
	if err != nil {
		t.Fatal(err)
	}
	c := changes[0]
	if c.Opaque != "o" || len(c.Failures) != 1 || c.Failures[0].Code != 131047 || c.Failures[0].Details != "D" || c.At.Unix() != 1763800102 {
		t.Errorf("change = %+v", c.Change)
	}
}

// Updates about sign-ups may come in the name of the business that owns the app.
func TestParseFindsTheAccountOfASignUp(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"event":"PARTNER_ADDED","waba_info":{"waba_id":"12","owner_business_id":"15"}}`: "12",
		`{"event":"PARTNER_ADDED","waba_info":{"waba_id":12}}`:                            "15",
		`{"event":"PARTNER_ADDED","waba_info":[]}`:                                        "15",
	} {
		changes, err := parse([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"15","time":1,"changes":[{"field":"account_update","value":`+body+`}]}]}`), received)
		if err != nil || len(changes) != 1 || changes[0].WABAMetaID != want {
			t.Errorf("%s is about %+v (%v), want %s", body, changes, err, want)
		}
	}
}

func TestRepeatsHaveOneKey(t *testing.T) {
	t.Parallel()
	keyOf := func(body string) string {
		changes, err := parse([]byte(body), received)
		if err != nil || len(changes) != 1 {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		return string(changes[0].Key)
	}
	account := `{"object":"whatsapp_business_account","entry":[{"id":"12","time":%d,"changes":[{"field":"account_update","value":{"event":"X"}}]}]}`
	if first, repeat := keyOf(fmt.Sprintf(account, 1)), keyOf(fmt.Sprintf(account, 1)); first != repeat {
		t.Error("a repeat has another key")
	}
	if keyOf(fmt.Sprintf(account, 1)) == keyOf(fmt.Sprintf(account, 2)) {
		t.Error("the same event at another time has the same key")
	}
	errorsAt := func(at time.Time) string {
		changes, err := parse([]byte(hook(`{`+metadata+`,"errors":[{"code":131000}]}`)), at)
		if err != nil || len(changes) != 1 {
			t.Fatalf("%d changes, %v", len(changes), err)
		}
		return string(changes[0].Key)
	}
	if first, repeat := errorsAt(received), errorsAt(received); first != repeat {
		t.Error("errors without a message differ within a callback")
	}
	if errorsAt(received) == errorsAt(received.Add(time.Hour)) {
		t.Error("errors without a message are the same in every callback")
	}
	status := `{` + metadata + `,"statuses":[{"id":"w","status":"%s"}]}`
	if keyOf(hook(fmt.Sprintf(status, "sent"))) == keyOf(hook(fmt.Sprintf(status, "read"))) {
		t.Error("two statuses of a message have the same key")
	}
}

// A webhook of Meta's greatest size may be made so that its updates together are thousands of times as large.
func TestUpdatesStaySmall(t *testing.T) {
	t.Parallel()
	list := func(n int, form string) string {
		items := make([]string, n)
		for i := range items {
			items[i] = fmt.Sprintf(form, i)
		}
		return "[" + strings.Join(items, ",") + "]"
	}
	for name, body := range map[string]string{
		"contacts of others": `{` + metadata + `,"contacts":` + list(1000, `{"profile":{"name":"Somebody"},"wa_id":"447%07d"}`) +
			`,"statuses":` + list(1000, `{"id":"wamid.%d","status":"failed","recipient_id":"120363"}`) + `}`,
		"contacts of everybody": `{` + metadata + `,"contacts":` + list(1000, `{"profile":{"name":"Amara"},"wa_id":"447","n":%d}`) +
			`,"statuses":` + list(1000, `{"id":"wamid.%d","status":"sent","recipient_id":"447"}`) + `}`,
	} {
		changes, err := parse([]byte(hook(body)), received)
		if err != nil || len(changes) != 1000 {
			t.Fatalf("%s: %d changes, %v", name, len(changes), err)
		}
		size := 0
		for _, c := range changes {
			size += len(c.entry)
		}
		if size > 5*len(body) {
			t.Errorf("%s: a value of %d bytes became %d", name, len(body), size)
		}
	}
	body := hook(`{` + metadata + `,"new":"` + strings.Repeat("x", 1<<20) + `","statuses":` + list(1000, `{"id":"%d","status":"sent"}`) + `}`)
	if _, err := parse([]byte(body), received); !errors.Is(err, ErrTooMuch) {
		t.Errorf("a megabyte around each of 1,000 updates: %v, want ErrTooMuch", err)
	}
	body = `{"object":"whatsapp_business_account","entry":[{"id":"12","time":"` + strings.Repeat("1", 1<<20) + `","changes":` + list(1000, `{"field":"f%d"}`) + `}]}`
	if _, err := parse([]byte(body), received); !errors.Is(err, ErrTooMuch) {
		t.Errorf("a megabyte of time for each of 1,000 changes: %v, want ErrTooMuch", err)
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "null", "[]", "{", `{"object":"page","entry":[]}`, `{"object":"whatsapp_business_account","entry":{}}`, "\xff"} {
		if _, err := parse([]byte(body), received); !errors.Is(err, ErrNotWebhook) {
			t.Errorf("parse(%q) = %v, want ErrNotWebhook", body, err)
		}
	}
}

// FuzzParse checks that whatever comes in, every change is a webhook that parses to itself again: that is how a change waits
// for its message.
func FuzzParse(f *testing.F) {
	f.Add([]byte(hook(`{` + metadata + `,"contacts":[{"wa_id":"447"}],"statuses":[{"id":"w","status":"sent"}],"messages":[{"id":"x","from":"447"}],"errors":[]}`)))
	for _, s := range samples(f) {
		f.Add(s.webhook())
	}
	f.Add([]byte(`{"object":"whatsapp_business_account","entry":[{"id":"1","time":1.5e3,"changes":[{"field":"\u0000","value":{"a":null}}]}]}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		changes, err := parse(body, received)
		if err != nil {
			return
		}
		for _, c := range changes {
			again := webhook(c.entry)
			if !json.Valid(again) {
				t.Fatalf("entry is not JSON: %s", c.entry)
			}
			back, err := parse(again, received)
			if err != nil || len(back) != 1 {
				t.Fatalf("a change became %d changes (%v): %s", len(back), err, again)
			}
			if b := back[0]; b.Kind != c.Kind || !bytes.Equal(b.Key, c.Key) || b.WAMID != c.WAMID || b.Status != c.Status {
				t.Fatalf("a change became another: %+v then %+v", c.Change, b.Change)
			}
		}
	})
}

func BenchmarkParse(b *testing.B) {
	body := []byte(hook(`{` + metadata + `,"statuses":[{"id":"wamid.HBgMNDQ3NzAwOTAwMTIzFQIAERgSNUQyMUMwRkZFRTBBMUIyQzNEAA==","status":"sent","timestamp":"1763800100","recipient_id":"447700900123","biz_opaque_callback_data":"6f0d9e2c-5b1a-4c3e-9a77-2d3c4b5a6978","pricing":{"billable":true,"pricing_model":"PMP","type":"regular","category":"utility"}}]}`))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(body, received); err != nil {
			b.Fatal(err)
		}
	}
}
