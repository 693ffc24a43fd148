package topic

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"

	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// seal makes the stored form of a message.
func seal(sealer Sealer, m *Message) (queue.Record, error) {
	sealed, err := sealer.Seal(m.encode(), []byte(m.ID))
	if err != nil {
		return queue.Record{}, fmt.Errorf("seal message: %w", err)
	}
	return queue.Record{ID: m.ID, Kind: uint8(m.Kind), PublishedAt: m.PublishedAt, Sealed: sealed}, nil
}

var errUnreadable = errors.New("stored message is unreadable")

// Unreadable reports whether Render failed because of the message itself, so that trying again is of no use.
func Unreadable(err error) bool { return errors.Is(err, errUnreadable) }

// Opener undoes the protection of stored messages.
type Opener interface {
	Open(sealed, associated []byte) ([]byte, error)
}

// Unseal reads a stored message.
func Unseal(opener Opener, r queue.Record) (*Message, error) {
	plain, err := opener.Open(r.Sealed, []byte(r.ID))
	if err != nil {
		return nil, fmt.Errorf("%w: open message %s: %w", errUnreadable, r.ID, err)
	}
	m := &Message{ID: r.ID, Kind: Kind(r.Kind), PublishedAt: r.PublishedAt}
	if err := m.decode(plain); err != nil {
		return nil, fmt.Errorf("%w: message %s: %w", errUnreadable, r.ID, err)
	}
	return m, nil
}

// Renderer turns stored messages into what subscribers receive. It signs when a subscription needs it, and a message once
// however many subscriptions there are.
type Renderer struct {
	sealer     Sealer
	signer     *Signer
	links      Links
	signatures signatures
}

// NewRenderer returns a renderer.
func NewRenderer(sealer Sealer, signer *Signer, links Links) *Renderer {
	return &Renderer{sealer: sealer, signer: signer, links: links, signatures: signatures{byKey: make(map[signatureKey]*signature)}}
}

// Render returns the body to send to a subscription, and the attributes that belong beside it. They are nil when the body says it
// all, as the signed document does.
func (r *Renderer) Render(ctx context.Context, rec queue.Record, sub *Subscriber) (body []byte, attributes []Attribute, err error) {
	m, err := Unseal(r.sealer, rec)
	if err != nil {
		return nil, nil, err
	}
	d := document{message: m, body: m.BodyFor(sub.Protocol), topicARN: sub.TopicARN, version: sub.SignatureVersion}
	if m.Kind == Notification && sub.Raw {
		return d.body, m.Attributes, nil
	}
	if d.version == "" {
		d.version = SHA1
	}
	if m.Kind == Notification {
		d.link = r.links.Unsubscribe(sub.ARN)
	} else {
		d.link = r.links.Subscribe(sub.TopicARN, m.Token)
	}
	c, err := r.signer.credentials(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	text := d.signed()
	key := signatureKey{sha256.Sum256(text), d.version}
	if d.signature, err = r.signatures.get(key, func() (string, error) { return c.sign(d.version, text) }); err != nil {
		return nil, nil, fmt.Errorf("sign message %s: %w", m.ID, err)
	}
	d.certificate = r.links.Certificate(c.id)
	return d.append(make([]byte, 0, len(d.body)+len(d.body)/4+1536)), nil, nil
}

// Password opens the password of a subscription's endpoint, "" if it has none.
func (r *Renderer) Password(sub *Subscriber) (string, error) {
	if sub.Password == nil {
		return "", nil
	}
	plain, err := r.sealer.Open(sub.Password, []byte(sub.TopicARN))
	return string(plain), err
}

// Links makes the URLs in documents from the address at which subscribers reach the service, without a trailing slash.
type Links string

// CertificatePath is where the certificate with an id is served.
func CertificatePath(id string) string { return "/SimpleNotificationService-" + id + ".pem" }

// Certificate is the SigningCertURL.
func (l Links) Certificate(id string) string { return string(l) + CertificatePath(id) }

// Subscribe is the URL that confirms or restores a subscription.
func (l Links) Subscribe(topicARN, token string) string {
	return string(l) + "/?Action=ConfirmSubscription&TopicArn=" + topicARN + "&Token=" + token
}

// Unsubscribe is the URL that ends a subscription.
func (l Links) Unsubscribe(subscriptionARN string) string {
	return string(l) + "/?Action=Unsubscribe&SubscriptionArn=" + subscriptionARN
}

// signatures remembers the most recent signatures: a signature costs a thousand times what looking it up does.
type signatures struct {
	mu    sync.Mutex
	byKey map[signatureKey]*signature
	ring  [4096]signatureKey
	next  int
}

// signatureKey is what was signed, by its hash. The id of a message would not do: an event has the same in every topic that it is
// published to, and when it is published again.
type signatureKey struct {
	text    [sha256.Size]byte
	version string
}

type signature struct {
	mu   sync.Mutex
	text string
}

// get returns a remembered signature or makes it. Callers that want the same one wait for the first.
func (s *signatures) get(key signatureKey, sign func() (string, error)) (string, error) {
	s.mu.Lock()
	entry, ok := s.byKey[key]
	if !ok {
		entry = &signature{}
		delete(s.byKey, s.ring[s.next])
		s.byKey[key], s.ring[s.next] = entry, key
		s.next = (s.next + 1) % len(s.ring)
	}
	s.mu.Unlock()
	entry.mu.Lock()
	defer entry.mu.Unlock()
	if entry.text != "" {
		return entry.text, nil
	}
	text, err := sign()
	if err == nil {
		entry.text = text
	}
	return text, err
}
