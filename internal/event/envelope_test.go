package event

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

func TestEnvelope(t *testing.T) {
	t.Parallel()
	key := strings.Repeat("0", 31) + "1"
	at := time.Date(2026, 11, 23, 4, 56, 36, 684321927, time.UTC)
	d := &Delivery{Event: Event{WABAKey: key, PhoneKey: key, MessageID: "6f0d9e2c-5b1a-4c3e-9a77-2d3c4b5a6978", At: at},
		WABAMetaID: "1200000000000001", PhoneMetaID: "1100000000000001"}
	entry := `{"id":"1200000000000001","changes":[{"value":{"a":"\ud83d\udc4d <b> \/"},"field":"messages"}]}`
	got := string(Envelope(d, account.Scope{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"}, []byte(entry)))
	want := `{"context":{"MetaWabaIds":[{"wabaId":"1200000000000001","arn":"arn:aws:social-messaging:us-east-1:000000000000:waba/` + key + `"}],` +
		`"MetaPhoneNumberIds":[{"metaPhoneNumberId":"1100000000000001","arn":"arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/` + key + `"}]},` +
		`"whatsAppWebhookEntry":"{\"id\":\"1200000000000001\",\"changes\":[{\"value\":{\"a\":\"\\ud83d\\udc4d <b> \\/\"},\"field\":\"messages\"}]}",` +
		`"aws_account_id":"000000000000","message_timestamp":"2026-11-23T04:56:36.684321927Z","messageId":"6f0d9e2c-5b1a-4c3e-9a77-2d3c4b5a6978"}`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("envelope (-want +got):\n%s", diff)
	}

	d.MessageID, d.PhoneKey = "", ""
	var doc map[string]any
	if err := json.Unmarshal(Envelope(d, account.Scope{}, []byte(entry)), &doc); err != nil {
		t.Fatal(err)
	}
	if _, ok := doc["messageId"]; ok {
		t.Error("an event that is not about a sent message has a messageId")
	}
	if doc["whatsAppWebhookEntry"] != entry {
		t.Errorf("entry = %v, want the bytes it was given", doc["whatsAppWebhookEntry"])
	}
}

func TestGeneratedEntries(t *testing.T) {
	t.Parallel()
	h := &HandOver{MessageID: "our-id", WABAMetaID: "12", PhoneMetaID: "11", DisplayNumber: "+1 555-010-0001", Recipient: "14255550150",
		WAMID: "wamid.X", At: time.Unix(1763800000, 0)}
	type status struct {
		ID, Status, Timestamp string
		RecipientID           string `json:"recipient_id"`
		Errors                []struct {
			Code           int
			Title, Message string
			Data           struct{ Details string } `json:"error_data"`
		}
	}
	read := func(t *testing.T, entry []byte) status {
		t.Helper()
		var doc struct {
			ID      string
			Changes []struct {
				Field string
				Value struct {
					Metadata struct {
						Display string `json:"display_phone_number"`
						ID      string `json:"phone_number_id"`
					}
					Statuses []status
				}
			}
		}
		if err := json.Unmarshal(entry, &doc); err != nil {
			t.Fatalf("%v in %s", err, entry)
		}
		v := doc.Changes[0].Value
		if doc.ID != "12" || doc.Changes[0].Field != "messages" || v.Metadata.Display != "15550100001" || v.Metadata.ID != "11" {
			t.Errorf("entry %s does not name its account and number", entry)
		}
		return v.Statuses[0]
	}
	got := read(t, AcceptedEntry(h))
	want := status{ID: "wamid.X", Status: "accepted", Timestamp: "1763800000", RecipientID: "14255550150"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("accepted (-want +got):\n%s", diff)
	}
	got = read(t, FailedEntry(h, 131009, "Parameter value is not valid", `a "quoted" reason`))
	if got.ID != "our-id" || got.Status != "failed" || len(got.Errors) != 1 || got.Errors[0].Code != 131009 ||
		got.Errors[0].Message != "Parameter value is not valid" || got.Errors[0].Data.Details != `a "quoted" reason` {
		t.Errorf("failed = %+v", got)
	}
}

func TestAlert(t *testing.T) {
	t.Parallel()
	a := &Alert{Kind: NumberBlocked, AccountID: "000000000000", WABAKey: "w", WABAMetaID: "12", PhoneKey: "p", PhoneMetaID: "11", DisplayNumber: "+1 555-010-0001",
		Reason: `131031: "locked"`, Count: 7, Since: time.Unix(1763800000, 0), At: time.Unix(1763800060, 0)}
	e, err := NewAlert(a, plain{}, "id")
	if err != nil {
		t.Fatal(err)
	}
	const entry = `{"id":"12","time":1763800060,"changes":[{"value":{"metadata":{"display_phone_number":"15550100001","phone_number_id":"11"},` +
		`"alert":"number_blocked","state":"raised","since":"1763800000","count":7,"reason":"131031: \"locked\""},"field":"waxwing_alert"}]}`
	want := &Event{ID: "id", AccountID: "000000000000", WABAKey: "w", PhoneKey: "p", Field: AlertField, Status: Raised, At: a.At, Entry: []byte(entry)}
	if diff := cmp.Diff(want, e); diff != "" {
		t.Errorf("raised (-want +got):\n%s", diff)
	}

	a = &Alert{Kind: DestinationDisabled, Cleared: true, WABAMetaID: "12", Destination: "arn", At: a.At}
	if e, err = NewAlert(a, plain{}, "id"); err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Changes []struct{ Value map[string]any }
	}
	if err := json.Unmarshal(e.Entry, &doc); err != nil {
		t.Fatal(err)
	}
	value := doc.Changes[0].Value
	if e.Status != Cleared || value["state"] != Cleared || value["destination"] != "arn" || value["metadata"] != nil || value["count"] != nil {
		t.Errorf("cleared: %s as %s", e.Entry, e.Status)
	}
}

// plain stores what it is given.
type plain struct{}

func (plain) Seal(plaintext, _ []byte) ([]byte, error) { return plaintext, nil }

func TestParseTimestamp(t *testing.T) {
	t.Parallel()
	fallback := time.Unix(7, 0)
	for in, want := range map[string]time.Time{
		"1763800000": time.Unix(1763800000, 0), "1763800000123": time.UnixMilli(1763800000123), "": fallback, "soon": fallback, "-5": fallback,
		"9223372036854775807": fallback,
	} {
		if got := ParseTimestamp(in, fallback); !got.Equal(want) {
			t.Errorf("ParseTimestamp(%q) = %v, want %v", in, got, want)
		}
	}
}

// SQS takes the characters of XML 1.0 only.
func TestAppendStringSuitsQueues(t *testing.T) {
	t.Parallel()
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if !utf8.ValidRune(r) {
			continue
		}
		for _, c := range string(AppendString(nil, string(r))) {
			if c != '\t' && c != '\n' && c != '\r' && (c < 0x20 || c == 0xfffe || c == 0xffff) {
				t.Fatalf("%U is written as %U", r, c)
			}
		}
	}
}

func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", `a"b\c`, "\x00\n\t", "né👍", "\xff\xfe", "\xe2\x82", "\ufffe\uffff\U0001ffff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var back string
		if err := json.Unmarshal(AppendString(nil, s), &back); err != nil {
			t.Fatalf("%q became invalid JSON: %v", s, err)
		}
		if utf8.ValidString(s) && back != s {
			t.Errorf("%q came back as %q", s, back)
		}
	})
}
