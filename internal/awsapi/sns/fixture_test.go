package sns_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	_ "crypto/sha1" // signature version 1
	_ "crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssns "github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/waxwing-messaging/waxwing/internal/awsapi"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/awsapi/sns"
	"github.com/waxwing-messaging/waxwing/internal/fanout"
	"github.com/waxwing-messaging/waxwing/internal/notify"
	"github.com/waxwing-messaging/waxwing/internal/page"
	"github.com/waxwing-messaging/waxwing/internal/secret"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite"
	"github.com/waxwing-messaging/waxwing/internal/store/sqlite/sqlitetest"
	"github.com/waxwing-messaging/waxwing/internal/topic"
)

const account = "111122223333"

// node is a whole server of topics on a real store.
type node struct {
	url    string
	store  *sqlite.DB
	topics *topic.Service
	client *awssns.Client // of account
	raw    awsapitest.Client
}

func newNode(t *testing.T) *node {
	t.Helper()
	return newNodeWith(t, nil)
}

// newNodeWith is newNode of which queues can be subscribers.
func newNodeWith(t *testing.T, queues notify.Queues) *node {
	t.Helper()
	db := sqlitetest.Open(t, sqlite.Options{Exclusive: true})
	t.Cleanup(func() { db.Close() })
	box, err := secret.OpenOrCreate(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(server.Close)
	log := slog.New(slog.DiscardHandler)
	signer := topic.NewSigner(db, box, time.Now)
	engine := fanout.New(fanout.Options{Store: db, Owner: "node", Logger: log,
		Courier: notify.New(notify.Options{Renderer: topic.NewRenderer(box, signer, topic.Links(server.URL)), Client: &http.Client{}, Queues: queues})})
	n := &node{url: server.URL, store: db, topics: topic.NewService(topic.Options{Store: db, Sealer: box, Partition: "aws", Region: "us-east-1",
		Queues: queues != nil, Wake: engine.Wake, Now: time.Now})}
	key, stranger := awsapitest.Key(account), awsapitest.Key("999999999999")
	api := awsapi.New(awsapi.Options{Region: "us-east-1", Keys: awsapitest.Keys{key, stranger}, Logger: log,
		Services: []awsapi.Service{sns.Service(sns.Options{Topics: n.topics, Pages: page.NewSealer(make([]byte, 32), time.Now)})}})
	public := sns.NewPublic(n.topics, signer, log)
	handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			public.ServeHTTP(w, r)
			return
		}
		api.ServeHTTP(w, r)
	})
	n.client = awssns.New(awssns.Options{Region: "us-east-1", BaseEndpoint: aws.String(server.URL), Retryer: awsapitest.Retryer(),
		Credentials: credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), "")})
	n.raw = awsapitest.Client{URL: server.URL, Service: "sns", Key: key}

	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- engine.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("engine: %v", err)
		}
	})
	return n
}

func (n *node) topic(t *testing.T, name string) string {
	t.Helper()
	out, err := n.client.CreateTopic(t.Context(), &awssns.CreateTopicInput{Name: &name})
	if err != nil {
		t.Fatal(err)
	}
	return *out.TopicArn
}

// subscriber is an endpoint that checks everything it receives.
type subscriber struct {
	url       string
	documents chan received
}

type received struct {
	header http.Header
	body   []byte
	fields map[string]any // nil when the body is no JSON object
}

func (r received) text(name string) string {
	s, _ := r.fields[name].(string)
	return s
}

func newSubscriber(t *testing.T) *subscriber {
	t.Helper()
	s := &subscriber{documents: make(chan received, 100)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got := received{header: r.Header, body: body}
		if json.Unmarshal(body, &got.fields) != nil {
			got.fields = nil
		}
		s.documents <- got
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *subscriber) next(t *testing.T) received {
	t.Helper()
	select {
	case r := <-s.documents:
		return r
	case <-time.After(20 * time.Second):
		t.Fatal("nothing arrived")
		return received{}
	}
}

// follow opens a link as a subscriber does.
func follow(t *testing.T, link string) (status int, body string) {
	t.Helper()
	resp, err := http.Get(link)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// verify checks a document's signature from nothing but the document and SNS's public description of it: fetch the
// certificate, take the listed keys in byte order, each name and value on a line, and check RSA PKCS#1 v1.5 with SHA-1 or SHA-256.
func verify(t *testing.T, r received) {
	t.Helper()
	names := []string{"Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"}
	if r.text("Type") != "Notification" {
		names = []string{"Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"}
	}
	sort.Strings(names)
	var text strings.Builder
	for _, name := range names {
		if value, ok := r.fields[name]; ok {
			fmt.Fprintf(&text, "%s\n%s\n", name, value)
		}
	}
	hash := map[string]crypto.Hash{"1": crypto.SHA1, "2": crypto.SHA256}[r.text("SignatureVersion")]
	if hash == 0 {
		t.Fatalf("unknown signature version in %s", r.body)
	}
	status, certificate := follow(t, r.text("SigningCertURL"))
	block, _ := pem.Decode([]byte(certificate))
	if status != 200 || block == nil {
		t.Fatalf("certificate at %s: %d %s", r.text("SigningCertURL"), status, certificate)
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(r.text("Signature"))
	if err != nil {
		t.Fatal(err)
	}
	h := hash.New()
	h.Write([]byte(text.String()))
	if err := rsa.VerifyPKCS1v15(cert.PublicKey.(*rsa.PublicKey), hash, h.Sum(nil), signature); err != nil {
		t.Errorf("signature of %s: %v", r.body, err)
	}
}

// newPublic is the handler of links on an empty store.
func newPublic(t testing.TB) http.Handler {
	t.Helper()
	db := sqlitetest.Open(t, sqlite.Options{})
	t.Cleanup(func() { db.Close() })
	box, err := secret.OpenOrCreate(filepath.Join(t.TempDir(), "key"))
	if err != nil {
		t.Fatal(err)
	}
	topics := topic.NewService(topic.Options{Store: db, Sealer: box, Partition: "aws", Region: "us-east-1", Wake: func(...int64) {}, Now: time.Now})
	return sns.NewPublic(topics, topic.NewSigner(db, box, time.Now), slog.New(slog.DiscardHandler))
}
