package topic

import (
	"context"
	"fmt"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/queue"
)

// Subscribe adds an endpoint to a topic and sends it a confirmation message. A queue of the topic's account needs no confirmation.
// An endpoint that is subscribed keeps its subscription; a Pending one is asked again.
func (s *Service) Subscribe(ctx context.Context, topicARN, protocol, endpoint string, attributes map[string]string) (Subscription, error) {
	sub, token, err := s.newSubscription(topicARN, protocol, endpoint)
	if err != nil {
		return Subscription{}, err
	}
	if err := sub.setAll(attributes); err != nil {
		return Subscription{}, err
	}
	var confirmation *queue.Record
	if sub.State == Pending {
		confirmation, err = s.sealed(&Message{ID: newUUID(), Kind: SubscriptionConfirmation, Token: token, PublishedAt: sub.CreatedAt,
			Body: []byte("You have chosen to subscribe to the topic " + topicARN +
				".\nTo confirm the subscription, visit the SubscribeURL included in this message.")})
		if err != nil {
			return Subscription{}, err
		}
	}
	stored, err := s.Store.Subscribe(ctx, sub, confirmation)
	if err != nil {
		return Subscription{}, err
	}
	if stored.differs(&sub, attributes) {
		return Subscription{}, invalid("Attributes Reason: Subscription already exists with different attributes")
	}
	if stored.State == Pending {
		s.Wake(stored.Key)
	}
	return stored, nil
}

// newSubscription makes a subscription that is not stored yet, with default attributes, and the token that confirms it.
func (s *Service) newSubscription(topicARN, protocol, endpoint string) (sub Subscription, token string, err error) {
	arn, err := ParseARN("TopicArn", topicARN)
	if err != nil {
		return Subscription{}, "", err
	}
	if err := checkProtocol(protocol, s.Queues); err != nil {
		return Subscription{}, "", err
	}
	now := s.Now()
	token, hash := newToken()
	arn.Subscription = newUUID()
	sub = Subscription{ARN: arn.String(), TopicARN: topicARN, AccountID: arn.AccountID, Protocol: protocol, Endpoint: endpoint,
		State: Pending, TokenHash: hash, CreatedAt: now, ExpiresAt: now.Add(ConfirmWithin)}
	if protocol == SQS {
		queue, err := checkQueue(endpoint, s.Region)
		if err == nil && queue.AccountID == arn.AccountID {
			sub.State, sub.Authenticated, sub.ExpiresAt = Confirmed, true, time.Time{}
		}
		return sub, token, err
	}
	var password string
	if sub.Endpoint, password, err = parseURL(protocol, endpoint); err != nil {
		return Subscription{}, "", err
	}
	if password != "" {
		if sub.Password, err = s.Sealer.Seal([]byte(password), []byte(topicARN)); err != nil {
			return Subscription{}, "", fmt.Errorf("seal endpoint password: %w", err)
		}
	}
	return sub, token, nil
}

func (s *Service) sealed(m *Message) (*queue.Record, error) {
	r, err := seal(s.Sealer, m)
	return &r, err
}

// Confirm answers a confirmation message with its token. signed tells whether the owner signed the request; ownerOnly, which
// asks that ending the subscription needs a signature from then on, counts only then.
func (s *Service) Confirm(ctx context.Context, topicARN, token string, signed, ownerOnly bool) (Subscription, error) {
	if _, err := ParseARN("TopicArn", topicARN); err != nil {
		return Subscription{}, err
	}
	sub, err := s.Store.ConfirmSubscription(ctx, topicARN, hashToken(token), signed, signed && ownerOnly, s.Now())
	if fault.Is(err, fault.NotFound) {
		if _, err := s.Store.Topic(ctx, topicARN); err != nil {
			return Subscription{}, err
		}
		return Subscription{}, invalid("Token")
	}
	return sub, err
}

// Unsubscribe ends a subscription and tells its endpoint how to restore it; a queue is told nothing. Ending what is not there
// succeeds. Without a signature a subscription that only its owner may end is refused.
func (s *Service) Unsubscribe(ctx context.Context, subscriptionARN string, signed bool) error {
	arn, err := ParseSubscriptionARN("SubscriptionArn", subscriptionARN)
	if err != nil {
		return err
	}
	sub, err := s.Store.Subscription(ctx, subscriptionARN)
	switch {
	case fault.Is(err, fault.NotFound):
		return nil
	case err != nil:
		return err
	case !signed && sub.OwnerOnly:
		return fault.New(fault.AccessDenied, "Only the owner of the subscription may end it, with a signed request")
	}
	now := s.Now()
	token, hash := newToken()
	var farewell *queue.Record
	if sub.Protocol != SQS {
		farewell, err = s.sealed(&Message{ID: newUUID(), Kind: UnsubscribeConfirmation, Token: token, PublishedAt: now,
			Body: []byte("You have chosen to deactivate subscription " + arn.String() +
				".\nTo cancel this operation and restore the subscription, visit the SubscribeURL included in this message.")})
		if err != nil {
			return err
		}
	}
	key, err := s.Store.Unsubscribe(ctx, subscriptionARN, hash, now.Add(ConfirmWithin), farewell)
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	if err == nil && key != 0 {
		s.Wake(key)
	}
	return err
}

// SetSubscriptionAttribute changes one attribute of a subscription.
func (s *Service) SetSubscriptionAttribute(ctx context.Context, arn, name, value string) error {
	return s.Store.UpdateSubscription(ctx, arn, func(sub *Subscription) error { return sub.Set(name, value) })
}
