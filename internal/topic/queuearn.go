package topic

import (
	"errors"
	"regexp"
	"strings"
)

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
