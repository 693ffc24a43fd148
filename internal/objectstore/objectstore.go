// Package objectstore reads and writes media in buckets: those of Amazon S3 or anything that speaks its protocol, and whatever a
// presigned URL leads to. The built-in buckets are in the package below.
//
// Files are streamed. An object is written whole or not at all, and nothing is tried twice: what was read from its source once
// cannot be read again.
package objectstore

import (
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/media"
)

// Options configure an S3 client. Region and Credentials are required.
type Options struct {
	Endpoint    string // of S3 or a compatible store; "" is Amazon's in the Region
	Region      string
	PathStyle   bool // the bucket is in the path, not in the host's name
	Credentials aws.CredentialsProvider
	HTTPClient  *http.Client // default: the SDK's
	// Buckets are the ones that may be used, as patterns in which * stands for anything and {account} for the caller's account.
	// None allows all: every account then reaches every bucket that the credentials reach.
	Buckets []string
}

// S3 reads and writes objects. It is safe for concurrent use.
type S3 struct {
	client  *s3.Client
	buckets []string
}

// New returns a client.
func New(o Options) *S3 {
	return &S3{buckets: o.Buckets, client: s3.New(s3.Options{Region: o.Region, Credentials: o.Credentials, UsePathStyle: o.PathStyle,
		// What is streamed through cannot be summed up first, nor can it be sent again.
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		ResponseChecksumValidation: aws.ResponseChecksumValidationWhenRequired,
		Retryer:                    aws.NopRetryer{}}, func(so *s3.Options) {
		if o.Endpoint != "" {
			so.BaseEndpoint = aws.String(o.Endpoint)
		}
		if o.HTTPClient != nil {
			so.HTTPClient = o.HTTPClient
		}
	})}
}

// Get opens an object. What does not exist is a fault.NotFound.
func (s *S3) Get(ctx context.Context, account, bucket, key string) (media.Object, error) {
	if err := s.allow(account, bucket); err != nil {
		return media.Object{}, err
	}
	out, err := s.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return media.Object{}, storeFault(err, bucket)
	}
	size := int64(-1)
	if out.ContentLength != nil {
		size = *out.ContentLength
	}
	return media.Object{Size: size, Type: aws.ToString(out.ContentType), Body: out.Body}, nil
}

// Put writes an object, whose size has to be known.
func (s *S3) Put(ctx context.Context, account, bucket, key string, from media.Object) error {
	if err := s.allow(account, bucket); err != nil {
		return err
	}
	body := &source{r: from.Body}
	_, err := s.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &bucket, Key: &key, Body: body, ContentLength: &from.Size,
		ContentType: &from.Type}, s3.WithAPIOptions(unsigned))
	if err != nil && body.err != nil {
		return body.fault()
	}
	return storeFault(err, bucket)
}

// unsigned leaves the body out of the signature, which would have to be made before it is read.
func unsigned(stack *middleware.Stack) error {
	return v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware(stack)
}

// source remembers the trouble of what is being sent, to tell it from that of the receiver.
type source struct {
	r   io.Reader
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.err = err
	}
	return n, err
}

// fault is what the caller is told when the source failed: its own words if it has any.
func (s *source) fault() error {
	if f, ok := errors.AsType[*fault.Error](s.err); ok {
		return f
	}
	return fault.Wrap(fault.Dependency, s.err, "The file could not be read to its end.")
}

func (s *S3) allow(account, bucket string) error {
	if len(s.buckets) == 0 {
		return nil
	}
	for _, pattern := range s.buckets {
		if ok, err := path.Match(strings.ReplaceAll(pattern, "{account}", account), bucket); err == nil && ok {
			return nil
		}
	}
	return fault.New(fault.AccessDenied, "The bucket %s is not one that this account may use here.", bucket)
}

// storeFault says what S3's refusal means to the caller.
func storeFault(err error, bucket string) error {
	if err == nil {
		return nil
	}
	refused, ok := errors.AsType[smithy.APIError](err)
	if !ok {
		return fault.Wrap(fault.Dependency, err, "The bucket %s could not be reached.", bucket)
	}
	switch code := refused.ErrorCode(); code {
	case "NoSuchBucket":
		return fault.Wrap(fault.NotFound, err, "There is no bucket %s.", bucket)
	case "NoSuchKey", "NotFound":
		return fault.Wrap(fault.NotFound, err, "The bucket %s has no object of this key.", bucket)
	case "AccessDenied", "Forbidden", "InvalidAccessKeyId", "SignatureDoesNotMatch", "AllAccessDisabled", "ExpiredToken":
		return fault.Wrap(fault.AccessDenied, err, "Access to the bucket %s was denied (%s).", bucket, code)
	case "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException":
		return fault.Wrap(fault.InvalidParameters, err, "The bucket %s is not in this Region.", bucket)
	case "InvalidObjectState":
		return fault.Wrap(fault.InvalidParameters, err, "The object in the bucket %s is archived and has to be restored first.", bucket)
	default:
		return fault.Wrap(fault.Dependency, err, "The bucket %s answered %s.", bucket, code)
	}
}
