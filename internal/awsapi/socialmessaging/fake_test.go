package socialmessaging

import (
	"cmp"
	"context"
	"encoding/base64"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/message"
	"github.com/waxwing-messaging/waxwing/internal/page"
)

const (
	accountID = "111122223333"
	otherID   = "444455556666"
	region    = "eu-west-1"
)

var (
	wabaKey   = strings.Repeat("a", 32)
	phoneKey  = strings.Repeat("b", 32)
	wabaID    = "waba-" + wabaKey
	phoneID   = "phone-number-id-" + phoneKey
	wabaARN   = "arn:aws:social-messaging:eu-west-1:111122223333:waba/" + wabaKey
	phoneARN  = "arn:aws:social-messaging:eu-west-1:111122223333:phone-number-id/" + phoneKey
	topicARN  = "arn:aws:sns:eu-west-1:111122223333:wa-events"
	connect   = "arn:aws:connect:eu-west-1:111122223333:instance/0a1b2c3d-0000-4000-8000-000000000000"
	roleARN   = "arn:aws:iam::111122223333:role/ConnectBridge"
	linkedAt  = time.UnixMilli(1736379042271).UTC()
	startTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
)

// world is a small in-memory account: what the operations see behind their interfaces.
type world struct {
	mu      sync.Mutex
	wabas   []account.WABA
	numbers []account.PhoneNumber
	tags    map[string][]account.Tag
	sent    []message.Outbound
	broken  error // what every call returns instead of an answer
}

func newWorld() *world {
	return &world{
		wabas: []account.WABA{{Key: wabaKey, AccountID: accountID, MetaID: "102290129340398", Name: "Example Shop",
			RegistrationStatus: account.Complete, LinkedAt: linkedAt}},
		numbers: []account.PhoneNumber{{Key: phoneKey, AccountID: accountID, WABAKey: wabaKey, MetaID: "106540352242922",
			E164: "+4915112345678", DisplayName: "Example Shop", DisplayNumber: "+49 1511 2345678", QualityRating: "GREEN",
			DataRegion: "DE", Status: account.Active}},
		tags: map[string][]account.Tag{wabaARN: nil, phoneARN: nil},
	}
}

func (w *world) lock() func() { w.mu.Lock(); return w.mu.Unlock }

var errMissing = fault.New(fault.NotFound, "no such row")

func (w *world) WABAs(_ context.Context, id, after string, limit int) ([]account.WABA, error) {
	defer w.lock()()
	if w.broken != nil {
		return nil, w.broken
	}
	var found []account.WABA
	for _, one := range w.wabas {
		if one.AccountID == id {
			found = append(found, one)
		}
	}
	if i := slices.IndexFunc(found, func(one account.WABA) bool { return one.Key == after }); i >= 0 {
		found = found[i+1:]
	}
	return found[:min(limit, len(found))], nil
}

func (w *world) waba(id, key string) (*account.WABA, error) {
	for i := range w.wabas {
		if w.wabas[i].AccountID == id && w.wabas[i].Key == key {
			return &w.wabas[i], nil
		}
	}
	return nil, errMissing
}

func (w *world) WABA(_ context.Context, id, key string) (account.WABA, []account.PhoneNumber, error) {
	defer w.lock()()
	if w.broken != nil {
		return account.WABA{}, nil, w.broken
	}
	waba, err := w.waba(id, key)
	if err != nil {
		return account.WABA{}, nil, err
	}
	var numbers []account.PhoneNumber
	for _, n := range w.numbers {
		if n.WABAKey == key {
			numbers = append(numbers, n)
		}
	}
	return *waba, numbers, nil
}

func (w *world) PhoneNumber(_ context.Context, id, key string) (account.PhoneNumber, error) {
	defer w.lock()()
	if w.broken != nil {
		return account.PhoneNumber{}, w.broken
	}
	for _, n := range w.numbers {
		if n.AccountID == id && n.Key == key {
			return n, nil
		}
	}
	return account.PhoneNumber{}, errMissing
}

