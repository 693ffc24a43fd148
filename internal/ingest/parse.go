package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// change is an event.Change whose parts are not sealed yet.
type change struct {
	event.Change
	entry []byte // whatsAppWebhookEntry
}

// webhookDoc is the outermost layer of Meta's callbacks.
type webhookDoc struct {
	Object string `json:"object"`
	Entry  []struct {
		ID      string          `json:"id"`
		Time    json.RawMessage `json:"time"`
		Changes []struct {
			Field string          `json:"field"`
			Value json.RawMessage `json:"value"`
		} `json:"changes"`
	} `json:"entry"`
}

// ErrNotWebhook is what bytes that are no webhook of a WhatsApp Business Account give.
var ErrNotWebhook = errors.New("not a whatsapp_business_account webhook")

// parse takes a webhook apart into the updates it brings, in order. Meta may mix updates of several numbers and accounts in
// one webhook, and promises neither order nor that an update comes once. What parse does not know it passes on whole.
func parse(body []byte, receivedAt time.Time) ([]change, error) {
	var doc webhookDoc
	if err := json.Unmarshal(body, &doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotWebhook, err)
	}
	if doc.Object != "whatsapp_business_account" {
		return nil, fmt.Errorf("%w: object is %.40q", ErrNotWebhook, doc.Object)
	}
	var out []change
	for i := range doc.Entry {
		e := &doc.Entry[i]
		at := entryTime(e.Time, receivedAt)
		for _, c := range e.Changes {
			if len(c.Value) == 0 {
				c.Value = json.RawMessage("null")
			}
			base := change{Change: event.Change{WABAMetaID: e.ID, Field: c.Field, At: at}}
			out = split(out, base, e.Time, c.Value)
		}
	}
	return out, nil
}

// entryTime reads the integer time of account-level entries; messages have none.
func entryTime(raw json.RawMessage, fallback time.Time) time.Time {
	return event.ParseTimestamp(string(bytes.Trim(raw, `"`)), fallback)
}

// split appends the updates of one change. Messages and statuses become one each; everything else stays together. A value
// with a single update keeps Meta's bytes.
func split(out []change, base change, entryTime, value json.RawMessage) []change {
	var v map[string]json.RawMessage
	if json.Unmarshal(value, &v) != nil {
		return append(out, base.other(entryTime, value))
	}
	var metadata struct {
		PhoneNumberID string `json:"phone_number_id"`
	}
	if json.Unmarshal(v["metadata"], &metadata) == nil {
		base.PhoneMetaID = metadata.PhoneNumberID
	}
	if base.Field != "messages" {
		c := base.other(entryTime, value)
		c.Preferences = preferences(v["user_preferences"], c.At)
		return append(out, c)
	}
	messages, statuses := elements(v["messages"]), elements(v["statuses"])
	rest := v["errors"]
	if len(messages)+len(statuses) == 0 {
		return append(out, base.other(entryTime, value))
	}
	whole := len(messages)+len(statuses) == 1 && rest == nil
	part := func(list string, item json.RawMessage) json.RawMessage {
		if whole {
			return value
		}
		return rebuild(v, list, item)
	}
	for _, m := range messages {
		out = append(out, base.inbound(entryTime, part("messages", m), m))
	}
	for _, s := range statuses {
		out = append(out, base.status(entryTime, part("statuses", s), s))
	}
	if rest != nil {
		out = append(out, base.other(entryTime, rebuild(v, "errors", nil)))
	}
	return out
}

// preferences reads what customers said about marketing messages. Here Meta's timestamps are numbers.
func preferences(raw json.RawMessage, fallback time.Time) (list []event.Preference) {
	for _, item := range elements(raw) {
		var p struct {
			WaID      string          `json:"wa_id"`
			UserID    string          `json:"user_id"`
			Category  string          `json:"category"`
			Value     string          `json:"value"`
			Timestamp json.RawMessage `json:"timestamp"`
		}
		if json.Unmarshal(item, &p) != nil || p.Category != "marketing_messages" || p.Value != "stop" && p.Value != "resume" {
			continue
		}
		if p.WaID == "" {
			p.WaID = p.UserID
		}
		list = append(list, event.Preference{Recipient: p.WaID, Value: p.Value, At: entryTime(p.Timestamp, fallback)})
	}
	return list
}

func elements(raw json.RawMessage) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		return nil
	}
	return list
}

// rebuild writes the value again with one item of one list, and without the other lists of updates.
func rebuild(v map[string]json.RawMessage, list string, item json.RawMessage) json.RawMessage {
	keys := make([]string, 0, len(v))
	for k := range v {
		switch k {
		case "messages", "statuses", "errors":
		default:
			keys = append(keys, k)
		}
	}
	sort.Strings(keys)
	b := []byte{'{'}
	add := func(key string, raw []byte) {
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = event.AppendString(b, key)
		b = append(b, ':')
		b = append(b, raw...)
	}
	for _, k := range keys {
		raw := v[k]
		if k == "contacts" {
			raw = contactsOf(raw, item)
		}
		if raw != nil {
			add(k, raw)
		}
	}
	if item == nil {
		add(list, v[list])
	} else {
		add(list, append(append([]byte{'['}, item...), ']'))
	}
	return append(b, '}')
}

