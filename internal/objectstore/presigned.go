package objectstore

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
)

// amazon is the host of what AWS's model asks of a presigned URL, https://(.*)s3(.*).amazonaws.com/(.*), with its dots meant:
// the model's own would let https://evil.example/s3.amazonaws.com/ pass.
var amazon = regexp.MustCompile(`^([a-z0-9.-]+\.)?s3[a-z0-9.-]*\.amazonaws\.com(\.cn)?$`)

// Presigned reads and writes through URLs that their senders were given by whoever owns the bucket. It reaches S3 of Amazon and
// the hosts it was told, and no other, through redirects or not.
type Presigned struct {
	client *http.Client
	hosts  []string
	own    []string
	local  http.RoundTripper
}

// PresignedOptions configure Presigned.
type PresignedOptions struct {
	// Client makes the connections; it is expected to refuse private addresses. Its CheckRedirect is asked too.
	Client *http.Client
	// Hosts beside Amazon's: host or host:port, in which * stands for anything but a dot. Those may be plain HTTP.
	Hosts []string
	// Own are the origins (scheme://host:port) of the built-in buckets, and Local answers requests to them, without a connection.
	// Both or neither.
	Own   []string
	Local http.RoundTripper
}

// NewPresigned returns a Presigned.
func NewPresigned(o PresignedOptions) *Presigned {
	p := &Presigned{hosts: o.Hosts, own: o.Own, local: o.Local}
	client := *o.Client
	inner := client.CheckRedirect
	client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if !p.remote(r.URL) {
			return errRedirect
		}
		if inner != nil {
			return inner(r, via)
		}
		return nil
	}
	p.client = &client
	return p
}

var errRedirect = errors.New("redirected to a host that is not allowed")

// Allowed reports whether a URL leads to a host that may be used.
func (p *Presigned) Allowed(raw string) bool {
	u, err := url.Parse(raw)
	return err == nil && u.User == nil && (p.isOwn(u) || p.remote(u))
}

func (p *Presigned) isOwn(u *url.URL) bool {
	return p.local != nil && slices.Contains(p.own, u.Scheme+"://"+strings.ToLower(u.Host))
}

func (p *Presigned) remote(u *url.URL) bool {
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" && u.Port() == "" && amazon.MatchString(host) {
		return true
	}
	if u.Scheme != "https" && u.Scheme != "http" {
		return false
	}
	for _, allowed := range p.hosts {
		// A name with a dot for every dot of the pattern: path.Match knows slashes only.
		if ok, err := path.Match(slashed(strings.ToLower(allowed)), slashed(host)); err == nil && ok {
			return true
		}
	}
	return false
}

func slashed(host string) string { return strings.ReplaceAll(host, ".", "/") }

// Get reads what a URL leads to. The headers are sent as they are, but for a Content-Type that the URL does not sign: it says what
// the file is, and would spoil signatures of version 2, which cover it always.
func (p *Presigned) Get(ctx context.Context, raw string, headers map[string]string) (media.Object, error) {
	r, err := p.request(ctx, http.MethodGet, raw, headers)
	if err != nil {
		return media.Object{}, err
	}
	if !strings.Contains(r.URL.Query().Get("X-Amz-SignedHeaders"), "content-type") {
		r.Header.Del("Content-Type")
	}
	res, err := p.do(r) //nolint:bodyclose // it is the object's, and its reader's to close
	if err != nil {
		return media.Object{}, err
	}
	return media.Object{Size: res.ContentLength, Type: res.Header.Get("Content-Type"), Body: res.Body}, nil
}

// Put writes to what a URL leads to. The file's type is added to the headers if they have none, unless the signature is of version 2:
// that covers it always, and whoever signed without one would be refused.
func (p *Presigned) Put(ctx context.Context, raw string, headers map[string]string, from media.Object) error {
	r, err := p.request(ctx, http.MethodPut, raw, headers)
	if err != nil {
		return err
	}
	if version2 := r.URL.Query().Has("Signature"); r.Header.Get("Content-Type") == "" && !version2 {
		r.Header.Set("Content-Type", from.Type)
	}
	body := &source{r: from.Body}
	r.Body, r.ContentLength = io.NopCloser(body), from.Size
	res, err := p.do(r)
	if body.err != nil {
		return body.fault()
	}
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// connection are the headers that a caller may not choose.
var connection = map[string]bool{"Host": true, "Content-Length": true, "Transfer-Encoding": true, "Connection": true, "Upgrade": true,
	"Te": true, "Trailer": true, "Expect": true, "Accept-Encoding": true, "Proxy-Authorization": true, "Keep-Alive": true}

func (p *Presigned) request(ctx context.Context, method, raw string, headers map[string]string) (*http.Request, error) {
	if !p.Allowed(raw) {
		return nil, fault.New(fault.InvalidParameters, "The presigned URL does not lead to Amazon S3 or a host that is allowed here.")
	}
	r, err := http.NewRequestWithContext(ctx, method, raw, nil)
	if err != nil {
		return nil, fault.New(fault.InvalidParameters, "The presigned URL is not a URL.")
	}
	r.Header.Set("User-Agent", "waxwing")
	for name, value := range headers {
		canonical := textproto.CanonicalMIMEHeaderKey(name)
		if connection[canonical] || !validHeader(name, value) {
			return nil, fault.New(fault.InvalidParameters, "The header %q cannot be sent with a presigned URL.", name)
		}
		r.Header.Set(canonical, value)
	}
	return r, nil
}

// validHeader reports whether a header can be sent at all (RFC 9110, section 5).
func validHeader(name, value string) bool {
	const marks = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(marks, r)
	}) && !strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// do sends a request and returns the answer if it is a success. Errors do not repeat the URL, which is a secret.
func (p *Presigned) do(r *http.Request) (*http.Response, error) {
	var res *http.Response
	var err error
	if p.isOwn(r.URL) {
		res, err = p.local.RoundTrip(r)
	} else {
		res, err = p.client.Do(r)
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	switch {
	case errors.Is(err, context.Canceled):
		return nil, err
	case errors.Is(err, errRedirect):
		return nil, fault.Wrap(fault.InvalidParameters, err, "The presigned URL redirects to a host that is not allowed here.")
	case err != nil:
		return nil, fault.Wrap(fault.Dependency, err, "The presigned URL could not be reached.")
	case res.StatusCode >= 200 && res.StatusCode < 300 && res.StatusCode != http.StatusPartialContent:
		return res, nil
	}
	res.Body.Close()
	switch {
	case res.StatusCode == http.StatusNotFound:
		return nil, fault.New(fault.NotFound, "The presigned URL leads to no object (HTTP 404).")
	case res.StatusCode == http.StatusForbidden:
		return nil, fault.New(fault.InvalidParameters, "The presigned URL was refused (HTTP 403): it has expired, or was signed for another method or for other headers.")
	case res.StatusCode < 500:
		return nil, fault.New(fault.InvalidParameters, "The presigned URL was refused (HTTP %d).", res.StatusCode)
	default:
		return nil, fault.New(fault.Dependency, "The presigned URL was answered with HTTP %d.", res.StatusCode)
	}
}
