package objectstore

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	s3api "github.com/waxwing-messaging/waxwing/internal/awsapi/s3"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
	"github.com/waxwing-messaging/waxwing/internal/objectstore/bucket"
	"github.com/waxwing-messaging/waxwing/internal/outbound"
)

const accountID = "111122223333"

// store serves the built-in buckets as a store that is not ours, with one bucket.
func store(t *testing.T) (*bucket.Store, http.Handler) {
	t.Helper()
	buckets, err := bucket.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := buckets.Ensure(accountID, "media"); err != nil {
		t.Fatal(err)
	}
	inner := bucket.Handler(buckets)
	return buckets, s3api.New(s3api.Options{Region: "us-east-1", Keys: awsapitest.Keys{awsapitest.Key(accountID)}, Logger: slog.New(slog.DiscardHandler),
		Serve: func(w http.ResponseWriter, r *http.Request, account string) {
			inner.ServeHTTP(w, bucket.For(r, account))
		}})
}

func provider() aws.CredentialsProvider {
	key := awsapitest.Key(accountID)
	return credentials.NewStaticCredentialsProvider(key.ID, key.Secret.Reveal(), "")
}

func file(body string) media.Object {
	return media.Object{Size: int64(len(body)), Type: "text/plain", Body: io.NopCloser(strings.NewReader(body))}
}

// read reads an object to its end.
func read(t *testing.T, o media.Object, err error) string {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer o.Body.Close()
	body, err := io.ReadAll(o.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func wantKind(t *testing.T, err error, kind fault.Kind, text string) {
	t.Helper()
	if !fault.Is(err, kind) || !strings.Contains(err.Error(), text) {
		t.Errorf("err = %v, want %s with %q", err, kind, text)
	}
}

func TestS3(t *testing.T) {
	t.Parallel()
	for _, secure := range []bool{false, true} {
		t.Run(fmt.Sprintf("secure=%v", secure), func(t *testing.T) {
			t.Parallel()
			_, handler := store(t)
			server := httptest.NewUnstartedServer(handler)
			if server.Start(); secure {
				server.Close()
				server = httptest.NewTLSServer(handler)
			}
			t.Cleanup(server.Close)
			s := New(Options{Endpoint: server.URL, Region: "us-east-1", PathStyle: true, Credentials: provider(), HTTPClient: server.Client()})
			ctx := t.Context()
			if err := s.Put(ctx, accountID, "media", "a/ü b", file("hello")); err != nil {
				t.Fatal(err)
			}
			o, err := s.Get(ctx, accountID, "media", "a/ü b")
			if got := read(t, o, err); got != "hello" || o.Type != "text/plain" || o.Size != 5 {
				t.Errorf("got %q, %s of %d bytes", got, o.Type, o.Size)
			}
			_, err = s.Get(ctx, accountID, "media", "never")
			wantKind(t, err, fault.NotFound, "no object")
			_, err = s.Get(ctx, accountID, "never", "x")
			wantKind(t, err, fault.NotFound, "no bucket never")
			wantKind(t, s.Put(ctx, accountID, "never", "x", file("x")), fault.NotFound, "no bucket never")

			broken := media.Object{Size: 100, Type: "text/plain", Body: io.NopCloser(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(errors.New("boom"))))}
			wantKind(t, s.Put(ctx, accountID, "media", "broken", broken), fault.Dependency, "could not be read")
			said := fault.New(fault.AccessDeniedByMeta, "Meta says no")
			broken.Body = io.NopCloser(iotest.ErrReader(said))
			wantKind(t, s.Put(ctx, accountID, "media", "broken", broken), fault.AccessDeniedByMeta, "Meta says no")
			_, err = s.Get(ctx, accountID, "media", "broken")
			wantKind(t, err, fault.NotFound, "no object")
		})
	}
}

func TestS3Refusals(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name   string
		status int
		code   string
		kind   fault.Kind
	}{
		{"denied", 403, "AccessDenied", fault.AccessDenied},
		{"unknown key", 403, "InvalidAccessKeyId", fault.AccessDenied},
		{"another Region", 301, "PermanentRedirect", fault.InvalidParameters},
		{"archived", 403, "InvalidObjectState", fault.InvalidParameters},
		{"overloaded", 503, "SlowDown", fault.Dependency},
		{"broken", 500, "InternalError", fault.Dependency},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				calls++
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, `<Error><Code>`+tc.code+`</Code><Message>m</Message></Error>`)
			}))
			t.Cleanup(server.Close)
			s := New(Options{Endpoint: server.URL, Region: "us-east-1", PathStyle: true, Credentials: provider(), HTTPClient: server.Client()})
			_, err := s.Get(t.Context(), accountID, "media", "x")
			wantKind(t, err, tc.kind, "media")
			if calls != 1 {
				t.Errorf("%d calls, want 1", calls)
			}
		})
	}
	t.Run("nobody there", func(t *testing.T) {
		t.Parallel()
		s := New(Options{Endpoint: "http://127.0.0.1:1", Region: "us-east-1", PathStyle: true, Credentials: provider()})
		_, err := s.Get(t.Context(), accountID, "media", "x")
		wantKind(t, err, fault.Dependency, "could not be reached")
	})
}