// contactsOf picks the contacts that an update is about; all of them when none can be told.
func contactsOf(raw, item json.RawMessage) json.RawMessage {
	var who struct {
		From       string `json:"from"`
		FromUserID string `json:"from_user_id"`
		To         string `json:"recipient_id"`
		ToUserID   string `json:"recipient_user_id"`
	}
	if json.Unmarshal(item, &who) != nil {
		return raw
	}
	var picked []json.RawMessage
	for _, c := range elements(raw) {
		var id struct {
			WaID   string `json:"wa_id"`
			UserID string `json:"user_id"`
		}
		if json.Unmarshal(c, &id) != nil {
			continue
		}
		if id.WaID != "" && (id.WaID == who.From || id.WaID == who.To) || id.UserID != "" && (id.UserID == who.FromUserID || id.UserID == who.ToUserID) {
			picked = append(picked, c)
		}
	}
	if picked == nil {
		return raw
	}
	b := append([]byte{'['}, bytes.Join(rawBytes(picked), []byte{','})...)
	return append(b, ']')
}

func rawBytes(list []json.RawMessage) [][]byte {
	out := make([][]byte, len(list))
	for i, r := range list {
		out[i] = r
	}
	return out
}

func (c change) other(entryTime, value json.RawMessage) change {
	c.Kind = event.OtherChange
	c.Key = key("other", c.WABAMetaID, string(entryTime), c.Field, string(value))
	c.entry = entry(c.WABAMetaID, entryTime, c.Field, value)
	return c
}

func (c change) inbound(entryTime, value, item json.RawMessage) change {
	var m struct {
		ID         string `json:"id"`
		From       string `json:"from"`
		FromUserID string `json:"from_user_id"`
		Timestamp  string `json:"timestamp"`
	}
	if json.Unmarshal(item, &m) != nil || m.ID == "" {
		return c.other(entryTime, value) // without an id it is like any other change
	}
	c.Kind, c.Status, c.WAMID = event.InboundChange, event.Received, m.ID
	if c.From = m.From; c.From == "" {
		c.From = m.FromUserID
	}
	c.At = event.ParseTimestamp(m.Timestamp, c.At)
	c.Key = key("message", c.WABAMetaID, c.PhoneMetaID, m.ID)
	c.entry = entry(c.WABAMetaID, entryTime, c.Field, value)
	return c
}

func (c change) status(entryTime, value, item json.RawMessage) change {
	var s struct {
		ID        string        `json:"id"`
		Status    string        `json:"status"`
		Timestamp string        `json:"timestamp"`
		Opaque    string        `json:"biz_opaque_callback_data"`
		Errors    []metaProblem `json:"errors"`
	}
	if json.Unmarshal(item, &s) != nil || s.ID == "" || s.Status == "" {
		return c.other(entryTime, value)
	}
	c.Kind, c.Status, c.WAMID, c.Opaque = event.StatusChange, s.Status, s.ID, s.Opaque
	c.At = event.ParseTimestamp(s.Timestamp, c.At)
	for _, e := range s.Errors {
		c.Failures = append(c.Failures, e.failure())
	}
	c.Key = key("status", c.WABAMetaID, c.PhoneMetaID, s.ID, s.Status)
	c.entry = entry(c.WABAMetaID, entryTime, c.Field, value)
	return c
}

// metaProblem is an element of a status's errors.
type metaProblem struct {
	Code      int    `json:"code"`
	Title     string `json:"title"`
	Message   string `json:"message"`
	ErrorData struct {
		Details string `json:"details"`
	} `json:"error_data"`
}

func (p metaProblem) failure() message.Failure {
	return message.Failure{Code: p.Code, Title: p.Title, Message: p.Message, Details: p.ErrorData.Details}
}

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

// entry is one element of Meta's webhook entry list with a single change: what AWS relays as whatsAppWebhookEntry.
func entry(wabaID string, entryTime json.RawMessage, field string, value json.RawMessage) []byte {
	b := make([]byte, 0, len(value)+128)
	b = append(b, `{"id":`...)
	b = event.AppendString(b, wabaID)
	if len(entryTime) > 0 {
		b = append(append(b, `,"time":`...), entryTime...)
	}
	b = append(append(b, `,"changes":[{"value":`...), value...)
	b = append(b, `,"field":`...)
	b = event.AppendString(b, field)
	return append(b, `}]}`...)
}

// webhook wraps an entry so that it can go through the inbox again.
func webhook(entry []byte) []byte {
	b := append([]byte(`{"object":"whatsapp_business_account","entry":[`), entry...)
	return append(b, `]}`...)
}
