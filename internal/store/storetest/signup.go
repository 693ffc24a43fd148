package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
	"github.com/waxwing-messaging/waxwing/internal/message"
)

// candidate is a business account that an account is about to link, with one number.
func (w *world) candidate(accountID string, n int) account.Candidate {
	c := account.Candidate{Token: fmt.Append(nil, "token-", n), WABA: account.WABA{Key: fmt.Sprintf("%032d", n), AccountID: accountID,
		MetaID: fmt.Sprintf("12%014d", n), Name: "New", RegistrationStatus: account.Incomplete, LinkedAt: w.now}}
	c.Numbers = []account.PhoneNumber{{Key: c.WABA.Key, AccountID: accountID, WABAKey: c.WABA.Key, MetaID: fmt.Sprintf("11%014d", n),
		E164: "+1555", QualityRating: "UNKNOWN", Status: account.IncompleteSetup, Throughput: account.ThroughputStandard, MetaStatus: "PENDING"}}
	return c
}

func (w *world) signUp(token, accountID string) account.SignUp {
	return account.SignUp{Hash: account.HashSignUpToken(token), AccountID: accountID, ExpiresAt: w.now.Add(time.Hour)}
}

func signUp(t *testing.T, w *world) {
	own, c := w.waba.AccountID, w.candidate(w.waba.AccountID, 5)
	must(t, w.BeginSignUp(w.ctx, w.signUp("t", own), []account.Candidate{c}))
	got, numbers, err := w.WABA(w.ctx, own, c.WABA.Key)
	must(t, err)
	if diff := cmp.Diff(c.WABA, got); diff != "" {
		t.Errorf("begun (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(c.Numbers, numbers); diff != "" {
		t.Errorf("its numbers (-want +got):\n%s", diff)
	}
	keys, err := w.LinkedKeys(w.ctx, own, []string{c.WABA.MetaID, c.Numbers[0].MetaID, "absent"})
	must(t, err)
	if diff := cmp.Diff(map[string]string{c.WABA.MetaID: c.WABA.Key, c.Numbers[0].MetaID: c.Numbers[0].Key}, keys); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	if keys, err := w.LinkedKeys(w.ctx, "444455556666", []string{c.WABA.MetaID}); err != nil || len(keys) != 0 {
		t.Errorf("another account sees %v (%v)", keys, err)
	}

	hash := account.HashSignUpToken("t")
	finish := account.Finish{WABAKey: c.WABA.Key, Complete: true, Destination: &account.Destination{ARN: topicARN}, Tags: []account.Tag{{Key: "a"}},
		Numbers: []account.FinishedNumber{{Key: c.Numbers[0].Key, DataRegion: "DE", Tags: []account.Tag{{Key: "b"}}}}}
	for what, err := range map[string]error{
		"a guess":          w.CheckSignUp(w.ctx, account.HashSignUpToken("x"), own, w.now),
		"another account":  w.CheckSignUp(w.ctx, hash, "444455556666", w.now),
		"too late":         w.CheckSignUp(w.ctx, hash, own, w.now.Add(time.Hour)),
		"finish by guess":  w.FinishSignUp(w.ctx, account.HashSignUpToken("x"), own, finish, w.now),
		"finish of others": w.FinishSignUp(w.ctx, hash, "444455556666", finish, w.now),
		"finish too late":  w.FinishSignUp(w.ctx, hash, own, finish, w.now.Add(time.Hour)),
	} {
		if !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("%s = %v, want invalid parameters", what, err)
		}
	}
	missing := finish
	missing.Numbers = append([]account.FinishedNumber{{Key: w.phone.Key}}, finish.Numbers...) // of another business account
	if err := w.FinishSignUp(w.ctx, hash, own, missing, w.now); !fault.Is(err, fault.NotFound) {
		t.Errorf("a number of another business account = %v", err)
	}
	must(t, w.CheckSignUp(w.ctx, hash, own, w.now)) // refusals leave the token
	if got, _, err := w.WABA(w.ctx, own, c.WABA.Key); err != nil || got.RegistrationStatus != account.Incomplete {
		t.Errorf("a refusal left %+v (%v)", got, err)
	}

	won := parallel(4, func(int) bool { return w.FinishSignUp(w.ctx, hash, own, finish, w.now) == nil })
	if n := count(won); n != 1 {
		t.Errorf("%d of 4 finished with one token", n)
	}
	got, numbers, err = w.WABA(w.ctx, own, c.WABA.Key)
	must(t, err)
	if got.RegistrationStatus != account.Complete || got.Destination == nil || got.Destination.ARN != topicARN {
		t.Errorf("finished = %+v", got)
	}
	if p := numbers[0]; p.Status != account.Active || !p.Registered || p.DataRegion != "DE" || p.MetaStatus != "CONNECTED" {
		t.Errorf("its number = %+v", p)
	}
	if tags, err := w.Tags(w.ctx, own, account.KindPhoneNumber, numbers[0].Key); err != nil || len(tags) != 1 || tags[0].Key != "b" {
		t.Errorf("tags of the number = %v, %v", tags, err)
	}
}

