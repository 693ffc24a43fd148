package event

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

// Envelope renders the document that a destination receives, in the form AWS publishes to SNS: the business account and
// number it concerns, Meta's webhook entry as a JSON string, and our message id when the event is about a message sent
// through the API. entry is the event's opened whatsAppWebhookEntry.
func Envelope(d *Delivery, scope account.Scope, entry []byte) []byte {
	b := make([]byte, 0, len(entry)+len(entry)/4+640)
	b = append(b, `{"context":{"MetaWabaIds":[{"wabaId":`...)
	b = AppendString(b, d.WABAMetaID)
	b = append(b, `,"arn":`...)
	b = AppendString(b, scope.ARN(account.KindWABA, d.WABAKey))
	b = append(b, `}],"MetaPhoneNumberIds":[`...)
	if d.PhoneKey != "" {
		b = append(b, `{"metaPhoneNumberId":`...)
		b = AppendString(b, d.PhoneMetaID)
		b = append(b, `,"arn":`...)
		b = AppendString(b, scope.ARN(account.KindPhoneNumber, d.PhoneKey))
		b = append(b, '}')
	}
	b = append(b, `]},"whatsAppWebhookEntry":`...)
	b = AppendString(b, entry)
	b = append(b, `,"aws_account_id":`...)
	b = AppendString(b, scope.AccountID)
	b = append(b, `,"message_timestamp":"`...)
	b = d.At.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
	b = append(b, '"')
	if d.MessageID != "" {
		b = append(b, `,"messageId":`...)
		b = AppendString(b, d.MessageID)
	}
	return append(b, '}')
}

// AcceptedEntry is the webhook entry that reports a hand-over, in the shape of Meta's statuses.
func AcceptedEntry(h *HandOver) []byte {
	b := statusEntry(h, h.WAMID, "accepted")
	return append(b, `}]},"field":"messages"}]}`...)
}

// FailedEntry is the webhook entry that reports a message WhatsApp never took. Such a message has no wamid; the entry
// carries ours in its place.
func FailedEntry(h *HandOver, code int, title, details string) []byte {
	b := statusEntry(h, h.MessageID, "failed")
	b = append(b, `,"errors":[{"code":`...)
	b = strconv.AppendInt(b, int64(code), 10)
	b = append(b, `,"title":`...)
	b = AppendString(b, title)
	b = append(b, `,"message":`...)
	b = AppendString(b, title)
	if details != "" {
		b = append(b, `,"error_data":{"details":`...)
		b = AppendString(b, details)
		b = append(b, '}')
	}
	return append(b, `}]}]},"field":"messages"}]}`...)
}

func statusEntry(h *HandOver, id, status string) []byte {
	b := make([]byte, 0, 512)
	b = append(b, `{"id":`...)
	b = AppendString(b, h.WABAMetaID)
	b = append(b, `,"changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":`...)
	b = AppendString(b, digits(h.DisplayNumber))
	b = append(b, `,"phone_number_id":`...)
	b = AppendString(b, h.PhoneMetaID)
	b = append(b, `},"statuses":[{"id":`...)
	b = AppendString(b, id)
	b = append(b, `,"status":"`...)
	b = append(b, status...)
	b = append(b, `","timestamp":"`...)
	b = strconv.AppendInt(b, h.At.Unix(), 10)
	b = append(b, `","recipient_id":`...)
	return AppendString(b, h.Recipient)
}

// digits strips a display number to what webhooks carry: Meta formats numbers for people everywhere else.
func digits(s string) string {
	b := make([]byte, 0, len(s))
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			b = append(b, s[i])
		}
	}
	return string(b)
}

// ParseTimestamp reads Meta's string of unix seconds; stray milliseconds are understood. Anything else is the fallback.
func ParseTimestamp(s string, fallback time.Time) time.Time {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil || n <= 0 || n > 1e14:
		return fallback
	case n > 1e11: // milliseconds: in seconds this would be past the year 5000
		return time.UnixMilli(n).UTC()
	default:
		return time.Unix(n, 0).UTC()
	}
}

// AppendString appends s as a JSON string. Unlike encoding/json it leaves <, > and & alone, so that a webhook stays readable
// and close to the bytes Meta sent, and escapes U+FFFE and U+FFFF, which SQS takes in no message.
func AppendString[T ~string | ~[]byte](b []byte, s T) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(string(s[i:min(i+utf8.UTFMax, len(s))]))
			valid := r != utf8.RuneError || size > 1
			if valid && r != 0xfffe && r != 0xffff {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			if valid {
				b = append(b, `\uff`...)
				b = append(b, 'f', hex[r&15])
			} else {
				b = append(b, `\ufffd`...)
			}
			i += size
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}
