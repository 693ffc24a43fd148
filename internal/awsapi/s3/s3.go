// Package s3 is the door to the built-in buckets: it checks who calls, as Amazon S3 does, and hands the request on.
//
// S3 differs from the other services of the front door in all that matters: bodies are streams and too large to be read before
// they are answered, paths are data, errors are XML of their own. So it is a handler beside that of package awsapi, and shares
// the check of signatures with it. Whose request it is goes with the request to whoever serves the buckets.
package s3

import (
	"encoding/xml"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/awsapi/sigv4"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Options configure the handler. All but Hosts, ClockSkew and Now are required.
type Options struct {
	Region string
	Keys   sigv4.Keys
	// Serve answers a request of an account, whose body checks itself as it is read.
	Serve func(w http.ResponseWriter, r *http.Request, account string)
	// Hosts are names of this server, without port: a request to <bucket>.<host> is one for /<bucket>. Addresses have no such
	// names, and clients know that.
	Hosts     []string
	ClockSkew time.Duration
	Admit     func() error     // optional: refuses uploads while nothing more can be stored
	Now       func() time.Time // default time.Now
	Logger    *slog.Logger
}

// Server is the handler.
type Server struct {
	o        Options
	verifier *sigv4.Verifier
	signing  sigv4.Service
}

// New returns a handler.
func New(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Server{o: o, verifier: sigv4.New(o.Keys, o.ClockSkew, o.Now),
		signing: sigv4.Service{Name: "s3", Regions: []string{o.Region}, UnsignedPayload: true, RawPath: true}}
}

// Meant reports whether a request claims to be signed for S3. It is cheap: every request of a server is asked.
func Meant(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Authorization"), "/s3/aws4_request") || isV2(r) ||
		strings.Contains(r.URL.RawQuery, "X-Amz-Credential=") && strings.Contains(r.URL.Query().Get("X-Amz-Credential"), "/s3/aws4_request")
}

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	start := s.o.Now()
	id := uuid.NewString()
	w.Header().Set("Date", start.UTC().Format(http.TimeFormat)) // SDKs correct their clock by it
	out := &answer{ResponseWriter: w, id: id}
	account, err := s.serve(out, r)
	if err != nil {
		out.refuse(err)
	}
	if out.status == 0 {
		out.status = http.StatusOK
	}
	level := slog.LevelInfo
	if out.status >= 500 && out.status != http.StatusServiceUnavailable { // whoever is not available has said why
		level = slog.LevelError
	}
	attrs := []slog.Attr{slog.String("request_id", id), slog.String("service", "s3"), slog.String("method", r.Method),
		slog.Int("status", out.status), slog.Duration("took", s.o.Now().Sub(start)), slog.String("account", account)}
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		attrs = append(attrs, slog.String("source_ip", host))
	}
	s.o.Logger.LogAttrs(r.Context(), level, "request", attrs...)
}

// serve verifies a request and passes it on. The error is why it may not.
func (s *Server) serve(w *answer, r *http.Request) (account string, err error) {
	bucket := s.bucketOf(r.Host)
	if isV2(r) {
		if account, err = s.checkV2(r, bucket); err != nil {
			return "", err
		}
		if err := s.admit(r); err != nil {
			return account, err
		}
		s.forward(w, r, bucket, account)
		return account, nil
	}
	claim := sigv4.Parse(r)
	key, err := s.verifier.Identify(r.Context(), r, &claim, &s.signing)
	if err != nil {
		return "", err
	}
	body, err := s.verifier.Stream(r, &claim, key, &s.signing)
	if err != nil {
		return "", err
	}
	if err := s.admit(r); err != nil {
		return key.User.AccountID, err
	}
	w.body = body
	inner := r.Clone(r.Context())
	inner.Body, inner.ContentLength = body, body.Size
	for _, name := range [...]string{"X-Amz-Decoded-Content-Length", "X-Amz-Trailer", "Authorization"} {
		inner.Header.Del(name)
	}
	inner.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD") // it has been dealt with
	if body.Size >= 0 {
		inner.Header.Set("Content-Length", strconv.FormatInt(body.Size, 10))
	}
	s.forward(w, inner, bucket, key.User.AccountID)
	return key.User.AccountID, nil
}

// forward has a request answered. A bucket in the host's name is put into the path first.
func (s *Server) forward(w http.ResponseWriter, r *http.Request, bucket, account string) {
	if bucket != "" {
		r = r.Clone(r.Context())
		r.URL = &url.URL{Path: "/" + bucket + r.URL.Path, RawQuery: r.URL.RawQuery}
	}
	s.o.Serve(w, r, account)
}

// admit refuses what would be stored while there is no room for it.
func (s *Server) admit(r *http.Request) error {
	if s.o.Admit == nil || r.Method != http.MethodPut && r.Method != http.MethodPost {
		return nil
	}
	return s.o.Admit()
}

// bucketOf returns the bucket in a host's name, or "".
func (s *Server) bucketOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	for _, own := range s.o.Hosts {
		if bucket, ok := strings.CutSuffix(strings.ToLower(host), "."+strings.ToLower(own)); ok && bucket != "" {
			return bucket
		}
	}
	return ""
}

// answer is the response. When the body turns out not to be what was signed, it says so in place of whatever the server of the
// buckets makes of an unreadable body.
type answer struct {
	http.ResponseWriter
	id     string
	body   *sigv4.Body
	status int
	muted  bool
}

func (a *answer) WriteHeader(status int) {
	if a.status != 0 {
		return
	}
	if a.body != nil && status >= 400 {
		if refused := a.body.Refusal(); refused != nil {
			a.refuse(refused)
			a.muted = true
			return
		}
	}
	a.status = status
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.WriteHeader(http.StatusOK)
	}
	if a.muted {
		return len(p), nil
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// refuse answers with an error in S3's form.
func (a *answer) refuse(err error) {
	e := wireError(err)
	e.RequestID = a.id
	raw, _ := xml.Marshal(e) // strings only
	raw = append([]byte(xml.Header), raw...)
	h := a.Header()
	h.Set("Content-Type", "application/xml")
	h.Set("Content-Length", strconv.Itoa(len(raw)))
	h.Set("X-Amz-Request-Id", a.id)
	a.status = e.status
	a.ResponseWriter.WriteHeader(e.status)
	a.ResponseWriter.Write(raw) //nolint:errcheck // the client is gone when it fails
}

type s3Error struct {
	XMLName   xml.Name `xml:"Error"`
	Code      string   `xml:"Code"`
	Message   string   `xml:"Message"`
	RequestID string   `xml:"RequestId"`
	status    int
}

// wireError names a refusal as S3 does.
func wireError(err error) s3Error {
	if fault.Is(err, fault.Unavailable) {
		return s3Error{Code: "ServiceUnavailable", Message: "The service is unable to handle the request at this time.", status: http.StatusServiceUnavailable}
	}
	refused, ok := errors.AsType[*sigv4.Error](err)
	if !ok {
		return s3Error{Code: "InternalError", Message: "We encountered an internal error. Please try again.", status: http.StatusInternalServerError}
	}
	e := s3Error{Code: "SignatureDoesNotMatch", Message: refused.Message, status: http.StatusForbidden}
	switch {
	case refused.Clock:
		e.Code = "RequestTimeTooSkewed"
	case refused.Reason == sigv4.Missing:
		e.Code = "AccessDenied"
	case refused.Reason == sigv4.UnknownKey:
		e.Code = "InvalidAccessKeyId"
	case refused.Reason == sigv4.Incomplete:
		e.Code, e.status = "AuthorizationHeaderMalformed", http.StatusBadRequest
	}
	return e
}
