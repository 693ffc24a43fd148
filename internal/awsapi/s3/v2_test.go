package s3

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/awsapitest"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const account = "111122223333"

var now = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

// door is a handler that tells whose request it was and for which path.
func door(keys awsapitest.Keys) http.Handler {
	return New(Options{Region: "us-east-1", Keys: keys, Hosts: []string{"localhost"}, Now: func() time.Time { return now },
		Logger: slog.New(slog.DiscardHandler),
		Serve:  func(w http.ResponseWriter, r *http.Request, id string) { _, _ = io.WriteString(w, id+" "+r.URL.Path) }})
}

// v2URL presigns as botocore does: https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html
func v2URL(method, target, text string, expires time.Time) string {
	key := awsapitest.Key(account)
	at := strconv.FormatInt(expires.Unix(), 10)
	mac := hmac.New(sha1.New, []byte(key.Secret.Reveal()))
	mac.Write([]byte(method + "\n\n\n" + at + "\n" + text))
	separator := "?"
	if strings.Contains(target, "?") {
		separator = "&"
	}
	return target + separator + "AWSAccessKeyId=" + key.ID + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))) +
		"&Expires=" + at
}

func TestPresignedVersion2(t *testing.T) {
	t.Parallel()
	soon := now.Add(time.Hour)
	good := v2URL("GET", "http://127.0.0.1:7766/media/a%20b", "/media/a%20b", soon)
	retired := awsapitest.Key(account)
	retired.Active = false
	for _, tc := range []struct {
		name, method, url string
		header            http.Header
		key               identity.AccessKey
		want              string
	}{
		{"get", "GET", good, nil, awsapitest.Key(account), account + " /media/a b"},
		{"bucket in the host's name", "GET", v2URL("GET", "http://media.localhost:7766/x", "/media/x", soon), nil, awsapitest.Key(account), account + " /media/x"},
		{"parameter that is signed", "GET", v2URL("GET", "http://h/media/x?response-content-type=a%2Fb&list-type=2", "/media/x?response-content-type=a/b", soon),
			nil, awsapitest.Key(account), account + " /media/x"},
		{"header that is signed", "PUT", v2URL("PUT", "http://h/media/x", "x-amz-acl:private\n/media/x", soon),
			http.Header{"X-Amz-Acl": {"private"}}, awsapitest.Key(account), account + " /media/x"},

		{"another method", "DELETE", good, nil, awsapitest.Key(account), "SignatureDoesNotMatch"},
		{"another key", "GET", strings.Replace(good, "a%20b", "a", 1), nil, awsapitest.Key(account), "SignatureDoesNotMatch"},
		{"a header added", "GET", good, http.Header{"X-Amz-Acl": {"public-read"}}, awsapitest.Key(account), "SignatureDoesNotMatch"},
		{"a type added", "GET", good, http.Header{"Content-Type": {"text/html"}}, awsapitest.Key(account), "SignatureDoesNotMatch"},
		{"a subresource added", "GET", good + "&acl", nil, awsapitest.Key(account), "SignatureDoesNotMatch"},
		{"a longer life", "GET", strings.Replace(good, "Expires=1", "Expires=0", 1), nil, awsapitest.Key(account), "RequestTimeTooSkewed"},
		{"expired", "GET", v2URL("GET", "http://h/media/x", "/media/x", now.Add(-time.Second)), nil, awsapitest.Key(account), "RequestTimeTooSkewed"},
		{"for longer than a week", "GET", v2URL("GET", "http://h/media/x", "/media/x", now.Add(8*24*time.Hour)), nil, awsapitest.Key(account), "RequestTimeTooSkewed"},
		{"no time", "GET", "http://h/media/x?AWSAccessKeyId=a&Signature=b", nil, awsapitest.Key(account), "AuthorizationHeaderMalformed"},
		{"unknown signer", "GET", good, nil, awsapitest.Key("444455556666"), "InvalidAccessKeyId"},
		{"retired signer", "GET", good, nil, retired, "InvalidAccessKeyId"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := httptest.NewRequest(tc.method, tc.url, nil)
			for name, values := range tc.header {
				r.Header[name] = values
			}
			if !Meant(r) {
				t.Error("the request is not taken for one of S3's")
			}
			w := httptest.NewRecorder()
			door(awsapitest.Keys{tc.key}).ServeHTTP(w, r)
			got := w.Body.String()
			if w.Code == http.StatusOK && got != tc.want || w.Code != http.StatusOK && !strings.Contains(got, "<Code>"+tc.want+"</Code>") {
				t.Errorf("answer = %d %s, want %s", w.Code, got, tc.want)
			}
		})
	}
}

func TestMeant(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, target, auth string
		want               bool
	}{
		{"header", "/b/k", "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0", true},
		{"header of another service", "/", "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0", false},
		{"query", "/b/k?X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Signature=0", "", true},
		{"query of another service", "/?X-Amz-Credential=A%2F20260101%2Fus-east-1%2Fsns%2Faws4_request", "", false},
		{"nothing", "/s3/aws4_request?x=1", "", false},
	} {
		r := httptest.NewRequest(http.MethodGet, tc.target, nil)
		if tc.auth != "" {
			r.Header.Set("Authorization", tc.auth)
		}
		if got := Meant(r); got != tc.want {
			t.Errorf("%s: %v, want %v", tc.name, got, tc.want)
		}
	}
}

type brokenKeys struct{}

func (brokenKeys) AccessKey(context.Context, string) (identity.AccessKey, error) {
	return identity.AccessKey{}, errors.New("the store is down")
}

// What is broken here is not the caller's to know.
func TestInternalError(t *testing.T) {
	t.Parallel()
	s := New(Options{Region: "us-east-1", Keys: brokenKeys{}, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return now }})
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, v2URL("GET", "http://h/media/x", "/media/x", now.Add(time.Hour)), nil))
	if body := w.Body.String(); w.Code != http.StatusInternalServerError || !strings.Contains(body, "InternalError") || strings.Contains(body, "store is down") {
		t.Errorf("answer = %d %s", w.Code, body)
	}
}

func FuzzV2(f *testing.F) {
	f.Add("AWSAccessKeyId=AKIATEST111122223333&Signature=b&Expires=1", "/media/x")
	f.Add("AWSAccessKeyId=&Signature=%&Expires=9&acl&versionId=", "//")
	keys := awsapitest.Keys{awsapitest.Key(account)}
	f.Fuzz(func(t *testing.T, query, path string) {
		r := httptest.NewRequest(http.MethodGet, "http://h/", nil)
		r.URL.RawQuery, r.URL.Path = query, path
		if !isV2(r) {
			t.Skip()
		}
		s := New(Options{Region: "us-east-1", Keys: keys, Now: func() time.Time { return now }})
		if _, err := s.checkV2(r, ""); err == nil {
			t.Errorf("accepted %q, which nobody signed", query)
		}
	})
}
