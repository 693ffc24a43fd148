package topic

import (
	"errors"
	"net/url"
	"regexp"
	"strings"
)

const maskedPassword = "****"

// checkProtocol reports why there can be no subscriptions of a protocol.
func checkProtocol(protocol string, queues bool) error {
	switch protocol {
	case HTTP, HTTPS:
	case SQS:
		if !queues {
			return invalid("Protocol Reason: this server sends to no queues, since its setting sqs.endpoint is empty")
		}
	case "lambda", "email", "email-json", "sms", "application", "firehose":
		return invalid("Protocol Reason: %s is not supported by the built-in topics; use http, https or sqs", protocol)
	default:
		return invalid("Amazon SNS does not support this protocol string: %.32s", protocol)
	}
	return nil
}

// parseURL checks the address of an HTTP subscription and takes the password out of it.
func parseURL(protocol, endpoint string) (shown, password string, err error) {
	u, err := url.Parse(endpoint)
	if err != nil || len(endpoint) > 2048 || u.Hostname() == "" || u.Opaque != "" || u.Fragment != "" || !printable(endpoint) {
		return "", "", invalid("HTTP(S) Endpoint")
	}
	if u.Scheme != protocol {
		return "", "", invalid("Endpoint must match the specified protocol")
	}
	if password, ok := u.User.Password(); ok {
		u.User = url.User(u.User.Username())
		shown := u.String()
		at := strings.Index(shown, "@")
		return shown[:at] + ":" + maskedPassword + shown[at:], password, nil
	}
	return endpoint, "", nil
}

// Address returns the URL to deliver to, given the opened password ("" when the endpoint has none).
func (s *Subscription) Address(password string) (*url.URL, error) {
	u, err := url.Parse(s.Endpoint)
	if err == nil && s.Password != nil {
		u.User = url.UserPassword(u.User.Username(), password)
	}
	return u, err
}

// checkQueue reports why a queue cannot subscribe.
func checkQueue(arn, region string) (QueueARN, error) {
	q, err := ParseQueueARN(arn)
	switch {
	case errors.Is(err, errFIFOQueue):
		return q, invalid("Endpoint Reason: FIFO SQS Queues can not be subscribed to standard SNS topics")
	case err != nil:
		return q, invalid("SQS endpoint ARN")
	case q.Region != region:
		return q, invalid("Endpoint Reason: the queue has to be in %s", region)
	}
	return q, nil
}

// QueueARN is the parsed name of an SQS queue.
type QueueARN struct {
	Partition string
	Region    string
	AccountID string
	Name      string
}

var (
	errNoQueue   = errors.New("not the ARN of an SQS queue")
	errFIFOQueue = errors.New("FIFO queues are not supported, choose a standard queue")
)

var (
	queueName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)
	accountID = regexp.MustCompile(`^[0-9]{12}$`)
)

// ParseQueueARN reads the ARN of a standard queue, e.g. arn:aws:sqs:us-east-1:000000000000:orders.
func ParseQueueARN(arn string) (QueueARN, error) {
	parts := strings.Split(arn, ":")
	if len(parts) != 6 || parts[0] != "arn" || parts[1] == "" || parts[2] != "sqs" || parts[3] == "" || !accountID.MatchString(parts[4]) {
		return QueueARN{}, errNoQueue
	}
	q := QueueARN{Partition: parts[1], Region: parts[3], AccountID: parts[4], Name: parts[5]}
	switch standard, fifo := strings.CutSuffix(q.Name, ".fifo"); {
	case !queueName.MatchString(standard):
		return QueueARN{}, errNoQueue
	case fifo:
		return QueueARN{}, errFIFOQueue
	}
	return q, nil
}
