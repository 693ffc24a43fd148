package target

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/bus"
	"github.com/waxwing-messaging/waxwing/internal/destination"
	"github.com/waxwing-messaging/waxwing/internal/fault"
)

const (
	userAgent = "Amazon/EventBridge/ApiDestinations" // what endpoints of EventBridge see
	endpoint  = "the endpoint"
	maxAnswer = 64 << 10 // of a response is read, so that its connection can be used again
)

// call makes one request to an API destination, within its rate.
func (c *Courier) call(ctx context.Context, to *bus.Target, event, payload []byte) error {
	call, err := c.Calls.Call(ctx, to.ARN)
	if err != nil {
		return err
	}
	parameters, err := to.Parameters(event)
	if err != nil {
		return err
	}
	req, err := request(&call, parameters, payload)
	if err != nil {
		return err
	}
	if err := c.await(ctx, &call.Destination); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	resp, err := c.Client.Do(req.WithContext(ctx))
	if err != nil {
		return fault.New(fault.Dependency, "%s", destination.Unreached(endpoint, err))
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) //nolint:errcheck // the status line has said it all
	return judge(resp, time.Now())
}

// await waits for the destination's turn. Its rate is that of this node.
func (c *Courier) await(ctx context.Context, d *bus.Destination) error {
	for {
		wait := c.paces.Take(pace{d.ARN, d.Rate}, float64(d.Rate), 1, time.Now())
		if wait == 0 {
			return nil
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// request makes what is sent. What the connection says wins over what the target says.
func request(call *bus.Call, p bus.HTTPParameters, payload []byte) (*http.Request, error) {
	address, err := address(call.Destination.Endpoint, &p)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequest(call.Destination.Method, "", bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	req.URL, req.Host = address, address.Host
	req.Header.Set("Content-Type", "application/json; charset=utf-8")
	for name, value := range p.Header {
		if strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
			return nil, fault.New(fault.InvalidParameters, "with this event the header %s would have a control character", name)
		}
		req.Header.Set(name, value)
	}
	req.Header.Set("User-Agent", userAgent)
	switch call.Type {
	case bus.Basic:
		req.SetBasicAuth(call.Username, call.Secret.Reveal())
	case bus.APIKey:
		req.Header.Set(call.Username, call.Secret.Reveal())
	}
	return req, nil
}

// address puts path parameters in place of the stars in a URL's path, and adds query parameters.
func address(raw string, p *bus.HTTPParameters) (*url.URL, error) {
	path, query, _ := strings.Cut(raw, "?")
	for _, value := range p.Path {
		if value == "." || value == ".." {
			return nil, fault.New(fault.InvalidParameters, "with this event a path parameter would be %s", value)
		}
		path = strings.Replace(path, "*", url.PathEscape(value), 1)
	}
	u, err := url.Parse(path)
	if err != nil {
		return nil, fault.New(fault.InvalidParameters, "the URL of the API destination cannot be used")
	}
	u.RawQuery = query
	if len(p.Query) > 0 {
		q := u.Query()
		for name, value := range p.Query {
			q.Set(name, value)
		}
		u.RawQuery = q.Encode()
	}
	return u, nil
}

// judge says what an answer means, as EventBridge sees it: what is wrong with a request stays wrong, but for authorization, conflicts
// and too many of them. The answer's body is not repeated: endpoints show in it what they were sent.
func judge(resp *http.Response, now time.Time) error {
	status := resp.StatusCode
	if status/100 == 2 {
		return nil
	}
	e := fault.New(fault.InvalidParameters, "%s answered %s", endpoint, strings.TrimSpace(strconv.Itoa(status)+" "+http.StatusText(status)))
	switch {
	case status == http.StatusTooManyRequests:
		e.Kind, e.RetryAfter = fault.Throttled, destination.RetryAfter(resp.Header, now)
	case status >= 500, status == http.StatusUnauthorized, status == http.StatusProxyAuthRequired, status == http.StatusConflict:
		e.Kind, e.RetryAfter = fault.Dependency, destination.RetryAfter(resp.Header, now)
	}
	return e
}
