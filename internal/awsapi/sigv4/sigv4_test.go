package sigv4

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

var (
	now    = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)
	secret = identity.Secret("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
	known  = keys{
		"AKIDEXAMPLE": {ID: "AKIDEXAMPLE", Secret: secret, Active: true},
		"AKIDRETIRED": {ID: "AKIDRETIRED", Secret: secret},
	}
	messaging = Service{Name: "social-messaging", Regions: []string{"us-east-1"}}
)

type keys map[string]identity.AccessKey

var errStore = errors.New("the store is down")

func (k keys) AccessKey(_ context.Context, id string) (identity.AccessKey, error) {
	if id == "AKIDBROKEN" {
		return identity.AccessKey{}, errStore
	}
	key, ok := k[id]
	if !ok {
		return key, fault.New(fault.NotFound, "no such key")
	}
	return key, nil
}

func verifier() *Verifier { return New(known, 0, func() time.Time { return now }) }

// verify takes a request through all three steps.
func verify(v *Verifier, r *http.Request, s *Service) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	claim := Parse(r)
	key, err := v.Identify(r.Context(), r, &claim, s)
	if err != nil {
		return err
	}
	return v.Verify(r, &claim, key, s, body)
}

// request makes a server's view of a request.
func request(method, target, body string) *http.Request {
	r := httptest.NewRequest(method, "http://example.amazonaws.com"+target, strings.NewReader(body))
	r.Header.Del("User-Agent")
	return r
}

// sign4 signs with AWS's own signer.
func sign4(t testing.TB, r *http.Request, body string, o ...func(*signing)) *http.Request {
	t.Helper()
	s := signing{id: "AKIDEXAMPLE", secret: secret.Reveal(), region: "us-east-1", service: "social-messaging", at: now}
	for _, f := range o {
		f(&s)
	}
	sum := sha256.Sum256([]byte(body))
	credentials := aws.Credentials{AccessKeyID: s.id, SecretAccessKey: s.secret, SessionToken: s.token}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, hex.EncodeToString(sum[:]), s.service, s.region, s.at); err != nil {
		t.Fatal(err)
	}
	return r
}

type signing struct {
	id, secret, token, region, service string
	at                                 time.Time
}

func TestAcceptsWhatTheRealSignerSigns(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, method, target, body string
		header                     http.Header
	}{
		{name: "get", method: "GET", target: "/"},
		{name: "get with path", method: "GET", target: "/v1/whatsapp/waba/list"},
		{name: "get with trailing slash", method: "GET", target: "/v1/"},
		{name: "get with query", method: "GET", target: "/?a=1"},
		{name: "query out of order", method: "GET", target: "/?b=2&a=1"},
		{name: "query with repeated name", method: "GET", target: "/?a=2&a=1"},
		{name: "query with name that starts another", method: "GET", target: "/?aa=1&a=2&a-b=3"},
		{name: "query with empty value", method: "GET", target: "/?a=&b=1"},
		{name: "query with ARN", method: "GET", target: "/?id=arn%3Aaws%3Asocial-messaging%3Aus-east-1%3A0%3Awaba%2Fx"},
		{name: "query with space", method: "GET", target: "/?a=b%20c&d=e+f"},
		{name: "query with UTF-8", method: "GET", target: "/?%E1%88%B4=%C3%BC"},
		{name: "query with unreserved", method: "GET", target: "/?-._~0aZ=-._~0aZ"},
		{name: "query with reserved", method: "GET", target: "/?q=%21%23%24%26%27%28%29%2A%2B%2C%2F%3A%3B%3D%3F%40%5B%5D"},
		{name: "path with space", method: "GET", target: "/a%20b/c"},
		{name: "path with UTF-8", method: "GET", target: "/%E1%88%B4"},
		{name: "path with reserved", method: "GET", target: "/a:b/c=d/e+f/g,h@i!j$k'l(m)n*o"},
		{name: "path with escaped slash", method: "GET", target: "/a%2Fb"},
		{name: "post", method: "POST", target: "/", body: "{}"},
		{name: "post with nothing", method: "POST", target: "/"},
		{name: "post of bytes", method: "POST", target: "/", body: "\x00\xff\n"},
		{name: "put", method: "PUT", target: "/x", body: "{}"},
		{name: "delete", method: "DELETE", target: "/x?id=1"},
		{name: "head", method: "HEAD", target: "/"},
		{name: "header with spaces", method: "GET", target: "/", header: http.Header{"X-Amz-Meta": {"  a   b  c "}}},
		{name: "header with repeats", method: "GET", target: "/", header: http.Header{"X-Amz-Meta": {"b", "a", "c"}}},
		{name: "header with empty value", method: "GET", target: "/", header: http.Header{"X-Amz-Meta": {""}}},
		{name: "content type", method: "POST", target: "/", body: "a=b", header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf8"}}},
		{name: "stated payload hash", method: "POST", target: "/", body: "{}",
			header: http.Header{"X-Amz-Content-Sha256": {"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			header := func(r *http.Request) *http.Request {
				for name, values := range tc.header {
					r.Header[name] = values
				}
				return r
			}
			r := sign4(t, header(request(tc.method, tc.target, tc.body)), tc.body)
			if err := verify(verifier(), r, &messaging); err != nil {
				t.Errorf("signed in the header: %v", err)
			}

			// The same, presigned.
			r = header(request(tc.method, tc.target, tc.body))
			q := r.URL.Query()
			q.Set("X-Amz-Expires", "60")
			r.URL.RawQuery = q.Encode()
			sum := sha256.Sum256([]byte(tc.body))
			uri, signed, err := v4.NewSigner().PresignHTTP(t.Context(), aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret.Reveal()},
				r, hex.EncodeToString(sum[:]), "social-messaging", "us-east-1", now)
			if err != nil {
				t.Fatal(err)
			}
			p := httptest.NewRequest(tc.method, uri, strings.NewReader(tc.body))
			for name, values := range signed {
				if name != "Host" {
					p.Header[name] = values
				}
			}
			if err := verify(verifier(), p, &messaging); err != nil {
				t.Errorf("presigned: %v", err)
			}
		})
	}
}

