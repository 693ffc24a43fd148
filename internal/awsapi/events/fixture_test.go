package events_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/events"
	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/destination/target"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/page"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
)

const owner = "111122223333"

// node is a whole event bus on a real store.
type node struct {
	*eventbridge.Client // of owner
	stranger            *eventbridge.Client
	raw                 awsapitest.Client
	db                  *sqlite.DB
}

func newNode(t *testing.T) *node {
	t.Helper()
	db := sqlitetest.Open(t, sqlite.Options{Exclusive: true})
	t.Cleanup(func() { db.Close() })
	box, err := secret.OpenOrCreate(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	var engine *fanout.Engine
	service := bus.NewService(bus.Options{Store: db, Sealer: box, Scope: account.Scope{Partition: "aws", Region: "us-east-1"}, PlainHTTP: true, Queues: true,
		Wake: func(keys ...int64) { engine.Wake(keys...) }, NewID: uuid.NewString, Now: time.Now})
	engine = fanout.New(fanout.Options{Store: db, Owner: "node", Logger: log,
		Courier: target.New(target.Options{Opener: box, Calls: service, Client: &http.Client{}})})
	key, other := awsapitest.Key(owner), awsapitest.Key("999999999999")
	server := httptest.NewServer(awsapi.New(awsapi.Options{Region: "us-east-1", Keys: awsapitest.Keys{key, other}, Logger: log,
		Services: []awsapi.Service{events.Service(events.Options{Bus: service, Pages: page.NewSealer(make([]byte, 32), time.Now)})}}))
	t.Cleanup(server.Close)
	client := func(id, secret string) *eventbridge.Client {
		return eventbridge.New(eventbridge.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Retryer: awsapitest.Retryer(),
			Credentials: credentials.NewStaticCredentialsProvider(id, secret, "")})
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("engine: %v", err)
		}
	})
	return &node{client(key.ID, key.Secret.Reveal()), client(other.ID, other.Secret.Reveal()),
		awsapitest.Client{URL: server.URL, Service: "events", Key: key, Header: http.Header{}}, db}
}

// ok fails the test when an operation did.
func ok[T any](t *testing.T) func(T, error) T {
	return func(out T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// refused checks an error's code and text.
func refused(t *testing.T, what string, err error, code, text string) {
	t.Helper()
	api, ok := errors.AsType[smithy.APIError](err)
	if !ok || api.ErrorCode() != code || api.ErrorMessage() != text {
		t.Errorf("%s: %v, want %s: %s", what, err, code, text)
	}
}

const (
	anything = `{"source":[{"prefix":""}]}`
	orders   = "arn:aws:sns:us-east-1:" + owner + ":orders"
)

func (n *node) rule(t *testing.T, name string) string {
	t.Helper()
	return *ok[*eventbridge.PutRuleOutput](t)(n.PutRule(t.Context(), &eventbridge.PutRuleInput{Name: &name, EventPattern: aws.String(anything)})).RuleArn
}

func (n *node) targets(t *testing.T, rule string, targets ...types.Target) {
	t.Helper()
	out := ok[*eventbridge.PutTargetsOutput](t)(n.PutTargets(t.Context(), &eventbridge.PutTargetsInput{Rule: &rule, Targets: targets}))
	if out.FailedEntryCount != 0 || len(out.FailedEntries) != 0 {
		t.Errorf("failed %+v", out)
	}
}

// received is a request as an endpoint sees it.
type received struct {
	header http.Header
	body   string
}

// endpoint is a server that passes on what it receives.
func endpoint(t *testing.T) (url string, requests <-chan received) {
	t.Helper()
	all := make(chan received, 100)
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		all <- received{r.Header, string(body)}
	}))
	t.Cleanup(s.Close)
	return s.URL, all
}

func next(t *testing.T, requests <-chan received) received {
	t.Helper()
	select {
	case r := <-requests:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
		return received{}
	}
}
