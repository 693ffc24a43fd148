package calling

import (
	"strconv"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// Field is Meta's webhook field of calls.
const Field = "calls"

// Entry renders the webhook entry that reports a hand-over, in the shape of the call statuses Meta sends itself. AWS does not
// document the inside of this event; the design is ours.
func (o *Outcome) Entry() []byte {
	b := make([]byte, 0, 512)
	b = event.AppendString(append(b, `{"id":`...), o.WABAMetaID)
	b = append(b, `,"changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":`...)
	b = event.AppendString(b, digits([]byte(o.DisplayNumber)))
	b = event.AppendString(append(b, `,"phone_number_id":`...), o.PhoneMetaID)
	b = append(b, `},"statuses":[{`...)
	if o.CallID != "" {
		b = append(event.AppendString(append(b, `"id":`...), o.CallID), ',')
	}
	b = append(b, `"type":"call","action":`...)
	b = event.AppendString(b, o.Event.Action)
	b = append(append(b, `,"status":"`...), o.Status()...)
	b = strconv.AppendInt(append(b, `","timestamp":"`...), o.At, 10)
	b = append(b, '"')
	if o.Event.Recipient != "" {
		b = event.AppendString(append(b, `,"recipient_id":`...), o.Event.Recipient)
	}
	if o.Event.Opaque != "" {
		b = event.AppendString(append(b, `,"biz_opaque_callback_data":`...), o.Event.Opaque)
	}
	if f := o.Failure; f != nil {
		b = strconv.AppendInt(append(b, `,"errors":[{"code":`...), int64(f.Code), 10)
		b = event.AppendString(append(b, `,"title":`...), f.Title)
		b = event.AppendString(append(b, `,"message":`...), f.Title)
		if f.Details != "" {
			b = event.AppendString(append(b, `,"error_data":{"details":`...), f.Details)
			b = append(b, '}')
		}
		b = append(b, `}]`...)
	}
	return append(b, `}]},"field":"calls"}]}`...)
}
