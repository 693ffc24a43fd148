package app

import (
	"context"
	"fmt"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/sim"
)

// devTopic is where the events of the development world go.
const devTopic = "whatsapp-events"

// seed makes the development world, or what is missing of it: the account, its administrator's key, a topic, and a link to
// every business account of the simulated WhatsApp that is subscribed there. Ids are the same at every start.
func (a *App) seed(ctx context.Context) error {
	now := time.Now()
	user := identity.User{ID: "AIDAWAXWINGDEV000000", AccountID: config.DevAccountID, Name: "admin", Path: "/", CreatedAt: now}
	key := identity.AccessKey{ID: config.DevAccessKeyID, Secret: config.DevSecretAccessKey, Active: true, User: user, CreatedAt: now}
	dir := a.parts.directory
	err := dir.CreateAccount(ctx, identity.Account{ID: config.DevAccountID, Alias: "dev", CreatedAt: now}, key)
	if err != nil && !fault.Is(err, fault.Conflict) {
		return fmt.Errorf("seed: %w", err)
	}
	if err := a.parts.buckets.seedBucket(); err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	topicARN, err := a.parts.topics.EnsureTopic(ctx, config.DevAccountID, devTopic)
	if err != nil {
		return fmt.Errorf("seed: %w", err)
	}
	world := sim.SeededWorld()
	if a.o.World != nil {
		world = *a.o.World
	}
	number := 0
	for i, acct := range world.Accounts {
		if !acct.Subscribed {
			continue
		}
		w := account.WABA{Key: devKey(i + 1), AccountID: config.DevAccountID, MetaID: acct.ID, Name: acct.Name,
			RegistrationStatus: account.Complete, LinkedAt: now, Destination: &account.Destination{ARN: topicARN}}
		if acct.Marketing {
			w.MarketingStatus = account.MarketingOnboarded
		}
		var numbers []account.PhoneNumber
		for _, n := range acct.Numbers {
			number++
			numbers = append(numbers, account.PhoneNumber{Key: devKey(number), AccountID: w.AccountID, WABAKey: w.Key, MetaID: n.ID, E164: n.Phone,
				DisplayName: n.VerifiedName, DisplayNumber: n.Phone, QualityRating: "GREEN", Status: account.Active, Registered: true,
				Throughput: throughput(n.Throughput), MessagingLimit: "TIER_UNLIMITED"})
		}
		if err := dir.Link(ctx, w, tokenFor(world, acct.ID), numbers); err != nil {
			return fmt.Errorf("seed: %w", err)
		}
	}
	return nil
}

// devKey is the variable part of the n-th seeded id.
func devKey(n int) string { return fmt.Sprintf("%032d", n) }

func throughput(level string) account.ThroughputLevel {
	switch level {
	case sim.ThroughputHigh:
		return account.ThroughputHigh
	case sim.ThroughputCoexistence:
		return account.ThroughputShared
	default:
		return account.ThroughputStandard
	}
}

// tokenFor returns the first access token that reaches a business account.
func tokenFor(w sim.World, accountID string) identity.Secret {
	for _, t := range w.Tokens {
		for _, id := range t.Accounts {
			if id == accountID {
				return identity.Secret(t.Value)
			}
		}
	}
	return ""
}
