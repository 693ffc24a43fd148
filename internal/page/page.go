// Package page makes the tokens that lead from one page of a list to the next.
//
// A token carries a cursor: where the next page starts, in the store's own terms. It is sealed with a keyed hash, together
// with what it may be used for, so a token that was altered, is too old, or belongs to another account or list is refused
// rather than misread. The cursor itself is not encrypted and must hold nothing secret.
package page

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/waxwing-messaging/waxwing/internal/fault"
)

// Lifetime is how long a token can be used.
const Lifetime = 24 * time.Hour

const (
	version    = 1
	headerSize = 1 + 8 // version, expiry in seconds
	macSize    = 16    // enough against guessing online, which is all one can do

	// MaxToken is the length of the longest token, AWS's limit, and MaxCursor that of the longest cursor in one.
	MaxToken  = 600
	MaxCursor = MaxToken*3/4 - headerSize - macSize
)

// Sealer makes and opens tokens. It is safe for concurrent use.
type Sealer struct {
	key []byte
	now func() time.Time
}

// NewSealer returns a Sealer. Every node needs the same key, of at least 32 random bytes, and keeps it over restarts.
func NewSealer(key []byte, now func() time.Time) *Sealer {
	return &Sealer{key: key, now: now}
}

// Seal returns the token for a cursor of at most MaxCursor bytes. The purpose is everything the token is bound to: the
// account, the operation, and any input that has to be the same on the next page. It uses no characters that need escaping.
func (s *Sealer) Seal(cursor string, purpose ...string) string {
	b := make([]byte, 0, headerSize+len(cursor)+macSize)
	b = append(b, version)
	b = binary.BigEndian.AppendUint64(b, uint64(s.now().Add(Lifetime).Unix()))
	b = append(b, cursor...)
	return base64.RawURLEncoding.EncodeToString(append(b, s.mac(b, purpose)...))
}

// Open returns the cursor of a token that was sealed for the same purpose and is not too old. The error is a
// fault.InvalidParameters, and the same for every reason.
func (s *Sealer) Open(token string, purpose ...string) (cursor string, err error) {
	refused := fault.New(fault.InvalidParameters, "The nextToken is not valid, has expired, or belongs to another request.")
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(token) > MaxToken || len(b) < headerSize+macSize || b[0] != version {
		return "", refused
	}
	signed, mac := b[:len(b)-macSize], b[len(b)-macSize:]
	if !hmac.Equal(mac, s.mac(signed, purpose)) || s.now().Unix() >= int64(binary.BigEndian.Uint64(signed[1:headerSize])) {
		return "", refused
	}
	return string(signed[headerSize:]), nil
}

// mac hashes what is signed and the purpose, each with its length, so that nothing can move from one to another.
func (s *Sealer) mac(signed []byte, purpose []string) []byte {
	h := hmac.New(sha256.New, s.key)
	var size [8]byte
	write := func(part []byte) {
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		h.Write(size[:])
		h.Write(part)
	}
	write(signed)
	for _, part := range purpose {
		write([]byte(part))
	}
	return h.Sum(nil)[:macSize]
}