func TestAllowedBuckets(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, bucket string
		patterns     []string
		ok           bool
	}{
		{"all", "x", nil, true},
		{"by name", "media", []string{"other", "media"}, true},
		{"another name", "medias", []string{"media"}, false},
		{"of the account", accountID + "-media", []string{"{account}-*"}, true},
		{"of another account", "444455556666-media", []string{"{account}-*"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			err := New(Options{Region: "us-east-1", Buckets: tc.patterns}).allow(accountID, tc.bucket)
			if (err == nil) != tc.ok || err != nil && !fault.Is(err, fault.AccessDenied) {
				t.Errorf("err = %v, want allowed: %v", err, tc.ok)
			}
		})
	}
}

func TestPresignedHosts(t *testing.T) {
	t.Parallel()
	p := NewPresigned(PresignedOptions{Client: &http.Client{}, Hosts: []string{"minio.example:9000", "*.store.example"},
		Own: []string{"http://127.0.0.1:7766"}, Local: InProcess{http.NotFoundHandler()}})
	for raw, want := range map[string]bool{
		"https://media.s3.us-east-1.amazonaws.com/k?X-Amz-Signature=1": true,
		"https://s3.amazonaws.com/media/k":                             true,
		"https://s3-eu-west-1.amazonaws.com/media/k":                   true,
		"https://a.b.s3.dualstack.eu-west-1.amazonaws.com/k":           true,
		"https://media.s3.cn-north-1.amazonaws.com.cn/k":               true,
		"http://minio.example:9000/media/k":                            true,
		"https://MINIO.example:9000/media/k":                           true,
		"https://eu.store.example/media/k":                             true,
		"http://127.0.0.1:7766/media/k":                                true,
		"http://media.s3.us-east-1.amazonaws.com/k":                    false,
		"https://media.s3.us-east-1.amazonaws.com:8443/k":              false,
		"https://evil.example/s3.amazonaws.com/k":                      false,
		"https://evil.example/?s3.amazonaws.com/k":                     false,
		"https://s3.amazonaws.com.evil.example/k":                      false,
		"https://s3evil.example#.amazonaws.com/k":                      false,
		"https://s3.amazonaws.com@evil.example/k":                      false,
		"https://user:password@s3.amazonaws.com/k":                     false,
		"https://ec2.us-east-1.amazonaws.com/s3/k":                     false,
		"http://minio.example/media/k":                                 false,
		"https://a.b.store.example/k":                                  false,
		"https://store.example/k":                                      false,
		"http://127.0.0.1:7767/k":                                      false,
		"https://127.0.0.1:7766/k":                                     false,
		"http://169.254.169.254/latest/meta-data/#s3.x.amazonaws.com/": false,
		"file:///etc/passwd#https://s3.amazonaws.com/":                 false,
		"gopher://minio.example:9000/x":                                false,
		"https://%zz":                                                  false,
		"":                                                             false,
	} {
		if got := p.Allowed(raw); got != want {
			t.Errorf("Allowed(%q) = %v, want %v", raw, got, want)
		}
	}
}

