package event

import (
	"crypto/rand"
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waxwing-messaging/waxwing/internal/account"
	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// Spec is what someone asks of an additional destination. What is nil or empty is left as it is.
type Spec struct {
	Name        *string
	Kind        Kind // only when it is made
	Address     string
	RoleARN     *string
	WABAKey     *string // "" for every business account
	Filter      *Filter
	Concurrency int
	PerSecond   *float64
	Secret      identity.Secret // only when it is made; "" makes a random one
	Headers     *[]Header
}

// Bounds of what can be asked for.
const (
	mostConcurrency = 64
	mostPerSecond   = 10_000
	mostHeaders     = 20
	mostHeaderBytes = 1024
	mostURL         = 2048
)

// Rules bound what an account can ask for.
type Rules struct {
	Scope     account.Scope // of the account
	PlainHTTP bool          // admits URLs without TLS, for a machine that is reached by nobody else
}

// Apply takes over what is asked for. The kind and the address of a new destination (fresh) are required. Mistakes are
// InvalidParameters, name the member, and leave a half changed: throw it away. The secret part is for ApplySettings.
func (a *Additional) Apply(s *Spec, fresh bool, rules Rules) error {
	if fresh {
		if a.Kind = s.Kind; s.Address == "" {
			return invalid("address", "is required")
		}
	}
	if s.Name != nil {
		if utf8.RuneCountInString(*s.Name) > 100 {
			return invalid("name", "has at most 100 characters")
		}
		a.Name = *s.Name
	}
	if s.Address != "" {
		if err := checkAddress(a.Kind, s.Address, rules); err != nil {
			return err
		}
		a.Address = s.Address
	}
	if s.RoleARN != nil {
		if *s.RoleARN != "" && (a.Kind == HTTPS || !strings.HasPrefix(*s.RoleARN, "arn:"+rules.Scope.Partition+":iam::"+a.AccountID+":role/")) {
			return invalid("roleArn", "must be a role of this account, and the destination a service of AWS")
		}
		a.RoleARN = *s.RoleARN
	}
	if s.WABAKey != nil {
		a.WABAKey = *s.WABAKey
	}
	if s.Filter != nil {
		a.Filter = *s.Filter
	}
	if s.Concurrency != 0 {
		if s.Concurrency < 1 || s.Concurrency > mostConcurrency {
			return invalid("concurrency", "must be 1 to 64")
		}
		a.Concurrency = s.Concurrency
	}
	if s.PerSecond != nil {
		if !(*s.PerSecond >= 0 && *s.PerSecond <= mostPerSecond) {
			return invalid("maxEventsPerSecond", "must be 0, for no limit, to 10000")
		}
		a.PerSecond = *s.PerSecond
	}
	return nil
}

// Apply takes over the secret part of what is asked for. A new HTTPS destination gets a signing secret, which is returned.
func (s *Settings) Apply(k Kind, spec *Spec, fresh bool) (secret identity.Secret, err error) {
	if k != HTTPS {
		if spec.Secret != "" || spec.Headers != nil {
			return "", invalid("secret and headers", "are for HTTPS destinations")
		}
		return "", nil
	}
	if fresh {
		if secret = spec.Secret; secret == "" {
			secret = NewSigningSecret()
		} else if err := CheckSigningSecret(secret); err != nil {
			return "", err
		}
		s.Secrets = []SigningSecret{{Value: secret}}
	}
	if spec.Headers != nil {
		if err := checkHeaders(*spec.Headers); err != nil {
			return "", err
		}
		s.Headers = *spec.Headers
	}
	return secret, nil
}

// Rotate puts a new signing secret first. Those before it sign until the overlap is over, two of them at most.
func (s *Settings) Rotate(secret identity.Secret, overlap time.Duration, now time.Time) {
	const most = 3
	keep := []SigningSecret{{Value: secret}}
	for _, old := range s.Secrets {
		if until := now.Add(overlap); old.Until.IsZero() || until.Before(old.Until) {
			old.Until = until
		}
		if now.Before(old.Until) && len(keep) < most {
			keep = append(keep, old)
		}
	}
	s.Secrets = keep
}

// checkAddress admits an https URL, or the ARN of something of the account in this Region.
func checkAddress(k Kind, address string, rules Rules) error {
	switch k {
	case HTTPS:
		u, err := url.Parse(address)
		switch {
		case err != nil || len(address) > mostURL || u.Hostname() == "" || !port(u.Port()) || u.Fragment != "":
			return invalid("address", "is not a URL of at most 2048 characters")
		case u.User != nil:
			return invalid("address", "must not carry a password: use a header")
		case u.Scheme != "https" && (u.Scheme != "http" || !rules.PlainHTTP):
			return invalid("address", "must start with https://")
		}
		return nil
	case SNS, SQS, EventBridge:
		parts := strings.SplitN(address, ":", 6)
		switch {
		case KindOf(address) != k || len(parts) < 6 || !resource(k, strings.TrimSuffix(parts[5], ".fifo")):
			return invalid("address", "is not the ARN of such a destination")
		case parts[1] != rules.Scope.Partition || parts[3] != rules.Scope.Region:
			return invalid("address", "must be in this Region, "+rules.Scope.Region)
		case parts[4] != rules.Scope.AccountID:
			return invalid("address", "must belong to this account")
		case strings.HasSuffix(address, ".fifo"):
			return invalid("address", "is FIFO: events can only be published to standard topics and queues")
		}
		return nil
	default:
		return invalid("type", "must be https, sns, sqs or eventbridge")
	}
}

// port reports whether a URL can name a port so, or leave it out.
func port(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return s == "" || err == nil && n > 0
}

// resource reports whether a topic, queue or bus can go by the last part of its ARN.
func resource(k Kind, name string) bool {
	more := "-_"
	if k == EventBridge {
		var ok bool
		if name, ok = strings.CutPrefix(name, "event-bus/"); !ok {
			return false
		}
		more = "-_./"
	}
	return name != "" && len(name) <= 256 && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(more, r)
	})
}

