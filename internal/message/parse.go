package message

import (
	"strings"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// MaxBytes is the largest message object the API takes (AWS's model of WhatsAppMessageBlob).
const MaxBytes = 2_048_000

// The kinds of message with rules of their own. Kind is an open set: what Meta adds later passes through.
const (
	KindText        = "text"
	KindImage       = "image"
	KindVideo       = "video"
	KindAudio       = "audio"
	KindDocument    = "document"
	KindSticker     = "sticker"
	KindLocation    = "location"
	KindContacts    = "contacts"
	KindReaction    = "reaction"
	KindInteractive = "interactive"
	KindTemplate    = "template"
)

// Draft is what we need to know of a message object to route it. The object itself travels as it came.
type Draft struct {
	Kind      string   // Meta's type; KindRead for a receipt
	To        string   // as the sender wrote it: a phone number, a business-scoped user id or a group id; "" for receipts
	Recipient string   // To in the form that keeps order: digits only for a phone number; "" for receipts
	Group     bool     // To is a group
	About     string   // the message a receipt or reaction is about, a wamid
	ReplyTo   string   // the message quoted (context.message_id), a wamid
	Typing    bool     // a receipt that also shows the typing indicator
	OwnOpaque bool     // biz_opaque_callback_data is taken: ours cannot travel
	Priority  Priority // Bulk for templates that answer nothing, Reply for everything else
	Template  string   // the template's name and
	Language  string   // language code, when Kind is KindTemplate
}

// FreeForm reports whether the message may only be sent while the customer service window is open.
func (d *Draft) FreeForm() bool { return d.Kind != KindTemplate && d.Kind != KindRead && !d.Group }

// badDestination is AWS's own text for a message that says neither whom it is for nor which message it acknowledges.
const badDestination = "Invalid destination phone number or message Id"

// In characters. Meta documents the first; the second keeps the name of an unknown type fit for a log.
const (
	maxOpaque = 512
	maxKind   = 64
)

// envelope holds the members every message object has, undecoded.
type envelope struct {
	product, recipientType, to, recipient, kind, status, messageID, typing, context, opaque value
	hasOpaque                                                                               bool
}

// Parse checks a message object against the limits Meta documents and says what it is.
//
// It refuses what Meta is known to refuse, and nothing else: where Meta's own pages disagree the wider limit holds, unknown
// Members and types that did not exist when this was written pass. Lengths count Unicode characters. The error is a
// fault.InvalidParameters that names the first offending member, such as "text.body must be at most 4096 characters", or has
// AWS's text when there is no usable destination. Parse keeps no reference to raw.
func Parse(raw []byte) (Draft, error) {
	if len(raw) > MaxBytes {
		return Draft{}, fault.New(fault.InvalidParameters, "message must be at most %d bytes", MaxBytes)
	}
	root, p := object(raw)
	if p != nil {
		return Draft{}, p.fault()
	}
	e := open(root)
	if p := first(oneOf("messaging_product", e.product, "whatsapp"), maybeString("biz_opaque_callback_data", e.opaque, maxOpaque)); p != nil {
		return Draft{}, p.fault()
	}
	draft := Draft{OwnOpaque: e.hasOpaque}
	if e.receipt() {
		return e.parseReceipt(draft)
	}
	if !e.destination(&draft) {
		return Draft{}, fault.New(fault.InvalidParameters, badDestination)
	}
	if p := e.parseContent(root, &draft); p != nil {
		return Draft{}, p.fault()
	}
	return draft, nil
}

// object returns raw as a JSON object that is safe to walk.
func object(raw []byte) (value, *problem) {
	v, ok := rawjson.Parse(raw)
	if !ok || !utf8.Valid(raw) {
		return nil, wrong("message", "must be a JSON object in UTF-8")
	}
	if !v.IsObject() {
		return nil, wrong("message", "must be a JSON object")
	}
	return v, nil
}

func open(root value) (e envelope) {
	for name, v := range root.Members() {
		switch string(name) {
		case "messaging_product":
			e.product = v
		case "recipient_type":
			e.recipientType = v
		case "to":
			e.to = v
		case "recipient":
			e.recipient = v
		case "type":
			e.kind = v
		case "status":
			e.status = v
		case "message_id":
			e.messageID = v
		case "typing_indicator":
			e.typing = v
		case "context":
			e.context = v
		case "biz_opaque_callback_data":
			e.opaque, e.hasOpaque = v, true
		}
	}
	return e
}

// receipt reports whether the object asks to mark a message read rather than to send one.
func (e *envelope) receipt() bool {
	addressed := e.to != nil || e.recipient != nil
	return e.status != nil || !addressed && e.kind == nil && (e.messageID != nil || e.typing != nil)
}

func (e *envelope) parseReceipt(d Draft) (Draft, error) {
	if !e.messageID.IsString() || len(e.messageID) == 2 {
		return Draft{}, fault.New(fault.InvalidParameters, badDestination)
	}
	if p := oneOf("status", e.status, "read"); p != nil {
		return Draft{}, p.fault()
	}
	if e.kind != nil {
		return Draft{}, wrong("status", "cannot be combined with type: a message and a read receipt are two requests").fault()
	}
	if e.typing != nil {
		if p := e.checkTyping(); p != nil {
			return Draft{}, p.under("typing_indicator").fault()
		}
	}
	d.Kind, d.About, d.Typing, d.Priority = KindRead, e.messageID.Text(), e.typing != nil, Reply
	return d, nil
}

func (e *envelope) checkTyping() *problem {
	if p := needObject("", e.typing); p != nil {
		return p
	}
	var kind value
	pick(e.typing, field{"type", &kind})
	return needString("type", kind, noText)
}

// destination reads whom the message is for. When both are given to wins over recipient, as it does at Meta.
func (e *envelope) destination(d *Draft) bool {
	d.Group = e.recipientType.Is("group")
	if e.to != nil && !(e.to.IsString() && len(e.to) == 2) {
		if !e.to.IsString() {
			return false
		}
		d.To = e.to.Text()
		if d.Group {
			d.Recipient = d.To
			return strings.TrimSpace(d.To) != ""
		}
		d.Recipient = Digits(d.To)
		return d.Recipient != ""
	}
	d.To = e.recipient.Text()
	d.Recipient = d.To
	return IsUserID(d.To)
}

// parseContent checks the message proper and fills in the rest of d.
func (e *envelope) parseContent(root value, d *Draft) *problem {
	if e.recipientType != nil {
		if p := oneOf("recipient_type", e.recipientType, "individual", "group"); p != nil {
			return p
		}
	}
	if p := e.parseContext(d); p != nil {
		return p
	}
	if e.kind == nil {
		d.Kind = KindText // Meta's default
	} else if p := needString("type", e.kind, maxKind); p != nil {
		return p
	} else if e.kind.Is(KindRead) {
		return wrong("type", `must be a type of message; a read receipt has "status":"read" instead`)
	} else {
		d.Kind = kindOf(e.kind)
	}
	var content value
	pick(root, field{d.Kind, &content})
	if e.kind == nil && content == nil {
		return wrong("type", "is required when there is no text")
	}
	switch d.Kind {
	case KindReaction:
		var about value
		pick(content, field{"message_id", &about})
		d.About = about.Text()
	case KindTemplate:
		d.Template, d.Language = templateName(content)
		if d.ReplyTo == "" {
			d.Priority = Bulk
		}
	}
	return checkContent(d.Kind, content).under(d.Kind)
}

func (e *envelope) parseContext(d *Draft) *problem {
	if e.context == nil {
		return nil
	}
	if p := maybeObject("context", e.context); p != nil {
		return p
	}
	var quoted value
	pick(e.context, field{"message_id", &quoted})
	if quoted == nil {
		return nil
	}
	if p := needString("message_id", quoted, noText); p != nil {
		return p.under("context")
	}
	d.ReplyTo = quoted.Text()
	return nil
}

// kindOf returns a type's name, without a copy for the known ones.
func kindOf(v value) string {
	switch name := v.Chars(); string(name) {
	case KindText:
		return KindText
	case KindTemplate:
		return KindTemplate
	case KindInteractive:
		return KindInteractive
	case KindReaction:
		return KindReaction
	case KindImage:
		return KindImage
	case KindVideo:
		return KindVideo
	case KindAudio:
		return KindAudio
	case KindDocument:
		return KindDocument
	case KindSticker:
		return KindSticker
	case KindLocation:
		return KindLocation
	case KindContacts:
		return KindContacts
	default:
		return string(name)
	}
}

// checkContent applies the rules of one type to its own object. Types we do not know have no rules.
func checkContent(kind string, v value) *problem {
	switch kind {
	case KindText:
		return checkText(v)
	case KindImage, KindVideo, KindDocument:
		return checkMedia(v, true)
	case KindAudio, KindSticker:
		return checkMedia(v, false)
	case KindLocation:
		return checkLocation(v)
	case KindContacts:
		return checkContacts(v)
	case KindReaction:
		return checkReaction(v)
	case KindInteractive:
		return checkInteractive(v)
	case KindTemplate:
		return checkTemplate(v)
	default:
		return nil
	}
}