// Any change to what was signed is noticed.
func TestNoticesTampering(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		change func(*http.Request)
	}{
		{"method", func(r *http.Request) { r.Method = "PUT" }},
		{"path", func(r *http.Request) { r.URL.Path = "/v2" }},
		{"query value", func(r *http.Request) { r.URL.RawQuery = "a=2" }},
		{"query added", func(r *http.Request) { r.URL.RawQuery += "&b=2" }},
		{"query removed", func(r *http.Request) { r.URL.RawQuery = "" }},
		{"host", func(r *http.Request) { r.Host = "evil.example" }},
		{"port", func(r *http.Request) { r.Host += ":8443" }},
		{"body", func(r *http.Request) { r.Body = io.NopCloser(strings.NewReader(`{"b":1}`)) }},
		{"body removed", func(r *http.Request) { r.Body = http.NoBody }},
		{"signed header's value", func(r *http.Request) { r.Header.Set("X-Amz-Meta", "w") }},
		{"signed header repeated", func(r *http.Request) { r.Header.Add("X-Amz-Meta", "v") }},
		{"signed header removed", func(r *http.Request) { r.Header.Del("X-Amz-Meta") }},
		{"date within the skew", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123601Z") }},
		{"last digit of the signature", func(r *http.Request) {
			auth := r.Header.Get("Authorization")
			digit := byte('0')
			if auth[len(auth)-1] == digit {
				digit = '1'
			}
			r.Header.Set("Authorization", auth[:len(auth)-1]+string(digit))
		}},
		{"signature in capitals", func(r *http.Request) {
			auth, signature, _ := strings.Cut(r.Header.Get("Authorization"), "Signature=")
			r.Header.Set("Authorization", auth+"Signature="+strings.ToUpper(signature))
		}},
		{"signature cut short", func(r *http.Request) {
			auth := r.Header.Get("Authorization")
			r.Header.Set("Authorization", auth[:len(auth)-1])
		}},
		{"signed headers out of order", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "content-length;host;", "host;content-length;", 1))
		}},
		{"signed header twice", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";host;", ";host;host;", 1))
		}},
		{"signed header in capitals", func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), ";host;", ";Host;", 1))
		}},
		{"payload hash that is not the body's", func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", strings.Repeat("0", 64))
			resign(t, r, `{"a":1}`)
		}},
		{"unsigned payload", func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			resign(t, r, `{"a":1}`)
		}},
		{"streaming payload", func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD")
			resign(t, r, `{"a":1}`)
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := request("POST", "/v1?a=1", `{"a":1}`)
			r.Header.Set("X-Amz-Meta", "v")
			sign4(t, r, `{"a":1}`)
			tc.change(r)
			var refused *Error
			if err := verify(verifier(), r, &messaging); !errors.As(err, &refused) || refused != errMismatch {
				t.Errorf("verify = %v, want %v", err, errMismatch)
			}
		})
	}
}

