package sim

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
)

// wamid builds a message id in Meta's form: the text "wamid." and base64 of a small Thrift-compact structure that holds the
// user's number, who sent, and WhatsApp's own id of the message. Reference: decoded samples of real ids.
func wamid(user string, fromBusiness bool, native string) string {
	b := make([]byte, 0, 12+len(user)+len(native))
	b = append(b, 0x1c, 0x18, byte(len(user))) // field 1: struct {1: number, …
	b = append(b, user...)
	b = append(b, 0x15, 0x02, 0x00) // … 2: 1}
	if fromBusiness {
		b = append(b, 0x11) // field 2: true
	} else {
		b = append(b, 0x12) // field 2: false
	}
	b = append(b, 0x18, byte(len(native))) // field 3: the native id
	b = append(b, native...)
	return "wamid." + base64.StdEncoding.EncodeToString(append(b, 0))
}

// parseWamid is the inverse of wamid.
func parseWamid(id string) (user string, fromBusiness bool, native string, err error) {
	bad := errors.New("not a wamid")
	text, ok := strings.CutPrefix(id, "wamid.")
	if !ok {
		return "", false, "", bad
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(b) < 3 || b[0] != 0x1c || b[1] != 0x18 {
		return "", false, "", bad
	}
	n := int(b[2])
	b = b[3:]
	if len(b) < n+6 || b[n] != 0x15 || b[n+1] != 0x02 || b[n+2] != 0 || b[n+4] != 0x18 {
		return "", false, "", bad
	}
	user, dir, m := string(b[:n]), b[n+3], int(b[n+5])
	if rest := b[n+6:]; len(rest) == m+1 && rest[m] == 0 && (dir == 0x11 || dir == 0x12) {
		return user, dir == 0x11, string(rest[:m]), nil
	}
	return "", false, "", bad
}

// source yields ids that depend on nothing but its seed and how many were taken before.
type source struct{ seed, n uint64 }

// next is splitmix64: every seed gives a full-period sequence.
func (s *source) next() uint64 {
	s.n++
	z := s.seed + s.n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// float returns a number in [0, 1).
func (s *source) float() float64 { return float64(s.next()>>11) / (1 << 53) }

// hex returns n upper-case hexadecimal digits, n even and at most 32.
func (s *source) hex(n int) string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.next())
	binary.BigEndian.PutUint64(b[8:], s.next())
	return strings.ToUpper(hex.EncodeToString(b[:n/2]))
}

// outbound is the native id WhatsApp gives a message from a business.
func (s *source) outbound() string { return s.hex(18) }

// inbound is the native id of a customer's message: a customer's phone is an iPhone or an Android for good.
func (s *source) inbound(user string) string {
	if user != "" && (user[len(user)-1]-'0')%2 == 1 {
		return "3A" + s.hex(18)
	}
	return "AC" + s.hex(30)
}

// digits returns a decimal id of 16 digits, as media have.
func (s *source) digits() string { return strconv.FormatUint(1e15+s.next()%9e15, 10) }

// trace returns an fbtrace_id.
func (s *source) trace() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], s.next())
	binary.BigEndian.PutUint64(b[8:], s.next())
	return "A" + base64.RawURLEncoding.EncodeToString(b[:])
}

// hash64 is FNV-1a, for ids that must not depend on order.
func hash64(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
		h = (h ^ 0xff) * 1099511628211
	}
	return h
}
