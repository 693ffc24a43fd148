// Package https posts events to URLs that accounts choose, signed as Standard Webhooks describe.
//
// The body is the document that AWS publishes to SNS. A receiver has taken an event when it answers 2xx within 15 seconds; with 410
// it wants no more. Everything else is tried again, since receivers are often unwell for a while or set up wrongly at first; only
// an event that is called too large (413) is given up. Redirects are not followed: a signature and headers are for one receiver.
package https

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/event"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

const (
	timeout   = 15 * time.Second
	maxAnswer = 64 << 10 // of a response is read, so that its connection can be used again
	receiver  = "the receiver"
	userAgent = "waxwing"
)

// Publisher posts events. It is safe for concurrent use.
type Publisher struct{ client *http.Client }

// New returns a Publisher that uses a client's connections: one that is built for URLs of strangers.
func New(client *http.Client) *Publisher {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Publisher{client: &c}
}

// Publish posts each message in a request of its own and returns one error a message, as destinationtest describes.
func (p *Publisher) Publish(ctx context.Context, d event.Destination, messages []event.Outgoing) []error {
	errs := destination.Untried(len(messages))
	keys, err := signingKeys(d.Secrets)
	if err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	destination.Each(ctx, func(yield func(func() bool) bool) {
		for i := range messages {
			if !yield(func() (trouble bool) { trouble, errs[i] = p.post(ctx, &d, keys, &messages[i]); return trouble }) {
				return
			}
		}
	}, d.Concurrency)
	return errs
}

// post makes one request. It reports whether the receiver as a whole is in trouble; a refusal may be about one event.
func (p *Publisher) post(ctx context.Context, d *event.Destination, keys [][]byte, m *event.Outgoing) (trouble bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	body := m.Envelope()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.Address, bytes.NewReader(body))
	if err != nil { // its text has the URL
		return true, fault.New(fault.Dependency, "the destination's URL cannot be used")
	}
	for _, h := range d.Headers {
		req.Header.Set(h.Name, h.Value.Reveal())
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Webhook-Id", m.ID)
	req.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	if signatures := sign(keys, m.ID, now, body); signatures != "" {
		req.Header.Set("Webhook-Signature", signatures)
	} else {
		req.Header.Del("Webhook-Signature")
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return true, fault.New(fault.Dependency, "%s", destination.Unreached(receiver, err))
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) //nolint:errcheck // the status line has said it all
	return judge(resp, now)
}

// judge says what an answer means. Its body is not repeated: receivers show in it what they were sent.
func judge(resp *http.Response, now time.Time) (trouble bool, err error) {
	status := resp.StatusCode
	if status/100 == 2 {
		return false, nil
	}
	text := receiver + " answered " + strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status))
	e := fault.New(fault.Dependency, "%s", text)
	e.RetryAfter = destination.RetryAfter(resp.Header, now)
	switch status {
	case http.StatusGone:
		return true, &event.GoneError{Reason: text}
	case http.StatusTooManyRequests:
		e.Kind = fault.Throttled
		return true, e
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true, e
	case http.StatusRequestEntityTooLarge:
		return false, fault.New(fault.InvalidParameters, "%s", text)
	}
	if status/100 == 3 {
		e.Message += ". Redirects are not followed: give the destination the URL that they lead to"
	}
	return e.RetryAfter > 0, e
}

// signingKeys returns what the secrets stand for: the bytes behind whsec_ in base64.
func signingKeys(secrets []identity.Secret) ([][]byte, error) {
	keys := make([][]byte, len(secrets))
	for i, s := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.Reveal(), "whsec_"))
		if err != nil || len(key) == 0 {
			return nil, errSecret
		}
		keys[i] = key
	}
	return keys, nil
}

var errSecret error = fault.Wrap(fault.Dependency, errors.New("whsec_ and base64 are wanted"), "a signing secret cannot be used")

// sign returns the signatures of an attempt, one for each key, so that a receiver that knows any of them can verify it.
func sign(keys [][]byte, id string, at time.Time, body []byte) string {
	var b strings.Builder
	for i, key := range keys {
		if i > 0 {
			b.WriteByte(' ')
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		b.WriteString("v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return b.String()
}
