package destinationtest

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Credentials of publishers to AWS under test, and of the role that they assume. No error may show a secret of them.
const (
	KeyID        = "AKIATESTOWN"
	Secret       = "own-secret-that-nobody-may-see"
	RoleARN      = "arn:aws:iam::000000000000:role/publish"
	RoleKeyID    = "ASIATESTROLE"
	RoleSecret   = "role-secret-that-nobody-may-see"
	SessionToken = "session-token-that-nobody-may-see"
)

// AssumeRole answers as STS does, if a request asks STS for the credentials of a role.
func AssumeRole(t testing.TB, w http.ResponseWriter, r *http.Request, body []byte) bool {
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("Action") != "AssumeRole" {
		return false
	}
	if got := SignedBy(r); got != KeyID {
		t.Errorf("the role is assumed by %s", got)
	}
	if role, external := form.Get("RoleArn"), form.Get("ExternalId"); role != RoleARN || external != "000000000000" {
		t.Errorf("role %s with external id %q", role, external)
	}
	fmt.Fprint(w, `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>`+RoleKeyID+`</AccessKeyId><SecretAccessKey>`+RoleSecret+
		`</SecretAccessKey><SessionToken>`+SessionToken+`</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>`+
		`</AssumeRoleResult></AssumeRoleResponse>`)
	return true
}

// SignedBy returns the id of the access key that signed a request.
func SignedBy(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	key, _, _ := strings.Cut(scope, "/")
	return key
}

// SignedFor returns the service that a request is signed for.
func SignedFor(r *http.Request) string {
	_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
	parts := strings.Split(scope, "/")
	if len(parts) < 4 {
		return ""
	}
	return parts[3]
}

// Echo returns what a careless service might repeat of a request: all of its headers.
func Echo(r *http.Request) string {
	var b strings.Builder
	for name, values := range r.Header {
		fmt.Fprintf(&b, "\n%s: %s", name, strings.Join(values, ","))
	}
	return b.String()
}
