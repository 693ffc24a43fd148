package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

func tenants(t *testing.T, w *world) {
	other, phone := w.link(t, "111122223333", 2)
	m := w.handOver(t, "wamid.1")
	for _, id := range []string{m.ID, "wamid.1"} {
		if _, ok, err := w.Lookup(w.ctx, other.AccountID, id); err != nil || ok {
			t.Errorf("another account found message %s (%v)", id, err)
		}
	}
	checks := map[string]error{}
	_, _, checks["WABA"] = w.WABA(w.ctx, w.waba.AccountID, other.Key)
	_, checks["PhoneNumber"] = w.PhoneNumber(w.ctx, w.waba.AccountID, phone.Key)
	checks["SetDestination"] = w.SetDestination(w.ctx, w.waba.AccountID, other.Key, nil)
	_, checks["Tags"] = w.Tags(w.ctx, w.waba.AccountID, account.KindWABA, other.Key)
	checks["PutTags"] = w.PutTags(w.ctx, w.waba.AccountID, account.KindPhoneNumber, phone.Key, []account.Tag{{Key: "a"}})
	checks["DeleteTags"] = w.DeleteTags(w.ctx, w.waba.AccountID, account.KindWABA, other.Key, []string{"a"})
	for what, err := range checks {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s across accounts = %v, want not found", what, err)
		}
	}
	if list, err := w.WABAs(w.ctx, w.waba.AccountID, "", 10); err != nil || len(list) != 1 {
		t.Errorf("WABAs = %v, %v; want only the account's own", list, err)
	}
}

func link(t *testing.T, w *world) {
	token, err := w.Token(w.ctx, w.waba.Key)
	must(t, err)
	if string(token) != "sealed-token" {
		t.Errorf("token = %q", token)
	}
	changed, phone := w.waba, w.phone
	changed.Name, changed.Destination = "Renamed", nil
	phone.QualityRating = "RED"
	must(t, w.Link(w.ctx, changed, []byte("new"), []account.PhoneNumber{phone}))
	got, numbers, err := w.WABA(w.ctx, w.waba.AccountID, w.waba.Key)
	must(t, err)
	want := changed
	want.Destination = w.waba.Destination
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("linked again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]account.PhoneNumber{phone}, numbers); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}

	user := identity.User{ID: "AIDAOTHER", AccountID: "444455556666", Name: "admin", Path: "/"}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: "444455556666"}, identity.AccessKey{User: user}, nil))
	stolen := w.waba
	stolen.AccountID = "444455556666"
	if err := w.Link(w.ctx, stolen, nil, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("taking over a WABA = %v, want a conflict", err)
	}
	fresh := stolen
	fresh.Key = fmt.Sprintf("%032d", 9)
	if err := w.Link(w.ctx, fresh, nil, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("linking a Meta account twice = %v, want a conflict", err)
	}
	fresh.MetaID = "777"
	phone.WABAKey, phone.AccountID, phone.Key = fresh.Key, fresh.AccountID, "other"
	if err := w.Link(w.ctx, fresh, []byte("t"), []account.PhoneNumber{phone}); !fault.Is(err, fault.Conflict) {
		t.Errorf("linking a number twice = %v, want a conflict", err)
	}
	if _, _, err := w.WABA(w.ctx, fresh.AccountID, fresh.Key); !fault.Is(err, fault.NotFound) {
		t.Errorf("the WABA of a refused link was stored (%v)", err)
	}
}

func tags(t *testing.T, w *world) {
	put := func(list ...account.Tag) error {
		return w.PutTags(w.ctx, w.waba.AccountID, account.KindWABA, w.waba.Key, list)
	}
	must(t, put(account.Tag{Key: "b", Value: "1"}, account.Tag{Key: "a"}))
	must(t, put(account.Tag{Key: "b", Value: "2"}, account.Tag{Key: "B", Value: "3"}))
	must(t, w.DeleteTags(w.ctx, w.waba.AccountID, account.KindWABA, w.waba.Key, []string{"a", "absent"}))
	got, err := w.Tags(w.ctx, w.waba.AccountID, account.KindWABA, w.waba.Key)
	must(t, err)
	if diff := cmp.Diff([]account.Tag{{Key: "B", Value: "3"}, {Key: "b", Value: "2"}}, got); diff != "" {
		t.Errorf("tags (-want +got):\n%s", diff)
	}
	if got, err := w.Tags(w.ctx, w.waba.AccountID, account.KindPhoneNumber, w.phone.Key); err != nil || len(got) != 0 {
		t.Errorf("tags of the number = %v, %v", got, err)
	}
	var many []account.Tag
	for i := range 49 {
		many = append(many, account.Tag{Key: fmt.Sprint("t", i)})
	}
	if err := put(many...); !fault.Is(err, fault.LimitExceeded) {
		t.Errorf("51 tags = %v, want the limit", err)
	}
	if got, err := w.Tags(w.ctx, w.waba.AccountID, account.KindWABA, w.waba.Key); err != nil || len(got) != 2 {
		t.Errorf("a refused change left %d tags (%v)", len(got), err)
	}
}

