package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/waxwing-messaging/waxwing/internal/topic"
)

// poster is the transport of http and https.
type poster struct {
	client *http.Client
}

// newPoster uses the given client's connections, but never follows a redirect: the endpoint that was confirmed is the one
// that receives.
func newPoster(client *http.Client) poster {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return poster{client: &c}
}

const (
	userAgent   = "Amazon Simple Notification Service Agent" // what subscribers of SNS see
	contentType = "text/plain; charset=UTF-8"
	maxAnswer   = 64 << 10 // of a response is read, so that its connection can be used again
)

// Deliver posts a document with SNS's headers. Only a 2xx answer means that it arrived.
func (p poster) Deliver(ctx context.Context, s *topic.Subscription, d Document) error {
	address, err := s.Address(d.Password)
	if err != nil {
		return errors.New("endpoint is not a URL")
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(d.Body))
	if err != nil {
		return err
	}
	req.URL, req.Host = address, address.Host
	// Names in lower case go out as they are.
	req.Header["x-amz-sns-message-type"] = []string{d.Kind.String()}
	req.Header["x-amz-sns-message-id"] = []string{d.MessageID}
	req.Header["x-amz-sns-topic-arn"] = []string{s.TopicARN}
	if d.Kind != topic.SubscriptionConfirmation {
		req.Header["x-amz-sns-subscription-arn"] = []string{s.ARN}
	}
	if s.Raw && d.Kind == topic.Notification {
		req.Header["x-amz-sns-rawdelivery"] = []string{"true"}
	}
	req.Header["Content-Type"] = []string{contentType}
	req.Header["User-Agent"] = []string{userAgent}
	resp, err := p.client.Do(req)
	if err != nil {
		return errors.New(explain(err))
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, maxAnswer)) //nolint:errcheck // the status line has said it all
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("the endpoint answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}

// explain says why a request failed, without the URL: it may carry a secret in its query.
func explain(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "the endpoint did not answer in time"
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	return "the endpoint cannot be reached: " + err.Error()
}
