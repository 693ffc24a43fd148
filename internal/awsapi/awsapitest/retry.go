package awsapitest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Retryer lets the AWS SDK call again only when the connection broke, so that tests see the first answer of the service. The SDK
// closes the body of a request as soon as the headers of its answer are there; net/http, which has sent that body but not looked yet
// whether it ends there, then drops the connection in the middle of the answer. The faster the service, the more often.
func Retryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.Retryables = []retry.IsErrorRetryable{retry.RetryableConnectionError{}}
		o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
	})
}
