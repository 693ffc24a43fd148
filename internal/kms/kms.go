// Package kms reads public keys from AWS KMS or a service compatible with it. Private keys never leave KMS, and nothing here asks
// it to use one.
package kms

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/kms/types"
	"github.com/aws/smithy-go"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Options configure a Client. All but HTTPClient are required.
type Options struct {
	Endpoint    string // of KMS or a compatible service
	Region      string
	Credentials aws.CredentialsProvider
	HTTPClient  *http.Client // default: the SDK's
}

// Client reads keys. It is safe for concurrent use.
type Client struct {
	region string
	client *kms.Client
}

// attemptTimeout bounds one look-up, its retries by the SDK included.
const attemptTimeout = 15 * time.Second

// New returns a client. It contacts nobody yet.
func New(o Options) *Client {
	return &Client{region: o.Region, client: kms.New(kms.Options{Region: o.Region, Credentials: o.Credentials, BaseEndpoint: aws.String(o.Endpoint)},
		func(ko *kms.Options) {
			if o.HTTPClient != nil {
				ko.HTTPClient = o.HTTPClient
			}
		})}
}

// PublicKey returns, in PEM, the public part of the key or alias with an ARN, which has to be a pair for encryption with RSA of
// 2048 bits. The credentials are ours and may reach more than the caller should: a key of another account is refused before KMS is
// asked, as is one of another Region, where this endpoint has no keys.
func (c *Client) PublicKey(ctx context.Context, accountID, arn string) (string, error) {
	part := strings.SplitN(arn, ":", 6) // arn:aws:kms:region:account:key/…
	switch {
	case len(part) != 6 || part[2] != "kms":
		return "", fault.New(fault.InvalidParameters, "%s is not the ARN of a KMS key.", arn)
	case part[3] != c.region:
		return "", fault.New(fault.InvalidParameters, "The KMS key %s is in the Region %s; it has to be in %s.", arn, part[3], c.region)
	case part[4] != accountID:
		return "", fault.New(fault.AccessDenied, "The KMS key %s belongs to another account.", arn)
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	out, err := c.client.GetPublicKey(ctx, &kms.GetPublicKeyInput{KeyId: &arn})
	if err != nil {
		return "", keyFault(err, arn)
	}
	if out.KeyUsage != types.KeyUsageTypeEncryptDecrypt {
		return "", fault.New(fault.InvalidParameters, "The KMS key %s is for %s. WhatsApp encrypts for it, so its usage has to be ENCRYPT_DECRYPT.", arn, named(out.KeyUsage))
	}
	if out.KeySpec != types.KeySpecRsa2048 {
		return "", fault.New(fault.InvalidParameters, "The KMS key %s is of the type %s; WhatsApp takes RSA_2048 only.", arn, named(out.KeySpec))
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: out.PublicKey})), nil
}

func named[T ~string](value T) string {
	if value == "" {
		return "an unknown purpose or type"
	}
	return string(value)
}

// keyFault says what KMS's refusal means to the caller.
func keyFault(err error, arn string) error {
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fault.Wrap(fault.Dependency, err, "AWS KMS could not be reached.")
	}
	why := func(kind fault.Kind, text string) error {
		return fault.Wrap(kind, err, "The KMS key %s %s.", arn, text)
	}
	switch code := refused.ErrorCode(); code {
	case "NotFoundException":
		return why(fault.NotFound, "does not exist")
	case "AccessDeniedException", "UnrecognizedClientException", "InvalidClientTokenId", "IncompleteSignature", "InvalidSignatureException",
		"SignatureDoesNotMatch", "MissingAuthenticationTokenException", "ExpiredTokenException", "OptInRequired":
		return why(fault.AccessDenied, fmt.Sprintf("may not be read with the credentials of this installation (%s): its key policy has to allow them kms:GetPublicKey", code))
	case "DisabledException":
		return why(fault.InvalidParameters, "is disabled")
	case "KMSInvalidStateException":
		return why(fault.InvalidParameters, "is not in a state in which it can be used; it may be about to be deleted")
	case "UnsupportedOperationException", "InvalidKeyUsageException":
		return why(fault.InvalidParameters, "has no public part: it has to be an asymmetric key of the type RSA_2048 with the usage ENCRYPT_DECRYPT")
	case "InvalidArnException", "ValidationException":
		return why(fault.InvalidParameters, "is not one that KMS understands")
	case "ThrottlingException", "Throttling", "TooManyRequestsException", "LimitExceededException":
		return &fault.Error{Kind: fault.Throttled, Message: "AWS KMS takes no more requests for now.", RetryAfter: time.Second, Cause: err}
	default:
		return fault.Wrap(fault.Dependency, err, "AWS KMS answered %s.", code)
	}
}
