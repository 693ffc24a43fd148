// Package awsapitest helps tests call the front door the way SDKs do: it signs raw requests with AWS's own signer.
package awsapitest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Keys is a fixed set of access keys. It implements sigv4.Keys.
type Keys []identity.AccessKey

// AccessKey looks a key up.
func (k Keys) AccessKey(_ context.Context, id string) (identity.AccessKey, error) {
	for _, key := range k {
		if key.ID == id {
			return key, nil
		}
	}
	return identity.AccessKey{}, fault.New(fault.NotFound, "no such access key")
}

// Key returns an active key of an administrator of an account.
func Key(accountID string) identity.AccessKey {
	return identity.AccessKey{ID: "AKIATEST" + accountID, Secret: identity.Secret("secret-of-" + accountID), Active: true,
		User: identity.User{ID: "AIDATEST" + accountID, AccountID: accountID, Name: "admin", Path: "/"}}
}

// Client signs and sends requests. Fill in URL for a server, or Handler to call one without a network.
type Client struct {
	URL     string // e.g. http://127.0.0.1:7766
	Handler http.Handler
	HTTP    *http.Client // default: one with a time-out of 30 seconds
	Service string       // signing name
	Region  string       // default us-east-1
	Key     identity.AccessKey
	Now     func() time.Time // default time.Now
	Header  http.Header      // sent, and signed, with every request
}

// Response is a whole answer.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// Code returns the code of a JSON error, or "".
func (r *Response) Code() string {
	if code := r.Header.Get("X-Amzn-Errortype"); code != "" {
		return code
	}
	var body struct {
		Type string `json:"__type"`
	}
	if json.Unmarshal(r.Body, &body) != nil {
		return ""
	}
	return body.Type
}

// Message returns the text of a JSON error, or "".
func (r *Response) Message() string {
	var body struct{ Message string }
	if json.Unmarshal(r.Body, &body) != nil {
		return ""
	}
	return body.Message
}

// JSON unmarshals the body.
func (r *Response) JSON(t testing.TB, into any) {
	t.Helper()
	if err := json.Unmarshal(r.Body, into); err != nil {
		t.Fatalf("body %q: %v", r.Body, err)
	}
}

// Do calls an operation. Body may be nil, bytes, a string, url.Values (a form), or anything to be sent as JSON. It fails the
// test when there is no answer at all.
func (c *Client) Do(t testing.TB, method, path string, body any) *Response {
	t.Helper()
	return c.Send(t, c.Request(t, method, path, body))
}

// Request makes a signed request, for tests that tamper with it before they Send it.
func (c *Client) Request(t testing.TB, method, path string, body any) *http.Request {
	t.Helper()
	raw, contentType := encode(t, body)
	base := c.URL
	if base == "" {
		base = "http://waxwing.test"
	}
	req, err := http.NewRequestWithContext(t.Context(), method, base+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range c.Header {
		req.Header[name] = values
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	c.Sign(t, req, raw)
	return req
}

// Sign signs a request with the client's key.
func (c *Client) Sign(t testing.TB, req *http.Request, body []byte) {
	t.Helper()
	region, now := c.Region, time.Now
	if region == "" {
		region = "us-east-1"
	}
	if c.Now != nil {
		now = c.Now
	}
	hash := sha256.Sum256(body)
	credentials := aws.Credentials{AccessKeyID: c.Key.ID, SecretAccessKey: c.Key.Secret.Reveal()}
	err := v4.NewSigner().SignHTTP(t.Context(), credentials, req, hex.EncodeToString(hash[:]), c.Service, region, now())
	if err != nil {
		t.Fatal(err)
	}
}

// Send sends a request as it is.
func (c *Client) Send(t testing.TB, req *http.Request) *Response {
	t.Helper()
	if c.Handler != nil {
		recorder := httptest.NewRecorder()
		req.RemoteAddr = "192.0.2.1:1234"
		c.Handler.ServeHTTP(recorder, req)
		return &Response{recorder.Code, recorder.Header(), recorder.Body.Bytes()}
	}
	client := c.HTTP
	if client == nil {
		client = &http.Client{Timeout: 30 * time.Second}
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return &Response{resp.StatusCode, resp.Header, raw}
}

func encode(t testing.TB, body any) (raw []byte, contentType string) {
	t.Helper()
	switch b := body.(type) {
	case nil:
		return nil, ""
	case []byte:
		return b, "application/json"
	case string:
		return []byte(b), "application/json"
	case url.Values:
		return []byte(b.Encode()), "application/x-www-form-urlencoded; charset=utf-8"
	}
	raw, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	return raw, "application/json"
}
