package meta

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/identity"
)

// VerifySignature reports whether header, a callback's X-Hub-Signature-256, was made from body with the app's secret. Body is
// the raw bytes as they came: Meta signs its own escaping. An empty secret verifies nothing.
func VerifySignature(secret identity.Secret, header string, body []byte) bool {
	digest, ok := strings.CutPrefix(header, "sha256=")
	if !ok || secret == "" || len(digest) != hex.EncodedLen(sha256.Size) {
		return false
	}
	var got [sha256.Size]byte
	if _, err := hex.Decode(got[:], []byte(digest)); err != nil {
		return false
	}
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write(body)
	var want [sha256.Size]byte
	return hmac.Equal(got[:], mac.Sum(want[:0]))
}
