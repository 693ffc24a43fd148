package sigv4

import (
	"bytes"
	"net/http"
	"net/url"
	"path"
	"strings"
	"testing"
)

// Cases are named after the clauses of the signing process: how a path becomes canonical.
func TestCanonicalPath(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"empty is a slash", "", "/"},
		{"slash", "/", "/"},
		{"plain", "/v1/whatsapp/send", "/v1/whatsapp/send"},
		{"trailing slash stays", "/a/", "/a/"},
		{"repeated slashes become one", "//a//b///", "/a/b/"},
		{"dot segment goes", "/./a/./b", "/a/b"},
		{"dot at the end leaves a slash", "/a/.", "/a/"},
		{"dot-dot takes its parent along", "/a/../b", "/b"},
		{"dot-dot at the end leaves a slash", "/a/b/..", "/a/"},
		{"dot-dot stops at the root", "/../../a", "/a"},
		{"only dots", "/..", "/"},
		{"names that start with dots stay", "/.well-known/..x", "/.well-known/..x"},
		{"escapes are escaped again", "/a%20b", "/a%2520b"},
		{"reserved characters are escaped", "/a:b@c", "/a%3Ab%40c"},
		{"unreserved characters are not", "/-._~Az09", "/-._~Az09"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := string(appendPath(nil, tc.in)); got != tc.want {
				t.Errorf("appendPath(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestCanonicalRawPath(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, in, want string }{
		{"empty is a slash", "", "/"},
		{"nothing is normalised", "//a/../b/.", "//a/../b/."},
		{"escapes stay single", "/a%20b%2Fc", "/a%20b%2Fc"},
		{"escapes get capitals", "/%e1", "/%E1"},
		{"needless escapes go", "/%61", "/a"},
		{"stray percent signs are escaped", "/%zz%", "/%25zz%25"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := string(appendRawPath(nil, tc.in)); got != tc.want {
				t.Errorf("appendRawPath(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestCanonicalQuery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, in  string
		presigned bool
		want      string
	}{
		{"empty", "", false, ""},
		{"sorted by name", "b=1&a=2", false, "a=2&b=1"},
		{"then by value", "a=2&a=10&a=1", false, "a=1&a=10&a=2"},
		{"name before its extension", "a-b=1&a=2&aa=3", false, "a=2&a-b=1&aa=3"},
		{"capitals first", "a=1&B=2", false, "B=2&a=1"},
		{"no value", "a", false, "a="},
		{"empty value", "a=", false, "a="},
		{"empty name", "=1", false, "=1"},
		{"empty parameters go", "&&a=1&", false, "a=1"},
		{"value with equals sign", "a=b=c", false, "a=b%3Dc"},
		{"plus is a space", "a=b+c", false, "a=b%20c"},
		{"space", "a=b%20c", false, "a=b%20c"},
		{"escapes get capitals", "a=%3a%2f", false, "a=%3A%2F"},
		{"needless escapes go", "%61=%7E", false, "a=~"},
		{"stray percent sign", "a=100%", false, "a=100%25"},
		{"raw reserved characters", "id=arn:aws:x/y", false, "id=arn%3Aaws%3Ax%2Fy"},
		{"UTF-8", "a=%c3%bc", false, "a=%C3%BC"},
		{"a presigned request's signature goes", "X-Amz-Signature=f&a=1", true, "a=1"},
		{"any other's stays", "X-Amz-Signature=f&a=1", false, "X-Amz-Signature=f&a=1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := string(appendQuery(nil, tc.in, tc.presigned)); got != tc.want {
				t.Errorf("appendQuery(%q) = %q, want %q", tc.in, got, tc.want)
			}
		})
	}
}

func TestCanonicalHeaders(t *testing.T) {
	t.Parallel()
	long := "x-" + strings.Repeat("long-", 20) + "name"
	for _, tc := range []struct {
		name   string
		header http.Header
		signed string
		want   string
		ok     bool
	}{
		{"host is not in the map", nil, "host", "host:example.amazonaws.com\n", true},
		{"trimmed", http.Header{"X-A": {" \t v \t"}}, "x-a", "x-a:v\n", true},
		{"inner spaces become one", http.Header{"X-A": {"a   b \"c   d\""}}, "x-a", "x-a:a b \"c d\"\n", true},
		{"repeats joined in order", http.Header{"X-A": {"b", " a "}}, "x-a", "x-a:b,a\n", true},
		{"missing is empty", nil, "x-a", "x-a:\n", true},
		{"long name", http.Header{http.CanonicalHeaderKey(long): {"v"}}, long, long + ":v\n", true},
		{"not sorted", nil, "x-b;x-a", "x-b:\nx-a:\n", false},
		{"twice", nil, "x-a;x-a", "x-a:\nx-a:\n", false},
		{"capitals", nil, "X-a", "X-a:\n", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			r := request("GET", "/", "")
			r.Header = tc.header
			got, ok := appendHeaders(nil, r, tc.signed)
			if string(got) != tc.want || ok != tc.ok {
				t.Errorf("appendHeaders = %q, %v; want %q, %v", got, ok, tc.want, tc.ok)
			}
		})
	}
}

func FuzzHeader(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/social-messaging/aws4_request, SignedHeaders=host;x-amz-date, Signature=00", "20150830T123600Z")
	f.Add("AWS4-HMAC-SHA256 Credential=/////,,=,Signature", "Sun, 30 Aug 2015 12:36:00 GMT")
	f.Fuzz(func(t *testing.T, auth, date string) {
		r := request("GET", "/", "")
		r.Header["Authorization"] = []string{auth}
		r.Header["X-Amz-Date"] = []string{date}
		if err := verify(verifier(), r, &messaging); err == nil {
			t.Errorf("accepted %q at %q, which nobody signed", auth, date)
		}
	})
}

func FuzzQuery(f *testing.F) {
	f.Add("X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fsocial-messaging%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00")
	f.Add("X-Amz-=%&&==+%00")
	f.Fuzz(func(t *testing.T, query string) {
		r := request("GET", "/", "")
		r.URL.RawQuery = query
		if err := verify(verifier(), r, &messaging); err == nil {
			t.Errorf("accepted %q, which nobody signed", query)
		}
	})
}

// What is canonical stays as it is when made canonical again, and paths agree with the standard library's idea of clean.
func FuzzCanonical(f *testing.F) {
	f.Add("/a/../b//c/.", "b=1&a=%7e+&a")
	f.Fuzz(func(t *testing.T, p, query string) {
		once := appendQuery(nil, query, false)
		if twice := appendQuery(nil, string(once), false); !bytes.Equal(once, twice) {
			t.Errorf("query %q: %q becomes %q", query, once, twice)
		}
		if !strings.HasPrefix(p, "/") {
			return
		}
		clean, err := url.PathUnescape(string(appendPath(nil, p)))
		if err != nil {
			t.Fatalf("path %q: %v", p, err)
		}
		if want := path.Clean(p); strings.TrimSuffix(clean, "/") != strings.TrimSuffix(want, "/") {
			t.Errorf("path %q = %q, want %q", p, clean, want)
		}
	})
}
