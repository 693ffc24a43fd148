// Package meta is a typed client of Meta's Graph API for WhatsApp, and the one place that knows what Meta's errors mean.
//
// It works the same against graph.facebook.com, the simulator and anything that speaks their protocol. A call makes exactly one
// attempt: whoever calls decides about another one, with Outcome telling whether the first may have taken effect and ClassOf
// whether another can help. Tokens travel in a header and never appear in an error or a log.
package meta

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// DefaultBaseURL is the Graph API itself.
const DefaultBaseURL = "https://graph.facebook.com"

const (
	defaultTimeout = 30 * time.Second
	maxAnswer      = 4 << 20 // bytes; Meta's longest pages of templates are well below
	userAgent      = "waxwing"
)

// Options configure a Client. The zero value talks to Meta.
type Options struct {
	BaseURL    string        // scheme, host and an optional path; default DefaultBaseURL
	HTTPClient *http.Client  // its redirect policy, cookies and time-out are not used; default: NewHTTPClient()
	Timeout    time.Duration // of one call, answer included; default 30 s
	AppID      string        // the Meta app, for calls made as the app itself
	AppSecret  identity.Secret
	Prove      bool // add appsecret_proof to every call with a token; needs AppSecret
	Logger     *slog.Logger
}

// Client calls the Graph API. It is safe for concurrent use.
type Client struct {
	base    *url.URL
	http    *http.Client
	timeout time.Duration
	appID   string
	secret  identity.Secret
	prove   bool
	log     *slog.Logger
}

// New returns a client. The only error is a base URL that cannot be called.
func New(o Options) (*Client, error) {
	base, err := url.Parse(strings.TrimRight(cmpOr(o.BaseURL, DefaultBaseURL), "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("base URL of Meta, %q, is not an http or https URL", o.BaseURL)
	}
	if o.Prove && o.AppSecret == "" {
		return nil, errors.New("appsecret_proof needs the secret of the Meta app")
	}
	transport := http.RoundTripper(nil)
	if o.HTTPClient != nil {
		transport = o.HTTPClient.Transport
	} else {
		transport = NewHTTPClient().Transport
	}
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Client{
		base: base, timeout: cmpOr(o.Timeout, defaultTimeout), appID: o.AppID, secret: o.AppSecret, prove: o.Prove, log: log,
		// Following a redirect would be a second request, and could carry the token to another host.
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}, nil
}

func cmpOr[T comparable](v, or T) T {
	var zero T
	if v == zero {
		return or
	}
	return v
}

// NewHTTPClient returns an HTTP client tuned for many concurrent calls to one host over connections that stay open. Idle ones
// are closed before a peer is likely to do so: a request that meets a closing connection has an unknown outcome.
func NewHTTPClient() *http.Client {
	return &http.Client{Transport: &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    512,
		IdleConnTimeout:        45 * time.Second,
		TLSHandshakeTimeout:    10 * time.Second,
		MaxResponseHeaderBytes: 64 << 10,
	}}
}

// Call is one request to the Graph API.
type Call struct {
	Method      string          // default GET
	Version     string          // "v20.0"; "" leaves it to the app's default
	Path        string          // unescaped, without a leading slash: "1100000000000001/messages"
	Query       url.Values      // optional
	Token       identity.Secret // "" calls without authorisation
	Body        []byte          // optional
	ContentType string          // of the body; default application/json
	Stream      io.Reader       // instead of Body: exactly Size bytes, read as they are sent
	Size        int64
	Header      http.Header // beside the usual ones
	Scheme      string      // of the authorisation; default Bearer
}

// slowest is the pace, in bytes a second, below which a stream is given up. It is added to the time every call has.
const slowest = 512 << 10

// deadline returns how long a call may take that carries so many bytes either way.
func (c *Client) deadline(size int64) time.Duration {
	return c.timeout + time.Duration(max(size, 0))*time.Second/slowest
}

// Do makes one attempt at a call and decodes the answer into out, unless out is nil. Errors are *Error when there was an answer
// and *Unanswered when there was none to rely on; see Outcome.
func (c *Client) Do(ctx context.Context, call Call, out any) error {
	answer, err := c.roundTrip(ctx, &call)
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &Unanswered{Fate: Unknown, Err: fmt.Errorf("read the answer: %w", err)}
	}
	return nil
}

