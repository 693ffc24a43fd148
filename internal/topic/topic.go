// Package topic is the built-in publish/subscribe service: a small, exact subset of Amazon SNS standard topics.
//
// It knows topics, subscriptions with their confirmation handshake, messages with their limits, and the signed JSON document
// subscribers receive. Publishing stores a message and one delivery per confirmed subscription in a single commit;
// internal/fanout delivers them afterwards. Messages are not ordered and may arrive more than once, as with SNS. The wire
// form of the operations is in internal/awsapi/sns.
package topic

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Signature versions of the documents a topic sends.
const (
	SHA1   = "1" // SHA1withRSA, the default of SNS
	SHA256 = "2" // SHA256withRSA
)

// Topic is a place to publish to. What it is called is in its ARN.
type Topic struct {
	ARN              string
	AccountID        string
	DisplayName      string
	Policy           string            // access policy as the owner wrote it; "" is the default one
	SignatureVersion string            // SHA1 or SHA256
	Tags             map[string]string // nil without tags
	CreatedAt        time.Time
}

// The attributes of a topic that its owner may set.
const (
	AttrDisplayName      = "DisplayName"
	AttrPolicy           = "Policy"
	AttrSignatureVersion = "SignatureVersion"
)

const (
	maxName        = 256
	maxDisplayName = 100
	maxPolicy      = 30_720 // SNS: 30 KB
	maxTags        = 50
)

var namePattern = regexp.MustCompile(`^[A-Za-z0-9_-]{1,256}$`)

// CheckName reports why a topic cannot have a name. Names are 1 to 256 letters, digits, hyphens and underscores; names of
// FIFO topics, which end in ".fifo", are refused because only standard topics exist here.
func CheckName(name string) error {
	if strings.HasSuffix(name, ".fifo") {
		return invalid("Topic Name Reason: FIFO topics are not supported, choose a standard topic")
	}
	if !namePattern.MatchString(name) {
		return invalid("Topic Name")
	}
	return nil
}

// Set changes one attribute. Attributes of SNS that exist but are not supported are named as such; the rest are unknown.
func (t *Topic) Set(name, value string) error {
	switch name {
	case AttrDisplayName:
		if utf8.RuneCountInString(value) > maxDisplayName || !printable(value) {
			return invalid("DisplayName Reason: at most %d characters without control characters", maxDisplayName)
		}
		t.DisplayName = value
	case AttrPolicy:
		if value != "" && (len(value) > maxPolicy || !json.Valid([]byte(value)) || value[0] != '{') {
			return invalid("Policy Reason: Policy must be a JSON document of at most %d bytes", maxPolicy)
		}
		t.Policy = value
	case AttrSignatureVersion:
		if value != SHA1 && value != SHA256 {
			return invalid("SignatureVersion Reason: must be 1 or 2")
		}
		t.SignatureVersion = value
	case "FifoTopic":
		if value != "false" {
			return invalid("FifoTopic Reason: FIFO topics are not supported, choose a standard topic")
		}
	case "DeliveryPolicy", "KmsMasterKeyId", "TracingConfig", "ContentBasedDeduplication", "ArchivePolicy", "FifoThroughputScope",
		"HTTPSuccessFeedbackRoleArn", "HTTPSuccessFeedbackSampleRate", "HTTPFailureFeedbackRoleArn":
		return invalid("AttributeName Reason: %s is not supported by the built-in topics", name)
	default:
		return invalid("AttributeName")
	}
	return nil
}

// SetAll changes several attributes, or none if one of them is wrong.
func (t *Topic) SetAll(attributes map[string]string) error {
	next := *t
	for name, value := range attributes {
		if err := next.Set(name, value); err != nil {
			return err
		}
	}
	*t = next
	return nil
}

// SetTags adds or replaces tags: at most 50, keys of 1 to 128 characters outside the reserved "aws:", values up to 256.
func (t *Topic) SetTags(tags map[string]string) error {
	next := make(map[string]string, len(t.Tags)+len(tags))
	for k, v := range t.Tags {
		next[k] = v
	}
	for k, v := range tags {
		if n := utf8.RuneCountInString(k); n < 1 || n > 128 || strings.HasPrefix(strings.ToLower(k), "aws:") {
			return invalid("Tags Reason: a key has 1 to 128 characters and does not start with aws:")
		}
		if utf8.RuneCountInString(v) > 256 {
			return invalid("Tags Reason: a value has at most 256 characters")
		}
		next[k] = v
	}
	if len(next) > maxTags {
		return fault.New(fault.LimitExceeded, "Could not complete request: tag quota of per resource exceeded")
	}
	if len(next) > 0 {
		t.Tags = next
	}
	return nil
}

// same reports whether creating want over t is a repetition of the first request rather than a different topic.
func (t *Topic) same(want *Topic, asked map[string]string) bool {
	for name := range asked {
		switch {
		case name == AttrDisplayName && t.DisplayName != want.DisplayName,
			name == AttrPolicy && t.Policy != want.Policy,
			name == AttrSignatureVersion && t.SignatureVersion != want.SignatureVersion:
			return false
		}
	}
	return true
}

// Counts tells how many subscriptions a topic has in each state.
type Counts struct {
	Confirmed, Pending, Deleted int
}

// invalid is SNS's way to say that an argument is wrong.
func invalid(format string, args ...any) error {
	return fault.New(fault.InvalidParameters, "Invalid parameter: "+format, args...)
}

// printable reports whether s is text without control characters.
func printable(s string) bool {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return false
		}
	}
	return true
}
