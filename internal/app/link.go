package app

import (
	"context"
	"errors"
	"fmt"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/directory"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/meta"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// LinkOptions say what LinkWABA links.
type LinkOptions struct {
	AccountID   string
	Token       identity.Secret // of Meta, or the code of an embedded sign-up
	MetaID      string          // which business account, when the token opens several
	PIN         identity.Secret // two-step verification code of its numbers
	Destination string          // ARN of a topic for its events; "" leaves that as it is
}

// Linked is what LinkWABA did.
type Linked struct {
	WABA    string   // id; "" when everything the token opens was linked before, and only the token was replaced
	Numbers []string // ids of those that were set up now
}

// LinkWABA links a business account with all of its numbers, both phases at once. It works beside a running server.
func LinkWABA(ctx context.Context, cfg config.Config, o LinkOptions) (Linked, error) {
	if err := hasData(&cfg); err != nil {
		return Linked{}, err
	}
	db, box, err := openStore(ctx, &cfg, sqlite.Options{})
	if err != nil {
		return Linked{}, err
	}
	defer db.Close()
	if ok, err := db.HasAccount(ctx, o.AccountID); err != nil {
		return Linked{}, err
	} else if !ok {
		return Linked{}, fmt.Errorf("there is no account %s", o.AccountID)
	}
	graph, err := meta.New(meta.Options{BaseURL: cfg.GraphURL(), Timeout: cfg.Meta.Timeout, AppID: cfg.Meta.AppID, AppSecret: cfg.Meta.AppSecret})
	if err != nil {
		return Linked{}, err
	}
	scope := account.Scope{Partition: partition, Region: cfg.Region, AccountID: o.AccountID}
	links := newOnboarding(&cfg, graph, directory.New(db, box, scope))
	token, pending, err := links.Begin(ctx, o.AccountID, o.Token, nil)
	if err != nil {
		return Linked{}, err
	}
	if len(pending) == 0 && o.MetaID == "" && o.Destination == "" && o.PIN == "" {
		return Linked{}, nil
	}
	p, err := choose(pending, o.MetaID)
	if err != nil {
		return Linked{}, err
	}
	if len(p.Numbers) > 0 && o.PIN == "" {
		return Linked{}, fmt.Errorf("business account %s has numbers to set up: name the file with their two-step verification PIN (--pin-file)", p.WABA.MetaID)
	}
	setup := account.SetUp{Scope: scope, Token: token, KeepDestination: o.Destination == ""}
	id := account.ID(account.KindWABA, p.WABA.Key)
	if p.WABA.RegistrationStatus == account.Complete {
		setup.Parent = id
	} else {
		setup.WABA = id
	}
	if o.Destination != "" {
		setup.Destination = &account.Destination{ARN: o.Destination}
	}
	linked := Linked{WABA: id}
	for _, n := range p.Numbers {
		number := account.ID(account.KindPhoneNumber, n.Key)
		setup.Numbers = append(setup.Numbers, account.NumberSetUp{ID: number, PIN: o.PIN})
		linked.Numbers = append(linked.Numbers, number)
	}
	_, err = links.Finish(ctx, setup)
	return linked, err
}

// choose picks the business account to finish.
func choose(pending []account.Pending, metaID string) (account.Pending, error) {
	var ids []string
	for _, p := range pending {
		if p.WABA.MetaID == metaID || metaID == "" && len(pending) == 1 {
			return p, nil
		}
		ids = append(ids, p.WABA.MetaID)
	}
	switch {
	case len(pending) == 0:
		return account.Pending{}, errors.New("everything the token opens is linked already; its business accounts use it from now on")
	case metaID == "":
		return account.Pending{}, fmt.Errorf("the token opens several business accounts, say which: %v", ids)
	default:
		return account.Pending{}, fmt.Errorf("the token does not open business account %s, or it is linked already", metaID)
	}
}