// roundTrip returns the body of a successful answer.
func (c *Client) roundTrip(ctx context.Context, call *Call) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, c.deadline(call.Size))
	defer cancel()
	body := newOnceBody(call.Body)
	if call.Stream != nil {
		body = &onceBody{stream: call.Stream, left: call.Size}
	}
	start := time.Now()
	res, err := c.http.Do(c.request(ctx, call, body))
	if err != nil {
		err = &Unanswered{Fate: body.fate(err), Err: body.cause(withoutURL(err))}
		c.record(ctx, call, 0, start, err)
		return nil, err
	}
	defer res.Body.Close()
	answer, err := readAnswer(res)
	c.record(ctx, call, res.StatusCode, start, err)
	return answer, err
}

func (c *Client) request(ctx context.Context, call *Call, body *onceBody) *http.Request {
	path := c.base.Path + "/"
	if call.Version != "" {
		path += call.Version + "/"
	}
	u := &url.URL{Scheme: c.base.Scheme, Host: c.base.Host, Path: path + call.Path}
	query := call.Query
	if c.prove && call.Token != "" {
		withProof := url.Values{"appsecret_proof": {Proof(c.secret, call.Token)}}
		for name, values := range query {
			withProof[name] = values
		}
		query = withProof
	}
	u.RawQuery = query.Encode()
	header := make(http.Header, 4+len(call.Header))
	maps.Copy(header, call.Header)
	header["User-Agent"] = []string{userAgent}
	header["Accept"] = []string{"application/json"}
	if call.Token != "" {
		header["Authorization"] = []string{cmpOr(call.Scheme, "Bearer") + " " + call.Token.Reveal()}
	}
	r := &http.Request{Method: cmpOr(call.Method, http.MethodGet), URL: u, Host: u.Host, Header: header, Proto: "HTTP/1.1",
		ProtoMajor: 1, ProtoMinor: 1}
	if body != nil {
		header["Content-Type"] = []string{cmpOr(call.ContentType, "application/json")}
		// No GetBody: net/http must not send the request again behind our back.
		r.Body, r.ContentLength = body, max(call.Size, int64(len(call.Body)))
	}
	return r.WithContext(ctx)
}

// readAnswer reads an answer, within limits, and tells errors from success.
func readAnswer(res *http.Response) ([]byte, error) {
	answer := bytes.NewBuffer(make([]byte, 0, min(max(res.ContentLength, 512), 64<<10)))
	_, err := answer.ReadFrom(io.LimitReader(res.Body, maxAnswer+1))
	body := answer.Bytes()
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return nil, newError(res, body) // as much as could be read
	}
	switch {
	case err != nil:
		return nil, &Unanswered{Fate: Unknown, Err: fmt.Errorf("read the answer: %w", err)}
	case len(body) > maxAnswer:
		return nil, &Unanswered{Fate: Unknown, Err: fmt.Errorf("answer is longer than %d bytes", maxAnswer)}
	}
	if bytes.Contains(body, []byte(`"error"`)) { // partial failures come as 206 with an error object
		if e := newError(res, body); e.Graph {
			return nil, e
		}
	}
	return body, nil
}

// record writes one line per attempt. It has the edge, never the query, the body or the token.
func (c *Client) record(ctx context.Context, call *Call, status int, start time.Time, err error) {
	if !c.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	attrs := []slog.Attr{slog.String("method", cmpOr(call.Method, http.MethodGet)), slog.String("path", call.Path),
		slog.Int("status", status), slog.Duration("took", time.Since(start))}
	if err != nil {
		attrs = append(attrs, slog.String("class", string(ClassOf(err))), slog.Any("err", err))
	}
	c.log.LogAttrs(ctx, slog.LevelDebug, "graph call", attrs...)
}

// withoutURL removes the URL that net/http puts into its errors: its query may hold a proof.
func withoutURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// AppToken returns the token that acts as the app itself, for debug_token and the app's own subscriptions.
func (c *Client) AppToken() identity.Secret {
	return identity.Secret(c.appID + "|" + c.secret.Reveal())
}

// Proof returns appsecret_proof for a token: evidence that the caller also has the app's secret, in lower-case hex.
func Proof(secret, token identity.Secret) string {
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(token.Reveal()))
	return hex.EncodeToString(mac.Sum(nil))
}
