package topic

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// State is how far a subscription has come.
type State string

const (
	Pending     State = "pending"     // its endpoint has not answered the confirmation message
	Confirmed   State = "confirmed"   // it receives notifications
	Deactivated State = "deactivated" // unsubscribed; its endpoint may restore it until ExpiresAt
)

// ConfirmWithin is how long a confirmation token works. SNS gives two days.
const ConfirmWithin = 48 * time.Hour

// Protocols a subscription may have.
const (
	HTTP  = "http"
	HTTPS = "https"
)

// Subscription is an endpoint that wants the messages of a topic.
type Subscription struct {
	Key       int64 // the store's own number for it
	ARN       string
	TopicARN  string
	AccountID string
	Protocol  string
	Endpoint  string // password masked
	Password  []byte // sealed password of the endpoint's URL; nil without one
	Raw       bool   // deliver the bare message instead of the signed document
	State     State
	TokenHash []byte // of the token that confirms or restores it

	Authenticated bool // confirmed by a signed request
	OwnerOnly     bool // only a signed request of the owner may unsubscribe
	CreatedAt     time.Time
	ExpiresAt     time.Time // when a Pending or Deactivated one is forgotten
}

// Subscriber is a subscription as its queue sees it.
type Subscriber struct {
	Subscription
	SignatureVersion string // in which its topic signs; "" when that is gone
}

// Name implements queue.Subscriber.
func (s *Subscriber) Name() string { return s.ARN }

// Wants implements queue.Subscriber.
func (s *Subscriber) Wants(kind uint8) bool { return Kind(kind).Concerns(s.State) }

// Retry implements queue.Subscriber: every subscription goes by the engine's policy.
func (s *Subscriber) Retry() queue.Retry { return queue.Retry{} }

// AttrRaw is the attribute that turns the signed document off.
const AttrRaw = "RawMessageDelivery"

// Set changes one attribute.
func (s *Subscription) Set(name, value string) error {
	switch name {
	case AttrRaw:
		switch strings.ToLower(value) {
		case "true":
			s.Raw = true
		case "false", "":
			s.Raw = false
		default:
			return invalid("%s Reason: Invalid value [%.32s]. Must be true or false.", AttrRaw, value)
		}
	case "FilterPolicy", "FilterPolicyScope", "DeliveryPolicy", "RedrivePolicy", "SubscriptionRoleArn", "ReplayPolicy":
		return invalid("AttributeName Reason: %s is not supported by the built-in topics", name)
	default:
		return invalid("AttributeName")
	}
	return nil
}

const maskedPassword = "****"

// parseEndpoint checks the address of an HTTP subscription and takes the password out of it.
func parseEndpoint(protocol, endpoint string) (shown, password string, err error) {
	switch protocol {
	case HTTP, HTTPS:
	case "sqs", "lambda", "email", "email-json", "sms", "application", "firehose":
		return "", "", invalid("Protocol Reason: %s is not supported by the built-in topics; use http or https", protocol)
	default:
		return "", "", invalid("Amazon SNS does not support this protocol string: %.32s", protocol)
	}
	u, err := url.Parse(endpoint)
	if err != nil || len(endpoint) > 2048 || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" || !printable(endpoint) {
		return "", "", invalid("HTTP(S) Endpoint")
	}
	if u.Scheme != protocol {
		return "", "", invalid("Endpoint must match the specified protocol")
	}
	if password, ok := u.User.Password(); ok {
		u.User = url.User(u.User.Username())
		shown := u.String()
		at := strings.Index(shown, "@")
		return shown[:at] + ":" + maskedPassword + shown[at:], password, nil
	}
	return endpoint, "", nil
}

// Address returns the URL to deliver to, given the opened password ("" when the endpoint has none).
func (s *Subscription) Address(password string) (*url.URL, error) {
	u, err := url.Parse(s.Endpoint)
	if err == nil && s.Password != nil {
		u.User = url.UserPassword(u.User.Username(), password)
	}
	return u, err
}

// newToken makes the secret of a confirmation message. Only its hash is stored beside the subscription.
func newToken() (token string, hash []byte) {
	b := make([]byte, 64)
	rand.Read(b)
	token = hex.EncodeToString(b)
	return token, hashToken(token)
}

func hashToken(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}