func (w *world) SetDestination(_ context.Context, id, key string, d *account.Destination) error {
	defer w.lock()()
	if w.broken != nil {
		return w.broken
	}
	waba, err := w.waba(id, key)
	if err == nil {
		waba.Destination = d
	}
	return err
}

func (w *world) Tags(_ context.Context, id, arn string) ([]account.Tag, error) {
	defer w.lock()()
	tags, ok := w.tags[arn]
	if !ok || !strings.Contains(arn, id) {
		return nil, errMissing
	}
	return tags, w.broken
}

func (w *world) PutTags(_ context.Context, id, arn string, tags []account.Tag) error {
	defer w.lock()()
	old, ok := w.tags[arn]
	if !ok || !strings.Contains(arn, id) {
		return errMissing
	}
	all := slices.Clone(tags)
	for _, t := range old {
		if !slices.ContainsFunc(tags, func(n account.Tag) bool { return n.Key == t.Key }) {
			all = append(all, t)
		}
	}
	if len(all) > maxTags {
		return fault.New(fault.LimitExceeded, "too many tags")
	}
	slices.SortFunc(all, func(a, b account.Tag) int { return cmp.Compare(a.Key, b.Key) })
	w.tags[arn] = all
	return w.broken
}

func (w *world) DeleteTags(_ context.Context, id, arn string, keys []string) error {
	defer w.lock()()
	old, ok := w.tags[arn]
	if !ok || !strings.Contains(arn, id) {
		return errMissing
	}
	w.tags[arn] = slices.DeleteFunc(slices.Clone(old), func(t account.Tag) bool { return slices.Contains(keys, t.Key) })
	return w.broken
}

func (w *world) Send(_ context.Context, o message.Outbound) (string, error) {
	defer w.lock()()
	if w.broken != nil {
		return "", w.broken
	}
	for _, earlier := range w.sent {
		if o.InvocationID != "" && earlier.InvocationID == o.InvocationID {
			return earlier.ID, nil
		}
	}
	w.sent = append(w.sent, o)
	return o.ID, nil
}

// bench is a server over a world, with a client of each of two accounts.
type bench struct {
	*world
	awsapitest.Client
	stranger awsapitest.Client
}

func newBench(t testing.TB, adjust ...func(*awsapi.Options)) *bench {
	t.Helper()
	w := newWorld()
	now := func() time.Time { return startTime }
	mine, theirs := awsapitest.Key(accountID), awsapitest.Key(otherID)
	o := awsapi.Options{Region: region, Keys: awsapitest.Keys{mine, theirs}, Now: now, Logger: slog.New(slog.DiscardHandler),
		Services: []awsapi.Service{Service(w.options(now))}}
	for _, f := range adjust {
		f(&o)
	}
	client := awsapitest.Client{Handler: awsapi.New(o), Service: "social-messaging", Region: region, Key: mine, Now: now}
	b := &bench{world: w, Client: client, stranger: client}
	b.stranger.Key = theirs
	return b
}

func (w *world) options(now func() time.Time) Options {
	return Options{Accounts: w, Tags: w, Sender: w, Now: now, Pages: page.NewSealer([]byte(strings.Repeat("k", 32)), now)}
}

type object = map[string]any

const hello = `{"messaging_product":"whatsapp","to":"+14255550150","type":"text","text":{"body":"Hi"}}`

// sendBody is a request to send, with members replaced or (nil) removed.
func sendBody(changes object) object {
	body := object{"originationPhoneNumberId": phoneID, "metaApiVersion": "v20.0",
		"message": base64.StdEncoding.EncodeToString([]byte(hello))}
	for name, value := range changes {
		if value == nil {
			delete(body, name)
		} else {
			body[name] = value
		}
	}
	return body
}
