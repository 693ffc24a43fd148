package topic

import (
	"cmp"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/pattern"
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
	SQS   = "sqs"
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
	Filter    Filter // which messages it wants
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

// The attributes of a subscription that its owner may set.
const (
	AttrRaw          = "RawMessageDelivery" // turns the signed document off
	AttrFilterPolicy = "FilterPolicy"
	AttrFilterScope  = "FilterPolicyScope"
)

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
	case AttrFilterPolicy:
		return s.setFilter(strings.TrimSpace(value), s.Filter.Scope)
	case AttrFilterScope:
		if value != string(pattern.Attributes) && value != string(pattern.Body) {
			return invalid("FilterPolicyScope: Invalid value [%.32s]. Please use either MessageBody or MessageAttributes", value)
		}
		return s.setFilter(s.Filter.Policy, pattern.Scope(value))
	case "DeliveryPolicy", "RedrivePolicy", "SubscriptionRoleArn", "ReplayPolicy":
		return invalid("AttributeName Reason: %s is not supported by the built-in topics", name)
	default:
		return invalid("AttributeName")
	}
	return nil
}

// setAll changes attributes of a new subscription. The scope of its filter policy comes first: the policy is checked by it.
func (s *Subscription) setAll(attributes map[string]string) error {
	for _, name := range slices.SortedFunc(maps.Keys(attributes), func(a, b string) int { return cmp.Compare(b, a) }) {
		err := s.Set(name, attributes[name])
		if f, ok := errors.AsType[*fault.Error](err); ok && (name == AttrFilterPolicy || name == AttrFilterScope) {
			return invalid("Attributes Reason: %s", strings.TrimPrefix(f.Message, "Invalid parameter: "))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// differs reports whether asking for want over s is asking for another subscription.
func (s *Subscription) differs(want *Subscription, asked map[string]string) bool {
	for name := range asked {
		switch {
		case name == AttrRaw && s.Raw != want.Raw,
			name == AttrFilterPolicy && s.Filter.Policy != want.Filter.Policy,
			name == AttrFilterScope && scopeOf(s.Filter.Scope) != scopeOf(want.Filter.Scope):
			return true
		}
	}
	return false
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
