package message

import (
	"strings"

	"github.com/waxwing-messaging/waxwing/internal/fault"
	"github.com/waxwing-messaging/waxwing/internal/rawjson"
)

// The digits of a phone number: E.164 allows 15, and the shortest numbers in service have 5 with their country code.
const (
	minDigits = 5
	maxDigits = 15
)

// Digits returns the digits of a phone number written the ways Meta accepts: a leading + or none, and spaces, hyphens and
// parentheses anywhere. It returns "" for anything else, and for fewer than 5 or more than 15 digits.
func Digits(number string) string {
	trimmed := strings.TrimPrefix(strings.TrimSpace(number), "+")
	n := 0
	for i := range len(trimmed) {
		switch c := trimmed[i]; {
		case c >= '0' && c <= '9':
			n++
		case c != ' ' && c != '-' && c != '(' && c != ')':
			return ""
		}
	}
	switch {
	case n < minDigits || n > maxDigits:
		return ""
	case n == len(trimmed):
		return trimmed // the common form costs no copy
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, trimmed)
}

// IsUserID reports whether s is a business-scoped user id: a country, an optional mark of a parent id, and 1 to 128 letters
// and digits, such as GB.88120045511209 (Meta).
func IsUserID(s string) bool {
	if len(s) < 4 || !upper(s[0]) || !upper(s[1]) || s[2] != '.' {
		return false
	}
	id := strings.TrimPrefix(s[3:], "ENT.")
	if len(id) < 1 || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; !upper(c) && (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}

func upper(c byte) bool { return c >= 'A' && c <= 'Z' }

// oldestVersion is the first Graph API version the service speaks.
const oldestVersion = 20

// CheckVersion checks a Graph API version as a request names it: vN.0 with N of 20 or more. The error is a
// fault.InvalidParameters.
func CheckVersion(version string) error {
	major, isMinorZero := strings.CutSuffix(version, ".0")
	digits, isV := strings.CutPrefix(major, "v")
	n, ok := 0, isMinorZero && isV && len(digits) >= 2 && len(digits) <= 3 && digits[0] != '0'
	for i := range len(digits) {
		if !ok || digits[i] < '0' || digits[i] > '9' {
			ok = false
			break
		}
		n = n*10 + int(digits[i]-'0')
	}
	if !ok || n < oldestVersion {
		return fault.New(fault.InvalidParameters, "metaApiVersion must be v%d.0 or later, such as v%d.0", oldestVersion, oldestVersion)
	}
	return nil
}

// WithOpaque returns a message object that also carries id as biz_opaque_callback_data, which WhatsApp echoes in every status
// of the message. The object's own bytes are copied as they are. Body must have passed Parse with OwnOpaque false, and id must
// need no escaping in JSON; our ids are UUIDs.
func WithOpaque(body []byte, id string) []byte {
	const before, after = `"biz_opaque_callback_data":"`, `"`
	start := rawjson.SkipSpace(body, 0) + 1 // after the opening brace
	out := make([]byte, 0, len(body)+len(before)+len(id)+len(after)+1)
	out = append(out, body[:start]...)
	out = append(out, before...)
	out = append(out, id...)
	out = append(out, after...)
	if body[rawjson.SkipSpace(body, start)] != '}' {
		out = append(out, ',')
	}
	return append(out, body[start:]...)
}
