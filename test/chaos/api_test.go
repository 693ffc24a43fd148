package chaos

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/waxwing-messaging/waxwing/internal/config"
)

// api is the URL of the node, asked as the account's administrator.
type api string

var credentials = aws.Credentials{AccessKeyID: config.DevAccessKeyID, SecretAccessKey: config.DevSecretAccessKey.Reveal()}

// call makes a signed request for an operation beyond AWS's API.
func (a api) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return err
		}
	}
	target := string(a) + "/v1/waxwing/" + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(ctx, credentials, req, hex.EncodeToString(sum[:]), "social-messaging", "us-east-1", time.Now()); err != nil {
		return err
	}
	return do(req, out)
}

// status is what the node knows about a message.
type status struct {
	State    string
	Timeline []struct {
		Status string
		Errors []struct {
			Code  int
			Title string
		}
	}
}

func (a api) details(ctx context.Context, id string) (status, error) {
	var out struct{ Message status }
	err := a.call(ctx, http.MethodGet, "messages/details", url.Values{"id": {id}}, nil, &out)
	return out.Message, err
}

// reason is what the node says about a failure, "" if it says nothing.
func (s *status) reason() string {
	for _, step := range s.Timeline {
		for _, e := range step.Errors {
			if e.Code != 0 && e.Title != "" {
				return fmt.Sprintf("%s: %d %s", step.Status, e.Code, e.Title)
			}
		}
	}
	return ""
}

// ready asks /readyz.
func (a api) ready(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, string(a)+"/readyz", http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("/readyz: %s", resp.Status)
	}
	return nil
}
