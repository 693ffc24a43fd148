package topic

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// ARN is the parsed name of a topic (Subscription is "") or of a subscription.
type ARN struct {
	Partition    string
	Region       string
	AccountID    string
	Topic        string // the topic's name
	Subscription string // UUID
}

// String puts the name together, e.g. arn:aws:sns:us-east-1:000000000000:orders.
func (a ARN) String() string {
	s := "arn:" + a.Partition + ":sns:" + a.Region + ":" + a.AccountID + ":" + a.Topic
	if a.Subscription != "" {
		s += ":" + a.Subscription
	}
	return s
}

// OfTopic returns the ARN of the topic that a subscription belongs to.
func (a ARN) OfTopic() ARN {
	a.Subscription = ""
	return a
}

// ParseARN reads the ARN of a topic. The error names the parameter it came in.
func ParseARN(parameter, s string) (ARN, error) { return parseARN(parameter, s, 6) }

// ParseSubscriptionARN reads the ARN of a subscription: a topic's, a colon and a UUID.
func ParseSubscriptionARN(parameter, s string) (ARN, error) { return parseARN(parameter, s, 7) }

func parseARN(parameter, s string, want int) (ARN, error) {
	if s == "" {
		return ARN{}, invalid("%s Reason: no value for required parameter", parameter)
	}
	if !strings.HasPrefix(s, "arn:") {
		return ARN{}, invalid("%s Reason: %.64s does not start with arn", parameter, s)
	}
	var parts [8]string
	n := 0
	for rest, more := s, true; more && n < len(parts); n++ {
		parts[n], rest, more = strings.Cut(rest, ":")
	}
	if n < 6 {
		return ARN{}, invalid("%s Reason: An ARN must have at least 6 elements, not %d", parameter, n)
	}
	a := ARN{Partition: parts[1], Region: parts[3], AccountID: parts[4], Topic: parts[5], Subscription: parts[6]}
	if n != want || parts[2] != "sns" || a.Partition == "" || a.Region == "" || a.AccountID == "" || CheckName(a.Topic) != nil ||
		(want == 7 && !isUUID(a.Subscription)) {
		return ARN{}, invalid("%s", parameter)
	}
	return a, nil
}

func isUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// newUUID makes a random (version 4) UUID.
func newUUID() string {
	var b [16]byte
	rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	dst := make([]byte, 36)
	hex.Encode(dst, b[:4])
	hex.Encode(dst[9:], b[4:6])
	hex.Encode(dst[14:], b[6:8])
	hex.Encode(dst[19:], b[8:10])
	hex.Encode(dst[24:], b[10:])
	dst[8], dst[13], dst[18], dst[23] = '-', '-', '-', '-'
	return string(dst)
}
