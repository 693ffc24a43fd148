package kms

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const (
	account = "000000000000"
	keyARN  = "arn:aws:kms:us-east-1:000000000000:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	alias   = "arn:aws:kms:us-east-1:000000000000:alias/flows"
	secret  = "a-secret-that-nobody-may-see"
)

// newServer answers as KMS does: JSON 1.1, the operation in a header, and errors that name their type.
func newServer(t *testing.T, answer func(keyID string) (status int, body any)) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ KeyId string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			t.Error(err)
		}
		if got := r.Header.Get("X-Amz-Target"); got != "TrentService.GetPublicKey" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
			t.Errorf("asked for %s with %s", got, r.Header.Get("Content-Type"))
		}
		if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "AKIATEST/") || !strings.Contains(auth, "/us-east-1/kms/aws4_request") {
			t.Errorf("signed %s", auth)
		}
		status, body := answer(in.KeyId)
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}))
	t.Cleanup(server.Close)
	return New(Options{Endpoint: server.URL, Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", secret, "")})
}

type object map[string]any

func key(t *testing.T) (der []byte) {
	t.Helper()
	pair, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	if der, err = x509.MarshalPKIXPublicKey(&pair.PublicKey); err != nil {
		t.Fatal(err)
	}
	return der
}

func TestPublicKey(t *testing.T) {
	t.Parallel()
	der := key(t)
	for _, arn := range []string{keyARN, alias} {
		c := newServer(t, func(keyID string) (int, any) {
			if keyID != arn {
				t.Errorf("asked for %s", keyID)
			}
			return http.StatusOK, object{"KeyId": keyARN, "PublicKey": base64.StdEncoding.EncodeToString(der), "KeySpec": "RSA_2048",
				"CustomerMasterKeySpec": "RSA_2048", "KeyUsage": "ENCRYPT_DECRYPT", "EncryptionAlgorithms": []string{"RSAES_OAEP_SHA_1", "RSAES_OAEP_SHA_256"}}
		})
		got, err := c.PublicKey(t.Context(), account, arn)
		if err != nil {
			t.Fatal(err)
		}
		if block, rest := pem.Decode([]byte(got)); block == nil || block.Type != "PUBLIC KEY" || string(block.Bytes) != string(der) || len(rest) > 0 {
			t.Errorf("%s: got %s", arn, got)
		}
	}
}

func TestUnsuitableKeys(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ spec, usage, text string }{
		"for signatures":      {"RSA_2048", "SIGN_VERIFY", "ENCRYPT_DECRYPT"},
		"for key agreement":   {"ECC_NIST_P256", "KEY_AGREEMENT", "KEY_AGREEMENT"},
		"too long":            {"RSA_4096", "ENCRYPT_DECRYPT", "RSA_4096"},
		"of another kind":     {"SM2", "ENCRYPT_DECRYPT", "SM2"},
		"says nothing of use": {"", "", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newServer(t, func(string) (int, any) {
				return http.StatusOK, object{"KeyId": keyARN, "PublicKey": "AAAA", "KeySpec": tc.spec, "KeyUsage": tc.usage}
			})
			_, err := c.PublicKey(t.Context(), account, keyARN)
			if !fault.Is(err, fault.InvalidParameters) || !strings.Contains(err.Error(), tc.text) {
				t.Errorf("error = %v", err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		code   string
		kind   fault.Kind
		text   string
	}{
		{"unknown", 400, "NotFoundException", fault.NotFound, "does not exist"},
		{"not allowed", 400, "AccessDeniedException", fault.AccessDenied, "kms:GetPublicKey"},
		{"bad credentials", 400, "UnrecognizedClientException", fault.AccessDenied, "credentials"},
		{"disabled", 400, "DisabledException", fault.InvalidParameters, "disabled"},
		{"about to be deleted", 400, "KMSInvalidStateException", fault.InvalidParameters, "state"},
		{"symmetric", 400, "UnsupportedOperationException", fault.InvalidParameters, "RSA_2048"},
		{"used for something else", 400, "InvalidKeyUsageException", fault.InvalidParameters, "ENCRYPT_DECRYPT"},
		{"odd ARN", 400, "InvalidArnException", fault.InvalidParameters, "understands"},
		{"too many", 400, "ThrottlingException", fault.Throttled, "no more"},
		{"not available", 500, "KeyUnavailableException", fault.Dependency, "KeyUnavailableException"},
		{"slow", 503, "DependencyTimeoutException", fault.Dependency, "DependencyTimeoutException"},
		{"broken", 500, "KMSInternalException", fault.Dependency, "KMSInternalException"},
		{"what nobody knows", 400, "SomethingNewException", fault.Dependency, "SomethingNewException"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			c := newServer(t, func(string) (int, any) { return tc.status, object{"__type": tc.code, "message": "because"} })
			_, err := c.PublicKey(t.Context(), account, keyARN)
			if got := fault.KindOf(err); got != tc.kind || !strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), secret) {
				t.Errorf("%s: %v", got, err)
			}
		})
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	c := New(Options{Endpoint: "http://127.0.0.1:1", Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIATEST", secret, ""),
		HTTPClient: &http.Client{Transport: broken{}}})
	if _, err := c.PublicKey(t.Context(), account, keyARN); !fault.Is(err, fault.Dependency) {
		t.Errorf("error = %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.PublicKey(ctx, account, keyARN); !fault.Is(err, fault.Dependency) {
		t.Errorf("when nobody waits any more: %v", err)
	}
}

type broken struct{}

func (broken) RoundTrip(*http.Request) (*http.Response, error) { return nil, fmt.Errorf("no route") }

// KMS is not asked for what is not the caller's.
func TestForeignKeys(t *testing.T) {
	t.Parallel()
	c := newServer(t, func(keyID string) (int, any) {
		t.Errorf("asked for %s", keyID)
		return http.StatusBadRequest, object{"__type": "NotFoundException"}
	})
	for arn, kind := range map[string]fault.Kind{
		"arn:aws:kms:us-east-1:111122223333:key/1": fault.AccessDenied,
		"arn:aws:kms:eu-west-1:000000000000:key/1": fault.InvalidParameters,
		"arn:aws:s3:us-east-1:000000000000:key/1":  fault.InvalidParameters,
		"alias/flows": fault.InvalidParameters,
	} {
		if _, err := c.PublicKey(t.Context(), account, arn); fault.KindOf(err) != kind {
			t.Errorf("%s: %v, want %s", arn, err, kind)
		}
	}
}
