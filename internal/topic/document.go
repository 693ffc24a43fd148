package topic

import (
	"encoding/base64"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// document is what a subscriber without raw delivery receives: a JSON object that says where a message came from, with a
// signature over the parts that matter. Names and their order are those of SNS.
type document struct {
	message     *Message
	body        []byte // for the subscriber's protocol
	topicARN    string
	version     string
	signature   string
	certificate string // URL
	link        string // SubscribeURL of a confirmation, UnsubscribeURL of a notification
}

// Timestamp is the form of times in documents: ISO 8601, UTC, milliseconds.
const Timestamp = "2006-01-02T15:04:05.000Z"

func timestamp(t time.Time) string { return t.UTC().Format(Timestamp) }

// signed returns the text that is signed: names and values on lines of their own, in byte order of the names.
// https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
func (d *document) signed() []byte {
	m := d.message
	b := make([]byte, 0, len(d.body)+len(m.Subject)+len(d.link)+len(m.Token)+len(d.topicARN)+256)
	add := func(name, value string) {
		b = append(append(b, name...), '\n')
		b = append(append(b, value...), '\n')
	}
	b = append(b, "Message\n"...)
	b = append(append(b, d.body...), '\n')
	add("MessageId", m.ID)
	if m.Kind != Notification {
		add("SubscribeURL", d.link)
	} else if m.Subject != "" {
		add("Subject", m.Subject)
	}
	add("Timestamp", timestamp(m.PublishedAt))
	if m.Kind != Notification {
		add("Token", m.Token)
	}
	add("TopicArn", d.topicARN)
	add("Type", m.Kind.String())
	return b
}

// append writes the document, laid out as SNS lays it out.
func (d *document) append(b []byte) []byte {
	m := d.message
	b = append(b, "{\n  \"Type\" : \""...)
	b = append(append(b, m.Kind.String()...), '"')
	b = field(b, "MessageId", m.ID)
	if m.Kind != Notification {
		b = field(b, "Token", m.Token)
	}
	b = field(b, "TopicArn", d.topicARN)
	if m.Kind == Notification && m.Subject != "" {
		b = field(b, "Subject", m.Subject)
	}
	b = field(b, "Message", d.body)
	if m.Kind != Notification {
		b = field(b, "SubscribeURL", d.link)
	}
	b = field(b, "Timestamp", timestamp(m.PublishedAt))
	b = field(b, "SignatureVersion", d.version)
	b = field(b, "Signature", d.signature)
	b = field(b, "SigningCertURL", d.certificate)
	if m.Kind == Notification {
		b = field(b, "UnsubscribeURL", d.link)
	}
	if len(m.Attributes) > 0 {
		b = append(b, ",\n  \"MessageAttributes\" : {"...)
		for i := range m.Attributes {
			b = m.Attributes[i].append(b, i > 0)
		}
		b = append(b, "\n  }"...)
	}
	return append(b, "\n}"...)
}

func (a *Attribute) append(b []byte, more bool) []byte {
	if more {
		b = append(b, ',')
	}
	b = append(b, "\n    "...)
	b = event.AppendString(b, a.Name)
	b = append(b, ` : {"Type":`...)
	b = event.AppendString(b, a.Type)
	b = append(b, `,"Value":`...)
	if a.Binary != nil {
		b = append(b, '"')
		b = base64.StdEncoding.AppendEncode(b, a.Binary)
		b = append(b, '"')
	} else {
		b = event.AppendString(b, a.String)
	}
	return append(b, '}')
}

func field[T string | []byte](b []byte, name string, value T) []byte {
	b = append(b, ",\n  \""...)
	b = append(b, name...)
	b = append(b, "\" : "...)
	return event.AppendString(b, value)
}
