package event

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

const numberARN = "arn:aws:social-messaging:us-east-1:000000000000:phone-number-id/p"

func outgoing(field, status, messageID, wamid, value string) *Outgoing {
	return &Outgoing{Delivery: Delivery{Event: Event{ID: "e-1", PhoneKey: "p", MessageID: messageID, WAMID: wamid, Field: field, Status: status,
		At: time.Unix(1763800000, 0)}, WABAMetaID: "12", PhoneMetaID: "11"}, Scope: account.Scope{Partition: "aws", Region: "us-east-1", AccountID: "000000000000"},
		Opened: []byte(`{"id":"12","changes":[{"value":{` + metadata + `,` + value + `},"field":"` + field + `"}]}`)}
}

func TestChatMessages(t *testing.T) {
	t.Parallel()
	const contact = `"contacts":[{"profile":{"name":"Diego"},"wa_id":"14255550150"}],`
	image := `{"from":"14255550150","id":"wamid.Y","type":"image","image":{"id":"99","mime_type":"image/jpeg","caption":"my \u00e9 door"}}`
	long := `{"from":"14255550150","id":"wamid.Y","type":"document","document":{"id":"99","caption":"` + strings.Repeat("é", maxContent) + `"}}`
	for name, tc := range map[string]struct{ message, contentType, content string }{
		"text":         {`{"from":"14255550150","id":"wamid.Y","type":"text","text":{"body":"Hello \ud83d\udc4d"}}`, TextContent, "Hello 👍"},
		"button":       {`{"from":"14255550150","type":"button","button":{"payload":"later","text":"Later"}}`, TextContent, "Later"},
		"button reply": {`{"from":"14255550150","type":"interactive","interactive":{"type":"button_reply","button_reply":{"id":"yes","title":"Yes"}}}`, TextContent, "Yes"},
		"list reply":   {`{"from":"14255550150","type":"interactive","interactive":{"type":"list_reply","list_reply":{"id":"t","title":"14:00"}}}`, TextContent, "14:00"},
		"a Flow's answer": {`{"from":"14255550150","type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"body":"Sent"}}}`, JSONContent,
			`{"from":"14255550150","type":"interactive","interactive":{"type":"nfm_reply","nfm_reply":{"body":"Sent"}}}`},
		"media":     {image, JSONContent, image},
		"too long":  {long, JSONContent, `{"type":"document","id":"wamid.Y","mediaId":"99","tooLong":true}`},
		"long text": {`{"from":"14255550150","id":"wamid.Y","type":"text","text":{"body":"` + strings.Repeat("x", maxContent+1) + `"}}`, JSONContent, `{"type":"text","id":"wamid.Y","tooLong":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := outgoing("messages", Received, "", "wamid.Y", contact+`"messages":[`+tc.message+`]`).Chat()
			want := Chat{Customer: "+14255550150", Number: numberARN, Kind: ChatMessage, ContentType: tc.contentType, Content: tc.content, MessageID: "wamid.Y",
				Name: "Diego", Attributes: map[string]string{"whatsapp-waba-id": "12", "whatsapp-phone-number-id": "11", "whatsapp-customer": "+14255550150",
					"whatsapp-message-id": "wamid.Y"}}
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

func TestChatStatuses(t *testing.T) {
	t.Parallel()
	status := func(more string) string {
		return `"statuses":[{"id":"wamid.X","status":"s","recipient_id":"14255550150"` + more + `}]`
	}
	for name, tc := range map[string]struct{ status, more, contentType, content string }{
		"delivered": {"delivered", "", DeliveredContent, `{"messageId":"our-id"}`},
		"read":      {"read", "", ReadContent, `{"messageId":"our-id"}`},
		"accepted":  {"accepted", "", JSONContent, `{"messageId":"our-id","status":"accepted"}`},
		"failed": {"failed", `,"errors":[{"code":131026,"title":"No","message":"No","error_data":{"details":"why"}}]`, JSONContent,
			`{"messageId":"our-id","status":"failed","errors":[{"code":131026,"title":"No","message":"No","details":"why"}]}`},
		"failed at length": {"failed", `,"errors":[{"code":131026,"title":"` + strings.Repeat("x", maxContent) + `"}]`, JSONContent,
			`{"messageId":"our-id","status":"failed"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := outgoing("messages", tc.status, "our-id", "wamid.X", status(tc.more)).Chat()
			want := Chat{Customer: "+14255550150", Number: numberARN, Kind: ChatEvent, ContentType: tc.contentType, Content: tc.content, MessageID: "our-id"}
			if diff := cmp.Diff(want, got); diff != "" || !ok {
				t.Errorf("%v (-want +got):\n%s", ok, diff)
			}
		})
	}
}

// Customers without a visible number go by their business-scoped id, and those without a name by that.
func TestChatCustomer(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ from, user, want string }{
		{"14255550150", "US.1", "+14255550150"}, {"", "US.1", "US.1"}, {"", "", ""}, {"", strings.Repeat("x", maxCustomer+1), ""},
	} {
		o := outgoing("messages", Received, "", "wamid.Y", `"messages":[{"from":"`+tc.from+`","from_user_id":"`+tc.user+`","type":"text","text":{"body":"Hi"}}]`)
		if got, ok := o.Chat(); got.Customer != tc.want || ok != (tc.want != "") || got.Name != tc.want {
			t.Errorf("%q, %q: %+v, %v", tc.from, tc.user, got, ok)
		}
	}
}

// What belongs to no chat is none.
func TestNoChat(t *testing.T) {
	t.Parallel()
	account := outgoing("account_update", "", "", "", `"event":"X"`)
	account.PhoneKey = ""
	for _, o := range []*Outgoing{account, outgoing("calls", "accepted", "", "", `"statuses":[{"recipient_id":"1"}]`), outgoing("messages", "", "", "", `"errors":[]`),
		outgoing("message_template_status_update", "", "", "", `"event":"APPROVED"`)} {
		if c, ok := o.Chat(); ok {
			t.Errorf("%s is %+v", o.Opened, c)
		}
	}
}

func FuzzChat(f *testing.F) {
	f.Add(Received, `"messages":[{"from":"1","type":"text","text":{"body":"x"}}]`)
	f.Add(Received, `"contacts":[7,{"profile":null}],"messages":[{"from":"\ud800","type":"image","image":["a"]}]`)
	f.Add("failed", `"statuses":[{"recipient_id":"1","errors":{"code":1}}]`)
	f.Fuzz(func(t *testing.T, status, value string) {
		c, ok := outgoing("messages", status, "our-id", "", value).Chat()
		if !ok {
			return
		}
		for what, s := range map[string]string{"customer": c.Customer, "content": c.Content, "content type": c.ContentType, "name": c.Name} {
			if n := utf8.RuneCountInString(s); n > maxContent || !utf8.ValidString(s) || what == "name" && n > maxName || what == "customer" && n > maxCustomer {
				t.Errorf("%s of %d characters: %.100q", what, n, s)
			}
		}
	})
}