// remote is a client of a server that plays an allowed host.
func remote(t *testing.T, h http.HandlerFunc, o outbound.Options) (*Presigned, string) {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	client := outbound.Client(o)
	t.Cleanup(client.CloseIdleConnections)
	return NewPresigned(PresignedOptions{Client: client, Hosts: []string{strings.TrimPrefix(server.URL, "http://")}}), server.URL
}

func TestPresignedGetAndPut(t *testing.T) {
	t.Parallel()
	var got []string
	p, base := remote(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = append(got, fmt.Sprint(r.Method, " ", r.URL.Path, " ", r.Header.Get("Content-Type"), " ", r.Header.Get("X-Amz-Meta-A"), " ", r.ContentLength, " ", string(body)))
		if r.Method == http.MethodGet {
			w.Header().Set("Content-Type", "image/png")
			_, _ = io.WriteString(w, "hello")
		}
	}, outbound.Options{AllowPrivate: true})
	ctx := t.Context()
	o, err := p.Get(ctx, base+"/k?X-Amz-SignedHeaders=content-type%3Bhost", map[string]string{"content-type": "text/plain", "x-amz-meta-a": "1"})
	if body := read(t, o, err); body != "hello" || o.Type != "image/png" || o.Size != 5 {
		t.Errorf("got %q, %s of %d bytes", body, o.Type, o.Size)
	}
	o, err = p.Get(ctx, base+"/k", map[string]string{"Content-Type": "text/plain"})
	read(t, o, err)
	if err := p.Put(ctx, base+"/k", map[string]string{"X-Amz-Meta-A": "2"}, file("up")); err != nil {
		t.Fatal(err)
	}
	want := []string{"GET /k text/plain 1 0 ", "GET /k   0 ", "PUT /k text/plain 2 2 up"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("requests = %q, want %q", got, want)
	}
	for name, value := range map[string]string{"Host": "x", "content-length": "1", "Transfer-Encoding": "chunked", "a b": "c", "A": "b\r\nC: d", "": "x"} {
		_, err := p.Get(ctx, base, map[string]string{name: value})
		wantKind(t, err, fault.InvalidParameters, "cannot be sent")
	}
	broken := media.Object{Size: 9, Body: io.NopCloser(iotest.ErrReader(errors.New("boom")))}
	wantKind(t, p.Put(ctx, base, nil, broken), fault.Dependency, "could not be read")
}

func TestPresignedAnswers(t *testing.T) {
	t.Parallel()
	for status, kind := range map[int]fault.Kind{403: fault.InvalidParameters, 404: fault.NotFound, 400: fault.InvalidParameters,
		206: fault.InvalidParameters, 500: fault.Dependency, 503: fault.Dependency} {
		p, base := remote(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }, outbound.Options{AllowPrivate: true})
		_, err := p.Get(t.Context(), base+"/secret?X-Amz-Signature=secret", nil)
		wantKind(t, err, kind, "presigned URL")
		if strings.Contains(fmt.Sprint(err), "secret") {
			t.Errorf("the error shows the URL: %v", err)
		}
	}
}

