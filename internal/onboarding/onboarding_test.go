package onboarding

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// world is Meta and a directory with one business account. It writes down what is done to either, and fails where told.
type world struct {
	did  []string
	fail map[string]error
	waba account.WABA
	has  []account.PhoneNumber
	got  account.Finish
}

func newWorld() *world {
	return &world{fail: map[string]error{}, waba: account.WABA{Key: "w", MetaID: "12", RegistrationStatus: account.Incomplete},
		has: []account.PhoneNumber{{Key: "p", MetaID: "11", WABAKey: "w"}, {Key: "q", MetaID: "10", WABAKey: "w", Throughput: account.ThroughputShared},
			{Key: "r", MetaID: "9", WABAKey: "w", Registered: true}}}
}

func (w *world) service() *Service {
	return New(Options{Meta: w, Callbacks: w, Links: w, Accounts: w, Now: time.Now})
}

func (w *world) do(what string) error {
	w.did = append(w.did, what)
	return w.fail[what]
}

func (w *world) Grant(context.Context, identity.Secret) (account.Grant, error) {
	return account.Grant{Token: "t", MetaIDs: []string{"12"}}, w.do("grant")
}

func (w *world) Account(_ context.Context, metaID string, _ identity.Secret) (account.Facts, error) {
	return account.Facts{MetaID: metaID}, w.do("account " + metaID)
}

func (w *world) Register(_ context.Context, id string, _ identity.Secret, pin, region string) error {
	return w.do("register " + id + " " + pin + region)
}

func (w *world) ChangeSettings(_ context.Context, id string, _ identity.Secret, _ any) error {
	return w.do("settings " + id)
}

func (w *world) Subscribe(_ context.Context, id string, _ identity.Secret, address string) error {
	return w.do(strings.TrimSpace("subscribe " + id + " " + address))
}

func (w *world) Unsubscribe(_ context.Context, id string, _ identity.Secret) error {
	return w.do("unsubscribe " + id)
}

func (w *world) BeginSignUp(context.Context, string, identity.Secret, *string, []account.Facts, time.Time) ([]string, identity.Secret, error) {
	return []string{"w"}, "s", w.do("begin")
}

func (w *world) CheckSignUp(context.Context, string, identity.Secret, time.Time) error {
	return w.do("check")
}

func (w *world) FinishSignUp(_ context.Context, _ string, _ identity.Secret, f account.Finish, _ time.Time) error {
	w.got = f
	return w.do("finish")
}

func (w *world) Unlink(context.Context, string, string, time.Time) error { return w.do("unlink") }

func (w *world) WABA(_ context.Context, _, key string) (account.WABA, []account.PhoneNumber, error) {
	if key != "w" {
		return account.WABA{}, nil, fault.New(fault.NotFound, "no")
	}
	return w.waba, w.has, nil
}

func (w *world) Access(context.Context, string, string) (account.Access, error) {
	return account.Access{MetaID: "12", Token: "t"}, w.fail["access"]
}

func (w *world) LinkedKeys(_ context.Context, _ string, ids []string) (map[string]string, error) {
	keys := map[string]string{"12": "w"}
	for _, p := range w.has {
		keys[p.MetaID] = p.Key
	}
	for id := range keys {
		if !slices.Contains(ids, id) {
			delete(keys, id)
		}
	}
	return keys, nil
}

func TestBegin(t *testing.T) {
	t.Parallel()
	w := newWorld()
	token, pending, err := w.service().Begin(t.Context(), "a", "code", nil)
	if err != nil || token != "s" || len(pending) != 1 || len(pending[0].Numbers) != 2 {
		t.Errorf("begun = %q, %+v, %v; want two numbers to set up", token.Reveal(), pending, err)
	}
	w.waba.RegistrationStatus, w.has = account.Complete, w.has[2:]
	if _, pending, err := w.service().Begin(t.Context(), "a", "code", nil); err != nil || len(pending) != 0 {
		t.Errorf("nothing is left to do, but %+v (%v)", pending, err)
	}
}

