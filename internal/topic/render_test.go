package topic

import (
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// gcm is a real sealer with a fixed key and nonce: good for one test, for nothing else.
type gcm struct{ cipher.AEAD }

func newSealer(t testing.TB) Sealer {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return gcm{aead}
}

func (g gcm) Seal(plaintext, associated []byte) ([]byte, error) {
	return g.AEAD.Seal(nil, make([]byte, 12), plaintext, associated), nil
}

func (g gcm) Open(sealed, associated []byte) ([]byte, error) {
	return g.AEAD.Open(nil, make([]byte, 12), sealed, associated)
}

// memory keeps settings for a test.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	inits  int
}

func (m *memory) Setting(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.values[name], nil
}

func (m *memory) InitSetting(_ context.Context, name string, sealed []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inits++
	if have, ok := m.values[name]; ok {
		return have, nil
	}
	if m.values == nil {
		m.values = map[string][]byte{}
	}
	m.values[name] = sealed
	return sealed, nil
}

// parsed is a document as a subscriber reads it.
type parsed struct {
	Type, MessageID, Token, TopicARN, Subject, Message, SubscribeURL, Timestamp string
	SignatureVersion, Signature, SigningCertURL, UnsubscribeURL                 string
	MessageAttributes                                                           map[string]struct{ Type, Value string }
}

func parseDocument(t testing.TB, b []byte) parsed {
	t.Helper()
	var p parsed
	if err := json.Unmarshal(b, &p); err != nil {
		t.Fatalf("document %s: %v", b, err)
	}
	return p
}

// text builds the signed text the way the public documentation of SNS describes it to subscribers.
func (p parsed) text() string {
	var b strings.Builder
	pair := func(k, v string) { fmt.Fprintf(&b, "%s\n%s\n", k, v) }
	pair("Message", p.Message)
	pair("MessageId", p.MessageID)
	if p.Type == "Notification" {
		if p.Subject != "" {
			pair("Subject", p.Subject)
		}
		pair("Timestamp", p.Timestamp)
	} else {
		pair("SubscribeURL", p.SubscribeURL)
		pair("Timestamp", p.Timestamp)
		pair("Token", p.Token)
	}
	pair("TopicArn", p.TopicARN)
	pair("Type", p.Type)
	return b.String()
}

func (p parsed) verify(t *testing.T, signer *Signer) {
	t.Helper()
	id := strings.TrimSuffix(strings.TrimPrefix(p.SigningCertURL, "https://sns.example/SimpleNotificationService-"), ".pem")
	certificate, err := signer.Certificate(t.Context(), id)
	if err != nil || certificate == nil {
		t.Fatalf("no certificate at %s: %v", p.SigningCertURL, err)
	}
	block, _ := pem.Decode(certificate)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := base64.StdEncoding.DecodeString(p.Signature)
	if err != nil {
		t.Fatal(err)
	}
	key := cert.PublicKey.(*rsa.PublicKey)
	if p.SignatureVersion == "2" {
		sum := sha256.Sum256([]byte(p.text()))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	} else {
		sum := sha1.Sum([]byte(p.text()))
		err = rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	}
	if err != nil {
		t.Errorf("signature of %+v: %v", p, err)
	}
}

