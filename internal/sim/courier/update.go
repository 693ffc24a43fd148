package courier

import (
	"bytes"
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/sim/graph"
)

// Kind says where an update's body stands inside a change's value.
type Kind uint8

// Kinds of updates.
const (
	Message Kind = iota // an element of messages[]
	Status              // an element of statuses[]
	Value               // the whole value of a change
)

// Forgery asks for a first attempt with a bad signature; retries are signed properly.
type Forgery uint8

// Forgeries.
const (
	Genuine Forgery = iota
	WrongSignature
	NoSignature
)

// Update is one thing to tell the app. Body, Contact and Errors are JSON in Meta's byte form; an Update is not changed after
// it was queued.
type Update struct {
	Account string // WABA id
	Number  string // phone-number id; "" for a Value that is not about a number
	Display string // the number's digits
	Field   string // "messages" and so on
	Kind    Kind
	Body    []byte
	Contact []byte // element of contacts[], or nil
	Errors  []byte // content of value.errors, or nil
	Time    int64  // entry[].time in unix seconds; 0 leaves it out, as messages do
	Forgery Forgery
	Tried   func() // called after the first attempt, or when the update is dropped (perhaps both); may be nil
}

func (u *Update) size() int { return len(u.Body) + len(u.Contact) + len(u.Errors) + 256 }

func (u *Update) tried() {
	if u.Tried != nil {
		u.Tried()
	}
}

// Envelope renders updates as one request body. Neighbours of one account share an entry, neighbours about one number and of
// one kind share a change; with mixed, messages and statuses share one too.
func Envelope(updates []*Update, mixed bool) []byte {
	size := 64
	for _, u := range updates {
		size += u.size()
	}
	b := append(make([]byte, 0, size), `{"object":"whatsapp_business_account","entry":[`...)
	for i := 0; i < len(updates); {
		n := run(updates[i:], sameEntry)
		b = appendEntry(sep(b, i), updates[i:i+n], mixed)
		i += n
	}
	return append(b, `]}`...)
}

// run counts the leading updates that belong together with the first.
func run(updates []*Update, same func(a, b *Update) bool) int {
	n := 1
	for n < len(updates) && same(updates[0], updates[n]) {
		n++
	}
	return n
}

func sep(b []byte, i int) []byte {
	if i > 0 {
		return append(b, ',')
	}
	return b
}

func sameEntry(a, b *Update) bool { return a.Account == b.Account && a.Time == b.Time }

func sameValue(a, b *Update) bool {
	return a.Kind != Value && b.Kind != Value && a.Number == b.Number && a.Field == b.Field && a.Errors == nil && b.Errors == nil
}

func sameChange(a, b *Update) bool { return sameValue(a, b) && a.Kind == b.Kind }

func appendEntry(b []byte, updates []*Update, mixed bool) []byte {
	same := sameChange
	if mixed {
		same = sameValue
	}
	b = graph.AppendString(append(b, `{"id":`...), updates[0].Account)
	if t := updates[0].Time; t != 0 {
		b = strconv.AppendInt(append(b, `,"time":`...), t, 10)
	}
	b = append(b, `,"changes":[`...)
	for i := 0; i < len(updates); {
		n := run(updates[i:], same)
		b = appendChange(sep(b, i), updates[i:i+n])
		i += n
	}
	return append(b, `]}`...)
}

func appendChange(b []byte, updates []*Update) []byte {
	first := updates[0]
	b = append(b, `{"value":`...)
	if first.Kind == Value {
		b = append(b, first.Body...)
	} else {
		b = append(b, `{"messaging_product":"whatsapp","metadata":{"display_phone_number":`...)
		b = graph.AppendString(b, first.Display)
		b = graph.AppendString(append(b, `,"phone_number_id":`...), first.Number)
		b = append(b, '}')
		b = appendContacts(b, updates)
		if first.Errors != nil {
			b = append(append(b, `,"errors":`...), first.Errors...)
		}
		b = appendList(b, `,"messages":[`, updates, Message)
		b = appendList(b, `,"statuses":[`, updates, Status)
		b = append(b, '}')
	}
	b = graph.AppendString(append(b, `,"field":`...), first.Field)
	return append(b, '}')
}

func appendContacts(b []byte, updates []*Update) []byte {
	n := 0
	for i, u := range updates {
		if u.Contact == nil || known(updates[:i], u.Contact) {
			continue
		}
		if n == 0 {
			b = append(b, `,"contacts":[`...)
		}
		b = append(sep(b, n), u.Contact...)
		n++
	}
	if n > 0 {
		b = append(b, ']')
	}
	return b
}

// known looks back only a little: repeating a contact is harmless, comparing a thousand updates with each other is not.
func known(before []*Update, contact []byte) bool {
	for i := len(before) - 1; i >= 0 && i >= len(before)-8; i-- {
		if bytes.Equal(before[i].Contact, contact) {
			return true
		}
	}
	return false
}

func appendList(b []byte, open string, updates []*Update, kind Kind) []byte {
	n := 0
	for _, u := range updates {
		if u.Kind != kind || len(u.Body) == 0 {
			continue
		}
		if n == 0 {
			b = append(b, open...)
		}
		b = append(sep(b, n), u.Body...)
		n++
	}
	if n > 0 {
		b = append(b, ']')
	}
	return b
}
