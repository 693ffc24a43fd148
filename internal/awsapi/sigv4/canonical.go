package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// scratch holds the buffers canonical requests are built in.
var scratch = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

// payloadHash returns the hash that was signed for the body. A hash the request states itself must be the body's.
func payloadHash(r *http.Request, s *Service, body []byte) (hash []byte, ok bool) {
	stated := r.Header.Get("X-Amz-Content-Sha256")
	if stated == unsignedPayload && s.UnsignedPayload {
		return []byte(unsignedPayload), true
	}
	sum := sha256.Sum256(body)
	hash = hex.AppendEncode(make([]byte, 0, 2*sha256.Size), sum[:])
	return hash, stated == "" || subtle.ConstantTimeCompare(hash, []byte(stated)) == 1
}

// appendCanonicalRequest writes the request in the one form both sides can agree on. It reports false when the list of signed
// headers is not itself canonical: lower case, sorted, each name once.
func appendCanonicalRequest(b []byte, r *http.Request, c *Claim, s *Service, payload []byte) ([]byte, bool) {
	b = append(append(b, r.Method...), '\n')
	if s.RawPath {
		b = appendRawPath(b, r.URL.EscapedPath())
	} else {
		b = appendPath(b, r.URL.EscapedPath())
	}
	b = append(b, '\n')
	b = appendQuery(b, r.URL.RawQuery, c.Presigned)
	b = append(b, '\n')
	b, ok := appendHeaders(b, r, c.SignedHeaders)
	b = append(b, '\n')
	b = append(append(b, c.SignedHeaders...), '\n')
	return append(b, payload...), ok
}

// appendPath normalises a path as it came over the wire and percent-encodes it once more.
func appendPath(b []byte, path string) []byte {
	if path == "" {
		return append(b, '/')
	}
	if !plainPath(path) {
		path = normalise(path)
	}
	for i := range len(path) {
		if ch := path[i]; ch == '/' {
			b = append(b, ch)
		} else {
			b = appendEncoded(b, ch)
		}
	}
	return b
}

// appendRawPath encodes a path exactly once, whatever the client escaped or left alone.
func appendRawPath(b []byte, path string) []byte {
	if path == "" {
		return append(b, '/')
	}
	for i := 0; i < len(path); i++ {
		ch := path[i]
		if ch == '%' && i+2 < len(path) && isHex(path[i+1]) && isHex(path[i+2]) {
			ch = unhex(path[i+1])<<4 | unhex(path[i+2])
			i += 2
			b = appendEncoded(b, ch)
		} else if ch == '/' {
			b = append(b, ch)
		} else {
			b = appendEncoded(b, ch)
		}
	}
	return b
}

// plainPath reports whether normalising would change nothing.
func plainPath(path string) bool {
	return path[0] == '/' && !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// normalise resolves "." and ".." and drops empty segments (RFC 3986, section 6), keeping a final slash.
func normalise(path string) string {
	var kept []string
	segments := strings.Split(path, "/")
	for _, segment := range segments {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	clean := "/" + strings.Join(kept, "/")
	if last := segments[len(segments)-1]; clean != "/" && (last == "" || last == "." || last == "..") {
		clean += "/"
	}
	return clean
}

// appendQuery writes the parameters decoded, encoded again in the one right way, and sorted. A presigned request's own
// signature is not part of what it signs.
func appendQuery(b []byte, raw string, presigned bool) []byte {
	if raw == "" {
		return b
	}
	type parameter struct{ name, value string }
	parameters := make([]parameter, 0, 8)
	for len(raw) > 0 {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		p := parameter{reencode(name), reencode(value)}
		if presigned && p.name == "X-Amz-Signature" {
			continue
		}
		parameters = append(parameters, p)
	}
	slices.SortFunc(parameters, func(x, y parameter) int {
		if c := strings.Compare(x.name, y.name); c != 0 {
			return c
		}
		return strings.Compare(x.value, y.value)
	})
	for i, p := range parameters {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(append(append(b, p.name...), '='), p.value...)
	}
	return b
}

// reencode decodes a query component (a plus is a space; a stray percent sign stands for itself) and encodes it canonically.
func reencode(s string) string {
	plain := true
	for i := range len(s) {
		if !unreserved(s[i]) {
			plain = false
			break
		}
	}
	if plain {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i := 0; i < len(s); i++ {
		switch ch := s[i]; {
		case ch == '+':
			b = append(b, "%20"...)
		case ch == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b = appendEncoded(b, unhex(s[i+1])<<4|unhex(s[i+2]))
			i += 2
		default:
			b = appendEncoded(b, ch)
		}
	}
	return string(b)
}

// appendHeaders writes the signed headers with their values trimmed, runs of spaces made one, and repeats joined by commas.
func appendHeaders(b []byte, r *http.Request, signed string) ([]byte, bool) {
	ok, previous := true, ""
	for len(signed) > 0 {
		var name string
		name, signed, _ = strings.Cut(signed, ";")
		ok = ok && name > previous && !strings.ContainsFunc(name, func(c rune) bool { return 'A' <= c && c <= 'Z' })
		previous = name
		b = append(append(b, name...), ':')
		switch values := headerValues(r.Header, name); {
		case name == "host":
			b = append(b, r.Host...)
		case name == "content-length" && len(values) == 0 && r.ContentLength >= 0:
			b = strconv.AppendInt(b, r.ContentLength, 10)
		default:
			for i, value := range values {
				if i > 0 {
					b = append(b, ',')
				}
				b = appendTrimmed(b, value)
			}
		}
		b = append(b, '\n')
	}
	return b, ok
}

// headerValues is http.Header.Values for a lower-case name, without making a string of the canonical one.
func headerValues(h http.Header, name string) []string {
	var key [64]byte
	if len(name) > len(key) {
		return h.Values(name)
	}
	upper := true
	for i := range len(name) {
		ch := name[i]
		if upper && 'a' <= ch && ch <= 'z' {
			ch -= 'a' - 'A'
		}
		key[i], upper = ch, ch == '-'
	}
	return h[string(key[:len(name)])]
}

func appendTrimmed(b []byte, value string) []byte {
	value = strings.Trim(value, " \t")
	for i := range len(value) {
		if value[i] == ' ' && i > 0 && value[i-1] == ' ' {
			continue
		}
		b = append(b, value[i])
	}
	return b
}

func appendEncoded(b []byte, ch byte) []byte {
	if unreserved(ch) {
		return append(b, ch)
	}
	const digits = "0123456789ABCDEF"
	return append(b, '%', digits[ch>>4], digits[ch&15])
}

func unreserved(ch byte) bool {
	return 'a' <= ch && ch <= 'z' || 'A' <= ch && ch <= 'Z' || '0' <= ch && ch <= '9' ||
		ch == '-' || ch == '_' || ch == '.' || ch == '~'
}

func isHex(ch byte) bool {
	return '0' <= ch && ch <= '9' || 'a' <= ch && ch <= 'f' || 'A' <= ch && ch <= 'F'
}

func unhex(ch byte) byte {
	switch {
	case ch <= '9':
		return ch - '0'
	case ch <= 'F':
		return ch - 'A' + 10
	default:
		return ch - 'a' + 10
	}
}
