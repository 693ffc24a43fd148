package account

import (
	"crypto/rand"
	"encoding/hex"
	"strings"
)

// The kinds of resource the service has; additional event destinations are ours. A kind is the prefix of ids ("waba-<key>") and the resource type of ARNs
// ("waba/<key>").
const (
	KindWABA             = "waba"
	KindPhoneNumber      = "phone-number-id"
	KindEventDestination = "event-destination"
)

// Scope is the part of an ARN that says where a resource lives.
type Scope struct {
	Partition string // "aws"
	Region    string
	AccountID string
}

// ARN names a resource of the scope, e.g. arn:aws:social-messaging:us-east-1:000000000000:waba/<key>.
func (s Scope) ARN(kind, key string) string {
	return "arn:" + s.Partition + ":social-messaging:" + s.Region + ":" + s.AccountID + ":" + kind + "/" + key
}

// ID returns the short id of a resource: the kind, a hyphen and its key.
func ID(kind, key string) string { return kind + "-" + key }

// NewKey makes the random variable part of an id: 32 lower-case hex digits.
func NewKey() string {
	b := make([]byte, 16)
	rand.Read(b)
	return hex.EncodeToString(b)
}

// ResolveKey returns the key named by an id or ARN of the given kind, if it can exist in the scope. An ARN of another
// partition, service, Region or account resolves to nothing: for the caller such a resource is not there. So does anything
// malformed. An ARN whose resource repeats the prefix ("waba/waba-…"), as AWS's own CloudTrail sample has it, is understood.
func ResolveKey(scope Scope, kind, idOrARN string) (key string, ok bool) {
	if !strings.HasPrefix(idOrARN, "arn:") {
		key, ok = strings.CutPrefix(idOrARN, kind+"-")
		return key, ok && key != ""
	}
	key, ok = strings.CutPrefix(idOrARN, scope.ARN(kind, ""))
	key = strings.TrimPrefix(key, kind+"-")
	return key, ok && key != ""
}
