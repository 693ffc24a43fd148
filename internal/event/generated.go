package event

import (
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// Sealer protects what is stored. The event's id is bound to its entry.
type Sealer interface {
	Seal(plaintext, associated []byte) ([]byte, error)
}

// Accepted is the generated event that WhatsApp took a message.
func Accepted(h HandOver, s Sealer, id string) (*Event, error) {
	return generated(&h, s, id, string(message.Accepted), AcceptedEntry(&h), nil)
}

// Failed is the generated event that a message will never reach WhatsApp, and why.
func Failed(h HandOver, f message.Failure, s Sealer, id string) (*Event, error) {
	return generated(&h, s, id, string(message.Failed), FailedEntry(&h, f.Code, f.Title, f.Details), []message.Failure{f})
}

func generated(h *HandOver, s Sealer, id, status string, entry []byte, failures []message.Failure) (*Event, error) {
	sealed, err := s.Seal(entry, []byte(id))
	if err != nil {
		return nil, err
	}
	return &Event{ID: id, AccountID: h.AccountID, WABAKey: h.WABAKey, PhoneKey: h.PhoneKey, MessageID: h.MessageID, WAMID: h.WAMID,
		Field: "messages", Status: status, Failures: failures, Recipient: h.Recipient, At: h.At, Entry: sealed}, nil
}
