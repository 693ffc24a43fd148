// Package sigv4 verifies AWS Signature Version 4 on incoming requests, in the Authorization header or in the query string
// (presigned).
//
// It answers one question: which access key signed exactly this request, just now? Verification comes in three steps, so that
// a server can refuse early and read the body in between:
//
//	claim := sigv4.Parse(r)                          // what the request says about its signature; cannot fail
//	key, err := verifier.Identify(ctx, r, &claim, s) // time, scope, signed headers, known key: all but the signature
//	err = verifier.Verify(r, &claim, key, s, body)   // the signature itself, over the body
//
// Nothing that Parse or Identify return may be trusted before Verify has said yes. Checks are made, and refusals are worded,
// in the order and the words AWS's own front ends use, because SDKs and people act on them. SigV4A is not
// supported.
//
// Object storage has bodies that are too large to be read first. There Stream takes the place of Verify: it checks the
// signature over what the request says about its body, and returns the body, which checks itself as it is read.
package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const (
	algorithm   = "AWS4-HMAC-SHA256"
	terminator  = "aws4_request"
	basicFormat = "20060102T150405Z"

	// DefaultSkew is how far a client's clock may be off.
	DefaultSkew = 5 * time.Minute
	maxExpires  = 7 * 24 * time.Hour // of presigned requests

	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// Keys looks up access keys. An id that does not exist is a fault.NotFound; any other error means that nobody can tell.
type Keys interface {
	AccessKey(ctx context.Context, id string) (identity.AccessKey, error)
}

// Service says how requests to one service are signed.
type Service struct {
	Name string // as it appears in the credential scope
	// Regions the scope may name. Global services are signed for us-east-1 wherever they are called from, so they list two.
	Regions []string
	// UnsignedPayload accepts the literal UNSIGNED-PAYLOAD in place of a body hash. Only object storage allows it.
	UnsignedPayload bool
	// RawPath takes the path as it was sent, neither normalised nor encoded a second time, as object storage does.
	RawPath bool
}

// Verifier checks signatures. It is safe for concurrent use and must not be copied.
type Verifier struct {
	keys    Keys
	skew    time.Duration
	now     func() time.Time
	signing keyCache
}

// New returns a Verifier. A skew of 0 means DefaultSkew; now is the server's clock.
func New(keys Keys, skew time.Duration, now func() time.Time) *Verifier {
	if skew == 0 {
		skew = DefaultSkew
	}
	return &Verifier{keys: keys, skew: skew, now: now}
}

// Identify makes every check that does not need the body and returns the key that claims to have signed. A refusal is an
// *Error; any other error is the key store's.
func (v *Verifier) Identify(ctx context.Context, r *http.Request, c *Claim, s *Service) (identity.AccessKey, error) {
	if c.err != nil {
		return identity.AccessKey{}, c.err
	}
	if err := v.checkTime(c); err != nil {
		return identity.AccessKey{}, err
	}
	if err := checkSignedHeaders(r, c); err != nil {
		return identity.AccessKey{}, err
	}
	if c.Algorithm != algorithm {
		return identity.AccessKey{}, refuse(Incomplete, "Unsupported AWS 'algorithm': '"+c.Algorithm+"'")
	}
	if err := checkScope(c, s); err != nil {
		return identity.AccessKey{}, err
	}
	key, err := v.keys.AccessKey(ctx, c.AccessKeyID)
	switch {
	case fault.Is(err, fault.NotFound) || err == nil && !key.Active:
		return identity.AccessKey{}, refuse(UnknownKey, "The security token included in the request is invalid.")
	case err != nil:
		return identity.AccessKey{}, err
	}
	return key, nil
}

// Verify reports whether the key really signed the request with this body. A refusal is an *Error.
func (v *Verifier) Verify(r *http.Request, c *Claim, key identity.AccessKey, s *Service, body []byte) error {
	payload, ok := payloadHash(r, s, body)
	if !ok {
		return errMismatch
	}
	return v.check(r, c, key, s, payload)
}

// check compares the signature of a request whose payload hash is known.
func (v *Verifier) check(r *http.Request, c *Claim, key identity.AccessKey, s *Service, payload []byte) error {
	buf := scratch.Get().(*[]byte)
	defer scratch.Put(buf)
	canonical, ok := appendCanonicalRequest((*buf)[:0], r, c, s, payload)
	*buf = canonical
	if !ok {
		return errMismatch
	}
	sum := sha256.Sum256(canonical)

	signed := append(canonical[:0], algorithm...)
	signed = append(append(signed, '\n'), c.timestamp...)
	signed = append(append(signed, '\n'), c.scope...)
	signed = hex.AppendEncode(append(signed, '\n'), sum[:])
	*buf = signed

	signingKey := v.signing.get(key, c.Date, c.Region, c.Service)
	mac := sign(signingKey[:], signed)
	var want [2 * sha256.Size]byte
	hex.Encode(want[:], mac[:])
	if subtle.ConstantTimeCompare(want[:], []byte(c.Signature)) != 1 {
		return errMismatch
	}
	if c.Token != "" { // keys that live long never come with a token
		return refuse(UnknownKey, "The security token included in the request is invalid")
	}
	return nil
}

func (v *Verifier) checkTime(c *Claim) error {
	now := v.now()
	if latest := now.Add(v.skew); c.Time.After(latest) {
		return refuseTime("Signature not yet current: " + c.timestamp + " is still later than " + basic(latest) +
			" (" + basic(now) + " + " + humanise(v.skew) + ")")
	}
	allowed := v.skew
	if c.expires > 0 {
		allowed = c.expires
	}
	if earliest := now.Add(-allowed); c.Time.Before(earliest) {
		return refuseTime("Signature expired: " + c.timestamp + " is now earlier than " + basic(earliest) +
			" (" + basic(now) + " - " + humanise(allowed) + ")")
	}
	return nil
}

// checkSignedHeaders insists on host and on every x-amz- header of the request: what is not signed could have been added on
// the way.
func checkSignedHeaders(r *http.Request, c *Claim) error {
	if !signs(c.SignedHeaders, "host") {
		return refuse(Invalid, "'Host' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		if len(name) > 6 && strings.EqualFold(name[:6], "x-amz-") && !signs(c.SignedHeaders, name) {
			return refuse(Invalid, "'"+strings.ToLower(name)+"' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	return nil
}

func signs(signedHeaders, name string) bool {
	for len(signedHeaders) > 0 {
		var one string
		one, signedHeaders, _ = strings.Cut(signedHeaders, ";")
		if strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}

func checkScope(c *Claim, s *Service) error {
	if c.scope == "" {
		return refuse(Incomplete,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '"+c.credential+"'")
	}
	var wrong []string
	region := false
	for _, name := range s.Regions {
		region = region || name == c.Region
	}
	if !region {
		wrong = append(wrong, "Credential should be scoped to a valid region, not '"+c.Region+"'.")
	}
	if c.Service != s.Name {
		wrong = append(wrong, "Credential should be scoped to correct service: '"+s.Name+"'.")
	}
	if c.terminator != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: '"+terminator+"', not '"+c.terminator+"'.")
	}
	if c.Date != c.timestamp[:8] {
		wrong = append(wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '"+
			c.Date+"' != '"+c.timestamp[:8]+"', from '"+c.timestamp+"'.")
	}
	if wrong != nil {
		return refuse(Invalid, strings.Join(wrong, " "))
	}
	return nil
}

func basic(t time.Time) string { return t.UTC().Format(basicFormat) }

// humanise words a duration the way AWS does: "5 min.".
func humanise(d time.Duration) string {
	if d%time.Minute == 0 {
		return itoa(int(d/time.Minute)) + " min."
	}
	return itoa(int(d/time.Second)) + " sec."
}
