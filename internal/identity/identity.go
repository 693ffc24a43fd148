// Package identity knows who may call: accounts, their users, and the access keys that sign requests.
//
// Every access key acts for exactly one account, and nothing in the system crosses accounts.
package identity

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"time"
)

// Account is a tenant. ID is the 12-digit account number that appears in ARNs.
type Account struct {
	ID        string
	Alias     string
	CreatedAt time.Time
}

// User is an IAM user of an account.
type User struct {
	ID        string // AIDA…
	AccountID string
	Name      string
	Path      string // "/" unless the user was created under one
	CreatedAt time.Time
}

// ARN returns the user's ARN, e.g. arn:aws:iam::000000000000:user/admin.
func (u User) ARN() string { return "arn:aws:iam::" + u.AccountID + ":user" + u.Path + u.Name }

// Secret is a value that must never be printed: every formatting verb shows a mask.
type Secret string

const mask = "[secret]"

// Reveal returns the real value. Call it only where the value is used.
func (s Secret) Reveal() string { return string(s) }

// String masks the secret.
func (s Secret) String() string { return mask }

// GoString masks the secret under %#v.
func (s Secret) GoString() string { return mask }

// MarshalText masks the secret in JSON, YAML and slog output.
func (s Secret) MarshalText() ([]byte, error) { return []byte(mask), nil }

// AccessKey is a long-term credential: a public id and the secret that signs requests.
type AccessKey struct {
	ID        string // AKIA…
	Secret    Secret
	Active    bool
	User      User
	CreatedAt time.Time
}

// Caller is the authenticated origin of a request.
type Caller struct {
	AccountID   string
	ARN         string // of the user or role session
	PrincipalID string // AIDA…, or AROA…:session
	AccessKeyID string
}

// Caller returns who acts when this key signs.
func (k AccessKey) Caller() Caller {
	return Caller{AccountID: k.User.AccountID, ARN: k.User.ARN(), PrincipalID: k.User.ID, AccessKeyID: k.ID}
}

// NewAccessKey makes a random active key for a user, in the form AWS uses: AKIA and 16 characters of base 32, and 40
// characters of secret.
func NewAccessKey(user User, now time.Time) AccessKey {
	secret := make([]byte, 30)
	rand.Read(secret)
	return AccessKey{ID: "AKIA" + randomBase32(), Secret: Secret(base64.StdEncoding.EncodeToString(secret)), Active: true,
		User: user, CreatedAt: now}
}

// NewUserID makes a unique id for a user: AIDA and 16 characters of base 32.
func NewUserID() string { return "AIDA" + randomBase32() }

func randomBase32() string {
	b := make([]byte, 10)
	rand.Read(b)
	return base32.StdEncoding.EncodeToString(b)
}