// What a URL leads to is checked where it counts: at each connection and at each redirect.
func TestPresignedReachesNothingElse(t *testing.T) {
	t.Parallel()
	secret := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") }))
	t.Cleanup(secret.Close)
	t.Run("redirect to another host", func(t *testing.T) {
		t.Parallel()
		p, base := remote(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, secret.URL, http.StatusTemporaryRedirect)
		},
			outbound.Options{AllowPrivate: true})
		_, err := p.Get(t.Context(), base, nil)
		wantKind(t, err, fault.InvalidParameters, "redirects to a host that is not allowed")
	})
	t.Run("private address of an allowed host", func(t *testing.T) {
		t.Parallel()
		p, base := remote(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "secret") }, outbound.Options{})
		_, err := p.Get(t.Context(), base, nil)
		wantKind(t, err, fault.Dependency, "could not be reached")
	})
	t.Run("private address of another port", func(t *testing.T) {
		t.Parallel()
		p, _ := remote(t, func(http.ResponseWriter, *http.Request) {}, outbound.Options{AllowPrivate: true})
		_, err := p.Get(t.Context(), secret.URL, nil)
		wantKind(t, err, fault.InvalidParameters, "does not lead to")
	})
}

// A URL of the built-in buckets needs no connection.
func TestPresignedOfOurOwn(t *testing.T) {
	t.Parallel()
	_, handler := store(t)
	const own = "http://127.0.0.1:7766"
	p := NewPresigned(PresignedOptions{Client: outbound.Client(outbound.Options{}), Own: []string{own}, Local: InProcess{handler}})
	presign := s3.NewPresignClient(s3.New(s3.Options{Region: "us-east-1", BaseEndpoint: aws.String(own), UsePathStyle: true, Credentials: provider()}))
	ctx, name, key := t.Context(), aws.String("media"), aws.String("a b")
	up, err := presign.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	large := strings.Repeat("0123456789", 100_000)
	if err := p.Put(ctx, up.URL, nil, file(large)); err != nil {
		t.Fatal(err)
	}
	// A URL of version 2 is answered without our decoding the body, so the length has to come with the request.
	// Its signature covers the Content-Type, given or not.
	if err := p.Put(ctx, v2(own+"/media/v2", ""), nil, file("hello")); err != nil {
		t.Error("signed without a Content-Type:", err)
	}
	if err := p.Put(ctx, v2(own+"/media/v2", "image/png"), map[string]string{"content-type": "image/png"}, file("hello")); err != nil {
		t.Error("signed with a Content-Type:", err)
	}
	down, err := presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: name, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	o, err := p.Get(ctx, down.URL, nil)
	if got := read(t, o, err); got != large || o.Type != "text/plain" || o.Size != int64(len(large)) {
		t.Errorf("got %d bytes of %s, said to be %d", len(got), o.Type, o.Size)
	}
	o, err = p.Get(ctx, down.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Body.Close(); err != nil { // nobody reads it: the handler has to end all the same
		t.Error(err)
	}
	_, err = p.Get(ctx, strings.Replace(down.URL, "a%20b", "c", 1), nil)
	wantKind(t, err, fault.InvalidParameters, "403")
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err = p.Get(canceled, down.URL, nil); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("err = %v", err)
	}
}

// v2 presigns a PUT of text with signature version 2.
func v2(target, contentType string) string {
	key := awsapitest.Key(accountID)
	expires := strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10)
	mac := hmac.New(sha1.New, []byte(key.Secret.Reveal()))
	mac.Write([]byte("PUT\n\n" + contentType + "\n" + expires + "\n" + target[strings.Index(target, "/media"):]))
	return target + "?AWSAccessKeyId=" + key.ID + "&Expires=" + expires + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// A handler that panics looks like a connection that breaks.
func TestInProcessPanic(t *testing.T) {
	t.Parallel()
	client := http.Client{Transport: InProcess{http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	})}}
	res, err := client.Do(&http.Request{Method: http.MethodGet, URL: &url.URL{Scheme: "http", Host: "x", Path: "/"}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) || string(body) != "half" {
		t.Errorf("read %q, %v; want half and an unexpected end", body, err)
	}
}
