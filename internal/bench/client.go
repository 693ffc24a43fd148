package bench

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/waxwing-messaging/waxwing/internal/config"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Target is a service and the access key to call it with. The zero values of all but Endpoint are those of `waxwing dev`.
type Target struct {
	Endpoint string
	Region   string
	KeyID    string
	Secret   identity.Secret
}

// Client calls a service the way an SDK does, without retries. It is safe for concurrent use.
type Client struct {
	endpoint string
	host     string
	http     *http.Client
	messages signer
	topics   signer
}

// NewClient returns a client that keeps up to connections open. Requests take at most a minute.
func NewClient(t Target, connections int) (*Client, error) {
	u, err := url.Parse(t.Endpoint)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.Path != "" && u.Path != "/" {
		return nil, fmt.Errorf("endpoint %q is not a URL such as http://127.0.0.1:7766", t.Endpoint)
	}
	if t.Region == "" {
		t.Region = "us-east-1"
	}
	if t.KeyID == "" {
		t.KeyID, t.Secret = config.DevAccessKeyID, config.DevSecretAccessKey
	}
	s := signer{key: t.KeyID, secret: t.Secret.Reveal(), region: t.Region}
	c := &Client{endpoint: u.Scheme + "://" + u.Host, host: u.Host,
		http: &http.Client{Timeout: time.Minute, Transport: &http.Transport{
			MaxIdleConns: connections, MaxIdleConnsPerHost: connections, DisableCompression: true}}}
	c.messages = signer{key: s.key, secret: s.secret, region: s.region, service: "social-messaging"}
	c.topics = signer{key: s.key, secret: s.secret, region: s.region, service: "sns"}
	return c, nil
}

// Close closes idle connections.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Refusal is an answer that is an error.
type Refusal struct {
	Status int
	Code   string
	Text   string
}

func (r *Refusal) Error() string { return fmt.Sprintf("%d %s: %s", r.Status, r.Code, r.Text) }

const sendPath = "/v1/whatsapp/send"

// Send calls SendWhatsAppMessage with a request body from Compose and returns the messageId. An empty invocation gets a fresh
// amz-sdk-invocation-id, as every call of an SDK does; a retry repeats the first one's. The error is a *Refusal when there was
// an answer.
func (c *Client) Send(ctx context.Context, body []byte, invocation string) (messageID string, err error) {
	if invocation == "" {
		invocation = uuid.NewString()
	}
	h := http.Header{"Content-Type": {"application/json"}, "Amz-Sdk-Invocation-Id": {invocation}, "Amz-Sdk-Request": {"attempt=1; max=1"}}
	answer, err := c.do(ctx, &c.messages, sendPath, h, body)
	if err != nil {
		return "", err
	}
	var out struct{ MessageID string }
	if err := json.Unmarshal(answer, &out); err != nil || out.MessageID == "" {
		return "", fmt.Errorf("send answered %.100q", answer)
	}
	return out.MessageID, nil
}

// Compose makes the body of a SendWhatsAppMessage request from a message object of Meta's. It appends to b.
func Compose(b []byte, phoneNumberID string, message []byte) []byte {
	b = append(b, `{"originationPhoneNumberId":"`...)
	b = append(b, phoneNumberID...)
	b = append(b, `","metaApiVersion":"v20.0","message":"`...)
	b = base64.StdEncoding.AppendEncode(b, message)
	return append(b, `"}`...)
}

// Subscribe subscribes an HTTP endpoint to a topic, so that it gets bare messages.
func (c *Client) Subscribe(ctx context.Context, topicARN, endpoint string) error {
	form := url.Values{"Action": {"Subscribe"}, "Version": {"2010-03-31"}, "TopicArn": {topicARN}, "Protocol": {"http"}, "Endpoint": {endpoint},
		"ReturnSubscriptionArn": {"true"}, "Attributes.entry.1.key": {"RawMessageDelivery"}, "Attributes.entry.1.value": {"true"}}
	h := http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}
	_, err := c.do(ctx, &c.topics, "/", h, []byte(form.Encode()))
	return err
}

// maxAnswer is more than any answer to what this client asks.
const maxAnswer = 1 << 20

func (c *Client) do(ctx context.Context, s *signer, path string, h http.Header, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header = h
	s.sign(h, http.MethodPost, c.host, path, body, time.Now())
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return answer, nil
	}
	return nil, refusal(resp, answer)
}

// refusal reads an error in either of AWS's formats.
func refusal(resp *http.Response, answer []byte) error {
	r := &Refusal{Status: resp.StatusCode, Code: resp.Header.Get("X-Amzn-Errortype")}
	if r.Code != "" {
		var body struct{ Message string }
		if json.Unmarshal(answer, &body) == nil {
			r.Text = body.Message
		}
		return r
	}
	var body struct {
		Error struct{ Code, Message string }
	}
	if xml.Unmarshal(answer, &body) == nil {
		r.Code, r.Text = body.Error.Code, body.Error.Message
	}
	return r
}

// codeOf names an error for counting: the service's code, or why there is none.
func codeOf(err error) string {
	if r, ok := errors.AsType[*Refusal](err); ok {
		if r.Code == "" {
			return fmt.Sprintf("HTTP %d", r.Status)
		}
		return r.Code
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return "no answer"
}
