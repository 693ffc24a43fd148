package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
)

// imports is how numbers get into instances of Amazon Connect.
type imports interface {
	ClaimImports(ctx context.Context, now time.Time, later func(attempts int) time.Time, limit int) ([]account.Import, error)
	Imported(ctx context.Context, i *account.Import, connectARN string) error
}

const (
	instance = "arn:aws:connect:us-east-1:000000000000:instance/aaaaaaaa-0000-4000-8000-000000000001"
	another  = "arn:aws:connect:us-east-1:000000000000:instance/aaaaaaaa-0000-4000-8000-000000000002"
	role     = "arn:aws:iam::000000000000:role/connect"
)

func (w *world) claimImports(t *testing.T, now time.Time) []account.Import {
	t.Helper()
	list, err := w.ClaimImports(w.ctx, now, func(attempts int) time.Time { return now.Add(time.Duration(attempts+1) * time.Minute) }, 10)
	must(t, err)
	return list
}

// importOnce imports a number when its business account gets an instance as its destination, and tries again until it is there.
func importOnce(t *testing.T, w *world) {
	if list := w.claimImports(t, w.now); len(list) != 0 {
		t.Errorf("with a topic as destination: %+v", list)
	}
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &account.Destination{ARN: instance, RoleARN: role}))
	want := account.Import{AccountID: w.waba.AccountID, PhoneKey: w.phone.Key, DisplayNumber: w.phone.DisplayNumber, InstanceARN: instance, RoleARN: role,
		Due: w.now.Add(time.Minute)}
	same(t, "first claim", w.claimImports(t, w.now), []account.Import{want})
	if list := w.claimImports(t, w.now.Add(59*time.Second)); len(list) != 0 {
		t.Errorf("claimed twice: %+v", list)
	}
	late := want
	want.Attempts, want.Due = 1, w.now.Add(3*time.Minute)
	same(t, "second claim", w.claimImports(t, w.now.Add(time.Minute)), []account.Import{want})
	must(t, w.Imported(w.ctx, &late, "too late"))
	same(t, "a late result settles nothing", len(w.claimImports(t, want.Due)), 1)
	want.Due = want.Due.Add(3 * time.Minute)
	must(t, w.Imported(w.ctx, &want, "arn:aws:connect:us-east-1:000000000000:phone-number/1"))
	// The same destination once more, with another role, imports nothing again.
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &account.Destination{ARN: instance}))
	if list := w.claimImports(t, w.now.Add(time.Hour)); len(list) != 0 {
		t.Errorf("imported, and claimed again: %+v", list)
	}
}

// importMoves follows the business account to another instance, and forgets about imports when it has none.
func importMoves(t *testing.T, w *world) {
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &account.Destination{ARN: instance}))
	first := w.claimImports(t, w.now)
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &account.Destination{ARN: another}))
	must(t, w.Imported(w.ctx, &first[0], "of the first"))
	if list := w.claimImports(t, w.now); len(list) != 1 || list[0].InstanceARN != another || list[0].Attempts != 0 {
		t.Errorf("after a move: %+v", list)
	}
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &account.Destination{ARN: topicARN}))
	if list := w.claimImports(t, w.now.Add(time.Hour)); len(list) != 0 {
		t.Errorf("with a topic again: %+v", list)
	}
	must(t, w.SetDestination(w.ctx, w.waba.AccountID, w.waba.Key, &account.Destination{ARN: instance}))
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	if list := w.claimImports(t, w.now.Add(time.Hour)); len(list) != 0 {
		t.Errorf("unlinked: %+v", list)
	}
}

// importRegistered leaves numbers alone that are not set up, and imports them when they are.
func importRegistered(t *testing.T, w *world) {
	waba := w.waba
	waba.Key, waba.MetaID, waba.Destination = account.NewKey(), "1299", nil
	phone := w.phone
	phone.Key, phone.MetaID, phone.WABAKey, phone.Registered, phone.Status = account.NewKey(), "1199", waba.Key, false, account.IncompleteSetup
	hash := []byte("hash")
	must(t, w.BeginSignUp(w.ctx, account.SignUp{Hash: hash, AccountID: waba.AccountID, ExpiresAt: w.now.Add(time.Hour)},
		[]account.Candidate{{WABA: waba, Token: []byte("sealed"), Numbers: []account.PhoneNumber{phone}}}))
	must(t, w.SetDestination(w.ctx, waba.AccountID, waba.Key, &account.Destination{ARN: instance}))
	if list := w.claimImports(t, w.now); len(list) != 0 {
		t.Errorf("not set up: %+v", list)
	}
	must(t, w.FinishSignUp(w.ctx, hash, waba.AccountID, account.Finish{WABAKey: waba.Key, Complete: true, Destination: &account.Destination{ARN: another},
		Numbers: []account.FinishedNumber{{Key: phone.Key}}}, w.now))
	if list := w.claimImports(t, w.now); len(list) != 1 || list[0].PhoneKey != phone.Key || list[0].InstanceARN != another {
		t.Errorf("set up: %+v", list)
	}
}
