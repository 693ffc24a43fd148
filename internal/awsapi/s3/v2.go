package s3

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// The first version of the AWS CLI, and whatever else stands on the same library, presigns URLs with signature version 2 unless it
// is told otherwise. Nothing else is accepted with that signature.

// maxV2 is how far ahead a URL may expire, as with version 4.
const maxV2 = 7 * 24 * time.Hour

// isV2 reports whether a request is presigned with signature version 2.
func isV2(r *http.Request) bool {
	return r.Header.Get("Authorization") == "" && strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=") &&
		strings.Contains(r.URL.RawQuery, "Signature=")
}

// resources are the parameters that are part of what version 2 signs, sorted.
var resources = []string{"acl", "delete", "lifecycle", "location", "logging", "notification", "partNumber", "policy", "requestPayment",
	"response-cache-control", "response-content-disposition", "response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning", "versions", "website"}

// checkV2 returns the account that presigned a request. A refusal is a *sigv4.Error.
func (s *Server) checkV2(r *http.Request, bucket string) (account string, err error) {
	q := r.URL.Query()
	expires, err := strconv.ParseInt(q.Get("Expires"), 10, 64)
	if err != nil {
		return "", &sigv4.Error{Reason: sigv4.Incomplete, Message: "Invalid date (should be seconds since epoch): " + q.Get("Expires")}
	}
	if left := time.Unix(expires, 0).Sub(s.o.Now()); left < 0 || left > maxV2 {
		return "", &sigv4.Error{Reason: sigv4.Invalid, Clock: true, Message: "Request has expired"}
	}
	key, err := s.o.Keys.AccessKey(r.Context(), q.Get("AWSAccessKeyId"))
	switch {
	case fault.Is(err, fault.NotFound), err == nil && !key.Active, err == nil && q.Get("x-amz-security-token") != "":
		return "", &sigv4.Error{Reason: sigv4.UnknownKey, Message: "The AWS Access Key Id you provided does not exist in our records."}
	case err != nil:
		return "", err
	}
	mac := hmac.New(sha1.New, []byte(key.Secret.Reveal()))
	mac.Write([]byte(v2Text(r, q, bucket)))
	want := base64.StdEncoding.EncodeToString(mac.Sum(nil))
	if subtle.ConstantTimeCompare([]byte(want), []byte(q.Get("Signature"))) != 1 {
		return "", &sigv4.Error{Reason: sigv4.Invalid,
			Message: "The request signature we calculated does not match the signature you provided. Check your key and signing method."}
	}
	return key.User.AccountID, nil
}

// v2Text is what version 2 signs of a presigned request.
func v2Text(r *http.Request, q url.Values, bucket string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n" + r.Header.Get("Content-MD5") + "\n" + r.Header.Get("Content-Type") + "\n" + q.Get("Expires") + "\n")
	var names []string
	for name := range r.Header {
		if lower := strings.ToLower(name); strings.HasPrefix(lower, "x-amz-") {
			names = append(names, lower)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		b.WriteString(name + ":" + strings.Join(r.Header.Values(name), ",") + "\n")
	}
	if bucket != "" {
		b.WriteString("/" + bucket)
	}
	b.WriteString(r.URL.EscapedPath())
	separator := "?"
	for _, name := range resources {
		if !q.Has(name) {
			continue
		}
		b.WriteString(separator + name)
		if value := q.Get(name); value != "" {
			b.WriteString("=" + value)
		}
		separator = "&"
	}
	return b.String()
}