// OwnerOf returns the account in the ARN of a destination, or "".
func OwnerOf(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 {
		return ""
	}
	return parts[4]
}

// CheckSigningSecret admits what Standard Webhooks calls a symmetric secret: whsec_ and 24 to 64 bytes in base64.
func CheckSigningSecret(s identity.Secret) error {
	text, ok := strings.CutPrefix(s.Reveal(), "whsec_")
	b, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(b) < 24 || len(b) > 64 {
		return invalid("secret", "must be whsec_ and 24 to 64 bytes in base64")
	}
	return nil
}

// reserved are headers that every request has already, or that would change how it is read.
var reserved = map[string]bool{"host": true, "content-type": true, "content-length": true, "transfer-encoding": true, "connection": true,
	"te": true, "trailer": true, "upgrade": true, "expect": true, "user-agent": true, "accept-encoding": true, "webhook-id": true,
	"webhook-timestamp": true, "webhook-signature": true}

func checkHeaders(headers []Header) error {
	if len(headers) > mostHeaders {
		return invalid("headers", "are at most 20")
	}
	seen := map[string]bool{}
	for _, h := range headers {
		name, value := strings.ToLower(h.Name), h.Value.Reveal()
		switch {
		case !token(h.Name) || len(h.Name) > 100:
			return invalid("headers", "have names of 1 to 100 letters, digits and hyphens")
		case reserved[name]:
			return invalid("headers", "must not set "+h.Name)
		case seen[name]:
			return invalid("headers", "have "+h.Name+" more than once")
		case len(value) > mostHeaderBytes || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r > '~' }):
			return invalid("headers", "have values of at most 1024 printable ASCII characters")
		}
		seen[name] = true
	}
	return nil
}

// token reports whether s can be the name of a header.
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
	})
}

func invalid(member, problem string) error {
	return fault.New(fault.InvalidParameters, "%s %s.", member, problem)
}

// NewSigningSecret makes a random signing secret in the form of Standard Webhooks: whsec_ and 24 bytes in base64.
func NewSigningSecret() identity.Secret {
	b := make([]byte, 24)
	rand.Read(b)
	return identity.Secret("whsec_" + base64.StdEncoding.EncodeToString(b))
}
