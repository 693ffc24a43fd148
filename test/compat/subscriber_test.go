package compat

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // signature version 1
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// notification is a document that a topic's HTTP subscriber receives.
type notification struct {
	Type, MessageId, TopicArn, Message, Timestamp string
	Subject, Token, SubscribeURL, UnsubscribeURL  string
	SignatureVersion, Signature, SigningCertURL   string
}

// subscriber is an HTTP endpoint that checks every signature as SNS's documentation tells subscribers to, follows the link of a
// confirmation, and keeps the rest.
type subscriber struct {
	url string

	mu       sync.Mutex
	received []notification
}

func subscribe(t *testing.T) *subscriber {
	t.Helper()
	s := &subscriber{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.take(r); err != nil {
			t.Error(err)
			http.Error(w, err.Error(), http.StatusBadRequest)
		}
	}))
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *subscriber) take(r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	var n notification
	if err := json.Unmarshal(body, &n); err != nil {
		return fmt.Errorf("subscriber received %q: %w", body, err)
	}
	if got := r.Header.Get("X-Amz-Sns-Message-Type"); got != n.Type || n.Type == "" {
		return fmt.Errorf("header says %q, document says %q", got, n.Type)
	}
	if err := n.verify(); err != nil {
		return fmt.Errorf("signature of %s: %w", n.Type, err)
	}
	if n.Type == "SubscriptionConfirmation" {
		resp, err := client.Get(n.SubscribeURL)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("confirming: %s", resp.Status)
		}
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.received = append(s.received, n)
	return nil
}

// find returns the first notification whose message has every text.
func (s *subscriber) find(texts ...string) (notification, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
search:
	for _, n := range s.received {
		for _, text := range texts {
			if !strings.Contains(n.Message, text) {
				continue search
			}
		}
		return n, true
	}
	return notification{}, false
}

// verify checks the signature with the certificate the document names.
func (n *notification) verify() error {
	resp, err := client.Get(n.SigningCertURL)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	block, _ := pem.Decode(raw)
	if block == nil {
		return fmt.Errorf("no certificate at %s: %s", n.SigningCertURL, resp.Status)
	}
	certificate, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return err
	}
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("the certificate's key is not RSA")
	}
	signature, err := base64.StdEncoding.DecodeString(n.Signature)
	if err != nil {
		return err
	}
	text := n.signed()
	switch n.SignatureVersion {
	case "1":
		sum := sha1.Sum([]byte(text)) //nolint:gosec // as subscribers do
		return rsa.VerifyPKCS1v15(key, crypto.SHA1, sum[:], signature)
	case "2":
		sum := sha256.Sum256([]byte(text))
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], signature)
	}
	return fmt.Errorf("signature version %q", n.SignatureVersion)
}

// signed is the text under the signature: some members, ordered by name, each name and value on a line of its own.
func (n *notification) signed() string {
	var b strings.Builder
	for _, m := range [][2]string{{"Message", n.Message}, {"MessageId", n.MessageId}, {"Subject", n.Subject}, {"SubscribeURL", n.SubscribeURL},
		{"Timestamp", n.Timestamp}, {"Token", n.Token}, {"TopicArn", n.TopicArn}, {"Type", n.Type}} {
		if m[1] != "" {
			b.WriteString(m[0] + "\n" + m[1] + "\n")
		}
	}
	return b.String()
}