func TestRender(t *testing.T) {
	t.Parallel()
	sealer := newSealer(t)
	signer := NewSigner(&memory{}, sealer, time.Now)
	r := NewRenderer(sealer, signer, "https://sns.example")
	const arn = "arn:aws:sns:us-east-1:000000000000:orders"
	subscription := Subscription{ARN: arn + ":0a1b2c3d-0000-4000-8000-0123456789ab", TopicARN: arn, Protocol: HTTPS}
	at := time.Date(2026, 11, 23, 12, 0, 0, 123_456_000, time.UTC)
	unsubscribe := "https://sns.example/?Action=Unsubscribe&SubscriptionArn=" + subscription.ARN
	for _, tc := range []struct {
		name    string
		m       Message
		version string
		want    parsed
	}{
		{"notification", Message{Body: []byte("{\"a\":\"<é>\\\"\"}\n\t\x01")}, "1",
			parsed{Type: "Notification", Message: "{\"a\":\"<é>\\\"\"}\n\t\x01", SignatureVersion: "1", UnsubscribeURL: unsubscribe}},
		{"version 2 with subject and attributes", Message{Body: []byte("b"), Subject: "S", Attributes: []Attribute{
			{Name: "s", Type: "String", String: `"x"`}, {Name: "b", Type: "Binary", Binary: []byte{255}}}}, "2",
			parsed{Type: "Notification", Message: "b", Subject: "S", SignatureVersion: "2", UnsubscribeURL: unsubscribe,
				MessageAttributes: map[string]struct{ Type, Value string }{"s": {"String", `"x"`}, "b": {"Binary", "/w=="}}}},
		{"body for the protocol", Message{Body: []byte("default"), Variants: map[string][]byte{"https": []byte("mine")}}, "1",
			parsed{Type: "Notification", Message: "mine", SignatureVersion: "1", UnsubscribeURL: unsubscribe}},
		{"confirmation", Message{Kind: SubscriptionConfirmation, Body: []byte("please"), Token: "tok"}, "2",
			parsed{Type: "SubscriptionConfirmation", Message: "please", Token: "tok", SignatureVersion: "2",
				SubscribeURL: "https://sns.example/?Action=ConfirmSubscription&TopicArn=" + arn + "&Token=tok"}},
		{"farewell of a deleted topic", Message{Kind: UnsubscribeConfirmation, Body: []byte("bye"), Token: "tok"}, "",
			parsed{Type: "UnsubscribeConfirmation", Message: "bye", Token: "tok", SignatureVersion: "1",
				SubscribeURL: "https://sns.example/?Action=ConfirmSubscription&TopicArn=" + arn + "&Token=tok"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tc.m.ID, tc.m.PublishedAt = newUUID(), at
			record, err := seal(sealer, &tc.m)
			if err != nil {
				t.Fatal(err)
			}
			sub := &Subscriber{subscription, tc.version}
			body, _, err := r.Render(t.Context(), record, sub)
			if err != nil {
				t.Fatal(err)
			}
			got := parseDocument(t, body)
			got.verify(t, signer)
			tc.want.MessageID, tc.want.TopicARN, tc.want.Timestamp = tc.m.ID, arn, "2026-11-23T12:00:00.123Z"
			tc.want.Signature, tc.want.SigningCertURL = got.Signature, got.SigningCertURL
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			again, _, err := r.Render(t.Context(), record, sub)
			if err != nil || string(again) != string(body) {
				t.Errorf("rendered again: %v\n%s", err, again)
			}
		})
	}
}

// An event has one id wherever and however often it is published. Each of its documents has a signature of its own.
func TestRenderSignsWhatItSends(t *testing.T) {
	t.Parallel()
	sealer := newSealer(t)
	signer := NewSigner(&memory{}, sealer, time.Now)
	r := NewRenderer(sealer, signer, "https://sns.example")
	const one, two = "arn:aws:sns:us-east-1:000000000000:one", "arn:aws:sns:us-east-1:000000000000:two"
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	id := newUUID()
	for _, tc := range []struct {
		name, topic, body string
		at                time.Time
	}{
		{"first", one, "x", at},
		{"to another topic", two, "x", at},
		{"published again", one, "x", at.Add(time.Minute)},
		{"made anew", one, "y", at},
	} {
		record, err := seal(sealer, &Message{ID: id, Body: []byte(tc.body), PublishedAt: tc.at})
		if err != nil {
			t.Fatal(err)
		}
		body, _, err := r.Render(t.Context(), record, &Subscriber{Subscription{ARN: tc.topic + ":0a1b2c3d-0000-4000-8000-0123456789ab", TopicARN: tc.topic, Protocol: HTTPS}, "2"})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(tc.name)
		parseDocument(t, body).verify(t, signer)
	}
}

