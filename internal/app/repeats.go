package app

import (
	"context"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
)

// repeats remembers what calls came to, sealed. It implements awsapi.Calls.
type repeats struct {
	db  *sqlite.DB
	box *secret.Box
}

func (r repeats) BeginCall(ctx context.Context, accountID, call string, now time.Time) (output []byte, repeated bool, err error) {
	sealed, repeated, err := r.db.BeginCall(ctx, accountID, call, now)
	if err != nil || sealed == nil {
		return nil, repeated, err
	}
	output, err = r.box.Open(sealed, callSeal(accountID, call))
	return output, repeated, err
}

func (r repeats) SettleCall(ctx context.Context, accountID, call string, output []byte) error {
	if output == nil {
		return r.db.SettleCall(ctx, accountID, call, nil)
	}
	sealed, err := r.box.Seal(output, callSeal(accountID, call))
	if err != nil {
		return err
	}
	return r.db.SettleCall(ctx, accountID, call, sealed)
}

func callSeal(accountID, call string) []byte { return []byte("call/" + accountID + "/" + call) }
