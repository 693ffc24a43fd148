package event

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// Chat is an event in the form of a chat integration event of Amazon Connect. AWS's own event delivery uses a call that it has not
// published; this form is ours, after the one that AWS has published for SMS. Members keep within its limits.
type Chat struct {
	Customer    string // E.164, or a business-scoped id
	Number      string // of the business, by its ARN here
	Kind        ChatKind
	ContentType string
	Content     string
	MessageID   string            // of the message that it is about: ours, or WhatsApp's
	Name        string            // of the customer
	Attributes  map[string]string // for a new contact
}

// ChatKind is what happens in a chat.
type ChatKind string

const (
	ChatMessage ChatKind = "MESSAGE" // the customer wrote
	ChatEvent   ChatKind = "EVENT"   // something became of a message of the business
)

// Content types of chats. Receipts are those that Connect has itself.
const (
	TextContent      = "text/plain"
	JSONContent      = "application/json"
	DeliveredContent = "application/vnd.amazonaws.connect.event.message.delivered"
	ReadContent      = "application/vnd.amazonaws.connect.event.message.read"
)

// Limits of a chat integration event, in characters.
const (
	maxContent  = 16384
	maxName     = 256
	maxCustomer = 255
)

// Chat returns the event as one of a chat. It is false for events that belong to no chat, such as those about templates.
//
// Texts, and the titles of buttons and list items that a customer has chosen, are TextContent. Of everything else the content is
// Meta's object of the message, or, if that is too long for Connect, an object with its type and id. Delivered and Read are
// Connect's receipts; other statuses are JSON objects with messageId, status and errors.
func (o *Outgoing) Chat() (Chat, bool) {
	if o.Field != "messages" || o.PhoneKey == "" {
		return Chat{}, false
	}
	doc, _ := rawjson.Parse(o.Opened)
	value := doc.Get("changes").First().Get("value")
	c := Chat{Number: o.Scope.ARN(account.KindPhoneNumber, o.PhoneKey)}
	if o.Status == Received {
		m := value.Get("messages").First()
		c.Kind, c.MessageID = ChatMessage, o.WAMID
		c.Customer = customer(m.Get("from").Text(), m.Get("from_user_id").Text())
		c.ContentType, c.Content = chatContent(m)
		c.Name = clipRunes(value.Get("contacts").First().Get("profile").Get("name").Text(), maxName)
		if c.Name == "" {
			c.Name = c.Customer
		}
		c.Attributes = map[string]string{"whatsapp-waba-id": o.WABAMetaID, "whatsapp-phone-number-id": o.PhoneMetaID,
			"whatsapp-customer": c.Customer, "whatsapp-message-id": o.WAMID}
	} else {
		s := value.Get("statuses").First()
		c.Kind, c.MessageID = ChatEvent, o.bridgeID()
		c.Customer = customer(s.Get("recipient_id").Text(), s.Get("recipient_user_id").Text())
		c.ContentType, c.Content = o.chatStatus(s)
	}
	return c, c.Customer != "" && c.Content != ""
}

func (o *Outgoing) chatStatus(status rawjson.Value) (contentType, content string) {
	b := object{'{'}
	b.text("messageId", o.bridgeID())
	switch message.State(o.Status) {
	case message.Delivered:
		return DeliveredContent, string(b.end())
	case message.Read:
		return ReadContent, string(b.end())
	}
	b.text("status", o.Status)
	if errs := status.Get("errors"); errs != nil {
		b.errors(errs, true)
	}
	if text := string(b.end()); utf8.RuneCountInString(text) <= maxContent {
		return JSONContent, text
	}
	b = object{'{'}
	b.text("messageId", o.bridgeID())
	b.text("status", o.Status)
	return JSONContent, string(b.end())
}

// chatContent returns what a customer's message says, or stands for.
func chatContent(m rawjson.Value) (contentType, content string) {
	kind := m.Get("type").Text()
	var text string
	switch kind {
	case "text":
		text = m.Get("text").Get("body").Text()
	case "button":
		text = m.Get("button").Get("text").Text()
	case "interactive":
		reply := m.Get("interactive")
		if text = reply.Get("button_reply").Get("title").Text(); text == "" {
			text = reply.Get("list_reply").Get("title").Text()
		}
	}
	switch length := utf8.RuneCountInString(text); {
	case length > 0 && length <= maxContent:
		return TextContent, strings.ToValidUTF8(text, "\ufffd")
	case m == nil:
		return "", ""
	case utf8.RuneCount(m) <= maxContent:
		return JSONContent, strings.ToValidUTF8(string(m), "\ufffd")
	}
	b := object{'{'}
	b.text("type", kind)
	b.text("id", m.Get("id").Text())
	b.text("mediaId", m.Get(kind).Get("id").Text())
	b.raw("tooLong", []byte("true"))
	return JSONContent, string(b.end())
}

// customer names a customer: by number where that is known.
func customer(number, user string) string {
	if number == "" || len(number) > maxCustomer {
		number = user
	}
	if n, err := strconv.ParseUint(number, 10, 64); err == nil && n > 0 {
		return "+" + number
	}
	if len(number) > maxCustomer {
		return ""
	}
	return number
}

func clipRunes(s string, most int) string {
	s = strings.ToValidUTF8(s, "\ufffd")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most])
}
