// Package awsrole is what the publishers to AWS share: whose credentials their calls carry, and what the errors of such calls
// mean. A call is made as the server itself, or as the role that an account has named for its destination.
//
// Nothing here is tried twice: the queues know when to come back. An error says what is wrong and what to do about it, and
// carries neither credentials nor what a service repeats of a request.
package awsrole

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/waxwing-messaging/waxwing/internal/event"
)

// Timeout bounds one call, the fetching of a role's credentials included.
const Timeout = 15 * time.Second

const (
	sessionName = "waxwing"
	renewEarly  = time.Minute
	maxRoles    = 1000    // with a client of their own; accounts choose roles
	maxAnswer   = 1 << 20 // bytes of an answer that are read: no service of AWS says so much about a call
)

// Load returns the settings of the process's environment, with credentials from the AWS SDK's usual chain. It contacts nobody.
func Load(ctx context.Context, region string) (aws.Config, error) {
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion(region))
	if err != nil {
		return aws.Config{}, fmt.Errorf("AWS settings: %w", err)
	}
	return cfg, nil
}

// Clients hands out the clients of one service, one for each identity. It is safe for concurrent use.
type Clients[C any] struct {
	base  aws.Config
	build func(aws.Config) C

	mu   sync.Mutex
	made map[identity]C
}

// identity is who makes a call. The same role is a session of its own for each account: see For.
type identity struct{ role, account string }

// New returns Clients that are built from the base settings, as they are or with a role's credentials.
func New[C any](base aws.Config, build func(aws.Config) C) *Clients[C] {
	base = base.Copy()
	base.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	if base.HTTPClient == nil {
		base.HTTPClient = awshttp.NewBuildableClient()
	}
	base.HTTPClient = limited{base.HTTPClient}
	return &Clients[C]{base: base, build: build, made: map[identity]C{}}
}

// For returns the client for a destination. A role is assumed with the account's id as external id, so that a trust policy with
// sts:ExternalId keeps other accounts of this server from using it. The SDK fetches and renews the role's credentials.
func (c *Clients[C]) For(d *event.Destination) C {
	who := identity{}
	if d.RoleARN != "" {
		who = identity{d.RoleARN, d.AccountID}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.made[who]; ok {
		return client
	}
	cfg := c.base.Copy()
	if who.role != "" {
		provider := stscreds.NewAssumeRoleProvider(sts.NewFromConfig(c.base), who.role, func(o *stscreds.AssumeRoleOptions) {
			o.RoleSessionName = sessionName
			if who.account != "" {
				o.ExternalID = &who.account
			}
		})
		cfg.Credentials = aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewEarly })
	}
	if len(c.made) >= maxRoles {
		for other := range c.made { // any one: it is made again when it is wanted
			delete(c.made, other)
			break
		}
	}
	client := c.build(cfg)
	c.made[who] = client
	return client
}

// limited keeps a service from filling the memory with its answer.
type limited struct{ client aws.HTTPClient }

func (l limited) Do(r *http.Request) (*http.Response, error) {
	resp, err := l.client.Do(r)
	if err == nil && resp.Body != nil {
		resp.Body = body{io.LimitReader(resp.Body, maxAnswer), resp.Body}
	}
	return resp, err
}

type body struct {
	io.Reader
	io.Closer
}