// Where Meta's callbacks go is kept, and changes only when it is said anew.
func signUpCallback(t *testing.T, w *world) {
	own, c := w.waba.AccountID, w.candidate(w.waba.AccountID, 5)
	begin := func(token string, callback *string) {
		t.Helper()
		s := w.signUp(token, own)
		s.Callback = callback
		must(t, w.BeginSignUp(w.ctx, s, []account.Candidate{c}))
	}
	const there, none = "https://tunnel.example/", ""
	for i, step := range []struct {
		callback *string
		want     string
	}{{nil, none}, {ptr(there), there}, {nil, there}, {ptr(none), none}} {
		begin(fmt.Sprint("t", i), step.callback)
		if got, _, err := w.WABA(w.ctx, own, c.WABA.Key); err != nil || got.CallbackURL != step.want {
			t.Errorf("step %d: callbacks go to %q (%v), want %q", i, got.CallbackURL, err, step.want)
		}
	}
	if got, _, err := w.WABA(w.ctx, own, w.waba.Key); err != nil || got.CallbackURL != none {
		t.Errorf("another business account's callbacks go to %q (%v)", got.CallbackURL, err)
	}
}

func ptr[T any](v T) *T { return &v }

func count(list []bool) (n int) {
	for _, b := range list {
		if b {
			n++
		}
	}
	return n
}

func signUpAgain(t *testing.T, w *world) {
	c := w.candidate(w.waba.AccountID, 5)
	c.WABA.Key, c.WABA.MetaID, c.WABA.Name = w.waba.Key, w.waba.MetaID, "Renamed"
	c.Numbers[0].WABAKey = w.waba.Key
	told := w.phone
	told.QualityRating, told.Status, told.Registered = "RED", account.IncompleteSetup, false
	c.Numbers = append(c.Numbers, told)
	must(t, w.BeginSignUp(w.ctx, w.signUp("t", w.waba.AccountID), []account.Candidate{c}))
	got, numbers, err := w.WABA(w.ctx, w.waba.AccountID, w.waba.Key)
	must(t, err)
	if got.Name != "Renamed" || got.RegistrationStatus != account.Complete || got.Destination == nil || len(numbers) != 2 {
		t.Errorf("signed up again = %+v with %d numbers", got, len(numbers))
	}
	if p, err := w.PhoneNumber(w.ctx, w.waba.AccountID, w.phone.Key); err != nil || p.Status != account.Active || !p.Registered || p.QualityRating != "RED" {
		t.Errorf("the number that was linked = %+v, %v", p, err)
	}
	if token, err := w.Token(w.ctx, w.waba.Key); err != nil || string(token) != "token-5" {
		t.Errorf("token = %q, %v", token, err)
	}
	must(t, w.FinishSignUp(w.ctx, account.HashSignUpToken("t"), w.waba.AccountID, account.Finish{WABAKey: w.waba.Key, KeepDestination: true,
		Numbers: []account.FinishedNumber{{Key: c.Numbers[0].Key}}}, w.now))
	if got, _, err := w.WABA(w.ctx, w.waba.AccountID, w.waba.Key); err != nil || got.Destination == nil {
		t.Errorf("adding a number left %+v (%v)", got, err)
	}
}

