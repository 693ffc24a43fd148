package ingest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
	"github.com/waxwing-messaging/waxwing/internal/template"
)

// change is an event.Change whose parts are not sealed yet.
type change struct {
	event.Change
	time  rawjson.Value // of its entry, as it came; messages have none
	entry []byte        // whatsAppWebhookEntry
}

// ErrNotWebhook is what bytes that are no webhook of a WhatsApp Business Account give.
var ErrNotWebhook = errors.New("not a whatsapp_business_account webhook")

// ErrTooMuch is what a webhook gives whose updates would take far more room than the webhook itself: what stands around them is
// repeated with each. Meta's 1,000 updates take a few hundred kilobytes more.
var ErrTooMuch = errors.New("too many updates for what stands around them")

// maxAround bounds what is repeated of one value, in bytes.
const maxAround = 16 << 20

// parse takes a webhook apart into the updates it brings, in order. Meta may mix updates of several numbers and accounts in
// one webhook, and promises neither order nor that an update comes once. What parse does not know it passes on whole.
func parse(body []byte, receivedAt time.Time) ([]change, error) {
	doc, ok := rawjson.Parse(body)
	if !ok {
		return nil, fmt.Errorf("%w: it is no JSON text", ErrNotWebhook)
	}
	var object, entries rawjson.Value
	for name, member := range doc.Members() {
		switch string(name) {
		case "object":
			object = member
		case "entry":
			entries = member
		}
	}
	if !object.Is("whatsapp_business_account") {
		return nil, fmt.Errorf("%w: object is %.40q", ErrNotWebhook, object)
	}
	if entries != nil && !entries.IsArray() {
		return nil, fmt.Errorf("%w: entry is no list", ErrNotWebhook)
	}
	var out []change
	for _, e := range entries.Elements() {
		var id, at, changes rawjson.Value
		for name, member := range e.Members() {
			switch string(name) {
			case "id":
				id = member
			case "time":
				at = member
			case "changes":
				changes = member
			}
		}
		if len(id)+len(at) > maxID {
			return nil, fmt.Errorf("%w: id and time of an entry have %d bytes", ErrTooMuch, len(id)+len(at))
		}
		base := change{Change: event.Change{WABAMetaID: legible(id), At: timestamp(at, receivedAt)}, time: at}
		for _, c := range changes.Elements() {
			value := c.Get("value")
			if value == nil {
				value = null
			}
			base.Field = legible(c.Get("field"))
			var err error
			if out, err = split(out, base, value); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

var null = rawjson.Value("null")

// legible is the text of a string as it will be written again.
func legible(v rawjson.Value) string { return strings.ToValidUTF8(v.Text(), "\ufffd") }

// timestamp reads seconds since 1970, which are a string in messages and a number in what concerns accounts.
func timestamp(v rawjson.Value, fallback time.Time) time.Time {
	if v.IsString() {
		return event.ParseTimestamp(v.Text(), fallback)
	}
	return event.ParseTimestamp(string(v), fallback)
}

// split appends the updates of one change. Messages and statuses become one each; everything else stays together. A value
// with a single update keeps Meta's bytes.
func split(out []change, base change, value rawjson.Value) ([]change, error) {
	var messages, statuses, errs, contacts rawjson.Value
	for name, member := range value.Members() {
		switch string(name) {
		case "metadata":
			base.PhoneMetaID = member.Get("phone_number_id").Text()
		case "messages":
			messages = member
		case "statuses":
			statuses = member
		case "errors":
			errs = member
		case "contacts":
			contacts = member
		case "waba_info": // of sign-ups, whose entry may name the business of the app instead
			if id := legible(member.Get("waba_id")); base.Field == "account_update" && id != "" {
				base.WABAMetaID = id
			}
		}
	}
	updates := 0
	if base.Field == "messages" {
		updates = messages.Length() + statuses.Length()
	}
	if updates == 0 || !messages.IsArray() && messages != nil || !statuses.IsArray() && statuses != nil {
		for _, piece := range divide(value, maxValue) {
			out = append(out, base.whole(piece))
		}
		return out, nil
	}
	if around := len(value) - len(messages) - len(statuses) - len(errs) - len(contacts); updates > 1 && updates*around > maxAround {
		return nil, fmt.Errorf("%w: %d in a value of %d bytes", ErrTooMuch, updates, len(value))
	}
	alone := updates == 1 && errs == nil
	var book *book
	if !alone {
		book = newBook(contacts)
	}
	part := func(list string, item rawjson.Value) rawjson.Value {
		if alone {
			return value
		}
		return rebuild(value, list, item, book)
	}
	for _, m := range messages.Elements() {
		out = append(out, base.inbound(part("messages", m), m))
	}
	for _, s := range statuses.Elements() {
		out = append(out, base.status(part("statuses", s), s))
	}
	if errs != nil {
		out = append(out, base.other(rebuild(value, "errors", errs, book)))
	}
	return out, nil
}

// readPreferences reads what customers said about marketing messages.
func readPreferences(list rawjson.Value, fallback time.Time) (out []event.Preference) {
	for _, item := range list.Elements() {
		p := event.Preference{Value: item.Get("value").Text(), At: timestamp(item.Get("timestamp"), fallback)}
		if !item.Get("category").Is("marketing_messages") || p.Value != "stop" && p.Value != "resume" {
			continue
		}
		for _, p.Recipient = range names(item.Get("wa_id"), item.Get("user_id")) {
			out = append(out, p)
		}
	}
	return out
}

// rebuild writes the value again with one item of one list, or with all errors, and without the other updates.
func rebuild(value rawjson.Value, list string, item rawjson.Value, book *book) rawjson.Value {
	b := make([]byte, 1, len(item)+512)
	b[0] = '{'
	add := func(name string, member rawjson.Value) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(event.AppendString(b, name), ':')
		if member == nil {
			member = null
		}
		b = append(b, member...)
	}
	for name, member := range value.Members() {
		switch string(name) {
		case "messages", "statuses", "errors":
		case "contacts":
			add("contacts", book.of(item))
		default:
			add(string(name), member)
		}
	}
	if list != "errors" {
		item = append(append(rawjson.Value{'['}, item...), ']')
	}
	add(list, item)
	return append(b, '}')
}

// book finds the contacts of a value.
type book struct {
	all      rawjson.Value
	contacts []rawjson.Value
	byName   map[string]int // by number or business-scoped id, as they are written
}

func newBook(contacts rawjson.Value) *book {
	b := &book{all: contacts, byName: map[string]int{}}
	for _, c := range contacts.Elements() {
		for _, name := range []rawjson.Value{c.Get("wa_id"), c.Get("user_id")} {
			if _, known := b.byName[string(name)]; !known && len(name) > 2 { // more than quotes
				b.byName[string(name)] = len(b.contacts)
			}
		}
		b.contacts = append(b.contacts, c)
	}
	return b
}

// maxStrangers bounds the contacts that go with an update though none of them is known to be its own, in bytes.
const maxStrangers = 4 << 10

// of picks the contacts that an update is about. When none can be told it is all of them, unless they are many: those are other
// updates' contacts.
func (b *book) of(item rawjson.Value) rawjson.Value {
	var who []int
	for name, member := range item.Members() {
		switch string(name) {
		case "from", "from_user_id", "recipient_id", "recipient_user_id", "recipient_participant_id", "recipient_participant_user_id":
			if i, known := b.byName[string(member)]; known && !slices.Contains(who, i) {
				who = append(who, i)
			}
		}
	}
	if len(who) == 0 && len(b.all) <= maxStrangers {
		return b.all
	}
	slices.Sort(who)
	picked := rawjson.Value{'['}
	for _, i := range who {
		if len(picked) > 1 {
			picked = append(picked, ',')
		}
		picked = append(picked, b.contacts[i]...)
	}
	return append(picked, ']')
}

// whole reads a change that is one update, and what it says about accounts, numbers, templates and customers.
func (c change) whole(value rawjson.Value) change {
	c = c.other(value)
	switch c.Field {
	case "calls":
		c.called(value.Get("calls"))
	case "user_preferences":
		c.Preferences = readPreferences(value.Get("user_preferences"), c.At)
	default:
		c.Notices = account.Notices(c.Field, value, c.At)
		if u, ok := template.ParseUpdate(c.Field, value, c.At); ok {
			c.Template = &u
		}
	}
	return c
}

func (c change) other(value rawjson.Value) change {
	c.Kind = event.OtherChange
	at := string(c.time)
	if at == "" && c.Field == "messages" {
		// Errors without a message say neither when nor of what: the next customer's, or the same one's next week, read alike. To tell
		// one twice, should Meta repeat it, is better than never to tell the second.
		at = c.At.UTC().Format(time.RFC3339Nano)
	}
	c.Key = key("other", c.WABAMetaID, at, c.Field, string(value))
	return c.relay(value)
}

func (c change) inbound(value, item rawjson.Value) change {
	var from, user, group rawjson.Value
	at, written := c.At, true
	for name, member := range item.Members() {
		switch string(name) {
		case "id":
			c.WAMID = member.Text()
		case "from":
			from = member
		case "from_user_id":
			user = member
		case "group_id":
			group = member
		case "timestamp":
			at = timestamp(member, c.At)
		case "type":
			written = !member.Is("system") // it is WhatsApp's word about a customer
		}
	}
	if c.WAMID == "" || len(c.WAMID) > maxID {
		c.WAMID = ""
		return c.other(value) // without an id it is like any other change
	}
	if written {
		if c.Opens = names(group); c.Opens == nil {
			c.Opens = names(from, user)
		}
	}
	c.Kind, c.Status, c.At = event.InboundChange, event.Received, at
	c.Key = key("message", c.WABAMetaID, c.PhoneMetaID, c.WAMID)
	return c.relay(value)
}

// names lists the names that a customer goes by. What is longer than any name of Meta's is none.
func names(values ...rawjson.Value) (list []string) {
	for _, v := range values {
		if name := v.Text(); name != "" && len(name) <= maxID {
			list = append(list, name)
		}
	}
	return list
}

// maxID is longer than Meta's ids are: a wamid has about 60 characters, a business-scoped id at most 135.
const maxID = 512

// key identifies a change across repeats.
func key(parts ...string) []byte {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10)) // lengths keep parts apart
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return h.Sum(nil)[:16]
}

// relay sets what is passed on: one element of Meta's entry list with a single change, which AWS calls whatsAppWebhookEntry.
func (c change) relay(value rawjson.Value) change {
	b := make([]byte, 0, len(value)+128)
	b = append(b, `{"id":`...)
	b = event.AppendString(b, c.WABAMetaID)
	if len(c.time) > 0 {
		b = append(append(b, `,"time":`...), c.time...)
	}
	b = append(append(b, `,"changes":[{"value":`...), value...)
	b = append(b, `,"field":`...)
	b = event.AppendString(b, c.Field)
	c.entry = append(b, `}]}`...)
	return c
}

// webhook wraps an entry so that it can go through the inbox again.
func webhook(entry []byte) []byte {
	b := append([]byte(`{"object":"whatsapp_business_account","entry":[`), entry...)
	return append(b, `]}`...)
}