func resign(t testing.TB, r *http.Request, body string) {
	r.Header.Del("Authorization")
	sign4(t, r, body)
}

// What is not signed may change on the way: proxies do that.
func TestIgnoresUnsignedHeaders(t *testing.T) {
	t.Parallel()
	r := sign4(t, request("GET", "/", ""), "")
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	r.Header.Set("User-Agent", "x")
	r.Header.Set("X-Amzn-Trace-Id", "Root=1")
	if err := verify(verifier(), r, &messaging); err != nil {
		t.Error(err)
	}
}

func TestUnsignedPayloadWhereAllowed(t *testing.T) {
	t.Parallel()
	s3 := Service{Name: "s3", Regions: []string{"us-east-1"}, UnsignedPayload: true, RawPath: true}
	r := request("PUT", "/bucket/a%20b//c/../d", "whatever")
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	credentials := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: secret.Reveal()}
	raw := func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true }
	if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, "UNSIGNED-PAYLOAD", "s3", "us-east-1", now, raw); err != nil {
		t.Fatal(err)
	}
	if err := verify(verifier(), r, &s3); err != nil {
		t.Error(err)
	}
}

func TestSigningKeysAreForgottenWithTheirSecret(t *testing.T) {
	t.Parallel()
	v := verifier()
	if err := verify(v, sign4(t, request("GET", "/", ""), ""), &messaging); err != nil {
		t.Fatal(err)
	}
	v.keys = keys{"AKIDEXAMPLE": {ID: "AKIDEXAMPLE", Secret: "another", Active: true}}
	if err := verify(v, sign4(t, request("GET", "/", ""), ""), &messaging); !errors.Is(err, errMismatch) {
		t.Errorf("the old secret: %v, want a mismatch", err)
	}
	renewed := func(s *signing) { s.secret = "another" }
	if err := verify(v, sign4(t, request("GET", "/", ""), "", renewed), &messaging); err != nil {
		t.Errorf("the new secret: %v", err)
	}
}

func TestSigningKeyCacheIsBounded(t *testing.T) {
	t.Parallel()
	var c keyCache
	key := known["AKIDEXAMPLE"]
	want := derive(secret, "20150830", "us-east-1", "iam")
	for i := range 3 * keyCacheSize {
		c.get(key, string(rune('a'+i%26))+string(rune(0x4e00+i)), "us-east-1", "iam")
		if i%1000 == 0 {
			if got := c.get(key, "20150830", "us-east-1", "iam"); got != want {
				t.Fatalf("key = %x, want %x", got, want)
			}
		}
	}
	if n := len(c.now) + len(c.old); n > 2*keyCacheSize {
		t.Errorf("the cache holds %d keys, want at most %d", n, 2*keyCacheSize)
	}
}

// AWS's documentation derives this key from these values.
func TestDeriveMatchesTheDocumentation(t *testing.T) {
	t.Parallel()
	const want = "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"
	got := derive("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "20150830", "us-east-1", "iam")
	if hex.EncodeToString(got[:]) != want {
		t.Errorf("key = %x, want %s", got, want)
	}
}

func BenchmarkVerify(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 400)
	r := request("POST", "/v1/whatsapp/send", string(body))
	r.Header.Set("Content-Type", "application/json")
	sign4(b, r, string(body))
	v := verifier()
	b.ReportAllocs()
	for b.Loop() {
		claim := Parse(r)
		key, err := v.Identify(b.Context(), r, &claim, &messaging)
		if err == nil {
			err = v.Verify(r, &claim, key, &messaging, body)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