func accessKeys(t *testing.T, w *world) {
	user := identity.User{ID: "AIDA" + fmt.Sprintf("%016d", 1), AccountID: w.waba.AccountID, Name: "admin", Path: "/", CreatedAt: w.now}
	k := identity.AccessKey{ID: "AKIA1", Active: true, User: user, CreatedAt: w.now}
	must(t, w.PutAccessKey(w.ctx, k, []byte("sealed")))
	got, sealed, err := w.AccessKey(w.ctx, "AKIA1")
	must(t, err)
	if diff := cmp.Diff(k, got); diff != "" || string(sealed) != "sealed" {
		t.Errorf("key (-want +got):\n%s secret %q", diff, sealed)
	}
	k.Active = false
	must(t, w.PutAccessKey(w.ctx, k, []byte("other")))
	if got, sealed, err := w.AccessKey(w.ctx, "AKIA1"); err != nil || got.Active || string(sealed) != "other" {
		t.Errorf("replaced key = %+v, %q, %v", got, sealed, err)
	}
	if _, _, err := w.AccessKey(w.ctx, "AKIA2"); !fault.Is(err, fault.NotFound) {
		t.Errorf("unknown key = %v", err)
	}
	if err := w.CreateAccount(w.ctx, identity.Account{ID: w.waba.AccountID}, identity.AccessKey{User: user}, nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("an account id twice = %v", err)
	}
}

func createAccount(t *testing.T, w *world) {
	user := identity.User{ID: "AIDANEW", AccountID: "777788889999", Name: "admin", Path: "/", CreatedAt: w.now}
	k := identity.AccessKey{ID: "AKIANEW", Active: true, User: user, CreatedAt: w.now}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: user.AccountID, CreatedAt: w.now}, k, []byte("sealed")))
	got, sealed, err := w.AccessKey(w.ctx, k.ID)
	must(t, err)
	if diff := cmp.Diff(k, got); diff != "" || string(sealed) != "sealed" {
		t.Errorf("key (-want +got):\n%s secret %q", diff, sealed)
	}
	other := k // a key id that is taken: then nothing is made
	other.User.ID, other.User.AccountID = "AIDAOTHER", "666677778888"
	if err := w.CreateAccount(w.ctx, identity.Account{ID: "666677778888"}, other, []byte("stolen")); !fault.Is(err, fault.Conflict) {
		t.Errorf("an account with somebody's key = %v, want a conflict", err)
	}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: "666677778888"}, identity.AccessKey{User: other.User}, nil))
}

func pages(t *testing.T, w *world) {
	want := []string{w.waba.Key}
	for i := 5; i > 2; i-- { // keys fall while time rises
		b := w.waba
		b.Key, b.MetaID, b.LinkedAt = fmt.Sprintf("%032d", i), fmt.Sprint("meta-", i), w.now.Add(time.Duration(10-i)*time.Minute)
		must(t, w.Link(w.ctx, b, []byte("t"), nil))
		want = append(want, b.Key)
	}
	var got []string
	for after := ""; ; {
		list, err := w.WABAs(w.ctx, w.waba.AccountID, after, 3)
		must(t, err)
		for _, b := range list {
			got, after = append(got, b.Key), b.Key
		}
		if len(list) < 3 {
			break
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func settings(t *testing.T, w *world) {
	if v, err := w.Setting(w.ctx, "x"); err != nil || v != nil {
		t.Errorf("unset = %q, %v", v, err)
	}
	got := parallel(5, func(i int) string {
		v, err := w.InitSetting(w.ctx, "x", fmt.Append(nil, "v", i))
		if err != nil {
			return err.Error()
		}
		return string(v)
	})
	v, err := w.Setting(w.ctx, "x")
	must(t, err)
	for _, g := range got {
		if g != string(v) {
			t.Errorf("racers got %v, stored is %q", got, v)
		}
	}
}
