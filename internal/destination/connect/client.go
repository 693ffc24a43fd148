package connect

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// client makes the two calls of Connect's REST API that are needed here. AWS's own client has hundreds, which would be a quarter of
// the binary; it is the referee in the tests. Errors are of the same types as the SDK's.
type client struct {
	endpoint string
	cfg      aws.Config
	signer   *v4.Signer
}

func newClient(endpoint string, cfg aws.Config) *client {
	return &client{endpoint: strings.TrimSuffix(endpoint, "/"), cfg: cfg, signer: v4.NewSigner()}
}

// chatEvent is the input of SendChatIntegrationEvent.
type chatEvent struct {
	SourceID      string `json:"SourceId"`
	DestinationID string `json:"DestinationId"`
	Subtype       string
	Event         struct{ Type, ContentType, Content string }
	Session       *session `json:"NewSessionDetails,omitempty"`
}

type session struct {
	SupportedMessagingContentTypes []string
	ParticipantDetails             struct{ DisplayName string }
	Attributes                     map[string]string `json:",omitempty"`
}

// sendChat returns the id of the contact, "" if there is none.
func (c *client) sendChat(ctx context.Context, in *chatEvent) (contact string, err error) {
	var out struct{ InitialContactID string }
	err = c.post(ctx, "/chat-integration-event", in, &out)
	return out.InitialContactID, err
}

// phoneImport is the input of ImportPhoneNumber.
type phoneImport struct {
	InstanceID             string `json:"InstanceId"`
	SourcePhoneNumberArn   string
	PhoneNumberDescription string
	ClientToken            string
}

// importPhone returns the ARN of the number in Connect.
func (c *client) importPhone(ctx context.Context, in *phoneImport) (arn string, err error) {
	var out struct{ PhoneNumberArn string }
	err = c.post(ctx, "/phone-number/import", in, &out)
	return out.PhoneNumberArn, err
}

func (c *client) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.endpoint+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	who, err := c.cfg.Credentials.Retrieve(ctx)
	if err != nil {
		return err
	}
	hash := sha256.Sum256(body)
	if err := c.signer.SignHTTP(ctx, who, req, hex.EncodeToString(hash[:]), "connect", c.cfg.Region, time.Now()); err != nil {
		return err
	}
	resp, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body) // bounded by awsrole
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return &smithyhttp.ResponseError{Response: &smithyhttp.Response{Response: resp}, Err: refusal(resp.Header, answer)}
	}
	if err := json.Unmarshal(answer, out); err != nil {
		return &smithy.DeserializationError{Err: err}
	}
	return nil
}

// refusal reads an error of the REST protocol: its code is in a header or in the body, perhaps with a namespace before it and a URL
// behind.
func refusal(h http.Header, body []byte) error {
	var doc struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // encoding/json takes Message, too
	}
	json.Unmarshal(body, &doc) //nolint:errcheck // an answer from something in between has a status at least
	code := cmp.Or(h.Get("X-Amzn-Errortype"), doc.Type, doc.Code)
	code, _, _ = strings.Cut(code, ":")
	return &smithy.GenericAPIError{Code: code[strings.LastIndexByte(code, '#')+1:], Message: doc.Message}
}