func signUpRefused(t *testing.T, w *world) {
	user := identity.User{ID: "AIDAOTHER", AccountID: "444455556666", Name: "admin", Path: "/"}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: user.AccountID}, identity.AccessKey{User: user}, nil))
	stolen := w.candidate(user.AccountID, 5)
	stolen.WABA.MetaID = w.waba.MetaID
	number := w.candidate(user.AccountID, 6)
	number.Numbers[0].MetaID = w.phone.MetaID
	for what, c := range map[string]account.Candidate{"a business account": stolen, "a number": number} {
		if err := w.BeginSignUp(w.ctx, w.signUp(what, user.AccountID), []account.Candidate{c}); !fault.Is(err, fault.Conflict) {
			t.Errorf("%s of another account = %v, want a conflict", what, err)
		}
		if err := w.CheckSignUp(w.ctx, account.HashSignUpToken(what), user.AccountID, w.now); !fault.Is(err, fault.InvalidParameters) {
			t.Errorf("the token of a refused sign-up can be used (%v)", err)
		}
	}
	var many []account.Candidate
	for i := range account.MaxWABAs + 1 {
		many = append(many, w.candidate(user.AccountID, 100+i))
	}
	if err := w.BeginSignUp(w.ctx, w.signUp("m", user.AccountID), many); !fault.Is(err, fault.LimitExceeded) {
		t.Errorf("%d business accounts = %v", len(many), err)
	}
	must(t, w.BeginSignUp(w.ctx, w.signUp("n", user.AccountID), many[1:]))
	more, err := w.PruneSignUps(w.ctx, w.now.Add(2*time.Hour))
	must(t, err)
	if err := w.CheckSignUp(w.ctx, account.HashSignUpToken("n"), user.AccountID, w.now); more || !fault.Is(err, fault.InvalidParameters) {
		t.Errorf("an old sign-up survives pruning (%v)", err)
	}
}

// What was sent before the business account was unlinked goes on to its end; what nobody here sent is nobody's.
func unlinkedStatuses(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.1")
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	res := w.receive(t, w.change(event.StatusChange, "wamid.1", "delivered"), w.change(event.StatusChange, "wamid.1", "delivered"),
		w.change(event.StatusChange, "wamid.2", "delivered"), w.change(event.InboundChange, "wamid.3", ""))
	if res.Repeats != 1 || res.Unclaimed != 2 || res.Orphans != 0 {
		t.Errorf("applied %+v, want 1 repeat and 2 unclaimed", res)
	}
	if st := w.state(t, m.ID); st.State != message.Delivered {
		t.Errorf("state = %s", st.State)
	}
}

func unlink(t *testing.T, w *world) {
	own := w.waba.AccountID
	must(t, w.PutTags(w.ctx, own, account.KindWABA, w.waba.Key, []account.Tag{{Key: "a"}}))
	waiting := w.accept(t, w.outbound())
	if err := w.Unlink(w.ctx, "444455556666", w.waba.Key, w.now); !fault.Is(err, fault.NotFound) {
		t.Errorf("unlinking across accounts = %v", err)
	}
	if _, _, err := w.UnlinkedLine(w.ctx, own, w.phone.Key); !fault.Is(err, fault.NotFound) {
		t.Errorf("line of a linked number = %v", err)
	}
	must(t, w.Unlink(w.ctx, own, w.waba.Key, w.now))
	for what, err := range map[string]error{
		"unlinking twice": w.Unlink(w.ctx, own, w.waba.Key, w.now),
		"WABA":            second3(w.WABA(w.ctx, own, w.waba.Key)),
		"number":          second(w.PhoneNumber(w.ctx, own, w.phone.Key)),
		"tags":            second(w.Tags(w.ctx, own, account.KindWABA, w.waba.Key)),
		"line of others":  second3(w.UnlinkedLine(w.ctx, "444455556666", w.phone.Key)),
	} {
		if !fault.Is(err, fault.NotFound) {
			t.Errorf("%s = %v, want not found", what, err)
		}
	}

	// What waits can still be sent.
	line, token, err := w.UnlinkedLine(w.ctx, own, w.phone.Key)
	must(t, err)
	want := account.Line{AccountID: own, WABAKey: w.waba.Key, WABAMetaID: w.waba.MetaID, PhoneKey: w.phone.Key, PhoneMetaID: w.phone.MetaID,
		DisplayNumber: w.phone.DisplayNumber, Throughput: w.phone.Throughput}
	if diff := cmp.Diff(want, line); diff != "" || string(token) != "sealed-token" {
		t.Errorf("line (-want +got):\n%s token %q", diff, token)
	}
	later := w.now.Add(time.Hour)
	prune := func() {
		t.Helper()
		_, err := w.PruneTokens(w.ctx, later)
		must(t, err)
		_, err = w.PruneUnlinked(w.ctx, later)
		must(t, err)
	}
	prune()
	if _, _, err := w.UnlinkedLine(w.ctx, own, w.phone.Key); err != nil {
		t.Errorf("pruned while message %s waits: %v", waiting.ID, err)
	}
	held := w.lane(t)
	w.begin(t, held, &waiting)
	if ok, err := w.Finish(w.ctx, &waiting, message.Accepted, "wamid.1", w.event(waiting.ID, "wamid.1", "accepted"), w.now); err != nil || !ok {
		t.Errorf("the message that waited was not finished: %v, %v", ok, err)
	}
	prune()
	if _, _, err := w.UnlinkedLine(w.ctx, own, w.phone.Key); !fault.Is(err, fault.NotFound) {
		t.Errorf("the token outlives its last message (%v)", err)
	}

	// Meta's ids can be linked again, and nothing of the past comes along.
	again, number := w.waba, w.phone
	again.Key, number.Key, number.WABAKey = "again", "again", "again"
	must(t, w.Link(w.ctx, again, []byte("t"), []account.PhoneNumber{number}))
	if tags, err := w.Tags(w.ctx, own, account.KindWABA, again.Key); err != nil || len(tags) != 0 {
		t.Errorf("tags = %v, %v", tags, err)
	}
}

