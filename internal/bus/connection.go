package bus

import (
	"net/url"
	"strings"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// AuthType is how a connection proves who is calling.
type AuthType string

const (
	Basic  AuthType = "BASIC"   // user name and password
	APIKey AuthType = "API_KEY" // a header with a secret value
)

// Connection is what API destinations are called with.
type Connection struct {
	ARN         string
	AccountID   string
	Name        string
	Description string
	Type        AuthType
	Username    string // of BASIC; of API_KEY the name of the header
	Sealed      []byte // the password, or the header's value
	CreatedAt   time.Time
	ModifiedAt  time.Time
}

// Destination is a URL that targets can be.
type Destination struct {
	ARN           string
	AccountID     string
	Name          string
	Description   string
	ConnectionARN string
	Endpoint      string
	Method        string
	Rate          int  // requests a second at most
	Active        bool // its connection exists
	CreatedAt     time.Time
	ModifiedAt    time.Time
}

// DefaultRate is how many requests a second an API destination gets unless it says otherwise.
const DefaultRate = 300

// Call is what it takes to call an API destination.
type Call struct {
	Destination Destination
	Type        AuthType
	Username    string
	Secret      identity.Secret
}

// check reports why there cannot be such a connection.
func (c *Connection) check() error {
	if c.Type == APIKey && !headerName(c.Username) {
		return invalid("ApiKeyName", "it is no name of an HTTP header.")
	}
	return nil
}

// headerName reports whether a header can have a name.
func headerName(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r) })
}

// check reports why there cannot be such a destination. In development plain HTTP will do.
func (d *Destination) check(plain bool) error {
	u, err := url.Parse(d.Endpoint)
	if err != nil || u.Hostname() == "" || strings.Contains(u.Host, "*") || u.User != nil || u.Opaque != "" || u.Fragment != "" {
		return invalid("InvocationEndpoint", "it is no URL such as https://example.com/events.")
	}
	if u.Scheme != "https" && !(plain && u.Scheme == "http") {
		return invalid("InvocationEndpoint", "only https is allowed.")
	}
	switch d.Method {
	case "POST", "PUT", "PATCH":
		return nil
	default:
		return invalid("HttpMethod", "the built-in event bus calls API destinations with POST, PUT or PATCH.")
	}
}