// A callback URL goes to Meta at once for what is finished, and with the second phase otherwise.
func TestCallbackURL(t *testing.T) {
	t.Parallel()
	const address = "https://tunnel.example/webhooks/meta"
	w, url := newWorld(), address
	if _, _, err := w.service().Begin(t.Context(), "a", "code", &url); err != nil || slices.Contains(w.did, "subscribe 12 "+address) {
		t.Errorf("did %v, %v", w.did, err)
	}
	w.waba.CallbackURL = address
	if _, err := w.service().Finish(t.Context(), account.SetUp{Token: "s", WABA: "12"}); err != nil || !slices.Contains(w.did, "subscribe 12 "+address) {
		t.Errorf("did %v, %v", w.did, err)
	}
	w.did, w.waba.RegistrationStatus, url = nil, account.Complete, ""
	if _, _, err := w.service().Begin(t.Context(), "a", "code", &url); err != nil || !slices.Contains(w.did, "subscribe 12") {
		t.Errorf("did %v, %v", w.did, err)
	}
	w.fail["subscribe 12"] = fault.New(fault.InvalidParameters, "no")
	w.did = nil
	if _, _, err := w.service().Begin(t.Context(), "a", "code", &url); !fault.Is(err, fault.InvalidParameters) || slices.Contains(w.did, "begin") {
		t.Errorf("after a refusal: %v, %v", w.did, err)
	}
	for _, bad := range []string{"tunnel.example", "ftp://tunnel.example/", "https://user@tunnel.example/", "https://tunnel.example/#x", "https://%"} {
		w.did = nil
		if _, _, err := w.service().Begin(t.Context(), "a", "code", &bad); !fault.Is(err, fault.InvalidParameters) || len(w.did) > 0 {
			t.Errorf("%s: %v, %v", bad, w.did, err)
		}
	}
}

func TestFinishDoesEverythingAtMetaFirst(t *testing.T) {
	t.Parallel()
	setup := account.SetUp{Token: "s", WABA: "12", KeepDestination: true, Numbers: []account.NumberSetUp{{ID: "phone-number-id-p", PIN: "123456", Region: "DE"},
		{ID: "10", PIN: "123456"}}}
	w := newWorld()
	key, err := w.service().Finish(t.Context(), setup)
	if err != nil || key != "w" {
		t.Fatalf("finished %q, %v", key, err)
	}
	// The second number is shared with the WhatsApp Business app and must not be registered.
	if diff := cmp.Diff([]string{"check", "subscribe 12", "register 11 123456DE", "finish"}, w.did); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(account.Finish{WABAKey: "w", Complete: true, KeepDestination: true,
		Numbers: []account.FinishedNumber{{Key: "p", DataRegion: "DE"}, {Key: "q"}}}, w.got); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	for _, step := range []string{"check", "subscribe 12", "register 11 123456DE"} {
		w := newWorld()
		w.fail[step] = fault.New(fault.Dependency, "no")
		if _, err := w.service().Finish(t.Context(), setup); !fault.Is(err, fault.Dependency) || slices.Contains(w.did, "finish") {
			t.Errorf("after a failure of %s: %v, %v", step, w.did, err)
		}
	}
}

func TestUnlink(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		answer fault.Kind // of Meta; "" is success
		gone   bool
	}{
		{"", true}, {fault.AccessDeniedByMeta, true}, {fault.NotFound, true}, {fault.InvalidParameters, true}, {fault.Dependency, false}, {fault.Throttled, false},
	} {
		t.Run(string(tc.answer), func(t *testing.T) {
			t.Parallel()
			w := newWorld()
			if tc.answer != "" {
				w.fail["unsubscribe 12"] = fault.New(tc.answer, "no")
			}
			err := w.service().Unlink(t.Context(), "a", "w")
			if gone := slices.Contains(w.did, "unlink"); gone != tc.gone || (err == nil) != tc.gone {
				t.Errorf("did %v, %v", w.did, err)
			}
		})
	}
}
