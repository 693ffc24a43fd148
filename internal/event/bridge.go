package event

import (
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// BridgeSource is the source of events on the built-in event bus, as AWS has it. Nobody else may put events with a source that begins
// with aws. on a bus of AWS's.
const BridgeSource = "aws.social-messaging"

// Detail-types of events on an event bus. AWS documents what the first four carry and of the others only that they exist; the last two
// are ours altogether.
const (
	BridgeSent              = "WhatsApp Message Sent"
	BridgeDelivered         = "WhatsApp Message Delivered"
	BridgeRead              = "WhatsApp Message Read"
	BridgeFailed            = "WhatsApp Message Failed"
	BridgeUndeliverable     = "WhatsApp Message Undeliverable"
	BridgeReceived          = "WhatsApp Message Received"
	BridgeUnknown           = "WhatsApp Unknown Notification Received"
	BridgeHandOverSucceeded = "WhatsApp Message Handover Succeeded"
	BridgeHandOverFailed    = "WhatsApp Message Handover Failed"
	BridgeCallSucceeded     = "WhatsApp Call Handover Succeeded"
	BridgeCallFailed        = "WhatsApp Call Handover Failed"
	BridgeAlert             = "Waxwing Alert"
	BridgeTest              = "Waxwing Test"
)

// bridgeVersion is the detailVersion of details that are our design. It grows when a member changes its meaning or goes; new members
// may come at any time.
const bridgeVersion = "1"

// Bridge returns the event as it stands on an event bus: its detail-type, and its detail as a JSON object. Customers' numbers and
// what they write are not in it.
//
// The details of BridgeSent, BridgeDelivered, BridgeRead and BridgeFailed are exactly AWS's. All others are our own, made after their
// model, and carry a detailVersion.
func (o *Outgoing) Bridge() (detailType string, detail []byte) {
	doc, _ := rawjson.Parse(o.Opened)
	value := doc.Get("changes").First().Get("value")
	b := o.origin(value)
	switch detailType = o.bridgeType(value); detailType {
	case BridgeSent, BridgeDelivered, BridgeRead, BridgeFailed:
		b.text("messageId", o.bridgeID())
		b.text("status", o.Status)
		b.at("eventTimestamp", o)
		if detailType == BridgeFailed {
			b.errors(value.Get("statuses").First().Get("errors"), false)
		}
		return detailType, b.end()
	case BridgeReceived:
		b.text("messageId", o.WAMID)
		b.text("messageType", value.Get("messages").First().Get("type").Text())
	case BridgeHandOverSucceeded:
		b.text("messageId", o.MessageID)
		b.text("whatsAppMessageId", o.WAMID)
	case BridgeHandOverFailed, BridgeUndeliverable:
		b.text("messageId", o.MessageID)
		b.errors(value.Get("statuses").First().Get("errors"), true)
	case BridgeCallSucceeded, BridgeCallFailed:
		call := value.Get("statuses").First()
		b.text("callId", call.Get("id").Text())
		b.text("action", call.Get("action").Text())
		b.text("bizOpaqueCallbackData", call.Get("biz_opaque_callback_data").Text())
		if detailType == BridgeCallFailed {
			b.errors(call.Get("errors"), true)
		}
	case BridgeTest:
	case BridgeAlert:
		for _, name := range []string{"alert", "state", "since", "destination", "reason"} {
			b.text(name, value.Get(name).Text())
		}
		if count := value.Get("count"); count != nil {
			b.raw("count", count)
		}
	default:
		b.text("field", o.Field)
		b.text("status", o.Status)
		b.text("messageId", o.bridgeID())
	}
	b.at("eventTimestamp", o)
	b.text("eventId", o.ID)
	b.text("detailVersion", bridgeVersion)
	return detailType, b.end()
}

// bridgeType returns the detail-type of an event.
func (o *Outgoing) bridgeType(value rawjson.Value) string {
	switch o.Field {
	case AlertField:
		return BridgeAlert
	case TestField:
		return BridgeTest
	case "calls": // those of the calls' webhooks have no status
		switch message.State(o.Status) {
		case message.Accepted:
			return BridgeCallSucceeded
		case message.Failed:
			return BridgeCallFailed
		}
		return BridgeUnknown
	case "messages":
	default:
		return BridgeUnknown
	}
	switch o.Status {
	case Received:
		return BridgeReceived
	case string(message.Accepted):
		return BridgeHandOverSucceeded
	case string(message.Sent):
		return BridgeSent
	case string(message.Delivered):
		return BridgeDelivered
	case string(message.Read):
		return BridgeRead
	case string(message.Failed):
		if o.MessageID == "" || o.WAMID != "" {
			return BridgeFailed
		}
		// WhatsApp never had it: it was refused, or given up here without a refusal.
		code, _ := value.Get("statuses").First().Get("errors").First().Get("code").Number()
		if code == message.CodeCancelled || code == message.CodeExpired {
			return BridgeUndeliverable
		}
		return BridgeHandOverFailed
	default: // played, deleted, warning, and what Meta will think of
		return BridgeUnknown
	}
}

// bridgeID is our id of a message that was sent through the API, and else WhatsApp's.
func (o *Outgoing) bridgeID() string {
	if o.MessageID != "" {
		return o.MessageID
	}
	return o.WAMID
}

// origin begins a detail with the business account and number that the event is about, under their names at Meta.
func (o *Outgoing) origin(value rawjson.Value) *object {
	b := object{'{'}
	b.text("wabaId", o.WABAMetaID)
	number := value.Get("metadata").Get("display_phone_number").Text()
	if number == "" {
		number = value.Get("display_phone_number").Text()
	}
	b.text("originationPhoneNumber", digits(number))
	id := o.PhoneMetaID
	if id == "" {
		id = value.Get("metadata").Get("phone_number_id").Text()
	}
	b.text("originationPhoneNumberId", id)
	return &b
}

// object is a JSON object that is being written. Texts that are empty are left out.
type object []byte

func (b *object) raw(name string, value []byte) {
	if len(*b) > 1 {
		*b = append(*b, ',')
	}
	*b = append(append(AppendString(*b, name), ':'), value...)
}

func (b *object) text(name, value string) {
	if value != "" {
		b.raw(name, AppendString(nil, value))
	}
}

func (b *object) at(name string, o *Outgoing) { b.text(name, strconv.FormatInt(o.At.Unix(), 10)) }

// errors writes code, title and message of Meta's errors, and what Meta says in addition if details are wanted.
func (b *object) errors(list rawjson.Value, details bool) {
	out := []byte{'['}
	for i, e := range list.Elements() {
		if i > 0 {
			out = append(out, ',')
		}
		item := object{'{'}
		if code := e.Get("code"); code != nil && !code.IsString() {
			item.raw("code", code)
		}
		item.text("title", e.Get("title").Text())
		item.text("message", e.Get("message").Text())
		if details {
			item.text("details", e.Get("error_data").Get("details").Text())
		}
		out = append(out, item.end()...)
	}
	b.raw("errors", append(out, ']'))
}

func (b *object) end() []byte { return append(*b, '}') }