// The layout is the one SNS documents, for consumers that look at the text.
func TestDocumentLayout(t *testing.T) {
	t.Parallel()
	m := Message{ID: "id", Subject: "S", Body: []byte("B"), PublishedAt: time.Unix(0, 0), Attributes: []Attribute{{Name: "a", Type: "String", String: "x"}}}
	d := document{message: &m, body: m.Body, topicARN: "arn", version: "1", signature: "sig", certificate: "cert", link: "bye"}
	const want = `{
  "Type" : "Notification",
  "MessageId" : "id",
  "TopicArn" : "arn",
  "Subject" : "S",
  "Message" : "B",
  "Timestamp" : "1970-01-01T00:00:00.000Z",
  "SignatureVersion" : "1",
  "Signature" : "sig",
  "SigningCertURL" : "cert",
  "UnsubscribeURL" : "bye",
  "MessageAttributes" : {
    "a" : {"Type":"String","Value":"x"}
  }
}`
	if diff := cmp.Diff(want, string(d.append(nil))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A raw delivery is the bare message, and making one needs no key.
func TestRenderRawSignsNothing(t *testing.T) {
	t.Parallel()
	sealer, store := newSealer(t), &memory{}
	r := NewRenderer(sealer, NewSigner(store, sealer, time.Now), "https://sns.example")
	m := Message{ID: newUUID(), Body: []byte(`{"x":1}`)}
	record, err := seal(sealer, &m)
	if err != nil {
		t.Fatal(err)
	}
	body, _, err := r.Render(t.Context(), record, &Subscriber{Subscription{Raw: true, Protocol: HTTP}, "1"})
	if err != nil || string(body) != `{"x":1}` {
		t.Errorf("raw body = %q, %v", body, err)
	}
	if store.inits != 0 {
		t.Error("a signing key was made")
	}
}

func TestRenderUnreadable(t *testing.T) {
	t.Parallel()
	sealer := newSealer(t)
	r := NewRenderer(sealer, NewSigner(&memory{}, sealer, time.Now), "")
	other, err := seal(sealer, &Message{ID: "one", Body: []byte("x")})
	if err != nil {
		t.Fatal(err)
	}
	other.ID = "two" // a row that was moved to another id does not open
	if _, _, err := r.Render(t.Context(), other, &Subscriber{Subscription{Raw: true}, "1"}); !Unreadable(err) {
		t.Errorf("error = %v, want one that says the message is unreadable", err)
	}
}

// Nodes that need a key at the same time end up with the same one, and keep it over restarts.
func TestSignerKeyIsShared(t *testing.T) {
	t.Parallel()
	sealer, store := newSealer(t), &memory{}
	ids := make([]string, 3)
	var wg sync.WaitGroup
	for i := range ids {
		wg.Go(func() {
			c, err := NewSigner(store, sealer, time.Now).credentials(t.Context(), true)
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = c.id
		})
	}
	wg.Wait()
	if ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("nodes sign with keys %q", ids)
	}
	if pem, err := NewSigner(&memory{}, sealer, time.Now).Certificate(t.Context(), ids[0]); pem != nil || err != nil {
		t.Errorf("a fresh installation serves %q, %v", pem, err)
	}
	if strings.Contains(string(store.values[signingKeySetting]), "PRIVATE KEY") {
		t.Error("the key is stored in the clear")
	}
}

// A message is signed once, however many ask at once.
func TestSignaturesAreShared(t *testing.T) {
	t.Parallel()
	s := signatures{byKey: make(map[signatureKey]*signature)}
	var mu sync.Mutex
	calls := 0
	sign := func() (string, error) {
		mu.Lock()
		defer mu.Unlock()
		calls++
		return "signed", nil
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if got, err := s.get(signatureKey{version: "1"}, sign); got != "signed" || err != nil {
				t.Errorf("get = %q, %v", got, err)
			}
		})
	}
	wg.Wait()
	if calls != 1 {
		t.Errorf("signed %d times, want once", calls)
	}
	for i := range 3 * len(s.ring) {
		s.get(signatureKey{version: fmt.Sprint(i)}, sign) //nolint:errcheck // sign cannot fail
	}
	if len(s.byKey) > len(s.ring) {
		t.Errorf("%d signatures are remembered, want at most %d", len(s.byKey), len(s.ring))
	}
}

func BenchmarkSign(b *testing.B) {
	sealer := newSealer(b)
	c, err := NewSigner(&memory{}, sealer, time.Now).credentials(b.Context(), true)
	if err != nil {
		b.Fatal(err)
	}
	text := make([]byte, 1500)
	for b.Loop() {
		if _, err := c.sign(SHA1, text); err != nil {
			b.Fatal(err)
		}
	}
}