func second[A any](_ A, err error) error          { return err }
func second3[A, B any](_ A, _ B, err error) error { return err }

// A number that moved to another account: statuses of what the old one sent belong to the old one.
func unlinkKeepsTenantsApart(t *testing.T, w *world) {
	m := w.handOver(t, "wamid.old")
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	user := identity.User{ID: "AIDAOTHER", AccountID: "444455556666", Name: "admin", Path: "/"}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: user.AccountID}, identity.AccessKey{User: user}, nil))
	moved, number := w.waba, w.phone
	moved.Key, moved.AccountID, moved.Destination = "moved", user.AccountID, &account.Destination{ARN: topicARN + "-moved"}
	number.Key, number.WABAKey, number.AccountID = "moved", "moved", user.AccountID
	must(t, w.Link(w.ctx, moved, []byte("t"), []account.PhoneNumber{number}))
	res := w.receive(t, w.change(event.StatusChange, "wamid.old", "delivered"))
	if len(res.Destinations) != 0 {
		t.Errorf("the new account was told about %s at %v", m.ID, res.Destinations)
	}
	if st, ok, err := w.Lookup(w.ctx, w.waba.AccountID, m.ID); err != nil || !ok || st.State != message.Delivered {
		t.Errorf("the old account's message = %+v, %v, %v", st, ok, err)
	}
}

// proofAfterUnlinking: what is in doubt when its number is unlinked, and perhaps linked again, is not sent a second time if a status
// shows that WhatsApp has it.
func proofAfterUnlinking(t *testing.T, w *world) {
	first, second := w.outbound(), w.outbound()
	l := w.lane(t)
	for _, m := range []*message.Outbound{first, second} {
		j := w.accept(t, m)
		w.begin(t, l, &j)
	}
	proof := func(m *message.Outbound) event.Change {
		c := w.change(event.StatusChange, "wamid."+m.ID, "sent")
		c.Opaque = m.ID
		return c
	}
	must(t, w.Unlink(w.ctx, w.waba.AccountID, w.waba.Key, w.now))
	if res := w.receive(t, proof(first)); res.Proved != 1 || res.Unclaimed != 0 {
		t.Errorf("after unlinking: %+v", res)
	}
	user := identity.User{ID: "AIDAOTHER", AccountID: "444455556666", Name: "admin", Path: "/"}
	must(t, w.CreateAccount(w.ctx, identity.Account{ID: user.AccountID}, identity.AccessKey{User: user}, nil))
	again, number := w.waba, w.phone
	again.Key, again.AccountID, again.Destination = "again", user.AccountID, &account.Destination{ARN: topicARN + "-again"}
	number.Key, number.WABAKey, number.AccountID = "again", "again", user.AccountID
	must(t, w.Link(w.ctx, again, []byte("t"), []account.PhoneNumber{number}))
	if res := w.receive(t, proof(second)); res.Proved != 1 || len(res.Destinations) != 0 {
		t.Errorf("after linking again: %+v", res)
	}
	for _, m := range []*message.Outbound{first, second} {
		if st := w.state(t, m.ID); st.State != message.Sent || st.WAMID != "wamid."+m.ID {
			t.Errorf("message %+v", st)
		}
	}
	if n := w.queued(t); n != 0 {
		t.Errorf("%d messages would be sent again", n)
	}
}

func refreshes(t *testing.T, w *world) {
	at := w.now.Add(2 * time.Hour)
	if due, err := w.ClaimRefreshes(w.ctx, w.now, at, 10); err != nil || len(due) != 0 {
		t.Errorf("due right after linking: %v, %v", due, err)
	}
	claim := func(now, retry time.Time) []account.Due {
		t.Helper()
		due, err := w.ClaimRefreshes(w.ctx, now, retry, 10)
		must(t, err)
		return due
	}
	total := 0
	for _, due := range parallel(3, func(int) []account.Due { return claim(at, at.Add(time.Minute)) }) {
		total += len(due)
	}
	if total != 1 {
		t.Errorf("claimed %d times", total)
	}
	due := claim(at.Add(time.Minute), at.Add(2*time.Minute)) // whoever claimed it has died
	if len(due) != 1 || due[0].WABAKey != w.waba.Key || due[0].AccountID != w.waba.AccountID {
		t.Fatalf("due = %+v", due)
	}
	told := account.PhoneNumber{MetaID: w.phone.MetaID, E164: "+15550100001", DisplayName: "New name", DisplayNumber: "+1 555", QualityRating: "YELLOW",
		Throughput: account.ThroughputHigh, MessagingLimit: "TIER_1K", MetaStatus: "DISCONNECTED", NameStatus: "APPROVED", Official: true}
	stray := told
	stray.MetaID = "not linked"
	facts := account.Facts{Name: "New", MarketingStatus: "ONBOARDED", Numbers: []account.PhoneNumber{stray, told}}
	must(t, w.Refreshed(w.ctx, due[0], facts, at.Add(24*time.Hour)))
	got, numbers, err := w.WABA(w.ctx, w.waba.AccountID, w.waba.Key)
	must(t, err)
	if got.Name != "New" || got.MarketingStatus != "ONBOARDED" || len(numbers) != 1 {
		t.Errorf("account = %+v with %d numbers", got, len(numbers))
	}
	want := told
	want.Key, want.AccountID, want.WABAKey, want.Registered, want.Status = w.phone.Key, w.phone.AccountID, w.phone.WABAKey, true, account.IncompleteSetup
	if diff := cmp.Diff(want, numbers[0]); diff != "" {
		t.Errorf("number (-want +got):\n%s", diff)
	}
	if due := claim(at.Add(23*time.Hour), at.Add(48*time.Hour)); len(due) != 0 {
		t.Errorf("due before its time: %v", due)
	}
	due = claim(at.Add(24*time.Hour), at.Add(25*time.Hour))
	facts.Numbers[1].MetaStatus = "CONNECTED"
	must(t, w.Refreshed(w.ctx, due[0], facts, at.Add(48*time.Hour)))
	if p, err := w.PhoneNumber(w.ctx, w.phone.AccountID, w.phone.Key); err != nil || p.Status != account.Active {
		t.Errorf("connected again = %+v, %v", p, err)
	}
	facts.Numbers = facts.Numbers[:1]
	must(t, w.Refreshed(w.ctx, due[0], facts, at.Add(48*time.Hour)))
	if p, err := w.PhoneNumber(w.ctx, w.phone.AccountID, w.phone.Key); err != nil || p.Status != account.IncompleteSetup || p.MetaStatus != "DELETED" {
		t.Errorf("a number Meta does not name any more = %+v, %v", p, err)
	}
}

// A webhook that comes while Meta is being asked makes the account due once more.
func refreshAfterWebhook(t *testing.T, w *world) {
	due, err := w.ClaimRefreshes(w.ctx, w.now.Add(2*time.Hour), w.now.Add(3*time.Hour), 10)
	must(t, err)
	for _, field := range []string{"message_template_status_update", "phone_number_quality_update"} {
		change := w.change(event.OtherChange, "", field)
		change.Field = field
		res := w.receive(t, change)
		if told := field == "phone_number_quality_update"; res.Accounts == 1 != told || res.Events != 1 {
			t.Errorf("%s = %+v", field, res)
		}
	}
	must(t, w.Refreshed(w.ctx, due[0], account.Facts{Name: "Shop"}, w.now.Add(24*time.Hour)))
	if due, err := w.ClaimRefreshes(w.ctx, w.now.Add(time.Minute), w.now.Add(time.Hour), 10); err != nil || len(due) != 1 {
		t.Errorf("due = %v, %v; want it once more", due, err)
	}
}
